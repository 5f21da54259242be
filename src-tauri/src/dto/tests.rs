//! The shapes, as ui/ipc/types.js has them.

use std::time::Duration;

use peddlenet_mesh::{self as mesh, AuthorId, InviteId, MessageId, Reach, RoomId, Timestamp};
use serde_json::{Value, json};

use super::*;

/// A hex id of one byte repeated, and the typed id.
fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(byte: &str, len: usize) -> (String, T) {
    let hex = byte.repeat(len);
    let id = hex.parse().unwrap();
    (hex, id)
}

fn shape(dto: impl Serialize) -> Value {
    serde_json::to_value(dto).unwrap()
}

fn message() -> (mesh::Message, Value) {
    let (message_hex, message) = id::<MessageId>("a1", MessageId::LEN);
    let (room_hex, room) = id::<RoomId>("b2", RoomId::LEN);
    let (author_hex, author) = id::<AuthorId>("c3", AuthorId::LEN);
    let (reader_hex, reader) = id::<AuthorId>("d4", AuthorId::LEN);
    let value = mesh::Message {
        id: message,
        room,
        author,
        name: "Ada".into(),
        text: "hello".into(),
        shown: mesh::Shown::Text,
        reply_to: Some(message),
        mentions: vec![reader],
        reactions: vec![mesh::Reaction {
            reaction: "👍".into(),
            authors: vec![author, reader],
        }],
        edited: Some(Timestamp(8)),
        sent_to: 3,
        time: Timestamp(1_700_000_000_123),
        hops: 2,
        mine: false,
        seen_by: vec![reader],
        direct: None,
    };
    let json = json!({
        "message": message_hex, "room": room_hex, "author": author_hex, "name": "Ada",
        "text": "hello", "timeMs": 1_700_000_000_123_u64, "hops": 2, "mine": false,
        "replyTo": message_hex, "mentions": [reader_hex],
        "reactions": [{"reaction": "👍", "authors": [author_hex, reader_hex]}],
        "editedMs": 8, "deleted": false, "newer": false, "sentTo": 3,
        "clientId": null, "seenBy": [reader_hex], "direct": null,
    });
    (value, json)
}

#[test]
fn a_message_crosses_in_this_shape() {
    let (message, mut json) = message();
    assert_eq!(shape(Message::from(message.clone())), json);
    json["clientId"] = "m-1".into();
    assert_eq!(shape(Message::sent(message.clone(), "m-1".into())), json);
    json["direct"] = json["author"].clone();
    let direct = mesh::Message {
        direct: Some(message.author),
        ..message
    };
    assert_eq!(shape(Message::sent(direct, "m-1".into())), json);
}

#[test]
fn a_snapshot_crosses_in_this_shape() {
    let (room_hex, room) = id::<RoomId>("b2", RoomId::LEN);
    let summary = mesh::RoomSummary {
        room,
        name: "Camp 7".into(),
        members: 3,
        near: 2,
        unread: 1,
        direct_unread: 2,
        removed: false,
        left: false,
        role: Some(mesh::Role::Owner),
        prefs: mesh::RoomPrefs {
            favourite: true,
            muted: false,
        },
        closed: true,
        backup: true,
        pass_until: Some(mesh::Timestamp(1_800_000_000_000)),
        rules: mesh::RoomOptions {
            history: mesh::History::FromJoin,
            inviters: mesh::Role::Moderator,
            retention_s: Some(86_400),
        },
        last: Some(message().0),
    };
    let empty = mesh::RoomSummary {
        last: None,
        ..summary.clone()
    };
    let snapshot = Snapshot {
        seq: 7,
        profile: Profile {
            name: None,
            key: "keychain",
        },
        rooms: vec![summary.into(), empty.into()],
        drafts: vec![
            mesh::Draft {
                room,
                to: None,
                text: "see you".into(),
            }
            .into(),
        ],
        settings: [("theme".to_owned(), "dark".to_owned())].into(),
    };
    let last = json!({"name": "Ada", "text": "hello", "timeMs": 1_700_000_000_123_u64, "deleted": false, "newer": false});
    let line = |last: Value| json!({"room": room_hex, "name": "Camp 7", "members": 3, "near": 2, "unread": 1, "directUnread": 2, "last": last, "removed": false, "left": false, "role": "owner", "favourite": true, "muted": false, "closed": true, "backup": true, "passUntilMs": 1_800_000_000_000u64, "rules": {"history": "fromJoin", "inviters": "moderator", "retentionS": 86_400}});
    assert_eq!(
        shape(snapshot),
        json!({"seq": 7, "profile": {"name": null, "key": "keychain"}, "rooms": [line(last), line(Value::Null)],
            "drafts": [{"room": room_hex, "to": null, "text": "see you"}], "settings": {"theme": "dark"}})
    );
}

