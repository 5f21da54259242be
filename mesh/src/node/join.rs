//! Ways into a room: by a code, and by a code that is shown back.

use std::time::{Duration, Instant};

use peddlenet_crypto::InviteKeys;
use peddlenet_wire::Invite;
use tokio::sync::oneshot;

use super::{Node, lock};
use crate::{
    actor::{self, Actor},
    api::{JoinStage, Joined},
    error::{Error, ErrorCode},
    join,
};

/// How long a joiner that shows a code back goes on trying.
const SHOWN_BACK_FOR: Duration = Duration::from_secs(60);
/// The pause between two of its tries: some fail at once.
const SHOWN_BACK_PAUSE: Duration = Duration::from_millis(500);

impl Node {
    /// Joins the room of a link. Done, one way or the other, within about 6 s; a second call
    /// cancels the first.
    pub async fn join(&self, link: &str) -> Result<Joined, Error> {
        let invite = Invite::from_link(link)?;
        self.unless_cancelled(self.join_once(&invite, actor::DIRECT))
            .await
    }

    /// Joins like [`join`](Self::join), again and again until it works, another call cancels it, or a minute
    /// has passed: while the person shows [`back_code`](Self::back_code) to whoever made the code.
    pub async fn join_shown_back(&self, link: &str) -> Result<Joined, Error> {
        let invite = Invite::from_link(link)?;
        let until = Instant::now() + SHOWN_BACK_FOR;
        let trying = async {
            loop {
                match self.join_once(&invite, actor::TWO_SCAN).await {
                    Err(e) if e.code.may_pass() && Instant::now() < until => {
                        tokio::time::sleep(SHOWN_BACK_PAUSE).await;
                    }
                    outcome => return outcome,
                }
            }
        };
        self.unless_cancelled(trying).await
    }

    /// One join at a time: the next call, and [`cancel_join`](Self::cancel_join), end the one before.
    async fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let (cancel, cancelled) = oneshot::channel();
        *lock(&self.joining) = Some(cancel);
        tokio::select! {
            outcome = work => outcome,
            _ = cancelled => Err(ErrorCode::Cancelled.into()),
        }
    }

    /// `named` is what a link to the code's own addresses is called.
    async fn join_once(&self, invite: &Invite, named: &'static str) -> Result<Joined, Error> {
        let started = Instant::now();
        let outcome = self.join_invite(invite, named).await;
        outcome.map(|via| Joined {
            room: invite.room,
            via,
            elapsed: started.elapsed(),
        })
    }

    /// What a joiner shows to whoever made a code whose device can't be reached.
    pub async fn back_code(&self, link: &str) -> Result<String, Error> {
        let invite = Invite::from_link(link)?;
        self.call(move |actor, reply| drop(reply.send(actor.back_code(&invite))))
            .await
    }

    /// Follows a joiner's [`back_code`](Self::back_code): from now on its packets come through a firewall of
    /// this device's that lets in only what was asked for.
    pub async fn answer_back(&self, text: &str) -> Result<(), Error> {
        let text = text.to_owned();
        self.call(move |actor, reply| actor.answer_back(&text, reply))
            .await
    }

    async fn join_invite(
        &self,
        invite: &Invite,
        named: &'static str,
    ) -> Result<&'static str, Error> {
        if self.endpoint.has_certificate(invite.fingerprint) {
            return Err(ErrorCode::OwnCode.into());
        }
        let (room, fingerprint) = (invite.room, invite.fingerprint);
        let addrs: Vec<_> = invite.endpoints().collect();
        let server = invite.server.clone();
        let known = self
            .call(move |actor, reply| {
                let known = actor.rejoin(room, fingerprint, addrs);
                if known {
                    actor.keep_server(room, server.as_deref());
                }
                drop(reply.send(Ok(known)));
            })
            .await?;
        if known {
            return Ok(actor::DIRECT);
        }
        let key = InviteKeys::from_secret(&invite.secret).public();
        let asked = invite.clone();
        let ways = self
            .call(move |actor, reply| {
                let near = actor.wait_for_code(key);
                let there = actor.ask_servers(&asked);
                drop(reply.send(Ok(join::Ways { near, there })));
            })
            .await?;
        let commands = self.commands.clone();
        let stage = move |stage: JoinStage| {
            // Telling where a join stands is a courtesy: a busy actor may miss it.
            let _ = commands.try_send(Box::new(move |actor: &mut Actor| actor.tell_stage(stage)));
        };
        let direct = self.direct.then_some(named);
        let commands = self.commands.clone();
        let note = move |via, took, ended| {
            let note = move |actor: &mut Actor| actor.record.attempt(via, took, ended);
            // A courtesy, as above.
            let _ = commands.try_send(Box::new(note));
        };
        let arrival = join::knock(&self.endpoint, invite, direct, ways, stage, note).await?;
        let (via, server) = (arrival.via, invite.server.clone());
        self.call(move |actor, reply| actor.arrive(arrival, reply))
            .await?;
        let keep = move |actor: &mut Actor| actor.keep_server(room, server.as_deref());
        let _ = self.commands.send(Box::new(keep)).await;
        Ok(via)
    }

    /// Gives up a join that is under way.
    pub fn cancel_join(&self) {
        lock(&self.joining).take();
    }
}
