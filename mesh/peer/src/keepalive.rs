//! Keep-alives: what the two ends of a link send each other while they have nothing to say.
//!
//! ```text
//! asks   STUN Binding Indication { number | sealed [1, 0, pace of the sender (ms)] }  -->
//!    <-- STUN Binding Indication { number | sealed [2, 0, the number it answers   ] }  answers
//! ```
//!
//! They travel beside the channel, as ICE's own would (RFC 8445, section 11), and not in it:
//!
//! - SCTP holds back what is to be sent while it repeats what was lost, after a timeout all but one packet. A ping in
//!   the channel waits there with the rest, and a link that loses a third of its packets is taken for dead.
//! - Each message of the channel is acknowledged by a packet of its own: four packets a round trip, not two.
//! - It says whether the way is open, not whether somebody reads: a reader that is behind makes no link look dead.
//!
//! Each is sealed under the keys of the link's handshake ([`DatagramCipher`]) and numbered upwards, so what is forged,
//! repeated or overtaken says nothing. Whoever can see the packets learns that a link is alive.
//!
//! Pure: the time comes in, packets go out.

use crate::bucket::Bucket;
use crate::session::lock;
use crate::stun;
use peddlenet_crypto::{DATAGRAM_TAG, DatagramCipher};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often the dialer asks whether the other end is there, unless one of them saves its battery.
pub(crate) const INTERVAL: Duration = Duration::from_millis(1500);
/// The longest pause that a side can ask for.
pub(crate) const INTERVAL_MAX: Duration = Duration::from_secs(10);
/// Questions on their way that an answer can still be matched with.
const ASKED_MAX: usize = 16;
/// The last questions by which the loss is told (count): the bits of a number.
const LOSS_OF: u32 = 32;
/// Fewer say nothing.
const LOSS_OF_LEAST: u32 = 10;
/// Questions a second that are answered; in a hurry the other end asks four times.
const ANSWERS_A_SECOND: u32 = 20;
/// What is sealed: a kind, a zero, two bytes and four.
const PLAIN_LEN: usize = 8;
const SEALED_LEN: usize = PLAIN_LEN + DATAGRAM_TAG;
const ASKS: u8 = 1;
const ANSWERS: u8 = 2;

/// A keep-alive as it goes out.
pub(crate) type Packet = [u8; stun::ATTESTED_LEN];

/// What a keep-alive that came in was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The other end asks; the answer, unless it asks too often.
    Question(Option<Packet>),
    /// It answers.
    Answer,
}

/// One end's side of a link's keep-alives.
#[derive(Debug)]
pub(crate) struct Keepalive {
    cipher: DatagramCipher,
    /// The number of the last one sent, and of the last one heard; they begin at 1.
    sent: AtomicU64,
    heard: AtomicU64,
    asked: Mutex<VecDeque<(u64, Instant)>>,
    answers: Mutex<Bucket>,
    losses: Mutex<Losses>,
    srtt_us: AtomicU32,
    /// The pauses that this side and the other ask for (ms).
    paces: [AtomicU16; 2],
}

impl Keepalive {
    pub(crate) fn new(cipher: DatagramCipher) -> Self {
        Self {
            cipher,
            sent: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            asked: Mutex::default(),
            answers: Mutex::new(Bucket::new(ANSWERS_A_SECOND)),
            losses: Mutex::default(),
            srtt_us: AtomicU32::new(0),
            paces: Default::default(),
        }
    }

    /// Asks whether the other end is there. `None` once all numbers are used, which takes longer than the sun has.
    pub(crate) fn ask(&self, now: Instant) -> Option<Packet> {
        let [own, _] = &self.paces;
        let [high, low] = own.load(Ordering::Relaxed).to_be_bytes();
        // Held until the number is noted: an answer is then never sooner.
        let mut asked = lock(&self.asked);
        let (number, packet) = self.seal([ASKS, 0, high, low, 0, 0, 0, 0])?;
        if asked.len() >= ASKED_MAX {
            asked.pop_front();
            self.settle(1, false);
        }
        asked.push_back((number, now));
        Some(packet)
    }

