//! What the commands reach: the node, and the feed of its events.

use peddlenet_mesh::Node;

use crate::error::UiError;
use crate::events::Feed;

/// Managed by Tauri, one for the life of the app.
///
/// A profile that doesn't open (a full disk, data of a newer version) still gets a window: every
/// command then answers with the reason, and the page shows it.
pub(crate) struct Shell(Result<Inside, UiError>);

struct Inside {
    node: Node,
    feed: Feed,
}

impl Shell {
    pub(crate) fn open(node: Node, feed: Feed) -> Self {
        Self(Ok(Inside { node, feed }))
    }

    pub(crate) fn shut(why: UiError) -> Self {
        Self(Err(why))
    }

    pub(crate) fn node(&self) -> Result<&Node, UiError> {
        self.0
            .as_ref()
            .map(|inside| &inside.node)
            .map_err(Clone::clone)
    }

    pub(crate) fn feed(&self) -> Result<&Feed, UiError> {
        self.0
            .as_ref()
            .map(|inside| &inside.feed)
            .map_err(Clone::clone)
    }
}
