//! One connection to Redis, or rather two: one that hears, one that speaks.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSubSink, PubSubStream};
use redis::{AsyncConnectionConfig, RedisError};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::names::{LIVES, Name, Names, ProcessId, TELL, unwrap, wrap};
use super::{Batch, Change, Inbox, Plan};
use crate::ExchangeLimits;
use crate::frames::Tag;
use crate::hub::Hub;

/// The connection is of no use any more.
#[derive(Debug)]
pub(super) struct Lost;

impl From<RedisError> for Lost {
    fn from(error: RedisError) -> Self {
        // Its text may hold an address.
        tracing::debug!(kind = ?error.kind(), "Redis refused or is gone");
        Self
    }
}

pub(super) struct Session<'a> {
    hub: &'a Hub,
    speaker: Speaker<'a>,
    hears: PubSubStream,
}

/// What is told to Redis.
struct Speaker<'a> {
    names: &'a Names,
    process: ProcessId,
    limits: &'a ExchangeLimits,
    commands: MultiplexedConnection,
    channels: PubSubSink,
}

/// The channels that are listened to, with their tags.
type Subscribed = Mutex<HashMap<Name, Tag>>;

impl<'a> Session<'a> {
    /// Connects, and says that this process lives.
    pub(super) async fn open(
        client: &redis::Client,
        names: &'a Names,
        process: ProcessId,
        limits: &'a ExchangeLimits,
        hub: &'a Hub,
    ) -> Result<Self, Lost> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(limits.wait))
            .set_response_timeout(Some(limits.wait));
        let commands = client.get_multiplexed_async_connection_with_config(&config);
        let commands = within(limits.wait, commands).await?;
        let (channels, hears) = within(limits.wait, client.get_async_pubsub())
            .await?
            .split();
        let mut speaker = Speaker {
            names,
            process,
            limits,
            commands,
            channels,
        };
        speaker.beat().await?;
        Ok(Self {
            hub,
            speaker,
            hears,
        })
    }

    /// Passes messages both ways until the connection is lost or the hub is gone.
    pub(super) async fn serve(self, inbox: &mut Inbox, message_bytes: usize) {
        let subscribed = Subscribed::default();
        let Self {
            hub,
            mut speaker,
            hears,
        } = self;
        let own = speaker.process;
        tokio::select! {
            _ = speaker.speak(inbox, hub, &subscribed) => {}
            () = listen(hears, own, hub, &subscribed, message_bytes) => {}
        }
    }

    /// Says that this process lives no more, on a connection of its own: the other may be in the middle of something.
    pub(super) async fn farewell(plan: &Plan) {
        let wait = plan.limits.wait;
        let Ok(mut commands) = within(wait, plan.client.get_multiplexed_async_connection()).await
        else {
            return;
        };
        let mut gone = redis::cmd("DEL");
        gone.arg(plan.process.key());
        let _ = within(wait, gone.query_async::<()>(&mut commands)).await;
    }
}

/// Messages handed out in one go.
const BEFORE_A_TURN: usize = 16;

/// Hands what others send to their holders here.
async fn listen(
    mut hears: PubSubStream,
    own: ProcessId,
    hub: &Hub,
    subscribed: &Subscribed,
    message_bytes: usize,
) {
    let mut handed: usize = 0;
    while let Some(message) = hears.next().await {
        // A burst must not fill the outboxes before their connections had a turn.
        handed = handed.wrapping_add(1);
        if handed.is_multiple_of(BEFORE_A_TURN) {
            yield_now().await;
        }
        let payload = message.get_payload_bytes();
        let tag = Name::of_channel(message.get_channel_name())
            .and_then(|name| lock(subscribed).get(&name).copied());
        if let (Some(tag), Some((from, data))) = (tag, unwrap(payload))
            && from != own
            && data.len() <= message_bytes
        {
            hub.deliver(tag, data);
        }
    }
}

