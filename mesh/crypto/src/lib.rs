//! Keys, sealing, signatures and the link handshake.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod error;
pub mod handshake;

pub use error::CryptoError;
pub use handshake::{Established, Handshake, Hello, Step};
