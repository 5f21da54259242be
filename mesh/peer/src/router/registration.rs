//! That a session is routed, as long as somebody holds this.

use super::Router;
use crate::session::lock;
use crate::socket::{Arrivals, OWN_BATCH, SharedSocket};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::AbortHandle;

/// Sockets of one link's own; a dial has several addresses.
const OWN_SOCKETS_MAX: usize = 4;

/// Keeps a session routed; dropping it takes the session off the socket.
pub(crate) struct Registration {
    pub(super) router: Arc<Router>,
    pub(super) session: u64,
    /// Receives on a socket of this dial's own.
    pub(super) side: Option<AbortHandle>,
    /// Receive on sockets of the link's own.
    pub(super) own: Vec<AbortHandle>,
}

impl Registration {
    /// From here on the link receives what comes from there on a socket of its own, where the system
    /// has such: a dialer's as soon as its first packet has authenticated, a dial's from the start.
    pub(crate) fn receive_apart(&mut self, shared: &Arc<SharedSocket>, remote: SocketAddr) {
        if self.side.is_some() || self.own.len() >= OWN_SOCKETS_MAX {
            return;
        }
        let shared = Arc::clone(shared);
        // What comes before the socket is connected may be anybody's: the router sorts it out.
        match shared.toward(remote) {
            Ok(own) => {
                let router = Arc::downgrade(&self.router);
                let receiving = async move {
                    let deliver = |arrivals: Arrivals<'_>| {
                        let router = router.upgrade();
                        router.map_or(0, |router| router.deliver(&shared, &arrivals))
                    };
                    let error = own.receive::<OWN_BATCH>(deliver).await;
                    tracing::debug!(%error, "a link's own socket broke");
                };
                self.own.push(tokio::spawn(receiving).abort_handle());
            }
            Err(error) => tracing::debug!(%error, "the link receives on the shared socket"),
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&self.router.table).remove(self.session);
        for receiving in self.side.iter().chain(&self.own) {
            receiving.abort();
        }
    }
}
