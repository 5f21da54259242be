//! Counters of one process, for `stats` and Diagnostics. They count; they never name anybody.

use peddlenet_gossip::Why;
use peddlenet_peer::PeerStats;

/// What happened since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Links that came up.
    pub links_up: u64,
    /// Links that went down.
    pub links_down: u64,
    /// Members that this device tried to link up with.
    pub dials: u64,
    /// Offers and answers sent to members over those between, or at a server.
    pub meetings: u64,
    /// Messages through a server that no friend sealed.
    pub server_garbage: u64,
    /// Sealed copies of own events that servers keep.
    pub copies_left: u64,
    /// Events that came as copies from servers.
    pub copies_fetched: u64,
    /// What posed as a carrier box whose pass a room here has.
    pub false_boxes: u64,
    /// Joiners let in.
    pub joins_admitted: u64,
    /// Joiners sent away.
    pub joins_refused: u64,
    /// Epochs that this device began.
    pub epochs_begun: u64,
    /// Frames read.
    pub frames_in: u64,
    /// Frames handed to a link.
    pub frames_out: u64,
    /// Frames that a full or closed link did not take; sync makes up for them.
    pub frames_dropped: u64,
    /// Signatures checked.
    pub verified: u64,
    /// Own direct messages that wait, here and with neighbours, for a member who is away.
    pub direct_kept: u64,
    /// Direct messages taken in.
    pub direct_taken: u64,
    /// Of those, how many came without the one before them.
    pub direct_gaps: u64,
    /// Parcels that were forged, damaged, or not meant for this device.
    pub direct_refused: u64,
    /// Logs that lost their oldest messages because a room had used up its share of the disk.
    pub evicted: u64,
    /// Seconds in which a link did what none should, by reason.
    pub misbehaved: Reasons,
    /// Links that were closed for what the other end did, by reason.
    pub expelled: Reasons,
    /// What never became a link, or was kept from costing more.
    pub peer: PeerStats,
}

impl Stats {
    /// Every single count with its name, for output; the engine's come with them.
    pub fn rows(&self, engine: &peddlenet_gossip::Stats) -> Vec<(&'static str, u64)> {
        vec![
            ("links_up", self.links_up),
            ("links_down", self.links_down),
            ("dials", self.dials),
            ("meetings", self.meetings),
            ("server_garbage", self.server_garbage),
            ("copies_left", self.copies_left),
            ("copies_fetched", self.copies_fetched),
            ("false_boxes", self.false_boxes),
            ("joins_admitted", self.joins_admitted),
            ("joins_refused", self.joins_refused),
            ("epochs_begun", self.epochs_begun),
            ("frames_in", self.frames_in),
            ("frames_out", self.frames_out),
            ("frames_dropped", self.frames_dropped),
            ("signatures_checked", self.verified),
            ("direct_kept", self.direct_kept),
            ("direct_taken", self.direct_taken),
            ("direct_gaps", self.direct_gaps),
            ("direct_refused", self.direct_refused),
            ("evicted", self.evicted),
            ("delivered", engine.delivered),
            ("duplicates", engine.duplicates),
            ("refused", engine.refused),
            ("wants", engine.wants),
            ("want_timeouts", engine.timeouts),
            ("wants_served", engine.served),
            ("mismatches", engine.mismatches),
            ("overflow", engine.overflow),
            ("grafts", engine.grafts),
            ("prunes", engine.prunes),
            ("evictions", engine.evictions),
            ("chokes", engine.chokes),
            ("waited", engine.waited),
            ("sketches", engine.sketches),
        ]
    }

    /// What was turned away, by what was done about it and why, for output.
    pub fn groups(&self) -> [(&'static str, Vec<(&'static str, u64)>); 3] {
        [
            ("misbehaved", self.misbehaved.rows()),
            ("expelled", self.expelled.rows()),
            ("turned_away", self.peer.rows()),
        ]
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// How often, by reason.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Reasons {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Reasons {
            /// Every count with its name, for output.
            pub fn rows(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

reasons! {
    /// Bytes that were no frame.
    garbage,
    /// More frames a second than a link may bring, for seconds.
    flood,
    /// Something else before it was let in, or nothing in time.
    early,
    /// Came by a room's member key and opened no room in time.
    roomless,
    /// A signature that does not hold.
    bad_signature,
    /// More than its share of unasked events, heads or wants.
    over_quota,
    /// More wants open than an honest engine has.
    too_many_wants,
    /// A batch that was never asked for.
    not_wanted,
    /// Offered what it did not give.
    broken_promise,
    /// An event without its body.
    stripped,
    /// A frame that contradicts itself.
    nonsense,
    /// A room that is not open on the link.
    not_open,
    /// Anything else.
    other,
}

impl Reasons {
    /// Counts what the engine found.
    pub(crate) fn count(&mut self, why: Why) {
        let count = match why {
            Why::BadSignature => &mut self.bad_signature,
            Why::OverQuota => &mut self.over_quota,
            Why::TooManyWants => &mut self.too_many_wants,
            Why::NotWanted => &mut self.not_wanted,
            Why::BrokenPromise => &mut self.broken_promise,
            Why::Stripped => &mut self.stripped,
            Why::Nonsense => &mut self.nonsense,
            Why::NotOpen => &mut self.not_open,
            _ => &mut self.other,
        };
        *count += 1;
    }
}
