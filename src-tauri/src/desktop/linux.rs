//! The session bus: org.freedesktop.Notifications and org.freedesktop.ScreenSaver.
//!
//! Specifications: Desktop Notifications 1.2, Idle Inhibition. An inhibition ends with the connection
//! at the latest, so a crash keeps no screen awake.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use dbus::Error;
use dbus::arg::{PropMap, RefArg, Variant};
use dbus::blocking::LocalConnection;
use dbus::message::MatchRule;

use super::Job;
use crate::notices::Talk;
use crate::words::Words;

/// How long a program on the bus may take to answer; one may have to be started first.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often the bus is looked at while something is shown that can be chosen.
const POLL: Duration = Duration::from_millis(250);

/// The most notifications that are known to be shown; of more the oldest room's can't be withdrawn.
const MAX_SHOWN: usize = 64;

const NOTIFICATIONS: (&str, &str) = (
    "org.freedesktop.Notifications",
    "/org/freedesktop/Notifications",
);
const SCREEN: (&str, &str) = (
    "org.freedesktop.ScreenSaver",
    "/org/freedesktop/ScreenSaver",
);
const BUS: (&str, &str) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
const TRAY: &str = "org.kde.StatusNotifierWatcher";

/// The name of the file that the packages put into share/applications.
const DESKTOP_ENTRY: &str = "PeddleNet";
const ICON: &str = "peddlenet";

pub(super) fn run(jobs: &Receiver<Job>, clicked: impl Fn(Talk)) {
    serve(jobs, clicked, LocalConnection::new_session);
}