    /// Takes in what claims to be a keep-alive; `None` if it is none, or one that was heard or overtaken.
    pub(crate) fn take(&self, packet: &[u8], now: Instant) -> Option<Heard> {
        let (number, sealed) = stun::read_attested::<SEALED_LEN>(packet)?;
        if number <= self.heard.load(Ordering::Relaxed) {
            return None;
        }
        let plain = self.cipher.open(number, sealed).ok()?;
        // Two sockets can bring one link's packets: only one of them takes this number.
        if self.heard.fetch_max(number, Ordering::Relaxed) >= number {
            return None;
        }
        let [kind, _, high, low, to @ ..]: [u8; PLAIN_LEN] = plain;
        match kind {
            ASKS => {
                let [_, theirs] = &self.paces;
                theirs.store(u16::from_be_bytes([high, low]), Ordering::Relaxed);
                let answers = lock(&self.answers).take(1, now);
                Some(Heard::Question(
                    answers.then(|| self.answer(number)).flatten(),
                ))
            }
            ANSWERS => {
                self.on_answer(u32::from_be_bytes(to), now);
                Some(Heard::Answer)
            }
            // A newer app's; it says that the other end is there.
            _ => Some(Heard::Answer),
        }
    }

    /// See [`LinkSender::set_pace`](crate::LinkSender::set_pace).
    pub(crate) fn set_pace(&self, pace: Duration) {
        let [own, _] = &self.paces;
        let ms = u16::try_from(pace.as_millis()).unwrap_or(u16::MAX);
        own.store(ms, Ordering::Relaxed);
    }

    /// How long the ends may be silent: the longer of the two pauses.
    pub(crate) fn pace(&self) -> Duration {
        let [own, theirs] = &self.paces;
        let [own, theirs] = [own, theirs].map(|ms| ms.load(Ordering::Relaxed));
        Duration::from_millis(own.max(theirs).into()).clamp(INTERVAL, INTERVAL_MAX)
    }

    /// Smoothed round-trip time (RFC 6298); `None` until the first answer.
    pub(crate) fn srtt(&self) -> Option<Duration> {
        match self.srtt_us.load(Ordering::Relaxed) {
            0 => None,
            us => Some(Duration::from_micros(us.into())),
        }
    }

    /// Of the last questions so many in a hundred had no answer; `None` while they are few.
    pub(crate) fn loss_percent(&self) -> Option<u8> {
        let losses = lock(&self.losses);
        let lost = losses.lost.count_ones() * 100;
        (losses.known >= LOSS_OF_LEAST)
            .then(|| u8::try_from(lost / losses.known).unwrap_or(u8::MAX))
    }

    /// So many questions had no answer, and one after them had, perhaps. Those before the first answer were asked of who was
    /// not ready yet.
    fn settle(&self, lost: usize, answered: bool) {
        let mut losses = lock(&self.losses);
        if losses.known > 0 {
            (0..lost).for_each(|_| losses.note(1));
        }
        if answered {
            losses.note(0);
        }
    }

    fn answer(&self, number: u64) -> Option<Packet> {
        let [.., a, b, c, d] = number.to_be_bytes();
        self.seal([ANSWERS, 0, 0, 0, a, b, c, d])
            .map(|(_, packet)| packet)
    }

    fn seal(&self, plain: [u8; PLAIN_LEN]) -> Option<(u64, Packet)> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed).checked_add(1)?;
        let sealed: [u8; SEALED_LEN] = self.cipher.seal(number, &plain).ok()?;
        Some((number, stun::attested(number, &sealed)))
    }

    fn on_answer(&self, to: u32, now: Instant) {
        let mut asked = lock(&self.asked);
        // What was asked before it got no answer, or one that was overtaken.
        let low = |number: u64| number & u64::from(u32::MAX);
        let Some(at) = asked.iter().position(|(n, _)| low(*n) == u64::from(to)) else {
            return;
        };
        let Some((_, sent)) = asked.drain(..=at).next_back() else {
            return;
        };
        self.settle(at, true);
        let sample = now.saturating_duration_since(sent).as_micros();
        let sample = u32::try_from(sample).unwrap_or(u32::MAX).max(1);
        let smoothed = match self.srtt_us.load(Ordering::Relaxed) {
            0 => sample,
            // Seven parts old, one part new.
            old => old - old / 8 + sample / 8,
        };
        self.srtt_us.store(smoothed.max(1), Ordering::Relaxed);
    }
}

/// Which of the last questions had no answer.
#[derive(Debug, Default)]
struct Losses {
    /// A bit each, the newest lowest.
    lost: u32,
    known: u32,
}

