//! What `mesh` says about itself, compiled from its own files.

#![allow(
    dead_code,
    rustdoc::broken_intra_doc_links,
    reason = "the rest of the crate uses what is not used here"
)]

// A folder, so that its modules find their own.
#[path = "../../../../mesh/src"]
mod mesh {
    pub mod api;
    pub(crate) mod error;
    pub(crate) mod stats;
}

pub use mesh::api::{self, *};
pub(crate) use mesh::error;
pub use mesh::error::{Error, ErrorCode};
pub use mesh::stats::Stats;
pub use peddlenet_gossip::Stats as EngineStats;
