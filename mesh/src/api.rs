//! What a [`Node`](crate::Node) says about itself: plain values, no behaviour.
//!
//! The shell and the headless node turn these into their own JSON; nothing here is serialized.

mod network;
mod said;

use std::time::Duration;

pub use network::{
    Attempts, Delivery, Diagnostics, Failure, LanState, MapLink, NetworkMap, OnMap, Path,
    ServerState,
};
pub use said::{Draft, Found, Message, Noted, Reaction, Shown, Words};

pub use peddlenet_wire::{
    AuthorId, EventHash as MessageId, InviteKey as InviteId, RoomId, Timestamp,
    content::{History, Role},
};
use peddlenet_wire::{EpochId, ids::Digest};

/// A room in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSummary {
    /// The room.
    pub room: RoomId,
    /// Its name.
    pub name: String,
    /// How many belong to it, this device included.
    pub members: usize,
    /// How many of the others can be reached now.
    pub near: usize,
    /// Messages of others that were not marked seen.
    pub unread: u64,
    /// What members said to this device alone and was not marked seen; of muted and blocked ones nothing counts.
    pub direct_unread: u64,
    /// The newest message.
    pub last: Option<Message>,
    /// Whether this device no longer belongs to it: it can be read, and nothing more.
    pub removed: bool,
    /// Whether that was this device's own wish.
    pub left: bool,
    /// What this device may do in it.
    pub role: Option<Role>,
    /// What the person decided about it.
    pub prefs: RoomPrefs,
    /// Whether it takes nobody new.
    pub closed: bool,
    /// Whether members leave sealed copies of what they say with its servers.
    pub backup: bool,
    /// When the last day ends for which a carrier box's pass was given to this room; `None` without one.
    pub pass_until: Option<Timestamp>,
    /// What the room was made with.
    pub rules: RoomOptions,
}

/// What the person decided about a room. On this device only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoomPrefs {
    /// It stands before the others.
    pub favourite: bool,
    /// It draws no attention.
    pub muted: bool,
}

/// What a room takes on this device's disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomSize {
    /// The room.
    pub room: RoomId,
    /// Events held.
    pub events: u64,
    /// Their bytes, before what the disk adds.
    pub bytes: u64,
}

/// What this device's disk holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Storage {
    /// The whole database (bytes).
    pub disk_bytes: u64,
    /// Each room.
    pub rooms: Vec<RoomSize>,
}

/// A member of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The member's key in this room.
    pub author: AuthorId,
    /// The name to show.
    pub name: String,
    /// Whether messages reach it now.
    pub state: Reach,
    /// Links to it, by its last sign of life; 0 for this device and for those never heard.
    pub hops: u8,
    /// What it may do.
    pub role: Role,
    /// When it was let in, by the clock of who did that; `None` for those who no longer belong.
    pub since: Option<Timestamp>,
    /// Whether it is this device.
    pub me: bool,
    /// Direct messages of this member that were not marked seen.
    pub direct_unread: u64,
    /// Since when, and as whom, this person's key was compared; `None` when it was not.
    pub verified: Option<VerifiedAs>,
    /// Shown, without drawing attention.
    pub muted: bool,
    /// Not shown.
    pub blocked: bool,
    /// Signed two histories: nothing new of theirs is taken.
    pub forked: bool,
    /// Asks to go on under a new key: [`Node::confirm_move`](crate::Node::confirm_move).
    pub moving: bool,
    /// Whether the name could be taken for another's.
    pub lookalike: Lookalike,
    /// A verified person's name under another key, not confirmed yet: [`Node::confirm_key`](crate::Node::confirm_key).
    pub key_changed: bool,
}

/// A comparison of keys that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAs {
    /// When, by this device's clock.
    pub since: Timestamp,
    /// What the person was called then.
    pub name: String,
}

/// How a member's name stands among the others' (UTS #39 skeletons, see `peddlenet_wire::name`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookalike {
    /// Like nobody else's.
    No,
    /// Another member's name looks the same; neither was verified.
    Alike,
    /// It looks like the name of somebody who was verified, or like this person's own.
    Imitates(AuthorId),
}

/// What two people compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyInfo {
    /// With whom.
    pub author: AuthorId,
    /// What they are called now.
    pub name: String,
    /// 60 digits that both see; read aloud in groups of five.
    pub digits: String,
    /// What the QR says that the other device scans.
    pub link: String,
    /// Whether the comparison was done already.
    pub verified: bool,
    /// See [`Member::key_changed`].
    pub key_changed: bool,
}

/// How near a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// There is a link to it.
    Linked,
    /// It was heard through others within the last 75 s; longer in rooms of more than 44.
    Reachable,
    /// Neither.
    Away,
    /// It no longer belongs to the room.
    Removed,
}

impl Reach {
    /// The word in replies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Reachable => "reachable",
            Self::Away => "away",
            Self::Removed => "removed",
        }
    }
}

/// A code to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteInfo {
    /// Names it, for revoking.
    pub id: InviteId,
    /// What the QR says.
    pub link: String,
    /// Bytes before base32.
    pub bytes: usize,
    /// When it ends.
    pub expires: Timestamp,
}

