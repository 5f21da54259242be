//! Stand-ins: authors' keys, events with made-up signatures, and what a frame measures.

use std::convert::Infallible;

use peddlenet_wire::{
    AuthorId, EpochId, EventHash, Frame, Header, Hlc, RoomTag, Seq, Signature, SignedEvent, Stream,
    event::sha256, ids::Digest, tree::SignedBeacon,
};

use crate::{MessageId, NodeId, dice::spread};

/// The one room of the simulator.
pub(super) const ROOM: RoomTag = RoomTag([7; 16]);
/// Bytes of a body that name the message.
const NAME: usize = 8;

/// A stand-in for a key: spread, so that neighbouring numbers are not neighbouring keys.
pub(super) fn author(node: NodeId) -> AuthorId {
    let mut bytes = [0x11; 32];
    bytes[..8].copy_from_slice(&spread(u64::from(node.0)).to_be_bytes());
    bytes[8..12].copy_from_slice(&node.0.to_be_bytes());
    AuthorId(bytes)
}

/// Whose stand-in it is.
pub(super) fn node_of(author: AuthorId) -> NodeId {
    let mut number = [0; 4];
    number.copy_from_slice(&author.0[8..12]);
    NodeId(u32::from_be_bytes(number))
}

/// Where an author's log stands, and what it had seen.
pub(super) struct Tip {
    pub(super) author: AuthorId,
    pub(super) seq: Seq,
    pub(super) previous: EventHash,
    pub(super) clock: Hlc,
    pub(super) parents: Vec<EventHash>,
}

/// An event whose body carries the message's number, with a made-up signature.
pub(super) fn event(tip: Tip, id: MessageId, bytes: usize) -> SignedEvent {
    let mut body = vec![0x5a; bytes.max(NAME)];
    body[..NAME].copy_from_slice(&id.0.to_be_bytes());
    let header = Header {
        version: peddlenet_wire::event::VERSION,
        suite: peddlenet_wire::event::SUITE,
        room: ROOM,
        author: tip.author,
        stream: Stream::CONTENT,
        seq: tip.seq,
        previous: tip.previous,
        clock: tip.clock,
        parents: tip.parents.try_into().unwrap_or_default(),
        epoch: EpochId([2; 16]),
        membership: Digest([4; 32]),
        body_hash: sha256(&body),
    };
    SignedEvent::from_parts(header.to_bytes(), Signature([3; 64]), Some(body))
        .expect("an event of ours is well formed")
}

/// The message that an event carries.
pub(super) fn message_of(event: &SignedEvent) -> MessageId {
    let name = event.body().and_then(|body| body.first_chunk::<NAME>());
    MessageId(name.map_or(u64::MAX, |name| u64::from_be_bytes(*name)))
}

/// A sign of life with a made-up signature.
pub(super) fn beacon(author: AuthorId, clock: Hlc, seq: Seq) -> SignedBeacon {
    SignedBeacon {
        author,
        clock,
        seq,
        signature: Signature([3; 64]),
    }
}

/// Length of a frame's encoding, without writing it anywhere.
pub(super) fn length(frame: &Frame) -> usize {
    measure(frame)
}

/// Length of an event's encoding.
pub(super) fn event_length(event: &SignedEvent) -> usize {
    measure(event)
}

fn measure(value: &impl minicbor::Encode<()>) -> usize {
    let mut count = Count(0);
    match minicbor::encode(value, &mut count) {
        Ok(()) => count.0,
        Err(e) => unreachable!("counting can't fail: {e}"),
    }
}

struct Count(usize);

impl minicbor::encode::Write for Count {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 += bytes.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_measures_what_it_is_encoded_as() {
        for bytes in [8, 200, 300, 20_000] {
            for parents in 0..4 {
                let tip = Tip {
                    author: author(NodeId(3)),
                    seq: Seq(1),
                    previous: EventHash::ZERO,
                    clock: Hlc(77),
                    parents: vec![EventHash([9; 32]); parents],
                };
                let event = event(tip, MessageId(5), bytes);
                assert_eq!(message_of(&event), MessageId(5));
                let frame = Frame::Event(peddlenet_wire::frame::Event {
                    event,
                    hops: 3,
                    cost: 400,
                });
                assert_eq!(length(&frame), frame.to_bytes().len());
            }
        }
    }

    #[test]
    fn an_author_names_its_node() {
        for node in [0, 1, 9_999] {
            assert_eq!(node_of(author(NodeId(node))), NodeId(node));
        }
    }
}
