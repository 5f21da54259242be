//! Requests carried out on a node, each answered once.

use std::{ops::ControlFlow, path::Path, time::Duration};

use peddlenet_mesh::{Error, ErrorCode, InviteOptions, Joined, Node, Noted};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    output::{self, Output},
    request::{self, Request, Scanned},
};

/// Requests under way at a time (count). Further lines wait on stdin.
const UNDER_WAY: usize = 64;
/// Modules of an invite picture are drawn so that it is at least that wide (pixels).
const PNG_MIN: u32 = 480;

pub(crate) struct Session {
    node: Node,
    output: Output,
    under_way: JoinSet<()>,
}

impl Session {
    pub(crate) fn new(node: Node, output: Output) -> Self {
        Self {
            node,
            output,
            under_way: JoinSet::new(),
        }
    }

    /// Takes one line. Everything but joining is answered in order; a join may take seconds and
    /// runs beside the rest.
    pub(crate) async fn take(&mut self, line: &[u8]) -> ControlFlow<()> {
        let (id, request) = request::parse(line);
        let request = match request {
            Ok(Request::Quit) => {
                self.output.reply(id, Ok(json!({}))).await;
                return ControlFlow::Break(());
            }
            Ok(Request::Wipe) => {
                self.under_way.shutdown().await;
                let outcome = self.node.clone().wipe().await.map(|()| json!({}));
                self.output.reply(id, outcome).await;
                return ControlFlow::Break(());
            }
            Ok(request) => request,
            Err(e) => {
                self.output.reply(id, Err(e)).await;
                return ControlFlow::Continue(());
            }
        };
        while self.under_way.len() >= UNDER_WAY {
            self.under_way.join_next().await;
        }
        while self.under_way.try_join_next().is_some() {}
        let (node, output) = (self.node.clone(), self.output.clone());
        let beside = matches!(
            request,
            Request::JoinLink { .. } | Request::JoinPicture { .. }
        );
        let work = async move {
            let outcome = carry_out(&node, request).await;
            output.reply(id, outcome).await;
        };
        if beside {
            self.under_way.spawn(work);
        } else {
            work.await;
        }
        ControlFlow::Continue(())
    }

    pub(crate) async fn close(mut self) {
        self.under_way.shutdown().await;
        self.node.close().await;
    }
}

