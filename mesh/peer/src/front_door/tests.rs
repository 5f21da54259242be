use super::*;
use crate::gate::server_ufrag;
use crate::stun::tests::request;
use proptest::prelude::*;

const SOURCE: ([u8; 4], u16) = ([127, 0, 0, 1], 4000);

fn gate(id: u64, kind: Kind, key: u8) -> Gate {
    Gate {
        id: GateId(id),
        kind,
        ice_key: [key; 32],
        psk: [key; 32],
    }
}

fn ufrag_of(kind: Kind) -> ServerUfrag {
    server_ufrag(kind, Fingerprint([3; 32]), b"abcdefghijklmnopqrstuvwx")
}

fn knock(kind: Kind, key: u8) -> Vec<u8> {
    knock_for(kind, key, None)
}

fn knock_for(kind: Kind, key: u8, expected: Option<Fingerprint>) -> Vec<u8> {
    let ufrag = ufrag_of(kind);
    let mut username = ufrag.to_vec();
    username.push(b':');
    match expected {
        None => username.extend(b"abcdefgh"),
        Some(own) => username.extend(gate::certificate_hint(&[key; 32], &ufrag, own)),
    }
    request(&username, &gate::server_pwd(&[key; 32], &ufrag))
}

fn opened(verdict: &Verdict<'_>) -> Option<GateId> {
    match verdict {
        Verdict::Open(knock) => Some(knock.gate),
        _ => None,
    }
}

#[test]
fn the_key_selects_the_gate() {
    let mut door = FrontDoor::new();
    door.set_gates(vec![
        gate(1, Kind::Invite, 1),
        gate(2, Kind::Invite, 2),
        gate(3, Kind::Member, 3),
    ]);
    let now = Instant::now();
    for (kind, key, expected) in [
        (Kind::Invite, 1, Some(GateId(1))),
        (Kind::Invite, 2, Some(GateId(2))),
        (Kind::Member, 3, Some(GateId(3))),
        // The right key in the wrong family opens nothing.
        (Kind::Invite, 3, None),
        (Kind::Member, 4, None),
    ] {
        let packet = knock(kind, key);
        assert_eq!(opened(&door.judge(&packet, SOURCE.into(), now)), expected);
    }
}

#[test]
fn an_unknown_key_is_refused_and_garbage_ignored() {
    let mut door = FrontDoor::new();
    let now = Instant::now();
    let packet = knock(Kind::Invite, 1);
    assert!(matches!(
        door.judge(&packet, SOURCE.into(), now),
        Verdict::Refuse(_)
    ));
    for garbage in [&b""[..], b"hello", &[0; 600], &packet[..packet.len() - 1]] {
        assert!(matches!(
            door.judge(garbage, SOURCE.into(), now),
            Verdict::Ignore
        ));
    }
}

#[test]
fn a_failing_source_is_put_off_and_its_neighbour_is_not() {
    let mut door = FrontDoor::new();
    door.set_gates(vec![gate(1, Kind::Invite, 1)]);
    let now = Instant::now();
    let (bad, good) = (knock(Kind::Invite, 9), knock(Kind::Invite, 1));
    for _ in 0..FAILURES_PER_SOURCE {
        assert!(matches!(
            door.judge(&bad, SOURCE.into(), now),
            Verdict::Refuse(_)
        ));
    }
    assert!(matches!(
        door.judge(&bad, SOURCE.into(), now),
        Verdict::PutOff
    ));
    let neighbours = (1..20).map(|port| SocketAddr::from(([127, 0, 0, 1], 5000 + port)));
    let let_in = neighbours
        .filter(|source| opened(&door.judge(&good, *source, now)).is_some())
        .count();
    // A neighbour can share the failing source's counter, by a chance of 1 in 512.
    assert!(let_in >= 17, "{let_in} of 19");
    assert!(opened(&door.judge(&good, SOURCE.into(), now + WINDOW)).is_some());
}

#[test]
fn made_up_sources_buy_no_more_tries() {
    let mut door = FrontDoor::new();
    door.set_gates(
        (0..=255)
            .map(|key| gate(key.into(), Kind::Member, key))
            .collect(),
    );
    let (mut bad, now) = (knock(Kind::Member, 7), Instant::now());
    *bad.last_mut().unwrap() ^= 1;
    let sources = (0..2000u16).map(|n| {
        let [high, low] = n.to_be_bytes();
        SocketAddr::from(([10, 1, high, low], 7))
    });
    let tried = sources
        .filter(|source| !matches!(door.judge(&bad, *source, now), Verdict::PutOff))
        .count();
    assert_eq!(tried, usize::try_from(TRIES_A_SECOND).unwrap() / 256);
}

