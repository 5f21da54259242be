//! A neighbour that the test plays by hand.

use peddlenet_gossip::{Action, Input, Notice, PeerId, Why};
use peddlenet_wire::{
    EventHash, Frame, Seq, SignedEvent, Stream, Timestamp,
    frame::{self, Head, Heads, Want},
};

use crate::net::{Net, ROOM, author};

pub(crate) const MALLORY: usize = 99;

/// Two honest nodes in a line, and a link of node 0 whose other end the test plays by hand.
pub(crate) fn with_mallory(seed: u64) -> (Net, PeerId) {
    let mut net = Net::line(2, seed);
    net.run_for(100);
    let peer = PeerId(1_000);
    net.give(
        0,
        Input::PeerUp {
            peer,
            room: ROOM,
            author: author(MALLORY),
        },
    );
    (net, peer)
}

pub(crate) fn push(net: &mut Net, peer: PeerId, event: SignedEvent) {
    net.give(
        0,
        Input::Frame {
            from: peer,
            frame: Frame::Event(frame::Event {
                event,
                hops: 255,
                cost: 0,
            }),
        },
    );
}

pub(crate) fn heads(net: &mut Net, peer: PeerId, heads: Vec<Head>) -> Vec<Action> {
    let frame = Frame::Heads(Heads {
        room: ROOM,
        heads: heads.try_into().unwrap(),
        reply: false,
        some: false,
    });
    let now = Timestamp(net.now);
    net.nodes[0]
        .engine
        .handle(Input::Frame { from: peer, frame }, now)
        .collect()
}

pub(crate) fn head(n: usize, stream: Stream, base: u64, seq: u64) -> Head {
    Head {
        author: author(n),
        stream,
        base: Seq(base),
        seq: Seq(seq),
        hash: EventHash([5; 32]),
    }
}

pub(crate) fn wants(actions: &[Action]) -> Vec<Want> {
    actions
        .iter()
        .filter_map(|a| match a {
            Action::Send {
                frame: Frame::Want(want),
                ..
            } => Some(want.clone()),
            _ => None,
        })
        .collect()
}

pub(crate) fn misbehaved(net: &Net, why: Why) -> usize {
    net.nodes[0]
        .notices
        .iter()
        .filter(|n| matches!(n, Notice::Misbehaved { why: w, .. } if *w == why))
        .count()
}
