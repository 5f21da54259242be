//! What the commands reach: the node, and the feed of its events.
//!
//! ```text
//!   Opening ──> Open
//!           ──> Locked ──unlock──> Open ──protect, while there is nothing in it──> Open, under a passphrase
//!   Shut: it doesn't open, and the page is told why
//! ```

use std::sync::{Mutex, MutexGuard};

use peddlenet_mesh::{Node, RoomId};
use tokio::sync::watch;

use crate::error::UiError;
use crate::events::Feed;
use crate::link::Link;

/// Managed by Tauri, one for the life of the app.
///
/// A profile that doesn't open (a full disk, data of a newer version) still gets a window: every
/// command then answers with the reason, and the page shows it.
pub(crate) struct Shell {
    inside: Mutex<Inside>,
    /// Whether it is still to be seen how the profile opens.
    opening: watch::Sender<bool>,
}

struct Inside {
    state: State,
    /// Opened before there was a node to tell it to; the last one counts.
    link: Option<Link>,
}

pub(crate) enum State {
    /// The window may be there before the profile is.
    Opening,
    Open {
        node: Node,
        feed: Feed,
    },
    Locked,
    Shut(UiError),
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self {
            inside: Mutex::new(Inside {
                state: State::Opening,
                link: None,
            }),
            opening: watch::Sender::new(true),
        }
    }

    /// Waits until the profile has opened, or is known not to.
    pub(crate) async fn opened(&self) {
        let mut opening = self.opening.subscribe();
        let _ = opening.wait_for(|opening| !opening).await; // fails never: the sender is here
    }

    pub(crate) fn node(&self) -> Result<Node, UiError> {
        match &self.lock().state {
            State::Open { node, .. } => Ok(node.clone()),
            other => Err(other.why()),
        }
    }

    pub(crate) fn feed(&self) -> Result<Feed, UiError> {
        match &self.lock().state {
            State::Open { feed, .. } => Ok(feed.clone()),
            other => Err(other.why()),
        }
    }

    pub(crate) fn is_locked(&self) -> bool {
        matches!(self.lock().state, State::Locked)
    }

    /// Another state from now on; a link that waited for it goes on to the page.
    pub(crate) fn turn(&self, state: State) {
        let inside = &mut *self.lock();
        inside.state = state;
        if let State::Open { feed, .. } = &inside.state
            && let Some(link) = inside.link.take()
        {
            feed.link(&link);
        }
        self.opening.send_replace(false);
    }

    /// A link that somebody opened. It waits for the profile to open, and then for a page that listens.
    pub(crate) fn link(&self, link: Link) {
        let mut inside = self.lock();
        match &inside.state {
            State::Open { feed, .. } => feed.link(&link),
            _ => inside.link = Some(link),
        }
    }

    /// A notification was chosen: the page goes to its room.
    pub(crate) fn show(&self, room: RoomId) {
        if let State::Open { feed, .. } = &self.lock().state {
            feed.show(room);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("nobody panicked")
    }
}

impl State {
    fn why(&self) -> UiError {
        match self {
            Self::Opening => UiError::new(
                "opening",
                "PeddleNet is still opening this profile. Try again in a moment.",
            ),
            Self::Locked => UiError::new("locked", "This profile opens with its passphrase."),
            Self::Shut(why) => why.clone(),
            Self::Open { .. } => peddlenet_mesh::ErrorCode::Internal.into(),
        }
    }
}
