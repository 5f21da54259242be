//! What people say: the content of stream 1, and of direct messages.
//!
//! ```text
//!  text    something new, perhaps an answer to another message
//!  edit    \
//!  delete   }  name an earlier message; the latest by clock of each author counts
//!  react   /
//! ```
//!
//! An edit or a deletion counts only where its author wrote the message. Both change what is shown: the
//! log is append-only, and the sealed bytes of what was said before stay in it.

use std::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::{
    codec::{self, Capped, WireError},
    content::kinds,
    ids::{AuthorId, EventHash},
    limits,
};

/// An event of stream 1, sealed under k_content.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Somebody says something.
    Text(Text),
    /// An own message reads otherwise from now on.
    Edit(Edit),
    /// An own message is shown no more.
    Delete(Delete),
    /// A word or a sign about a message.
    React(React),
    /// Made by a newer app.
    Unknown(u16),
}

/// See [`Content::Text`]. Shows its length only in `Debug`: logs carry no text.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Text {
    /// UTF-8, at most [`limits::TEXT_MAX`] bytes.
    #[cbor(n(0), decode_with = "bounded_text")]
    pub text: String,
    /// The message that this one answers.
    #[n(1)]
    pub reply_to: Option<EventHash>,
    /// Whom the text names. `None` stands for nobody.
    #[n(2)]
    pub mentions: Option<Mentions>,
}

/// Whom a text names, at most [`limits::MENTIONS_MAX`].
pub type Mentions = Capped<AuthorId, { limits::MENTIONS_MAX }>;

/// See [`Content::Edit`].
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Edit {
    /// The message.
    #[n(0)]
    pub target: EventHash,
    /// What it says from now on, at most [`limits::TEXT_MAX`] bytes.
    #[cbor(n(1), decode_with = "bounded_text")]
    pub text: String,
}

/// See [`Content::Delete`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Delete {
    /// The message.
    #[n(0)]
    pub target: EventHash,
}

/// See [`Content::React`]. One of each author counts for a message, the latest.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct React {
    /// The message.
    #[n(0)]
    pub target: EventHash,
    /// At most [`limits::REACTION_MAX`] bytes; empty takes the one before back.
    #[cbor(n(1), decode_with = "bounded_reaction")]
    pub reaction: String,
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} B)", self.text.len())
    }
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Edit({:?}, {} B)", self.target, self.text.len())
    }
}

impl fmt::Debug for React {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "React({:?}, {} B)", self.target, self.reaction.len())
    }
}

kinds!("message", limits::BODY_MAX, Content { 0 => Text, 1 => Edit, 2 => Delete, 3 => React });

impl Content {
    /// The message that this is about; `None` for one that stands for itself.
    pub fn target(&self) -> Option<EventHash> {
        match self {
            Self::Edit(edit) => Some(edit.target),
            Self::Delete(delete) => Some(delete.target),
            Self::React(react) => Some(react.target),
            Self::Text(_) | Self::Unknown(_) => None,
        }
    }
}

impl Text {
    /// A message, refused when its text is longer than [`limits::TEXT_MAX`] bytes.
    pub fn new(text: &str) -> Result<Self, WireError> {
        Ok(Self {
            text: fitting("text", text, limits::TEXT_MAX)?,
            reply_to: None,
            mentions: None,
        })
    }

    /// The same as an answer, and naming people: the first [`limits::MENTIONS_MAX`] of them, each once.
    #[must_use]
    pub fn about(self, reply_to: Option<EventHash>, mentions: &[AuthorId]) -> Self {
        let mut named = mentions.to_vec();
        named.sort_unstable();
        named.dedup();
        let mentions = (!named.is_empty()).then(|| Capped::take_from(&mut named.into_iter()));
        Self {
            reply_to,
            mentions,
            ..self
        }
    }

    /// Whom it names.
    pub fn mentioned(&self) -> &[AuthorId] {
        self.mentions.as_deref().unwrap_or_default()
    }
}

impl Edit {
    /// Refused when the text is longer than [`limits::TEXT_MAX`] bytes.
    pub fn new(target: EventHash, text: &str) -> Result<Self, WireError> {
        let text = fitting("text", text, limits::TEXT_MAX)?;
        Ok(Self { target, text })
    }
}

impl React {
    /// Refused when the reaction is longer than [`limits::REACTION_MAX`] bytes.
    pub fn new(target: EventHash, reaction: &str) -> Result<Self, WireError> {
        let reaction = fitting("reaction", reaction, limits::REACTION_MAX)?;
        Ok(Self { target, reaction })
    }
}

fn fitting(what: &'static str, text: &str, max: usize) -> Result<String, WireError> {
    if text.len() > max {
        return Err(WireError::TooLong {
            what,
            len: text.len(),
            max,
        });
    }
    Ok(text.to_owned())
}

fn bounded(d: &mut Decoder<'_>, max: usize) -> Result<String, decode::Error> {
    let at = d.position();
    let text = d.str()?;
    if text.len() > max {
        return Err(decode::Error::message("text too long").at(at));
    }
    Ok(text.to_owned())
}

fn bounded_text<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<String, decode::Error> {
    bounded(d, limits::TEXT_MAX)
}

fn bounded_reaction<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<String, decode::Error> {
    bounded(d, limits::REACTION_MAX)
}
