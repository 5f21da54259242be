use peddlenet_wire::{Timestamp, WireError};

use super::*;

const KINDS: [RecordKind; 4] = [
    RecordKind::RECEIPTS,
    RecordKind::WHEREABOUTS,
    RecordKind::PRESENCE,
    RecordKind::MEET,
];

fn key() -> AuthorKey {
    AuthorKey::from_seed([1; 32])
}

fn epoch() -> EpochKeys {
    EpochKeys::from_seeds([2; 32], [3; 32])
}

fn sealed(kind: RecordKind, plaintext: &[u8]) -> Result<SignedRecord, CryptoError> {
    let clock = Hlc::at(Timestamp(1_800_000_000_000));
    seal_record(
        kind,
        RoomTag([4; 16]),
        clock,
        &key(),
        &epoch(),
        [8; 24],
        plaintext,
    )
}

fn receive(bytes: &[u8], epoch: &EpochKeys) -> Result<Vec<u8>, CryptoError> {
    let record = SignedRecord::from_bytes(bytes)?;
    verify_record(&record)?;
    open_record(&record, epoch)
}

#[test]
fn a_record_comes_back_as_it_was_written() {
    for kind in KINDS {
        let record = sealed(kind, b"state").unwrap();
        assert_eq!(
            receive(&record.to_bytes(), &epoch()).as_deref(),
            Ok(&b"state"[..])
        );
        assert!(
            receive(&sealed(kind, b"").unwrap().to_bytes(), &epoch())
                .unwrap()
                .is_empty()
        );
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    for kind in KINDS {
        let bytes = sealed(kind, b"state").unwrap().to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(
                receive(&bad, &epoch()).is_err(),
                "bit {bit} of kind {}",
                kind.0
            );
        }
        for len in 0..bytes.len() {
            assert!(receive(&bytes[..len], &epoch()).is_err(), "cut to {len}");
        }
    }
}

#[test]
fn a_signature_for_one_kind_is_none_for_another_nor_for_an_event() {
    let record = sealed(RecordKind::PRESENCE, b"").unwrap();
    let others = [
        Context::Event,
        Context::LinkOpen,
        Context::Record(RecordKind::WHEREABOUTS),
    ];
    for context in others {
        let signature = key().sign(context, record.header_bytes());
        let forged = SignedRecord::from_parts(
            record.header_bytes().to_vec(),
            signature,
            record.body().to_vec(),
        );
        assert_eq!(verify_record(&forged.unwrap()), Err(CryptoError::Signature));
    }
}

#[test]
fn another_author_and_another_epoch_are_refused() {
    let record = sealed(RecordKind::WHEREABOUTS, b"here").unwrap();
    let thief = AuthorKey::from_seed([9; 32]);
    let mut header = record.header().clone();
    header.author = thief.id();
    let bytes = header.to_bytes();
    let signature = thief.sign(Context::Record(header.kind), &bytes);
    let stolen = SignedRecord::from_parts(bytes, signature, record.body().to_vec()).unwrap();
    assert_eq!(verify_record(&stolen), Ok(()));
    assert_eq!(open_record(&stolen, &epoch()), Err(CryptoError::Sealed));
    let other = EpochKeys::from_seeds([2; 32], [10; 32]);
    assert!(matches!(
        open_record(&record, &other),
        Err(CryptoError::OtherEpoch { .. })
    ));
}

#[test]
fn without_the_content_key_receipts_stay_closed() {
    let given = epoch().without_content();
    let receipts = sealed(RecordKind::RECEIPTS, b"seen").unwrap();
    assert!(matches!(
        open_record(&receipts, &given),
        Err(CryptoError::NoContentKey(_))
    ));
    let presence = sealed(RecordKind::PRESENCE, b"").unwrap();
    assert_eq!(open_record(&presence, &given), Ok(Vec::new()));
}

#[test]
fn a_newer_kind_is_verified_and_carried_but_not_opened() {
    let mut header = sealed(RecordKind::PRESENCE, b"").unwrap().header().clone();
    header.kind = RecordKind(700);
    header.body_hash = sha256(b"sealed by a newer app");
    let bytes = header.to_bytes();
    let signature = key().sign(Context::Record(header.kind), &bytes);
    let newer =
        SignedRecord::from_parts(bytes, signature, b"sealed by a newer app".to_vec()).unwrap();
    assert_eq!(verify_record(&newer), Ok(()));
    assert_eq!(
        open_record(&newer, &epoch()),
        Err(CryptoError::UnknownSealing)
    );
    assert_eq!(
        sealed(RecordKind(700), b""),
        Err(CryptoError::UnknownSealing)
    );
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let over = vec![0; limits::RECORD_MAX];
    assert!(matches!(
        sealed(RecordKind::RECEIPTS, &over),
        Err(CryptoError::Wire(WireError::TooLong { .. }))
    ));
}
