//! Gates: the two keys behind which a listener answers at all.
//!
//! ```text
//!  P        --HKDF "pn/gate/invite/{ice,psk}/1"--> Gate   for joiners who hold a code
//!  k_member --HKDF "pn/gate/member/{ice,psk}/1"--> Gate   for members of that epoch
//! ```
//!
//! `ice_key` keys the ICE password that a dialer's first packet proves to know; `psk` is the
//! pre-shared key of the handshake that follows. A gate keeps strangers out and proves no
//! identity: all members of an epoch, and all holders of a code, pass the same one.

use std::fmt;

use peddlenet_wire::InviteKey;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{derive::derive, epoch::EpochKeys};

/// The keys of one gate. Redacted in logs, wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Gate {
    /// Keys the ICE password of the first packet.
    pub ice_key: [u8; 32],
    /// Pre-shared key of [`Handshake`](crate::Handshake).
    pub psk: [u8; 32],
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate(..)")
    }
}

/// The gate of an open invite, for who scanned its code and for every member who may answer.
pub fn invite_gate(invite: &InviteKey) -> Gate {
    gate(&invite.0, b"pn/gate/invite/ice/1", b"pn/gate/invite/psk/1")
}

/// The gate of the members who hold this epoch's keys.
pub fn member_gate(epoch: &EpochKeys) -> Gate {
    gate(
        epoch.member(),
        b"pn/gate/member/ice/1",
        b"pn/gate/member/psk/1",
    )
}

fn gate(secret: &[u8; 32], ice: &[u8], psk: &[u8]) -> Gate {
    Gate {
        ice_key: *derive(secret, &[ice]),
        psk: *derive(secret, &[psk]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_all_gates_differ() {
        let secret = [1; 32];
        let invite = invite_gate(&InviteKey(secret));
        let member = member_gate(&EpochKeys::from_seeds(secret, [2; 32]));
        let keys = [
            invite.ice_key,
            invite.psk,
            member.ice_key,
            member.psk,
            secret,
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key));
        }
    }

    #[test]
    fn debug_output_shows_no_key() {
        assert_eq!(
            format!("{:?}", invite_gate(&InviteKey([1; 32]))),
            "Gate(..)"
        );
    }
}
