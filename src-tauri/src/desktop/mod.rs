//! What the desktop does for us besides the window: notifications, and keeping the screen awake.
//!
//! ```text
//!   Desktop ──Job──> thread "desktop" ──> the session bus (Linux), notify-rust (Windows, macOS)
//! ```
//!
//! A thread of its own that does nothing before its first job: the desktop may be slow or not there at
//! all, and neither the start nor the window waits for it. Linux speaks D-Bus through the library that
//! the keychain brings along; tauri-plugin-notification would bring a second one (zbus), and can
//! neither replace nor withdraw what it has shown.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "other.rs"]
mod system;

use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::sync::oneshot;

use crate::notices::Talk;
use crate::words::Words;

/// Jobs that may wait; what comes on top is not done.
const MAX_JOBS: usize = 64;

#[derive(Debug)]
pub(crate) enum Job {
    /// In the place of the one that the talk shows already.
    Show {
        talk: Talk,
        title: String,
        body: String,
    },
    Withdraw(Talk),
    /// The language from now on.
    Speak(&'static Words),
    /// Whether the screen may not sleep.
    Awake(bool),
    /// Whether there is a place for icons that show a program which has no window.
    HasTray(oneshot::Sender<bool>),
}

/// The way to the thread, which ends with it.
#[derive(Clone)]
pub(crate) struct Desktop(SyncSender<Job>);

impl Desktop {
    /// `clicked` is called when the person chose a notification, with what it was about.
    ///
    /// # Errors
    /// The system starts no thread.
    pub(crate) fn start(clicked: impl Fn(Talk) + Send + 'static) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(MAX_JOBS);
        std::thread::Builder::new()
            .name("desktop".into())
            .spawn(move || system::run(&waiting, clicked))?;
        Ok(Self(jobs))
    }

    pub(crate) fn ask(&self, job: Job) {
        if let Err(problem) = self.0.try_send(job) {
            tracing::warn!(%problem, "the desktop is too slow");
        }
    }

    pub(crate) async fn has_tray(&self) -> bool {
        let (answer, reply) = oneshot::channel();
        self.ask(Job::HasTray(answer));
        reply.await.unwrap_or(false)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
