//! What `mesh` says about itself, compiled from its own files.

#![allow(
    dead_code,
    rustdoc::broken_intra_doc_links,
    reason = "the rest of the crate uses what is not used here"
)]

#[path = "../../../../mesh/src/api.rs"]
pub mod api;
#[path = "../../../../mesh/src/error.rs"]
mod error;

pub use api::*;
pub use error::{Error, ErrorCode};
