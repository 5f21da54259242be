//! Decoding under limits, and the one error type of this crate.

use std::ops::Deref;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

pub use crate::name::Name;

/// Why bytes or text from outside were not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// More bytes than the named limit allows; nothing was allocated for them.
    #[error("{what} of {len} bytes, the limit is {max}")]
    TooLong {
        /// What was too long.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// Not the CBOR this type is written in.
    #[error("malformed {what}: {why}")]
    Malformed {
        /// What was malformed.
        what: &'static str,
        /// The decoder's words.
        why: String,
    },
    /// The bytes of a body do not hash to what the signed header says.
    #[error("body does not match its header")]
    BodyMismatch,
    /// A format version that this build does not know.
    #[error("format version {0}, made by a newer app")]
    Newer(u8),
}

impl WireError {
    #[expect(
        clippy::needless_pass_by_value,
        reason = "reads better as the end of `map_err`"
    )]
    pub(crate) fn malformed(what: &'static str, why: impl ToString) -> Self {
        Self::Malformed {
            what,
            why: why.to_string(),
        }
    }
}

/// Encodes into a fresh vector. Writing to memory can't fail.
pub fn to_vec<T: Encode<()>>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    match minicbor::encode(value, &mut out) {
        Ok(()) => out,
        // The error type of writing into a `Vec` is `Infallible`; only an `Encode` of ours could fail.
        Err(e) => unreachable!("encoding into memory: {e}"),
    }
}

/// Decodes one value that must fill `bytes`, refusing more than `max` of them first.
pub fn from_slice<'b, T: Decode<'b, ()>>(
    what: &'static str,
    bytes: &'b [u8],
    max: usize,
) -> Result<T, WireError> {
    if bytes.len() > max {
        return Err(WireError::TooLong {
            what,
            len: bytes.len(),
            max,
        });
    }
    let mut d = Decoder::new(bytes);
    let value = d.decode().map_err(|e| WireError::malformed(what, e))?;
    if d.position() != bytes.len() {
        return Err(WireError::malformed(what, "bytes after the end"));
    }
    Ok(value)
}

/// A list of at most `N` values: the count is checked before the first element is decoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Capped<T, const N: usize>(Vec<T>);

impl<T, const N: usize> Default for Capped<T, N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const N: usize> Capped<T, N> {
    /// The first `N` values of the iterator; the rest is left in it.
    pub fn take_from(values: &mut impl Iterator<Item = T>) -> Self {
        Self(values.by_ref().take(N).collect())
    }

    /// All values, in as few lists as they fit in.
    pub fn parts(values: impl IntoIterator<Item = T>) -> impl Iterator<Item = Self> {
        let mut values = values.into_iter();
        std::iter::from_fn(move || {
            let part = Self::take_from(&mut values);
            (!part.is_empty()).then_some(part)
        })
    }

    /// The values.
    pub fn into_inner(self) -> Vec<T> {
        self.0
    }
}

impl<T, const N: usize> TryFrom<Vec<T>> for Capped<T, N> {
    type Error = WireError;
    fn try_from(values: Vec<T>) -> Result<Self, WireError> {
        if values.len() > N {
            return Err(WireError::TooLong {
                what: "list",
                len: values.len(),
                max: N,
            });
        }
        Ok(Self(values))
    }
}

impl<T, const N: usize> Deref for Capped<T, N> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<C, T: Encode<C>, const N: usize> Encode<C> for Capped<T, N> {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.0.encode(e, ctx)
    }
}

impl<'b, C, T: Decode<'b, C>, const N: usize> Decode<'b, C> for Capped<T, N> {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let at = d.position();
        let count = d
            .array()?
            .ok_or_else(|| decode::Error::message("list of unknown length").at(at))?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        // A count larger than the bytes that are left can't be true: refuse before reserving.
        if count > N || count > d.input().len().saturating_sub(d.position()) {
            return Err(decode::Error::message("list too long").at(at));
        }
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(T::decode(d, ctx)?);
        }
        Ok(Self(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_lies_about_its_length_is_refused_before_it_is_reserved() {
        // array(2^32 - 1), then nothing
        let bytes = [0x9a, 0xff, 0xff, 0xff, 0xff];
        assert!(from_slice::<Capped<u8, { usize::MAX }>>("list", &bytes, 64).is_err());
    }

    #[test]
    fn a_list_over_its_cap_is_refused() {
        let bytes = to_vec(&vec![1u8, 2, 3]);
        assert!(from_slice::<Capped<u8, 2>>("list", &bytes, 64).is_err());
        assert!(from_slice::<Capped<u8, 3>>("list", &bytes, 64).is_ok());
    }

    #[test]
    fn trailing_bytes_and_oversize_are_refused() {
        assert!(from_slice::<u8>("number", &[1, 1], 64).is_err());
        assert!(matches!(
            from_slice::<u8>("number", &[1; 65], 64),
            Err(WireError::TooLong { .. })
        ));
    }
}
