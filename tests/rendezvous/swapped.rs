//! An operator that answers in the host's place.
//!
//! ```text
//!   guest --knock--> operator (has photographed the code) --its own address and certificate--> guest
//!   guest --a link, by the code's key--> operator's listener: gets the request to join, and nothing else
//! ```

use peddlenet_crypto::{
    AuthorKey, Draft, EpochKeys, InviteKeys, MeetingKey, invite_gate, seal_event, welcome_proof,
};
use peddlenet_mesh::ErrorCode;
use peddlenet_peer::{
    Endpoint, EndpointConfig, Gate, GateId, Incoming, Kind, Lane, ListenerCertificate,
};
use peddlenet_wire::{
    Capped, EventHash, Frame, Hlc, Invite, InviteKey, RoomTag, Seq, Stream,
    codec::Name,
    content::{Admit, Create, History, Membership, Role},
    frame::Rooms,
    ids::Digest,
    invite::InviteSecret,
    join::{JoinRequest, Welcome},
    record::Address,
    rendezvous::{Place, Signal},
};
use tokio::time::timeout;

use crate::{
    device::{DEADLINE, Device, until},
    operator::{HOST, Operator, garbage, key_of, random},
};

/// What the listener says once it was asked.
type Answer = fn(&JoinRequest, [u8; 32]) -> Vec<u8>;

/// The operator's own listener.
struct Listener {
    endpoint: Endpoint,
    incoming: Incoming,
}

impl Listener {
    async fn open(code: &Invite) -> Self {
        let keys = invite_gate(&InviteKeys::from_secret(&code.secret).public());
        let (endpoint, incoming) = Endpoint::bind(EndpointConfig {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            certificate: ListenerCertificate::generate().unwrap(),
        })
        .await
        .unwrap();
        endpoint.set_gates(vec![Gate {
            id: GateId(1),
            kind: Kind::Invite,
            ice_key: keys.ice_key,
            psk: keys.psk,
        }]);
        Self { endpoint, incoming }
    }

    fn place(&self, id: [u8; 8]) -> Signal {
        let own = self.endpoint.local_addrs();
        Signal::Place(Place {
            id,
            addresses: Capped::take_from(&mut own.into_iter().map(Address)),
            fingerprint: self.endpoint.fingerprint(),
            relay: false,
        })
    }

    /// Lets one device in, answers its request, and gives everything that it sent until it went.
    async fn serve(&mut self, answer: Answer) -> Vec<Vec<u8>> {
        let incoming = timeout(DEADLINE, self.incoming.recv()).await;
        let link = incoming.expect("the guest dials").unwrap().link;
        let hash = link.handshake_hash();
        let (sender, mut receiver) = link.split();
        let mut got = Vec::new();
        let going = async {
            while let Some(received) = receiver.recv().await {
                got.push(received.bytes.to_vec());
                if let Ok(Frame::JoinRequest(request)) = Frame::from_bytes(&received.bytes) {
                    let _ = sender.send(Lane::Ordered, answer(&request, hash)).await;
                }
            }
        };
        timeout(DEADLINE, going)
            .await
            .expect("the guest goes again");
        got
    }
}

/// A host with a room, and its code; a guest who is about to scan it.
async fn host_and_guest(operator: &Operator) -> (Device, Device, String) {
    let host = Device::at_server("Hannelore", operator.url()).await;
    let room = host.node.create_room("Back room").await.unwrap();
    let code = host.code(room).await;
    operator.holds(HOST, 2).await;
    (
        host,
        Device::at_server("Gwendolyn", operator.url()).await,
        code,
    )
}

/// The guest came to no harm, and gets in where the operator lets the host answer.
async fn gets_in(operator: &Operator, mut host: Device, mut guest: Device, code: &str) {
    assert_eq!(guest.node.rooms().await.unwrap(), []);
    operator.passes_all();
    let joined = guest.join(code).await;
    assert_eq!(joined.via, "server");
    host.say(joined.room, "the real one").await;
    guest.hear("the real one").await;
    guest.say(joined.room, "found you").await;
    host.hear("found you").await;
}

