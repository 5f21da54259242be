//! What one member may put on everybody's disk.

use peddlenet_crypto::{Draft, seal_event};
use peddlenet_mesh::ErrorCode;
use peddlenet_wire::{
    Capped, EventHash, Frame, Hlc, Seq, SignedEvent, Stream, Timestamp,
    content::{Content, Text},
    frame::{Batch, Head, Heads, Want, Wanted},
    ids::Digest,
};

use crate::{
    device::{Device, pair, same_room, until},
    raw_member::RawMember,
};

/// Bytes of the longest text.
const LONG: usize = 16 * 1024;
/// Two days' worth, which everybody has from the start (bytes).
const BUDGET: usize = 2 * 16 * 1024 * 1024;
/// Texts of that length in it (count); each takes a little more.
const TEXTS: u64 = 2 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_honest_device_says_when_it_has_said_enough() {
    let (ada, bea, room) = pair("Camp 7").await;
    let text = "x".repeat(LONG);
    let mut said = 0;
    let refused = loop {
        match bea.node.send(room, &text).await {
            Ok(_) => said += 1,
            Err(e) => break e,
        }
        assert!(said * LONG < BUDGET, "nobody stopped it");
    };
    assert_eq!(refused.code, ErrorCode::SaidTooMuch);
    assert!(said * LONG > BUDGET * 9 / 10, "{said} messages");
    // Others have all of it, a restart doesn't forget, and who was quiet may go on.
    same_room(room, &[&ada, &bea]).await;
    let bea = Device::reopen(bea.shut().await).await;
    let again = async || {
        let more = bea.node.send(room, &text).await;
        more.is_err_and(|e| e.code == ErrorCode::SaidTooMuch)
            .then_some(())
    };
    // At most what was not saved yet.
    until("the sum to be full again", again).await;
    ada.say(room, "that was a lot").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_hostile_member_says_beyond_its_share_reaches_no_disk() {
    let ada = Device::new("Ada").await;
    let room = ada.node.create_room("Camp 7").await.unwrap();
    let mut raw = RawMember::join(&ada.code(room).await).await;
    let before = ada.heads(room).await.events;
    let log = excess(&raw, BUDGET / LONG + 300);
    let last = log.last().unwrap();
    let head = Head {
        author: raw.key.id(),
        stream: Stream::CONTENT,
        base: Seq::FIRST,
        seq: last.header().seq,
        hash: last.hash(),
    };
    raw.send(&Frame::Heads(Heads {
        room: raw.tag,
        heads: Capped::take_from(&mut std::iter::once(head)),
        reply: false,
        some: true,
    }))
    .await;
    // Everything that is asked for is given, until nothing has been for a while.
    let is_want = |frame: &Frame| match frame {
        Frame::Want(want) => Some(want.clone()),
        _ => None,
    };
    let mut given = 0;
    while given < log.len() {
        let Want { room, id, what } = raw.wait_for("to be asked", is_want).await;
        let wanted: Vec<_> = match what {
            Wanted::Range { from, to, .. } => log
                .iter()
                .filter(|e| (from..=to).contains(&e.header().seq))
                .cloned()
                .collect(),
            Wanted::Page { limit, .. } => log.iter().rev().take(limit.into()).cloned().collect(),
        };
        given += wanted.len();
        for event in &wanted {
            let events = Capped::take_from(&mut std::iter::once(event.clone()));
            let done = event.hash() == wanted.last().unwrap().hash();
            let batch = Batch {
                room,
                id,
                events,
                done,
            };
            raw.send(&Frame::Batch(batch)).await;
        }
    }
    let full = async || {
        let held = ada.heads(room).await.events - before;
        (held > TEXTS * 9 / 10).then_some(held)
    };
    until("its share to be full", full).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let held = ada.heads(room).await.events - before;
    // A text of 16 KiB takes 17, so the little that others take beyond its share does not show.
    assert!(held <= TEXTS, "{held} events of {}", log.len());
}

/// A log that holds, of the longest texts.
fn excess(raw: &RawMember, count: usize) -> Vec<SignedEvent> {
    let text = Content::Text(Text::new(&"y".repeat(LONG)).unwrap()).to_bytes();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let now = Hlc::at(Timestamp(now.try_into().unwrap()));
    let mut previous = EventHash::ZERO;
    (1..=count as u64)
        .map(|n| {
            let draft = Draft {
                room: raw.tag,
                stream: Stream::CONTENT,
                seq: Seq(n),
                previous,
                clock: Hlc(now.0 + n),
                parents: Capped::default(),
                membership: Digest::ZERO,
            };
            let mut nonce = [0; 24];
            nonce[..8].copy_from_slice(&n.to_be_bytes());
            let event = seal_event(&draft, &raw.key, &raw.epoch, nonce, &text).unwrap();
            previous = event.hash();
            event
        })
        .collect()
}
