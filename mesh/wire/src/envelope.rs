//! What events and records share: a signed header that names its body by hash.
//!
//! ```text
//!  header: CBOR map, keys 0, 1, 2 .. ascending            signature     body
//!  +-----+-----+-- .. --+-----------+-- unknown keys --+   over the      +--------+
//!  |  0  |  1  |        | body_hash |   of newer apps  |   header as     | sealed |
//!  +-----+-----+-- .. --+-----^-----+------------------+   received      +---|----+
//!                             +------------- SHA-256 ------------------------+
//! ```

use minicbor::{Decode, Decoder, decode};
use sha2::{Digest as _, Sha256};

use crate::{
    codec::WireError,
    ids::{Digest, Signature},
};

/// SHA-256, as the wire formats use it.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// Refuses what is longer than its limit.
pub(crate) fn bounded(what: &'static str, len: usize, max: usize) -> Result<(), WireError> {
    if len > max {
        return Err(WireError::TooLong { what, len, max });
    }
    Ok(())
}

/// Reads a header's fields in their one order, each key once.
pub(crate) struct Fields<'b> {
    what: &'static str,
    decoder: Decoder<'b>,
    /// Entries of the map that were not read yet.
    left: u64,
    /// No key below this one may follow.
    lowest: u64,
}

impl<'b> Fields<'b> {
    /// Starts on a header and checks its version, which is key 0 in every format.
    pub(crate) fn open(
        what: &'static str,
        bytes: &'b [u8],
        version: u8,
    ) -> Result<Self, WireError> {
        let mut decoder = Decoder::new(bytes);
        let left = decoder
            .map()
            .map_err(|e| WireError::malformed(what, e))?
            .ok_or_else(|| WireError::malformed(what, "map of unknown length"))?;
        let mut fields = Self {
            what,
            decoder,
            left,
            lowest: 0,
        };
        let found = fields.next::<u8>(0)?;
        if found != version {
            return Err(WireError::Newer(found));
        }
        Ok(fields)
    }

    /// The value under `key`, which must come next.
    pub(crate) fn next<T: Decode<'b, ()>>(&mut self, key: u64) -> Result<T, WireError> {
        if self.key()? != key {
            return Err(self.bad("fields are missing or out of order"));
        }
        let value = self.decoder.decode();
        value.map_err(|e| self.bad(e))
    }

    /// The hash of the body, and where in the header its 32 bytes start.
    pub(crate) fn body_hash(&mut self, key: u64) -> Result<(Digest, usize), WireError> {
        let hash = self.next(key)?;
        let at = self.decoder.position().checked_sub(Digest::LEN);
        Ok((hash, at.ok_or_else(|| self.bad("body hash misplaced"))?))
    }

    /// Passes over what a newer app added, up to the end of the bytes.
    pub(crate) fn finish(mut self) -> Result<(), WireError> {
        while self.left > 0 {
            self.key()?;
            let skipped = self.decoder.skip();
            skipped.map_err(|e| self.bad(e))?;
        }
        if self.decoder.position() != self.decoder.input().len() {
            return Err(self.bad("bytes after the end"));
        }
        Ok(())
    }

    pub(crate) fn bad(&self, why: impl ToString) -> WireError {
        WireError::malformed(self.what, why)
    }

    fn key(&mut self) -> Result<u64, WireError> {
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return Err(self.bad("fields are missing")),
        };
        let key = self.decoder.u64();
        let key = key.map_err(|e| self.bad(e))?;
        if key < self.lowest {
            return Err(self.bad("fields are missing or out of order"));
        }
        self.lowest = key.saturating_add(1);
        Ok(key)
    }
}

/// The bytes of a header as received, the signature over them, and the name of both.
#[derive(PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) header: Vec<u8>,
    pub(crate) signature: Signature,
    /// SHA-256 over header and signature.
    pub(crate) hash: Digest,
    body_hash_at: usize,
}

impl Envelope {
    pub(crate) fn new(header: Vec<u8>, body_hash_at: usize, signature: Signature) -> Self {
        let hash = Sha256::new()
            .chain_update(&header)
            .chain_update(signature)
            .finalize();
        Self {
            header,
            signature,
            hash: Digest(hash.into()),
            body_hash_at,
        }
    }

    /// The header with `body_hash` zeroed: the hash is not known when the body is sealed.
    pub(crate) fn associated_data(&self) -> Vec<u8> {
        let mut data = self.header.clone();
        let hash = data.iter_mut().skip(self.body_hash_at).take(Digest::LEN);
        hash.for_each(|byte| *byte = 0);
        data
    }
}

/// Starts on an encoding of three parts: header, signature, body.
pub(crate) fn three_parts<'b>(
    d: &mut Decoder<'b>,
    max_header: usize,
) -> Result<(&'b [u8], Signature), decode::Error> {
    let at = d.position();
    if d.array()? != Some(3) {
        return Err(decode::Error::message("not header, signature and body").at(at));
    }
    let header = d.bytes()?;
    bounded("header", header.len(), max_header)
        .map_err(|e| decode::Error::message(e.to_string()).at(at))?;
    Ok((header, d.decode()?))
}
