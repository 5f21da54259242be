//! The engine's own bounds. Bounds that crates share stand in `peddlenet_wire::limits`.
//!
//! Counts unless the name or the type says otherwise. Per room means per open room, per link means
//! per [`PeerId`](crate::PeerId), per side means per room on a link.

use std::time::Duration;

/// Checks and commits under way at a time. Beyond it an event is dropped; sync brings it back.
pub const FLIGHTS_MAX: usize = 4_096;
/// Checks and commits under way beyond which no more history is asked for.
pub const FLIGHTS_SOFT: usize = 1_024;
/// Events whose hash and place in the chain are remembered, per room: the recently-seen set. About
/// 220 bytes each; more than can be on their way to the store at a time.
pub const RECENT_MAX: usize = 2 * FLIGHTS_MAX;
/// Hashes of refused events that are remembered, per room.
pub const REFUSED_MAX: usize = 4_096;
/// How long a refusal is remembered: after it the same bytes may be checked again.
pub const REFUSED_FOR: Duration = Duration::from_secs(30);
/// Events and records that wait for their author to become a member, per room.
pub const PARKED_MAX: usize = 2_048;
/// The same that came over one link.
pub const PARKED_PER_LINK: usize = 512;
/// The bytes of what waits, per room.
pub const PARKED_BYTES: usize = 8 * 1024 * 1024;
/// How long an event may wait for its author's admission.
pub const PARKED_FOR: Duration = Duration::from_secs(600);
/// Membership changes within this span cause one retry of what is parked.
pub const PARKED_RETRY_EVERY: Duration = Duration::from_millis(100);

/// Logs (author, stream) per room.
pub const LOGS_MAX: usize = 3 * peddlenet_wire::limits::MEMBERS_MAX;
/// Logs of one author in a room.
pub const STREAMS_PER_AUTHOR: usize = 64;
/// Stretches that one log may fall into while it has gaps.
pub const STRETCHES_MAX: usize = 256;
/// More of them that events may make which were asked for: an answer fills a gap from one of its ends only once all of
/// it is here, and a log that is full of gaps could never be filled.
pub const STRETCHES_ASKED: usize = 64;
/// Stretches of one log that are told to others; the newest.
pub const STRETCHES_TOLD: usize = 8;
/// Events beside the first at one place of a log that are kept as evidence.
pub const FORKS_MAX: usize = 4;
/// Events of one log beside the first branch that are kept (count, since the start).
pub const BRANCH_MAX: usize = 64;
/// Events compared with the store at a time, because their place is taken and their hash forgotten.
pub const COMPARES_MAX: usize = 64;

/// Latest-wins records per room.
pub const RECORDS_MAX: usize = 4 * peddlenet_wire::limits::MEMBERS_MAX;
/// Kinds of records of one author in a room.
pub const RECORD_KINDS_MAX: usize = 8;
/// Records sent in one step when a link comes up.
pub const RECORDS_STEP: usize = 32;
/// The pause between two such steps.
pub const RECORDS_PAUSE: Duration = Duration::from_millis(500);
/// All records are offered to a neighbour again at most so often.
pub const RECORDS_AGAIN: Duration = Duration::from_secs(30);
/// Rounds without news after which one record is offered ..
pub const RECORDS_CALM_AFTER: u32 = 12;
/// .. in so many rounds only (count), which is about once in half a minute.
pub const RECORDS_CALM_EVERY: u32 = 6;

