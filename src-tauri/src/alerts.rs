//! Carries out what [`Notices`] decides: notifications, the number in the title, on the icon and in the
//! tray.
//!
//! ```text
//!   feed, window, page ──Word──> alerts task ──Act──> Desktop, window, tray
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use peddlenet_mesh::{Event, Node};
use tauri::{AppHandle, Manager};
use tokio::sync::mpsc;

use crate::desktop::{Desktop, Job};
use crate::facts;
use crate::notices::{self, Act, Notices, Told};
use crate::words::Words;
use crate::{tray, window};

/// What may wait; of what comes on top the rooms' lines are asked for anew.
const MAX_WORDS: usize = 1024;

enum Word {
    Told(Told),
    Opened(Node),
    WindowOpened,
}

/// The way to the task, one for the life of the app.
#[derive(Clone)]
pub(crate) struct Alerts {
    words: mpsc::Sender<Word>,
    missed: Arc<AtomicBool>,
}

impl Alerts {
    /// `title` is the window's while nothing is unread.
    pub(crate) fn start(app: AppHandle, desktop: Desktop, title: String) -> Self {
        let (words, heard) = mpsc::channel(MAX_WORDS);
        let missed = Arc::new(AtomicBool::new(false));
        let task = Task {
            app,
            desktop,
            title,
            missed: Arc::clone(&missed),
            notices: Notices::new(Words::of_system()),
            words: Words::of_system(),
            node: None,
        };
        tauri::async_runtime::spawn(task.run(heard));
        Self { words, missed }
    }

    /// The profile is open: from now on this node counts.
    pub(crate) async fn opened(&self, node: Node) {
        let _ = self.words.send(Word::Opened(node)).await; // fails at the end of the app only
    }

    /// There is a window now: what was counted before it is shown.
    pub(crate) async fn window_opened(&self) {
        let _ = self.words.send(Word::WindowOpened).await; // as above
    }

    pub(crate) fn event(&self, event: &Event) {
        if matches!(event, Event::Lagged) {
            self.missed.store(true, Ordering::Relaxed);
        } else if let Some(told) = facts::told(event) {
            self.tell(told);
        }
    }

    pub(crate) fn tell(&self, told: Told) {
        if self.words.try_send(Word::Told(told)).is_err() {
            self.missed.store(true, Ordering::Relaxed);
        }
    }
}

struct Task {
    app: AppHandle,
    desktop: Desktop,
    title: String,
    missed: Arc<AtomicBool>,
    notices: Notices,
    words: &'static Words,
    node: Option<Node>,
}

impl Task {
    async fn run(mut self, mut heard: mpsc::Receiver<Word>) {
        loop {
            let due = self.notices.due().map(tokio::time::Instant::from_std);
            tokio::select! {
                word = heard.recv() => match word {
                    Some(Word::Told(told)) => self.tell(told),
                    Some(Word::Opened(node)) => {
                        self.node = Some(node);
                        self.catch_up().await;
                    }
                    Some(Word::WindowOpened) => self.count(self.notices.count()),
                    None => return,
                },
                () = tokio::time::sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {
                    let acts = self.notices.wake(Instant::now());
                    self.act(acts);
                }
            }
            if self.missed.swap(false, Ordering::Relaxed) {
                self.catch_up().await;
            }
        }
    }

    /// Everything as the node has it now.
    async fn catch_up(&mut self) {
        let Some(node) = self.node.clone() else {
            return;
        };
        // A node that doesn't answer is closing.
        for (name, value) in node.settings().await.unwrap_or_default() {
            self.tell(Told::Setting { name, value });
        }
        for summary in node.rooms().await.unwrap_or_default() {
            self.tell(facts::room(&summary));
            for member in node.members(summary.room).await.unwrap_or_default() {
                if let Some(told) = facts::member(summary.room, &member) {
                    self.tell(told);
                }
            }
        }
    }

    fn tell(&mut self, told: Told) {
        if let Told::Setting { name, value } = &told {
            match name.as_str() {
                "language" => self.speak(Words::of(value)),
                "tray" => tray::wanted(
                    &self.app,
                    &self.desktop,
                    value == "on",
                    !self.notices.notify(),
                    self.words,
                ),
                _ => {}
            }
        }
        let before = self.notices.notify();
        let acts = self.notices.tell(told, Instant::now());
        if self.notices.notify() != before {
            tray::muted(&self.app, before);
        }
        self.act(acts);
    }

    fn speak(&mut self, words: &'static Words) {
        if self.words != words {
            self.words = words;
            self.desktop.ask(Job::Speak(words));
            tray::speak(&self.app, words);
        }
    }

    fn act(&self, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Show { talk, title, body } => {
                    self.desktop.ask(Job::Show { talk, title, body });
                }
                Act::Withdraw(talk) => self.desktop.ask(Job::Withdraw(talk)),
                Act::Count(count) => self.count(count),
            }
        }
    }

    fn count(&self, count: u64) {
        let title = notices::title(&self.title, count);
        tray::tooltip(&self.app, &title);
        let Some(window) = self.app.get_webview_window(window::LABEL) else {
            return;
        };
        let badge = i64::try_from(count).ok().filter(|count| *count > 0);
        for done in [window.set_title(&title), window.set_badge_count(badge)] {
            if let Err(problem) = done {
                tracing::debug!(%problem, "the count is not shown");
            }
        }
    }
}

/// The person said in the tray whether notifications are shown.
pub(crate) fn set_notify(app: &AppHandle, on: bool) {
    let value = if on { "on" } else { "off" };
    app.state::<Alerts>().tell(Told::Setting {
        name: "notify".to_owned(),
        value: value.to_owned(),
    });
    if let Ok(node) = app.state::<crate::shell::Shell>().node() {
        tauri::async_runtime::spawn(async move {
            if let Err(error) = node.set_setting("notify", value).await {
                tracing::warn!(%error, "the choice was not kept");
            }
        });
    }
}
