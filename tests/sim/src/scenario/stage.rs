//! What rows share: a settled network, messages, and figures about them.

use super::{Row, System};
use crate::{Machine, MessageId, Net, NodeId, SECOND, Traffic, World, rings};

/// What an overlay gets to settle before anything is measured.
const SETTLE: u64 = 15 * SECOND;
/// The sealed body of an ordinary message, in bytes.
pub(super) const BODY: usize = 200;
/// Pause between two messages of a row, unless the row says otherwise.
pub(super) const PAUSE: u64 = SECOND / 4;
/// Members that say something in an ordinary row.
pub(super) const SENDERS: usize = 10;

/// A run under way.
pub(super) struct Stage<M: Machine> {
    pub(super) world: World<M>,
    scenario: &'static str,
    system: &'static str,
    seed: u64,
    before: Traffic,
    deliveries: u64,
    busy: std::time::Duration,
    /// Messages that are measured.
    pub(super) measured: Vec<MessageId>,
    figures: Vec<(&'static str, f64)>,
}

impl<M: Machine> Stage<M> {
    /// Starts all nodes, linked at random, and waits until the overlay has settled.
    pub(super) fn settle<S: System<Machine = M>>(
        scenario: &'static str,
        system: &S,
        nodes: u32,
        seed: u64,
    ) -> Self {
        let machines = (0..nodes)
            .map(|n| system.machine(NodeId(n), seed))
            .collect();
        let net = Net {
            upkeep: system.upkeep(),
            ..Net::default()
        };
        let mut world = World::new(net, seed, machines);
        world.lens = system.lens();
        let links = rings(nodes, system.given_links(), world.dice());
        world.start_all(&links);
        world.run_for(SETTLE);
        Self {
            world,
            scenario,
            system: system.name(),
            seed,
            before: Traffic::default(),
            deliveries: 0,
            busy: std::time::Duration::ZERO,
            measured: Vec::new(),
            figures: Vec::new(),
        }
    }

    /// Different members that are up.
    pub(super) fn some(&mut self, count: usize) -> Vec<u32> {
        let up = self.world.up();
        self.world.dice().sample(&up, count)
    }

    /// Each of them says something, so that trees grow.
    pub(super) fn warm(&mut self, senders: &[u32]) {
        for &sender in senders {
            self.world.publish(sender, BODY);
            self.world.run_for(PAUSE);
        }
        self.world.run_for(3 * SECOND);
    }

    /// From now on traffic counts.
    pub(super) fn measure(&mut self) {
        self.before = self.world.tally.total();
        self.deliveries = self.world.tally.deliveries;
        self.busy = self.world.busy();
    }

    /// A measured message, then a pause.
    pub(super) fn say(&mut self, sender: u32, pause: u64) -> MessageId {
        let id = self.world.publish(sender, BODY);
        self.measured.push(id);
        self.world.run_for(pause);
        id
    }

    pub(super) fn figure(&mut self, name: &'static str, value: f64) {
        self.figures.push((name, value));
    }

    /// For every measured message and each of `nodes` but its sender, how long it took in µs.
    pub(super) fn times(&self, messages: &[MessageId], nodes: &[u32]) -> Vec<Option<u64>> {
        let mut times = Vec::with_capacity(messages.len() * nodes.len());
        for &id in messages {
            let said = self.world.tally.message(id);
            let others = nodes.iter().filter(|&&node| node != said.from.0);
            times.extend(others.map(|&node| said.took(node)));
        }
        times
    }

    /// How long each message took to the last of `nodes`, in ms; `NaN` where it is missing.
    pub(super) fn lasts(&self, messages: &[MessageId], nodes: &[u32]) -> Vec<f64> {
        let last = |&id: &MessageId| {
            let times = self.times(&[id], nodes);
            let last: Option<u64> = times
                .into_iter()
                .try_fold(0, |last, took| Some(last.max(took?)));
            last.map_or(f64::NAN, ms)
        };
        messages.iter().map(last).collect()
    }