impl Speaker<'_> {
    async fn speak(
        &mut self,
        inbox: &mut Inbox,
        hub: &Hub,
        subscribed: &Subscribed,
    ) -> Result<(), Lost> {
        self.retell(hub, subscribed).await?;
        let mut retold = Instant::now();
        let every = self.limits.beat_every;
        let mut beat = interval_at(Instant::now() + every, every);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = beat.tick() => self.beat().await?,
                batch = inbox.next(self.limits.step) => match batch {
                    Some(Batch::Sends(sends)) => self.publish(sends).await?,
                    Some(Batch::Changes(changes)) => self.tell(changes, hub, subscribed).await?,
                    None => return Ok(()),
                },
            }
            if inbox.missed() || retold.elapsed() >= self.limits.retell_every {
                self.retell(hub, subscribed).await?;
                retold = Instant::now();
            }
        }
    }

    /// Says that this process lives, and looks whether the other connection does.
    async fn beat(&mut self) -> Result<(), Lost> {
        let mut lives = redis::cmd("SET");
        lives.arg(self.process.key()).arg(1);
        lives.arg("PX").arg(millis(self.limits.life));
        within(
            self.limits.wait,
            lives.query_async::<()>(&mut self.commands),
        )
        .await?;
        within(self.limits.wait, self.channels.ping::<redis::Value>()).await?;
        Ok(())
    }

    async fn publish(&mut self, sends: Vec<(Tag, String)>) -> Result<(), Lost> {
        let mut all = redis::pipe();
        for (tag, data) in sends {
            let channel = self.names.of(tag).channel();
            let message = wrap(self.process, &data);
            all.cmd("PUBLISH").arg(channel).arg(message).ignore();
        }
        within(self.limits.wait, all.query_async::<()>(&mut self.commands)).await
    }

    /// Tells Redis of every tag that is held here or was.
    async fn retell(&mut self, hub: &Hub, subscribed: &Subscribed) -> Result<(), Lost> {
        let mut tags = hub.tags();
        tags.extend(lock(subscribed).values());
        tags.sort_unstable_by_key(|tag| tag.0);
        tags.dedup();
        for tags in tags.chunks(self.limits.step.max(1)) {
            let changes = tags.iter().map(|tag| Change(*tag, None)).collect();
            self.tell(changes, hub, subscribed).await?;
        }
        Ok(())
    }

    /// Brings channels and counts of some tags to what the hub says, the channels first: who is counted also hears.
    async fn tell(
        &mut self,
        changes: Vec<Change>,
        hub: &Hub,
        subscribed: &Subscribed,
    ) -> Result<(), Lost> {
        let mut asked: HashMap<Tag, Vec<oneshot::Sender<usize>>> = HashMap::new();
        for Change(tag, answer) in changes {
            asked.entry(tag).or_default().extend(answer);
        }
        let (mut come, mut gone, mut all) = (Vec::new(), Vec::new(), redis::pipe());
        let asked: Vec<_> = asked.into_iter().collect();
        for (tag, _) in &asked {
            let (name, holders) = (self.names.of(*tag), hub.holders(*tag));
            let before = if holders > 0 {
                lock(subscribed).insert(name, *tag)
            } else {
                lock(subscribed).remove(&name)
            };
            match (holders > 0, before.is_some()) {
                (true, false) => come.push(name.channel()),
                (false, true) => gone.push(name.channel()),
                _ => {}
            }
            let tell = all.cmd("EVAL").arg(TELL).arg(1).arg(name.holders());
            tell.arg(self.process.hex()).arg(holders);
            tell.arg(self.limits.memory.as_secs()).arg(LIVES);
        }
        if !come.is_empty() {
            within(self.limits.wait, self.channels.subscribe(&come)).await?;
        }
        if !gone.is_empty() {
            within(self.limits.wait, self.channels.unsubscribe(&gone)).await?;
        }
        let elsewhere = all.query_async::<Vec<usize>>(&mut self.commands);
        let elsewhere = within(self.limits.wait, elsewhere).await?;
        for ((_, answers), elsewhere) in asked.into_iter().zip(elsewhere) {
            for answer in answers {
                let _ = answer.send(elsewhere);
            }
        }
        Ok(())
    }
}

async fn within<T>(
    wait: Duration,
    asked: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, Lost> {
    match timeout(wait, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Lost),
    }
}

fn lock(subscribed: &Subscribed) -> MutexGuard<'_, HashMap<Name, Tag>> {
    subscribed.lock().unwrap_or_else(PoisonError::into_inner)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
