//! Everything on stdout: one writer, one JSON object a line, in order.

mod network;

use std::io::Write;

use peddlenet_mesh::{
    AuthorId, Error, Event, Events, Lookalike, Member, Message, Node, OpenInvite, Reaction, Role,
    Shown,
};
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};

pub(crate) use network::{diagnostics, map};

/// Lines that wait for the reader of stdout (count). Beyond it replies and events wait, too.
const QUEUE: usize = 1024;

enum Line {
    Json(Value),
    Flush(oneshot::Sender<()>),
}

#[derive(Clone)]
pub(crate) struct Output(mpsc::Sender<Line>);

impl Output {
    /// Starts the writer on a thread of its own: stdout blocks.
    pub(crate) fn start() -> Self {
        let (lines, mut queue) = mpsc::channel(QUEUE);
        std::thread::spawn(move || {
            let mut out = std::io::stdout().lock();
            while let Some(line) = queue.blocking_recv() {
                let written = match line {
                    Line::Json(value) => writeln!(out, "{value}").and_then(|()| out.flush()),
                    Line::Flush(done) => {
                        let _ = done.send(());
                        Ok(())
                    }
                };
                // Whoever read us is gone; stdin will end as well.
                if written.is_err() {
                    return;
                }
            }
        });
        Self(lines)
    }

    async fn line(&self, value: Value) {
        let _ = self.0.send(Line::Json(value)).await;
    }

    pub(crate) fn ready(&self, node: &Node) {
        let addrs = node.listen_addrs();
        let listen: Vec<_> = addrs.iter().map(ToString::to_string).collect();
        let key = node.key_place().as_str();
        let mut ready = json!({"event": "ready", "listen": listen, "key": key});
        if let (Some(warning), Value::Object(object)) = (node.key_warning(), &mut ready) {
            object.insert("warning".to_owned(), warning.into());
        }
        let _ = self.0.try_send(Line::Json(ready));
    }

    pub(crate) async fn reply(&self, id: Option<Value>, outcome: Result<Value, Error>) {
        match outcome {
            Ok(value) => self.line(with_id(id, json!({"ok": value}))).await,
            Err(e) => self.line(with_id(id, error(&e))).await,
        }
    }

    pub(crate) fn error(&self, id: Option<Value>, e: &Error) {
        let _ = self.0.try_send(Line::Json(with_id(id, error(e))));
    }

