//! The JSON text frames of version 1, and the refusals.
//!
//! Compiled by tests/fuzz on its own, so nothing of the rest of the crate is used here.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};

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
    Put(Put),
    /// Parcels of a tag with a number above `after`.
    Fetch {
        tag: Tag,
        after: u64,
    },
}

/// A parcel as it came: of the right shape, not yet checked.
#[derive(Debug, PartialEq)]
pub(crate) struct Put {
    pub(crate) tag: Tag,
    /// Ed25519.
    pub(crate) key: [u8; 32],
    /// Seconds since 1970.
    pub(crate) expires: u64,
    pub(crate) data: Vec<u8>,
    pub(crate) signature: [u8; 64],
}

/// Why a request is not granted. The connection stays, unless the README says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("this is not a request of this protocol; see the README of peddlenet-signaling")]
    Malformed,
    #[error("this server speaks version 1")]
    UnsupportedVersion,
    #[error("the message is too large")]
    TooLarge,
    #[error("join the tag before sending to it")]
    NotJoined,
    #[error("this connection holds as many tags as it may; leave one first")]
    TooManyTags,
    #[error("as many devices as may are on this tag already")]
    TagFull,
    #[error("too many messages; slow down")]
    RateLimited,
    #[error("messages wait for too long; this connection ends")]
    TooSlow,
    #[error("the server is full; try again later or another one")]
    ServerFull,
    #[error("this server keeps no parcels")]
    NoBackup,
    #[error("no space is left for this tag or in all; it comes back as parcels expire")]
    Quota,
    #[error("the tag is not this key's, or the signature is not over this parcel")]
    BadSignature,
}

impl Refusal {
    /// The stable name that clients act upon.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnsupportedVersion => "unsupported_version",
            Self::TooLarge => "too_large",
            Self::NotJoined => "not_joined",
            Self::TooManyTags => "too_many_tags",
            Self::TagFull => "tag_full",
            Self::RateLimited => "rate_limited",
            Self::TooSlow => "too_slow",
            Self::ServerFull => "server_full",
            Self::NoBackup => "no_backup",
            Self::Quota => "quota",
            Self::BadSignature => "bad_signature",
        }
    }
}

/// Reads one text frame. Never says what was in it.
pub(crate) fn parse(text: &str) -> Result<Request, Refusal> {
    // The version first: a later one may have requests that this server can't read.
    let Versioned { v } = serde_json::from_str(text).map_err(|_| Refusal::Malformed)?;
    if v.is_some_and(|v| v != VERSION) {
        return Err(Refusal::UnsupportedVersion);
    }
    let tag = |hex: &str| Tag::parse(hex).ok_or(Refusal::Malformed);
    match serde_json::from_str(text).map_err(|_| Refusal::Malformed)? {
        RawRequest::Join { tag: hex } => Ok(Request::Join { tag: tag(&hex)? }),
        RawRequest::Leave { tag: hex } => Ok(Request::Leave { tag: tag(&hex)? }),
        RawRequest::Send { tag: hex, data } => {
            let tag = tag(&hex)?;
            bytes(&data)?;
            Ok(Request::Send { tag, data })
        }
        RawRequest::Put {
            tag: hex,
            key,
            expires,
            data,
            signature,
        } => Ok(Request::Put(Put {
            tag: tag(&hex)?,
            key: exactly(&key)?,
            expires,
            data: bytes(&data)?,
            signature: exactly(&signature)?,
        })),
        RawRequest::Fetch { tag: hex, after } => Ok(Request::Fetch {
            tag: tag(&hex)?,
            after,
        }),
    }
}

fn bytes(base64: &str) -> Result<Vec<u8>, Refusal> {
    BASE64
        .decode(base64.as_bytes())
        .map_err(|_| Refusal::Malformed)
}

/// Base64 of `N` bytes, no more and no fewer.
fn exactly<const N: usize>(base64: &str) -> Result<[u8; N], Refusal> {
    bytes(base64)?.try_into().map_err(|_| Refusal::Malformed)
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
    Join {
        tag: String,
    },
    Leave {
        tag: String,
    },
    Send {
        tag: String,
        data: String,
    },
    Put {
        tag: String,
        key: String,
        expires: u64,
        data: String,
        signature: String,
    },
    Fetch {
        tag: String,
        after: u64,
    },
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
    Error(Refusal),
}

impl Reply<'_> {
    pub(crate) fn to_json(&self) -> String {
        let hex = |tag: &Tag| HEXLOWER.encode(&tag.0);
        let raw = match self {
            Self::Joined { tag, peers } => RawReply::Joined {
                tag: hex(tag),
                peers: *peers,
            },
            Self::Left { tag } => RawReply::Left { tag: hex(tag) },
            Self::Data { tag, data } => RawReply::Data {
                tag: hex(tag),
                data,
            },
            Self::Kept { tag, n } => RawReply::Kept {
                tag: hex(tag),
                n: *n,
            },
            Self::Parcels { tag, parcels, more } => RawReply::Parcels {
                tag: hex(tag),
                parcels: parcels
                    .iter()
                    .map(|(n, data)| RawParcel {
                        n: *n,
                        data: BASE64.encode(data),
                    })
                    .collect(),
                more: *more,
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
    Joined {
        tag: String,
        peers: usize,
    },
    Left {
        tag: String,
    },
    Data {
        tag: String,
        data: &'a str,
    },
    Kept {
        tag: String,
        n: u64,
    },
    Parcels {
        tag: String,
        parcels: Vec<RawParcel>,
        more: bool,
    },
    Error {
        code: &'static str,
        message: String,
    },
}

#[derive(Serialize)]
struct RawParcel {
    n: u64,
    data: String,
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
        let [key, signature] = [BASE64.encode(&[1; 32]), BASE64.encode(&[2; 64])];
        let put = |key: &str, signature: &str| {
            read(format!(
                r#"{{"type":"put","tag":"{TAG}","key":"{key}","expires":7,"data":"aGk=","signature":"{signature}"}}"#
            ))
        };
        assert_eq!(
            put(&key, &signature),
            Ok(Request::Put(Put {
                tag,
                key: [1; 32],
                expires: 7,
                data: b"hi".to_vec(),
                signature: [2; 64],
            }))
        );
        assert_eq!(put(&signature, &key), Err(Refusal::Malformed));
        assert_eq!(
            read(format!(r#"{{"type":"fetch","tag":"{TAG}","after":0}}"#)),
            Ok(Request::Fetch { tag, after: 0 })
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
        assert_eq!(
            Reply::Error(Refusal::NotJoined).to_json(),
            r#"{"v":1,"type":"error","code":"not_joined","message":"join the tag before sending to it"}"#
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