impl Losses {
    fn note(&mut self, lost: u32) {
        self.lost = self.lost << 1 | lost;
        self.known = LOSS_OF.min(self.known + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fingerprint;
    use peddlenet_crypto::{Handshake, Hello, Step};

    fn ends() -> [Keepalive; 2] {
        let hello = || Hello {
            versions: 1..=1,
            features: 0,
        };
        let [d, l] = [Fingerprint([1; 32]), Fingerprint([2; 32])];
        let mut dialer = Handshake::dialer(&[3; 32], d, l, hello(), [4; 32]).unwrap();
        let mut listener = Handshake::listener(&[3; 32], d, l, hello(), [5; 32]).unwrap();
        let mut message = None;
        for turn in 0..4 {
            let end = if turn % 2 == 0 {
                &mut dialer
            } else {
                &mut listener
            };
            if let Step::Send(bytes) | Step::SendAndDone(bytes, _) =
                end.step(message.as_deref()).unwrap()
            {
                message = Some(bytes);
            }
        }
        [dialer, listener].map(|mut end| Keepalive::new(end.datagram_cipher().unwrap()))
    }

    fn answer(heard: Option<Heard>) -> Packet {
        match heard {
            Some(Heard::Question(Some(packet))) => packet,
            other => panic!("no question: {other:?}"),
        }
    }

    #[test]
    fn a_question_is_answered_and_tells_the_round_trip_and_the_pace() {
        let [here, there] = ends();
        let start = Instant::now();
        here.set_pace(Duration::from_secs(5));
        assert_eq!(here.srtt(), None);
        let asked = here.ask(start).unwrap();
        let answered = answer(there.take(&asked, start));
        assert_eq!(there.pace(), Duration::from_secs(5));
        let later = start + Duration::from_millis(40);
        assert_eq!(here.take(&answered, later), Some(Heard::Answer));
        assert_eq!(here.srtt(), Some(Duration::from_millis(40)));
    }

    #[test]
    fn the_loss_is_that_of_the_last_questions() {
        let [here, there] = ends();
        let now = std::cell::Cell::new(Instant::now());
        let ask = |heard: bool| {
            // Whoever asks too often is not answered.
            now.set(now.get() + Duration::from_secs(1));
            let now = now.get();
            let asked = here.ask(now).unwrap();
            if heard {
                here.take(&answer(there.take(&asked, now)), now);
            }
        };
        // The other end was not ready for the first two.
        (0..2).for_each(|_| ask(false));
        (0..9).for_each(|_| ask(true));
        assert_eq!(here.loss_percent(), None);
        ask(true);
        assert_eq!(here.loss_percent(), Some(0));
        (0..5).for_each(|_| {
            ask(false);
            ask(true);
        });
        assert_eq!(here.loss_percent(), Some(25));
        (0..40).for_each(|_| ask(true));
        assert_eq!(here.loss_percent(), Some(0));
        // Nothing comes back any more.
        (0..40).for_each(|_| ask(false));
        assert!(here.loss_percent() > Some(70));
    }

    #[test]
    fn neither_what_is_forged_nor_what_comes_twice_or_too_late_says_anything() {
        let [here, there] = ends();
        let now = Instant::now();
        let first = here.ask(now).unwrap();
        let second = here.ask(now).unwrap();
        for bit in 0..second.len() * 8 {
            let mut bad = second;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(there.take(&bad, now), None, "bit {bit}");
        }
        assert_eq!(here.take(&second, now), None, "its own");
        answer(there.take(&second, now));
        assert_eq!(there.take(&second, now), None, "twice");
        assert_eq!(there.take(&first, now), None, "overtaken");
        assert_eq!(there.take(&[], now), None);
        let [stranger, _] = ends();
        let other = stranger.ask(now).unwrap();
        let third = here.ask(now).unwrap();
        // The same seeds made the same keys; the numbers still tell them apart.
        assert_eq!(other, first);
        answer(there.take(&third, now));
    }

    #[test]
    fn whoever_asks_all_the_time_is_not_answered_all_the_time() {
        let [here, there] = ends();
        let now = Instant::now();
        let answers = (0..100).filter(|_| {
            let asked = here.ask(now).unwrap();
            matches!(there.take(&asked, now), Some(Heard::Question(Some(_))))
        });
        assert_eq!(answers.count(), ANSWERS_A_SECOND as usize);
        assert_eq!(lock(&here.asked).len(), ASKED_MAX);
    }

    #[test]
    fn the_longer_pause_holds_within_bounds() {
        let [here, there] = ends();
        assert_eq!(here.pace(), INTERVAL);
        here.set_pace(Duration::from_secs(60));
        assert_eq!(here.pace(), INTERVAL_MAX);
        let now = Instant::now();
        there.take(&here.ask(now).unwrap(), now);
        assert_eq!(there.pace(), INTERVAL_MAX);
        here.set_pace(Duration::ZERO);
        there.take(&here.ask(now).unwrap(), now);
        assert_eq!(there.pace(), INTERVAL);
    }
}
