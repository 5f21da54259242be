//! Who holds a photo of a code may ask to be let in, as its drawer meant it. Who holds it can't pose
//! as the room to others.
//!
//! ```text
//!   guest --- a code that leads here ---> impostor --- the same code ---> host
//!                                         knows P, is no member (or someone else's)
//! ```

use std::time::Duration;

use peddlenet_crypto::{AuthorKey, InviteKeys, join_proof, welcome_proof};
use peddlenet_mesh::{ErrorCode, Node, RoomId};
use peddlenet_peer::{Dial, Endpoint, Gate, Incoming, Lane, Link};
use peddlenet_tests::raw::{endpoint, gate_of, like_a_member, of_its_own_room, without_events};
use peddlenet_wire::{
    Frame, Invite,
    join::{JoinRequest, Welcome},
};

use crate::device::{DEADLINE, Device};

/// A listener of a stranger who has photographed a code.
struct Impostor {
    endpoint: Endpoint,
    incoming: Incoming,
    code: Invite,
    gate: Gate,
}

impl Impostor {
    async fn with_a_photo_of(link: &str) -> Self {
        let code = Invite::from_link(link).unwrap();
        let gate = gate_of(&code);
        let (endpoint, incoming) = endpoint().await.unwrap();
        endpoint.set_gates(vec![gate.clone()]);
        Self {
            endpoint,
            incoming,
            code,
            gate,
        }
    }

    /// The photographed code, as if the impostor stood at the host's address.
    fn same_code_here(&self) -> String {
        let mut code = self.code.clone();
        code.port = self.endpoint.local_addrs()[0].port();
        code.to_link()
    }

    /// A code of the impostor's own making: its certificate, the host's room.
    fn forged_code(&self) -> String {
        let mut code = self.code.clone();
        code.port = self.endpoint.local_addrs()[0].port();
        code.fingerprint.0 = self.endpoint.fingerprint().0;
        code.to_link()
    }

    async fn victim(&mut self) -> Link {
        let next = tokio::time::timeout(DEADLINE, self.incoming.recv()).await;
        next.expect("the guest dials")
            .expect("the port is open")
            .link
    }

    /// Lets a guest dial in by the forged code, reads the request, and answers as told.
    async fn answer(
        &mut self,
        guest: &Node,
        answer: impl AsyncFnOnce(&JoinRequest, [u8; 32]) -> Vec<u8>,
    ) -> ErrorCode {
        let link = self.forged_code();
        let (guest, joining) = (guest.clone(), async move |node: Node| {
            node.join(&link).await
        });
        let joining = tokio::spawn(async move { joining(guest).await });
        let link = self.victim().await;
        let hash = link.handshake_hash();
        let (sender, mut receiver) = link.split();
        let request = loop {
            let received = tokio::time::timeout(DEADLINE, receiver.recv()).await;
            let bytes = received.expect("a request").expect("an open link").bytes;
            if let Ok(Frame::JoinRequest(request)) = Frame::from_bytes(&bytes) {
                break request;
            }
        };
        let bytes = answer(&request, hash).await;
        sender.send(Lane::Ordered, bytes).await.unwrap();
        let outcome = tokio::time::timeout(DEADLINE, joining).await;
        let error = outcome.expect("a join ends").unwrap().expect_err("no room");
        println!("{}: {}", error.code, error.message);
        error.code
    }

    /// What the host answers to someone who asks with the photographed code.
    async fn genuine_welcome(&self, key: &AuthorKey) -> Welcome {
        let dial = Dial {
            addrs: self.code.endpoints().collect(),
            fingerprint: Some(peddlenet_peer::Fingerprint(self.code.fingerprint.0)),
            gate: self.gate.clone(),
            deadline: Duration::from_secs(30),
        };
        let (sender, mut receiver) = self.endpoint.dial(dial).await.unwrap().split();
        let keys = InviteKeys::from_secret(&self.code.secret);
        let request = JoinRequest {
            room: self.code.room,
            author: key.id(),
            proof: join_proof(key, &sender.handshake_hash(), self.code.room),
            invite: keys.public(),
            voucher: keys.voucher(self.code.room, key.id()),
        };
        let frame = Frame::JoinRequest(request).to_bytes();
        sender.send(Lane::Ordered, frame).await.unwrap();
        let answered = tokio::time::timeout(DEADLINE, receiver.recv()).await;
        let bytes = answered.expect("an answer").expect("an open link").bytes;
        match Frame::from_bytes(&bytes).unwrap() {
            Frame::Welcome(welcome) => welcome,
            other => panic!("{} is no welcome", other.name()),
        }
    }
}

