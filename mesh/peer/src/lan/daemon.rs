//! The daemon that speaks and listens: its life, and what it is asked.

use std::time::Duration;

use mdns_sd::{IfKind, Receiver, ServiceDaemon, ServiceEvent};
use tokio::time::timeout;

use super::{BOXES, SERVICE};

/// How long it may take to say how much it holds; one that is that busy is asked again.
const ASK_FOR: Duration = Duration::from_secs(1);

/// One daemon. Dropped, it says goodbye and ends.
pub(super) struct Running {
    pub(super) daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
    /// While boxes are looked for.
    boxes: Option<Receiver<ServiceEvent>>,
}

impl Running {
    pub(super) fn start() -> Result<Self, mdns_sd::Error> {
        let daemon = ServiceDaemon::new()?;
        daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
        // The actor watches the interfaces and has the daemon replaced.
        daemon.set_ip_check_interval(0)?;
        let events = daemon.browse(SERVICE)?;
        Ok(Self {
            daemon,
            events,
            boxes: None,
        })
    }

    /// The next thing it says; `None` when it fell behind, or its thread is gone.
    pub(super) async fn heard(&self) -> Option<ServiceEvent> {
        let boxes = async {
            match &self.boxes {
                Some(boxes) => boxes.recv_async().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = self.events.recv_async() => event.ok(),
            event = boxes => event.ok(),
        }
    }

    /// Asks for devices, once more.
    pub(super) fn browse_devices(&mut self) {
        if let Some(events) = self.browse(SERVICE) {
            self.events = events;
        }
    }

    /// Asks for boxes, once more if they are looked for already.
    pub(super) fn browse_boxes(&mut self) {
        if let Some(events) = self.browse(BOXES) {
            self.boxes = Some(events);
        }
    }

    pub(super) fn leave_boxes(&mut self) {
        self.boxes = None;
        let _ = self.daemon.stop_browse(BOXES);
    }

    fn browse(&self, service: &str) -> Option<Receiver<ServiceEvent>> {
        let _ = self.daemon.stop_browse(service);
        let browsing = self.daemon.browse(service);
        browsing
            .inspect_err(|error| tracing::debug!(%error, "not looked"))
            .ok()
    }

    /// Records that it holds (count).
    pub(super) async fn cached(&self) -> i64 {
        let Ok(metrics) = self.daemon.get_metrics() else {
            return 0;
        };
        let asked = timeout(ASK_FOR, metrics.recv_async()).await;
        let metrics = asked.ok().and_then(Result::ok).unwrap_or_default();
        let cached = metrics.iter().filter(|(key, _)| key.starts_with("cached-"));
        cached.map(|(_, count)| *count).fold(0, i64::saturating_add)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A queue that is full ends with the thread's last handle.
        let _ = self.daemon.shutdown();
    }
}