/// Positions per want.
pub const CHUNK: u64 = 128;
/// The newest content that an empty joiner asks for first.
pub const PAGE: u16 = 50;
/// How often the first page is asked for before history is fetched without it.
pub const PAGE_TRIES: u8 = 3;
/// Wants without a complete answer, per side.
pub const WANTS_PER_SIDE: usize = 16;
/// Positions in them, per side.
pub const WANTED_PER_SIDE: u64 = 512;
/// Positions in them, over all links and rooms.
pub const WANTED_MAX: u64 = 2_048;
/// A want that brought nothing for so long goes to somebody else.
pub const WANT_TIMEOUT: Duration = Duration::from_secs(5);
/// How many such spans in a row a want may last while something comes; a trickle is no answer.
pub const WANT_SPANS: u32 = 6;
/// How long a want that was said to be done waits for batches that overtook each other.
pub const LINGER: Duration = Duration::from_millis(150);
/// How long a gap in the live stream may close by itself before it is fetched (design: WANT after 60 ms).
pub const GAP_GRACE: Duration = Duration::from_millis(60);
/// Logs that one side may offer at a time.
pub const OFFERS_MAX: usize = 2 * peddlenet_wire::limits::MEMBERS_MAX;
/// Of those, logs of which this device holds nothing yet, outside stream 0.
pub const OFFERS_UNKNOWN: usize = 2_048;
/// Stretches of one log in an offer; the newest.
pub const OFFER_STRETCHES: usize = 64;
/// Places at which the other end names another event than ours, asked for at a time, per side.
pub const ODD_MAX: usize = 8;
/// Empty answers or timeouts in a row after which a side's offers are ignored for a while.
pub const STRIKES_MAX: u32 = 8;
/// For how long the first time: an honest relay may lack what it seemed to have, and may be the only
/// neighbour. Twice as long each time in a row ..
pub const DISTRUST: Duration = Duration::from_secs(2);
/// .. up to this.
pub const DISTRUST_MAX: Duration = Duration::from_secs(60);

/// Wants of the other end that wait, per side. More than an honest engine ever has open.
pub const SERVES_QUEUED: usize = 2 * WANTS_PER_SIDE;
/// Wants of the other end that are read from the store at a time, per side.
pub const SERVES_ACTIVE: usize = 4;
/// Bytes of events in the answer to one want; the other end asks again for the rest.
pub const SERVE_BYTES: usize = 4 * peddlenet_wire::limits::BATCH_FILL;
/// Wants a second that one link may send, and as many at once: an honest engine has [`WANTS_PER_SIDE`]
/// open, each answered after 10 ms at the soonest.
pub const WANTS_A_SECOND: u32 = 1_600;

/// Checks of unasked events and records a second, per link, and as many at once (design: abuse).
pub const CHECKS_A_SECOND: u32 = 200;
/// Of those, kept for authors who say little, so that no flood of others' pushes them out.
pub const CHECKS_KEPT: u32 = CHECKS_A_SECOND / 2;
/// Unasked events of one author that are taken a second. The rest is asked for at this device's own
/// pace and is not pushed on, so that one author does not use up what a relay may push to others.
pub const AUTHOR_A_SECOND: u32 = 40;
/// As many at once.
pub const AUTHOR_AT_ONCE: u32 = 80;
/// Neighbours hear of own events beyond that pace at most so often.
pub const PACE_NUDGE: Duration = Duration::from_millis(250);
/// Authors whose pace is remembered, per room. About 100 bytes each.
pub const PACES_MAX: usize = 1_024;
/// Frames with heads a second, per link, and as many at once.
pub const HEADS_A_SECOND: u32 = 40;
/// Cells and questions about them a second, per link, and as many at once. Taking one in costs up
/// to 10 ms; an honest end sends one, and up to seven more while they don't decode.
pub const SKETCHES_A_SECOND: u32 = 8;
/// Events that are pushed to a neighbour that turned out to lack them, beyond which it is told
/// heads instead and asks for what it wants, of several neighbours.
pub const PUSH_MAX: u64 = 256;
/// Cells are tried so often in a row for one pair of digests before all heads are sent.
pub const SKETCH_TRIES: u32 = 2;
/// The most cells for each own log before all heads are sent: a line of them has 75 bytes, a cell 12.
pub const SKETCH_CELLS_PER_LOG: usize = 3;
/// What became durable so short ago is most likely on its way to the neighbour already.
pub const PUSH_GRACE: Duration = Duration::from_secs(1);
/// Digests go to every neighbour about so often; jitter is added.
pub const DIGEST_EVERY: Duration = Duration::from_secs(4);
/// The jitter on top, in milliseconds.
pub const DIGEST_JITTER_MS: u64 = 2_000;
/// While history comes in, neighbours hear of it at most so often.
pub const ANNOUNCE_EVERY: Duration = Duration::from_secs(1);
/// Heads are sent to one side at most so often. Twice as long each time that nothing came of it (a
/// fork, a refused event), up to [`HEADS_STUCK_EVERY`].
pub const HEADS_EVERY: Duration = Duration::from_millis(500);
/// Lines of heads that are few enough to be sent once more when a room begins to run over a link,
/// in case the greeting came before the other end was ready.
pub const HEADS_FEW: usize = 64;
/// How often heads are exchanged when that keeps changing nothing.
pub const HEADS_STUCK_EVERY: Duration = Duration::from_secs(30);
/// [`Notice::HistoryProgress`](crate::Notice::HistoryProgress) comes at most so often, per room.
pub const PROGRESS_EVERY: Duration = Duration::from_millis(250);
/// [`Notice::Misbehaved`](crate::Notice::Misbehaved) for one reason comes at most so often, per link.
pub const NOTE_EVERY: Duration = Duration::from_secs(1);