#[test]
fn every_event_crosses_in_its_shape() {
    let (message, message_json) = message();
    let (author_hex, author) = id::<AuthorId>("c3", AuthorId::LEN);
    let (room_hex, room) = id::<RoomId>("b2", RoomId::LEN);
    let member = mesh::Member {
        author,
        name: "Ada".into(),
        state: Reach::Linked,
        hops: 1,
        role: mesh::Role::Owner,
        since: Some(Timestamp(8)),
        me: true,
        direct_unread: 2,
        verified: Some(mesh::VerifiedAs {
            since: Timestamp(9),
            name: "Ada L.".into(),
        }),
        muted: true,
        blocked: false,
        forked: false,
        moving: true,
        lookalike: mesh::Lookalike::Imitates(author),
        key_changed: true,
    };
    let member_json = json!({
        "author": author_hex, "name": "Ada", "state": "linked", "hops": 1, "role": "owner", "sinceMs": 8, "me": true,
        "directUnread": 2,
        "verifiedAs": "Ada L.", "muted": true, "blocked": false, "forked": false, "moving": true, "lookalike": "imitates",
        "imitates": author_hex, "keyChanged": true
    });
    let receipt = mesh::Event::Receipt {
        room,
        message: message.id,
        seen_by: vec![author],
    };
    let sent = mesh::Event::Sent {
        room,
        message: message.id,
        to: 3,
    };
    let pairs = [
        (
            mesh::Event::Changed(message.clone()),
            json!({"kind": "changed", "message": message_json}),
        ),
        (
            sent,
            json!({"kind": "sent", "room": room_hex, "message": message_json["message"], "sentTo": 3}),
        ),
        (
            mesh::Event::Setting {
                name: "theme".into(),
                value: None,
            },
            json!({"kind": "setting", "name": "theme", "value": ""}),
        ),
        (
            mesh::Event::Message(message),
            json!({"kind": "message", "message": message_json}),
        ),
        (
            receipt,
            json!({
                "kind": "receipt", "room": room_hex, "message": message_json["message"],
                "seenBy": [author_hex]
            }),
        ),
        (
            mesh::Event::Member { room, member },
            json!({"kind": "member", "room": room_hex, "member": member_json}),
        ),
        (
            mesh::Event::LetGo {
                room,
                before: mesh::Timestamp(9),
            },
            json!({"kind": "letGo", "room": room_hex, "beforeMs": 9}),
        ),
        (
            mesh::Event::RoomGone(room),
            json!({"kind": "roomGone", "room": room_hex}),
        ),
        (
            mesh::Event::Fork {
                room,
                author,
                me: false,
            },
            json!({"kind": "fork", "room": room_hex, "author": author_hex, "me": false}),
        ),
        (
            mesh::Event::Network { addrs: Vec::new() },
            json!({"kind": "network"}),
        ),
        (
            mesh::Event::Join(mesh::JoinStage::Fetching),
            json!({"kind": "join", "stage": "fetching"}),
        ),
    ];
    for (event, json) in pairs {
        assert_eq!(UiEvent::of(event).map(shape), Some(json));
    }
    assert!(UiEvent::of(mesh::Event::Lagged).is_none());
    let link = "PEDDLENET:J/AA".to_owned();
    assert_eq!(
        shape(UiEvent::Link { link }),
        json!({"kind": "link", "link": "PEDDLENET:J/AA"})
    );
    let room = room_hex.clone();
    assert_eq!(
        shape(UiEvent::Show { room }),
        json!({"kind": "show", "room": room_hex})
    );
}

#[test]
fn replies_cross_in_these_shapes() {
    let (room_hex, room) = id::<RoomId>("b2", RoomId::LEN);
    let (invite_hex, invite) = id::<InviteId>("e5", InviteId::LEN);
    let info = mesh::InviteInfo {
        id: invite,
        link: "PEDDLENET:J/AA".into(),
        bytes: 80,
        expires: Timestamp(9),
    };
    assert_eq!(
        shape(Invite::new(info, "<svg/>".into())),
        json!({
            "invite": invite_hex, "link": "PEDDLENET:J/AA", "svg": "<svg/>", "bytes": 80, "expiresMs": 9
        })
    );
    let (author_hex, author) = id::<AuthorId>("c3", AuthorId::LEN);
    let open = mesh::OpenInvite {
        id: invite,
        by: author,
        mine: true,
        expires: Timestamp(9),
        uses: None,
        used: 2,
        poster: true,
    };
    assert_eq!(
        shape(OpenInvite::from(open)),
        json!({
            "invite": invite_hex, "author": author_hex, "mine": true, "expiresMs": 9, "uses": null, "used": 2,
            "poster": true
        })
    );
    let storage = mesh::Storage {
        disk_bytes: 9,
        rooms: vec![mesh::RoomSize {
            room,
            events: 2,
            bytes: 700,
        }],
    };
    assert_eq!(
        shape(Storage::from(storage)),
        json!({"diskBytes": 9, "rooms": [{"room": room_hex, "events": 2, "bytes": 700}]})
    );
    let found = mesh::Found {
        messages: vec![message().0],
        before: Some(message().0.id),
    };
    assert_eq!(
        shape(Found::from(found)),
        json!({"messages": [message().1], "before": message().1["message"]})
    );
    let joined = mesh::Joined {
        room,
        via: "direct",
        elapsed: Duration::from_millis(41),
    };
    assert_eq!(
        shape(Joined::from(joined)),
        json!({"room": room_hex, "via": "direct", "ms": 41})
    );
    let verify = mesh::VerifyInfo {
        author,
        name: "Ada".into(),
        digits: "1".repeat(60),
        link: "PEDDLENET:V/AA".into(),
        verified: false,
        key_changed: true,
    };
    assert_eq!(
        shape(Verify::new(verify, "<svg/>".into())),
        json!({
            "author": author_hex, "name": "Ada", "digits": "1".repeat(60), "link": "PEDDLENET:V/AA",
            "svg": "<svg/>", "verified": false, "keyChanged": true
        })
    );
    assert_eq!(shape(Done {}), json!({}));
}

