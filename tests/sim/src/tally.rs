//! Who got which message when, and what was sent for it.

use crate::{MessageId, NodeId};

/// Not delivered there.
const NEVER: u32 = u32::MAX;

/// One message of the application.
#[derive(Debug, Clone)]
pub struct Said {
    /// When it was published.
    pub at_us: u64,
    /// By whom.
    pub from: NodeId,
    /// To whom; `None`: to all.
    pub to: Option<NodeId>,
    /// For each node, how long it took in µs.
    took: Vec<u32>,
}

impl Said {
    /// How long it took to reach a node, in µs.
    pub fn took(&self, node: u32) -> Option<u64> {
        let took = *self.took.get(node as usize)?;
        (took != NEVER).then_some(u64::from(took))
    }
}

/// What one node sent and received so far. Bytes as encoded; pings apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes of full copies of messages.
    pub payload: u64,
    /// All other bytes, without pings.
    pub control: u64,
    /// Bytes of pings.
    pub pings: u64,
    /// Messages sent, of any kind.
    pub frames: u64,
    /// Bytes of full copies of messages that arrived.
    pub payload_in: u64,
    /// Messages with such copies that arrived.
    pub copies_in: u64,
    /// Messages that did not fit the send queue.
    pub overflow: u64,
}

impl Traffic {
    fn add(&mut self, other: &Self) {
        self.payload += other.payload;
        self.control += other.control;
        self.pings += other.pings;
        self.frames += other.frames;
        self.payload_in += other.payload_in;
        self.copies_in += other.copies_in;
        self.overflow += other.overflow;
    }

    /// What came on top since then.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            payload: self.payload - before.payload,
            control: self.control - before.control,
            pings: self.pings - before.pings,
            frames: self.frames - before.frames,
            payload_in: self.payload_in - before.payload_in,
            copies_in: self.copies_in - before.copies_in,
            overflow: self.overflow - before.overflow,
        }
    }
}

/// Messages and traffic of a run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Every message; its [`MessageId`] is its index.
    pub said: Vec<Said>,
    /// For each node.
    pub traffic: Vec<Traffic>,
    /// Deliveries to others than the sender.
    pub deliveries: u64,
    /// Messages lost on links, by loss alone.
    pub lost: u64,
}

impl Tally {
    pub(crate) fn say(&mut self, at_us: u64, from: NodeId, to: Option<NodeId>) -> MessageId {
        let nodes = match to {
            None => self.traffic.len(),
            Some(_) => 1,
        };
        self.said.push(Said {
            at_us,
            from,
            to,
            took: vec![NEVER; nodes],
        });
        MessageId(self.said.len() as u64 - 1)
    }

    /// False when it was there already. `None` when nobody published it, or not to that node.
    pub(crate) fn deliver(&mut self, id: MessageId, node: u32, now: u64) -> Option<bool> {
        let said = self.said.get_mut(id.0 as usize)?;
        let index = match said.to {
            None => node as usize,
            Some(to) if to.0 == node => 0,
            Some(_) => return None,
        };
        let took = said.took.get_mut(index)?;
        if *took != NEVER {
            return Some(false);
        }
        *took = u32::try_from(now - said.at_us).unwrap_or(NEVER - 1);
        self.deliveries += u64::from(said.from.0 != node);
        Some(true)
    }

    /// A message to all.
    pub fn message(&self, id: MessageId) -> &Said {
        &self.said[id.0 as usize]
    }

    /// How long a message to one took, in µs.
    pub fn unicast_took(&self, id: MessageId) -> Option<u64> {
        self.message(id).took(0)
    }

    /// Counts traffic from zero.
    pub fn forget_traffic(&mut self) {
        self.traffic.fill(Traffic::default());
    }

    /// The sum over all nodes.
    pub fn total(&self) -> Traffic {
        let mut total = Traffic::default();
        self.traffic.iter().for_each(|one| total.add(one));
        total
    }
}