/// Links that take part in the trees of one room; more than a device has.
pub const TREE_LINKS_MAX: usize =
    peddlenet_wire::limits::LINKS_MAX + peddlenet_wire::limits::JOIN_SLOTS + 8;
/// Authors whose trees are remembered, per room: all members of a full room. About 100 bytes each.
pub const ORIGINS_MAX: usize = peddlenet_wire::limits::MEMBERS_MAX;
/// Announcements are collected for so long (design: IHAVE batched 25 ms).
pub const ANNOUNCE_BATCH: Duration = Duration::from_millis(25);
/// Announcements that wait for one neighbour; beyond it sync has to do.
pub const ANNOUNCED_MAX: usize = 1_024;
/// Neighbours beside the parent to which a new author's first event is pushed; the others get it
/// announced.
pub const FLOOD_FANOUT: usize = 6;
/// An author's first event that is longer than this many bytes is announced instead of flooded
/// (design: above 1 KB IHAVE first).
pub const LARGE_BYTES: usize = 1024;
/// How long a pushed copy may take after its announcement, before anything was measured ..
pub const GRAFT_AFTER: Duration = Duration::from_millis(60);
/// .. at least ..
pub const GRAFT_AFTER_MIN: Duration = Duration::from_millis(20);
/// .. and at most, however slow the links.
pub const GRAFT_AFTER_MAX: Duration = Duration::from_millis(1_000);
/// How often something missing is asked for before it is left to sync.
pub const GRAFT_TRIES: usize = 6;
/// Events that a graft brings at once; digests find the rest.
pub const GRAFT_EVENTS: u8 = 32;
/// Announced events that have not come, per room.
pub const MISSING_MAX: usize = 4_096;
/// Neighbours remembered for each of them.
pub const ANNOUNCERS_MAX: usize = 6;
/// Passed events that are kept in memory for grafts, per room.
pub const CACHE_MAX: usize = 512;
/// The bytes of those.
pub const CACHE_BYTES: usize = 2 * 1024 * 1024;
/// Entries of Ihave, Prune and Graft a second, per link, and as many at once: what the events that a
/// link may bring a second can cause, twice, and all trees of a full room once.
pub const HINTS_A_SECOND: u32 = 10_000;
const _: () = assert!(HINTS_A_SECOND as usize == 2 * ORIGINS_MAX);

/// Each member gives a sign of life that often in rooms of up to 44 members ..
pub const BEACON_EVERY: Duration = Duration::from_secs(30);
/// .. and this many milliseconds a member in larger ones: 136 bytes from each, 200 B/s in all.
pub const BEACON_MS_A_MEMBER: u64 = 136 * 1_000 / 200;
/// In rooms up to this size a device says at once that it is there (count).
pub const BEACON_SMALL_ROOM: usize = 50;
/// Whoever returns to a room says so within this time a member: many return at once.
pub const BEACON_SOON_A_MEMBER: Duration = Duration::from_millis(2);
/// Members that return, as they say, whose signs of life go over every link: a second ..
pub const RETURNS_A_SECOND: u32 = 2;
/// .. and as many at once, per room. The others' take their trees.
pub const RETURNS_AT_ONCE: u32 = 32;
/// Silent authors whose trees a device mends at each of its beacons (count).
pub const MENDED: usize = 32;
/// Without links for so long, a device counts as away.
pub const AWAY_AFTER: Duration = Duration::from_secs(20);

