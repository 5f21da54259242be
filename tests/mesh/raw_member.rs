//! A member without a node: says and hears frames as they are, for what no honest device does.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use peddlenet_crypto::{
    AuthorKey, Context, Draft, EpochKeys, direct_stream, open_proof, seal_direct, seal_event,
    seal_parcel, seal_to,
};
use peddlenet_peer::{Endpoint, Lane, LinkReceiver, LinkSender};
use peddlenet_tests::raw::{Entered, enter};
use peddlenet_wire::{
    AuthorId, Capped, EventHash, Frame, Hlc, Invite, RoomTag, Seq, SignedEvent, Stream, Timestamp,
    content::{Content, Text},
    direct::{Direct, Parcel},
    event::sha256,
    frame::Open,
    ids::Digest,
    route::{Route, Task},
};

use crate::device::DEADLINE;

pub(crate) struct RawMember {
    pub(crate) key: AuthorKey,
    pub(crate) tag: RoomTag,
    pub(crate) epoch: EpochKeys,
    sender: LinkSender,
    receiver: LinkReceiver,
    _endpoint: Endpoint,
    routes: u64,
}

impl RawMember {
    /// Comes in by a code and opens the room on the link to whoever let it in.
    pub(crate) async fn join(link: &str) -> Self {
        let code = Invite::from_link(link).unwrap();
        let key = AuthorKey::from_seed([0x4d; 32]);
        let Entered {
            sender,
            receiver,
            welcome,
            endpoint: (endpoint, _),
        } = enter(&code, &key).await.unwrap();
        let tag = welcome.events.first().unwrap().header().room;
        let epoch = EpochKeys::from_grant(welcome.epochs.last().unwrap()).unwrap();
        let member = Self {
            tag,
            epoch,
            sender,
            receiver,
            _endpoint: endpoint,
            routes: 0,
            key,
        };
        let open = Open {
            room: tag,
            author: member.key.id(),
            proof: open_proof(&member.key, &member.sender.handshake_hash(), tag, true),
            credentials: Capped::default(),
        };
        member.send(&Frame::Open(open)).await;
        member
    }

    pub(crate) async fn send(&self, frame: &Frame) {
        let sent = self.sender.send(Lane::Ordered, frame.to_bytes()).await;
        sent.unwrap();
    }

    /// The next frame that something can be made of.
    pub(crate) async fn wait_for<T>(&mut self, what: &str, of: impl Fn(&Frame) -> Option<T>) -> T {
        let look = async {
            loop {
                if let Some(found) = of(&next(&mut self.receiver).await) {
                    return found;
                }
            }
        };
        let found = tokio::time::timeout(DEADLINE, look).await;
        found.unwrap_or_else(|_| panic!("the raw member waited for {what}"))
    }

    /// Hands something to the neighbour as its own, or as somebody's else.
    pub(crate) async fn route(&mut self, from: Option<AuthorId>, payload: Vec<u8>) {
        self.routes += 1;
        let route = Route {
            room: self.tag.short(),
            task: Task::Pass,
            from,
            to: None,
            id: self.routes.to_be_bytes(),
            attempt: 1,
            ttl: 4,
            payload,
        };
        self.send(&Frame::Route(route)).await;
    }

    pub(crate) fn parcel(&self, from: AuthorId, to: AuthorId, parcel: &Parcel) -> Vec<u8> {
        seal_parcel(self.tag, from, to, [7; 32], &parcel.to_bytes()).unwrap()
    }

    /// The first direct message of somebody else, as good as it can be made without that member's key:
    /// it opens, and only its signature is this member's.
    pub(crate) fn direct_as(&self, author: AuthorId, to: AuthorId, text: &str) -> SignedEvent {
        let mut header = self.direct(to, 1, EventHash::ZERO, "").header().clone();
        (header.author, header.stream) = (author, direct_stream(self.tag, author, to));
        header.body_hash = Digest::ZERO;
        let header_bytes = header.to_bytes();
        let key = [1; 32];
        let for_to = seal_to(to, b"pn/direct/box/1", &header_bytes, [2; 32], &key).unwrap();
        let boxes = [for_to, vec![0; 80]].concat();
        let content = Content::Text(Text::new(text).unwrap());
        let padded = [Direct { to, content }.to_bytes(), vec![0x80]].concat();
        let payload = Payload {
            msg: &padded,
            aad: &[header_bytes, boxes.clone()].concat(),
        };
        let cipher = XChaCha20Poly1305::new(&key.into());
        let sealed = cipher.encrypt(&XNonce::from([3; 24]), payload).unwrap();
        let body = [boxes, vec![3; 24], sealed].concat();
        header.body_hash = sha256(&body);
        let bytes = header.to_bytes();
        let signature = self.key.sign(Context::Event, &bytes);
        SignedEvent::from_parts(bytes, signature, Some(body)).unwrap()
    }

    /// Something said to the room by this member, at a place of its log.
    pub(crate) fn content(&self, seq: u64, previous: EventHash, content: &Content) -> SignedEvent {
        let draft = Draft {
            stream: Stream::CONTENT,
            ..self.draft(seq, previous)
        };
        let plaintext = content.to_bytes();
        seal_event(&draft, &self.key, &self.epoch, [8; 24], &plaintext).unwrap()
    }

    fn draft(&self, seq: u64, previous: EventHash) -> Draft {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = u64::try_from(now.unwrap().as_millis()).unwrap();
        Draft {
            room: self.tag,
            stream: Stream::CONTENT,
            seq: Seq(seq),
            previous,
            clock: Hlc::at(Timestamp(now + seq)),
            parents: Capped::default(),
            membership: Digest::ZERO,
        }
    }

    /// A direct message by this member, at a place of its log.
    pub(crate) fn direct(
        &self,
        to: AuthorId,
        seq: u64,
        previous: EventHash,
        text: &str,
    ) -> SignedEvent {
        let draft = Draft {
            stream: direct_stream(self.tag, self.key.id(), to),
            ..self.draft(seq, previous)
        };
        let content = Content::Text(Text::new(text).unwrap());
        let direct = Direct { to, content };
        let epoch = self.epoch.id();
        seal_direct(&draft, &self.key, to, epoch, [8; 32], &direct.to_bytes()).unwrap()
    }
}

async fn next(receiver: &mut LinkReceiver) -> Frame {
    loop {
        let received = receiver.recv().await.expect("the link is open");
        if let Ok(frame) = Frame::from_bytes(&received.bytes) {
            return frame;
        }
    }
}
