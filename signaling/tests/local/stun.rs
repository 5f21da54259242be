//! A TURN client that sends what it is told, also what no honest one would.

use std::net::SocketAddr;

use serde_json::Value;
use stun::agent::TransactionId;
use stun::attributes::{
    ATTR_CHANNEL_NUMBER, ATTR_DATA, ATTR_NONCE, ATTR_REALM, ATTR_REQUESTED_TRANSPORT,
    ATTR_USERNAME, ATTR_XOR_PEER_ADDRESS, ATTR_XOR_RELAYED_ADDRESS, ATTR_XORMAPPED_ADDRESS,
    AttrType,
};
use stun::error_code::ErrorCodeAttribute;
use stun::integrity::MessageIntegrity;
use stun::message::{
    CLASS_INDICATION, CLASS_REQUEST, Getter, METHOD_ALLOCATE, METHOD_CHANNEL_BIND,
    METHOD_CREATE_PERMISSION, METHOD_SEND, Message, MessageType, Method, Setter,
};
use stun::textattrs::Nonce;
use stun::xoraddr::XorMappedAddress;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::PATIENCE;

pub(crate) struct Raw {
    pub(crate) socket: UdpSocket,
    server: SocketAddr,
    username: String,
    credential: String,
    nonce: String,
}

impl Raw {
    /// With the credentials of an `ice` reply.
    pub(crate) async fn new(server: SocketAddr, ice: &Value) -> Self {
        let text = |key: &str| ice[key].as_str().unwrap_or_default().to_owned();
        let socket = UdpSocket::bind((server.ip(), 0)).await.unwrap();
        let (username, credential) = (text("username"), text("credential"));
        Self::with(socket, server, username, credential)
    }

    pub(crate) fn with(
        socket: UdpSocket,
        server: SocketAddr,
        username: String,
        credential: String,
    ) -> Self {
        Self {
            socket,
            server,
            username,
            credential,
            nonce: "none".to_owned(),
        }
    }

    /// From now on with another credential, from the same socket.
    pub(crate) fn renew(&mut self, ice: &Value) {
        let text = |key: &str| ice[key].as_str().unwrap_or_default().to_owned();
        (self.username, self.credential) = (text("username"), text("credential"));
    }

