//! A member who forges, replays, alters, asks for what is not its own, and listens.

use peddlenet_crypto::{direct_receipt, direct_stream, open_parcel, verify_direct_receipt};
use peddlenet_mesh::{AuthorId, Message, RoomId};
use peddlenet_wire::{
    EventHash, Frame, RoomTag, Seq, Signature, SignedEvent, Stream,
    direct::{Arrived, DirectReceipt, Parcel},
    frame::{Event as EventFrame, Want, Wanted},
};

use crate::{
    device::{Device, Shut, until},
    direct::{SECRET, id_of, texts},
    raw_member::RawMember,
};

/// Bea's node with a hostile member, and Ada, who is away.
struct Hostile {
    bea: Device,
    mallory: RawMember,
    ada: AuthorId,
    away: Shut,
    me: AuthorId,
    room: RoomId,
}

async fn hostile() -> Hostile {
    let (bea, ada) = (Device::new("Bea").await, Device::new("Ada").await);
    let room = bea.node.create_room("Camp").await.unwrap();
    ada.join(&bea.code(room).await).await;
    let ada_id = id_of(&bea, room, "Ada").await;
    let away = ada.shut().await;
    let mallory = RawMember::join(&bea.code(room).await).await;
    let me = id_of(&bea, room, "Bea").await;
    Hostile {
        bea,
        mallory,
        ada: ada_id,
        away,
        me,
        room,
    }
}

impl Hostile {
    async fn refused(&self, n: u64) {
        until(&format!("{n} parcels to be refused"), async || {
            let (stats, _) = self.bea.node.stats().await.unwrap();
            assert!(stats.direct_refused <= n, "{stats:?}");
            (stats.direct_refused == n).then_some(())
        })
        .await;
    }

    async fn receipt(&mut self) -> DirectReceipt {
        let (tag, me, key) = (self.mallory.tag, self.me, self.mallory.key.clone());
        let of = move |frame: &Frame| match frame {
            Frame::Route(route) => {
                match Parcel::from_bytes(&open_parcel(tag, me, &key, &route.payload).ok()?) {
                    Ok(Parcel::Receipt(receipt)) => Some(receipt),
                    _ => None,
                }
            }
            _ => None,
        };
        self.mallory.wait_for("a receipt", of).await
    }

    async fn with_mallory(&self) -> Vec<Message> {
        let with = self.mallory.key.id();
        let history = self.bea.node.direct_history(self.room, with, None, 100);
        history.await.unwrap()
    }
}

