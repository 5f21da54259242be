//! Which notifications the desktop shows, and when they go again. Pure: time is an argument.
//!
//! ```text
//!   Told (rooms' lines, members, messages, settings, focus) --> Notices --> Act (show, withdraw, count)
//!                                                                 ^ wake(now) at due()
//! ```
//!
//! The node counts the unread of a room, without muted people and without what was said before this
//! device came; a notification is asked for when that count rises. It waits for [`GATHER`]: a burst is
//! one notification, and a room that the person is reading has marked it as seen by then. A room shows
//! another one [`EVERY`] few seconds at most, in the place of the one before. Without `previews` it
//! holds the room's name and a number, and nothing that anybody wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use peddlenet_mesh::{AuthorId, RoomId, Timestamp};

use crate::words::Words;

/// How long a first message waits for those that follow it.
pub(crate) const GATHER: Duration = Duration::from_millis(1500);

/// The least time between two notifications of one talk.
pub(crate) const EVERY: Duration = Duration::from_secs(6);

/// The longest preview (characters).
const PREVIEW_MAX: usize = 140;

/// What is talked in: a room, or with one of its members alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Talk {
    pub(crate) room: RoomId,
    pub(crate) with: Option<AuthorId>,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Told {
    /// A room's line in the list. The first one of a room says what is unread already.
    Room {
        room: RoomId,
        name: String,
        unread: u64,
        muted: bool,
    },
    /// The room is no longer on this device.
    Gone(RoomId),
    Member {
        room: RoomId,
        author: AuthorId,
        /// Of what they wrote to this device alone.
        unread: u64,
        /// Muted or blocked.
        quiet: bool,
    },
    /// Somebody else wrote something.
    Message {
        talk: Talk,
        author: AuthorId,
        name: String,
        text: String,
        time: Timestamp,
    },
    Setting {
        name: String,
        value: String,
    },
    /// Whether the window has the keyboard.
    Focus(bool),
    /// The room that the page shows.
    Looking(Option<RoomId>),
}

/// What is to be done about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// In the place of the one that this talk shows already.
    Show {
        talk: Talk,
        title: String,
        body: String,
    },
    Withdraw(Talk),
    /// The unread of all rooms that aren't muted.
    Count(u64),
}

/// What the shell knows of what is unread.
#[derive(Debug)]
pub(crate) struct Notices {
    words: &'static Words,
    notify: bool,
    previews: bool,
    focused: bool,
    looking: Option<RoomId>,
    rooms: BTreeMap<RoomId, Room>,
    talks: BTreeMap<Talk, Unread>,
    count: u64,
}

#[derive(Debug)]
struct Room {
    name: String,
    muted: bool,
    quiet: BTreeSet<AuthorId>,
}

#[derive(Debug, Default)]
struct Unread {
    count: u64,
    due: Option<Instant>,
    shown: bool,
    shown_at: Option<Instant>,
    /// Kept with `previews` only: when, who and what.
    last: Option<(Timestamp, String, String)>,
}

impl Notices {
    /// `words` until the person has chosen a language.
    pub(crate) fn new(words: &'static Words) -> Self {
        Self {
            words,
            notify: true,
            previews: false,
            focused: false,
            looking: None,
            rooms: BTreeMap::new(),
            talks: BTreeMap::new(),
            count: 0,
        }
    }

    /// Whether notifications are shown at all.
    pub(crate) fn notify(&self) -> bool {
        self.notify
    }