    /// Waits until everything so far is written.
    pub(crate) async fn finish(&self) {
        let (done, wait) = oneshot::channel();
        if self.0.send(Line::Flush(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

fn with_id(id: Option<Value>, mut value: Value) -> Value {
    if let (Some(id), Value::Object(object)) = (id, &mut value) {
        object.insert("id".to_owned(), id);
    }
    value
}

fn error(e: &Error) -> Value {
    json!({"error": {"code": e.code.as_str(), "message": e.message}})
}

/// Writes a node's events until it is closed.
pub(crate) async fn forward(mut events: Events, output: Output) {
    while let Some(event) = events.recv().await {
        if let Some(value) = event_value(event) {
            output.line(value).await;
        }
    }
}

/// The JSON of an event; `None` for those that only a screen needs.
fn event_value(event: Event) -> Option<Value> {
    Some(match event {
        Event::Message(m) if m.mine => return None,
        Event::Message(m) => {
            let mut value = message(&m);
            if let Value::Object(object) = &mut value {
                object.remove("seen_by");
                object.insert("event".to_owned(), "message".into());
                object.insert("room".to_owned(), m.room.to_string().into());
            }
            value
        }
        Event::Changed(m) => {
            let mut value = message(&m);
            if let Value::Object(object) = &mut value {
                object.insert("event".to_owned(), "changed".into());
                object.insert("room".to_owned(), m.room.to_string().into());
            }
            value
        }
        Event::Receipt {
            room,
            message,
            seen_by,
        } => json!({
            "event": "receipt",
            "room": room.to_string(),
            "message": message.to_string(),
            "seen_by": seen_by.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
        Event::Member { room, member } => json!({
            "event": "member",
            "room": room.to_string(),
            "author": member.author.to_string(),
            "name": member.name,
            "state": member.state.as_str(),
        }),
        Event::Link { peer, up, via } => json!({
            "event": "link",
            "peer": peer.to_string(),
            "state": if up { "up" } else { "down" },
            "via": via,
        }),
        Event::LetGo { room, before } => json!({
            "event": "let_go",
            "room": room.to_string(),
            "before_ms": before.0,
        }),
        Event::Moved { room, from, to } => json!({
            "event": "moved",
            "room": room.to_string(),
            "from": from.to_string(),
            "to": to.to_string(),
        }),
        Event::Removed(room) => json!({"event": "removed", "room": room.to_string()}),
        Event::Fork { room, author, me } => json!({
            "event": "fork",
            "room": room.to_string(),
            "author": author.to_string(),
            "me": me,
        }),
        Event::Network { addrs } => json!({"event": "network", "listen": addrs}),
        Event::Lagged => json!({"event": "lagged"}),
        Event::Quarantined { to } => json!({"event": "quarantined", "to": to}),
        _ => return None,
    })
}

pub(crate) fn message(m: &Message) -> Value {
    let mut value = json!({
        "message": m.id.to_string(),
        "author": m.author.to_string(),
        "name": m.name,
        "text": m.text,
        "time_ms": m.time.0,
        "hops": m.hops,
        "seen_by": m.seen_by.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    let mut more = Map::new();
    if let Some(with) = m.direct {
        more.insert("direct".to_owned(), true.into());
        more.insert("with".to_owned(), with.to_string().into());
    }
    if let Some(target) = m.reply_to {
        more.insert("reply_to".to_owned(), target.to_string().into());
    }
    if !m.mentions.is_empty() {
        more.insert("mentions".to_owned(), ids(&m.mentions));
    }
    if !m.reactions.is_empty() {
        let one = |r: &Reaction| json!({"reaction": r.reaction, "authors": ids(&r.authors)});
        let all: Vec<_> = m.reactions.iter().map(one).collect();
        more.insert("reactions".to_owned(), all.into());
    }
    if let Some(at) = m.edited {
        more.insert("edited_ms".to_owned(), at.0.into());
    }
    match m.shown {
        Shown::Text => {}
        Shown::Deleted => drop(more.insert("deleted".to_owned(), true.into())),
        Shown::Newer => drop(more.insert("newer".to_owned(), true.into())),
    }
    if let Value::Object(object) = &mut value {
        object.append(&mut more);
    }
    value
}

fn ids(authors: &[AuthorId]) -> Value {
    let ids: Vec<_> = authors.iter().map(ToString::to_string).collect();
    ids.into()
}

pub(crate) fn invite(i: &OpenInvite) -> Value {
    json!({
        "invite": i.id.to_string(),
        "author": i.by.to_string(),
        "expires_ms": i.expires.0,
        "uses": i.uses,
        "used": i.used,
        "poster": i.poster,
    })
}

pub(crate) fn member(m: &Member) -> Value {
    json!({
        "author": m.author.to_string(),
        "name": m.name,
        "state": m.state.as_str(),
        "hops": m.hops,
        "role": match m.role {
            Role::Member => "member",
            Role::Moderator => "moderator",
            Role::Owner => "owner",
        },
        "since_ms": m.since.map(|since| since.0),
        "verified": m.verified.is_some(),
        "muted": m.muted,
        "blocked": m.blocked,
        "forked": m.forked,
        "moving": m.moving,
        "lookalike": m.lookalike != Lookalike::No,
        "imitates": match m.lookalike {
            Lookalike::Imitates(who) => Some(who.to_string()),
            _ => None,
        },
        "key_changed": m.key_changed,
    })
}
