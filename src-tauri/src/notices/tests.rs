//! What is shown, withdrawn and counted.

use super::*;

fn room(byte: &str) -> RoomId {
    byte.repeat(RoomId::LEN).parse().unwrap()
}

fn author(byte: &str) -> AuthorId {
    byte.repeat(AuthorId::LEN).parse().unwrap()
}

fn talk(byte: &str) -> Talk {
    Talk {
        room: room(byte),
        with: None,
    }
}

fn line(byte: &str, unread: u64) -> Told {
    Told::Room {
        room: room(byte),
        name: format!("Camp {byte}"),
        unread,
        muted: false,
    }
}

fn setting(name: &str, value: &str) -> Told {
    Told::Setting {
        name: name.into(),
        value: value.into(),
    }
}

fn said(byte: &str, text: &str, time: u64) -> Told {
    Told::Message {
        talk: talk(byte),
        author: author("c3"),
        name: "Ada".into(),
        text: text.into(),
        time: Timestamp(time),
    }
}

/// Two rooms, `a1` and `b2`, nothing unread, the window behind others.
fn quiet() -> (Notices, Instant) {
    let (mut notices, now) = (Notices::new(Words::of("en")), Instant::now());
    for byte in ["a1", "b2"] {
        assert_eq!(notices.tell(line(byte, 0), now), []);
    }
    assert_eq!(notices.due(), None);
    (notices, now)
}

fn shows(acts: &[Act]) -> Vec<(Talk, &str, &str)> {
    acts.iter()
        .filter_map(|act| match act {
            Act::Show { talk, title, body } => Some((*talk, title.as_str(), body.as_str())),
            _ => None,
        })
        .collect()
}

#[test]
fn a_burst_is_one_notification_without_words_and_names() {
    let (mut notices, now) = quiet();
    for n in 1..=3 {
        notices.tell(said("a1", "the code is 1234", n), now);
        assert_eq!(notices.tell(line("a1", n), now), [Act::Count(n)]);
    }
    assert_eq!(notices.due(), Some(now + GATHER));
    assert_eq!(notices.wake(now), [], "too early");
    let acts = notices.wake(now + GATHER);
    assert_eq!(shows(&acts), [(talk("a1"), "Camp a1", "3 new messages")]);
    assert_eq!(notices.due(), None);
}

#[test]
fn a_talkative_room_shows_one_every_few_seconds_and_others_are_not_held_up() {
    let (mut notices, now) = quiet();
    notices.tell(line("a1", 1), now);
    let first = now + GATHER;
    assert_eq!(shows(&notices.wake(first)).len(), 1);
    notices.tell(line("a1", 2), first);
    notices.tell(line("b2", 1), first);
    assert_eq!(
        shows(&notices.wake(first + GATHER)),
        [(talk("b2"), "Camp b2", "1 new message")]
    );
    notices.tell(line("a1", 9), first + GATHER);
    assert_eq!(
        shows(&notices.wake(first + EVERY)),
        [(talk("a1"), "Camp a1", "9 new messages")]
    );
}

#[test]
fn a_pause_after_reading_does_not_lift_the_limit() {
    let (mut notices, now) = quiet();
    notices.tell(line("a1", 1), now);
    let shown = now + GATHER;
    notices.wake(shown);
    assert_eq!(
        notices.tell(line("a1", 0), shown),
        [Act::Withdraw(talk("a1")), Act::Count(0)]
    );
    notices.tell(line("a1", 1), shown);
    assert_eq!(notices.due(), Some(shown + EVERY));
}

#[test]
fn what_is_read_in_time_is_not_shown() {
    let (mut notices, now) = quiet();
    notices.tell(line("a1", 1), now);
    assert_eq!(notices.tell(line("a1", 0), now), [Act::Count(0)]);
    assert_eq!(notices.due(), None);
}

#[test]
fn the_room_on_the_screen_is_silent_while_the_window_has_the_focus() {
    let (mut notices, now) = quiet();
    notices.tell(Told::Looking(Some(room("a1"))), now);
    notices.tell(Told::Focus(true), now);
    notices.tell(line("a1", 1), now);
    assert_eq!(notices.due(), None);
    notices.tell(line("b2", 1), now);
    assert_eq!(shows(&notices.wake(now + GATHER)).len(), 1, "another room");

    notices.tell(Told::Focus(false), now + GATHER);
    notices.tell(line("a1", 2), now + GATHER);
    // The person came back before it was shown.
    notices.tell(Told::Focus(true), now + GATHER);
    assert_eq!(shows(&notices.wake(now + GATHER + GATHER)), []);
}