async fn refuses(answer: Answer) {
    let operator = Operator::start().await;
    let (host, guest, code) = host_and_guest(&operator).await;
    let photo = Invite::from_link(&code).unwrap();
    let mut listener = Listener::open(&photo).await;
    operator.passes_nothing();

    let (node, link) = (guest.node.clone(), code.clone());
    let joining = tokio::spawn(async move { node.join(&link).await });
    let asked = operator.hear(0, |said| said.from != HOST).await;
    let key = key_of(&photo, asked.tag).expect("it asks on the code's tag");
    let knock = match Signal::from_bytes(&key.open(&asked.data).unwrap()).unwrap() {
        Signal::Knock(knock) => knock,
        other => panic!("{other:?} is no knock"),
    };
    let place = listener.place(knock.id).to_bytes();
    operator.tell(asked.from, asked.tag, &key.seal(&random(), &place).unwrap());

    let got = listener.serve(answer).await;
    let error = timeout(DEADLINE, joining).await.expect("a join ends");
    assert_eq!(error.unwrap().unwrap_err().code, ErrorCode::WrongHost);
    assert_eq!(got.len(), 1, "{} frames", got.len());
    let Ok(Frame::JoinRequest(request)) = Frame::from_bytes(&got[0]) else {
        panic!("it said something else than that it wants in");
    };
    // The whole frame is that request, and says nothing that the code doesn't, but for a new key.
    assert_eq!(Frame::JoinRequest(request.clone()).to_bytes(), got[0]);
    assert_eq!(request.room, photo.room);
    for name in ["Hannelore", "Gwendolyn", "Back room"] {
        assert!(!got[0].windows(name.len()).any(|w| w == name.as_bytes()));
    }
    gets_in(&operator, host, guest, &code).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_in_its_place_without_the_rooms_events_is_refused() {
    refuses(|request, hash| {
        let key = AuthorKey::from_seed([7; 32]);
        let welcome = Welcome {
            author: key.id(),
            proof: welcome_proof(&key, &hash, request.room),
            epochs: Default::default(),
            events: Default::default(),
        };
        Frame::Welcome(welcome).to_bytes()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_in_its_place_with_a_room_of_its_own_is_refused() {
    refuses(|request, hash| {
        let key = AuthorKey::from_seed([10; 32]);
        let epoch = EpochKeys::from_seeds([11; 32], [12; 32]);
        let event = |seq: u64, previous, body: &Membership| {
            let draft = Draft {
                room: RoomTag([13; 16]),
                stream: Stream::MEMBERSHIP,
                seq: Seq(seq),
                previous,
                clock: Hlc(seq),
                parents: Capped::default(),
                membership: Digest::ZERO,
            };
            seal_event(&draft, &key, &epoch, random(), &body.to_bytes()).unwrap()
        };
        let create = Membership::Create(Create {
            room_name: Name::new("Back room"),
            owner_name: Name::new("Hannelore"),
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
        let welcome = Welcome {
            author: key.id(),
            proof: welcome_proof(&key, &hash, request.room),
            epochs: vec![epoch.to_grant()].try_into().unwrap(),
            events: vec![create, admit].try_into().unwrap(),
        };
        Frame::Welcome(welcome).to_bytes()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_in_its_place_that_talks_like_a_member_is_refused() {
    refuses(|_, _| {
        let rooms = Rooms {
            offers: Default::default(),
        };
        Frame::Rooms(rooms).to_bytes()
    })
    .await;
}

/// Somebody who holds no code can't even be dialled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_made_up_without_the_code_are_not_opened() {
    let operator = Operator::start().await;
    let (host, guest, code) = host_and_guest(&operator).await;
    let other = Invite {
        secret: InviteSecret(random()),
        ..Invite::from_link(&code).unwrap()
    };
    let mut listener = Listener::open(&other).await;
    operator.passes_nothing();
    let (node, link) = (guest.node.clone(), code.clone());
    let joining = tokio::spawn(async move { node.join(&link).await });
    let asked = operator.hear(0, |said| said.from != HOST).await;
    let place = listener.place(random()).to_bytes();
    let day = peddlenet_crypto::Day::at(crate::operator::now());
    let made_up = [
        place.clone(),
        [&random::<24>()[..], &place].concat(),
        random::<200>().to_vec(),
        Vec::new(),
        // What the joiner itself said, and what others would say with keys of their own.
        MeetingKey::of_invite(&InviteKey(asked.tag.0.repeat(2).try_into().unwrap()), day)
            .seal(&random(), &place)
            .unwrap(),
        MeetingKey::of_invite(&InviteKeys::from_secret(&other.secret).public(), day)
            .seal(&random(), &place)
            .unwrap(),
    ];
    for data in &made_up {
        operator.tell(asked.from, asked.tag, data);
    }
    // Its own question, said back to it, is genuine and no answer.
    operator.tell(asked.from, asked.tag, &asked.data);
    let due = u64::try_from(made_up.len()).unwrap();
    until("the guest to have heard them", async || {
        (garbage(&guest.node).await >= due).then_some(())
    })
    .await;
    let error = timeout(DEADLINE, joining).await.expect("a join ends");
    assert_eq!(error.unwrap().unwrap_err().code, ErrorCode::NobodyNear);
    assert_eq!(garbage(&guest.node).await, due);
    assert_eq!(guest.node.stats().await.unwrap().0.links_up, 0);
    // Nobody came.
    listener.endpoint.close().await;
    assert!(
        timeout(DEADLINE, listener.incoming.recv())
            .await
            .unwrap()
            .is_none()
    );
    gets_in(&operator, host, guest, &code).await;
}
