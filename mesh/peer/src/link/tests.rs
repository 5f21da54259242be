use super::*;
use crate::{Dial, Endpoint, EndpointConfig, Gate, Kind, ListenerCertificate};
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(10);
/// What a driver asks for when nothing but the ICE agent has a deadline.
const TICK: Duration = Duration::from_millis(200);

async fn endpoint() -> (Endpoint, crate::Incoming) {
    let config = EndpointConfig {
        listen: vec![([127, 0, 0, 1], 0).into()],
        certificate: ListenerCertificate::generate().unwrap(),
    };
    Endpoint::bind(config).await.unwrap()
}

async fn until(mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it comes to that");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drivers_rest_while_nothing_passes_and_no_longer_than_that() {
    let gate = Gate {
        id: GateId(1),
        kind: Kind::Invite,
        ice_key: [1; 32],
        psk: [2; 32],
    };
    let (host, mut incoming) = endpoint().await;
    host.set_gates(vec![gate.clone()]);
    let (guest, _) = endpoint().await;
    let dial = Dial {
        addrs: host.local_addrs(),
        fingerprint: Some(host.fingerprint()),
        gate,
        deadline: PATIENCE,
    };
    let (here, _from_there) = guest.dial(dial).await.unwrap().split();
    let (there, mut from_here) = incoming.recv().await.unwrap().link.split();
    let sessions = [&here, &there].map(|end| Arc::clone(&end.shared.session));
    let [ours, theirs] = &sessions;
    let rests = |session: &Session| session.rest(TICK) > TICK;
    for n in 0..3u8 {
        until(|| rests(ours) && rests(theirs)).await;
        // A deadline further away is SCTP's.
        let other = TICK * 2;
        assert_eq!(ours.rest(other), other);
        here.try_send(Lane::Ordered, vec![n]).unwrap();
        until(|| !rests(ours) && !rests(theirs)).await;
        let received = timeout(PATIENCE, from_here.recv()).await.unwrap();
        assert_eq!(received.unwrap().bytes[..], [n]);
    }
    until(|| rests(ours)).await;
    // A link that is taken down has its deadlines, even if nobody answers any more.
    here.close();
    until(|| !rests(ours)).await;
}
