//! Requests: one JSON object a line, parsed once into typed values.

use std::str::FromStr;

use peddlenet_mesh::{
    AuthorId, Error, ErrorCode, History, InviteId, MessageId, Role, RoomId, RoomOptions, Words,
};
use serde_json::{Map, Value};

/// How long an invite lasts where `ttl_s` is not given, in seconds.
const TTL_S: u64 = 600;
/// How many may join by an invite where `uses` is not given.
const USES: u32 = u32::MAX;
/// Messages in one answer where `limit` is not given (count).
const LIMIT: usize = 50;

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    CreateRoom {
        name: String,
        options: RoomOptions,
    },
    Invite {
        room: RoomId,
        ttl_s: u64,
        uses: u32,
        poster: bool,
        png: Option<String>,
    },
    Invites {
        room: RoomId,
    },
    Revoke {
        room: RoomId,
        invite: InviteId,
    },
    JoinLink {
        link: String,
        /// Goes on for a minute, while what `back` gave is shown.
        back: bool,
    },
    JoinPicture {
        png: String,
    },
    Send {
        room: RoomId,
        words: Words,
    },
    Dm {
        room: RoomId,
        to: AuthorId,
        words: Words,
    },
    Edit {
        room: RoomId,
        message: MessageId,
        text: String,
    },
    Delete {
        room: RoomId,
        message: MessageId,
    },
    React {
        room: RoomId,
        message: MessageId,
        text: String,
    },
    Message {
        room: RoomId,
        message: MessageId,
    },
    Search {
        room: RoomId,
        text: String,
        before: Option<MessageId>,
    },
    History {
        room: RoomId,
        with: Option<AuthorId>,
        limit: usize,
        before: Option<MessageId>,
    },
    Members {
        room: RoomId,
    },
    Rooms,
    Leave {
        room: RoomId,
        keep: bool,
    },
    Rename {
        room: RoomId,
        name: String,
    },
    Storage,
    Remove {
        room: RoomId,
        author: AuthorId,
    },
    Ban {
        room: RoomId,
        author: AuthorId,
    },
    Move {
        room: RoomId,
    },
    ConfirmMove {
        room: RoomId,
        author: AuthorId,
    },
    Role {
        room: RoomId,
        author: AuthorId,
        role: Role,
    },
    Close {
        room: RoomId,
        closed: bool,
    },
    /// Copies with servers, and the pass of a carrier box for them.
    Backup {
        room: RoomId,
        on: bool,
        pass: Option<String>,
    },
    Heads {
        room: RoomId,
    },
    Links,
    /// A setting of this device's person; empty forgets it.
    Setting {
        name: String,
        value: String,
    },
    /// What to show back to whoever made a code.
    Back {
        link: String,
        png: Option<String>,
    },
    /// A joiner's code back was scanned.
    AnswerBack {
        link: String,
    },
    /// The room as a mesh.
    Map {
        room: RoomId,
    },
    Stats,
    /// Destroy everything; the process ends.
    Wipe,
    /// What to compare with a member; `png` draws the code.
    Verify {
        room: RoomId,
        author: AuthorId,
        png: Option<String>,
    },
    /// The code on another's screen: its text or a picture of it.
    VerifyScan {
        room: RoomId,
        author: Option<AuthorId>,
        code: Scanned,
    },
    Verified {
        room: RoomId,
        author: AuthorId,
        on: bool,
    },
    ConfirmKey {
        room: RoomId,
        author: AuthorId,
    },
    Mute {
        room: RoomId,
        author: AuthorId,
        on: bool,
    },
    Block {
        room: RoomId,
        author: AuthorId,
        on: bool,
    },
    Quit,
}

/// A code as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    Text(String),
    Picture(String),
}

/// The `id` of a request, to be echoed, and what it asks for.
pub(crate) fn parse(line: &[u8]) -> (Option<Value>, Result<Request, Error>) {
    let object = match serde_json::from_slice::<Value>(line) {
        Ok(Value::Object(object)) => object,
        _ => return (None, Err(bad("a request is one JSON object a line"))),
    };
    let id = object.get("id").cloned();
    (id, read(&object))
}

