//! The watch over a link: asks whether the other end is there, and ends when it is not.

use super::Shared;
use crate::step::in_step;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
pub(super) async fn watch(shared: Arc<Shared>) {
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
        // The first may come before the other end is ready for it.
        let hurries = missed || shared.keepalive.srtt().is_none();
        let again = |at: Instant| match (hurries, shared.dialed) {
            (true, _) => at + HURRY,
            (_, true) => in_step(at + pace, pace),
            (_, false) => in_step(at + pace * ANSWERED_FOR, pace),
        };
        let now = Instant::now();
        let mut due = asked.map_or(now, again);
        if due <= now {
            asked = Some(now);
            due = again(now);
            if !shared.session.ask() {
                return;
            }
        }
        // The next question, or the moment when an answer is late: one lost packet must not take a link's life.
        let late = match missed {
            true => HURRY,
            false => (pace + MISSED).saturating_sub(silence),
        };
        let due = due.saturating_duration_since(now);
        tokio::time::sleep(due.min(late).max(LOOK_LEAST)).await;
    }
}
