//! Epochs: the pair of keys that a room's members share for a while.
//!
//! ```text
//!  k_member   opens stream 0, whereabouts, presence; gate of members     given for all epochs
//!  k_content  opens what people say, and receipts                        given as `history` says
//!
//!  epoch id = first 16 bytes of H( H(k_member) || H(k_content) )         H = SHA-256
//! ```
//!
//! The id is made of hashes, so that it can be checked by a member who was given `k_member` and
//! only the hash of `k_content`: a grant can't smuggle in other keys under a known name.

use std::fmt;

use peddlenet_wire::{EpochId, event::sha256, join::EpochGrant};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{CryptoError, derive::derive};

const MEMBER_LABEL: &[u8] = b"pn/epoch/member/1";
const CONTENT_LABEL: &[u8] = b"pn/epoch/content/1";

/// The keys of one epoch. Redacted in logs, wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct EpochKeys {
    #[zeroize(skip)]
    id: EpochId,
    member: [u8; 32],
    content: Option<[u8; 32]>,
    #[zeroize(skip)]
    content_hash: [u8; 32],
}

impl EpochKeys {
    /// A new epoch from 64 fresh random bytes: `k_member` and `k_content`.
    pub fn from_seeds(member: [u8; 32], content: [u8; 32]) -> Self {
        let content_hash = sha256(&content).0;
        Self {
            id: epoch_id(&member, &content_hash),
            member,
            content: Some(content),
            content_hash,
        }
    }

    /// The epoch that a 32-byte seed stands for: what a rekey seals to each member.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let member = derive(seed, &[MEMBER_LABEL]);
        let content = derive(seed, &[CONTENT_LABEL]);
        Self::from_seeds(*member, *content)
    }

    /// Keys that another member gave, once they hash to the name they came under.
    pub fn from_grant(grant: &EpochGrant) -> Result<Self, CryptoError> {
        let forged = || CryptoError::ForgedEpoch(grant.epoch);
        if let Some(content) = &grant.content
            && !bool::from(sha256(content).0.ct_eq(&grant.content_hash))
        {
            return Err(forged());
        }
        if epoch_id(&grant.member, &grant.content_hash) != grant.epoch {
            return Err(forged());
        }
        Ok(Self {
            id: grant.epoch,
            member: grant.member,
            content: grant.content,
            content_hash: grant.content_hash,
        })
    }

    /// What to give a member, or to seal and store: everything held here.
    pub fn to_grant(&self) -> EpochGrant {
        EpochGrant {
            epoch: self.id,
            member: self.member,
            content: self.content,
            content_hash: self.content_hash,
        }
    }

    /// The same epoch without `k_content`: what a joiner is given of a past that is not shared.
    #[must_use]
    pub fn without_content(&self) -> Self {
        Self {
            content: None,
            ..self.clone()
        }
    }

    /// The epoch's name.
    pub fn id(&self) -> EpochId {
        self.id
    }

    /// Whether what people said can be opened too.
    pub fn opens_content(&self) -> bool {
        self.content.is_some()
    }

    pub(crate) fn member(&self) -> &[u8; 32] {
        &self.member
    }

    pub(crate) fn content(&self) -> Result<&[u8; 32], CryptoError> {
        self.content
            .as_ref()
            .ok_or(CryptoError::NoContentKey(self.id))
    }
}

impl fmt::Debug for EpochKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EpochKeys({:?})", self.id)
    }
}

fn epoch_id(member: &[u8; 32], content_hash: &[u8; 32]) -> EpochId {
    let hash = sha256(&[sha256(member).0, *content_hash].concat());
    let Some(id) = hash.0.first_chunk() else {
        unreachable!("a hash is longer than 16 bytes")
    };
    EpochId(*id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> EpochKeys {
        EpochKeys::from_seeds([0xb1; 32], [0xb2; 32])
    }

    #[test]
    fn a_grant_round_trips_with_and_without_content() {
        for given in [keys(), keys().without_content()] {
            let back = EpochKeys::from_grant(&given.to_grant()).unwrap();
            assert_eq!(back.to_grant(), given.to_grant());
            assert_eq!(back.id(), keys().id());
            assert_eq!(back.opens_content(), given.opens_content());
        }
    }

    #[test]
    fn a_seed_stands_for_two_different_keys() {
        let keys = EpochKeys::from_seed(&[7; 32]);
        assert_eq!(keys.id(), EpochKeys::from_seed(&[7; 32]).id());
        assert_ne!(keys.id(), EpochKeys::from_seed(&[8; 32]).id());
        let grant = keys.to_grant();
        assert_ne!(Some(grant.member), grant.content);
        assert_ne!(grant.member, [7; 32]);
    }

    #[test]
    fn keys_under_a_foreign_name_are_refused() {
        let grant = keys().to_grant();
        let mut forged = [grant.clone(), grant.clone(), grant.clone(), grant.clone()];
        forged[0].epoch.0[0] ^= 1;
        forged[1].member[31] ^= 1;
        forged[2].content = Some([0; 32]);
        forged[3].content_hash[0] ^= 1;
        for grant in &forged {
            let refused = EpochKeys::from_grant(grant).map(|k| k.id());
            assert_eq!(refused, Err(CryptoError::ForgedEpoch(grant.epoch)));
        }
        let mut without = keys().without_content().to_grant();
        without.content_hash[0] ^= 1;
        assert!(EpochKeys::from_grant(&without).is_err());
    }

    #[test]
    fn debug_output_shows_the_name_only() {
        let shown = format!("{:?} {:?}", keys(), keys().to_grant());
        assert_eq!(
            shown,
            format!("EpochKeys({0:?}) EpochGrant({0:?})", keys().id())
        );
        assert!(!shown.contains("b1b1") && !shown.contains("177"));
    }
}
