//! What the network room turned away, by reason: for `stats`, never about anybody.

use std::sync::atomic::{AtomicU64, Ordering};

/// One count, raised from any thread.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn add(&self, many: u64) {
        self.0.fetch_add(many, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The counts of one endpoint while it runs.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Count,)*
        }

        /// What an endpoint has turned away so far, by reason.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct PeerStats {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            pub(crate) fn stats(&self) -> PeerStats {
                PeerStats { $($name: self.$name.now(),)* }
            }
        }

        impl PeerStats {
            /// Every count with its name, for output.
            pub fn rows(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

counters! {
    /// Datagrams of strangers that were no first packet of ours.
    garbage,
    /// First packets that no key of ours made.
    wrong_key,
    /// First packets let go unread: their source, or all sources together, had failed too often.
    put_off,
    /// First packets whose fragment has opened a link before.
    replayed,
    /// First packets that found [`HALF_OPEN_MAX`](crate::HALF_OPEN_MAX) links half open.
    half_open_full,
    /// Links that were not open in time, or whose handshake failed.
    half_open_failed,
    /// Members that named a certificate of the past and were told today's.
    moved,
    /// First packets from a source that is refused for what it did.
    refused,
    /// Sources that came to be refused.
    bans,
    /// ICE checks beyond what an agent makes.
    checks_excess,
    /// Datagrams that a link's full inbox did not take.
    inbox_full,
    /// Times that a link's datagrams had to wait for its reader.
    held_up,
    /// Links closed because the other side took nothing for too long.
    stalled,
}
