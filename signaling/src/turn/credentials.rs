//! Credentials that prove themselves: the "TURN REST API" convention, and nonces in the same manner.
//!
//! ```text
//!   username   = "<unix seconds at which it ends>:<16 hex digits at random>"
//!   credential = base64(HMAC-SHA1(secret, username))
//!   key        = MD5(username ":" realm ":" credential)           RFC 8489, 9.2.2
//!   nonce      = "<unix seconds, hex>-<HMAC-SHA1(nonce secret, seconds | address), 16 hex digits>"
//! ```
//!
//! Nothing is kept for one that was handed out: not for a credential, and not for the nonce of a stranger, whose
//! requests would fill a table. Pure: the time and all randomness are arguments.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use stun::integrity::MessageIntegrity;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What TURN calls the place where its credentials are good.
pub(crate) const REALM: &str = "peddlenet";

/// Digits of the random part of a username.
const RANDOM_DIGITS: usize = 16;

/// What credentials are derived from. Its `Debug` keeps it.
#[derive(Clone)]
pub struct TurnSecret(Zeroizing<Vec<u8>>);

impl TurnSecret {
    /// Any bytes; 32 random ones are a good choice. Processes behind one balancer need the same.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// A new one, from the operating system.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice())?;
        Ok(Self::new(bytes.as_slice()))
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 20] {
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.0) else {
            // HMAC takes keys of every length.
            return [0; 20];
        };
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for TurnSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TurnSecret(..)")
    }
}

/// A username and what proves it.
pub(crate) struct Credential {
    pub(crate) username: String,
    pub(crate) credential: String,
}

/// A credential that is good until `now + ttl`. Times are seconds since 1970.
pub(crate) fn mint(secret: &TurnSecret, now: u64, ttl: Duration, random: [u8; 8]) -> Credential {
    let ends = now.saturating_add(ttl.as_secs());
    let username = format!("{ends}:{}", HEXLOWER.encode(&random));
    let credential = password(secret, &username);
    Credential {
        username,
        credential,
    }
}

/// A username that this server could have handed out, and may still be used at `now` or was until `grace` before. The key that
/// its requests are signed with; whoever doesn't know the credential can't make it.
pub(crate) fn key(
    secret: &TurnSecret,
    username: &str,
    now: u64,
    grace: Duration,
) -> Option<MessageIntegrity> {
    let (ends, random) = username.split_once(':')?;
    let shaped = random.len() == RANDOM_DIGITS && random.bytes().all(|b| b.is_ascii_hexdigit());
    // `parse` takes a sign, which no username of ours has.
    let ends: u64 = (shaped && ends.bytes().all(|b| b.is_ascii_digit()))
        .then(|| ends.parse().ok())
        .flatten()?;
    (ends.saturating_add(grace.as_secs()) > now).then(|| {
        let credential = password(secret, username);
        MessageIntegrity::new_long_term_integrity(username.to_owned(), REALM.to_owned(), credential)
    })
}

fn password(secret: &TurnSecret, username: &str) -> String {
    BASE64.encode(&secret.mac(&[username.as_bytes()]))
}

/// A nonce for requests from one address.
pub(crate) fn nonce(secret: &TurnSecret, source: SocketAddr, now: u64) -> String {
    let seconds = format!("{now:x}");
    let mac = secret.mac(&[seconds.as_bytes(), b"|", source.to_string().as_bytes()]);
    let (short, _) = mac.split_at(RANDOM_DIGITS / 2);
    format!("{seconds}-{}", HEXLOWER.encode(short))
}

/// Whether the nonce was made for this address, at most `ttl` ago.
pub(crate) fn nonce_holds(
    secret: &TurnSecret,
    source: SocketAddr,
    given: &str,
    now: u64,
    ttl: Duration,
) -> bool {
    let made = given
        .split_once('-')
        .and_then(|(seconds, _)| u64::from_str_radix(seconds, 16).ok());
    made.is_some_and(|made| {
        let ours = nonce(secret, source, made);
        let same = bool::from(ours.as_bytes().ct_eq(given.as_bytes()));
        same && made <= now && now - made <= ttl.as_secs()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_credential_is_what_coturn_would_take() {
        // Made with: printf %s 1764163600:0001020304050607 | openssl dgst -sha1 -hmac secret -binary | base64
        let minted = mint(
            &TurnSecret::new(b"secret"),
            1_764_160_000,
            HOUR,
            [0, 1, 2, 3, 4, 5, 6, 7],
        );
        assert_eq!(minted.username, "1764163600:0001020304050607");
        assert_eq!(minted.credential, "iUGqSHJUyanmgkR1flIjPMeMlhs=");
    }

    #[test]
    fn only_what_was_minted_and_has_not_ended_has_a_key() {
        let secret = TurnSecret::new(b"secret");
        let username = mint(&secret, 1000, HOUR, [7; 8]).username;
        let key_at = |now, grace| key(&secret, &username, now, grace);
        assert!(key_at(1000, Duration::ZERO).is_some());
        assert!(key_at(4599, Duration::ZERO).is_some());
        assert!(key_at(4600, Duration::ZERO).is_none());
        assert!(key_at(4600, HOUR).is_some() && key_at(8200, HOUR).is_none());
        for wrong in [
            "",
            ":",
            "9999",
            "9999:",
            "9999:xyz",
            "+999:0707070707070707",
            ":0707070707070707",
            "99999999999999999999999:0707070707070707",
        ] {
            assert!(key(&secret, wrong, 0, HOUR).is_none(), "{wrong}");
        }
        let other = key(&TurnSecret::new(b"other"), &username, 1000, HOUR).unwrap();
        assert_ne!(other.0, key_at(1000, HOUR).unwrap().0);
    }

    #[test]
    fn a_nonce_holds_for_its_address_and_time() {
        let secret = TurnSecret::new(b"secret");
        let [a, b] = [([10, 0, 0, 1], 7).into(), ([10, 0, 0, 1], 8).into()];
        let made = nonce(&secret, a, 1000);
        let holds = |source, given: &str, now| nonce_holds(&secret, source, given, now, HOUR);
        assert!(holds(a, &made, 1000) && holds(a, &made, 4600));
        assert!(!holds(a, &made, 4601) && !holds(a, &made, 999));
        assert!(!holds(b, &made, 1000));
        for wrong in ["", "-", "3e8-", "3e8-0000000000000000", "zz-00"] {
            assert!(!holds(a, wrong, 1000), "{wrong}");
        }
    }
}
