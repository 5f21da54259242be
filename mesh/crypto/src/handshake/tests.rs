use proptest::prelude::*;

use super::*;

const PSK: [u8; 32] = [1; 32];
const DIALER: Fingerprint = Fingerprint([2; 32]);
const LISTENER: Fingerprint = Fingerprint([3; 32]);

fn hello(versions: RangeInclusive<u8>, features: u64) -> Hello {
    Hello { versions, features }
}

fn dialer() -> Handshake {
    Handshake::dialer(&PSK, DIALER, LISTENER, hello(1..=1, 0b011), [4; 32]).unwrap()
}

fn listener() -> Handshake {
    Handshake::listener(&PSK, DIALER, LISTENER, hello(1..=1, 0b110), [5; 32]).unwrap()
}

fn sent(step: Result<Step, CryptoError>) -> Vec<u8> {
    match step {
        Ok(Step::Send(bytes)) => bytes,
        other => panic!("expected bytes to send, got {other:?}"),
    }
}

/// Runs both ends to the end, or to the first error.
fn run(
    dialer: &mut Handshake,
    listener: &mut Handshake,
) -> Result<(Established, Established), CryptoError> {
    let first = sent(dialer.step(None));
    let Step::Send(second) = listener.step(Some(&first))? else {
        panic!("a listener answers the first message");
    };
    let Step::SendAndDone(third, there) = dialer.step(Some(&second))? else {
        panic!("a dialer confirms the answer");
    };
    let Step::Done(here) = listener.step(Some(&third))? else {
        panic!("a listener is done after the third message");
    };
    Ok((there, here))
}

#[test]
fn both_ends_agree_on_hash_version_and_features() {
    let (there, here) = run(&mut dialer(), &mut listener()).unwrap();
    assert_eq!(there, here);
    assert_eq!((here.version, here.features), (1, 0b010));
}

#[test]
fn datagrams_open_at_the_other_end_under_their_own_number_alone() {
    let (mut dialer, mut listener) = (dialer(), listener());
    assert!(dialer.datagram_cipher().is_err(), "nothing is agreed yet");
    run(&mut dialer, &mut listener).unwrap();
    let [there, here] = [&mut dialer, &mut listener].map(|end| end.datagram_cipher().unwrap());
    assert!(dialer.datagram_cipher().is_err(), "they are given out once");
    let sealed: [u8; 21] = there.seal(7, b"hello").unwrap();
    assert_eq!(&here.open::<5, 21>(7, &sealed).unwrap(), b"hello");
    assert!(here.open::<5, 21>(8, &sealed).is_err(), "another number");
    assert!(there.open::<5, 21>(7, &sealed).is_err(), "its own");
    assert!(here.open::<4, 21>(7, &sealed).is_err(), "another length");
    assert!(there.seal::<5, 22>(9, b"hello").is_err(), "another length");
    for bit in 0..sealed.len() * 8 {
        let mut bad = sealed;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(here.open::<5, 21>(7, &bad).is_err(), "bit {bit}");
    }
}

#[test]
fn one_seed_gives_one_transcript_and_another_seed_another() {
    let (one, _) = run(&mut dialer(), &mut listener()).unwrap();
    let (same, _) = run(&mut dialer(), &mut listener()).unwrap();
    assert_eq!(one, same);
    let mut other = Handshake::dialer(&PSK, DIALER, LISTENER, hello(1..=1, 0), [6; 32]).unwrap();
    let (other, _) = run(&mut other, &mut listener()).unwrap();
    assert_ne!(one.hash, other.hash);
}

#[test]
fn static_and_ephemeral_keys_differ() {
    let seed = Seed::new([4; 32]);
    let (mut a, mut b, mut c) = ([0; 32], [0; 32], [0; 32]);
    seed.generator(STATIC_KEY_STREAM).fill_bytes(&mut a);
    seed.resolve_rng().unwrap().try_fill_bytes(&mut b).unwrap();
    seed.resolve_rng().unwrap().try_fill_bytes(&mut c).unwrap();
    assert!(a != b && b != c && a != c);
}

#[test]
fn the_newest_common_version_is_taken() {
    let with = |versions| Handshake::listener(&PSK, DIALER, LISTENER, hello(versions, 0), [5; 32]);
    let dial = || Handshake::dialer(&PSK, DIALER, LISTENER, hello(2..=4, 0), [4; 32]).unwrap();
    for (theirs, version) in [(1..=3, 3), (4..=9, 4), (3..=3, 3), (1..=9, 4), (2..=2, 2)] {
        let (there, here) = run(&mut dial(), &mut with(theirs).unwrap()).unwrap();
        assert_eq!((there.version, here.version), (version, version));
    }
    for theirs in [1..=1, 5..=9, RangeInclusive::new(9, 1)] {
        assert!(matches!(
            run(&mut dial(), &mut with(theirs).unwrap()),
            Err(CryptoError::NoCommonVersion { ours_max, .. }) if ours_max != 4
        ));
    }
}

