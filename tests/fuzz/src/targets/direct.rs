//! Messages to one member: the parcel on its way, and the event in it.

use peddlenet_crypto::{
    AuthorKey, Draft, EpochKeys,
    direct::{direct_stream, open_direct, open_parcel, seal_direct, seal_parcel},
    verify_direct_receipt, verify_event,
};
use peddlenet_wire::{
    Capped, EventHash, Hlc, RoomTag, Seq, SignedEvent,
    direct::{Direct, Parcel},
    ids::Digest,
};

use super::take;

const ROOM: RoomTag = RoomTag([4; 16]);

/// What stands in a parcel once it is opened, and what that leads to.
fn read(bytes: &[u8], reader: &AuthorKey) {
    if let Ok(direct) = Direct::from_bytes(bytes) {
        assert_eq!(Direct::from_bytes(&direct.to_bytes()).as_ref(), Ok(&direct));
    }
    let Ok(parcel) = Parcel::from_bytes(bytes) else {
        return;
    };
    assert_eq!(Parcel::from_bytes(&parcel.to_bytes()).as_ref(), Ok(&parcel));
    match parcel {
        Parcel::Event(event) => {
            let _ = verify_event(&event);
            let _ = open_direct(&event, reader);
        }
        Parcel::Receipt(receipt) => {
            let (event, state) = (receipt.event, receipt.state);
            let _ = verify_direct_receipt(reader.id(), ROOM, event, state, &receipt.signature);
        }
        _ => {}
    }
}

/// `choice 1 | bit 2 | seed 32 | bytes`: a parcel of anything, what was in one, or a genuine one with a flipped bit.
pub fn direct(mut data: &[u8]) {
    let [choice] = take(&mut data);
    let bit = usize::from(u16::from_le_bytes(take(&mut data)));
    let seed: [u8; 32] = take(&mut data);
    let (alice, bob) = (AuthorKey::from_seed([1; 32]), AuthorKey::from_seed([2; 32]));
    match choice % 3 {
        0 => drop(open_parcel(ROOM, alice.id(), &bob, data)),
        1 => read(data, &bob),
        _ => genuine(&alice, &bob, (seed, bit), data),
    }
}

fn genuine(alice: &AuthorKey, bob: &AuthorKey, (seed, bit): ([u8; 32], usize), plain: &[u8]) {
    let draft = Draft {
        room: ROOM,
        stream: direct_stream(ROOM, alice.id(), bob.id()),
        seq: Seq::FIRST,
        previous: EventHash::ZERO,
        clock: Hlc(7),
        parents: Capped::default(),
        membership: Digest::ZERO,
    };
    let epoch = EpochKeys::from_seeds([2; 32], [3; 32]).id();
    let Ok(event) = seal_direct(&draft, alice, bob.id(), epoch, seed, plain) else {
        return;
    };
    for reader in [alice, bob] {
        let opened = open_direct(&event, reader).expect("the pair can read it");
        assert_eq!(&opened[..], plain);
    }
    assert!(open_direct(&event, &AuthorKey::from_seed([3; 32])).is_err());
    let bytes = Parcel::Event(event.clone()).to_bytes();
    read(&bytes, bob);
    let Ok(mut parcel) = seal_parcel(ROOM, alice.id(), bob.id(), seed, &bytes) else {
        return;
    };
    let opened = open_parcel(ROOM, alice.id(), bob, &parcel).expect("its own parcel");
    assert_eq!(&opened[..], bytes);
    flip(&mut parcel, bit);
    assert!(open_parcel(ROOM, alice.id(), bob, &parcel).is_err());
    let mut bytes = event.to_bytes();
    flip(&mut bytes, bit);
    let accepted = SignedEvent::from_bytes(&bytes).is_ok_and(|e| verify_event(&e).is_ok());
    assert!(!accepted, "one bit was changed, and nobody noticed");
}

fn flip(bytes: &mut [u8], bit: usize) {
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}
