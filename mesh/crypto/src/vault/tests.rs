use proptest::prelude::*;

use super::*;

const TABLE: &str = "events";
/// As cheap as Argon2id gets.
const CHEAP: Cost = Cost {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};
const RANDOM: WrapRandom = WrapRandom {
    salt: [3; 16],
    nonce: [4; 24],
};

fn master() -> MasterKey {
    MasterKey::from_bytes([0xa7; 32])
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

#[test]
fn a_value_opens_only_in_its_place_under_its_key() {
    let key = master().value_key();
    let sealed = key.seal(TABLE, b"k", &[1; 24], b"value").unwrap();
    assert_eq!(sealed.len(), 5 + SEAL_OVERHEAD);
    assert_eq!(key.open(TABLE, b"k", &sealed).as_deref(), Ok(&b"value"[..]));
    let other = MasterKey::from_bytes([0xa8; 32]).value_key();
    for refused in [
        key.open(TABLE, b"K", &sealed),
        key.open("event", b"sk", &sealed),
        key.open("eventsk", b"", &sealed),
        other.open(TABLE, b"k", &sealed),
    ] {
        assert_eq!(refused, Err(CryptoError::Sealed));
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let key = master().value_key();
    let sealed = key.seal(TABLE, b"k", &[1; 24], b"some value").unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            key.open(TABLE, b"k", &flipped),
            Err(CryptoError::Sealed),
            "bit {bit}"
        );
    }
    for len in 0..sealed.len() {
        let cut = key.open(TABLE, b"k", &sealed[..len]);
        assert_eq!(cut, Err(CryptoError::Sealed), "{len} bytes");
    }
}

#[test]
fn an_empty_value_is_sealed_like_others() {
    let key = master().value_key();
    let sealed = key.seal(TABLE, b"", &[1; 24], b"").unwrap();
    assert_eq!(key.open(TABLE, b"", &sealed), Ok(Vec::new()));
    assert!(key.open(TABLE, b"", b"").is_err());
}

#[test]
fn a_key_is_known_by_its_name_and_shows_nothing_else() {
    assert_eq!(master().id(), master().id());
    assert_ne!(master().id(), MasterKey::from_bytes([0xa8; 32]).id());
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        master(),
        master().value_key(),
        passphrase("horse"),
        KeyFile::parse(&KeyFile::plain(&master())).unwrap()
    );
    for secret in ["a7a7", "167, 167", "horse"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_plain_key_file_gives_its_key() {
    let bytes = KeyFile::plain(&master());
    assert!(bytes.len() <= KEY_FILE_MAX);
    let Ok(KeyFile::Plain(key)) = KeyFile::parse(&bytes) else {
        panic!("it is plain")
    };
    assert_eq!(key.expose(), master().expose());
}

#[test]
fn a_wrapped_key_file_gives_its_key_for_the_passphrase_alone() {
    let bytes = KeyFile::wrapped(&master(), &passphrase("correct horse\n"), CHEAP, &RANDOM);
    let bytes = bytes.unwrap();
    assert!(bytes.len() <= KEY_FILE_MAX);
    assert!(!bytes.windows(32).any(|w| w == master().expose()));
    let Ok(KeyFile::Wrapped(wrapped)) = KeyFile::parse(&bytes) else {
        panic!("it is wrapped")
    };
    assert_eq!(wrapped.cost(), CHEAP);
    let opened = wrapped.open(&passphrase("correct horse")).unwrap();
    assert_eq!(opened.expose(), master().expose());
    let wrong = wrapped.open(&passphrase("correct  horse")).err();
    assert_eq!(wrong, Some(CryptoError::Passphrase));
}

#[test]
fn a_hostile_key_file_gets_no_memory() {
    let wrapped = |cost: [u32; 3]| {
        let mut bytes = KeyFile::wrapped(&master(), &passphrase("p"), CHEAP, &RANDOM).unwrap();
        for (at, number) in cost.into_iter().enumerate() {
            bytes[7 + at * 4..11 + at * 4].copy_from_slice(&number.to_be_bytes());
        }
        // An attacker makes the check fit.
        let end = bytes.len() - 8;
        let check = peddlenet_wire::event::sha256(&bytes[..end]);
        bytes[end..].copy_from_slice(&check.0[..8]);
        match KeyFile::parse(&bytes) {
            Ok(KeyFile::Wrapped(wrapped)) => wrapped.open(&passphrase("p")).err(),
            other => panic!("{other:?}"),
        }
    };
    for cost in [
        [u32::MAX, 1, 1],
        [8, u32::MAX, 1],
        [8, 1, u32::MAX],
        [0, 1, 1],
        [8, 0, 1],
        [8, 1, 0],
        [8, 1, 16],
    ] {
        let refused = wrapped(cost);
        assert!(
            matches!(refused, Some(CryptoError::KeyFile(_))),
            "{cost:?}: {refused:?}"
        );
    }
    // Within bounds, but not the parameters that it was wrapped with.
    assert_eq!(wrapped([8, 2, 1]), Some(CryptoError::Passphrase));
}

#[test]
fn a_passphrase_has_some_length_and_not_any() {
    for bad in ["", "\n", &"x".repeat(1025)] {
        assert_eq!(Passphrase::new(bad).err(), Some(CryptoError::Passphrase));
    }
    assert!(Passphrase::new(" ").is_ok());
}

#[test]
fn a_damaged_key_file_is_told_from_a_wrong_passphrase() {
    let files = [
        KeyFile::plain(&master()).to_vec(),
        KeyFile::wrapped(&master(), &passphrase("p"), CHEAP, &RANDOM).unwrap(),
    ];
    for bytes in files {
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let refused = KeyFile::parse(&flipped).err();
            assert!(matches!(refused, Some(CryptoError::KeyFile(_))), "{bit}");
        }
        for len in 0..bytes.len() {
            assert!(KeyFile::parse(&bytes[..len]).is_err(), "{len} bytes");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = KeyFile::parse(&bytes);
        let _ = KeyFile::parse(&[b"PNKEY\x01\x01", &bytes[..]].concat());
        let _ = master().value_key().open(TABLE, b"k", &bytes);
    }
}
