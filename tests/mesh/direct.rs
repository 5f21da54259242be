//! What two members say to each other alone: it arrives, survives, and is nobody else's.

use std::path::Path;

use peddlenet_mesh::{AuthorId, ErrorCode, Event, Message, Receipts, RoomId};
use peddlenet_tests::node_process::{NodeEvent, NodeProcess, str_of};
use peddlenet_wire::{EventHash, limits::DIRECT_TEXT_MAX};
use serde_json::json;

use crate::{
    device::{Device, pair, same_room, until},
    line::{ada_and_bea, assert_outer_two_are_not_linked, cyd_joins, has_ipv6},
    process::{code, create_room, hear, start, texts as room_texts},
};

pub(crate) const SECRET: &str = "the spare key lies under the blue pot";

pub(crate) async fn id_of(device: &Device, room: RoomId, name: &str) -> AuthorId {
    let what = format!("{} to know {name}", device.name);
    let member = until(&what, async || device.member(room, name).await).await;
    member.author
}

async fn tell(device: &Device, room: RoomId, name: &str, text: &str) -> Message {
    let to = id_of(device, room, name).await;
    let message = device.node.dm(room, to, text).await.unwrap();
    assert!(message.mine && message.direct == Some(to));
    message
}

async fn talk(device: &Device, room: RoomId, name: &str) -> Vec<Message> {
    let with = id_of(device, room, name).await;
    device
        .node
        .direct_history(room, with, None, 100)
        .await
        .unwrap()
}

pub(crate) fn texts(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|m| m.text.as_str()).collect()
}

/// Waits until the other one has seen everything that this device said to it.
async fn all_seen(device: &Device, room: RoomId, name: &str) {
    until(&format!("{name} to have seen everything"), async || {
        let own = talk(device, room, name).await;
        let seen = own.iter().filter(|m| m.mine).all(|m| m.seen_by.len() == 1);
        seen.then_some(())
    })
    .await;
}