/// Delivered events whose hashes are remembered, per room: more than a crowd says while one event is
/// on its way.
pub const DELIVERED_MAX: usize = 8_192;
/// Pushed events that wait for what they follow on, per room; beyond it they are delivered at once.
pub const WAITING_MAX: usize = 512;
/// How long one waits.
pub const WAITING_FOR: Duration = Duration::from_secs(2);
/// Events on disk that a restarted engine recalls as delivered.
pub const RECALLED: usize = 256;
/// An offer of more positions than this in one log is history, not what a live stream lost.
pub const HOLES_OF_LIVE: u64 = 32;

/// The cost of a link of which nothing is known yet, in milliseconds one way.
pub const COST_UNKNOWN_MS: u16 = 30;
/// Costs are capped here, in milliseconds.
pub const COST_MAX_MS: u32 = 10_000;
/// A queue that takes so long to drain asks to be spared, in milliseconds.
pub const CHOKE_AT_MS: u32 = 40;
/// Queues must be shorter than that, in milliseconds ..
pub const UNCHOKE_AT_MS: u32 = 10;
/// .. for so long before it no longer asks.
pub const UNCHOKE_AFTER: Duration = Duration::from_secs(30);
/// An announcement that came so much before the parent's copy makes its sender the parent ..
pub const SWITCH_MS: u16 = 10;
/// .. or so many hundredths of the way's cost, whichever is more (design: max(10 ms, 15 %)).
pub const SWITCH_PERCENT: u16 = 15;

/// A link's score is kept between this and [`SCORE_DROP`].
pub const SCORE_MAX: i32 = 50;
/// A link whose score falls below is a parent only where there is no other (design: prune below -20).
pub const SCORE_SHUN: i32 = -20;
/// A link whose score falls below is dropped (design: abuse).
pub const SCORE_DROP: i32 = -50;

/// Links that a message to one member may cross. A room of 5,000 with 4 links each spans 8.
pub const ROUTE_TTL: u8 = 32;
/// Messages to one member that are remembered, per room: those under way, and how others ended.
/// About 300 bytes each without their payload, which goes when they end.
pub const PASSAGES_MAX: usize = 1_024;
/// Of those, under way and given by one link.
pub const PASSAGES_PER_LINK: usize = 128;
/// The payloads of those under way, per room (bytes).
pub const PASSAGE_BYTES: usize = 2 * 1024 * 1024;
/// Neighbours that hear how a message ended, because they gave it to us.
pub const UPSTREAMS_MAX: usize = 4;
/// Neighbours that one message is given to.
pub const TRIES_MAX: usize = 32;
/// Ways that an own message takes at a time. They stay apart, because relays take it once.
pub const PATHS: usize = 2;
/// How long a neighbour may take to accept: two round trips of the link within these (design: WANT).
pub const ACCEPT_LEAST: Duration = Duration::from_millis(60);
/// See [`ACCEPT_LEAST`].
pub const ACCEPT_MOST: Duration = Duration::from_millis(1_000);
/// How long a neighbour that was too slow comes after all others, unless it says something.
pub const DOUBT_FOR: Duration = Duration::from_secs(3);
/// How long a delivery may take beside twice the cost of the way: for a hop that tries again.
pub const DELIVER_SLACK: Duration = Duration::from_millis(120);
/// What a way costs of which nothing else is known (about milliseconds).
pub const WAY_COST_UNKNOWN: u32 = 120;
/// The most that a way's cost counts when waiting for its end.
pub const WAY_COST_MOST: u32 = 500;

/// The rings of a search: links that it crosses, and how long its answer may take.
pub const RINGS: [(u8, Duration); 4] = [
    (2, Duration::from_millis(150)),
    (4, Duration::from_millis(250)),
    (8, Duration::from_millis(400)),
    (16, Duration::from_millis(700)),
];
/// No search of others crosses more links.
pub const SEARCH_TTL: u8 = 16;
/// Searches that are remembered, per room.
pub const QUESTS_MAX: usize = 2_048;
/// Members whose way was found by a search, per room.
pub const WAYS_MAX: usize = 512;
/// Ways to one of them.
pub const WAYS_PER_MEMBER: usize = 3;
/// How long a way that was found is used before one that the trees know.
pub const WAY_FOR: Duration = Duration::from_secs(5);

