use proptest::prelude::*;
use stun::message::BINDING_REQUEST;

use super::*;

fn peer(address: &str) -> Box<dyn Setter> {
    let address: SocketAddr = address.parse().unwrap();
    Box::new(turn::proto::peeraddr::PeerAddress {
        ip: address.ip(),
        port: address.port(),
    })
}

fn message(typ: MessageType, attributes: Vec<Box<dyn Setter>>) -> Vec<u8> {
    let mut setters: Vec<Box<dyn Setter>> = vec![Box::new(typ)];
    setters.extend(attributes);
    let mut message = Message::new();
    message.build(&setters).unwrap();
    message.raw
}

fn request(attributes: Vec<Box<dyn Setter>>) -> Option<Request> {
    let typ = MessageType::new(METHOD_CREATE_PERMISSION, CLASS_REQUEST);
    match read(&message(typ, attributes))? {
        Incoming::Request(request) => Some(*request),
        Incoming::Channel { .. } | Incoming::Send { .. } => None,
    }
}

#[test]
fn every_peer_of_a_request_is_read() {
    let all = request(vec![
        peer("1.2.3.4:5"),
        peer("[2600::1]:6"),
        peer("7.7.7.7:8"),
    ]);
    let all = all.unwrap().peers().unwrap();
    let expected = ["1.2.3.4:5", "[2600::1]:6", "7.7.7.7:8"];
    assert_eq!(all, expected.map(|peer| peer.parse().unwrap()));
    assert!(request(vec![]).unwrap().peers().is_none());
    let short = RawAttribute {
        typ: ATTR_XOR_PEER_ADDRESS,
        length: 5,
        value: vec![0, 1, 0, 0, 7],
    };
    assert!(
        request(vec![peer("1.2.3.4:5"), Box::new(short)])
            .unwrap()
            .peers()
            .is_none()
    );
}

#[test]
fn nothing_counts_that_is_not_signed() {
    let key = MessageIntegrity(vec![7; 16]);
    let claim = || {
        let texts = [
            (ATTR_USERNAME, "u"),
            (ATTR_REALM, "here"),
            (ATTR_NONCE, "n"),
        ];
        let boxed = |(typ, it)| Box::new(text(typ, it)) as Box<dyn Setter>;
        texts.map(boxed).into_iter().collect::<Vec<_>>()
    };
    let mut signed = claim();
    signed.push(Box::new(key.clone()));
    let whole = request(signed).unwrap();
    assert_eq!(whole.claim("here"), Some(("u", "n")));
    assert!(whole.claim("elsewhere").is_none());
    assert!(whole.is_signed_by(&key) && !whole.is_signed_by(&MessageIntegrity(vec![8; 16])));

    assert!(
        request(claim()).unwrap().claim("here").is_none(),
        "unsigned"
    );
    let mut after: Vec<Box<dyn Setter>> = vec![Box::new(key.clone())];
    after.extend(claim());
    assert!(request(after).is_none(), "after the signature");
    let twice: Vec<Box<dyn Setter>> = vec![Box::new(key.clone()), Box::new(key)];
    assert!(request(twice).is_none());
    for length in [0, 4, 19] {
        let cut = RawAttribute {
            typ: ATTR_MESSAGE_INTEGRITY,
            length,
            value: vec![1; usize::from(length)],
        };
        assert!(request(vec![Box::new(cut)]).is_none(), "{length}");
    }
}

#[test]
fn a_channel_carries_what_its_header_says() {
    let read = |bytes: &'static [u8]| match read(bytes) {
        Some(Incoming::Channel { number, data }) => Some((number, data)),
        _ => None,
    };
    assert_eq!(read(b"\x40\x01\x00\x02hi"), Some((0x4001, &b"hi"[..])));
    assert_eq!(
        read(b"\x40\x01\x00\x02hi\0\0"),
        Some((0x4001, &b"hi"[..])),
        "padded"
    );
    assert_eq!(read(b"\x40\x01\x00\x03hi"), None);
    assert_eq!(read(b"\x40\x01\x00"), None);
}

#[test]
fn an_answer_belongs_to_its_request() {
    let datagram = message(BINDING_REQUEST, vec![]);
    let Some(Incoming::Request(request)) = read(&datagram) else {
        panic!("a binding request is one");
    };
    assert_eq!(request.method, Method::Binding);
    let answer = request.granted(vec![], None).unwrap();
    assert_eq!(answer.get(..2), Some(&[1, 1][..]));
    assert_eq!(answer.get(4..20), datagram.get(4..20));
}

proptest! {
    #[test]
    fn no_datagram_breaks_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        ask_everything(&bytes);
    }

    /// The same with a header that is let in.
    #[test]
    fn no_attributes_break_the_reader(
        kind in proptest::sample::select(vec![[0u8, 1], [0, 3], [0, 4], [0, 8], [0, 9], [0, 22]]),
        attributes in proptest::collection::vec(
            (proptest::sample::select(vec![6u16, 8, 12, 13, 18, 19, 20, 21, 23, 25, 0x8028]), proptest::collection::vec(any::<u8>(), 0..24)),
            0..6,
        ),
    ) {
        let mut body = Vec::new();
        for (typ, value) in attributes {
            body.extend(typ.to_be_bytes());
            body.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            body.extend(&value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let mut bytes = kind.to_vec();
        bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        bytes.extend([0x21, 0x12, 0xa4, 0x42]);
        bytes.extend([9; 12]);
        bytes.extend(body);
        ask_everything(&bytes);
    }
}

fn ask_everything(bytes: &[u8]) {
    if let Some(Incoming::Request(request)) = read(bytes) {
        let _ = request.claim("here");
        let _ = request.is_signed_by(&MessageIntegrity(vec![1; 16]));
        let _ = (request.peers(), request.channel(), request.gives_up());
        let _ = (
            request.transport_is_udp(),
            request.wants_v4(),
            request.unknown(),
        );
        assert!(request.not_understood(None).is_some());
    }
}
