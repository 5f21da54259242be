//! A member whose device is the test: let in by a genuine code, it says whatever it wants.

use std::time::{Duration, SystemTime};

use peddlenet_crypto::{
    AuthorKey, Draft, EpochKeys, InviteKeys, open_proof, room_offer, seal_event,
};
use peddlenet_peer::{Endpoint, Incoming, Lane, LinkReceiver, LinkSender};
use peddlenet_tests::raw::{Entered, enter};
use peddlenet_wire::{
    AuthorId, Capped, EventHash, Frame, Hlc, Invite, RoomTag, Seq, Signature, SignedEvent, Stream,
    Timestamp,
    content::{Admit, Content, Membership, Role, Text},
    frame::{self, Open, Rooms},
    ids::Digest,
};

use crate::device::{DEADLINE, Device};

pub(crate) struct RawMember {
    pub(crate) key: AuthorKey,
    pub(crate) room: RoomTag,
    code: Invite,
    invite: InviteKeys,
    epoch: EpochKeys,
    /// The event that let it in.
    admit: SignedEvent,
    sender: LinkSender,
    receiver: LinkReceiver,
    log: (Seq, EventHash),
    _endpoint: (Endpoint, Incoming),
}

impl RawMember {
    /// Joins by a code, and says nothing yet.
    pub(crate) async fn join(link: &str, seed: u8) -> Self {
        let code = Invite::from_link(link).unwrap();
        let key = AuthorKey::from_seed([seed; 32]);
        let Entered {
            sender,
            receiver,
            welcome,
            endpoint,
        } = enter(&code, &key).await.unwrap();
        let admit = welcome.events.last().unwrap().clone();
        Self {
            key,
            room: admit.header().room,
            invite: InviteKeys::from_secret(&code.secret),
            code,
            epoch: EpochKeys::from_grant(welcome.epochs.last().unwrap()).unwrap(),
            admit,
            sender,
            receiver,
            log: (Seq(0), EventHash::ZERO),
            _endpoint: endpoint,
        }
    }

    /// Says that it is this author, with its own proof.
    pub(crate) async fn open_as(&mut self, author: AuthorId) {
        let hash = self.sender.handshake_hash();
        let offers = vec![room_offer(&hash, self.room)].try_into().unwrap();
        self.say(&Frame::Rooms(Rooms { offers })).await;
        let open = Open {
            room: self.room,
            author,
            proof: open_proof(&self.key, &hash, self.room, true),
            credentials: vec![self.admit.clone()].try_into().unwrap(),
        };
        self.say(&Frame::Open(open)).await;
    }

    pub(crate) async fn open(&mut self) {
        self.open_as(self.key.id()).await;
    }

    pub(crate) async fn say(&self, frame: &Frame) {
        say(&self.sender, frame).await;
    }

    pub(crate) async fn push(&self, event: &SignedEvent) {
        let frame = frame::Event {
            event: event.clone(),
            hops: 0,
            cost: 0,
        };
        self.say(&Frame::Event(frame)).await;
    }

    /// Its next message, sealed under `epoch`.
    pub(crate) fn message_in(&mut self, epoch: &EpochKeys, text: &str, clock: Hlc) -> SignedEvent {
        let seq = self.log.0.next().unwrap();
        let draft = Draft {
            room: self.room,
            stream: Stream::CONTENT,
            seq,
            previous: self.log.1,
            clock,
            parents: Capped::default(),
            membership: Digest::ZERO,
        };
        let mut nonce = [self.key.id().0[0]; 24];
        nonce[..8].copy_from_slice(&seq.0.to_be_bytes());
        let plain = Content::Text(Text::new(text).unwrap()).to_bytes();
        let event = seal_event(&draft, &self.key, epoch, nonce, &plain).unwrap();
        self.log = (seq, event.hash());
        event
    }

    /// The first event of stream 0 by any key, which lets somebody in by this member's own code.
    pub(crate) fn admit(&self, by: &AuthorKey, whom: AuthorId) -> SignedEvent {
        let admit = Membership::Admit(Admit {
            author: whom,
            invite: self.invite.public(),
            voucher: self.invite.voucher(self.code.room, whom),
            role: Role::Member,
        });
        let draft = Draft {
            room: self.room,
            stream: Stream::MEMBERSHIP,
            seq: Seq::FIRST,
            previous: EventHash::ZERO,
            clock: Hlc::at(now()),
            parents: Capped::default(),
            membership: Digest::ZERO,
        };
        let nonce = [by.id().0[1]; 24];
        seal_event(&draft, by, &self.epoch, nonce, &admit.to_bytes()).unwrap()
    }

    /// The newest keys that it was given.
    pub(crate) fn epoch(&self) -> EpochKeys {
        self.epoch.clone()
    }

    pub(crate) fn message(&mut self, text: &str) -> SignedEvent {
        let epoch = self.epoch();
        self.message_in(&epoch, text, Hlc::at(now()))
    }

    /// Waits until the room runs over this link: what the other end says from now on is pushed here.
    pub(crate) async fn greeted(&mut self) {
        self.hear(|frame| matches!(frame, Frame::DigestOf(_)).then_some(()))
            .await;
    }

    /// Reads on until a frame gives something.
    pub(crate) async fn hear<T>(&mut self, mut wanted: impl FnMut(&Frame) -> Option<T>) -> T {
        let reading = async {
            loop {
                if let Some(found) = wanted(&hear(&mut self.receiver).await) {
                    return found;
                }
            }
        };
        let heard = tokio::time::timeout(DEADLINE, reading).await;
        heard.expect("a frame that says it")
    }

    /// The frames that are here already.
    pub(crate) async fn heard(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        let soon = Duration::from_millis(300);
        while let Ok(Some(received)) = tokio::time::timeout(soon, self.receiver.recv()).await {
            frames.extend(Frame::from_bytes(&received.bytes));
        }
        frames
    }
}

async fn say(sender: &LinkSender, frame: &Frame) {
    sender.send(Lane::Ordered, frame.to_bytes()).await.unwrap();
}

async fn hear(receiver: &mut LinkReceiver) -> Frame {
    loop {
        let received = tokio::time::timeout(DEADLINE, receiver.recv()).await;
        let bytes = received.expect("a frame").expect("an open link").bytes;
        if let Ok(frame) = Frame::from_bytes(&bytes) {
            return frame;
        }
    }
}

/// The same event with one bit of its signature changed.
pub(crate) fn with_a_bad_signature(event: &SignedEvent) -> SignedEvent {
    let Signature(mut bytes) = event.signature();
    bytes[40] ^= 1;
    let body = event.body().map(<[u8]>::to_vec);
    SignedEvent::from_parts(event.header_bytes().to_vec(), Signature(bytes), body).unwrap()
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp(u64::try_from(since.unwrap().as_millis()).unwrap())
}

/// A room of one device, and a raw member in it.
pub(crate) async fn host_and_raw() -> (Device, RawMember, peddlenet_mesh::RoomId) {
    let host = Device::new("Host").await;
    let room = host.node.create_room("Room").await.unwrap();
    let raw = RawMember::join(&host.code(room).await, 77).await;
    (host, raw, room)
}
