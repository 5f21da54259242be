//! Datagrams of STUN (RFC 8489) and TURN (RFC 8656), read and written. Pure.
//!
//! The `stun` crate splits a message into attributes; what is strict stands here: nothing counts that the signature
//! doesn't cover, attributes of the wrong size make a message bad, and all peers of a request are read.

use std::net::SocketAddr;
use std::time::Duration;

use stun::attributes::{
    ATTR_CHANNEL_NUMBER, ATTR_DATA, ATTR_FINGERPRINT, ATTR_LIFETIME, ATTR_MESSAGE_INTEGRITY,
    ATTR_MESSAGE_INTEGRITY_SHA256, ATTR_NONCE, ATTR_REALM, ATTR_REQUESTED_ADDRESS_FAMILY,
    ATTR_REQUESTED_TRANSPORT, ATTR_USERNAME, ATTR_XOR_PEER_ADDRESS, ATTR_XOR_RELAYED_ADDRESS,
    AttrType, Attributes, RawAttribute,
};
use stun::error_code::{CODE_UNKNOWN_ATTRIBUTE, ErrorCode, ErrorCodeAttribute};
use stun::fingerprint::FINGERPRINT;
use stun::integrity::MessageIntegrity;
use stun::message::{
    CLASS_ERROR_RESPONSE, CLASS_INDICATION, CLASS_REQUEST, CLASS_SUCCESS_RESPONSE, METHOD_ALLOCATE,
    METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_REFRESH, METHOD_SEND,
    Message, MessageClass, MessageType, Setter,
};
use stun::textattrs::TextAttribute;
use stun::uattrs::UnknownAttributes;
use stun::xoraddr::XorMappedAddress;

/// UDP, as REQUESTED-TRANSPORT names it.
const UDP: u8 = 17;

/// HMAC-SHA1.
const INTEGRITY_BYTES: u16 = 20;

/// What a datagram to the server can be.
pub(super) enum Incoming<'a> {
    /// Data for the peer that a channel is bound to.
    Channel { number: u16, data: &'a [u8] },
    /// Data for a peer that is named.
    Send { peer: SocketAddr, data: Vec<u8> },
    /// Something that is answered.
    Request(Box<Request>),
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// From which address do you see me?
    Binding,
    /// A relayed address, please.
    Allocate,
    /// Keep it, or with a lifetime of 0 give it up.
    Refresh,
    /// Let datagrams of these peers in.
    CreatePermission,
    /// A short name for this peer.
    ChannelBind,
}

/// A request with an intact frame. Whether it is signed is asked separately.
pub(super) struct Request {
    pub(super) method: Method,
    message: Message,
    /// As signed: what follows the signature is cut off.
    signed: Vec<RawAttribute>,
}

/// Reads a datagram. `None`: it is nothing that this server speaks, and nothing is answered.
pub(super) fn read(datagram: &[u8]) -> Option<Incoming<'_>> {
    match datagram.first()? {
        0x40..=0x7f => {
            let (header, rest) = datagram.split_at_checked(4)?;
            let [n1, n2, l1, l2] = header.try_into().ok()?;
            let data = rest.get(..usize::from(u16::from_be_bytes([l1, l2])))?;
            let number = u16::from_be_bytes([n1, n2]);
            Some(Incoming::Channel { number, data })
        }
        0x00..=0x3f => read_stun(datagram),
        _ => None,
    }
}

fn read_stun(datagram: &[u8]) -> Option<Incoming<'_>> {
    let mut message = Message {
        raw: datagram.to_vec(),
        ..Message::default()
    };
    message.decode().ok()?;
    let attributes = &message.attributes.0;
    if message.typ.class == CLASS_INDICATION && message.typ.method == METHOD_SEND {
        let peer = find(attributes, ATTR_XOR_PEER_ADDRESS)?;
        let peer = peer_address(&message, peer)?;
        let data = find(attributes, ATTR_DATA)?.value.clone();
        return Some(Incoming::Send { peer, data });
    }
    if message.typ.class != CLASS_REQUEST {
        return None;
    }
    let method = match message.typ.method {
        METHOD_BINDING => Method::Binding,
        METHOD_ALLOCATE => Method::Allocate,
        METHOD_REFRESH => Method::Refresh,
        METHOD_CREATE_PERMISSION => Method::CreatePermission,
        METHOD_CHANNEL_BIND => Method::ChannelBind,
        _ => return None,
    };
    let signature = attributes
        .iter()
        .position(|attribute| attribute.typ == ATTR_MESSAGE_INTEGRITY);
    let (signed, after) = attributes.split_at_checked(signature.unwrap_or(attributes.len()))?;
    let whole = after.iter().all(|attribute| match attribute.typ {
        ATTR_MESSAGE_INTEGRITY => attribute.length == INTEGRITY_BYTES,
        ATTR_MESSAGE_INTEGRITY_SHA256 | ATTR_FINGERPRINT => true,
        _ => false,
    });
    let once = after
        .iter()
        .filter(|attribute| attribute.typ == ATTR_MESSAGE_INTEGRITY)
        .count()
        <= 1;
    let signed = signed.to_vec();
    (whole && once).then(|| {
        Incoming::Request(Box::new(Request {
            method,
            message,
            signed,
        }))
    })
}