fn read(o: &Map<String, Value>) -> Result<Request, Error> {
    let room = || id_of::<RoomId>(o, "room");
    Ok(match text(o, "cmd")?.as_str() {
        "create_room" => Request::CreateRoom {
            name: text(o, "name")?,
            options: options(o)?,
        },
        "invite" => Request::Invite {
            room: room()?,
            ttl_s: number(o, "ttl_s")?.unwrap_or(TTL_S),
            uses: u32::try_from(number(o, "uses")?.unwrap_or(USES.into())).unwrap_or(USES),
            poster: flag(o, "poster")?.unwrap_or(false),
            png: optional_text(o, "png")?,
        },
        "invites" => Request::Invites { room: room()? },
        "revoke" => Request::Revoke {
            room: room()?,
            invite: id_of(o, "invite")?,
        },
        "join" => match (optional_text(o, "link")?, optional_text(o, "png")?) {
            (Some(link), None) => Request::JoinLink {
                link,
                back: flag(o, "back")?.unwrap_or(false),
            },
            (None, Some(png)) => Request::JoinPicture { png },
            _ => return Err(bad("join takes either “link” or “png”")),
        },
        "send" => Request::Send {
            room: room()?,
            words: words(o)?,
        },
        "dm" => Request::Dm {
            room: room()?,
            to: id_of(o, "to")?,
            words: words(o)?,
        },
        "edit" => Request::Edit {
            room: room()?,
            message: id_of(o, "message")?,
            text: text(o, "text")?,
        },
        "delete" => Request::Delete {
            room: room()?,
            message: id_of(o, "message")?,
        },
        "react" => Request::React {
            room: room()?,
            message: id_of(o, "message")?,
            text: text(o, "text")?,
        },
        "message" => Request::Message {
            room: room()?,
            message: id_of(o, "message")?,
        },
        "search" => Request::Search {
            room: room()?,
            text: text(o, "text")?,
            before: optional_id(o, "before")?,
        },
        "history" => Request::History {
            room: room()?,
            with: optional_id(o, "with")?,
            limit: usize::try_from(number(o, "limit")?.unwrap_or(LIMIT as u64)).unwrap_or(LIMIT),
            before: optional_id(o, "before")?,
        },
        "members" => Request::Members { room: room()? },
        "rooms" => Request::Rooms,
        "leave" => Request::Leave {
            room: room()?,
            keep: flag(o, "keep")?.unwrap_or(false),
        },
        "rename" => Request::Rename {
            room: room()?,
            name: text(o, "name")?,
        },
        "storage" => Request::Storage,
        "remove" => Request::Remove {
            room: room()?,
            author: id_of(o, "author")?,
        },
        "ban" => Request::Ban {
            room: room()?,
            author: id_of(o, "author")?,
        },
        "move" => Request::Move { room: room()? },
        "confirm_move" => Request::ConfirmMove {
            room: room()?,
            author: id_of(o, "author")?,
        },
        "role" => Request::Role {
            room: room()?,
            author: id_of(o, "author")?,
            role: role(&text(o, "role")?)?,
        },
        "close" => Request::Close {
            room: room()?,
            closed: flag(o, "closed")?.unwrap_or(true),
        },
        "backup" => Request::Backup {
            room: room()?,
            on: flag(o, "on")?.unwrap_or(true),
            pass: optional_text(o, "pass")?,
        },
        "heads" => Request::Heads { room: room()? },
        "links" => Request::Links,
        "setting" => Request::Setting {
            name: text(o, "name")?,
            value: text(o, "value")?,
        },
        "back" => Request::Back {
            link: text(o, "link")?,
            png: optional_text(o, "png")?,
        },
        "answer_back" => Request::AnswerBack {
            link: text(o, "link")?,
        },
        "map" => Request::Map { room: room()? },
        "stats" => Request::Stats,
        "wipe" if optional_text(o, "confirm")?.as_deref() == Some("wipe") => Request::Wipe,
        "wipe" => {
            return Err(bad(
                "wipe destroys everything here and takes “confirm”:“wipe”",
            ));
        }
        "verify" => verify(o)?,
        "confirm_key" => Request::ConfirmKey {
            room: room()?,
            author: id_of(o, "author")?,
        },
        "mute" => Request::Mute {
            room: room()?,
            author: id_of(o, "author")?,
            on: flag(o, "on")?.unwrap_or(true),
        },
        "block" => Request::Block {
            room: room()?,
            author: id_of(o, "author")?,
            on: flag(o, "on")?.unwrap_or(true),
        },
        "quit" => Request::Quit,
        other => return Err(bad(&format!("there is no command “{}”", short(other)))),
    })
}

