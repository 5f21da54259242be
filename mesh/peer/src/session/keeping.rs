//! Where a session's keep-alives come in and go out: beside the driver, which knows nothing of them.

use super::{Role, Session, lock};
use crate::keepalive::{Heard, Keepalive, Packet};
use crate::paths::Path;
use quinn_udp::Transmit;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

impl Session {
    /// The link is established: from now on its ends hear each other's keep-alives.
    pub(crate) fn keep_alive(&self, keepalive: Arc<Keepalive>) {
        let _ = self.keepalive.set(keepalive);
    }

    /// Asks the other end whether it is there. `false` once it can't any more.
    pub(crate) fn ask(&self) -> bool {
        let question = self.keepalive.get().and_then(|k| k.ask(Instant::now()));
        if let Some(question) = &question {
            self.send_beside(question);
        }
        question.is_some()
    }

    /// Takes in a Binding Indication; gives what to answer. One that is no keep-alive opened a firewall on its way.
    pub(super) fn on_indication(&self, from: Path, packet: &[u8], now: Instant) -> Option<Packet> {
        let heard = self.keepalive.get()?.take(packet, now)?;
        // What holds for records holds here: who comes from elsewhere waits for its turn.
        if let Role::Accepted { paths, .. } = &self.role
            && !lock(paths).on_record(from, now)
        {
            return None;
        }
        self.on_message();
        match heard {
            Heard::Question(answer) => answer,
            Heard::Answer => None,
        }
    }

    /// Sends a packet the way that the link's own go. What fails is a packet lost: the next one shows it.
    pub(super) fn send_beside(&self, packet: &[u8]) {
        let path = match &self.role {
            Role::Accepted { paths, .. } => Some(lock(paths).current()),
            Role::Dialed { learned, .. } => lock(learned).current(),
        };
        let Some(path) = path else { return };
        if let Some(socket) = self.socket_to(&path.remote) {
            let _ = socket.try_send(&Transmit {
                destination: path.remote,
                ecn: None,
                contents: packet,
                segment_size: None,
                src_ip: path.local,
            });
        }
    }

    /// From now on the two ends ask for each other that often.
    pub(crate) fn set_pause(&self, pause: Duration) {
        let ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self.pause_ms.store(ms, Ordering::Relaxed);
    }

    /// Whether the other side has been silent for so long beyond its pause.
    pub(crate) fn is_silent_for(&self, span: Duration) -> bool {
        let pause = Duration::from_millis(self.pause_ms.load(Ordering::Relaxed));
        self.silence() >= pause.saturating_add(span)
    }

    /// Time since a message of the other end last decrypted.
    pub(crate) fn silence(&self) -> Duration {
        let heard = Duration::from_millis(self.heard_ms.load(Ordering::Relaxed));
        self.epoch.elapsed().saturating_sub(heard)
    }
}
