//! The one error type of this crate.

use peddlenet_wire::{EpochId, WireError};

/// Why something was not signed, sealed, opened or accepted.
///
/// Says no more than the other end may know: which check failed, never a key or a plaintext.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// The link handshake failed: another pre-shared key, another certificate in between, or
    /// bytes that are no handshake. Which of them can't be told.
    #[error("link handshake failed")]
    Handshake,
    /// A handshake message over the limit; nothing of it was read.
    #[error("handshake message of {len} bytes, the limit is {max}")]
    HandshakeTooLong {
        /// Its length.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// A message after the handshake ended, or after it failed.
    #[error("the handshake is over")]
    HandshakeOver,
    /// No protocol version that both ends speak.
    #[error(
        "no protocol version in common: here {ours_min} to {ours_max}, there {theirs_min} to {theirs_max}"
    )]
    NoCommonVersion {
        /// The oldest spoken here.
        ours_min: u8,
        /// The newest spoken here.
        ours_max: u8,
        /// The oldest spoken there.
        theirs_min: u8,
        /// The newest spoken there.
        theirs_max: u8,
    },
    /// Not signed by this key, for this purpose, over these bytes.
    #[error("signature does not verify")]
    Signature,
    /// A cipher suite that this build does not know.
    #[error("cipher suite {0}, made by a newer app")]
    UnknownSuite(u8),
    /// A stream or a kind of record whose sealing this build does not know.
    #[error("sealed in a way that a newer app knows")]
    UnknownSealing,
    /// Sealed under keys of another epoch than the given ones.
    #[error("sealed in epoch {sealed:?}, the keys are of {given:?}")]
    OtherEpoch {
        /// The epoch in the header.
        sealed: EpochId,
        /// The epoch of the keys.
        given: EpochId,
    },
    /// The keys of this epoch were given without the one that opens content.
    #[error("the content of epoch {0:?} is not shared with this member")]
    NoContentKey(EpochId),
    /// A grant whose keys do not hash to its name.
    #[error("keys do not belong to epoch {0:?}")]
    ForgedEpoch(EpochId),
    /// Two events that an honest author may well have signed both.
    #[error("no contradiction between these events")]
    NoFork,
    /// The body was deleted; the header stays verifiable.
    #[error("the body was deleted")]
    NoBody,
    /// A key that nothing can be sealed to: no point of the curve, of low order, or written in a
    /// way that is not the usual one.
    #[error("nothing can be sealed to this key")]
    BadRecipient,
    /// The body does not open under the key that its header names.
    #[error("body does not open")]
    Sealed,
    /// What was to be sealed, or what came out, breaks the wire format.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A key file that gives no key.
    #[error("the key file can't be used: {0}")]
    KeyFile(&'static str),
    /// Not the passphrase that the key was wrapped with, or one that is empty or far too long.
    #[error("that is not the passphrase")]
    Passphrase,
}