    /// The part of `nodes` that a message reached within a time.
    pub(super) fn within(&self, messages: &[MessageId], nodes: &[u32], us: u64) -> f64 {
        let times = self.times(messages, nodes);
        let got = times.iter().flatten().filter(|&&took| took <= us).count();
        got as f64 / times.len().max(1) as f64
    }

    /// The figures of a broadcast: delivered, copies, bytes, times.
    ///
    /// RMR after Leitão et al., "Epidemic Broadcast Trees" (2007): m / (n - 1) - 1, with m the full
    /// copies of a message that arrived anywhere and n - 1 the nodes that got it beside its sender;
    /// here over all messages of the measured time together, fetched copies included.
    pub(super) fn broadcast_figures(&mut self, nodes: &[u32]) {
        let messages = self.measured.clone();
        let count = messages.len().max(1) as f64;
        let all = f64::from(self.world.len());
        let delivered = self.within(&messages, nodes, u64::MAX);
        self.figure("delivered_ratio", delivered);
        let traffic = self.world.tally.total().since(&self.before);
        let deliveries = self.world.tally.deliveries - self.deliveries;
        let rmr = traffic.copies_in as f64 / deliveries.max(1) as f64 - 1.0;
        self.figure("rmr_ratio", rmr);
        let mut times: Vec<u64> = self.times(&messages, nodes).into_iter().flatten().collect();
        times.sort_unstable();
        self.figure("p50_ms", percentile(&times, 50.0));
        self.figure("p99_ms", percentile(&times, 99.0));
        let mut lasts = self.lasts(&messages, nodes);
        lasts.sort_by(f64::total_cmp);
        // NaN sorts last: a median over messages that did not all arrive says so.
        self.figure(
            "last_ms",
            lasts.get(lasts.len() / 2).copied().unwrap_or(f64::NAN),
        );
        self.figure("last_max_ms", lasts.last().copied().unwrap_or(f64::NAN));
        self.figure("payload_bytes", traffic.payload as f64 / count / all);
        self.figure("control_bytes", traffic.control as f64 / count / all);
        self.figure("overflow", traffic.overflow as f64);
        let busy = self.world.busy() - self.busy;
        self.figure("cpu_us", busy.as_secs_f64() * 1e6 / count / all);
    }

    /// Ends the run.
    pub(super) fn row(self) -> Row {
        Row {
            scenario: self.scenario,
            system: self.system,
            nodes: self.world.len(),
            seed: self.seed,
            figures: self.figures,
            violations: self.world.violations.clone(),
            trace: self.world.trace(),
        }
    }

    /// Whether the links among the nodes that are up join all of them.
    pub(super) fn is_one(&self) -> bool {
        let up = self.world.up();
        let Some(&first) = up.first() else {
            return true;
        };
        let mut seen = vec![false; self.world.len() as usize];
        let mut todo = vec![first];
        seen[first as usize] = true;
        let mut count = 0;
        while let Some(node) = todo.pop() {
            count += 1;
            for peer in self.world.neighbours(node) {
                let works = self.world.is_up(peer) && self.world.carries(node, peer);
                if works && !std::mem::replace(&mut seen[peer as usize], true) {
                    todo.push(peer);
                }
            }
        }
        count == up.len()
    }

    /// Lets time pass until something holds, looked at every `step`. In ms from now; `NaN`: not within `limit`.
    pub(super) fn until(&mut self, limit: u64, step: u64, holds: impl Fn(&Self) -> bool) -> f64 {
        let start = self.world.now_us();
        while !holds(self) {
            if self.world.now_us() - start >= limit {
                return f64::NAN;
            }
            self.world.run_for(step);
        }
        ms(self.world.now_us() - start)
    }
}

/// µs as ms.
pub(super) fn ms(us: u64) -> f64 {
    us as f64 / 1e3
}

/// The smallest time that `percent` of all are not above, in ms; `NaN` of none.
pub(super) fn percentile(sorted: &[u64], percent: f64) -> f64 {
    #[expect(clippy::cast_sign_loss, reason = "a rank")]
    let rank = (sorted.len() as f64 * percent / 100.0).ceil() as usize;
    let at = sorted.get(rank.saturating_sub(1));
    at.map_or(f64::NAN, |&us| ms(us))
}
