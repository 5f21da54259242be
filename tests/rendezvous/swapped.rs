//! An operator that answers in the host's place.
//!
//! ```text
//!   guest --knock--> operator (has photographed the code) --its own address and certificate--> guest
//!   guest --a link, by the code's key--> operator's listener: gets the request to join, and nothing else
//!   host, a moment later: lets the guest in
//! ```

use std::sync::Arc;

use peddlenet_crypto::{InviteKeys, MeetingKey};
use peddlenet_mesh::{Error, ErrorCode, Joined};
use peddlenet_peer::{Endpoint, Incoming, Lane};
use peddlenet_tests::raw::{endpoint, gate_of, like_a_member, of_its_own_room, without_events};
use peddlenet_wire::{
    Capped, Frame, Invite, InviteKey,
    invite::InviteSecret,
    join::{JoinRequest, Refuse},
    record::Address,
    rendezvous::{Place, Signal},
};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};

use crate::{
    device::{DEADLINE, Device, until},
    operator::{HOST, Operator, Said, garbage, key_of, random},
};

/// What the listener says once it was asked.
type Answer = fn(&JoinRequest, [u8; 32]) -> Vec<u8>;

/// The operator's own listener.
struct Listener {
    endpoint: Endpoint,
    incoming: Incoming,
    asked: Arc<Notify>,
}

impl Listener {
    async fn open(code: &Invite) -> Self {
        let (endpoint, incoming) = endpoint().await.unwrap();
        endpoint.set_gates(vec![gate_of(code)]);
        Self {
            endpoint,
            incoming,
            asked: Arc::default(),
        }
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
                    self.asked.notify_one();
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

type Joining = JoinHandle<Result<Joined, Error>>;

/// The guest scans the code; the operator keeps what it asks from the host, and answers itself.
async fn answers_first(
    operator: &Operator,
    guest: &Device,
    photo: &Invite,
    listener: &Listener,
) -> (Joining, Said) {
    operator.passes_nothing();
    let (node, link) = (guest.node.clone(), photo.to_link());
    let joining = tokio::spawn(async move { node.join(&link).await });
    let asked = operator.hear(0, |said| said.from != HOST).await;
    let key = key_of(photo, asked.tag).expect("it asks on the code's tag");
    let knock = match Signal::from_bytes(&key.open(&asked.data).unwrap()).unwrap() {
        Signal::Knock(knock) => knock,
        other => panic!("{other:?} is no knock"),
    };
    let place = listener.place(knock.id).to_bytes();
    operator.tell(asked.from, asked.tag, &key.seal(&random(), &place).unwrap());
    (joining, asked)
}

async fn refuses(answer: Answer) {
    let operator = Operator::start().await;
    let (host, guest, code) = host_and_guest(&operator).await;
    let photo = Invite::from_link(&code).unwrap();
    let mut listener = Listener::open(&photo).await;
    let (joining, _) = answers_first(&operator, &guest, &photo, &listener).await;

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
    refuses(without_events).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_in_its_place_with_a_room_of_its_own_is_refused() {
    refuses(|request, hash| of_its_own_room(request, hash, "Back room", "Hannelore")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_in_its_place_that_talks_like_a_member_is_refused() {
    refuses(|_, _| like_a_member()).await;
}

/// The host answers as well, after the operator's listener has opened a link and was asked.
async fn does_not_keep_from_the_host(answer: Answer) {
    let operator = Operator::start().await;
    let (host, mut guest, code) = host_and_guest(&operator).await;
    let photo = Invite::from_link(&code).unwrap();
    let mut listener = Listener::open(&photo).await;
    let (joining, asked) = answers_first(&operator, &guest, &photo, &listener).await;
    let was_asked = listener.asked.clone();
    let serving = async {
        let got = listener.serve(answer).await;
        assert_eq!(got.len(), 1, "{} frames", got.len());
    };
    let passing = async {
        was_asked.notified().await;
        operator.passes_all();
        operator.tell(HOST, asked.tag, &asked.data);
        let joined = timeout(DEADLINE, joining).await.expect("a join ends");
        joined.unwrap().unwrap()
    };
    let ((), joined) = tokio::join!(serving, passing);
    assert_eq!(joined.via, "server");
    host.say(joined.room, "the real one").await;
    guest.hear("the real one").await;
    let members = host.node.members(joined.room).await.unwrap();
    assert_eq!(members.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_a_link_and_never_answers_does_not_keep_a_guest_from_the_host() {
    // What a newer build might say before it answers.
    does_not_keep_from_the_host(|_, _| Frame::Unknown(9_999).to_bytes()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_answer_does_not_keep_a_guest_from_the_host() {
    does_not_keep_from_the_host(without_events).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_that_the_code_has_ended_does_not_keep_a_guest_from_the_host() {
    const REFUSE: Refuse = Refuse {
        code: Refuse::REVOKED,
        detail: 0,
    };
    does_not_keep_from_the_host(|_, _| Frame::Refuse(REFUSE).to_bytes()).await;
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
