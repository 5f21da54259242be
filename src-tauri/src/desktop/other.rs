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

/// macOS: the system's own `caffeinate`, which ends with us.
#[cfg(not(windows))]
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

/// Windows remembers it for the thread that asks, this one, and forgets it with it.
#[cfg(windows)]
fn keep_awake(_awake: &mut Option<Child>, on: bool) {
    // Of winbase.h.
    const ES_CONTINUOUS: u32 = 0x8000_0000;
    const ES_DISPLAY_REQUIRED: u32 = 0x0000_0002;
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn SetThreadExecutionState(state: u32) -> u32;
    }
    let wanted = if on { ES_DISPLAY_REQUIRED } else { 0 };
    #[expect(
        unsafe_code,
        reason = "the system's own function; it takes a number and keeps nothing of ours"
    )]
    let before = unsafe { SetThreadExecutionState(ES_CONTINUOUS | wanted) };
    if before == 0 {
        tracing::info!("the screen may sleep");
    }
}
