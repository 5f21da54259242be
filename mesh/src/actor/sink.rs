//! What happens, on its way to whoever listens.

use tokio::sync::mpsc;

use crate::api::Event;

/// Where events go. Bounded: a listener that is too slow is told so once, and asks for a snapshot.
pub(crate) struct EventSink {
    out: mpsc::Sender<Event>,
    lagged: bool,
}

/// Events that wait for the listener (count).
pub(crate) const EVENT_QUEUE: usize = 4096;

impl EventSink {
    pub(crate) fn new(out: mpsc::Sender<Event>) -> Self {
        Self { out, lagged: false }
    }

    pub(crate) fn emit(&mut self, event: Event) {
        if self.lagged && self.out.capacity() > 1 {
            self.lagged = self.out.try_send(Event::Lagged).is_err();
        }
        if self.lagged {
            return;
        }
        // A closed channel means that nobody listens, which is allowed.
        self.lagged = matches!(
            self.out.try_send(event),
            Err(mpsc::error::TrySendError::Full(_))
        );
    }
}