async fn carry_out(node: &Node, request: Request) -> Result<Value, Error> {
    Ok(match request {
        Request::CreateRoom { name, options } => {
            json!({"room": node.create_room_with(&name, options).await?.to_string()})
        }
        Request::Invite {
            room,
            ttl_s,
            uses,
            poster,
            png,
        } => {
            let options = InviteOptions {
                ttl: Duration::from_secs(ttl_s),
                uses: Some(uses),
                poster,
            };
            let invite = node.invite_with(room, options).await?;
            if let Some(path) = png {
                let link = invite.link.clone();
                blocking(move || draw(&link, Path::new(&path))).await?;
            }
            json!({"link": invite.link, "bytes": invite.bytes, "invite": invite.id.to_string()})
        }
        Request::Invites { room } => {
            let invites = node.invites(room).await?;
            json!({"invites": invites.iter().map(output::invite).collect::<Vec<_>>()})
        }
        Request::Revoke { room, invite } => {
            node.revoke(room, invite).await?;
            json!({})
        }
        Request::JoinLink { link, back: false } => joined(&node.join(&link).await?),
        Request::JoinLink { link, back: true } => joined(&node.join_shown_back(&link).await?),
        Request::Back { link, png } => {
            let back = node.back_code(&link).await?;
            if let Some(path) = png {
                let text = back.clone();
                blocking(move || draw(&text, Path::new(&path))).await?;
            }
            json!({"link": back})
        }
        Request::Setting { name, value } => {
            node.set_setting(&name, &value).await?;
            json!({})
        }
        Request::AnswerBack { link } => {
            node.answer_back(&link).await?;
            json!({})
        }
        Request::JoinPicture { png } => {
            let link =
                blocking(move || read(Path::new(&png), peddlenet_mesh::is_join_code)).await?;
            joined(&node.join(&link).await?)
        }
        Request::Send { room, words } => {
            json!({"message": node.send(room, words).await?.id.to_string()})
        }
        Request::Dm { room, to, words } => {
            json!({"message": node.dm(room, to, words).await?.id.to_string()})
        }
        Request::Edit {
            room,
            message,
            text,
        } => noted(&node.edit(room, message, &text).await?),
        Request::Delete { room, message } => noted(&node.delete(room, message).await?),
        Request::React {
            room,
            message,
            text,
        } => noted(&node.react(room, message, &text).await?),
        Request::Message { room, message } => output::message(&node.message(room, message).await?),
        Request::Search { room, text, before } => {
            let found = node.search(room, &text, before).await?;
            json!({
                "messages": found.messages.iter().map(output::message).collect::<Vec<_>>(),
                "before": found.before.map(|before| before.to_string()),
            })
        }
        Request::History {
            room,
            with,
            limit,
            before,
        } => {
            let messages = match with {
                Some(with) => node.direct_history(room, with, before, limit).await?,
                None => node.history(room, before, limit).await?,
            };
            json!({"messages": messages.iter().map(output::message).collect::<Vec<_>>()})
        }
        Request::Members { room } => {
            let members = node.members(room).await?;
            json!({"members": members.iter().map(output::member).collect::<Vec<_>>()})
        }
        Request::Rooms => {
            let rooms = node.rooms().await?;
            let room = |r: &peddlenet_mesh::RoomSummary| json!({"room": r.room.to_string(), "name": r.name, "members": r.members, "unread": r.unread, "removed": r.removed});
            json!({"rooms": rooms.iter().map(room).collect::<Vec<_>>()})
        }
        Request::Leave { room, keep } => {
            match keep {
                true => node.leave_and_keep(room).await?,
                false => node.leave(room).await?,
            }
            json!({})
        }
        Request::Rename { room, name } => {
            node.rename_room(room, &name).await?;
            json!({})
        }
        Request::Storage => {
            let storage = node.storage().await?;
            let room = |r: &peddlenet_mesh::RoomSize| json!({"room": r.room.to_string(), "events": r.events, "bytes": r.bytes});
            json!({
                "disk_bytes": storage.disk_bytes,
                "rooms": storage.rooms.iter().map(room).collect::<Vec<_>>(),
            })
        }
        Request::Remove { room, author } => {
            node.remove(room, author).await?;
            json!({})
        }
        Request::Ban { room, author } => {
            node.ban(room, author).await?;
            json!({})
        }
        Request::Move { room } => {
            node.move_on(room).await?;
            json!({})
        }
        Request::ConfirmMove { room, author } => {
            node.confirm_move(room, author).await?;
            json!({})
        }
        Request::Role { room, author, role } => {
            node.set_role(room, author, role).await?;
            json!({})
        }
        Request::Close { room, closed } => {
            node.close_to_joiners(room, closed).await?;
            json!({})
        }
        Request::Backup { room, on, pass } => {
            node.back_up(room, on, pass.as_deref()).await?;
            json!({})
        }
        Request::Heads { room } => {
            let heads = node.heads(room).await?;
            json!({
                "digest": heads.digest.to_string(),
                "events": heads.events,
                "bodies": heads.bodies,
                "epoch": heads.epoch.to_string(),
            })
        }
        Request::Links => {
            let links = node.links().await?;
            let link = |l: &peddlenet_mesh::LinkInfo| {
                json!({
                    "peer": l.peer.to_string(),
                    "via": l.via,
                    "rtt_ms": l.rtt.map(|rtt| rtt.as_secs_f64() * 1000.0),
                    "loss_percent": l.loss_percent,
                    "state": "up",
                    "rooms": l.rooms,
                    "bytes_in": l.bytes_in,
                    "bytes_out": l.bytes_out,
                })
            };
            json!({"links": links.iter().map(link).collect::<Vec<_>>()})
        }
        Request::Map { room } => output::map(&node.network_map(room).await?),
        Request::Stats => stats(node).await?,
        Request::Verify { room, author, png } => {
            let info = node.verify_code(room, author).await?;
            if let Some(path) = png {
                let link = info.link.clone();
                blocking(move || draw(&link, Path::new(&path))).await?;
            }
            json!({
                "author": info.author.to_string(),
                "name": info.name,
                "digits": info.digits,
                "link": info.link,
                "verified": info.verified,
                "key_changed": info.key_changed,
            })
        }
        Request::VerifyScan { room, author, code } => {
            let text = match code {
                Scanned::Text(text) => text,
                Scanned::Picture(path) => {
                    let ours = peddlenet_mesh::is_verify_code;
                    blocking(move || read(Path::new(&path), ours)).await?
                }
            };
            let author = node.verify_scan(room, &text, author).await?;
            json!({"author": author.to_string(), "verified": true})
        }
        Request::Verified { room, author, on } => {
            node.set_verified(room, author, on).await?;
            json!({"author": author.to_string(), "verified": on})
        }
        Request::ConfirmKey { room, author } => {
            node.confirm_key(room, author).await?;
            json!({})
        }
        Request::Mute { room, author, on } => {
            node.mute(room, author, on).await?;
            json!({})
        }
        Request::Block { room, author, on } => {
            node.block(room, author, on).await?;
            json!({})
        }
        Request::Wipe | Request::Quit => json!({}),
    })
}

/// What was said about a message has an id of its own.
fn noted(noted: &Noted) -> Value {
    json!({"message": noted.event.to_string()})
}

fn joined(joined: &Joined) -> Value {
    let ms = u64::try_from(joined.elapsed.as_millis()).unwrap_or(u64::MAX);
    json!({"room": joined.room.to_string(), "via": joined.via, "ms": ms})
}

async fn stats(node: &Node) -> Result<Value, Error> {
    let diagnostics = node.diagnostics().await?;
    let device = &diagnostics.device;
    let rows = |rows: Vec<(&'static str, u64)>| -> Value {
        rows.into_iter()
            .map(|(name, count)| (name.to_owned(), Value::from(count)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let mut stats = rows(device.rows(&diagnostics.engine));
    if let Value::Object(stats) = &mut stats {
        for (group, counts) in device.groups() {
            stats.insert(group.to_owned(), rows(counts));
        }
        stats.extend(output::diagnostics(&diagnostics));
    }
    Ok(stats)
}

/// Pictures are files: work for a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(ErrorCode::Internal.into()))
}

fn draw(link: &str, path: &Path) -> Result<(), Error> {
    peddlenet_qr::save_png(link, PNG_MIN, path).map_err(|e| {
        Error::new(
            ErrorCode::BadRequest,
            format!("The code could not be written to {}: {e}.", path.display()),
        )
    })
}

fn read(path: &Path, is_ours: impl Fn(&str) -> bool) -> Result<String, Error> {
    let texts = peddlenet_qr::decode_file(path).map_err(|e| {
        Error::new(
            ErrorCode::BadRequest,
            format!("{} could not be read: {e}.", path.display()),
        )
    })?;
    // A picture may show several codes; ours is the one that counts.
    let ours = texts.iter().find(|t| is_ours(t)).or(texts.first());
    ours.cloned().ok_or_else(|| {
        Error::new(
            ErrorCode::NotACode,
            "No code was found in that picture. Take it closer and straight on.",
        )
    })
}
