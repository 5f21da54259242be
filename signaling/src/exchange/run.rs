//! Connects to Redis again and again, for as long as the server runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::Plan;
use super::session::Session;
use crate::hub::Hub;

/// Runs the exchange until the server closes.
pub(crate) async fn run(mut plan: Plan, hub: Arc<Hub>, mut closing: watch::Receiver<bool>) {
    let mut pause = plan.limits.pause_least;
    let mut told = None;
    loop {
        tokio::select! {
            () = attempt(&mut plan, &hub, &mut pause, &mut told) => {}
            () = closed(&mut closing) => break,
        }
        tokio::select! {
            () = sleep(jittered(pause)) => {}
            () = plan.inbox.let_go(plan.limits.step) => break,
            () = closed(&mut closing) => break,
        }
        pause = pause.saturating_mul(2).min(plan.limits.pause_most);
    }
    Session::farewell(&plan).await;
}

/// One connection from its beginning to its end. Says what changed, once.
async fn attempt(plan: &mut Plan, hub: &Hub, pause: &mut Duration, told: &mut Option<bool>) {
    let Plan {
        client,
        names,
        process,
        inbox,
        limits,
        message_bytes,
    } = plan;
    let opened = tokio::select! {
        opened = Session::open(client, names, *process, limits, hub) => opened,
        () = inbox.let_go(limits.step) => return,
    };
    if let Ok(session) = opened {
        if told.replace(true) != Some(true) {
            tracing::info!("Redis connects this process with the others");
        }
        *pause = limits.pause_least;
        session.serve(inbox, *message_bytes).await;
    }
    if told.replace(false) != Some(false) {
        tracing::warn!("Redis is away: devices reach only those on this process until it is back");
    }
}

/// Half of it up to all of it, so that processes don't come back in one moment.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0xff];
    // Without randomness the whole pause is fine too.
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    pause / 2 + (pause / 2).mul_f32(f32::from(byte) / 255.0)
}

/// Done when the server closes. Keeps the watch's guard, which is not `Send`, out of the select.
async fn closed(closing: &mut watch::Receiver<bool>) {
    let _ = closing.wait_for(|closing| *closing).await;
}