#[test]
fn diagnostics_cross_in_this_shape() {
    let at = |n: u64| Some(Duration::from_millis(n));
    let found = mesh::Diagnostics {
        up: Duration::from_millis(61_500),
        tasks: 3,
        lan: mesh::LanState::Off,
        near: 2,
        addresses: vec!["192.168.1.7:40123".parse().unwrap()],
        servers: vec![
            mesh::ServerState {
                url: "wss://example.org".into(),
                is_box: false,
                why_not: None,
                seen_as: Some("[2001:db8::7]:40123".parse().unwrap()),
            },
            mesh::ServerState {
                url: "ws://127.0.0.1:9".into(),
                is_box: true,
                why_not: Some("connection refused".into()),
                seen_as: None,
            },
        ],
        apart: true,
        attempts: vec![mesh::Attempts {
            via: "server",
            tried: 3,
            opened: 1,
            beaten: 1,
            p50: at(80),
            p95: None,
        }],
        failures: vec![mesh::Failure {
            via: "turn",
            reason: mesh::ErrorCode::NoAnswer,
            took: Duration::from_millis(5),
            at: Timestamp(9),
        }],
        links: Vec::new(),
        delivery: mesh::Delivery {
            sent: 4,
            p50: at(62),
            p95: None,
        },
        device: mesh::Stats::default(),
        engine: mesh::EngineStats::default(),
    };
    let mut crossed = shape(Diagnostics::new(found));
    let counters = crossed.as_object_mut().unwrap().remove("counters");
    assert!(
        counters.unwrap()[0][1].is_u64(),
        "each is a name and a count"
    );
    assert_eq!(
        crossed,
        json!({
            "upS": 61, "tasks": 3, "lan": "off", "near": 2, "addresses": ["192.168.1.7:40123"],
            "servers": [
                {"url": "wss://example.org", "box": false, "whyNot": null, "seenAs": "[2001:db8::7]:40123"},
                {"url": "ws://127.0.0.1:9", "box": true, "whyNot": "connection refused", "seenAs": null},
            ],
            "apart": true,
            "attempts": [{"via": "server", "tried": 3, "opened": 1, "beaten": 1, "p50Ms": 80.0, "p95Ms": null}],
            "failures": [{"via": "turn", "reason": "no_answer", "tookMs": 5.0, "atMs": 9}],
            "links": [],
            "delivery": {"sent": 4, "p50Ms": 62.0, "p95Ms": null},
        })
    );
}

#[test]
fn the_rules_of_a_new_room_are_read_in_this_shape() {
    let read = |value: Value| serde_json::from_value::<Rules>(value).map(mesh::RoomOptions::from);
    let usual = json!({"history": "shared", "inviters": "member", "retentionS": null});
    assert_eq!(read(usual).unwrap(), mesh::RoomOptions::default());
    let strict = json!({"history": "fromJoin", "inviters": "owner", "retentionS": 86_400});
    let expected = mesh::RoomOptions {
        history: mesh::History::FromJoin,
        inviters: mesh::Role::Owner,
        retention_s: Some(86_400),
    };
    assert_eq!(read(strict).unwrap(), expected);
    assert!(read(json!({"history": "some", "inviters": "owner", "retentionS": null})).is_err());
    let misspelt = json!({"history": "shared", "inviters": "member", "retention_s": 1});
    assert!(read(misspelt).is_err());
}

#[test]
fn roles_are_said_in_these_words() {
    for (role, word) in [
        (mesh::Role::Member, "member"),
        (mesh::Role::Moderator, "moderator"),
        (mesh::Role::Owner, "owner"),
    ] {
        assert_eq!(shape(Role::from(role)), word);
        let read: Role = serde_json::from_value(word.into()).unwrap();
        assert_eq!(mesh::Role::from(read), role);
    }
}
