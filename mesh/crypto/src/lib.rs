//! Keys, sealing, signatures and the link handshake.
//!
//! Purpose: every cryptographic step of PeddleNet, each a small module around one library
//! primitive; nothing here is invented. The rules they follow are the threat model's: a context
//! for each signature, a label for each derived key, bytes verified as received.
//!
//! ```text
//!  invite code --> invite --P--> gate <--k_member-- epoch            who may knock
//!                                 |psk             (discovery: tags on the air; rendezvous: tags on a server)
//!  open data channel --------> handshake --hash--> proof, offer      who is there, which rooms
//!
//!  pass of a carrier box --> pass --certificate, signature--> the box    what it keeps beyond the open pool
//!
//!  plaintext --> event, record --SignedEvent, SignedRecord--> wire   what was said, by whom
//!                  |      |
//!               author   seal <--k_member, k_content-- epoch
//!
//!  what the disk holds --> vault <--master key-- key file, keychain    what a thief sees
//!                                 fingerprint: what two people compare; fork: two histories, proven
//! ```
//!
//! Contract: pure. Randomness and time are arguments; there is no clock, no generator, no I/O, so
//! a test or a simulation replays to the byte. Secrets are redacted in `Debug` and wiped on drop.
//! Bytes from outside end in a [`CryptoError`], never in a panic. Driven by `mesh` (keys, sealing,
//! proofs) and `peer` (handshake only).

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod author;
mod back;
pub mod beacon;
pub mod box_mark;
pub mod carry;
mod derive;
pub mod direct;
pub mod discovery;
pub mod epoch;
pub mod error;
pub mod event;
pub mod fingerprint;
pub mod fork;
pub mod gate;
pub mod handshake;
pub mod invite;
pub mod key_box;
pub mod moved;
pub mod offer;
pub mod pass;
pub mod proof;
pub mod record;
pub mod rendezvous;
mod seal;
pub mod sealed_to;
pub mod vault;

pub use author::{AuthorKey, Context, verify};
pub use back::{is_proven_back, prove_back};
pub use beacon::{sign_beacon, verify_beacon};
pub use box_mark::BoxMark;
pub use carry::{CarryKey, PARCEL_MAX};
pub use direct::{
    direct_receipt, direct_stream, open_direct, open_parcel, seal_direct, seal_parcel,
    verify_direct_receipt,
};
pub use discovery::{DiscoveryKey, DiscoveryTag, DiscoveryTags, Mark, Slot};
pub use epoch::EpochKeys;
pub use error::CryptoError;
pub use event::{Draft, open_event, seal_event, verify_event};
pub use fingerprint::{SafetyNumber, author_print, code_matches, is_print_of, verify_code};
pub use fork::ForkProof;
pub use gate::{Gate, invite_gate, member_gate};
pub use handshake::{DATAGRAM_TAG, DatagramCipher, Established, Handshake, Hello, Step};
pub use invite::{InviteKeys, verify_voucher};
pub use key_box::{open_box, seal_epoch};
pub use moved::{move_consent, verify_move};
pub use offer::room_offer;
pub use pass::{BoxKey, DayPass, verify_box, verify_pass};
pub use proof::{join_proof, open_proof, verify_join, verify_open, verify_welcome, welcome_proof};
pub use record::{open_record, seal_record, verify_record};
pub use rendezvous::{Day, MeetingKey, MeetingTag};
pub use sealed_to::{open_sealed, seal_to};
