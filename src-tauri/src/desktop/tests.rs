//! On a bus of our own, with a small desktop on it that answers and notes what it was asked.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::time::Duration;

use dbus::Message;
use dbus::arg::{PropMap, RefArg};
use dbus::blocking::{Connection, LocalConnection};
use peddlenet_mesh::RoomId;

use super::*;

/// Generous: nothing here is timed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A bus that ends with the test.
struct Bus {
    daemon: Child,
    address: String,
}

impl Bus {
    fn start() -> Self {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon, of the package dbus, is there");
        let mut address = String::new();
        let mut said = BufReader::new(daemon.stdout.take().unwrap());
        said.read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        Self { daemon, address }
    }

    /// Our side of it, and of which talks a notification was chosen.
    fn shell(&self) -> (Desktop, Receiver<Talk>) {
        let (jobs, waiting) = sync_channel(MAX_JOBS);
        let (click, clicks) = channel();
        let address = self.address.clone();
        jobs.send(Job::Speak(Words::of("en"))).unwrap();
        std::thread::spawn(move || {
            let clicked = |talk| click.send(talk).unwrap();
            system::serve(&waiting, clicked, || LocalConnection::new_address(&address));
        });
        (Desktop(jobs), clicks)
    }

    /// A desktop that owns these names and can do this.
    fn desktop(&self, names: &[&str], can: &'static [&'static str]) -> Receiver<Asked> {
        let connection = Connection::new_address(&self.address).unwrap();
        for name in names {
            connection.request_name(*name, false, false, true).unwrap();
        }
        let (tell, asked) = channel();
        std::thread::spawn(move || {
            while let Ok(message) = connection.channel().blocking_pop_message(PATIENCE) {
                if message.is_some_and(|message| !serve(connection.channel(), &message, can, &tell))
                {
                    return;
                }
            }
        });
        asked
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
    }
}

#[derive(Debug, PartialEq)]
enum Asked {
    Notify {
        app: String,
        replaces: u32,
        title: String,
        body: String,
        hints: Vec<String>,
        action: String,
    },
    Close(u32),
    Inhibit,
    UnInhibit(u32),
}

/// `false` once nobody listens to what is asked.
fn serve(
    bus: &dbus::channel::Channel,
    message: &Message,
    can: &[&str],
    tell: &Sender<Asked>,
) -> bool {
    const PATH: &str = "/org/freedesktop/Notifications";
    const NAME: &str = "org.freedesktop.Notifications";
    let reply = message.method_return();
    let (reply, asked) = match message.member().as_deref() {
        Some("GetCapabilities") => (reply.append1(can), None),
        Some("Notify") => {
            let mut args = message.iter_init();
            let (app, replaces) = (args.read().unwrap(), args.read().unwrap());
            let (_icon, title): (String, String) = (args.read().unwrap(), args.read().unwrap());
            let (body, actions): (String, Vec<String>) =
                (args.read().unwrap(), args.read().unwrap());
            let hints: PropMap = args.read().unwrap();
            let mut hints: Vec<String> = hints
                .iter()
                .map(|(name, value)| format!("{name}={}", value.0.as_str().unwrap_or("?")))
                .collect();
            hints.sort();
            let asked = Asked::Notify {
                app,
                replaces,
                title,
                body,
                hints,
                action: actions.last().cloned().unwrap_or_default(),
            };
            let id = if replaces == 0 { 7 } else { replaces };
            (reply.append1(id), Some(asked))
        }
        Some("CloseNotification") => (reply, Some(Asked::Close(message.read1().unwrap()))),
        Some("Inhibit") => (reply.append1(5u32), Some(Asked::Inhibit)),
        Some("UnInhibit") => (reply, Some(Asked::UnInhibit(message.read1().unwrap()))),
        _ => return true,
    };
    bus.send(reply).unwrap();
    // What is shown is chosen at once where the desktop is one that does so; or another's is.
    let chosen = [("chooses", 7u32), ("chooses others", 99)];
    for (_, id) in chosen.iter().filter(|(what, _)| can.contains(what)) {
        if matches!(asked, Some(Asked::Notify { .. })) {
            let signal = Message::new_signal(PATH, NAME, "ActionInvoked").unwrap();
            bus.send(signal.append2(id, "default")).unwrap();
        }
    }
    asked.is_none_or(|asked| tell.send(asked).is_ok())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}

fn talk(byte: &str) -> Talk {
    let room = byte.repeat(RoomId::LEN).parse().unwrap();
    Talk { room, with: None }
}

fn show(talk: Talk, body: &str) -> Job {
    Job::Show {
        talk,
        title: "Camp <7>".into(),
        body: body.into(),
    }
}

fn notified(replaces: u32, body: &str) -> Asked {
    Asked::Notify {
        app: "PeddleNet".into(),
        replaces,
        title: "Camp <7>".into(),
        body: body.into(),
        hints: vec![
            "category=im.received".into(),
            "desktop-entry=PeddleNet".into(),
        ],
        action: "Open".into(),
    }
}

