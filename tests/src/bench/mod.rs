//! One module for each name of `bench`; each returns its rows, and the binary prints them.

pub mod app;
pub mod gossip;
pub mod join;
pub mod link;
pub mod mobility;
pub mod nat;
pub mod network;
pub mod qr;
pub mod security;
pub mod signaling;
pub mod store;
pub mod sync;
