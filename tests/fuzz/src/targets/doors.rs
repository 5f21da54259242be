//! Where strangers come in: first packets, and the frames of a rendezvous; and the disk, which a thief may change.

use std::{net::SocketAddr, time::Instant};

use data_encoding::BASE64_NOPAD;
use peddlenet_crypto::vault::{Cost, KeyFile, Passphrase};
use peddlenet_peer::{
    Fingerprint, Gate, GateId, Kind,
    front_door::{FrontDoor, Verdict},
};
use sha2::{Digest as _, Sha256};

use super::{
    stun::{request, server_pwd},
    take,
};

const INVITE: [u8; 32] = [1; 32];
const MEMBER: [u8; 32] = [2; 32];

fn door() -> FrontDoor {
    let gate = |id, kind, key: [u8; 32]| Gate {
        id: GateId(id),
        kind,
        ice_key: key,
        psk: key,
    };
    let mut door = FrontDoor::new();
    door.set_gates(vec![
        gate(1, Kind::Invite, INVITE),
        gate(2, Kind::Member, MEMBER),
    ]);
    door.set_certificates(vec![Fingerprint([3; 32]), Fingerprint([4; 32])]);
    door
}

fn source() -> SocketAddr {
    ([127, 0, 0, 1], 4000).into()
}

/// Any datagram from a stranger: never lets in who doesn't know a key.
pub fn front_door(data: &[u8]) {
    match door().judge(data, source(), Instant::now()) {
        Verdict::Open(_) | Verdict::Moved(_) | Verdict::Asked(_) => {
            panic!("a gate opened without its key")
        }
        Verdict::Refuse(answer) => assert!(answer.len() < data.len(), "an amplifier"),
        _ => {}
    }
}

/// `kind 1 | certificate hash 32 | ICE password 24 | length 1 | the dialer's fragment | attributes`, under the right key:
/// it opens its own gate or none, and never once a bit is changed.
pub fn knock(mut data: &[u8]) {
    let [kind] = take(&mut data);
    let hash: [u8; 32] = take(&mut data);
    let password: [u8; 24] = take(&mut data);
    let [length, at, bit] = take(&mut data);
    let (fragment, attributes) = data.split_at(data.len().min(usize::from(length % 64)));
    let (prefix, key, gate) = match kind % 2 {
        0 => (b"J1", INVITE, 1),
        _ => (b"M1", MEMBER, 2),
    };
    let mut username = prefix.to_vec();
    username.extend(BASE64_NOPAD.encode(&hash).bytes());
    username.extend(password);
    let s_pwd = server_pwd(&key, &username);
    username.push(b':');
    username.extend(fragment);
    let attributes = &attributes[..attributes.len().min(400) / 4 * 4];
    let mut packet = request(&username, attributes, &s_pwd);
    let mut door = door();
    let verdict = door.judge(&packet, source(), Instant::now());
    if let Verdict::Moved(answer) | Verdict::Asked(answer) = &verdict {
        assert_eq!(gate, 2, "a joiner is told of another certificate");
        assert!(answer.len() < packet.len(), "an amplifier");
    }
    if let Verdict::Open(knock) = verdict {
        assert_eq!(knock.gate, GateId(gate));
        assert_eq!(knock.client.0, hash);
        // What lies behind the integrity attribute is not covered by it, and nothing does here.
        let at = usize::from(at) % packet.len();
        packet[at] ^= 1 << (bit % 8);
        let verdict = door.judge(&packet, source(), Instant::now());
        assert!(
            !matches!(
                verdict,
                Verdict::Open(_) | Verdict::Moved(_) | Verdict::Asked(_)
            ),
            "byte {at} is not covered"
        );
    }
}

/// A text frame that a rendezvous gets.
pub fn signaling(data: &[u8]) {
    peddlenet_signaling::read_any(&String::from_utf8_lossy(data));
}

/// What follows on the first bytes of a key file; its check, which anybody can compute, is made right.
pub fn key_file(data: &[u8]) {
    let _ = KeyFile::parse(data);
    let mut file = [b"PNKEY\x01", data].concat();
    let check = Sha256::digest(&file);
    file.extend_from_slice(&check[..8]);
    let Ok(KeyFile::Wrapped(wrapped)) = KeyFile::parse(&file) else {
        return;
    };
    // A file may ask for a quarter of a gigabyte; here it gets a few kilobytes, so that an execution stays short.
    let cost = wrapped.cost();
    let cheap = cost.memory_kib <= 64 && cost.passes <= 2 && cost.lanes <= 2;
    let absurd = cost.memory_kib > Cost::MOST.memory_kib || cost.passes > Cost::MOST.passes;
    if cheap || absurd {
        let passphrase = Passphrase::new("words").expect("a passphrase");
        let opened = wrapped.open(&passphrase);
        assert!(opened.is_err(), "opened by words that never closed it");
    }
}

/// `length of the key 1 | key | value`: an entry of each table, as a thief may have written it.
pub fn store(mut data: &[u8]) {
    let [length] = take(&mut data);
    let (key, value) = data.split_at(data.len().min(usize::from(length)));
    peddlenet_store::read_any(key, value);
}
