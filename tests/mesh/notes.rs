//! Edits, deletions, reactions, replies: everybody comes to see the same, whatever came first, and nobody
//! changes what others wrote.

use peddlenet_mesh::{AuthorId, ErrorCode, Event, Message, MessageId, RoomId, Shown, Words};
use peddlenet_wire::{
    EventHash, Frame,
    content::{Content, Delete, Edit, React},
    frame::Event as EventFrame,
};

use crate::{
    device::{Device, pair, same_room, until},
    direct::id_of,
    raw_member::RawMember,
};

/// Waits until a device shows a message as wanted.
async fn shows(
    device: &Device,
    room: RoomId,
    message: MessageId,
    what: &str,
    wanted: impl Fn(&Message) -> bool,
) -> Message {
    let what = format!("{} to show {what}", device.name);
    until(&what, async || {
        let found = device.node.message(room, message).await.ok();
        found.filter(&wanted)
    })
    .await
}

fn reactions(message: &Message) -> Vec<(&str, usize)> {
    let reactions = message.reactions.iter();
    reactions
        .map(|r| (r.reaction.as_str(), r.authors.len()))
        .collect()
}

fn code<T>(outcome: Result<T, peddlenet_mesh::Error>) -> Option<ErrorCode> {
    outcome.err().map(|e| e.code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_about_a_message_reaches_all_and_stays() {
    let (ada, mut bea, room) = pair("Notes").await;
    let first = ada.say(room, "gate B").await;
    bea.hear("gate B").await;
    let ada_id = id_of(&bea, room, "Ada").await;
    let words = Words {
        text: "Ada, which one?".into(),
        reply_to: Some(first),
        mentions: vec![ada_id],
    };
    let answer = bea.node.send(room, words).await.unwrap();
    let heard = shows(&ada, room, answer.id, "the answer", |_| true).await;
    assert_eq!(heard.reply_to, Some(first));
    assert_eq!(heard.mentions, [ada_id]);

    let edited = ada.node.edit(room, first, "gate C").await.unwrap();
    assert_eq!(edited.message.text, "gate C");
    assert_ne!(edited.event, first);
    let seen = shows(&bea, room, first, "the edit", |m| m.text == "gate C").await;
    assert!(seen.edited.is_some() && seen.id == first);
    bea.wait(
        "the edit",
        |e| matches!(e, Event::Changed(m) if m.id == first && m.text == "gate C"),
    )
    .await;
    ada.node.edit(room, first, "gate D").await.unwrap();
    shows(&bea, room, first, "the last edit", |m| m.text == "gate D").await;

    bea.node.react(room, first, "👍").await.unwrap();
    ada.node.react(room, first, "👍").await.unwrap();
    shows(&ada, room, first, "both", |m| reactions(m) == [("👍", 2)]).await;
    bea.node.react(room, first, "🎉").await.unwrap();
    shows(&ada, room, first, "another", |m| {
        reactions(m) == [("👍", 1), ("🎉", 1)]
    })
    .await;
    ada.node.react(room, first, "").await.unwrap();
    shows(&bea, room, first, "one", |m| reactions(m) == [("🎉", 1)]).await;

    bea.node.delete(room, answer.id).await.unwrap();
    let gone = shows(&ada, room, answer.id, "the deletion", |m| {
        m.shown == Shown::Deleted
    })
    .await;
    assert!(gone.text.is_empty() && gone.mentions.is_empty());
    // It can't be undone by saying more about it.
    assert_eq!(
        code(bea.node.edit(room, answer.id, "again").await),
        Some(ErrorCode::MessageUnknown)
    );
    // What is said about messages is no message: two are there, and nothing is unread but one of them.
    assert_eq!(ada.texts(room).await, ["gate D", ""]);
    same_room(room, &[&ada, &bea]).await;

    // Somebody who comes later gets the edits before what they edit, and sees the same.
    let cyd = Device::new("Cyd").await;
    cyd.join(&ada.code(room).await).await;
    same_room(room, &[&ada, &bea, &cyd]).await;
    assert_eq!(cyd.texts(room).await, ["gate D", ""]);
    let late = shows(&cyd, room, first, "the reaction", |_| true).await;
    assert_eq!(reactions(&late), [("🎉", 1)]);

    let bea = Device::reopen(bea.shut().await).await;
    assert_eq!(bea.texts(room).await, ["gate D", ""]);
    let again = bea.node.message(room, first).await.unwrap();
    assert_eq!(reactions(&again), [("🎉", 1)]);
    let last = bea.node.rooms().await.unwrap().remove(0).last.unwrap();
    assert_eq!(
        (last.id, last.shown),
        (answer.id, Shown::Deleted),
        "the list shows it as it is now"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_can_be_refused() {
    let (ada, mut bea, room) = pair("Refused").await;
    let message = ada.say(room, "mine").await;
    bea.hear("mine").await;
    let node = &bea.node;
    let edit = node.edit(room, message, "yours").await;
    assert_eq!(code(edit), Some(ErrorCode::NotYours));
    let delete = node.delete(room, message).await;
    assert_eq!(code(delete), Some(ErrorCode::NotYours));
    let unknown = node.react(room, EventHash([9; 32]), "👍").await;
    assert_eq!(code(unknown), Some(ErrorCode::MessageUnknown));
    let long = node.react(room, message, &"x".repeat(41)).await;
    assert_eq!(code(long), Some(ErrorCode::TextTooLong));
    let empty = ada.node.edit(room, message, " ").await;
    assert_eq!(code(empty), Some(ErrorCode::TextEmpty));
    assert_eq!(ada.texts(room).await, ["mine"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_changes_what_another_wrote() {
    let mut bea = Device::new("Bea").await;
    let room = bea.node.create_room("Camp").await.unwrap();
    let message = bea.say(room, "as I said").await;
    let mallory = RawMember::join(&bea.code(room).await).await;
    let mut previous = EventHash::ZERO;
    let said = [
        Content::Edit(Edit::new(message, "as they said").unwrap()),
        Content::Delete(Delete { target: message }),
        Content::React(React::new(message, "👎").unwrap()),
        // A note on a note, and one on nothing.
        Content::Delete(Delete {
            target: EventHash([7; 32]),
        }),
    ];
    for (seq, content) in (1..).zip(&said) {
        let event = mallory.content(seq, previous, content);
        previous = event.hash();
        let frame = EventFrame {
            event,
            hops: 0,
            cost: 0,
        };
        mallory.send(&Frame::Event(frame)).await;
    }
    // The reaction counts, so what came before it was taken, too.
    let shown = shows(&bea, room, message, "the reaction", |m| {
        reactions(m) == [("👎", 1)]
    })
    .await;
    assert_eq!(
        (shown.text.as_str(), shown.shown),
        ("as I said", Shown::Text)
    );
    assert!(shown.edited.is_none());
    let changed = bea
        .wait("the change", |e| matches!(e, Event::Changed(_)))
        .await;
    assert!(matches!(changed, Event::Changed(m) if m.text == "as I said"));
    // Blocking somebody takes their reactions from the screen, and gives them back.
    let author = mallory.key.id();
    bea.node.block(room, author, true).await.unwrap();
    assert!(reactions(&bea.node.message(room, message).await.unwrap()).is_empty());
    bea.node.block(room, author, false).await.unwrap();
    let again = bea.node.message(room, message).await.unwrap();
    assert_eq!(reactions(&again), [("👎", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_to_one_alone_can_be_changed_too() {
    let (mut ada, mut bea, room) = pair("Two").await;
    let [ada_id, bea_id]: [AuthorId; 2] = [
        id_of(&bea, room, "Ada").await,
        id_of(&ada, room, "Bea").await,
    ];
    let said = ada.node.dm(room, bea_id, "the red tent").await.unwrap();
    bea.hear("the red tent").await;
    ada.node.edit(room, said.id, "the blue tent").await.unwrap();
    shows(&bea, room, said.id, "the edit", |m| {
        m.text == "the blue tent"
    })
    .await;
    bea.node.react(room, said.id, "❤️").await.unwrap();
    let shown = shows(&ada, room, said.id, "the sign", |m| {
        reactions(m) == [("❤️", 1)]
    })
    .await;
    assert_eq!(shown.direct, Some(bea_id));
    // What is said about it makes nothing unread, and fills no page.
    let unread = bea.member(room, "Ada").await.unwrap().direct_unread;
    assert!(unread <= 1, "{unread}");
    let talk = bea
        .node
        .direct_history(room, ada_id, None, 1)
        .await
        .unwrap();
    assert_eq!(talk.len(), 1);
    assert_eq!(talk[0].text, "the blue tent");
    let theirs = bea.node.delete(room, said.id).await;
    assert_eq!(code(theirs), Some(ErrorCode::NotYours));
    ada.node.delete(room, said.id).await.unwrap();
    shows(&bea, room, said.id, "the deletion", |m| {
        m.shown == Shown::Deleted
    })
    .await;
    ada.wait(
        "the deletion",
        |e| matches!(e, Event::Changed(m) if m.shown == Shown::Deleted),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_tells_how_many_took_it() {
    let (mut ada, mut bea, room) = pair("Taken").await;
    let alone = ada.node.create_room("Alone").await.unwrap();
    let quiet = ada.say(alone, "anybody?").await;
    let message = ada.say(room, "hello").await;
    bea.hear("hello").await;
    ada.wait(
        "Bea to have been handed it",
        |e| matches!(e, Event::Sent { message: m, to: 1, .. } if *m == message),
    )
    .await;
    let read = ada.node.history(room, None, 10).await.unwrap();
    assert_eq!(read.iter().map(|m| m.sent_to).collect::<Vec<_>>(), [1]);
    let quiet = ada.node.message(alone, quiet).await.unwrap();
    assert_eq!(quiet.sent_to, 0);
    assert!(
        !ada.seen
            .iter()
            .any(|e| matches!(e, Event::Sent { room, .. } if *room == alone))
    );
}
