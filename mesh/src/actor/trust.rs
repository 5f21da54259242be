//! Whom the person trusts, commanded and kept: verification, muting, blocking, confirmed keys; and
//! authors who signed two histories.
//!
//! ```text
//!  engine: Notice::Fork -> both events from the store -> ForkProof -> meta "fork/", Event::Fork once,
//!                                                          engine: the log ends 64 events on
//!  command -> Trust -> meta "trust/" -> Event::Member, the room's line
//! ```

use peddlenet_crypto::{ForkProof, SafetyNumber, code_matches, is_print_of, verify_code};
use peddlenet_gossip::Input;
use peddlenet_store::{Held, Store, StoreError, Write};
use peddlenet_wire::{
    AuthorId, RoomId, RoomTag, Seq, SignedEvent, Stream, VerifyCode, codec::Name, limits,
    verify::VerifyCodeError,
};

use super::{
    Actor, Reply,
    loading::{NEWEST, last_message},
    messages::unread,
};
use crate::{
    api::{Event, VerifyInfo},
    clock, convert,
    error::{Error, ErrorCode},
    room::Room,
    trust::{Entry, Verified, fork_key, fork_prefix, last_of_branch},
};

/// Events read to find two that contradict each other (count).
const RIVALS_MAX: usize = 16;

/// Reads what is kept of a room's people, and proves forks that a kill left unproven. A log that holds more
/// events than places and no fork is counted anew. Blocks.
pub(super) fn load(
    store: &mut dyn Store,
    room: &mut Room,
    held: &mut [Held],
) -> Result<(), StoreError> {
    let author_of = |key: &[u8], prefix: &[u8]| {
        let author = key.strip_prefix(prefix)?;
        AuthorId::try_from(author).ok()
    };
    let prefix = Entry::prefix(room.tag);
    for (key, bytes) in store.meta_under(&prefix)? {
        match author_of(&key, &prefix).zip(Entry::from_bytes(&bytes).ok()) {
            Some((author, entry)) => room.trust.insert(author, entry),
            None => tracing::error!("what is kept of a member could not be read"),
        }
    }
    for (_, bytes) in store.meta_under(&fork_prefix(room.tag))? {
        match ForkProof::from_bytes(&bytes) {
            Ok(proof) if proof.room() == room.tag => drop(room.trust.take_fork(&proof)),
            _ => tracing::error!("a fork's proof could not be read"),
        }
    }
    for log in held {
        if log.events <= log.ranges.count() || room.trust.fork(log.author).is_some() {
            continue;
        }
        if let Some(proof) = search(store, room.tag, log)? {
            room.trust.take_fork(&proof);
        } else if let Some(counted) = store.recount(room.tag, log.author, log.stream)? {
            *log = counted;
        }
    }
    Ok(())
}

/// Two events in one place of a log that holds more events than places.
fn search(store: &dyn Store, tag: RoomTag, log: &Held) -> Result<Option<ForkProof>, StoreError> {
    let mut from = Seq::FIRST;
    loop {
        let most = limits::BATCH_EVENTS_MAX;
        let rows = store.range(tag, log.author, log.stream, from, log.head, most)?;
        let more = rows.len() == most;
        // The last place again: a page may part two rivals.
        let next = rows.last().map(|row| row.key.seq);
        let events = events_of(rows);
        let pairs = events.iter().zip(events.iter().skip(1));
        let mut proofs = pairs.filter_map(|(a, b)| ForkProof::new(a, b).ok());
        if let Some(proof) = proofs.next() {
            return Ok(Some(proof));
        }
        match next {
            Some(next) if more && next > from => from = next,
            _ => return Ok(None),
        }
    }
}

fn events_of(rows: Vec<peddlenet_store::StoredEvent>) -> Vec<SignedEvent> {
    let rows = convert::from_rows(rows).into_iter();
    rows.map(|(event, _)| event).collect()
}

