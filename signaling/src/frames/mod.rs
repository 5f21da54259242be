//! The JSON text frames of version 1.
//!
//! Compiled by tests/fuzz on its own, so nothing of the rest of the crate is used here.

mod parcels;
mod refusal;

use std::fmt;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};

pub(crate) use self::parcels::{PASS_BYTES, Put};
use self::parcels::{RawParcels, RawPut, exactly};
pub(crate) use self::refusal::Refusal;

/// The version that this server speaks.
pub(crate) const VERSION: u32 = 1;

/// A meeting place: 16 bytes that only those know who are meant to meet. Its `Debug` keeps them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tag(pub(crate) [u8; 16]);

impl Tag {
    fn parse(hex: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if hex.len() != bytes.len() * 2 {
            return None;
        }
        let written = HEXLOWER_PERMISSIVE
            .decode_mut(hex.as_bytes(), &mut bytes)
            .ok()?;
        (written == bytes.len()).then_some(Self(bytes))
    }

    fn to_hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }

    #[cfg(test)]
    pub(crate) fn of(byte: u8) -> Self {
        Self([byte; 16])
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag(..)")
    }
}

/// What a device asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    Join {
        tag: Tag,
    },
    Leave {
        tag: Tag,
    },
    /// `data` is base64 that was checked, and is passed on as it came.
    Send {
        tag: Tag,
        data: String,
    },
    /// Which ways through NATs are offered?
    Ice,
    Put(Put),
    /// Parcels of a tag with a number above `after`.
    Fetch {
        tag: Tag,
        after: u64,
    },
    /// Is this a carrier box, and which?
    Box {
        nonce: [u8; 16],
    },
}

/// Ways through NATs, and whether parcels are kept; what is absent is not offered.
#[derive(Serialize)]
pub(crate) struct Ice {
    /// HOST:PORT over UDP. Without a HOST it is the one that the WebSocket goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stun: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) turn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) credential: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) realm: Option<&'static str>,
    /// The sealed backup.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) backup: bool,
    /// Seconds after which to ask again.
    pub(crate) ttl_s: u64,
}

/// Reads one text frame. Never says what was in it.
pub(crate) fn parse(text: &str) -> Result<Request, Refusal> {
    // The version first: a later one may have requests that this server can't read.
    let Versioned { v } = serde_json::from_str(text).map_err(|_| Refusal::Malformed)?;
    if v.is_some_and(|v| v != VERSION) {
        return Err(Refusal::UnsupportedVersion);
    }
    match serde_json::from_str(text).map_err(|_| Refusal::Malformed)? {
        RawRequest::Join { tag: hex } => Ok(Request::Join { tag: tag(&hex)? }),
        RawRequest::Leave { tag: hex } => Ok(Request::Leave { tag: tag(&hex)? }),
        RawRequest::Send { tag: hex, data } => {
            let tag = tag(&hex)?;
            bytes(&data)?;
            Ok(Request::Send { tag, data })
        }
        RawRequest::Ice {} => Ok(Request::Ice),
        RawRequest::Put(put) => put.read().map(Request::Put),
        RawRequest::Fetch { tag: hex, after } => Ok(Request::Fetch {
            tag: tag(&hex)?,
            after,
        }),
        RawRequest::Box { nonce } => Ok(Request::Box {
            nonce: exactly(&nonce)?,
        }),
    }
}

fn tag(hex: &str) -> Result<Tag, Refusal> {
    Tag::parse(hex).ok_or(Refusal::Malformed)
}

fn bytes(base64: &str) -> Result<Vec<u8>, Refusal> {
    BASE64
        .decode(base64.as_bytes())
        .map_err(|_| Refusal::Malformed)
}

/// Reads one text frame and forgets it. For tests/fuzz, which has no other way to the reader.
#[doc(hidden)]
pub fn read_any(text: &str) {
    if let Err(refusal) = parse(text) {
        let _ = Reply::Error(refusal).to_json();
    }
}

/// `v` may be left out after the first request.
#[derive(Deserialize)]
struct Versioned {
    v: Option<u32>,
}

/// Unknown fields are ignored, so that later versions can add some.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum RawRequest {
    Join { tag: String },
    Leave { tag: String },
    Send { tag: String, data: String },
    Ice {},
    Put(RawPut),
    Fetch { tag: String, after: u64 },
    Box { nonce: String },
}

/// What the server says.
pub(crate) enum Reply<'a> {
    /// `peers`: the others on the tag, at this moment.
    Joined {
        tag: Tag,
        peers: usize,
    },
    Left {
        tag: Tag,
    },
    Data {
        tag: Tag,
        data: &'a str,
    },
    Ice(Box<Ice>),
    /// The parcel is on disk.
    Kept {
        tag: Tag,
        n: u64,
    },
    /// `more`: there are parcels behind these.
    Parcels {
        tag: Tag,
        parcels: &'a [(u64, Vec<u8>)],
        more: bool,
    },
    /// The box's Ed25519 key, and its signature over the nonce.
    Box {
        key: [u8; 32],
        signature: [u8; 64],
    },
    Error(Refusal),
}