/// How an invite is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InviteOptions {
    /// How long it lasts, at most [`INVITE_TTL_MAX`](peddlenet_wire::limits::INVITE_TTL_MAX).
    pub ttl: Duration,
    /// How many it lets in; `None`: any number.
    pub uses: Option<u32>,
    /// To be printed: it carries no address, since those change while it hangs.
    pub poster: bool,
}

/// An invite that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenInvite {
    /// Names it, for revoking.
    pub id: InviteId,
    /// Who made it.
    pub by: AuthorId,
    /// Whether that was this device.
    pub mine: bool,
    /// When it ends.
    pub expires: Timestamp,
    /// How many it lets in; `None`: any number.
    pub uses: Option<u32>,
    /// How many it let in so far.
    pub used: u32,
    /// See [`InviteOptions::poster`].
    pub poster: bool,
}

/// The end of a join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The room that was joined.
    pub room: RoomId,
    /// Which way led there.
    pub via: &'static str,
    /// From the call to the room's keys.
    pub elapsed: Duration,
}

/// Where a join stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinStage {
    /// Looking for the other device.
    Dialing,
    /// Connected; asking to be let in.
    Proving,
    /// In; fetching what was said.
    Fetching,
    /// The newest page is here.
    Open,
}

impl JoinStage {
    /// The word in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dialing => "dialing",
            Self::Proving => "proving",
            Self::Fetching => "fetching",
            Self::Open => "open",
        }
    }
}

/// How a room is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomOptions {
    /// Whether a joiner is given the past.
    pub history: History,
    /// Who may make codes and let people in: that role and those above.
    pub inviters: Role,
    /// After how many seconds content is let go of; `None`: never.
    pub retention_s: Option<u32>,
}

impl Default for RoomOptions {
    fn default() -> Self {
        Self {
            history: History::Shared,
            inviters: Role::Member,
            retention_s: None,
        }
    }
}

/// What two devices compare to know that they have the same room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// SHA-256 over the sorted heads of every (author, stream).
    pub digest: Digest,
    /// Events held.
    pub events: u64,
    /// Of those, how many still have their body.
    pub bodies: u64,
    /// The epoch new messages are sealed in.
    pub epoch: EpochId,
}

/// A link to another device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkInfo {
    /// Numbered by this process.
    pub peer: u64,
    /// Which way it came up: `direct`, `two-scan`, `lan` where the other was found on this network, `relay` where
    /// members between told the two of each other, `server` where a server or a carrier box did, `turn` where all goes over a
    /// server's relay.
    pub via: &'static str,
    /// Smoothed round trip, once measured.
    pub rtt: Option<Duration>,
    /// Of the last questions over it so many in a hundred had no answer; `None` until enough were asked.
    pub loss_percent: Option<u8>,
    /// Rooms that both ends have open (count).
    pub rooms: usize,
    /// Bytes of frames received.
    pub bytes_in: u64,
    /// Bytes of frames sent.
    pub bytes_out: u64,
}

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message was saved: of this device, live, or from the past.
    Message(Message),
    /// What is shown of a message is another now: it was edited, deleted, or somebody reacted to it.
    Changed(Message),
    /// A message of this device was handed to more neighbours.
    Sent {
        /// The room.
        room: RoomId,
        /// The message.
        message: MessageId,
        /// How many so far (count).
        to: usize,
    },
    /// More people have seen a message of this device.
    Receipt {
        /// The room.
        room: RoomId,
        /// The message.
        message: MessageId,
        /// Everyone who has seen it.
        seen_by: Vec<AuthorId>,
    },
    /// A member came, went, or has a new name.
    Member {
        /// The room.
        room: RoomId,
        /// The member as it is now.
        member: Member,
    },
    /// A room's line in the list changed.
    Room(RoomSummary),
    /// The room is no longer on this device.
    RoomGone(RoomId),
    /// This device no longer belongs to the room. What it has of it stays.
    Removed(RoomId),
    /// This device goes on under a new key in a room; see [`Node::move_on`](crate::Node::move_on).
    Moved {
        /// The room.
        room: RoomId,
        /// The key until now.
        from: AuthorId,
        /// The key from now on.
        to: AuthorId,
    },
    /// Messages grew older than the room keeps them and are gone from this device: those from before a
    /// moment.
    LetGo {
        /// The room.
        room: RoomId,
        /// The moment.
        before: Timestamp,
    },
    /// One of the person's settings is another now; `None`: it is gone.
    Setting {
        /// Its name.
        name: String,
        /// What it says.
        value: Option<String>,
    },
    /// A link came up or went down.
    Link {
        /// The link.
        peer: u64,
        /// Up or down.
        up: bool,
        /// Which way it came up.
        via: &'static str,
    },
    /// A join went on.
    Join(JoinStage),
    /// A member was proven to have signed two histories. Told once; nothing new of theirs is taken.
    Fork {
        /// The room.
        room: RoomId,
        /// Who. This device itself, where it was restored from an old copy.
        author: AuthorId,
        /// Whether it is this device.
        me: bool,
    },
    /// This device can be reached elsewhere than before, or nowhere: codes that are shown are to be made anew.
    Network {
        /// Its addresses now.
        addrs: Vec<std::net::SocketAddr>,
    },
    /// The receiver was too slow and missed events: ask for a snapshot.
    Lagged,
    /// The data folder was damaged and set aside; friends hold the room's history.
    Quarantined {
        /// Where the damaged data lies now.
        to: std::path::PathBuf,
    },
}
