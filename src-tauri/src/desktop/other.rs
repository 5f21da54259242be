//! Windows and macOS: notifications through notify-rust, which can show one and no more; a room's next
//! one comes beside the one before.

use std::process::Child;
use std::sync::mpsc::Receiver;

use super::Job;
use crate::notices::Talk;

pub(super) fn run(jobs: &Receiver<Job>, _clicked: impl Fn(Talk)) {
    let mut awake = None;
    for job in jobs {
        match job {
            Job::Show { title, body, .. } => {
                let mut notification = notify_rust::Notification::new();
                notification
                    .appname("PeddleNet")
                    .summary(&title)
                    .body(&body);
                #[cfg(windows)]
                notification.app_id("app.peddlenet");
                if let Err(problem) = notification.show() {
                    tracing::info!(%problem, "no notification");
                }
            }
            // Neither has words of its own here.
            Job::Withdraw(_) | Job::Speak(_) => {}
            Job::Awake(on) => keep_awake(&mut awake, on),
            // Both systems always have one.
            Job::HasTray(answer) => drop(answer.send(true)),
        }
    }
    keep_awake(&mut awake, false);
}

/// macOS: the system's own `caffeinate`, which ends with us. Windows: its web view has the Wake Lock
/// that the page asks for first.
fn keep_awake(awake: &mut Option<Child>, on: bool) {
    if let Some(mut child) = awake.take_if(|_| !on) {
        let _ = child.kill();
        let _ = child.wait();
    }
    if on && awake.is_none() && cfg!(target_os = "macos") {
        let us = std::process::id().to_string();
        let child = std::process::Command::new("/usr/bin/caffeinate")
            .args(["-d", "-w", &us])
            .spawn();
        match child {
            Ok(child) => *awake = Some(child),
            Err(problem) => tracing::info!(%problem, "the screen may sleep"),
        }
    }
}
