//! What can go wrong, in words that `mesh` can turn into a plain sentence.

use std::io;

/// The endpoint itself is in trouble.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// No UDP socket could be opened on any of the asked addresses.
    #[error("no udp socket could be opened: {0}")]
    Socket(#[source] io::Error),
    /// A certificate could not be made or read back.
    #[error("the link certificate is unusable: {0}")]
    Certificate(String),
    /// The operating system gave no randomness.
    #[error("the system gave no randomness")]
    Randomness,
    /// The WebRTC stack refused a step of the recipe.
    #[error("webrtc: {0}")]
    Webrtc(String),
}

/// Why a dial brought no link. None of them comes later than the dial's deadline.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// No packet came back from any address.
    #[error("nobody answered at that address")]
    NobodyThere,
    /// Somebody answered, and does not know the key we showed: wrong secret, expired or revoked code.
    #[error("the device answered, and does not know this code")]
    Refused,
    /// The DTLS certificate is not the one we were told to expect.
    #[error("the device that answered is not the expected one")]
    WrongFingerprint,
    /// The link handshake failed: the other side holds another secret.
    #[error("the link handshake failed: another secret, or an incompatible version")]
    Handshake,
    /// The other side's own dial to us won; its link comes through `Incoming`.
    #[error("the other side's dial won, its link arrives as an incoming one")]
    Superseded,
    /// There is an open member link to that address already.
    #[error("a link to that address is open already")]
    AlreadyLinked,
    /// The fingerprint is our own.
    #[error("that is this very device")]
    Itself,
    /// No address to dial, or none that one of our sockets can reach.
    #[error("none of the addresses can be reached from here")]
    NoAddress,
    /// Something answered, and the rest did not finish in time.
    #[error("the link did not open in time")]
    Deadline,
    /// The link broke while it was being made.
    #[error("the link closed while it was being made")]
    Closed,
    /// The endpoint itself is in trouble.
    #[error(transparent)]
    Peer(#[from] PeerError),
}

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The queue of that lane is full; wait or drop the frame.
    #[error("the link's queue is full")]
    Full,
    /// The link is closed.
    #[error("the link is closed")]
    Closed,
    /// The frame is longer than its lane carries.
    #[error("the frame is too long for its lane")]
    TooLong,
}