    /// Sends a signed request and returns the answer; a stale nonce is renewed once.
    pub(crate) async fn ask(&mut self, method: Method, attributes: &[Attribute<'_>]) -> Message {
        let mut answer = self.repeat(&self.request(method, attributes)).await;
        if code(&answer) == 438 {
            self.nonce = Nonce::get_from_as(&answer, ATTR_NONCE).unwrap().text;
            answer = self.repeat(&self.request(method, attributes)).await;
        }
        answer
    }

    /// Sends it as it is and returns the answer to it.
    pub(crate) async fn repeat(&self, request: &Message) -> Message {
        self.send(&request.raw).await;
        loop {
            let mut answer = Message::new();
            let heard = answer.write(&self.hear().await);
            if heard.is_ok() && answer.transaction_id == request.transaction_id {
                return answer;
            }
        }
    }

    /// A signed request.
    pub(crate) fn request(&self, method: Method, attributes: &[Attribute<'_>]) -> Message {
        let mut request = frame(MessageType::new(method, CLASS_REQUEST), attributes);
        let claims = [
            (ATTR_USERNAME, self.username.as_str()),
            (ATTR_REALM, "peddlenet"),
            (ATTR_NONCE, &self.nonce),
        ];
        for (typ, text) in claims {
            request.add(typ, text.as_bytes());
        }
        let [user, realm, credential] =
            [&self.username, "peddlenet", &self.credential].map(str::to_owned);
        MessageIntegrity::new_long_term_integrity(user, realm, credential)
            .add_to(&mut request)
            .unwrap();
        request
    }

    /// A relayed address, or the code of the refusal.
    pub(crate) async fn allocate(&mut self) -> Result<SocketAddr, u16> {
        let answer = self.ask(METHOD_ALLOCATE, &[UDP]).await;
        match code(&answer) {
            0 => Ok(address(&answer, ATTR_XOR_RELAYED_ADDRESS)),
            code => Err(code),
        }
    }

    /// The code of the answer, 0 for yes.
    pub(crate) async fn permit(&mut self, peers: &[SocketAddr]) -> u16 {
        let peers: Vec<_> = peers.iter().copied().map(Attribute::Peer).collect();
        code(&self.ask(METHOD_CREATE_PERMISSION, &peers).await)
    }

    /// The code of the answer, 0 for yes.
    pub(crate) async fn bind_channel(&mut self, number: u16, peer: SocketAddr) -> u16 {
        let [high, low] = number.to_be_bytes();
        let number = [high, low, 0, 0];
        let attributes = [
            Attribute::Raw(ATTR_CHANNEL_NUMBER, &number),
            Attribute::Peer(peer),
        ];
        code(&self.ask(METHOD_CHANNEL_BIND, &attributes).await)
    }

    /// Data through a channel.
    pub(crate) async fn send_through(&self, number: u16, data: &[u8]) {
        let length = u16::try_from(data.len()).unwrap();
        let header = [number.to_be_bytes(), length.to_be_bytes()].concat();
        self.send(&[&header, data].concat()).await;
    }

    /// A Send indication.
    pub(crate) async fn send_to(&self, data: &[u8], peer: SocketAddr) {
        let typ = MessageType::new(METHOD_SEND, CLASS_INDICATION);
        let mut message = frame(typ, &[Attribute::Peer(peer)]);
        message.add(ATTR_DATA, data);
        self.send(&message.raw).await;
    }

    pub(crate) async fn send(&self, datagram: &[u8]) {
        self.socket.send_to(datagram, self.server).await.unwrap();
    }

    /// The next datagram.
    pub(crate) async fn hear(&self) -> Vec<u8> {
        let mut buffer = vec![0; 2048];
        let heard = timeout(PATIENCE, self.socket.recv_from(&mut buffer));
        let (length, _) = heard.await.expect("the server stays silent").unwrap();
        buffer.truncate(length);
        buffer
    }

    /// What has come and not been heard.
    pub(crate) fn unheard(&self) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 2048];
        let (length, _) = self.socket.try_recv_from(&mut buffer).ok()?;
        buffer.truncate(length);
        Some(buffer)
    }
}

/// 0 for a success.
pub(crate) fn code(message: &Message) -> u16 {
    let mut code = ErrorCodeAttribute::default();
    code.get_from(message).map_or(0, |()| code.code.0)
}

pub(crate) fn address(message: &Message, typ: AttrType) -> SocketAddr {
    let mut address = XorMappedAddress::default();
    address.get_from_as(message, typ).unwrap();
    SocketAddr::new(address.ip, address.port)
}

pub(crate) fn mapped(message: &Message) -> SocketAddr {
    address(message, ATTR_XORMAPPED_ADDRESS)
}

/// What a request carries beside its credentials.
#[derive(Clone, Copy)]
pub(crate) enum Attribute<'a> {
    Raw(AttrType, &'a [u8]),
    /// XOR-PEER-ADDRESS, masked as it must be.
    Peer(SocketAddr),
}

/// REQUESTED-TRANSPORT: UDP.
pub(crate) const UDP: Attribute<'_> = Attribute::Raw(ATTR_REQUESTED_TRANSPORT, &[17, 0, 0, 0]);

/// A message without a signature.
pub(crate) fn frame(typ: MessageType, attributes: &[Attribute<'_>]) -> Message {
    let mut message = Message::new();
    let id = Box::new(TransactionId::new()) as Box<dyn Setter>;
    message.build(&[id, Box::new(typ)]).unwrap();
    for attribute in attributes {
        match *attribute {
            Attribute::Raw(typ, value) => message.add(typ, value),
            Attribute::Peer(peer) => {
                let (ip, port) = (peer.ip(), peer.port());
                let masked = XorMappedAddress { ip, port };
                masked
                    .add_to_as(&mut message, ATTR_XOR_PEER_ADDRESS)
                    .unwrap();
            }
        }
    }
    message
}
