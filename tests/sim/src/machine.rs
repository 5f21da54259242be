//! A protocol under test, as the simulator sees it.

/// A simulated device, 0..N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// What a message of the application is known by in the simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// Something happened to one node. Times are virtual microseconds.
#[derive(Debug, Clone)]
pub enum In<M> {
    /// The node starts (or starts again after a crash). It may dial these. Protocols without an overlay of their own ignore it.
    Start { known: Vec<NodeId> },
    /// A link to that node is up (one link per pair at most).
    LinkUp { peer: NodeId },
    /// It is gone (closed by either end, or found dead).
    LinkDown { peer: NodeId },
    /// A dial came to nothing.
    DialFailed { peer: NodeId },
    /// A message came over a link.
    Message { from: NodeId, message: M },
    /// A timer that was set is due.
    Timer { token: u64 },
    /// The application says something to all. `bytes` is the size of its sealed body.
    Publish { id: MessageId, bytes: usize },
    /// The application says something to one.
    SendTo {
        to: NodeId,
        id: MessageId,
        bytes: usize,
    },
    /// About once a second for each link: what pings and queues tell. `queued_bytes` is the most that
    /// waited at a time since the last report: a moment's view misses bursts.
    Load {
        peer: NodeId,
        rtt_us: u64,
        queued_bytes: usize,
        bytes_per_s: u64,
    },
}

/// What a node does about it.
#[derive(Debug, Clone)]
pub enum Out<M> {
    /// `payload`: bytes of full copies of application messages in it; `control`: all its other bytes.
    Send {
        to: NodeId,
        message: M,
        payload: usize,
        control: usize,
    },
    /// Try to link up; answered by LinkUp or DialFailed.
    Dial { peer: NodeId },
    /// Close a link; both ends get LinkDown.
    Close { peer: NodeId },
    /// Give Timer at that time.
    Timer { token: u64, at_us: u64 },
    /// A message reached the application here (first time).
    Deliver { id: MessageId },
    /// A unicast reached its recipient here.
    DeliverTo { from: NodeId, id: MessageId },
}

/// One node's protocol, sans-IO.
pub trait Machine {
    /// What travels on a link.
    type Message: Clone + std::fmt::Debug;
    /// Handles one input; what is to be done is pushed to `out`, in order.
    fn handle(&mut self, input: In<Self::Message>, now_us: u64, out: &mut Vec<Out<Self::Message>>);
    /// The process dies: whatever was not durable is lost. `In::Start` follows when it starts again.
    fn crash(&mut self);
    /// How many members the room has; given before each start.
    fn room_size(&mut self, _members: usize) {}
    /// Approximate heap bytes of the protocol's state, for the memory column.
    fn memory(&self) -> usize {
        0
    }
}
