//! Who else is on this network: multicast DNS (RFC 6762) with service discovery (RFC 6763), by `mdns-sd`.
//!
//! ```text
//!  Notice --say--> +-----------+ --Nearby::Seen, Gone--> mesh         _peddlenet._udp.local.
//!  look, doubt --> |  a task   |                                      instance, host: 8 random bytes
//!                  +-----+-----+                                      TXT: wire::near, tags that change
//!                        | one daemon (thread, socket) at a time
//! ```
//!
//! What a device says of itself names nobody: entries that only members can read, under a name that is
//! new each time the entries are. What others say is unproven, and is nothing but addresses to try a
//! first packet at.
//!
//! The daemon keeps whatever it hears until it expires, without a limit of its own. So it is asked
//! every few seconds how much that is, and is replaced by a new one when it is too much; the same is done
//! when the network has changed, which also asks everyone anew at once.

use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, SocketAddr, SocketAddrV6},
    time::Duration,
};

use data_encoding::HEXLOWER;
use mdns_sd::{IfKind, ServiceDaemon, ServiceEvent, ServiceInfo, TxtProperty};
use peddlenet_wire::near::{Entry, VALUES_MAX, from_values, to_values};
use tokio::{
    sync::mpsc,
    task::AbortHandle,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use crate::bucket::Bucket;

/// The service's type; not registered with IANA.
const SERVICE: &str = "_peddlenet._udp.local.";
/// Keys of the values, in order.
const KEYS: [&str; VALUES_MAX] = ["a", "b", "c", "d"];
/// Orders that wait (count).
const ORDERS: usize = 16;
/// News that wait for the reader (count); what is beyond it is seen again at the next look.
const NEWS: usize = 256;
/// Devices that are remembered (count).
const DEVICES_MAX: usize = 512;
/// Addresses of one device that are tried (count).
const ADDRS_MAX: usize = 8;
/// Sightings a second that are read; twice as many at once.
const SIGHTINGS_A_SECOND: u32 = 100;
/// Own names of the past that are recognised (count): goodbyes travel a while.
const OWN_NAMES: usize = 8;
/// Records that the daemon may hold (count), at most 9,000 bytes each and about 100 usually.
const CACHED_MAX: i64 = 4096;
/// How often it is asked.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// How long it may take to say so; one that is that busy is asked again.
const ASK_FOR: Duration = Duration::from_secs(1);
/// A daemon that had to be replaced for what it held is started again after this long: a flood costs
/// discovery, not memory.
const FLOODED_FOR: Duration = Duration::from_secs(30);
/// How long a device that is doubted gets to answer.
const DOUBT_FOR: Duration = Duration::from_secs(1);
/// How often a daemon that would not start is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// What to say of this device.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notice {
    /// Where it listens; nothing is said without any.
    pub addrs: Vec<SocketAddr>,
    /// Its rooms and codes.
    pub entries: Vec<Entry>,
}

/// A device of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The name of what it says now; another device may claim it, too.
    pub name: String,
    /// Where it says that it listens.
    pub addrs: Vec<SocketAddr>,
    /// Its rooms and codes, among made-up ones.
    pub entries: Vec<Entry>,
}

/// What is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nearby {
    /// A device said something, new or again.
    Seen(Sighting),
    /// It said goodbye, or was silent for too long.
    Gone {
        /// The name in its [`Sighting`].
        name: String,
    },
    /// Whether the system lets anybody listen, now that this has changed: at first it is taken to.
    Available(bool),
}

enum Order {
    Say(Notice),
    Look { anew: bool },
    Doubt(String),
}

/// Speaks and listens until it is dropped.
#[derive(Debug)]
pub struct Lan {
    orders: mpsc::Sender<Order>,
    task: AbortHandle,
}

impl Lan {
    /// Begins to listen. Runs on the caller's tokio runtime, and a thread of its own.
    pub fn start() -> (Self, mpsc::Receiver<Nearby>) {
        let (orders, orders_out) = mpsc::channel(ORDERS);
        let (news, news_out) = mpsc::channel(NEWS);
        let task = tokio::spawn(run(orders_out, news)).abort_handle();
        (Self { orders, task }, news_out)
    }

    /// What is to be said of this device; the same again changes nothing. With other addresses than before
    /// everyone is asked anew. Say it now and then: a task that is behind misses it.
    pub fn say(&self, notice: Notice) {
        let _ = self.orders.try_send(Order::Say(notice));
    }

    /// Asks who is there. With `anew` what was heard before is forgotten first.
    pub fn look(&self, anew: bool) {
        // A task that is behind is about to look.
        let _ = self.orders.try_send(Order::Look { anew });
    }

    /// Asks whether a device is still there; [`Nearby::Gone`] comes within about a second if it isn't.
    pub fn doubt(&self, name: String) {
        let _ = self.orders.try_send(Order::Doubt(name));
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(mut orders: mpsc::Receiver<Order>, news: mpsc::Sender<Nearby>) {
    let mut station = Station::new(news);
    station.begin();
    let mut check = interval(CHECK_EVERY);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => station.obey(order),
                None => return,
            },
            event = heard(station.running.as_ref()) => station.take(event),
            _ = check.tick() => station.check().await,
        }
    }
}