    /// The unread of all rooms that aren't muted.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn tell(&mut self, told: Told, now: Instant) -> Vec<Act> {
        let mut acts = Vec::new();
        match told {
            Told::Room {
                room,
                name,
                unread,
                muted,
            } => {
                let known = self.rooms.contains_key(&room);
                let line = self.rooms.entry(room).or_insert_with(|| Room {
                    name: String::new(),
                    muted,
                    quiet: BTreeSet::new(),
                });
                (line.name, line.muted) = (name, muted);
                self.unread(Talk { room, with: None }, unread, known, now);
            }
            Told::Gone(room) => {
                self.rooms.remove(&room);
                self.talks.retain(|talk, unread| {
                    let stays = talk.room != room;
                    if !stays && unread.shown {
                        acts.push(Act::Withdraw(*talk));
                    }
                    stays
                });
            }
            Told::Member {
                room,
                author,
                unread,
                quiet,
            } => {
                let Some(line) = self.rooms.get_mut(&room) else {
                    return acts;
                };
                if quiet {
                    line.quiet.insert(author);
                } else {
                    line.quiet.remove(&author);
                }
                let with = Some(author);
                self.unread(Talk { room, with }, unread, true, now);
            }
            Told::Message {
                talk,
                author,
                name,
                text,
                time,
            } => self.remember(talk, author, (time, name, text)),
            Told::Setting { name, value } if name == "language" => self.words = Words::of(&value),
            Told::Setting { name, value } => self.set(&name, value == "on"),
            Told::Focus(focused) => self.focused = focused,
            Told::Looking(room) => self.looking = room,
        }
        self.settle(&mut acts);
        acts
    }

    /// When [`Notices::wake`] has something to show.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.talks.values().filter_map(|unread| unread.due).min()
    }

    /// What is to be shown by now.
    pub(crate) fn wake(&mut self, now: Instant) -> Vec<Act> {
        let due: Vec<Talk> = self
            .talks
            .iter()
            .filter(|(_, unread)| unread.due.is_some_and(|due| due <= now))
            .map(|(talk, _)| *talk)
            .collect();
        let mut acts = Vec::new();
        for talk in due {
            let wanted = self.wants(talk);
            let (Some(room), Some(unread)) =
                (self.rooms.get(&talk.room), self.talks.get_mut(&talk))
            else {
                continue;
            };
            unread.due = None;
            if wanted && unread.count > 0 {
                unread.shown = true;
                unread.shown_at = Some(now);
                acts.push(Act::Show {
                    talk,
                    title: one_line(&room.name),
                    body: body(self.words, talk, unread),
                });
            }
        }
        acts
    }

    fn set(&mut self, name: &str, on: bool) {
        match name {
            "notify" => self.notify = on,
            "previews" => {
                self.previews = on;
                if !on {
                    self.talks
                        .values_mut()
                        .for_each(|unread| unread.last = None);
                }
            }
            _ => {}
        }
    }

    /// The node has counted. What was unread when the room became known is no news.
    fn unread(&mut self, talk: Talk, count: u64, known: bool, now: Instant) {
        if count == 0 && !self.talks.contains_key(&talk) {
            return;
        }
        let wanted = self.wants(talk);
        let unread = self.talks.entry(talk).or_default();
        let rose = count > unread.count;
        unread.count = count;
        if count == 0 {
            unread.last = None;
        }
        if rose && known && wanted {
            let earliest = unread.shown_at.map_or(now, |at| at + EVERY);
            unread.due.get_or_insert((now + GATHER).max(earliest));
        }
    }

    fn remember(&mut self, talk: Talk, author: AuthorId, said: (Timestamp, String, String)) {
        let quiet = self
            .rooms
            .get(&talk.room)
            .is_none_or(|room| room.quiet.contains(&author));
        if quiet || !self.previews {
            return;
        }
        let unread = self.talks.entry(talk).or_default();
        if unread.last.as_ref().is_none_or(|last| last.0 <= said.0) {
            unread.last = Some(said);
        }
    }

    /// Whether a notification may be shown: nobody wanted quiet, and the person isn't looking at it.
    fn wants(&self, talk: Talk) -> bool {
        let reading = self.focused && self.looking == Some(talk.room) && talk.with.is_none();
        self.notify && !reading && !is_quiet(&self.rooms, talk)
    }

    /// Withdraws what has no reason to be shown any more, and counts anew.
    fn settle(&mut self, acts: &mut Vec<Act>) {
        let mut count = 0u64;
        let (rooms, notify) = (&self.rooms, self.notify);
        self.talks.retain(|talk, unread| {
            let quiet = is_quiet(rooms, *talk);
            if !quiet {
                count = count.saturating_add(unread.count);
            }
            if unread.count == 0 || quiet || !notify {
                unread.due = None;
                if std::mem::take(&mut unread.shown) {
                    acts.push(Act::Withdraw(*talk));
                }
            }
            // Kept for a room that has shown something: it may not show the next at once.
            unread.count > 0 || unread.shown_at.is_some() || unread.last.is_some()
        });
        if count != self.count {
            self.count = count;
            acts.push(Act::Count(count));
        }
    }
}

/// Whether a talk draws no attention: muted, with somebody who is, or in no room any more.
fn is_quiet(rooms: &BTreeMap<RoomId, Room>, talk: Talk) -> bool {
    rooms.get(&talk.room).is_none_or(|room| {
        room.muted || talk.with.is_some_and(|author| room.quiet.contains(&author))
    })
}

/// `3 new messages`, and with previews the newest below.
fn body(words: &Words, talk: Talk, unread: &Unread) -> String {
    let counted = match talk.with {
        None => &words.messages,
        Some(_) => &words.private_messages,
    };
    let what = counted.say(unread.count);
    match &unread.last {
        Some((_, name, text)) => {
            let said: String = one_line(text).chars().take(PREVIEW_MAX).collect();
            format!("{what}\n{}: {said}", one_line(name))
        }
        None => what,
    }
}

/// What the window's title says of it.
pub(crate) fn title(name: &str, count: u64) -> String {
    match count {
        0 => name.to_owned(),
        1..=99 => format!("({count}) {name}"),
        _ => format!("(99+) {name}"),
    }
}

fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests;