#[test]
fn a_muted_room_is_silent_and_not_counted() {
    let (mut notices, now) = quiet();
    notices.tell(line("a1", 1), now);
    notices.wake(now + GATHER);
    let muted = Told::Room {
        room: room("a1"),
        name: "Camp a1".into(),
        unread: 2,
        muted: true,
    };
    assert_eq!(
        notices.tell(muted, now),
        [Act::Withdraw(talk("a1")), Act::Count(0)]
    );
    assert_eq!(notices.due(), None);
}

#[test]
fn nothing_is_shown_while_notifications_are_off() {
    let (mut notices, now) = quiet();
    notices.tell(line("a1", 1), now);
    notices.wake(now + GATHER);
    let off = notices.tell(setting("notify", "off"), now);
    assert_eq!(off, [Act::Withdraw(talk("a1"))], "the count stays");
    assert_eq!(notices.tell(line("a1", 2), now), [Act::Count(2)]);
    assert_eq!(notices.due(), None);
    notices.tell(setting("notify", "on"), now);
    notices.tell(line("a1", 3), now);
    assert!(notices.due().is_some());
}

#[test]
fn what_was_unread_at_the_start_is_counted_and_not_shown() {
    let (mut notices, now) = (Notices::new(Words::of("en")), Instant::now());
    assert_eq!(notices.tell(line("a1", 4), now), [Act::Count(4)]);
    assert_eq!(notices.due(), None);
    notices.tell(line("a1", 5), now);
    let acts = notices.wake(now + GATHER);
    assert_eq!(shows(&acts), [(talk("a1"), "Camp a1", "5 new messages")]);
}

#[test]
fn a_room_that_is_gone_takes_its_notifications_along() {
    let (mut notices, now) = quiet();
    notices.tell(line("a1", 1), now);
    notices.wake(now + GATHER);
    assert_eq!(
        notices.tell(Told::Gone(room("a1")), now),
        [Act::Withdraw(talk("a1")), Act::Count(0)]
    );
}

#[test]
fn words_to_one_alone_are_told_apart_and_not_from_the_muted() {
    let (mut notices, now) = quiet();
    let member = |unread, quiet| Told::Member {
        room: room("a1"),
        author: author("c3"),
        unread,
        quiet,
    };
    notices.tell(member(1, false), now);
    let direct = Talk {
        room: room("a1"),
        with: Some(author("c3")),
    };
    assert_eq!(
        shows(&notices.wake(now + GATHER)),
        [(direct, "Camp a1", "1 private message")]
    );
    assert_eq!(
        notices.tell(member(2, true), now),
        [Act::Withdraw(direct), Act::Count(0)]
    );
    assert_eq!(notices.due(), None);
}

#[test]
fn previews_show_the_newest_and_nothing_of_the_muted() {
    let (mut notices, now) = quiet();
    notices.tell(setting("previews", "on"), now);
    notices.tell(said("a1", "see\nyou  there\u{7}", 9), now);
    notices.tell(said("a1", "older, fetched late", 3), now);
    notices.tell(line("a1", 2), now);
    let acts = notices.wake(now + GATHER);
    let body = "2 new messages\nAda: see you there";
    assert_eq!(shows(&acts), [(talk("a1"), "Camp a1", body)]);

    let quiet = Told::Member {
        room: room("b2"),
        author: author("c3"),
        unread: 0,
        quiet: true,
    };
    notices.tell(quiet, now);
    notices.tell(said("b2", "not for you", 1), now);
    notices.tell(line("b2", 1), now);
    let acts = notices.wake(now + GATHER);
    assert_eq!(shows(&acts), [(talk("b2"), "Camp b2", "1 new message")]);
}

#[test]
fn previews_that_were_switched_off_are_forgotten_at_once() {
    let (mut notices, now) = quiet();
    notices.tell(setting("previews", "on"), now);
    notices.tell(said("a1", "secret", 1), now);
    notices.tell(line("a1", 1), now);
    notices.tell(setting("previews", "off"), now);
    let acts = notices.wake(now + GATHER);
    assert_eq!(shows(&acts), [(talk("a1"), "Camp a1", "1 new message")]);
}

#[test]
fn the_title_counts_up_to_99() {
    let titles = [0, 3, 100].map(|count| title("PeddleNet", count));
    assert_eq!(titles, ["PeddleNet", "(3) PeddleNet", "(99+) PeddleNet"]);
}

#[test]
fn what_is_shown_speaks_the_language_that_was_chosen() {
    let (mut notices, now) = quiet();
    notices.tell(setting("language", "ar"), now);
    notices.tell(line("a1", 2), now);
    let acts = notices.wake(now + GATHER);
    assert_eq!(shows(&acts), [(talk("a1"), "Camp a1", "رسالتان جديدتان")]);
}