#[test]
fn a_packet_names_the_certificate_it_expects() {
    let (today, yesterday) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
    let mut door = FrontDoor::new();
    door.set_gates(vec![gate(1, Kind::Member, 1), gate(2, Kind::Invite, 2)]);
    door.set_certificates(vec![today, yesterday]);
    let now = Instant::now();
    let mut ask = |kind, key, expected: Option<Fingerprint>| {
        let packet = knock_for(kind, key, expected);
        match door.judge(&packet, SOURCE.into(), now) {
            Verdict::Open(knock) => Ok(knock.certificate),
            Verdict::Moved(answer) | Verdict::Asked(answer) => {
                let ufrag = ufrag_of(kind);
                let pwd = gate::server_pwd(&[key; 32], &ufrag);
                Err(stun::read_moved(&answer, &pwd))
            }
            other => panic!("{other:?}"),
        }
    };
    for (kind, key) in [(Kind::Member, 1), (Kind::Invite, 2)] {
        assert_eq!(ask(kind, key, Some(today)), Ok(today));
        assert_eq!(ask(kind, key, Some(yesterday)), Ok(yesterday));
        assert_eq!(ask(kind, key, None), Ok(today), "a browser names none");
        assert_eq!(ask(kind, key, Some(gate::ASKED)), Err(Some(today)));
    }
    let long_ago = Some(Fingerprint([3; 32]));
    assert_eq!(ask(Kind::Member, 1, long_ago), Err(Some(today)));
    // A holder of the code could forge that answer, so a joiner gets none.
    assert_eq!(ask(Kind::Invite, 2, long_ago), Ok(today));
}

#[test]
fn the_first_packet_selects_the_psk_among_256_keys() {
    let mut door = FrontDoor::new();
    let gates = (0..300u64).map(|id| {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&id.to_be_bytes());
        Gate {
            id: GateId(id),
            kind: Kind::Member,
            ice_key: key,
            psk: key,
        }
    });
    let gates: Vec<_> = gates.collect();
    door.set_gates(gates.clone());
    let packet_of = |gate: &Gate| {
        let ufrag = ufrag_of(Kind::Member);
        let mut username = ufrag.to_vec();
        username.extend(b":abcdefgh");
        request(&username, &gate::server_pwd(&gate.ice_key, &ufrag))
    };
    let (mut now, mut slowest) = (Instant::now(), Duration::ZERO);
    for gate in &gates {
        // Each in a second of its own: tries are limited.
        now += WINDOW;
        let packet = packet_of(gate);
        let started = Instant::now();
        let verdict = door.judge(&packet, SOURCE.into(), now);
        slowest = slowest.max(started.elapsed());
        match (gate.id.0, verdict) {
            (..256, Verdict::Open(knock)) => {
                assert_eq!((knock.gate, *knock.psk), (gate.id, gate.psk));
            }
            (256.., Verdict::Refuse(_)) => {}
            (id, other) => panic!("gate {id}: {other:?}"),
        }
    }
    println!("a first packet against {MEMBER_GATES_MAX} keys: at most {slowest:?}");
}

#[test]
fn successes_are_not_limited() {
    let mut door = FrontDoor::new();
    door.set_gates(vec![gate(1, Kind::Invite, 1)]);
    let (packet, now) = (knock(Kind::Invite, 1), Instant::now());
    for _ in 0..1000 {
        assert!(opened(&door.judge(&packet, SOURCE.into(), now)).is_some());
    }
}

#[test]
fn gates_are_capped_by_kind() {
    let mut door = FrontDoor::new();
    let invites = (0..=255).map(|key| gate(key.into(), Kind::Invite, key));
    door.set_gates(invites.chain([gate(999, Kind::Member, 7)]).collect());
    assert_eq!(door.gates.len(), INVITE_GATES_MAX + 1);
    let packet = knock(Kind::Member, 7);
    let verdict = door.judge(&packet, SOURCE.into(), Instant::now());
    assert_eq!(opened(&verdict), Some(GateId(999)));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_open_and_never_panic(
        packet in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut door = FrontDoor::new();
        door.set_gates(vec![gate(1, Kind::Invite, 1)]);
        prop_assert!(opened(&door.judge(&packet, SOURCE.into(), Instant::now())).is_none());
    }

    #[test]
    fn a_damaged_knock_never_opens(at in 0usize..148, xor in 1u8..) {
        let mut door = FrontDoor::new();
        door.set_gates(vec![gate(1, Kind::Invite, 1)]);
        let mut packet = knock(Kind::Invite, 1);
        if let Some(byte) = packet.get_mut(at) {
            *byte ^= xor;
            prop_assert!(opened(&door.judge(&packet, SOURCE.into(), Instant::now())).is_none());
        }
    }
}
