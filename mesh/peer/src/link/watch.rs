//! The watch over a link: asks whether the other end is there, and ends when it is not.

use super::Shared;
use crate::keepalive::INTERVAL;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use webrtc::data_channel::DataChannel;

/// The end that was dialled asks so much more rarely: the dialer's question tells it as much as an answer would, but
/// for how long an answer takes.
const ANSWERED_FOR: u32 = 5;
/// So much beyond the interval, and an answer was missed: from here on it is asked faster.
const MISSED: Duration = Duration::from_millis(200);
const HURRY: Duration = Duration::from_millis(250);
/// It is not looked more often.
const LOOK_LEAST: Duration = Duration::from_millis(20);
/// So much beyond the interval, and five were missed in a row: a loss is noticed within three seconds.
const DEAD: Duration = Duration::from_millis(1300);

/// Returns when the other end has been silent for too long.
pub(super) async fn watch(reliable: [Arc<dyn DataChannel>; 2], shared: Arc<Shared>) {
    let mut asked: Option<Instant> = None;
    loop {
        let pace = shared.keepalive.pace();
        let silence = shared.session.silence();
        if silence >= pace + DEAD {
            tracing::debug!(link = shared.session.id, "silent for too long");
            return;
        }
        let missed = silence >= pace + MISSED;
        if missed {
            shared.session.send_check();
        }
        let pause = match shared.dialed {
            _ if missed => HURRY,
            // The first may come before the other end is ready for it.
            _ if shared.keepalive.srtt().is_none() => HURRY,
            true => pace,
            false => pace * ANSWERED_FOR,
        };
        if asked.is_none_or(|at| at.elapsed() >= pause) {
            asked = Some(Instant::now());
            if !shared.session.ask() {
                return;
            }
        }
        let busy = look_into(&reliable, &shared).await;
        // The next question, or the moment when an answer is late: one lost packet must not take a link's life.
        let mut due = pause.saturating_sub(asked.map_or(Duration::ZERO, |at| at.elapsed()));
        if busy {
            // How full the lanes are is of interest while they are.
            due = due.min(INTERVAL);
        }
        let late = match missed {
            true => HURRY,
            false => (pace + MISSED).saturating_sub(silence),
        };
        tokio::time::sleep(due.min(late).max(LOOK_LEAST)).await;
    }
}

/// Notes what the reliable lanes have sent and is not acknowledged; whether there is any.
async fn look_into(reliable: &[Arc<dyn DataChannel>; 2], shared: &Shared) -> bool {
    let mut busy = false;
    for (lane, bytes) in reliable.iter().zip(&shared.in_sctp) {
        let outstanding = lane.outstanding_bytes().await.unwrap_or_default();
        bytes.store(outstanding as u64, Ordering::Relaxed);
        busy |= outstanding > 0;
    }
    busy
}