#[test]
fn another_psk_is_not_answered() {
    let mut stranger =
        Handshake::dialer(&[9; 32], DIALER, LISTENER, hello(1..=1, 0), [4; 32]).unwrap();
    let first = sent(stranger.step(None));
    let mut listener = listener();
    assert_eq!(listener.step(Some(&first)), Err(CryptoError::Handshake));
    assert_eq!(listener.step(Some(&first)), Err(CryptoError::HandshakeOver));
}

#[test]
fn a_certificate_in_the_middle_is_noticed_at_the_first_message() {
    let middle = Fingerprint([9; 32]);
    for (d, l) in [(middle, LISTENER), (DIALER, middle), (LISTENER, DIALER)] {
        let mut other = Handshake::dialer(&PSK, d, l, hello(1..=1, 0), [4; 32]).unwrap();
        assert_eq!(
            run(&mut other, &mut listener()),
            Err(CryptoError::Handshake)
        );
    }
}

#[test]
fn every_flipped_bit_and_every_cut_of_every_message_is_refused() {
    let first = sent(dialer().step(None));
    let second = sent(listener().step(Some(&first)));
    let mut confirming = dialer();
    let _ = sent(confirming.step(None));
    let Ok(Step::SendAndDone(third, _)) = confirming.step(Some(&second)) else {
        panic!("a dialer confirms the answer");
    };
    type Ready = fn(first: &[u8]) -> Handshake;
    let fresh: [(&[u8], Ready); 3] = [
        (&first, |_| listener()),
        (&second, |_| {
            let mut d = dialer();
            let _ = sent(d.step(None));
            d
        }),
        (&third, |first| {
            let mut l = listener();
            let _ = sent(l.step(Some(first)));
            l
        }),
    ];
    for (message, ready) in fresh {
        assert!(message.len() < 200, "{} bytes", message.len());
        for bit in 0..message.len() * 8 {
            let mut bad = message.to_vec();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                ready(&first).step(Some(&bad)),
                Err(CryptoError::Handshake),
                "bit {bit}"
            );
        }
        for len in 0..message.len() {
            assert_eq!(
                ready(&first).step(Some(&message[..len])),
                Err(CryptoError::Handshake)
            );
        }
        assert!(ready(&first).step(Some(message)).is_ok());
    }
}

#[test]
fn a_replayed_conversation_does_not_establish() {
    let (mut d, mut l) = (dialer(), listener());
    let first = sent(d.step(None));
    let second = sent(l.step(Some(&first)));
    let Ok(Step::SendAndDone(third, _)) = d.step(Some(&second)) else {
        panic!("a dialer confirms the answer");
    };
    // The listener draws other keys the next time, so the recorded confirmation does not fit.
    let mut later = Handshake::listener(&PSK, DIALER, LISTENER, hello(1..=1, 0), [7; 32]).unwrap();
    let _ = sent(later.step(Some(&first)));
    assert_eq!(later.step(Some(&third)), Err(CryptoError::Handshake));
    // And a recorded answer does not fit a dialer's next dial.
    let mut again = Handshake::dialer(&PSK, DIALER, LISTENER, hello(1..=1, 0), [8; 32]).unwrap();
    let _ = sent(again.step(None));
    assert_eq!(again.step(Some(&second)), Err(CryptoError::Handshake));
}

#[test]
fn a_message_reflected_to_its_sender_is_refused() {
    let mut d = dialer();
    let first = sent(d.step(None));
    assert_eq!(d.step(Some(&first)), Err(CryptoError::Handshake));
}

#[test]
fn messages_out_of_turn_end_the_handshake() {
    let mut early = dialer();
    assert_eq!(early.step(Some(&[0; 80])), Err(CryptoError::Handshake));
    assert_eq!(early.step(None), Err(CryptoError::HandshakeOver));
    assert_eq!(listener().step(None), Ok(Step::Wait));
    let (mut d, mut l) = (dialer(), listener());
    run(&mut d, &mut l).unwrap();
    assert_eq!(d.step(None), Err(CryptoError::HandshakeOver));
    assert_eq!(l.step(Some(&[0; 80])), Err(CryptoError::HandshakeOver));
}

#[test]
fn an_oversized_message_is_refused_unread() {
    let long = vec![0; MESSAGE_MAX + 1];
    assert!(matches!(
        listener().step(Some(&long)),
        Err(CryptoError::HandshakeTooLong { .. })
    ));
}

#[test]
fn a_hello_with_unknown_fields_is_understood() {
    // What a newer app may send: {0: 1, 1: 9, 2: 0, 3: "more"}
    let newer = [0xa4, 0, 1, 1, 9, 2, 0, 3, 0x64, b'm', b'o', b'r', b'e'];
    let mut noise = with_noise(&PSK, DIALER, LISTENER, [4; 32], |b| b.build_initiator()).unwrap();
    let first = write(&mut noise, &newer).unwrap();
    let _ = sent(listener().step(Some(&first)));
}

#[test]
fn debug_output_names_the_state_only() {
    assert_eq!(format!("{:?}", dialer()), "Handshake(dial)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_never_panics_and_never_establishes(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..1200), 1..4),
        dials in any::<bool>(),
    ) {
        let mut end = if dials { dialer() } else { listener() };
        let _ = end.step(None);
        for message in &messages {
            prop_assert!(end.step(Some(message)).is_err());
        }
    }
}
