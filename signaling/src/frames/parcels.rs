//! The frames of the sealed backup.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{Refusal, Tag, bytes, tag};

/// Bytes of what is shown of a carry pass: a certificate of 104 and a signature.
pub(crate) const PASS_BYTES: usize = 104 + 64;

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
    /// A certificate of a carry pass, and its day's signature.
    pub(crate) pass: Option<Box<[u8; PASS_BYTES]>>,
}

#[derive(Deserialize)]
pub(super) struct RawPut {
    tag: String,
    key: String,
    expires: u64,
    data: String,
    signature: String,
    pass: Option<String>,
}

impl RawPut {
    pub(super) fn read(&self) -> Result<Put, Refusal> {
        Ok(Put {
            tag: tag(&self.tag)?,
            key: exactly(&self.key)?,
            expires: self.expires,
            data: bytes(&self.data)?,
            signature: exactly(&self.signature)?,
            pass: match &self.pass {
                Some(pass) => Some(Box::new(exactly(pass)?)),
                None => None,
            },
        })
    }
}

/// Base64 of `N` bytes, no more and no fewer.
pub(super) fn exactly<const N: usize>(base64: &str) -> Result<[u8; N], Refusal> {
    bytes(base64)?.try_into().map_err(|_| Refusal::Malformed)
}

#[derive(Serialize)]
pub(super) struct RawParcels {
    tag: String,
    parcels: Vec<RawParcel>,
    more: bool,
}

#[derive(Serialize)]
struct RawParcel {
    n: u64,
    data: String,
}

impl RawParcels {
    pub(super) fn new(tag: Tag, parcels: &[(u64, Vec<u8>)], more: bool) -> Self {
        let raw = |(n, data): &(u64, Vec<u8>)| RawParcel {
            n: *n,
            data: BASE64.encode(data),
        };
        Self {
            tag: tag.to_hex(),
            parcels: parcels.iter().map(raw).collect(),
            more,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Request, parse};
    use super::*;

    const TAG: &str = "0101010101010101010101010101010a";

    #[test]
    fn a_put_is_read_and_its_key_and_signature_have_their_lengths() {
        let [key, signature] = [BASE64.encode(&[1; 32]), BASE64.encode(&[2; 64])];
        let put = |key: &str, signature: &str| {
            parse(&format!(
                r#"{{"type":"put","tag":"{TAG}","key":"{key}","expires":7,"data":"aGk=","signature":"{signature}"}}"#
            ))
        };
        assert_eq!(
            put(&key, &signature),
            Ok(Request::Put(Put {
                tag: tag(TAG).unwrap(),
                key: [1; 32],
                expires: 7,
                data: b"hi".to_vec(),
                signature: [2; 64],
                pass: None,
            }))
        );
        assert_eq!(put(&signature, &key), Err(Refusal::Malformed));
        let with_pass = |pass: &[u8]| {
            let pass = BASE64.encode(pass);
            put(&key, &format!(r#"{signature}","pass":"{pass}"#))
        };
        let Ok(Request::Put(read)) = with_pass(&[3; PASS_BYTES]) else {
            panic!("a put with a pass");
        };
        assert_eq!(read.pass.as_deref(), Some(&[3; PASS_BYTES]));
        for length in [0, PASS_BYTES - 1, PASS_BYTES + 1] {
            assert_eq!(with_pass(&vec![3; length]), Err(Refusal::Malformed));
        }
    }
}