/// Messages to one member that a link may send a second; twice as many at once. We send half.
pub const ROUTES_A_SECOND: u32 = 200;
/// Their bytes a second; twice as many at once.
pub const ROUTE_BYTES_A_SECOND: u32 = 512 * 1024;
/// Searches a second that a link may send: each costs the whole room a frame a link.
pub const SEARCHES_A_SECOND: u32 = 20;
/// As many at once.
pub const SEARCHES_AT_ONCE: u32 = 200;
/// Answers a second that a link may send; twice as many at once. An honest one sends three a message.
pub const ROUTE_REPLIES_A_SECOND: u32 = 1_000;

/// Messages received that are remembered, per room, so that each is delivered once.
pub const RECEIVED_MAX: usize = 4_096;
/// Own messages that are under way or kept, per room.
pub const OUTBOX_MAX: usize = 256;
/// Neighbours that keep a copy of a message whose recipient is away.
pub const KEEPERS: usize = 3;
/// Neighbours that may have been given a copy of one message, those whose links went down included.
pub const KEEPERS_EVER: usize = 15;
/// How long they may take to say so before the app hears that it is kept.
pub const KEEPERS_WITHIN: Duration = Duration::from_millis(500);
/// Messages kept for others, over all rooms.
pub const KEPT_MAX: usize = 512;
/// Their payloads (bytes).
pub const KEPT_BYTES: usize = 2 * 1024 * 1024;
/// Messages kept for one author in a room.
pub const KEPT_PER_AUTHOR: usize = 64;
/// Their payloads (bytes).
pub const KEPT_BYTES_PER_AUTHOR: usize = 256 * 1024;
/// How long a message is kept.
pub const KEPT_FOR: Duration = Duration::from_secs(72 * 3600);
/// A kept message sets out at most so often.
pub const REDELIVER_EVERY: Duration = Duration::from_secs(2);
/// Keepers set out within this span of each other, in milliseconds.
pub const REDELIVER_JITTER_MS: u64 = 300;
/// Without a sign of life it does after this long, then after twice as long each time ..
pub const REDELIVER_SLOWLY: Duration = Duration::from_secs(30);
/// .. up to this.
pub const REDELIVER_SLOWEST: Duration = Duration::from_secs(600);
/// Attempts after one sign of life.
pub const REDELIVER_TRIES: u32 = 3;

