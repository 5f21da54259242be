//! Whether a server is the carrier box that it is taken for, asked before it is told anything else.
//!
//! ```text
//!  device --box, a fresh nonce--> server
//!         <--key, signature over the nonce--    the key is the pass's: go on; anything else: not a word more
//! ```
//!
//! Somebody between the two can pass both on, and then hears what anybody on the way hears of a connection without TLS:
//! tags of a day and sealed bytes.

use super::frames::{Reply, Request};
use super::{CONNECT_WITHIN, Socket};
use crate::approach::random;
use futures_util::{SinkExt, StreamExt};
use peddlenet_crypto::verify_box;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// Messages that may come before the answer (count): pings, and what a newer server may say.
const BEFORE_MAX: usize = 8;
const ANSWER_WITHIN: Duration = CONNECT_WITHIN;

/// Why it is not known to be that box.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unproven {
    /// It is another, or no box.
    False,
    /// It did not say.
    Unknown(String),
}

/// Asks for a proof of that key.
pub(super) async fn prove(socket: &mut Socket, key: &[u8; 32]) -> Result<(), Unproven> {
    let unknown = |why: &str| Unproven::Unknown(why.to_owned());
    let nonce = random().map_err(|e| unknown(&e.to_string()))?;
    let asking = async {
        let question = Request::Box { nonce }.to_json();
        let sent = socket.send(Message::Text(question.into())).await;
        sent.map_err(|e| unknown(&e.to_string()))?;
        for _ in 0..BEFORE_MAX {
            let Some(Ok(message)) = socket.next().await else {
                return Err(unknown("it closed the connection"));
            };
            let Message::Text(text) = message else {
                continue;
            };
            if let Some(reply) = Reply::parse(&text) {
                return judge(&reply, key, &nonce);
            }
        }
        Err(unknown("it says other things"))
    };
    let answered = tokio::time::timeout(ANSWER_WITHIN, asking).await;
    answered.unwrap_or_else(|_| Err(unknown("it did not answer in time")))
}

fn judge(reply: &Reply, expected: &[u8; 32], nonce: &[u8; 16]) -> Result<(), Unproven> {
    match reply {
        Reply::Box { key, signature } if key == expected => {
            verify_box(expected, nonce, signature).map_err(|_| Unproven::False)
        }
        // A flood is no lie.
        Reply::Error { code } if code == "rate_limited" => {
            Err(Unproven::Unknown("it has no time".to_owned()))
        }
        _ => Err(Unproven::False),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use peddlenet_crypto::BoxKey;

    #[test]
    fn only_the_key_of_the_pass_over_this_nonce_is_a_proof() {
        let (ours, other) = (BoxKey::from_seed(&[1; 32]), BoxKey::from_seed(&[2; 32]));
        let (nonce, old) = ([3; 16], [4; 16]);
        let by = |key: &BoxKey, nonce| Reply::Box {
            key: key.public(),
            signature: key.prove(nonce),
        };
        let judge = |reply: &Reply| judge(reply, &ours.public(), &nonce);
        assert_eq!(judge(&by(&ours, &nonce)), Ok(()));
        let claimed = Reply::Box {
            key: ours.public(),
            signature: other.prove(&nonce),
        };
        let no_box = Reply::Error {
            code: "no_box".to_owned(),
        };
        for lie in [by(&other, &nonce), by(&ours, &old), claimed, no_box] {
            assert_eq!(judge(&lie), Err(Unproven::False), "{lie:?}");
        }
        let busy = Reply::Error {
            code: "rate_limited".to_owned(),
        };
        assert!(matches!(judge(&busy), Err(Unproven::Unknown(_))));
    }
}