/// The same on another bus than the session's.
pub(super) fn serve(
    jobs: &Receiver<Job>,
    clicked: impl Fn(Talk),
    connect: impl Fn() -> Result<LocalConnection, Error>,
) {
    let mut bus = Bus::new(connect);
    loop {
        let job = if bus.shown.is_empty() {
            jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            jobs.recv_timeout(POLL)
        };
        match job {
            Ok(job) => bus.work(job),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if let Some(talk) = bus.look() {
            clicked(talk);
        }
    }
}

/// What the notification daemon said.
enum Said {
    Chosen(u32),
    Closed(u32),
}

struct Bus<C> {
    connect: C,
    connection: Option<LocalConnection>,
    shown: BTreeMap<Talk, u32>,
    said: Rc<RefCell<Vec<Said>>>,
    /// Whether texts are read as markup; asked once.
    markup: Option<bool>,
    inhibited: Option<u32>,
    words: &'static Words,
}

impl<C: Fn() -> Result<LocalConnection, Error>> Bus<C> {
    fn new(connect: C) -> Self {
        Self {
            connect,
            connection: None,
            shown: BTreeMap::new(),
            said: Rc::default(),
            markup: None,
            inhibited: None,
            words: Words::of_system(),
        }
    }

    /// What the bus knew of us went with it.
    fn forget(&mut self) {
        self.connection = None;
        self.shown.clear();
        self.said.take();
        (self.markup, self.inhibited) = (None, None);
    }

    fn work(&mut self, job: Job) {
        let done = match job {
            Job::Show { talk, title, body } => self.show(talk, &title, &body),
            Job::Withdraw(talk) => self.withdraw(talk),
            Job::Speak(words) => {
                self.words = words;
                Ok(())
            }
            Job::Awake(on) => self.awake(on),
            Job::HasTray(answer) => self.has_tray().map(|has| {
                // Who asked may no longer wait.
                let _ = answer.send(has);
            }),
        };
        if let Err(problem) = done {
            // The name of the error only: its text is another program's.
            tracing::info!(
                problem = problem.name().unwrap_or("?"),
                "the desktop didn't do it"
            );
            if self
                .connection
                .as_ref()
                .is_some_and(|c| !c.channel().is_connected())
            {
                self.forget();
            }
        }
    }

    fn show(&mut self, talk: Talk, title: &str, body: &str) -> Result<(), Error> {
        let markup = match self.markup {
            Some(markup) => markup,
            None => {
                let (can,): (Vec<String>,) =
                    self.call(NOTIFICATIONS, NOTIFICATIONS.0, "GetCapabilities", ())?;
                *self
                    .markup
                    .insert(can.iter().any(|what| what == "body-markup"))
            }
        };
        let body = if markup {
            escape(body)
        } else {
            body.to_owned()
        };
        let hint = |text: &str| Variant(Box::new(text.to_owned()) as Box<dyn RefArg>);
        let hints: PropMap = HashMap::from([
            ("desktop-entry".into(), hint(DESKTOP_ENTRY)),
            ("category".into(), hint("im.received")),
        ]);
        let replaces = self.shown.get(&talk).copied().unwrap_or(0);
        let actions = vec!["default", self.words.open];
        let (id,): (u32,) = self.call(
            NOTIFICATIONS,
            NOTIFICATIONS.0,
            "Notify",
            (
                "PeddleNet",
                replaces,
                ICON,
                title,
                body,
                actions,
                hints,
                -1i32,
            ),
        )?;
        self.shown.insert(talk, id);
        if self.shown.len() > MAX_SHOWN {
            self.shown.pop_first();
        }
        Ok(())
    }

    fn withdraw(&mut self, talk: Talk) -> Result<(), Error> {
        match self.shown.remove(&talk) {
            Some(id) => self.call(NOTIFICATIONS, NOTIFICATIONS.0, "CloseNotification", (id,)),
            None => Ok(()),
        }
    }

    fn awake(&mut self, on: bool) -> Result<(), Error> {
        match (on, self.inhibited) {
            (true, None) => {
                let why = ("PeddleNet", self.words.code_shown);
                let (cookie,): (u32,) = self.call(SCREEN, SCREEN.0, "Inhibit", why)?;
                self.inhibited = Some(cookie);
            }
            (false, Some(cookie)) => {
                self.inhibited = None;
                let () = self.call(SCREEN, SCREEN.0, "UnInhibit", (cookie,))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn has_tray(&mut self) -> Result<bool, Error> {
        let (has,): (bool,) = self.call(BUS, BUS.0, "NameHasOwner", (TRAY,))?;
        Ok(has)
    }

    /// Takes what has been said meanwhile: of which talk the notification was chosen, the last one if several were.
    fn look(&mut self) -> Option<Talk> {
        let connection = self.connection.as_ref()?;
        while connection.process(Duration::ZERO).unwrap_or(false) {}
        let mut chosen = None;
        for said in self.said.take() {
            // Everybody's notifications are told of: the ids say which are ours.
            let (Said::Chosen(id) | Said::Closed(id)) = said;
            let ours = self.shown.iter().find(|(_, shown)| **shown == id);
            let Some(talk) = ours.map(|(talk, _)| *talk) else {
                continue;
            };
            match said {
                Said::Chosen(_) => chosen = Some(talk),
                Said::Closed(_) => {
                    self.shown.remove(&talk);
                }
            }
        }
        chosen
    }

    fn call<R: dbus::arg::ReadAll>(
        &mut self,
        (to, path): (&str, &str),
        interface: &str,
        method: &str,
        args: impl dbus::arg::AppendAll,
    ) -> Result<R, Error> {
        let connection = match &self.connection {
            Some(connection) => connection,
            None => {
                let connection = (self.connect)()?;
                listen(&connection, &self.said)?;
                self.connection.insert(connection)
            }
        };
        connection
            .with_proxy(to, path, PATIENCE)
            .method_call(interface, method, args)
    }
}

/// Notes what the notification daemon says.
fn listen(connection: &LocalConnection, said: &Rc<RefCell<Vec<Said>>>) -> Result<(), Error> {
    let signal = |name| MatchRule::new_signal(NOTIFICATIONS.0, name);
    let heard = Rc::clone(said);
    connection.add_match(
        signal("ActionInvoked"),
        move |(id, _): (u32, String), _, _| {
            heard.borrow_mut().push(Said::Chosen(id));
            true
        },
    )?;
    let heard = Rc::clone(said);
    connection.add_match(
        signal("NotificationClosed"),
        move |(id, _): (u32, u32), _, _| {
            heard.borrow_mut().push(Said::Closed(id));
            true
        },
    )?;
    Ok(())
}

/// For daemons that read the body as markup.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}