fn as_parcel(event: &SignedEvent) -> Parcel {
    Parcel::Event(event.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_replayed_and_altered_ones_are_refused() {
    let mut w = hostile().await;
    let (me, ada, mallory) = (w.me, w.ada, w.mallory.key.id());

    // What a member may do is taken, and confirmed by a signature.
    let good = w.mallory.direct(me, 1, EventHash::ZERO, "good");
    let parcel = w.mallory.parcel(mallory, me, &as_parcel(&good));
    w.mallory.route(None, parcel.clone()).await;
    w.bea.hear("good").await;
    for _ in 0..2 {
        let receipt = w.receipt().await;
        assert_eq!((receipt.event, receipt.state), (good.hash(), Arrived::Seen));
        let DirectReceipt {
            event,
            state,
            signature,
        } = receipt;
        assert_eq!(
            verify_direct_receipt(me, w.mallory.tag, event, state, &signature),
            Ok(())
        );
        // Once more: confirmed, and not shown again.
        w.mallory.route(None, parcel.clone()).await;
    }

    let mut refused = 0;
    let mut refuse = |parcel: Vec<u8>, from| {
        refused += 1;
        (parcel, from)
    };
    // In Ada's name, signed by Mallory. That it opens says nothing: anybody can seal to Bea.
    let forged = w.mallory.direct_as(ada, me, "Ada says so");
    let mut attempts = vec![
        refuse(w.mallory.parcel(ada, me, &as_parcel(&forged)), Some(ada)),
        // Mallory's own, as if Ada had sent it.
        refuse(w.mallory.parcel(ada, me, &as_parcel(&good)), Some(ada)),
    ];
    // Meant for Ada.
    let for_ada = w.mallory.direct(ada, 1, EventHash::ZERO, "for Ada");
    attempts.push(refuse(
        w.mallory.parcel(mallory, me, &as_parcel(&for_ada)),
        None,
    ));
    // A second one for the first place; one that follows on another than the first.
    let fork = w.mallory.direct(me, 1, EventHash::ZERO, "fork");
    attempts.push(refuse(
        w.mallory.parcel(mallory, me, &as_parcel(&fork)),
        None,
    ));
    let other = w.mallory.direct(me, 2, fork.hash(), "on another branch");
    attempts.push(refuse(
        w.mallory.parcel(mallory, me, &as_parcel(&other)),
        None,
    ));
    // Altered on the way; a receipt that nobody signed.
    for bit in [0, 40, parcel.len() - 2] {
        let mut altered = parcel.clone();
        altered[1 + bit] ^= 1;
        attempts.push(refuse(altered, None));
    }
    let receipt = DirectReceipt {
        event: good.hash(),
        state: Arrived::Seen,
        signature: Signature([3; 64]),
    };
    attempts.push(refuse(
        w.mallory.parcel(mallory, me, &Parcel::Receipt(receipt)),
        None,
    ));
    for (payload, from) in attempts {
        w.mallory.route(from, payload).await;
    }
    w.refused(refused).await;

    // After all that: one with a gap before it, and then what was missing.
    let second = w.mallory.direct(me, 2, good.hash(), "second");
    let third = w.mallory.direct(me, 3, second.hash(), "third");
    for event in [&third, &second] {
        let parcel = w.mallory.parcel(mallory, me, &as_parcel(event));
        w.mallory.route(None, parcel).await;
    }
    w.bea.hear("third").await;
    w.bea.hear("second").await;
    assert_eq!(texts(&w.with_mallory().await), ["good", "second", "third"]);
    let (stats, _) = w.bea.node.stats().await.unwrap();
    assert_eq!((stats.direct_taken, stats.direct_gaps), (3, 1));
    let ada = w.bea.node.direct_history(w.room, ada, None, 9).await;
    assert_eq!(ada, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_member_is_given_nothing_that_it_can_read_and_confirms_nothing() {
    let mut w = hostile().await;
    let (me, ada, mallory) = (w.me, w.ada, w.mallory.key.id());
    let tag: RoomTag = w.mallory.tag;
    let sent = w.bea.node.dm(w.room, ada, SECRET).await.unwrap();

    // Mallory is asked to keep it: that is all that Mallory sees of it.
    let kept = w
        .mallory
        .wait_for("something to keep", |frame| match frame {
            Frame::Route(route) if route.to == Some(ada) && !route.payload.is_empty() => {
                Some((route.payload.clone(), frame.to_bytes()))
            }
            _ => None,
        })
        .await;
    let (payload, frame) = kept;
    for clear in [SECRET.as_bytes(), &sent.id.0, &tag.0] {
        assert!(!frame.windows(clear.len()).any(|w| w == clear));
    }
    let stream = direct_stream(tag, me, ada).0.to_be_bytes();
    assert!(!payload.windows(4).any(|w| w == stream));
    assert!(open_parcel(tag, me, &w.mallory.key, &payload).is_err());

    // Asked for by name, it is not there; the room's log is.
    for (id, stream, expected) in [
        (1, direct_stream(tag, me, ada), 0),
        (2, Stream::MEMBERSHIP, 1),
    ] {
        let what = Wanted::Range {
            author: me,
            stream,
            from: Seq(1),
            to: Seq(1),
        };
        let want = Want {
            room: tag,
            id,
            what,
        };
        w.mallory.send(&Frame::Want(want)).await;
        let events = w
            .mallory
            .wait_for("a batch", |frame| match frame {
                Frame::Batch(batch) if batch.id == id => Some(batch.events.len()),
                _ => None,
            })
            .await;
        assert_eq!(events, expected, "stream {stream:?}");
    }

    // Mallory's word does not take it out of the outbox, even under a good signature.
    let receipt = DirectReceipt {
        event: sent.id,
        state: Arrived::Seen,
        signature: direct_receipt(&w.mallory.key, tag, sent.id, Arrived::Seen),
    };
    let parcel = w.mallory.parcel(mallory, me, &Parcel::Receipt(receipt));
    w.mallory.route(None, parcel).await;
    let parcel = w.mallory.parcel(ada, me, &Parcel::Receipt(receipt));
    w.mallory.route(Some(ada), parcel).await;
    w.refused(1).await;
    let own = w.bea.node.direct_history(w.room, ada, None, 9).await;
    assert_eq!(own.unwrap()[0].seen_by, []);

    // Flooded into the room it is no event of the room.
    let before = w.bea.heads(w.room).await;
    let event = w.mallory.direct(me, 1, EventHash::ZERO, "to all");
    let flooded = EventFrame {
        event,
        hops: 0,
        cost: 0,
    };
    w.mallory.send(&Frame::Event(flooded)).await;
    until("the flood to be refused", async || {
        let (_, engine) = w.bea.node.stats().await.unwrap();
        (engine.refused == 1).then_some(())
    })
    .await;
    assert_eq!(w.bea.heads(w.room).await, before);
    assert_eq!(w.with_mallory().await, []);
    assert_eq!(w.bea.texts(w.room).await, Vec::<String>::new());

    // It still waits for Ada, also after a restart.
    let bea = Device::reopen(w.bea.shut().await).await;
    let mut ada = Device::reopen(w.away).await;
    ada.hear(SECRET).await;
    until("Ada's own word", async || {
        let own = bea.node.direct_history(w.room, w.ada, None, 9).await;
        (own.unwrap()[0].seen_by == [w.ada]).then_some(())
    })
    .await;
}
