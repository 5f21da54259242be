//! Coming into a room without a node: for tests that say what no honest device says.

use std::time::Duration;

use anyhow::{Context, Result};
use peddlenet_crypto::{
    AuthorKey, Draft, EpochKeys, InviteKeys, invite_gate, join_proof, seal_event, welcome_proof,
};
use peddlenet_peer::{
    Dial, Endpoint, EndpointConfig, Gate, GateId, Incoming, Kind, Lane, LinkReceiver, LinkSender,
    ListenerCertificate,
};
use peddlenet_wire::{
    Capped, EventHash, Frame, Hlc, Invite, RoomTag, Seq, Stream,
    codec::Name,
    content::{Admit, Create, History, Membership, Role},
    frame::Rooms,
    ids::Digest,
    join::{JoinRequest, Welcome},
};

/// A link that is not open by then, or a welcome that did not come, will not.
const PATIENCE: Duration = Duration::from_secs(30);

/// The gate that a code opens, for who dials by it and for who claims to answer it.
pub fn gate_of(code: &Invite) -> Gate {
    let keys = invite_gate(&InviteKeys::from_secret(&code.secret).public());
    Gate {
        id: GateId(1),
        kind: Kind::Invite,
        ice_key: keys.ice_key,
        psk: keys.psk,
    }
}

/// An endpoint on loopback with a certificate of its own.
///
/// # Errors
/// There is no port, or no randomness.
pub async fn endpoint() -> Result<(Endpoint, Incoming)> {
    let config = EndpointConfig {
        listen: vec!["127.0.0.1:0".parse()?],
        certificate: ListenerCertificate::generate()?,
    };
    Ok(Endpoint::bind(config).await?)
}

/// Somebody who was let in.
pub struct Entered {
    /// The link to who let it in.
    pub sender: LinkSender,
    /// Its other direction.
    pub receiver: LinkReceiver,
    /// What it was given.
    pub welcome: Welcome,
    /// Over what the link runs.
    pub endpoint: (Endpoint, Incoming),
}

/// Dials who made a code, as that author, and asks to be let in.
///
/// # Errors
/// It was not.
pub async fn enter(code: &Invite, key: &AuthorKey) -> Result<Entered> {
    let endpoint = endpoint().await?;
    let dial = Dial {
        addrs: code.endpoints().collect(),
        fingerprint: Some(code.fingerprint),
        gate: gate_of(code),
        deadline: PATIENCE,
    };
    let (sender, mut receiver) = endpoint.0.dial(dial).await?.split();
    let invite = InviteKeys::from_secret(&code.secret);
    let request = Frame::JoinRequest(JoinRequest {
        room: code.room,
        author: key.id(),
        proof: join_proof(key, &sender.handshake_hash(), code.room),
        invite: invite.public(),
        voucher: invite.voucher(code.room, key.id()),
    });
    sender.send(Lane::Ordered, request.to_bytes()).await?;
    let welcomed = async {
        loop {
            let received = receiver.recv().await.context("sent away")?;
            if let Ok(Frame::Welcome(welcome)) = Frame::from_bytes(&received.bytes) {
                return anyhow::Ok(welcome);
            }
        }
    };
    let welcome = tokio::time::timeout(PATIENCE, welcomed).await??;
    Ok(Entered {
        sender,
        receiver,
        welcome,
        endpoint,
    })
}

/// A false answer to a request on the link with that handshake: nothing to show of the room.
pub fn without_events(request: &JoinRequest, hash: [u8; 32]) -> Vec<u8> {
    let key = AuthorKey::from_seed([7; 32]);
    let welcome = Welcome {
        author: key.id(),
        proof: welcome_proof(&key, &hash, request.room),
        epochs: Default::default(),
        events: Default::default(),
    };
    Frame::Welcome(welcome).to_bytes()
}

/// A false answer in which everything holds together: who gives it owns that room, and lets the guest in by the
/// guest's own voucher. Only the room's name, which is the hash of its `create`, is not the one in the code.
///
/// # Panics
/// It can't be sealed.
pub fn of_its_own_room(request: &JoinRequest, hash: [u8; 32], room: &str, owner: &str) -> Vec<u8> {
    let key = AuthorKey::from_seed([10; 32]);
    let epoch = EpochKeys::from_seeds([11; 32], [12; 32]);
    let event = |seq: u8, previous, body: &Membership| {
        let draft = Draft {
            room: RoomTag([13; 16]),
            stream: Stream::MEMBERSHIP,
            seq: Seq(seq.into()),
            previous,
            clock: Hlc(seq.into()),
            parents: Capped::default(),
            membership: Digest::ZERO,
        };
        let sealed = seal_event(&draft, &key, &epoch, [seq; 24], &body.to_bytes());
        sealed.expect("it can be sealed")
    };
    let create = Membership::Create(Create {
        room_name: Name::new(room),
        owner_name: Name::new(owner),
        history: History::FromJoin,
        inviters: None,
        retention_s: None,
    });
    let create = event(1, EventHash::ZERO, &create);
    let admit = Membership::Admit(Admit {
        author: request.author,
        invite: request.invite,
        voucher: request.voucher,
        role: Role::Member,
    });
    let admit = event(2, create.hash(), &admit);
    let mut events = [create, admit].into_iter();
    let welcome = Welcome {
        author: key.id(),
        proof: welcome_proof(&key, &hash, request.room),
        epochs: Capped::take_from(&mut std::iter::once(epoch.to_grant())),
        events: Capped::take_from(&mut events),
    };
    Frame::Welcome(welcome).to_bytes()
}

/// No answer at all: what members say to each other.
pub fn like_a_member() -> Vec<u8> {
    let rooms = Rooms {
        offers: Default::default(),
    };
    Frame::Rooms(rooms).to_bytes()
}
