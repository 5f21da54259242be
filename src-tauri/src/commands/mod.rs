//! What the page may ask. Every command parses its arguments, makes one call, and returns.
//!
//! All of them are async: a plain one would run on the thread that paints the window. A new
//! command needs a line in permissions/ui.toml too.

pub(crate) mod back;
pub(crate) mod desktop;
pub(crate) mod invites;
pub(crate) mod kept;
pub(crate) mod lock;
pub(crate) mod messages;
pub(crate) mod network;
pub(crate) mod power;
pub(crate) mod rooms;
pub(crate) mod scan;
pub(crate) mod session;
pub(crate) mod trust;

use std::fmt::Display;
use std::str::FromStr;

use crate::error::UiError;

/// An id from the page, as the value it stands for.
fn parse<T>(what: &str, text: &str) -> Result<T, UiError>
where
    T: FromStr<Err: Display>,
{
    text.parse()
        .map_err(|problem: T::Err| UiError::bad_request(what, problem))
}

/// The same where the page may leave it out.
fn parse_some<T>(what: &str, text: Option<&str>) -> Result<Option<T>, UiError>
where
    T: FromStr<Err: Display>,
{
    text.map(|text| parse(what, text)).transpose()
}