/// Candidates to link up with, per room (design: passive view).
pub const PASSIVE_MAX: usize = 48;
/// Of those, such that only a neighbour named.
pub const HEARSAY_MAX: usize = 16;
/// Lost peers that are remembered, per room.
pub const LOST_MAX: usize = 1_024;
/// For how long (design: never purged for a day).
pub const LOST_FOR: Duration = Duration::from_secs(24 * 3600);
/// One lost peer is probed about so often, over all rooms.
pub const PROBE_EVERY: Duration = Duration::from_secs(30);
/// A sign of life, or a neighbour's word, makes a candidate preferable for so long. Longer than
/// neighbours are silent about theirs ([`SHUFFLE_EVERY`]).
pub const ALIVE_FOR: Duration = Duration::from_secs(180);
/// Whom a neighbour named within this comes before all others: that is news from after a failure.
pub const TOLD_JUST_NOW: Duration = Duration::from_secs(15);
/// The overlay looks after itself about so often.
pub const UPKEEP_EVERY: Duration = Duration::from_secs(1);
/// The first dials after a room was opened, give or take a fifth.
pub const FIRST_DIALS: Duration = Duration::from_millis(150);
/// For so long a device without links dials half of what it misses at a time: others have just
/// begun, too, and dial it.
pub const BEGINNING: Duration = Duration::from_secs(3);
/// Dials under way at a time. As many as are missing at most, and as hang when most peers died.
pub const DIALS_MAX: usize = 8;
/// The same for a device without any link. When 4 of 5 peers died and half of those dials hang, one
/// device in 25 has 8 hanging ones and nothing else, and one in 600 has 16.
pub const DIALS_ALONE: usize = 16;
/// Dials a second, and as many at once: bounds what dials cost when all of them fail at once.
pub const DIALS_A_SECOND: u32 = 16;
/// A dial that lasts longer hangs, most likely: others are dialled beside it.
pub const DIAL_FRESH: Duration = Duration::from_secs(1);
/// A dial without an answer failed; longer than any driver takes.
pub const DIAL_GIVE_UP: Duration = Duration::from_secs(20);
/// How long a candidate rests after the first failed dial; twice as long after each further one ..
pub const REST: Duration = Duration::from_secs(1);
/// .. up to this.
pub const REST_MAX: Duration = Duration::from_secs(120);
/// Failures of a candidate that make a difference.
pub const FAILURES_COUNTED: u8 = 8;
/// How long a candidate rests after its link broke: it may have been the network for a moment.
pub const LOST_REST: Duration = Duration::from_millis(250);
/// How long it rests after a goodbye: one of the ends had too many links.
pub const PARTED_REST: Duration = Duration::from_secs(30);
/// How long it rests at most when the driver names it again: it may be reached elsewhere now.
pub const KNOWN_REST: Duration = Duration::from_secs(10);
/// Frames about neighbours a second, per link, and as many at once.
pub const PEERS_A_SECOND: u32 = 8;
/// Members heard of lately in such a frame, beside the neighbours.
pub const LIVELY_TOLD: usize = 4;
/// A link's questions for candidates are answered at most so often.
pub const ANSWER_EVERY: Duration = Duration::from_secs(1);
/// Neighbours hear at most so often that this device has more or fewer links than it goes for.
pub const TELL_EVERY: Duration = Duration::from_secs(5);
/// The first pause between questions for candidates while links are missing; twice as long each
/// time until somebody new is named.
pub const ASK_PAUSE: Duration = Duration::from_secs(2);
/// Such a question goes to one neighbour about so often even when none are missing.
pub const SHUFFLE_EVERY: Duration = Duration::from_secs(120);
/// Links beyond the cap that may be open while one is said goodbye to.
pub const CAP_SLACK: usize = 2;
/// How long a link is left alone after it came up.
pub const LINK_YOUNG: Duration = Duration::from_secs(10);
/// The same for a link to a peer that was lost.
pub const BRIDGE_YOUNG: Duration = Duration::from_secs(120);
/// Both ends of a link have had too many for so long before they part.
pub const OVER_FOR: Duration = Duration::from_secs(30);
/// A neighbour is asked to part at most so often.
pub const PART_EVERY: Duration = Duration::from_secs(5);
/// How long its answer may be on its way.
pub const PART_PENDING: Duration = Duration::from_secs(2);
/// Between goodbye and the end of a link.
pub const GOODBYE: Duration = Duration::from_millis(500);
/// How long a link may be without a room that both ends want.
pub const IDLE_GRACE: Duration = Duration::from_secs(10);
/// How long two links to one member may stand side by side.
pub const TWIN_PATIENCE: Duration = Duration::from_secs(2);
/// Links that are kept because they are the cheapest (design: slots) ..
pub const SLOTS_CHEAP: usize = 4;
/// .. by chance ..
pub const SLOTS_RANDOM: usize = 2;
/// .. because they have the fewest common neighbours.
pub const SLOTS_DIVERSE: usize = 2;
/// What a link costs as long as nobody measured it, in milliseconds.
pub const COST_UNKNOWN: u32 = 100;
/// Another link is tried about so often; twice as long each time that it brought nothing ..
pub const TRIAL_EVERY: Duration = Duration::from_secs(300);
/// .. up to this.
pub const TRIAL_EVERY_MAX: Duration = Duration::from_secs(3600);
/// How long it is tried.
pub const TRIAL_FOR: Duration = Duration::from_secs(30);
/// How much cheaper it has to be to stay instead of another, in percent of itself.
pub const SWAP_GAIN_PERCENT: u32 = 130;