async fn host_guest_and_impostor() -> (Device, Device, Impostor, RoomId) {
    let (host, guest) = (Device::new("Host").await, Device::new("Guest").await);
    let room = host.node.create_room("Real").await.unwrap();
    let impostor = Impostor::with_a_photo_of(&host.code(room).await).await;
    (host, guest, impostor, room)
}

/// No room came of it, and the real code still works.
async fn nothing_happened(host: &Device, guest: &mut Device, room: RoomId) {
    assert_eq!(guest.node.rooms().await.unwrap(), []);
    guest.join(&host.code(room).await).await;
    host.say(room, "the real one").await;
    guest.hear("the real one").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_hosts_address_with_another_certificate() {
    let (host, mut guest, impostor, room) = host_guest_and_impostor().await;
    let error = guest
        .node
        .join(&impostor.same_code_here())
        .await
        .unwrap_err();
    assert_eq!(error.code, ErrorCode::WrongHost);
    nothing_happened(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_no_events_to_show() {
    let (host, mut guest, mut impostor, room) = host_guest_and_impostor().await;
    let code = impostor
        .answer(&guest.node, async |request, hash| {
            without_events(request, hash)
        })
        .await;
    assert_eq!(code, ErrorCode::WrongHost);
    nothing_happened(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_welcome_that_was_meant_for_another_link() {
    let (host, mut guest, mut impostor, room) = host_guest_and_impostor().await;
    let genuine = impostor
        .genuine_welcome(&AuthorKey::from_seed([8; 32]))
        .await;
    let code = impostor
        .answer(&guest.node, async |_, _| Frame::Welcome(genuine).to_bytes())
        .await;
    assert_eq!(code, ErrorCode::WrongHost);
    nothing_happened(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_welcome_of_a_room_of_its_own() {
    let (host, mut guest, mut impostor, room) = host_guest_and_impostor().await;
    // A genuine room, with a genuine welcome, only not the one in the guest's code.
    let own = Device::new("Impostor").await;
    let other_room = own.node.create_room("Real").await.unwrap();
    let own_code = Impostor::with_a_photo_of(&own.code(other_room).await).await;
    let key = AuthorKey::from_seed([9; 32]);
    let mut welcome = own_code.genuine_welcome(&key).await;
    let code = impostor
        .answer(&guest.node, async |request, hash| {
            welcome.author = key.id();
            welcome.proof = welcome_proof(&key, &hash, request.room);
            Frame::Welcome(welcome).to_bytes()
        })
        .await;
    assert_eq!(code, ErrorCode::WrongHost);
    nothing_happened(&host, &mut guest, room).await;
}

/// Everything holds together in it: the impostor owns that room, and lets the guest in by the guest's own voucher.
/// Only the room's name, which is the hash of its `create`, is not the one in the code.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_room_of_its_own_that_admits_the_guest() {
    let (host, mut guest, mut impostor, room) = host_guest_and_impostor().await;
    let code = impostor
        .answer(&guest.node, async |request, hash| {
            of_its_own_room(request, hash, "Real", "Host")
        })
        .await;
    assert_eq!(code, ErrorCode::WrongHost);
    nothing_happened(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_talking_like_a_member() {
    let (host, mut guest, mut impostor, room) = host_guest_and_impostor().await;
    let code = impostor
        .answer(&guest.node, async |_, _| like_a_member())
        .await;
    assert_eq!(code, ErrorCode::WrongHost);
    nothing_happened(&host, &mut guest, room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_handing_the_guests_request_to_the_host() {
    let (host, mut guest, mut impostor, room) = host_guest_and_impostor().await;
    // The request is bound to the link it was made for, so the host refuses it on another.
    let dial = Dial {
        addrs: impostor.code.endpoints().collect(),
        fingerprint: Some(peddlenet_peer::Fingerprint(impostor.code.fingerprint.0)),
        gate: impostor.gate.clone(),
        deadline: Duration::from_secs(30),
    };
    let (to_host, mut from_host) = impostor.endpoint.dial(dial).await.unwrap().split();
    let code = impostor
        .answer(&guest.node, async |request, _| {
            let frame = Frame::JoinRequest(request.clone()).to_bytes();
            to_host.send(Lane::Ordered, frame).await.unwrap();
            let answered = tokio::time::timeout(DEADLINE, from_host.recv()).await;
            let bytes = answered.expect("an answer").expect("an open link").bytes;
            assert!(matches!(Frame::from_bytes(&bytes), Ok(Frame::Refuse(_))));
            bytes.to_vec()
        })
        .await;
    assert_eq!(code, ErrorCode::WrongHost);
    assert_eq!(host.node.members(room).await.unwrap().len(), 1);
    nothing_happened(&host, &mut guest, room).await;
}
