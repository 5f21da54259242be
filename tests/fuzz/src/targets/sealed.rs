//! Sealing: what was sealed opens again, and one changed bit anywhere opens nothing.

use peddlenet_crypto::{
    AuthorKey, CryptoError, Draft, EpochKeys, open_event, open_record, seal_event, seal_record,
    sealed_to::{open_sealed, seal_to},
    verify_event, verify_record,
};
use peddlenet_wire::{
    AuthorId, Capped, EventHash, Hlc, RoomTag, Seq, SignedEvent, SignedRecord, Stream, ids::Digest,
    record::RecordKind,
};

use super::{bodies, content, take};

/// `choice 1 | bit 2 | nonce 24 | plaintext`
pub fn sealed(mut data: &[u8]) {
    let [choice] = take(&mut data);
    let bit = usize::from(u16::from_le_bytes(take(&mut data)));
    let nonce: [u8; 24] = take(&mut data);
    let key = AuthorKey::from_seed([1; 32]);
    let epoch = EpochKeys::from_seeds([2; 32], [3; 32]);
    if choice % 3 < 2 {
        let draft = Draft {
            room: RoomTag([4; 16]),
            stream: Stream(u32::from(choice % 3)),
            seq: Seq::FIRST,
            previous: EventHash::ZERO,
            clock: Hlc(7),
            parents: Capped::default(),
            membership: Digest([7; 32]),
        };
        let Ok(event) = seal_event(&draft, &key, &epoch, nonce, data) else {
            return;
        };
        let mut bytes = event.to_bytes();
        let read = SignedEvent::from_bytes(&bytes).expect("what was sealed is read");
        assert_eq!(verify_event(&read), Ok(()));
        assert_eq!(open_event(&read, &epoch).as_deref(), Ok(data));
        content(data);
        flip(&mut bytes, bit);
        if let Ok(changed) = SignedEvent::from_bytes(&bytes) {
            refused(&verify_event(&changed).and(open_event(&changed, &epoch)));
        }
    } else {
        let kind = RecordKind(u16::from(choice / 3) % 4);
        let sealed = seal_record(kind, RoomTag([4; 16]), Hlc(7), &key, &epoch, nonce, data);
        let Ok(record) = sealed else {
            return;
        };
        let mut bytes = record.to_bytes();
        let read = SignedRecord::from_bytes(&bytes).expect("what was sealed is read");
        assert_eq!(verify_record(&read), Ok(()));
        assert_eq!(open_record(&read, &epoch).as_deref(), Ok(data));
        bodies(data);
        flip(&mut bytes, bit);
        if let Ok(changed) = SignedRecord::from_bytes(&bytes) {
            refused(&verify_record(&changed).and(open_record(&changed, &epoch)));
        }
    }
}

/// `choice 1 | bit 2 | 32 | bytes`: a box to one author, made by somebody else, or changed on its way.
pub fn letter(mut data: &[u8]) {
    let [choice] = take(&mut data);
    let bit = usize::from(u16::from_le_bytes(take(&mut data)));
    let some: [u8; 32] = take(&mut data);
    let key = AuthorKey::from_seed([1; 32]);
    let (info, aad) = (b"pn/fuzz/1", b"header");
    match choice % 3 {
        // Anything, as if it were a box.
        0 => drop(open_sealed(&key, info, aad, data)),
        // To anybody, however odd the key.
        1 => drop(seal_to(AuthorId(some), info, aad, [9; 32], data)),
        _ => {
            let mut sealed = seal_to(key.id(), info, aad, some, data).expect("a box");
            let opened = open_sealed(&key, info, aad, &sealed).expect("its own box");
            assert_eq!(&opened[..], data);
            flip(&mut sealed, bit);
            assert!(open_sealed(&key, info, aad, &sealed).is_err());
        }
    }
}

fn flip(bytes: &mut [u8], bit: usize) {
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

fn refused(result: &Result<Vec<u8>, CryptoError>) {
    assert!(result.is_err(), "one bit was changed, and nobody noticed");
}