/// The next thing the daemon says; for ever nothing while there is none.
async fn heard(running: Option<&Running>) -> Option<ServiceEvent> {
    match running {
        Some(running) => running.events.recv_async().await.ok(),
        None => std::future::pending().await,
    }
}

/// One daemon. Dropped, it says goodbye and ends.
struct Running {
    daemon: ServiceDaemon,
    events: mdns_sd::Receiver<ServiceEvent>,
}

impl Running {
    fn start() -> Result<Self, mdns_sd::Error> {
        let daemon = ServiceDaemon::new()?;
        daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
        // The actor watches the interfaces and has the daemon replaced.
        daemon.set_ip_check_interval(0)?;
        let events = daemon.browse(SERVICE)?;
        Ok(Self { daemon, events })
    }

    async fn cached(&self) -> i64 {
        let Ok(metrics) = self.daemon.get_metrics() else {
            return 0;
        };
        let asked = timeout(ASK_FOR, metrics.recv_async()).await;
        let metrics = asked.ok().and_then(Result::ok).unwrap_or_default();
        let cached = metrics.iter().filter(|(key, _)| key.starts_with("cached-"));
        cached.map(|(_, count)| *count).fold(0, i64::saturating_add)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A queue that is full ends with the thread's last handle.
        let _ = self.daemon.shutdown();
    }
}

struct Station {
    running: Option<Running>,
    /// Not before that.
    begin_at: Option<Instant>,
    available: bool,
    notice: Notice,
    /// Own instances, the present one last.
    own: VecDeque<String>,
    /// What was told of each device.
    devices: BTreeMap<String, (Vec<SocketAddr>, Vec<Entry>)>,
    budget: Bucket,
    news: mpsc::Sender<Nearby>,
}

impl Station {
    fn new(news: mpsc::Sender<Nearby>) -> Self {
        Self {
            running: None,
            begin_at: None,
            available: true,
            notice: Notice::default(),
            own: VecDeque::new(),
            devices: BTreeMap::new(),
            budget: Bucket::new(SIGHTINGS_A_SECOND),
            news,
        }
    }

    /// A daemon, new, with what is said of this device.
    fn begin(&mut self) {
        self.running = None;
        self.begin_at = None;
        match Running::start() {
            Ok(running) => {
                self.running = Some(running);
                self.tell_available(true);
                self.register();
            }
            Err(error) => {
                tracing::debug!(%error, "nobody can be looked for on this network");
                self.begin_at = Some(Instant::now() + RETRY);
                self.tell_available(false);
            }
        }
    }

    fn tell_available(&mut self, available: bool) {
        if self.available != available {
            self.available = available;
            self.tell(Nearby::Available(available));
        }
    }

    fn tell(&self, news: Nearby) {
        if self.news.try_send(news).is_err() {
            tracing::debug!("what is seen on this network is not taken");
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Say(notice) => {
                let moved = notice.addrs != self.notice.addrs;
                if notice == self.notice {
                    return;
                }
                self.notice = notice;
                // Everyone hears a new daemon, and it hears everyone.
                if moved {
                    self.begin_anew();
                } else {
                    self.register();
                }
            }
            Order::Look { anew: true } => self.begin_anew(),
            Order::Look { anew: false } => self.browse(),
            Order::Doubt(name) => {
                if let Some(running) = &self.running {
                    let _ = running.daemon.verify(name, DOUBT_FOR);
                }
            }
        }
    }

    fn begin_anew(&mut self) {
        // One that is to begin later does: a flood is over when its time is.
        if self.running.is_some() {
            self.devices.clear();
            self.begin();
        }
    }

    fn browse(&mut self) {
        self.devices.clear();
        if let Some(running) = &mut self.running {
            let _ = running.daemon.stop_browse(SERVICE);
            match running.daemon.browse(SERVICE) {
                Ok(events) => running.events = events,
                Err(error) => tracing::debug!(%error, "not looked"),
            }
        }
    }

    /// Says what there is to say, under a new name, and goodbye under the old one.
    fn register(&mut self) {
        let Some(running) = &self.running else {
            return;
        };
        if let Some(old) = self.own.back() {
            let _ = running.daemon.unregister(old);
        }
        let ips: Vec<IpAddr> = self.notice.addrs.iter().map(SocketAddr::ip).collect();
        let (Some(port), Ok(name)) = (self.notice.addrs.first().map(SocketAddr::port), random())
        else {
            return;
        };
        let name = HEXLOWER.encode(&name[..8]);
        let values = to_values(&self.notice.entries, || random().unwrap_or_default());
        let properties = KEYS.into_iter().zip(values);
        let properties: Vec<_> = properties.map(TxtProperty::from).collect();
        let host = format!("{name}.local.");
        let service = ServiceInfo::new(SERVICE, &name, &host, &ips[..], port, properties);
        let registered = service.and_then(|mut service| {
            // Nobody else has that name: it is random, and new.
            service.set_requires_probe(false);
            let full = service.get_fullname().to_owned();
            running.daemon.register(service).map(|()| full)
        });
        match registered {
            Ok(full) => {
                self.own.push_back(full);
                if self.own.len() > OWN_NAMES {
                    self.own.pop_front();
                }
            }
            Err(error) => tracing::warn!(%error, "this device can't be found on its network"),
        }
    }