impl Actor {
    /// A room was opened: its members' names are compared, and frozen authors' logs end.
    pub(super) fn trust_loaded(&mut self, tag: RoomTag) {
        let Some(room) = self.rooms.get_mut(&tag) else {
            return;
        };
        room.compare_names();
        let proofs: Vec<_> = room.trust.forks().cloned().collect();
        for proof in proofs {
            self.end_log(tag, &proof);
            // One that a kill left unsaved is saved now; the others are there already.
            self.keep_fork(tag, &proof, false);
        }
    }

    // --- verification ---

    /// What to show so that two people can compare their keys.
    pub(crate) fn verify_info(&self, id: RoomId, author: AuthorId) -> Result<VerifyInfo, Error> {
        let room = self.other(id, author)?;
        let me = room.me();
        Ok(VerifyInfo {
            author,
            name: room.name_of(author),
            digits: SafetyNumber::of(id, me, author).digits().to_owned(),
            link: verify_code(id, me, author).to_link(),
            verified: room.trust.verified(author).is_some(),
            key_changed: room.trust.key_changed(author).is_some(),
        })
    }

    /// The other's screen was scanned. `expected`: whose it should be.
    pub(crate) fn verify_scan(
        &mut self,
        id: RoomId,
        text: &str,
        expected: Option<AuthorId>,
        reply: Reply<AuthorId>,
    ) {
        match self.scanned(id, text, expected) {
            Ok(author) => self.mark_verified(id, author, true, author, reply),
            Err(e) => drop(reply.send(Err(e))),
        }
    }

    /// Whose screen was scanned, if it shows what this device knows.
    fn scanned(
        &self,
        id: RoomId,
        text: &str,
        expected: Option<AuthorId>,
    ) -> Result<AuthorId, Error> {
        let room = self.room(id)?;
        let me = room.me();
        let code = VerifyCode::from_link(text)?;
        if code.room != id {
            return Err(Error::new(
                ErrorCode::VerifyMismatch,
                "That code is of another room. Open this room on both devices, then scan again.",
            ));
        }
        if is_print_of(code.shown_by, id, me) {
            return Err(Error::new(
                ErrorCode::OwnCode,
                "That is this device's own code. Scan the one on the other person's screen.",
            ));
        }
        let mut members = room.roster.members();
        let theirs = members.find(|author| code_matches(&code, id, me, *author));
        match (theirs, expected) {
            (Some(author), Some(expected)) if author != expected => Err(Error::new(
                ErrorCode::VerifyMismatch,
                format!(
                    "That code is {}’s, not {}’s. Open the entry of the person whose screen you scan.",
                    room.called(author),
                    room.called(expected)
                ),
            )),
            (Some(author), _) => Ok(author),
            (None, _) => Err(ErrorCode::VerifyMismatch.into()),
        }
    }

    /// The person compared the digits, or takes it back.
    pub(crate) fn set_verified(
        &mut self,
        id: RoomId,
        author: AuthorId,
        on: bool,
        reply: Reply<()>,
    ) {
        self.mark_verified(id, author, on, (), reply);
    }

