//! Asking to be let in over links that opened, and checking who answers.
//!
//! ```text
//!  link --ask--> JoinRequest --> Welcome --check--> from the code's room id to who answered and to this device: a room
//!   next link, after a second without an answer, or at once after a bad one
//! ```
//!
//! Devices are asked for one author, so whoever is let in by two is one member. A link is asked while others are still
//! unanswered only after [`PATIENCE`]: each that lets somebody in spends one of the code's uses.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use peddlenet_crypto::{
    AuthorKey, EpochKeys, InviteKeys, join_proof, verify_event, verify_welcome,
};
use peddlenet_peer::{Lane, Link, LinkReceiver, LinkSender};
use peddlenet_room::Judgement;
use peddlenet_wire::{
    Frame, Invite, RoomId, Stream,
    join::{JoinRequest, Welcome},
};
use tokio::{task::JoinSet, time::timeout};

use super::sleep_until;
use crate::{
    actor::Arrival,
    entropy,
    error::{Error, ErrorCode},
    room::Room,
};

/// Who opened a link and says nothing keeps others from being asked that long.
const PATIENCE: Duration = Duration::from_secs(1);

/// By which way a device was found, and what came of asking it.
type Answer = (&'static str, Result<Box<Arrival>, Error>);

/// Links that opened, in the order in which they are asked. Never more than devices that are dialled.
pub(super) struct Asking {
    invite: Invite,
    key: AuthorKey,
    until: Instant,
    waiting: VecDeque<(&'static str, Link)>,
    asked: JoinSet<Answer>,
    next_at: Option<Instant>,
}

impl Asking {
    /// By that code, until then.
    pub(super) fn new(invite: &Invite, until: Instant) -> Self {
        Self {
            invite: invite.clone(),
            key: AuthorKey::from_seed(entropy::bytes()),
            until,
            waiting: VecDeque::new(),
            asked: JoinSet::new(),
            next_at: None,
        }
    }

    /// Whether nobody is being asked, nor going to be.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty() && self.waiting.is_empty()
    }

    /// Asks over one more link, when its turn comes.
    pub(super) fn ask(&mut self, via: &'static str, link: Link) {
        self.waiting.push_back((via, link));
        // Nobody is being asked, or for long enough.
        if self.next_at.is_none() {
            self.ask_next();
        }
    }

    /// The next answer; never one while there are no links. Can be cancelled.
    pub(super) async fn answer(&mut self) -> Answer {
        loop {
            tokio::select! {
                Some(answered) = self.asked.join_next() => {
                    let answer = answered.unwrap_or_else(|_| ("", Err(ErrorCode::Internal.into())));
                    if answer.1.is_err() {
                        self.ask_next();
                    }
                    return answer;
                }
                () = sleep_until(self.next_at) => self.ask_next(),
            }
        }
    }

    fn ask_next(&mut self) {
        self.next_at = None;
        let Some((via, link)) = self.waiting.pop_front() else {
            return;
        };
        self.next_at = Some(Instant::now() + PATIENCE);
        let (invite, until) = (self.invite.clone(), self.until);
        let key = AuthorKey::from_seed(*self.key.seed());
        self.asked.spawn(async move {
            let rest = until.saturating_duration_since(Instant::now());
            let entered = timeout(rest, enter(link, &invite, key, via)).await;
            let entered = entered.unwrap_or_else(|_| Err(ErrorCode::NoAnswer.into()));
            (via, entered.map(Box::new))
        });
    }
}

/// Asks to be let in over one link.
async fn enter(
    link: Link,
    invite: &Invite,
    key: AuthorKey,
    via: &'static str,
) -> Result<Arrival, Error> {
    let invite_keys = InviteKeys::from_secret(&invite.secret);
    let (sender, mut receiver) = link.split();
    let hash = sender.handshake_hash();
    let request = JoinRequest {
        room: invite.room,
        author: key.id(),
        proof: join_proof(&key, &hash, invite.room),
        invite: invite_keys.public(),
        voucher: invite_keys.voucher(invite.room, key.id()),
    };
    let welcome = ask(&sender, &mut receiver, request).await?;
    let room = check(&welcome, invite.room, key, &hash).ok_or(ErrorCode::WrongHost)?;
    Ok(Arrival {
        sender,
        receiver,
        room,
        events: welcome.events.into_inner(),
        via,
    })
}

async fn ask(
    sender: &LinkSender,
    receiver: &mut LinkReceiver,
    request: JoinRequest,
) -> Result<Welcome, Error> {
    let gone = || Error::from(ErrorCode::NoAnswer);
    let frame = Frame::JoinRequest(request).to_bytes();
    sender
        .send(Lane::Ordered, frame)
        .await
        .map_err(|_| gone())?;
    loop {
        let received = receiver.recv().await.ok_or_else(gone)?;
        match Frame::from_bytes(&received.bytes) {
            Ok(Frame::Welcome(welcome)) => return Ok(welcome),
            Ok(Frame::Refuse(refuse)) => return Err(Error::refused(&refuse)),
            // A newer app may say more before it answers.
            Ok(Frame::Unknown(_)) => {}
            Ok(_) | Err(_) => return Err(ErrorCode::WrongHost.into()),
        }
    }
}

/// Follows the events of a welcome from `create`, whose hash the code names, to the answerer and to the author of `key`.
/// Whoever merely holds a photo of the code can't make them. `None` where they don't lead there.
fn check(welcome: &Welcome, id: RoomId, key: AuthorKey, hash: &[u8; 32]) -> Option<Room> {
    let create = welcome.events.first()?;
    if create.header().stream != Stream::MEMBERSHIP {
        return None;
    }
    let epochs: Result<Vec<_>, _> = welcome.epochs.iter().map(EpochKeys::from_grant).collect();
    let mut room = Room::new(id, create.header().room, key, epochs.ok()?);
    for event in welcome.events.iter() {
        verify_event(event).ok()?;
        let opened = room.open_membership(event)?;
        if room.roster.judge(event, &opened) != Judgement::Accept {
            return None;
        }
        room.take_membership(event, &opened);
    }
    verify_welcome(welcome.author, hash, id, &welcome.proof).ok()?;
    let belongs = room.roster.is_member(welcome.author) && room.roster.is_member(room.me());
    belongs.then_some(room)
}
