//! This device's listener certificates: one a day, and those of the past that a code still names.
//!
//! ```text
//!  today's ------------------------------ told in codes and whereabouts records
//!  the day before, named by a code ------ shown to who names it, until the code is past its refusals
//!  any other of the past ---------------- gone: a member that names it is told today's (peer::moved)
//! ```
//!
//! DTLS 1.2 shows certificates in clear, so a certificate that stays is a name that stays.

use std::time::Duration;

use minicbor::{Decode, Encode};
use peddlenet_peer::{ListenerCertificate, PeerError, front_door::CERTIFICATES_MAX};
use peddlenet_wire::{Capped, Timestamp, codec, limits};
use zeroize::Zeroizing;

/// How long a certificate is told to others.
pub(crate) const LIFE: Duration = Duration::from_secs(24 * 3600);
/// Saved certificates, encoded.
const SAVED_MAX: usize = limits::FRAME_MAX;

/// The newest first; never empty.
#[derive(Debug)]
pub(crate) struct Certificates(Vec<Kept>);

#[derive(Debug)]
struct Kept {
    certificate: ListenerCertificate,
    made: Timestamp,
    /// A code that names it is answered until then.
    needed: Timestamp,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Saved {
    #[n(0)]
    all: Capped<SavedOne, CERTIFICATES_MAX>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct SavedOne {
    #[cbor(n(0), with = "minicbor::bytes")]
    pem: Vec<u8>,
    #[n(1)]
    made: Timestamp,
    #[n(2)]
    needed: Timestamp,
}

impl Drop for SavedOne {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.pem);
    }
}

impl Certificates {
    /// What was saved, or a new one where that can't be read; brought up to date either way.
    pub(crate) fn load(saved: Option<&[u8]>, now: Timestamp) -> Result<Self, PeerError> {
        let mut this = Self(saved.map(read).unwrap_or_default());
        this.turn(now)?;
        Ok(this)
    }

    /// Makes today's certificate when the last one is a day old, and lets go of those that nobody
    /// needs. Says whether anything changed.
    pub(crate) fn turn(&mut self, now: Timestamp) -> Result<bool, PeerError> {
        let mut changed = false;
        for kept in &mut self.0 {
            // A clock that was ahead must not make a certificate live longer.
            if kept.made > now {
                (kept.made, changed) = (now, true);
            }
        }
        let is_old = |kept: &Kept| now.since(kept.made) >= LIFE;
        if self.0.first().is_none_or(is_old) {
            let today = Kept {
                certificate: ListenerCertificate::generate()?,
                made: now,
                needed: Timestamp::default(),
            };
            self.0.insert(0, today);
            changed = true;
        }
        let before = self.0.len();
        let mut newest = true;
        self.0
            .retain(|kept| std::mem::take(&mut newest) || kept.needed > now);
        self.0.truncate(CERTIFICATES_MAX);
        Ok(changed || self.0.len() != before)
    }

    /// A code names today's certificate and is answered until then.
    pub(crate) fn need(&mut self, until: Timestamp) {
        if let Some(today) = self.0.first_mut() {
            today.needed = today.needed.max(until);
        }
    }

    /// Today's first, for the endpoint.
    pub(crate) fn all(&self) -> Vec<ListenerCertificate> {
        self.0.iter().map(|kept| kept.certificate.clone()).collect()
    }

    /// To be saved. Holds private keys.
    pub(crate) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, PeerError> {
        let one = |kept: &Kept| {
            Ok(SavedOne {
                pem: kept.certificate.to_bytes()?.to_vec(),
                made: kept.made,
                needed: kept.needed,
            })
        };
        let all: Result<Vec<_>, PeerError> = self.0.iter().map(one).collect();
        let all = Capped::take_from(&mut all?.into_iter());
        Ok(Zeroizing::new(codec::to_vec(&Saved { all })))
    }

    #[cfg(test)]
    fn fingerprints(&self) -> Vec<peddlenet_wire::Fingerprint> {
        self.0.iter().map(|k| k.certificate.fingerprint()).collect()
    }
}

/// Reads what was saved; a certificate that can't be read is left out.
fn read(bytes: &[u8]) -> Vec<Kept> {
    let Ok(saved) = codec::from_slice::<Saved>("certificates", bytes, SAVED_MAX) else {
        return Vec::new();
    };
    let kept = |one: &SavedOne| {
        Some(Kept {
            certificate: ListenerCertificate::from_bytes(&one.pem).ok()?,
            made: one.made,
            needed: one.needed,
        })
    };
    saved.all.iter().filter_map(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const HOUR: u64 = 3_600_000;

    fn at(hours: u64) -> Timestamp {
        Timestamp(NOW.0 + hours * HOUR)
    }

    #[test]
    fn every_day_has_a_certificate_of_its_own() {
        let mut all = Certificates::load(None, NOW).unwrap();
        let first = all.fingerprints();
        assert!(!all.turn(at(23)).unwrap());
        assert_eq!(all.fingerprints(), first);
        assert!(all.turn(at(24)).unwrap());
        assert_eq!(all.fingerprints().len(), 1);
        assert_ne!(all.fingerprints(), first);
    }

    #[test]
    fn one_that_a_code_names_is_kept_until_the_code_is_answered_no_more() {
        let mut all = Certificates::load(None, NOW).unwrap();
        let named = all.fingerprints()[0];
        all.need(at(72));
        all.need(at(48));
        for day in 1..3 {
            all.turn(at(24 * day)).unwrap();
            assert_eq!(all.fingerprints().len(), 2, "day {day}");
            assert_eq!(all.fingerprints()[1], named);
        }
        all.turn(at(72)).unwrap();
        assert!(!all.fingerprints().contains(&named));
    }

    #[test]
    fn a_restart_goes_on_with_the_same_ones() {
        let mut all = Certificates::load(None, NOW).unwrap();
        all.need(at(100));
        all.turn(at(30)).unwrap();
        let saved = all.to_bytes().unwrap();
        let again = Certificates::load(Some(&saved), at(31)).unwrap();
        assert_eq!(again.fingerprints(), all.fingerprints());
        let later = Certificates::load(Some(&saved), at(200)).unwrap();
        assert_eq!(later.fingerprints().len(), 1);
        assert!(!all.fingerprints().contains(&later.fingerprints()[0]));
    }

    #[test]
    fn what_cannot_be_read_is_replaced() {
        for saved in [&b""[..], b"-----BEGIN", &[0xff; 300]] {
            let all = Certificates::load(Some(saved), NOW).unwrap();
            assert_eq!(all.fingerprints().len(), 1);
        }
    }

    #[test]
    fn a_clock_that_was_ahead_makes_none_live_longer() {
        let all = Certificates::load(None, at(24 * 365)).unwrap();
        let saved = all.to_bytes().unwrap();
        let mut all = Certificates::load(Some(&saved), NOW).unwrap();
        let first = all.fingerprints();
        assert!(all.turn(at(24)).unwrap());
        assert_ne!(all.fingerprints(), first);
    }

    #[test]
    fn codes_of_many_days_are_bounded() {
        let mut all = Certificates::load(None, NOW).unwrap();
        for day in 0..100 {
            all.need(at(24 * 1000));
            all.turn(at(24 * day)).unwrap();
        }
        assert_eq!(all.fingerprints().len(), CERTIFICATES_MAX);
        assert!(all.to_bytes().unwrap().len() < SAVED_MAX);
    }
}