    fn mark_verified<T: Send + 'static>(
        &mut self,
        id: RoomId,
        author: AuthorId,
        on: bool,
        value: T,
        reply: Reply<T>,
    ) {
        let allowed = match on {
            true => self.may_write_to(id, author),
            false => Ok(()),
        };
        let now = clock::now();
        self.change_trust(id, author, allowed, value, reply, move |entry, name| {
            entry.verified = on.then(|| Verified {
                since: entry.verified.as_ref().map_or(now, |v| v.since),
                name: name.clone(),
            });
        });
    }

    /// The person takes this key for whoever carries its name now.
    pub(crate) fn confirm_key(&mut self, id: RoomId, author: AuthorId, reply: Reply<()>) {
        self.change_trust(id, author, Ok(()), (), reply, |entry, name| {
            entry.confirmed = Some(name.clone());
        });
    }

    /// Whether a direct message to a member, or its verification, may go on; see
    /// [`Trust::may_write_to`](crate::trust::Trust::may_write_to).
    pub(crate) fn may_write_to(&self, id: RoomId, author: AuthorId) -> Result<(), Error> {
        self.other(id, author)?.trust.may_write_to(author)
    }

    // --- mute and block ---

    pub(crate) fn mute(&mut self, id: RoomId, author: AuthorId, on: bool, reply: Reply<()>) {
        self.change_trust(id, author, Ok(()), (), reply, move |entry, _| {
            entry.muted = on
        });
    }

    pub(crate) fn block(&mut self, id: RoomId, author: AuthorId, on: bool, reply: Reply<()>) {
        self.change_trust(id, author, Ok(()), (), reply, move |entry, _| {
            entry.blocked = on
        });
    }

    /// Changes what is kept of a member; answers once it is on disk.
    fn change_trust<T: Send + 'static>(
        &mut self,
        id: RoomId,
        author: AuthorId,
        allowed: Result<(), Error>,
        value: T,
        reply: Reply<T>,
        how: impl FnOnce(&mut Entry, &Name),
    ) {
        let room = allowed.and_then(|()| self.other(id, author)).map(|r| r.tag);
        let room = room.and_then(|tag| {
            self.rooms
                .get_mut(&tag)
                .ok_or(ErrorCode::RoomUnknown.into())
        });
        let room = match room {
            Ok(room) => room,
            Err(e) => return drop(reply.send(Err(e))),
        };
        let tag = room.tag;
        let name = room.roster.member(author).map(|m| m.name.clone());
        let mut touched = room.trust.namesakes(author);
        let entry = room
            .trust
            .change(author, |entry| how(entry, &name.unwrap_or_default()));
        touched.extend(room.trust.namesakes(author));
        let write = Write::Meta {
            key: Entry::key(tag, author),
            value: entry.to_bytes(),
        };
        self.disk.commit(vec![write], move |actor, outcome| {
            actor.member_changed(tag, author);
            actor.tell_marks(tag, touched);
            let outcome = outcome.map(|()| value).map_err(Error::from);
            actor.refresh_shown(tag, move || drop(reply.send(outcome)));
        });
    }

    /// Counts the unread again and looks for the newest message that is shown; then goes on.
    pub(super) fn refresh_shown(&mut self, tag: RoomTag, then: impl FnOnce() + Send + 'static) {
        let read = move |store: &dyn Store| store.page(tag, None, NEWEST);
        self.disk.read(read, move |actor, rows| {
            if let (Ok(rows), Some(room)) = (rows, actor.rooms.get_mut(&tag)) {
                room.unread = unread(room, &rows);
                let last = last_message(room, rows);
                actor.last.insert(tag, last.clone());
                actor.room_changed(tag);
                if let Some(last) = last {
                    actor.dressed_one(tag, last, move |actor, last| actor.shown_anew(tag, &last));
                }
            }
            then();
        });
    }

    /// A room with somebody else in it.
    fn other(&self, id: RoomId, author: AuthorId) -> Result<&Room, Error> {
        let room = self.room(id)?;
        if author == room.me() {
            return Err(Error::new(
                ErrorCode::BadRequest,
                "That is this device itself. Pick somebody else.",
            ));
        }
        // Who was here once may be unblocked after having gone.
        if room.roster.member(author).is_none() && room.trust.entry(author).is_none() {
            return Err(ErrorCode::MemberUnknown.into());
        }
        Ok(room)
    }

    // --- forks ---

    /// [`Notice::Fork`](peddlenet_gossip::Notice::Fork): the second event is on its way to the disk.
    pub(super) fn on_fork(&mut self, tag: RoomTag, author: AuthorId, stream: Stream, seq: Seq) {
        // What the engine asked for together with the notice is queued by the time that this comes back.
        self.disk.read(
            |_| Ok(()),
            move |actor, _| {
                let upto = seq.next().unwrap_or(seq);
                let read = move |store: &dyn Store| {
                    store.range(tag, author, stream, seq, upto, RIVALS_MAX)
                };
                actor.disk.read(read, move |actor, rows| {
                    match ForkProof::among(&events_of(rows.unwrap_or_default())) {
                        Some(proof) => actor.take_fork(tag, &proof),
                        None => tracing::warn!(?author, "the events of a fork are not there"),
                    }
                });
            },
        );
    }

    fn take_fork(&mut self, tag: RoomTag, proof: &ForkProof) {
        let news = match self.rooms.get_mut(&tag) {
            Some(room) => room.trust.take_fork(proof),
            None => None,
        };
        if let Some(first) = news {
            self.end_log(tag, proof);
            self.keep_fork(tag, proof, first);
        }
    }

    /// Saves a proof, and tells of it if it is the first.
    fn keep_fork(&mut self, tag: RoomTag, proof: &ForkProof, tell: bool) {
        let (author, key) = (proof.author(), fork_key(tag, proof.author()));
        let bytes = proof.to_bytes();
        let read = {
            let key = key.clone();
            move |store: &dyn Store| store.meta(&key)
        };
        self.disk.read(read, move |actor, saved| {
            let saved = saved.ok().flatten();
            if saved.as_ref() == Some(&bytes) {
                return;
            }
            // After a kill the proof is found again, and was not told yet.
            let tell = tell || saved.is_none();
            let write = Write::Meta {
                key,
                value: Some(bytes),
            };
            actor.disk.commit(vec![write], move |actor, outcome| {
                if outcome.is_ok() && tell {
                    actor.tell_fork(tag, author);
                }
            });
        });
    }

    fn tell_fork(&mut self, tag: RoomTag, author: AuthorId) {
        let Some(room) = self.rooms.get(&tag) else {
            return;
        };
        let (room, me) = (room.id, room.me() == author);
        tracing::warn!(?author, me, "a member signed two histories");
        self.events.emit(Event::Fork { room, author, me });
        self.member_changed(tag, author);
    }

    /// Both branches are kept for evidence, up to their end; nothing beyond is taken.
    fn end_log(&mut self, tag: RoomTag, proof: &ForkProof) {
        self.feed(Input::EndLog {
            room: tag,
            author: proof.author(),
            stream: proof.stream(),
            last: last_of_branch(proof),
        });
    }

    /// Whether others still take what this device says. One that was restored from an old copy and
    /// spoke twice is frozen like anybody else.
    /// The way on is a new key: see [`moving`](super::moving).
    pub(super) fn may_speak(&self, tag: RoomTag, stream: Stream) -> Result<(), Error> {
        let frozen = |room: &Room| room.trust.fork(room.me()).is_some();
        if stream != Stream::MEMBERSHIP && self.rooms.get(&tag).is_some_and(frozen) {
            return Err(ErrorCode::OwnFork.into());
        }
        Ok(())
    }
}

impl Room {
    /// Compares the names of all members, and forgets those of members that are gone.
    pub(super) fn compare_names(&mut self) {
        let (roster, trust) = (&self.roster, &mut self.trust);
        trust.retain_names(|author| roster.is_member(author));
        for author in roster.members() {
            trust.note_name(author, &roster.name_of(author));
        }
    }

    /// A member's name for a sentence.
    fn called(&self, author: AuthorId) -> String {
        let name = self.name_of(author);
        if name.is_empty() {
            "somebody".to_owned()
        } else {
            name
        }
    }
}

impl From<VerifyCodeError> for Error {
    fn from(e: VerifyCodeError) -> Self {
        match e {
            VerifyCodeError::NotOurs => Self::new(
                ErrorCode::NotACode,
                "That is not a code for checking a person. Ask them to open your name in this room's list of people and show the code there.",
            ),
            VerifyCodeError::Newer(_) => ErrorCode::CodeNewer.into(),
            _ => ErrorCode::CodeDamaged.into(),
        }
    }
}
