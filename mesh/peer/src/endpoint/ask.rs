//! Asking who is there, before anything is built for it.
//!
//! A member that is not where it was is dialled again and again, by all who miss it. A connection of `webrtc` knocks
//! sixty-seven times a second and address; a question is one packet, and asked ever more slowly. The front door answers
//! it without opening anything.

use super::{Dial, Endpoint, given_up, why};
use crate::approach::Approach;
use crate::gate;
use crate::session::lock;
use crate::step::in_step;
use crate::{DialError, Fingerprint};
use std::time::{Duration, Instant};

/// From the first question to the second; twice as long to the next ..
const ASK_AGAIN: Duration = Duration::from_millis(40);
/// .. and so on up to this: it opens a firewall on the way as well.
const ASK_AGAIN_MAX: Duration = Duration::from_millis(500);

impl Endpoint {
    /// The certificate that the device at one of these addresses has today, whatever was expected of it.
    pub(super) async fn ask(&self, dial: &Dial, until: Instant) -> Result<Fingerprint, DialError> {
        let (session, _registration, reachable) = self.register(dial, gate::ASKED)?;
        Approach::question(&dial.gate)?.arm(&session);
        let asking = async {
            let mut pause = ASK_AGAIN;
            loop {
                reachable.iter().for_each(|remote| session.ask_at(*remote));
                let again = Instant::now() + pause;
                let again = match pause < ASK_AGAIN_MAX {
                    true => again,
                    // Who misses many asks for all of them at once.
                    false => in_step(again, pause),
                };
                tokio::time::sleep_until(again.into()).await;
                pause = pause.saturating_mul(2).min(ASK_AGAIN_MAX);
            }
        };
        let error = tokio::select! {
            _ = tokio::time::timeout_at(until.into(), asking) => why(&session),
            error = given_up(&session) => error,
        };
        let told = *lock(&session.facts.moved);
        told.ok_or(error)
    }
}
