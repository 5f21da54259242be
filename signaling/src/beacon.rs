//! The carrier box's own device: a mesh node in this process, which announces the box on the networks around it.
//!
//! ```text
//!  DATA/box.key, the WebSocket's port ──> Node (peddlenet-mesh) in DATA/node ──mDNS──> devices that hold a pass
//!  --join LINK ──────────────────────────> Node: a member of the organiser's rooms, which it relays for
//! ```
//!
//! The node is told the box's public key and port and nothing of the server's: what it is no member of passes it by, sealed and
//! under tags. It logs no text, key, name or address, and neither does this.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use peddlenet_mesh::{Announced, Config, ErrorCode, Node, Receipts};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::options::BeaconOptions;

/// The node's folder in the data folder. The key that it is sealed with lies beside it.
const FOLDER: &str = "node";
/// How others see it where the operator names nothing.
const NAME: &str = "Box";
/// Between two tries to join a room whose members were not there.
const RETRY: Duration = Duration::from_secs(30);
/// Tries to join a room: with the pause, an hour and a half.
const TRIES: u32 = 180;

/// A node that runs until it is told to close.
pub(crate) struct Beacon {
    close: oneshot::Sender<()>,
    closed: JoinHandle<()>,
}

impl Beacon {
    /// Opens the node, which announces the box with this key on that port, and lets it join in the background.
    pub(crate) async fn start(
        options: &BeaconOptions,
        data: &Path,
        port: u16,
        key: [u8; 32],
    ) -> anyhow::Result<Self> {
        let config = Config {
            name: Some(options.name.clone().unwrap_or_else(|| NAME.to_owned())),
            receipts: Receipts::OnDelivery,
            announces: Some(Announced { port, key }),
            ..Config::at(data.join(FOLDER))
        };
        let (node, mut events) = Node::open(config).await.context("the box's own node")?;
        // Nobody looks at them, and they must not pile up.
        let unread = tokio::spawn(async move { while events.recv().await.is_some() {} });
        let joining = tokio::spawn(join_all(node.clone(), options.join.clone()));
        let (close, told) = oneshot::channel();
        let closed = tokio::spawn(async move {
            let _ = told.await;
            joining.abort();
            node.close().await;
            unread.abort();
        });
        Ok(Self { close, closed })
    }

    /// Two halves: what makes it say goodbye, also when it is dropped, and what is done once it has.
    pub(crate) fn into_parts(self) -> (oneshot::Sender<()>, JoinHandle<()>) {
        (self.close, self.closed)
    }
}

/// One room after the other, for a node joins one at a time; and again, for the organiser's device may come later than the box.
async fn join_all(node: Node, mut links: Vec<String>) {
    for _ in 0..TRIES {
        let mut later = Vec::new();
        for link in links {
            if !has_joined(&node, &link).await {
                later.push(link);
            }
        }
        if later.is_empty() {
            return;
        }
        links = later;
        sleep(RETRY).await;
    }
    tracing::warn!("nobody let the box into a room; start it again to go on trying");
}

/// Whether there is nothing more to try: the box is a member, or never will be by this link.
async fn has_joined(node: &Node, link: &str) -> bool {
    match node.join(link).await {
        Ok(_) => {
            tracing::info!("the box is a member of a room");
            true
        }
        Err(error) if may_still_come(error.code) => {
            tracing::debug!(code = error.code.as_str(), "nobody lets the box in yet");
            false
        }
        Err(error) => {
            tracing::warn!(code = error.code.as_str(), "the box can't join a room");
            true
        }
    }
}

fn may_still_come(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::NoAnswer
            | ErrorCode::NobodyNear
            | ErrorCode::NetworksApart
            | ErrorCode::OtherNetwork
            | ErrorCode::NoNetwork
            | ErrorCode::RoomClosed
    )
}