/// Whether some bytes stand in any file of a folder.
fn holds(folder: &Path, wanted: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            return holds(&entry.path(), wanted);
        }
        let bytes = std::fs::read(entry.path()).unwrap();
        bytes.windows(wanted.len()).any(|w| w == wanted)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_reaches_one_through_another_who_learns_nothing() {
    if !has_ipv6() {
        return;
    }
    let mut line = ada_and_bea().await;
    let mut cyd = cyd_joins(&line).await;
    let room = line.room;
    assert_outer_two_are_not_linked(&line, &cyd).await;
    line.ada.say(room, "hello all").await;
    cyd.hear("hello all").await;
    let events = same_room(room, &[&line.ada, &line.bea, &cyd]).await;

    tell(&line.ada, room, "Cyd", SECRET).await;
    let heard = cyd.hear(SECRET).await;
    let ada = id_of(&cyd, room, "Ada").await;
    assert_eq!((heard.author, heard.direct), (ada, Some(ada)));
    assert_eq!((heard.name.as_str(), heard.hops), ("Ada", 2));
    tell(&cyd, room, "Ada", "and the pot?").await;
    line.ada.hear("and the pot?").await;
    for (device, other) in [(&line.ada, "Cyd"), (&cyd, "Ada")] {
        all_seen(device, room, other).await;
        assert_eq!(
            texts(&talk(device, room, other).await),
            [SECRET, "and the pot?"]
        );
        // The room has not changed by it, for anybody.
        assert_eq!(device.texts(room).await, ["hello all"]);
    }
    assert_eq!(same_room(room, &[&line.ada, &line.bea, &cyd]).await, events);
    assert_eq!(talk(&line.bea, room, "Cyd").await, []);
    let heard = |e: &Event| matches!(e, Event::Message(m) if m.direct.is_some());
    line.bea.say(room, "last").await;
    line.bea.hear("last").await;
    assert!(!line.bea.seen.iter().any(heard));

    let event = talk(&cyd, room, "Ada").await[0].id;
    let bea = line.bea.shut().await;
    assert!(!holds(bea.folder(), SECRET.as_bytes()));
    assert!(!holds(bea.folder(), &event.0));
    // The look finds what is there.
    let cyd = cyd.shut().await;
    assert!(holds(cyd.folder(), &event.0));
    assert!(
        !holds(cyd.folder(), SECRET.as_bytes()),
        "sealed at rest, too"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_with_a_custodian_and_stays_with_both_after_restarts() {
    let mut bea = Device::new("Bea").await;
    let (ada, cyd) = (Device::new("Ada").await, Device::new("Cyd").await);
    let room = bea.node.create_room("Camp").await.unwrap();
    ada.join(&bea.code(room).await).await;
    cyd.join(&bea.code(room).await).await;
    same_room(room, &[&ada, &bea, &cyd]).await;
    id_of(&ada, room, "Cyd").await;
    id_of(&cyd, room, "Ada").await;

    // Cyd is away; Ada writes, gives it to Bea, and goes away.
    let cyd = cyd.shut().await;
    until("Ada to lose Cyd", async || {
        (ada.node.links().await.unwrap().len() == 1).then_some(())
    })
    .await;
    for text in ["one", "two", SECRET] {
        tell(&ada, room, "Cyd", text).await;
    }
    until("Bea to be asked to keep them", async || {
        let (stats, _) = ada.node.stats().await.unwrap();
        (stats.direct_kept == 3).then_some(())
    })
    .await;
    // What is said after that arrives after that.
    ada.say(room, "good night").await;
    bea.hear("good night").await;
    let ada = ada.shut().await;

    let mut cyd = Device::reopen(cyd).await;
    cyd.hear(SECRET).await;
    cyd.hear("one").await;
    cyd.hear("two").await;
    assert_eq!(
        texts(&talk(&cyd, room, "Ada").await),
        ["one", "two", SECRET]
    );

    // The receipt finds Ada, who did not know that they arrived.
    let ada = Device::reopen(ada).await;
    all_seen(&ada, room, "Cyd").await;
    tell(&cyd, room, "Ada", "found it").await;
    let (ada, cyd) = (ada.shut().await, cyd.shut().await);
    let (ada, cyd) = (Device::reopen(ada).await, Device::reopen(cyd).await);
    for (device, other) in [(&ada, "Cyd"), (&cyd, "Ada")] {
        let what = format!("all four to be with {}", device.name);
        let all = until(&what, async || {
            let all = talk(device, room, other).await;
            (all.len() == 4).then_some(all)
        })
        .await;
        assert_eq!(texts(&all), ["one", "two", SECRET, "found it"]);
        all_seen(device, room, other).await;
    }
    let (stats, _) = cyd.node.stats().await.unwrap();
    assert_eq!(stats.direct_refused, 0);
    let bea = bea.shut().await;
    assert!(!holds(bea.folder(), SECRET.as_bytes()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_sets_out_again_after_the_senders_restart() {
    let (ada, bea, room) = pair("Two").await;
    id_of(&ada, room, "Bea").await;
    let bea = bea.shut().await;
    // Nobody is there to keep it.
    tell(&ada, room, "Bea", SECRET).await;
    let ada = Device::reopen(ada.shut().await).await;
    let mut bea = Device::reopen(bea).await;
    bea.hear(SECRET).await;
    all_seen(&ada, room, "Bea").await;
    assert_eq!(talk(&bea, room, "Ada").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_comes_in_pages_in_order() {
    let (mut ada, mut bea, room) = pair("Two").await;
    let mut said = Vec::new();
    for n in 0..12 {
        let text = format!("turn {n}");
        let (from, to) = if n % 3 == 0 {
            (&bea, &mut ada)
        } else {
            (&ada, &mut bea)
        };
        let name = to.name.clone();
        tell(from, room, &name, &text).await;
        to.hear(&text).await;
        said.push(text);
    }
    for (device, other) in [(&ada, "Bea"), (&bea, "Ada")] {
        let with = id_of(device, room, other).await;
        let mut all: Vec<Message> = Vec::new();
        loop {
            let before = all.first().map(|m| m.id);
            let page = device.node.direct_history(room, with, before, 5).await;
            let page = page.unwrap();
            assert!(page.len() <= 5);
            if page.is_empty() {
                break;
            }
            all.splice(0..0, page);
        }
        assert_eq!(texts(&all), said);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_confirms_nothing_confirms_delivery_alone() {
    let ada = Device::new("Ada").await;
    let mut bea = Device::with_receipts("Bea", Receipts::Never).await;
    let room = ada.node.create_room("Two").await.unwrap();
    bea.join(&ada.code(room).await).await;
    tell(&ada, room, "Bea", SECRET).await;
    let heard = bea.hear(SECRET).await;
    bea.wait(
        "the room's line to count it",
        |event| matches!(event, Event::Room(line) if line.direct_unread == 1),
    )
    .await;
    bea.node.mark_seen(room, heard.id).await.unwrap();
    // What is said back comes after the receipts, were there any.
    tell(&bea, room, "Ada", "ok").await;
    let mut ada = ada;
    ada.hear("ok").await;
    let unread = |d: &Device, name: &'static str| {
        let node = d.node.clone();
        async move {
            let members = node.members(room).await.unwrap();
            let member = members.into_iter().find(|m| m.name == name);
            member.unwrap().direct_unread
        }
    };
    until("Bea to have read it", async || {
        (unread(&bea, "Ada").await == 0).then_some(())
    })
    .await;
    bea.wait_for_events("the room's line to count nothing again", |seen| {
        let counts = seen.iter().filter_map(|event| match event {
            Event::Room(line) => Some(line.direct_unread),
            _ => None,
        });
        counts
            .skip_while(|count| *count == 0)
            .any(|count| count == 0)
    })
    .await;
    let seen_by = |messages: Vec<Message>| messages[0].seen_by.clone();
    assert_eq!(seen_by(talk(&ada, room, "Bea").await), []);
    // It is not sent again for want of a receipt: nothing waits after a restart.
    let (ada, bea) = (ada.shut().await, bea.shut().await);
    let (ada, mut bea) = (Device::reopen(ada).await, Device::reopen(bea).await);
    tell(&ada, room, "Bea", "still there?").await;
    bea.hear("still there?").await;
    let again = |m: &Event| matches!(m, Event::Message(m) if m.text == SECRET);
    assert!(!bea.seen.iter().any(again));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_sent_says_why() {
    let (ada, bea, room) = pair("Two").await;
    let (me, other) = (
        id_of(&ada, room, "Ada").await,
        id_of(&ada, room, "Bea").await,
    );
    let long = "a".repeat(DIRECT_TEXT_MAX + 1);
    let nowhere = RoomId([9; 16]);
    let cases = [
        (room, AuthorId([9; 32]), "hi", ErrorCode::MemberUnknown),
        (room, me, "hi", ErrorCode::Yourself),
        (room, other, " \n", ErrorCode::TextEmpty),
        (room, other, &long, ErrorCode::TextTooLong),
        (nowhere, other, "hi", ErrorCode::RoomUnknown),
    ];
    for (room, to, text, code) in cases {
        let error = ada.node.dm(room, to, text).await.unwrap_err();
        println!("{}: {}", error.code, error.message);
        assert_eq!(error.code, code);
    }
    for (with, code) in [
        (me, ErrorCode::Yourself),
        (AuthorId([9; 32]), ErrorCode::MemberUnknown),
    ] {
        let error = ada.node.direct_history(room, with, None, 9).await;
        assert_eq!(error.unwrap_err().code, code);
    }
    let missing = Some(EventHash([1; 32]));
    let error = ada.node.direct_history(room, other, missing, 9).await;
    assert_eq!(error.unwrap_err().code, ErrorCode::MessageUnknown);
    let mut bea = bea;
    let longest = "b".repeat(DIRECT_TEXT_MAX);
    tell(&ada, room, "Bea", &longest).await;
    bea.hear(&longest).await;
}

#[test]
fn two_programs_write_to_each_other_alone() {
    let ((_a, ada), (_b, mut bea)) = (start("Ada"), start("Bea"));
    let room = create_room(&ada, "Two");
    bea.ok("join", json!({"link": code(&ada, &room)})).unwrap();
    let id = |node: &NodeProcess, name: &str| {
        let members = node.ok("members", json!({"room": room})).unwrap();
        let all = members["members"].as_array().unwrap().clone();
        let member = all.iter().find(|m| m["name"] == name);
        str_of(member.unwrap_or_else(|| panic!("{all:?}")), "author").to_owned()
    };
    hear_joined(&ada);
    let (to, from) = (id(&ada, "Bea"), id(&bea, "Ada"));
    let sent = ada.ok("dm", json!({"room": room, "to": to, "text": SECRET}));
    let sent = sent.unwrap();
    let heard = hear(&bea, SECRET);
    assert_eq!(heard["message"], sent["message"]);
    assert_eq!(
        (&heard["direct"], &heard["with"]),
        (&json!(true), &json!(from))
    );
    ada.wait_for_event("Bea to have seen it", |e| {
        e.kind() == "receipt" && e.value["message"] == sent["message"]
    })
    .unwrap();
    let failure = ada.request("dm", json!({"room": room, "to": from, "text": "me"}));
    assert_eq!(failure.unwrap().unwrap_err().code, "yourself");

    bea.kill().unwrap();
    let bea = bea.restart().unwrap();
    for (node, with) in [(&ada, &to), (&bea, &from)] {
        let history = node.ok("history", json!({"room": room, "with": with}));
        let history = history.unwrap();
        let message = &history["messages"][0];
        assert_eq!(message["text"], SECRET);
        assert_eq!(
            (&message["direct"], &message["with"]),
            (&json!(true), &json!(with))
        );
        assert_eq!(room_texts(node, &room), Vec::<String>::new());
    }
}

fn hear_joined(node: &NodeProcess) {
    let named = |e: &NodeEvent| e.kind() == "member" && e.str("name") == "Bea";
    node.wait_for_event("Bea to say her name", named).unwrap();
}