    fn take(&mut self, event: Option<ServiceEvent>) {
        let Some(event) = event else {
            // It fell behind, or its thread is gone.
            return self.begin_after(RETRY);
        };
        match event {
            ServiceEvent::ServiceResolved(found) => {
                if self.own.contains(&found.fullname)
                    || !self.budget.take(1, std::time::Instant::now())
                {
                    return;
                }
                let port = found.port;
                let addrs = found.addresses.iter().filter_map(|ip| dialable(ip, port));
                let mut addrs: Vec<_> = addrs.take(ADDRS_MAX).collect();
                addrs.sort_unstable();
                let values = KEYS
                    .iter()
                    .filter_map(|key| found.txt_properties.get_property_val(key).flatten());
                self.see(found.fullname.clone(), addrs, from_values(values));
            }
            ServiceEvent::ServiceRemoved(_, name) => {
                self.devices.remove(&name);
                self.tell(Nearby::Gone { name });
            }
            _ => {}
        }
    }

    /// A device says the same several times, from every interface: once is enough.
    fn see(&mut self, name: String, addrs: Vec<SocketAddr>, entries: Vec<Entry>) {
        let said = (addrs, entries);
        let known = self.devices.get(&name);
        if said.0.is_empty() || known == Some(&said) {
            return;
        }
        if known.is_none() && self.devices.len() >= DEVICES_MAX {
            return;
        }
        self.devices.insert(name.clone(), said.clone());
        let (addrs, entries) = said;
        self.tell(Nearby::Seen(Sighting {
            name,
            addrs,
            entries,
        }));
    }

    async fn check(&mut self) {
        if self.begin_at.is_some_and(|at| at <= Instant::now()) {
            return self.begin();
        }
        let Some(running) = &self.running else {
            return;
        };
        let cached = running.cached().await;
        if cached > CACHED_MAX {
            tracing::warn!(
                cached,
                "too much is said on this network: not listening for a while"
            );
            self.begin_after(FLOODED_FOR);
        }
    }

    fn begin_after(&mut self, pause: Duration) {
        self.running = None;
        self.devices.clear();
        self.begin_at = Some(Instant::now() + pause);
    }
}

/// An address that may be dialled; a link-local one of IPv6 only with its scope.
fn dialable(ip: &mdns_sd::ScopedIp, port: u16) -> Option<SocketAddr> {
    match (ip, ip.to_ip_addr()) {
        (_, _) if port == 0 => None,
        (mdns_sd::ScopedIp::V6(scoped), IpAddr::V6(v6)) if v6.is_unicast_link_local() => {
            let scope = scoped.scope_id().index;
            (scope != 0).then(|| SocketAddrV6::new(v6, port, 0, scope).into())
        }
        (_, ip) if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() => None,
        (_, ip) => Some(SocketAddr::new(ip, port)),
    }
}

fn random() -> Result<[u8; 12], getrandom::Error> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn station() -> (Station, mpsc::Receiver<Nearby>) {
        let (news, out) = mpsc::channel(NEWS);
        (Station::new(news), out)
    }

    fn addr(n: u8) -> Vec<SocketAddr> {
        vec![([192, 168, 1, n], 4_000).into()]
    }

    #[test]
    fn a_device_is_told_once_until_it_says_something_else() {
        let (mut station, mut news) = station();
        let entry = Entry::made_up([1; 12]);
        for entries in [vec![], vec![], vec![entry], vec![entry]] {
            station.see("x".into(), addr(1), entries);
        }
        station.see("y".into(), vec![], vec![entry]);
        let mut told = Vec::new();
        while let Ok(Nearby::Seen(seen)) = news.try_recv() {
            told.push(seen.entries.len());
        }
        assert_eq!(told, [0, 1], "and one without addresses is nowhere");
    }

    #[test]
    fn a_crowd_of_made_up_devices_takes_bounded_space() {
        let (mut station, mut news) = station();
        for n in 0..5_000 {
            station.see(format!("made up {n}"), addr(2), Vec::new());
        }
        assert_eq!(station.devices.len(), DEVICES_MAX);
        let mut told = 0;
        while news.try_recv().is_ok() {
            told += 1;
        }
        assert_eq!(told, NEWS);
    }

    #[test]
    fn addresses_that_lead_nowhere_are_not_tried() {
        let one = |ip: &str| dialable(&mdns_sd::ScopedIp::from(ip.parse::<IpAddr>().unwrap()), 9);
        assert!(one("192.168.1.4").is_some() && one("2001:db8::1").is_some());
        assert!(
            one("169.254.7.7").is_some(),
            "link-local, of the one network there is"
        );
        for ip in [
            "127.0.0.1",
            "0.0.0.0",
            "224.0.0.251",
            "::1",
            "fe80::1",
            "ff02::fb",
        ] {
            assert!(one(ip).is_none(), "{ip}");
        }
    }
}