#[test]
fn a_talk_replaces_its_notification_and_withdraws_it() {
    let bus = Bus::start();
    let asked = bus.desktop(&["org.freedesktop.Notifications"], &["body"]);
    let (desktop, _clicks) = bus.shell();
    desktop.ask(show(talk("a1"), "a < b"));
    assert_eq!(asked.recv_timeout(PATIENCE), Ok(notified(0, "a < b")));
    desktop.ask(show(talk("a1"), "2 new messages"));
    assert_eq!(
        asked.recv_timeout(PATIENCE),
        Ok(notified(7, "2 new messages"))
    );
    desktop.ask(Job::Withdraw(talk("b2"))); // never shown: nothing to say
    desktop.ask(Job::Withdraw(talk("a1")));
    assert_eq!(asked.recv_timeout(PATIENCE), Ok(Asked::Close(7)));
    desktop.ask(show(talk("a1"), "again"));
    assert_eq!(asked.recv_timeout(PATIENCE), Ok(notified(0, "again")));
}

#[test]
fn what_can_be_done_with_a_notification_speaks_the_language_that_was_chosen() {
    let bus = Bus::start();
    let asked = bus.desktop(&["org.freedesktop.Notifications"], &["body"]);
    let (desktop, _clicks) = bus.shell();
    desktop.ask(Job::Speak(Words::of("ar")));
    desktop.ask(show(talk("a1"), "1"));
    let Ok(Asked::Notify { action, .. }) = asked.recv_timeout(PATIENCE) else {
        panic!("no notification");
    };
    assert_eq!(action, "فتح");
}

#[test]
fn a_daemon_that_reads_markup_gets_none_from_others() {
    let bus = Bus::start();
    let asked = bus.desktop(&["org.freedesktop.Notifications"], &["body-markup"]);
    let (desktop, _clicks) = bus.shell();
    desktop.ask(show(talk("a1"), "Ada: <img src='http://x'> & more"));
    let body = "Ada: &lt;img src='http://x'&gt; &amp; more";
    assert_eq!(asked.recv_timeout(PATIENCE), Ok(notified(0, body)));
}

#[test]
fn a_chosen_notification_of_ours_says_what_it_was_about() {
    let bus = Bus::start();
    let asked = bus.desktop(&["org.freedesktop.Notifications"], &["chooses"]);
    let (desktop, clicks) = bus.shell();
    desktop.ask(show(talk("a1"), "1 new message"));
    asked.recv_timeout(PATIENCE).unwrap();
    assert_eq!(clicks.recv_timeout(PATIENCE), Ok(talk("a1")));
}

#[test]
fn a_chosen_notification_of_another_program_does_not() {
    let bus = Bus::start();
    let asked = bus.desktop(&["org.freedesktop.Notifications"], &["chooses others"]);
    let (desktop, clicks) = bus.shell();
    desktop.ask(show(talk("a1"), "1 new message"));
    asked.recv_timeout(PATIENCE).unwrap();
    // The signal comes before the answer to the first of these, and is looked at before the second.
    let runtime = runtime();
    for _ in 0..2 {
        assert!(!runtime.block_on(desktop.has_tray()));
    }
    assert!(clicks.try_recv().is_err());
}

#[test]
fn the_screen_is_kept_awake_once_and_let_go_once() {
    let bus = Bus::start();
    let asked = bus.desktop(&["org.freedesktop.ScreenSaver"], &[]);
    let (desktop, _clicks) = bus.shell();
    for on in [false, true, true, false, false, true] {
        desktop.ask(Job::Awake(on));
    }
    let asked: Vec<_> = (0..3)
        .map(|_| asked.recv_timeout(PATIENCE).unwrap())
        .collect();
    assert_eq!(asked, [Asked::Inhibit, Asked::UnInhibit(5), Asked::Inhibit]);
}

#[test]
fn a_tray_is_there_when_somebody_shows_one() {
    let bus = Bus::start();
    let (desktop, _clicks) = bus.shell();
    let runtime = runtime();
    assert!(!runtime.block_on(desktop.has_tray()));
    let _watcher = bus.desktop(&["org.kde.StatusNotifierWatcher"], &[]);
    assert!(runtime.block_on(desktop.has_tray()));
}

#[test]
fn without_a_desktop_nothing_is_shown_and_nothing_hangs() {
    let bus = Bus::start();
    let (desktop, _clicks) = bus.shell();
    desktop.ask(show(talk("a1"), "nobody shows this"));
    desktop.ask(Job::Awake(true));
    let runtime = runtime();
    assert!(!runtime.block_on(desktop.has_tray()), "it still answers");

    let asked = bus.desktop(&["org.freedesktop.Notifications"], &[]);
    desktop.ask(show(talk("a1"), "now somebody does"));
    assert_eq!(
        asked.recv_timeout(PATIENCE),
        Ok(notified(0, "now somebody does"))
    );
}