/// What is to be said.
fn words(o: &Map<String, Value>) -> Result<Words, Error> {
    let named = match o.get("mentions") {
        None | Some(Value::Null) => &[],
        Some(Value::Array(named)) => &named[..],
        Some(_) => return Err(bad("“mentions” is a list of authors")),
    };
    let author = |value: &Value| parse_id(value.as_str().unwrap_or_default(), "mentions");
    Ok(Words {
        text: text(o, "text")?,
        reply_to: optional_id(o, "reply_to")?,
        mentions: named.iter().map(author).collect::<Result<_, _>>()?,
    })
}

/// How a room is made.
fn options(o: &Map<String, Value>) -> Result<RoomOptions, Error> {
    let mut options = RoomOptions::default();
    if let Some(history) = optional_text(o, "history")? {
        options.history = match history.as_str() {
            "shared" => History::Shared,
            "from-join" => History::FromJoin,
            _ => return Err(bad("“history” is shared or from-join")),
        };
    }
    if let Some(inviters) = optional_text(o, "inviters")? {
        options.inviters = role(&inviters)?;
    }
    options.retention_s = number(o, "retention_s")?
        .map(|seconds| u32::try_from(seconds).map_err(|_| bad("“retention_s” is below 2^32")))
        .transpose()?;
    Ok(options)
}

fn role(text: &str) -> Result<Role, Error> {
    match text {
        "member" => Ok(Role::Member),
        "moderator" => Ok(Role::Moderator),
        "owner" => Ok(Role::Owner),
        _ => Err(bad("a role is member, moderator or owner")),
    }
}

/// `verify` shows, takes a code, or takes the person's word, by the fields that are there.
fn verify(o: &Map<String, Value>) -> Result<Request, Error> {
    let room = id_of(o, "room")?;
    let code = match (optional_text(o, "code")?, optional_text(o, "scan")?) {
        (Some(_), Some(_)) => return Err(bad("verify takes either “code” or “scan”")),
        (Some(text), None) => Some(Scanned::Text(text)),
        (None, Some(path)) => Some(Scanned::Picture(path)),
        (None, None) => None,
    };
    if let Some(code) = code {
        let author = optional_text(o, "author")?;
        let author = author.map(|a| parse_id(&a, "author")).transpose()?;
        return Ok(Request::VerifyScan { room, author, code });
    }
    let author = id_of(o, "author")?;
    Ok(match flag(o, "confirm")? {
        Some(on) => Request::Verified { room, author, on },
        None => Request::Verify {
            room,
            author,
            png: optional_text(o, "png")?,
        },
    })
}

fn flag(o: &Map<String, Value>, key: &str) -> Result<Option<bool>, Error> {
    match o.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(on)) => Ok(Some(*on)),
        Some(_) => Err(bad(&format!("“{key}” is true or false"))),
    }
}

pub(crate) fn too_long() -> Error {
    bad("a request is at most 64 KiB")
}

fn bad(why: &str) -> Error {
    Error::new(ErrorCode::BadRequest, format!("Bad request: {why}."))
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn optional_text(o: &Map<String, Value>, key: &str) -> Result<Option<String>, Error> {
    match o.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(bad(&format!("“{key}” is a text"))),
    }
}

fn text(o: &Map<String, Value>, key: &str) -> Result<String, Error> {
    optional_text(o, key)?.ok_or_else(|| bad(&format!("“{key}” is missing")))
}

fn number(o: &Map<String, Value>, key: &str) -> Result<Option<u64>, Error> {
    match o.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(number) if number > 0 => Ok(Some(number)),
            _ => Err(bad(&format!("“{key}” is a whole number above 0"))),
        },
    }
}

fn id_of<T: FromStr>(o: &Map<String, Value>, key: &str) -> Result<T, Error> {
    parse_id(&text(o, key)?, key)
}

fn optional_id<T: FromStr>(o: &Map<String, Value>, key: &str) -> Result<Option<T>, Error> {
    let text = optional_text(o, key)?;
    text.map(|text| parse_id(&text, key)).transpose()
}

fn parse_id<T: FromStr>(text: &str, key: &str) -> Result<T, Error> {
    text.parse()
        .map_err(|_| bad(&format!("“{key}” is not an id that this program gave out")))
}

#[cfg(test)]
#[path = "request/tests.rs"] // tests/fuzz takes this file in, from elsewhere
mod tests;
