//! Messages to one member, passed on from neighbour to neighbour.
//!
//! Relays read who it is for and never what it says. The route is that of AODV (RFC 3561) where
//! none is known, and the reverse of the recipient's broadcast tree where one is. Everything but
//! the payload, which its recipient can prove, is a hint between neighbours.

use std::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::{
    ids::{AuthorId, AuthorShort, RoomShort},
    limits,
};

/// Something for one member.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Route {
    /// The room.
    #[n(0)]
    pub room: RoomShort,
    /// What the receiver is to do.
    #[n(1)]
    pub task: Task,
    /// Who sent it first; `None`: the sender of this frame, whom the link has proven.
    #[n(2)]
    pub from: Option<AuthorId>,
    /// For whom; `None`: the receiver of this frame.
    #[n(3)]
    pub to: Option<AuthorId>,
    /// Names it, together with `from`.
    #[cbor(n(4), encode_with = "write_id", decode_with = "read_id")]
    pub id: [u8; 8],
    /// Grows each time that it sets out anew: a relay passes each attempt on by itself.
    #[n(5)]
    pub attempt: u8,
    /// How many more links it may cross.
    #[n(6)]
    pub ttl: u8,
    /// As sealed, at most [`limits::UNICAST_MAX`] bytes; empty in a search.
    #[cbor(
        n(7),
        encode_with = "minicbor::bytes::encode",
        decode_with = "bounded_payload"
    )]
    pub payload: Vec<u8>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Route({:?} {:?}->{:?} {:02x?} attempt {} ttl {}, {} B)",
            self.task,
            self.from,
            self.to,
            self.id,
            self.attempt,
            self.ttl,
            self.payload.len()
        )
    }
}

/// See [`Route::task`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Task {
    /// Take it, or pass it on to one neighbour that is nearer.
    #[n(0)]
    Pass,
    /// Pass this question on to every neighbour while it may cross links, then along a known way:
    /// who is the recipient answers.
    #[n(1)]
    Search,
    /// Keep it until there is a sign of life of its recipient, then deliver it.
    #[n(2)]
    Keep,
}

/// The answer to a [`Route`], from the neighbour that it went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RouteReply {
    /// The room.
    #[n(0)]
    pub room: RoomShort,
    /// Who sent it first.
    #[n(1)]
    pub from: AuthorShort,
    /// Which.
    #[cbor(n(2), encode_with = "write_id", decode_with = "read_id")]
    pub id: [u8; 8],
    /// Which attempt.
    #[n(3)]
    pub attempt: u8,
    /// What became of it.
    #[n(4)]
    pub answer: Answer,
}

/// See [`RouteReply::answer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Answer {
    /// I pass it on.
    #[n(0)]
    Accepted,
    /// The recipient has it. Passed back along the way that the message came.
    #[n(1)]
    Delivered,
    /// I can't: no way from here, too much to do, or another neighbour gave it to me already.
    #[n(2)]
    NoWay,
    /// The recipient answered the search, and this is the way. Passed back as far as it came.
    #[n(3)]
    Found,
    /// I keep it.
    #[n(4)]
    Kept,
    /// I don't keep it.
    #[n(5)]
    Full,
}

fn write_id<C, W: encode::Write>(
    id: &[u8; 8],
    e: &mut Encoder<W>,
    _: &mut C,
) -> Result<(), encode::Error<W::Error>> {
    e.bytes(id)?.ok()
}

fn read_id<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<[u8; 8], decode::Error> {
    let at = d.position();
    let wrong = |_| decode::Error::message("wrong length of a message's id").at(at);
    d.bytes()?.try_into().map_err(wrong)
}

fn bounded_payload<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Vec<u8>, decode::Error> {
    let at = d.position();
    let bytes = d.bytes()?;
    if bytes.len() > limits::UNICAST_MAX {
        return Err(decode::Error::message("message too long").at(at));
    }
    Ok(bytes.to_vec())
}
