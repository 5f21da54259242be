//! Author keys and what they sign.
//!
//! ```text
//!  what is signed:   length 1 | context ("pn/event/1", ..) | message
//! ```
//!
//! Every purpose has its own context, so that no signature can be passed off as another kind:
//! a join proof never reads as an event. The length in front keeps contexts from running into
//! their messages. Ed25519 (RFC 8032); signatures are checked with `verify_strict`, which also
//! refuses keys and points of small order, so one signature fits one message and one key only.

use std::{borrow::Cow, fmt};

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use peddlenet_wire::{AuthorId, Signature, record::RecordKind};

use crate::CryptoError;

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Context {
    /// An event's header: `pn/event/1`.
    Event,
    /// A record's header: `pn/record/1` and the kind, big-endian, so that each kind has its own.
    Record(RecordKind),
    /// A sign of life: `pn/beacon/1`.
    Beacon,
    /// "I am this member of this room", on a link: `pn/open/1`.
    LinkOpen,
    /// "I ask to be let in and hold this key", on a link: `pn/join/1`.
    Join,
    /// "I belong to the room that you were invited to", on a link: `pn/welcome/1`.
    Welcome,
    /// "This author held the code", by an invite key: `pn/voucher/1`.
    Voucher,
    /// "I go on under this other key", by the key until now: `pn/move/1`.
    Move,
    /// "Your direct message arrived", or was seen: `pn/direct/1`.
    DirectReceipt,
}

impl Context {
    fn label(self) -> Cow<'static, [u8]> {
        Cow::Borrowed(match self {
            Self::Event => b"pn/event/1",
            Self::Record(kind) => {
                return Cow::Owned([&b"pn/record/1"[..], &kind.0.to_be_bytes()].concat());
            }
            Self::Beacon => b"pn/beacon/1",
            Self::LinkOpen => b"pn/open/1",
            Self::Join => b"pn/join/1",
            Self::Welcome => b"pn/welcome/1",
            Self::Voucher => b"pn/voucher/1",
            Self::Move => b"pn/move/1",
            Self::DirectReceipt => b"pn/direct/1",
        })
    }

    /// The bytes that go into the signature.
    fn frame(self, message: &[u8]) -> Vec<u8> {
        let label = self.label();
        // Labels are short constants of ours.
        let len = u8::try_from(label.len()).unwrap_or(u8::MAX);
        [&[len], &*label, message].concat()
    }
}

/// The key by which one person speaks in one room. Wiped on drop.
#[derive(Clone)]
pub struct AuthorKey(SigningKey);

impl AuthorKey {
    /// The key of a 32-byte seed: fresh random bytes, or what [`seed`](Self::seed) gave.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = zeroize::Zeroizing::new(seed);
        Self(SigningKey::from_bytes(&seed))
    }

    /// The seed, to be sealed and stored. It is the key: never log or send it.
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The public half: who this is to the room.
    pub fn id(&self) -> AuthorId {
        AuthorId(self.0.verifying_key().to_bytes())
    }

    /// Signs a message for one purpose.
    pub fn sign(&self, context: Context, message: &[u8]) -> Signature {
        sign(&self.0, context, message)
    }

    /// The X25519 secret key of the same pair; see [`sealed_to`](crate::sealed_to).
    pub(crate) fn x25519(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_scalar_bytes())
    }
}

impl fmt::Debug for AuthorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorKey({:?})", self.id())
    }
}

/// Whether `author` signed exactly this message for exactly this purpose.
pub fn verify(
    author: AuthorId,
    context: Context,
    message: &[u8],
    signature: &Signature,
) -> Result<(), CryptoError> {
    check(&author.0, context, message, signature)
}

/// Signs with any Ed25519 key of ours; invite keys sign too.
pub(crate) fn sign(key: &SigningKey, context: Context, message: &[u8]) -> Signature {
    Signature(key.sign(&context.frame(message)).to_bytes())
}

/// Checks a signature by any Ed25519 key.
pub(crate) fn check(
    key: &[u8; 32],
    context: Context,
    message: &[u8],
    signature: &Signature,
) -> Result<(), CryptoError> {
    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
    VerifyingKey::from_bytes(key)
        .and_then(|key| key.verify_strict(&context.frame(message), &signature))
        .map_err(|_| CryptoError::Signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXTS: [Context; 9] = [
        Context::Event,
        Context::Record(RecordKind::RECEIPTS),
        Context::Record(RecordKind::WHEREABOUTS),
        Context::Record(RecordKind(999)),
        Context::LinkOpen,
        Context::Join,
        Context::Welcome,
        Context::Voucher,
        Context::DirectReceipt,
    ];

    #[test]
    fn a_signature_holds_for_its_context_only() {
        let key = AuthorKey::from_seed([1; 32]);
        for made_for in CONTEXTS {
            let signature = key.sign(made_for, b"hello");
            for read_as in CONTEXTS {
                let verdict = verify(key.id(), read_as, b"hello", &signature);
                assert_eq!(
                    verdict.is_ok(),
                    made_for == read_as,
                    "{made_for:?} as {read_as:?}"
                );
            }
        }
    }

    #[test]
    fn contexts_do_not_run_into_messages() {
        let key = AuthorKey::from_seed([1; 32]);
        let kind = RecordKind(0x3132);
        let signature = key.sign(Context::Record(kind), b"x");
        for kind in [0x3131, 0x3231, 0] {
            let other = Context::Record(RecordKind(kind));
            assert!(verify(key.id(), other, b"12x", &signature).is_err());
        }
    }

    #[test]
    fn another_author_and_another_message_are_refused() {
        let (key, other) = (AuthorKey::from_seed([1; 32]), AuthorKey::from_seed([2; 32]));
        let signature = key.sign(Context::Event, b"hello");
        assert!(verify(other.id(), Context::Event, b"hello", &signature).is_err());
        assert!(verify(key.id(), Context::Event, b"hullo", &signature).is_err());
        assert!(verify(key.id(), Context::Event, b"", &signature).is_err());
    }

    #[test]
    fn keys_of_small_order_verify_nothing() {
        // With the neutral element as key and as R, and s = 0, the plain equation holds for
        // every message: what `verify_strict` is for.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        for message in [&b"one"[..], b"two"] {
            assert_eq!(
                verify(
                    AuthorId(neutral),
                    Context::Event,
                    message,
                    &Signature(signature)
                ),
                Err(CryptoError::Signature)
            );
        }
        assert!(verify(AuthorId([0xff; 32]), Context::Event, b"", &Signature::ZERO).is_err());
    }

    #[test]
    fn the_seed_comes_back_and_stays_out_of_debug_output() {
        let key = AuthorKey::from_seed([0xa7; 32]);
        assert_eq!(AuthorKey::from_seed(*key.seed()).id(), key.id());
        let debug = format!("{key:?}");
        assert_eq!(debug, format!("AuthorKey({:?})", key.id()));
        assert!(!debug.contains("a7a7") && !debug.contains("167"));
    }
}
