//! What things are called in Redis, and what a message between processes looks like. Pure.
//!
//! ```text
//!  pn:c:NAME      channel of a tag       message: process 8 | base64 as the device sent it
//!  pn:n:NAME      holders of a tag       hash: process -> how many
//!  pn:p:PROCESS   a process that lives   expires
//! ```
//! NAME is a hash of the tag, so what Redis logs or shows holds no tags.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::frames::Tag;

const CONTEXT: &[u8] = b"pn/channel/1";
const CHANNEL: &str = "pn:c:";
const HOLDERS: &str = "pn:n:";
const PROCESS: &str = "pn:p:";

/// One server process, for as long as it runs: random, so that nobody has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessId([u8; 8]);

impl ProcessId {
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut id = [0; 8];
        getrandom::fill(&mut id)?;
        Ok(Self(id))
    }

    pub(super) fn hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// The key that says that it lives.
    pub(super) fn key(self) -> String {
        PROCESS.to_owned() + &self.hex()
    }
}

/// A tag as Redis sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name([u8; 16]);

impl Name {
    pub(super) fn channel(self) -> String {
        CHANNEL.to_owned() + &HEXLOWER.encode(&self.0)
    }

    pub(super) fn of_channel(channel: &str) -> Option<Self> {
        let hex = channel.strip_prefix(CHANNEL)?;
        let bytes = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    pub(super) fn holders(self) -> String {
        HOLDERS.to_owned() + &HEXLOWER.encode(&self.0)
    }
}

/// Makes names; all processes of one Redis must be given the same secret, or none.
pub(super) struct Names {
    keyed: Option<Hmac<Sha256>>,
}

impl Names {
    pub(super) fn new(secret: Option<&[u8]>) -> Self {
        // HMAC takes keys of any length.
        let keyed = secret.and_then(|secret| Hmac::new_from_slice(secret).ok());
        Self { keyed }
    }

    pub(super) fn of(&self, tag: Tag) -> Name {
        let hash: [u8; 32] = match &self.keyed {
            Some(keyed) => {
                let keyed = keyed.clone().chain_update(CONTEXT).chain_update(tag.0);
                keyed.finalize().into_bytes().into()
            }
            None => {
                let plain = Sha256::new().chain_update(CONTEXT).chain_update(tag.0);
                plain.finalize().into()
            }
        };
        let mut name = [0; 16];
        name.copy_from_slice(hash.first_chunk::<16>().unwrap_or(&[0; 16]));
        Name(name)
    }
}

/// A message between processes.
pub(super) fn wrap(from: ProcessId, data: &str) -> Vec<u8> {
    [&from.0, data.as_bytes()].concat()
}

/// Who sent it, and the base64 text. `None` for what is no such message.
pub(super) fn unwrap(message: &[u8]) -> Option<(ProcessId, &str)> {
    let (from, data) = message.split_first_chunk::<8>()?;
    Some((ProcessId(*from), str::from_utf8(data).ok()?))
}

/// Notes how many hold a tag here and answers how many hold it elsewhere, on processes that live.
///
/// `KEYS`: the tag's holders. `ARGV`: this process, its holders, for how many seconds Redis remembers them, the
/// prefix of processes.
pub(super) const TELL: &str = "\
if tonumber(ARGV[2]) > 0 then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
local elsewhere = 0
local all = redis.call('HGETALL', KEYS[1])
for at = 1, #all, 2 do
  if all[at] ~= ARGV[1] and redis.call('EXISTS', ARGV[4] .. all[at]) == 1 then
    elsewhere = elsewhere + tonumber(all[at + 1])
  end
end
return elsewhere";

/// What [`TELL`] puts before a process to find the key that says that it lives.
pub(super) const LIVES: &str = PROCESS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hide_tags_and_agree_only_under_one_secret() {
        let tag = Tag::of(0x5e);
        let plain = Names::new(None).of(tag);
        let red = Names::new(Some(b"red")).of(tag);
        let blue = Names::new(Some(b"blue")).of(tag);
        assert_eq!(red, Names::new(Some(b"red")).of(tag));
        assert!(plain != red && red != blue && plain != blue);
        assert_ne!(plain, Names::new(None).of(Tag::of(0x5f)));
        for name in [plain.channel(), plain.holders()] {
            assert!(!name.contains("5e5e5e"), "{name}");
        }
        assert_eq!(Name::of_channel(&red.channel()), Some(red));
        for wrong in ["", "pn:c:", "pn:c:zz", "pn:n:00", "other"] {
            assert_eq!(Name::of_channel(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn messages_say_who_sent_them() {
        let id = ProcessId::random().unwrap();
        assert_ne!(id, ProcessId::random().unwrap());
        assert_eq!(unwrap(&wrap(id, "aGk=")), Some((id, "aGk=")));
        assert_eq!(unwrap(&wrap(id, "")), Some((id, "")));
        assert_eq!(unwrap(b"short"), None);
        assert_eq!(unwrap(b"12345678\xff"), None);
    }
}
