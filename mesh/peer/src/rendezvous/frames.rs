//! The JSON that crosses the WebSocket, version 1; `signaling/README.md` describes it.

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use peddlenet_wire::Signature;
use peddlenet_wire::pass::SHOWN_LEN;
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
    Put(Parcel),
    Fetch { tag: MeetingTag, after: u64 },
    Box { nonce: [u8; 16] },
}

/// Something to leave with a server that keeps sealed copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Where: the hash of the key.
    pub tag: MeetingTag,
    /// The day's public key, by which the server checks the signature.
    pub key: [u8; 32],
    /// Unix seconds.
    pub expires: u64,
    /// Sealed.
    pub data: Vec<u8>,
    /// By the key over tag, expiry and data.
    pub signature: [u8; 64],
    /// What a carrier box keeps it under beyond its open pool: a day's certificate, and a signature by that day's key.
    pub pass: Option<Box<[u8; SHOWN_LEN]>>,
}

#[derive(Serialize)]
struct RawRequest<'r> {
    v: u32,
    r#type: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
}

impl<'r> RawRequest<'r> {
    fn new(r#type: &'r str) -> Self {
        Self {
            v: VERSION,
            r#type,
            tag: None,
            data: None,
            key: None,
            expires: None,
            signature: None,
            after: None,
            pass: None,
            nonce: None,
        }
    }
}

impl Request {
    pub(super) fn to_json(&self) -> String {
        let of_tag = |r#type, tag: &MeetingTag| RawRequest {
            tag: Some(HEXLOWER.encode(&tag.0)),
            ..RawRequest::new(r#type)
        };
        let raw = match self {
            Self::Join { tag } => of_tag("join", tag),
            Self::Leave { tag } => of_tag("leave", tag),
            Self::Send { tag, data } => RawRequest {
                data: Some(BASE64.encode(data)),
                ..of_tag("send", tag)
            },
            Self::Ice => RawRequest::new("ice"),
            Self::Put(parcel) => RawRequest {
                data: Some(BASE64.encode(&parcel.data)),
                key: Some(BASE64.encode(&parcel.key)),
                expires: Some(parcel.expires),
                signature: Some(BASE64.encode(&parcel.signature)),
                pass: parcel.pass.as_deref().map(|pass| BASE64.encode(pass)),
                ..of_tag("put", &parcel.tag)
            },
            Self::Fetch { tag, after } => RawRequest {
                after: Some(*after),
                ..of_tag("fetch", tag)
            },
            Self::Box { nonce } => RawRequest {
                nonce: Some(BASE64.encode(nonce)),
                ..RawRequest::new("box")
            },
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
    /// It keeps sealed copies.
    pub(super) backup: bool,
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
    Joined {
        tag: MeetingTag,
        peers: usize,
    },
    Data {
        tag: MeetingTag,
        data: Vec<u8>,
    },
    Ice(RawOffer),
    Kept {
        tag: MeetingTag,
    },
    /// Numbers grow; `more` are there after the last.
    Parcels {
        tag: MeetingTag,
        parcels: Vec<(u64, Vec<u8>)>,
        more: bool,
    },
    /// By the key over the nonce that was asked with.
    Box {
        key: [u8; 32],
        signature: Signature,
    },
    Error {
        code: String,
    },
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
    backup: Option<bool>,
    parcels: Option<Vec<RawParcel>>,
    more: Option<bool>,
    key: Option<String>,
    signature: Option<String>,
}

#[derive(Deserialize)]
struct RawParcel {
    n: u64,
    data: String,
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
                    backup: raw.backup.unwrap_or_default(),
                }))
            }
            "kept" => Some(Self::Kept { tag: tag()? }),
            "parcels" => Some(Self::Parcels {
                tag: tag()?,
                parcels: raw
                    .parcels?
                    .into_iter()
                    // One that is damaged is skipped, and its number with it.
                    .map(|p| (p.n, BASE64.decode(p.data.as_bytes()).unwrap_or_default()))
                    .collect(),
                more: raw.more.unwrap_or_default(),
            }),
            "box" => Some(Self::Box {
                key: bytes(raw.key?)?,
                signature: Signature(bytes(raw.signature?)?),
            }),
            _ => None,
        }
    }
}

fn bytes<const N: usize>(text: String) -> Option<[u8; N]> {
    // Three bytes in four characters, and padding.
    let text = Some(text).filter(|text| text.len() <= N.div_ceil(3).saturating_mul(4))?;
    BASE64.decode(text.as_bytes()).ok()?.try_into().ok()
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
        let fetch = Request::Fetch { tag: TAG, after: 7 }.to_json();
        let expected = format!(r#"{{"v":1,"type":"fetch","tag":"{HEX}","after":7}}"#);
        assert_eq!(fetch, expected);
        let put = Request::Put(Parcel {
            tag: TAG,
            key: [0; 32],
            expires: 9,
            data: b"hi".to_vec(),
            signature: [0; 64],
            pass: None,
        });
        assert!(!put.to_json().contains("pass"), "as before boxes");
        let put: serde_json::Value = serde_json::from_str(&put.to_json()).unwrap();
        assert_eq!((&put["type"], &put["tag"]), (&"put".into(), &HEX.into()));
        assert_eq!((&put["data"], &put["expires"]), (&"aGk=".into(), &9.into()));
        assert_eq!(put["key"].as_str().map(str::len), Some(44));
        assert_eq!(put["signature"].as_str().map(str::len), Some(88));
        let nonce = Request::Box { nonce: [0; 16] }.to_json();
        let expected = r#"{"v":1,"type":"box","nonce":"AAAAAAAAAAAAAAAAAAAAAA=="}"#;
        assert_eq!(nonce, expected);
    }

    #[test]
    fn a_put_under_a_pass_shows_its_certificate_and_a_box_answers_with_its_key() {
        let put = Request::Put(Parcel {
            tag: TAG,
            key: [0; 32],
            expires: 9,
            data: b"hi".to_vec(),
            signature: [0; 64],
            pass: Some(Box::new([1; SHOWN_LEN])),
        });
        let put: serde_json::Value = serde_json::from_str(&put.to_json()).unwrap();
        let shown = BASE64.decode(put["pass"].as_str().unwrap().as_bytes());
        assert_eq!(shown.unwrap(), [1; SHOWN_LEN]);
        let reply = |key: usize, signature: usize| {
            let (key, signature) = (vec![2; key], vec![3; signature]);
            let (key, signature) = (BASE64.encode(&key), BASE64.encode(&signature));
            Reply::parse(&format!(
                r#"{{"type":"box","key":"{key}","signature":"{signature}"}}"#
            ))
        };
        let expected = Reply::Box {
            key: [2; 32],
            signature: Signature([3; 64]),
        };
        assert_eq!(reply(32, 64), Some(expected));
        for (key, signature) in [(31, 64), (33, 64), (32, 63), (32, 65), (0, 0), (32, 40_000)] {
            assert_eq!(reply(key, signature), None);
        }
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
        let parcels = format!(
            r#"{{"type":"parcels","tag":"{HEX}","parcels":[{{"n":3,"data":"aGk="}},{{"n":4,"data":"!"}}],"more":true}}"#
        );
        let expected = Reply::Parcels {
            tag: TAG,
            parcels: vec![(3, b"hi".to_vec()), (4, Vec::new())],
            more: true,
        };
        assert_eq!(Reply::parse(&parcels), Some(expected));
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