fn find(attributes: &[RawAttribute], typ: AttrType) -> Option<&RawAttribute> {
    attributes.iter().find(|attribute| attribute.typ == typ)
}

/// The crate reads only the first such attribute of a message, and takes addresses that are cut short.
fn peer_address(message: &Message, attribute: &RawAttribute) -> Option<SocketAddr> {
    let whole = matches!(
        (attribute.value.get(..2)?, attribute.value.len()),
        ([0, 1], 8) | ([0, 2], 20)
    );
    if !whole {
        return None;
    }
    let alone = Message {
        transaction_id: message.transaction_id,
        attributes: Attributes(vec![attribute.clone()]),
        ..Message::default()
    };
    let mut address = XorMappedAddress::default();
    address.get_from_as(&alone, ATTR_XOR_PEER_ADDRESS).ok()?;
    Some(SocketAddr::new(address.ip, address.port))
}

impl Request {
    /// What its answer repeats.
    pub(super) fn id(&self) -> [u8; 12] {
        self.message.transaction_id.0
    }

    /// Username and nonce, when the request is signed for this realm.
    pub(super) fn claim(&self, realm: &str) -> Option<(&str, &str)> {
        self.is_signed().then_some(())?;
        let text = |typ| std::str::from_utf8(&self.attribute(typ)?.value).ok();
        (text(ATTR_REALM)? == realm).then_some((text(ATTR_USERNAME)?, text(ATTR_NONCE)?))
    }

    /// Whether there is a signature at all.
    pub(super) fn is_signed(&self) -> bool {
        self.message.contains(ATTR_MESSAGE_INTEGRITY)
    }

    /// Whether the signature is by this key.
    pub(super) fn is_signed_by(&self, key: &MessageIntegrity) -> bool {
        key.check(&mut self.message.clone()).is_ok()
    }

    /// The peers that a permission or channel is asked for; `None` when one of them is no address, or there is none.
    pub(super) fn peers(&self) -> Option<Vec<SocketAddr>> {
        let peers: Option<Vec<_>> = self
            .signed
            .iter()
            .filter(|attribute| attribute.typ == ATTR_XOR_PEER_ADDRESS)
            .map(|attribute| peer_address(&self.message, attribute))
            .collect();
        peers.filter(|peers| !peers.is_empty())
    }

    /// The channel asked for, if it is one that RFC 8656 allows.
    pub(super) fn channel(&self) -> Option<u16> {
        let value = &self.attribute(ATTR_CHANNEL_NUMBER)?.value;
        let [high, low, _, _] = value.as_slice().try_into().ok()?;
        let number = u16::from_be_bytes([high, low]);
        (0x4000..=0x4fff).contains(&number).then_some(number)
    }

    /// Whether the device gives its relay up.
    pub(super) fn gives_up(&self) -> bool {
        self.attribute(ATTR_LIFETIME)
            .is_some_and(|attribute| attribute.value == [0; 4])
    }

    /// `None` when none is named, which is a bad request; else whether it is UDP.
    pub(super) fn transport_is_udp(&self) -> Option<bool> {
        let value = &self.attribute(ATTR_REQUESTED_TRANSPORT)?.value;
        Some(*value.first()? == UDP)
    }

    /// Whether the relayed address is to be IPv4, as it is when nothing is said. `None`: a family that doesn't exist.
    pub(super) fn wants_v4(&self) -> Option<bool> {
        let Some(family) = self.attribute(ATTR_REQUESTED_ADDRESS_FAMILY) else {
            return Some(true);
        };
        match family.value.first() {
            Some(1) => Some(true),
            Some(2) => Some(false),
            _ => None,
        }
    }