impl Reply<'_> {
    pub(crate) fn to_json(&self) -> String {
        let raw = match self {
            Self::Joined { tag, peers } => RawReply::Joined {
                tag: tag.to_hex(),
                peers: *peers,
            },
            Self::Left { tag } => RawReply::Left { tag: tag.to_hex() },
            Self::Data { tag, data } => RawReply::Data {
                tag: tag.to_hex(),
                data,
            },
            Self::Ice(ice) => RawReply::Ice(ice),
            Self::Kept { tag, n } => RawReply::Kept {
                tag: tag.to_hex(),
                n: *n,
            },
            Self::Parcels { tag, parcels, more } => {
                RawReply::Parcels(RawParcels::new(*tag, parcels, *more))
            }
            Self::Box { key, signature } => RawReply::Box {
                key: BASE64.encode(key),
                signature: BASE64.encode(signature),
            },
            Self::Error(refusal) => RawReply::Error {
                code: refusal.code(),
                message: refusal.to_string(),
            },
        };
        // Strings and numbers always serialize.
        serde_json::to_string(&Framed { v: VERSION, raw }).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Framed<'a> {
    v: u32,
    #[serde(flatten)]
    raw: RawReply<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum RawReply<'a> {
    Joined { tag: String, peers: usize },
    Left { tag: String },
    Data { tag: String, data: &'a str },
    Ice(&'a Ice),
    Kept { tag: String, n: u64 },
    Parcels(RawParcels),
    Box { key: String, signature: String },
    Error { code: &'static str, message: String },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TAG: &str = "0101010101010101010101010101010a";

    #[test]
    fn requests_are_read() {
        let tag = Tag::parse(TAG).unwrap();
        let read = |text: String| parse(&text);
        assert_eq!(
            read(format!(
                r#"{{"v":1,"type":"join","tag":"{TAG}","later":[]}}"#
            )),
            Ok(Request::Join { tag })
        );
        assert_eq!(
            read(format!(
                r#"{{"type":"leave","tag":"{}"}}"#,
                TAG.to_uppercase()
            )),
            Ok(Request::Leave { tag })
        );
        let data = "aGk=".to_owned();
        assert_eq!(
            read(format!(
                r#"{{"type":"send","tag":"{TAG}","data":"{data}"}}"#
            )),
            Ok(Request::Send { tag, data })
        );
        assert_eq!(read(r#"{"v":1,"type":"ice"}"#.to_owned()), Ok(Request::Ice));
        assert_eq!(
            read(format!(r#"{{"type":"fetch","tag":"{TAG}","after":0}}"#)),
            Ok(Request::Fetch { tag, after: 0 })
        );
        assert_eq!(
            read(r#"{"type":"box","nonce":"BwcHBwcHBwcHBwcHBwcHBw=="}"#.to_owned()),
            Ok(Request::Box { nonce: [7; 16] })
        );
    }

    #[test]
    fn another_version_is_told_apart_from_nonsense() {
        assert_eq!(
            parse(r#"{"v":2,"type":"hop"}"#),
            Err(Refusal::UnsupportedVersion)
        );
        for nonsense in [
            "",
            "[]",
            "{}",
            r#"{"v":1,"type":"hop"}"#,
            r#"{"v":1,"type":"join"}"#,
            r#"{"v":1,"type":"join","tag":"0102"}"#,
            r#"{"v":1,"type":"join","tag":"zz01010101010101010101010101010a"}"#,
            r#"{"type":"send","tag":"0101010101010101010101010101010a","data":"not base64!"}"#,
            r#"{"type":"box"}"#,
            r#"{"type":"box","nonce":"BwcHBwcHBwcHBwcHBwcH"}"#,
        ] {
            assert_eq!(parse(nonsense), Err(Refusal::Malformed), "{nonsense}");
        }
    }

    #[test]
    fn replies_have_the_documented_shape() {
        let tag = Tag::parse(TAG).unwrap();
        assert_eq!(
            Reply::Joined { tag, peers: 2 }.to_json(),
            format!(r#"{{"v":1,"type":"joined","tag":"{TAG}","peers":2}}"#)
        );
        assert_eq!(
            Reply::Data { tag, data: "aGk=" }.to_json(),
            format!(r#"{{"v":1,"type":"data","tag":"{TAG}","data":"aGk="}}"#)
        );
        assert_eq!(
            Reply::Kept { tag, n: 3 }.to_json(),
            format!(r#"{{"v":1,"type":"kept","tag":"{TAG}","n":3}}"#)
        );
        let parcels = &[(3, b"hi".to_vec())];
        let more = false;
        assert_eq!(
            Reply::Parcels { tag, parcels, more }.to_json(),
            format!(
                r#"{{"v":1,"type":"parcels","tag":"{TAG}","parcels":[{{"n":3,"data":"aGk="}}],"more":false}}"#
            )
        );
        let (key, signature) = ([0; 32], [0; 64]);
        assert_eq!(
            Reply::Box { key, signature }.to_json(),
            format!(
                r#"{{"v":1,"type":"box","key":"{}=","signature":"{}=="}}"#,
                "A".repeat(43),
                "A".repeat(86)
            )
        );
        assert_eq!(
            Reply::Error(Refusal::NotJoined).to_json(),
            r#"{"v":1,"type":"error","code":"not_joined","message":"join the tag before sending to it"}"#
        );
        let nothing = Ice {
            stun: None,
            turn: None,
            username: None,
            credential: None,
            realm: None,
            backup: false,
            ttl_s: 3600,
        };
        assert_eq!(
            Reply::Ice(Box::new(nothing)).to_json(),
            r#"{"v":1,"type":"ice","ttl_s":3600}"#
        );
        let ice = Ice {
            stun: Some(":3478".to_owned()),
            turn: Some(":3478".to_owned()),
            username: Some("9:0".to_owned()),
            credential: Some("aGk=".to_owned()),
            realm: Some("peddlenet"),
            backup: true,
            ttl_s: 3600,
        };
        assert_eq!(
            Reply::Ice(Box::new(ice)).to_json(),
            r#"{"v":1,"type":"ice","stun":":3478","turn":":3478","username":"9:0","credential":"aGk=","realm":"peddlenet","backup":true,"ttl_s":3600}"#
        );
        assert_eq!(format!("{tag:?}"), "Tag(..)", "tags stay out of logs");
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }
    }
}
