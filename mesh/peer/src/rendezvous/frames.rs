//! The JSON that crosses the WebSocket, version 1; `signaling/README.md` describes it.

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use peddlenet_wire::rendezvous::MeetingTag;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

const VERSION: u32 = 1;
/// A name or a credential of a server's (bytes).
const TEXT_MAX: usize = 256;
/// Credentials are asked for anew at least and at most that often.
const TTL: std::ops::RangeInclusive<u64> = 60..=86_400;

/// What a device asks of the server.
#[derive(Debug)]
pub(super) enum Request {
    Join { tag: MeetingTag },
    Leave { tag: MeetingTag },
    Send { tag: MeetingTag, data: Vec<u8> },
    Ice,
}

#[derive(Serialize)]
struct RawRequest<'r> {
    v: u32,
    r#type: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

impl Request {
    pub(super) fn to_json(&self) -> String {
        let hex = |tag: &MeetingTag| Some(HEXLOWER.encode(&tag.0));
        let (r#type, tag, data) = match self {
            Self::Join { tag } => ("join", hex(tag), None),
            Self::Leave { tag } => ("leave", hex(tag), None),
            Self::Send { tag, data } => ("send", hex(tag), Some(BASE64.encode(data))),
            Self::Ice => ("ice", None, None),
        };
        let raw = RawRequest {
            v: VERSION,
            r#type,
            tag,
            data,
        };
        // Strings and numbers always serialize.
        serde_json::to_string(&raw).unwrap_or_default()
    }
}

/// Which STUN and TURN server a rendezvous server offers.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct RawOffer {
    /// `HOST:PORT`; an empty host is the rendezvous server's own.
    pub(super) stun: Option<String>,
    /// The same, of the relay.
    pub(super) turn: Option<String>,
    pub(super) username: String,
    pub(super) credential: String,
    pub(super) realm: String,
    /// How long this holds.
    pub(super) ttl: Duration,
}

/// Shows no credential.
impl fmt::Debug for RawOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stun, turn) = (self.stun.is_some(), self.turn.is_some());
        write!(f, "RawOffer(stun: {stun}, turn: {turn})")
    }
}

/// What the server says; what isn't understood is `None`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Joined { tag: MeetingTag, peers: usize },
    Data { tag: MeetingTag, data: Vec<u8> },
    Ice(RawOffer),
    Error { code: String },
}

/// Every field of every reply: unknown ones are ignored.
#[derive(Deserialize)]
struct RawReply {
    r#type: String,
    tag: Option<String>,
    peers: Option<u64>,
    data: Option<String>,
    code: Option<String>,
    stun: Option<String>,
    turn: Option<String>,
    username: Option<String>,
    credential: Option<String>,
    realm: Option<String>,
    ttl_s: Option<u64>,
}

impl Reply {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let raw: RawReply = serde_json::from_str(text).ok()?;
        let tag = || read_tag(raw.tag.as_deref()?);
        match raw.r#type.as_str() {
            "joined" => Some(Self::Joined {
                tag: tag()?,
                peers: usize::try_from(raw.peers?).ok()?,
            }),
            "data" => Some(Self::Data {
                tag: tag()?,
                data: BASE64.decode(raw.data?.as_bytes()).ok()?,
            }),
            "error" => Some(Self::Error {
                code: short(raw.code)?,
            }),
            "ice" => {
                let ttl = raw.ttl_s.unwrap_or(3_600).clamp(*TTL.start(), *TTL.end());
                Some(Self::Ice(RawOffer {
                    stun: short(raw.stun),
                    turn: short(raw.turn),
                    username: short(raw.username).unwrap_or_default(),
                    credential: short(raw.credential).unwrap_or_default(),
                    realm: short(raw.realm).unwrap_or_default(),
                    ttl: Duration::from_secs(ttl),
                }))
            }
            _ => None,
        }
    }
}

fn read_tag(hex: &str) -> Option<MeetingTag> {
    let bytes = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?;
    Some(MeetingTag(bytes.try_into().ok()?))
}

fn short(text: Option<String>) -> Option<String> {
    text.filter(|text| text.len() <= TEXT_MAX && !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TAG: MeetingTag = MeetingTag([0xab; 16]);
    const HEX: &str = "abababababababababababababababab";

    #[test]
    fn requests_are_written_as_documented() {
        let join = Request::Join { tag: TAG }.to_json();
        assert_eq!(join, format!(r#"{{"v":1,"type":"join","tag":"{HEX}"}}"#));
        let (tag, data) = (TAG, b"hi".to_vec());
        let send = Request::Send { tag, data }.to_json();
        let expected = format!(r#"{{"v":1,"type":"send","tag":"{HEX}","data":"aGk="}}"#);
        assert_eq!(send, expected);
        assert_eq!(Request::Ice.to_json(), r#"{"v":1,"type":"ice"}"#);
    }

    #[test]
    fn replies_are_read_and_nonsense_is_not() {
        let joined = format!(r#"{{"v":1,"type":"joined","tag":"{HEX}","peers":2,"later":[1]}}"#);
        let expected = Reply::Joined { tag: TAG, peers: 2 };
        assert_eq!(Reply::parse(&joined), Some(expected));
        let ice = r#"{"type":"ice","stun":":3478","username":"1:a","ttl_s":1}"#;
        let Some(Reply::Ice(offer)) = Reply::parse(ice) else {
            panic!("it is an offer");
        };
        assert_eq!(offer.stun.as_deref(), Some(":3478"));
        assert_eq!((offer.turn, offer.ttl), (None, Duration::from_secs(60)));
        let long = format!(r#"{{"type":"ice","stun":"{}"}}"#, "x".repeat(300));
        let Some(Reply::Ice(offer)) = Reply::parse(&long) else {
            panic!("it is an offer");
        };
        assert_eq!(offer.stun, None);
        for nonsense in [
            "",
            "[]",
            r#"{"type":"joined"}"#,
            r#"{"type":"joined","tag":"ab","peers":1}"#,
            r#"{"type":"data","tag":"abababababababababababababababab","data":"!"}"#,
            r#"{"type":"hop"}"#,
        ] {
            assert_eq!(Reply::parse(nonsense), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = Reply::parse(&text);
        }
    }
}