    /// Attributes that must be understood and are not. Among them those which reserve further ports, and the one that asks
    /// for unfragmented datagrams.
    pub(super) fn unknown(&self) -> Vec<AttrType> {
        let known = [
            ATTR_USERNAME,
            ATTR_REALM,
            ATTR_NONCE,
            ATTR_LIFETIME,
            ATTR_CHANNEL_NUMBER,
            ATTR_XOR_PEER_ADDRESS,
            ATTR_REQUESTED_TRANSPORT,
            ATTR_REQUESTED_ADDRESS_FAMILY,
        ];
        // ICE's own, in a binding request that goes to a server by mistake or to keep a mapping.
        let of_ice = [AttrType(0x0024), AttrType(0x0025)];
        self.signed
            .iter()
            .map(|attribute| attribute.typ)
            .filter(|typ| typ.required() && !known.contains(typ) && !of_ice.contains(typ))
            .collect()
    }

    /// The answer that all is well, signed where a key is given.
    pub(super) fn granted(
        &self,
        attributes: Vec<Said>,
        key: Option<&MessageIntegrity>,
    ) -> Option<Vec<u8>> {
        self.answer(CLASS_SUCCESS_RESPONSE, attributes, key)
    }

    /// The answer that it is not, with a code of RFC 8489 or 8656.
    pub(super) fn refused(
        &self,
        code: ErrorCode,
        reason: &'static str,
        mut attributes: Vec<Said>,
        key: Option<&MessageIntegrity>,
    ) -> Option<Vec<u8>> {
        attributes.insert(0, Said::No(code, reason));
        self.answer(CLASS_ERROR_RESPONSE, attributes, key)
    }

    /// 420, with the attributes that it is about.
    pub(super) fn not_understood(&self, key: Option<&MessageIntegrity>) -> Option<Vec<u8>> {
        let unknown = Said::Unknown(self.unknown());
        self.refused(
            CODE_UNKNOWN_ATTRIBUTE,
            "Unknown Attribute",
            vec![unknown],
            key,
        )
    }

    fn answer(
        &self,
        class: MessageClass,
        attributes: Vec<Said>,
        key: Option<&MessageIntegrity>,
    ) -> Option<Vec<u8>> {
        let id = Message {
            transaction_id: self.message.transaction_id,
            ..Message::default()
        };
        let typ = MessageType::new(self.message.typ.method, class);
        let mut setters: Vec<Box<dyn Setter>> = vec![Box::new(id), Box::new(typ)];
        for said in attributes {
            setters.push(Box::new(said));
        }
        if let Some(key) = key {
            setters.push(Box::new(key.clone()));
        }
        setters.push(Box::new(FINGERPRINT));
        let mut answer = Message::new();
        answer.build(&setters).ok()?;
        Some(answer.raw)
    }

    fn attribute(&self, typ: AttrType) -> Option<&RawAttribute> {
        find(&self.signed, typ)
    }
}

/// What an answer says.
pub(super) enum Said {
    /// The address that the request came from.
    Mapped(SocketAddr),
    /// The address that the device has now.
    Relayed(SocketAddr),
    /// How long it has it.
    Lifetime(Duration),
    Realm(&'static str),
    Nonce(String),
    No(ErrorCode, &'static str),
    Unknown(Vec<AttrType>),
}

impl Setter for Said {
    fn add_to(&self, message: &mut Message) -> Result<(), stun::Error> {
        let address = |address: &SocketAddr| XorMappedAddress {
            ip: address.ip(),
            port: address.port(),
        };
        match self {
            Self::Mapped(from) => address(from).add_to(message),
            Self::Relayed(relayed) => address(relayed).add_to_as(message, ATTR_XOR_RELAYED_ADDRESS),
            Self::Lifetime(lifetime) => {
                let seconds = u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
                message.add(ATTR_LIFETIME, &seconds.to_be_bytes());
                Ok(())
            }
            Self::Realm(realm) => text(ATTR_REALM, realm).add_to(message),
            Self::Nonce(nonce) => text(ATTR_NONCE, nonce).add_to(message),
            Self::No(code, reason) => ErrorCodeAttribute {
                code: *code,
                reason: reason.as_bytes().to_vec(),
            }
            .add_to(message),
            Self::Unknown(types) => UnknownAttributes(types.clone()).add_to(message),
        }
    }
}

fn text(typ: AttrType, text: &str) -> TextAttribute {
    TextAttribute::new(typ, text.to_owned())
}

#[cfg(test)]
mod tests;
