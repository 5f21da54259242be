//! What the page may ask. Every command parses its arguments, makes one call, and returns.
//!
//! All of them are async: a plain one would run on the thread that paints the window. A new
//! command needs a line in permissions/ui.toml too.

pub(crate) mod scan;
