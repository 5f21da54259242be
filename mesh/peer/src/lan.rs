//! Who else is on this network: multicast DNS (RFC 6762) with service discovery (RFC 6763), by `mdns-sd`.
//!
//! ```text
//!  Notice --say--> +-----------+ --Nearby::Seen, Gone--> mesh         _peddlenet._udp.local.
//!  look, doubt --> |  a task   |                                      instance, host: 8 random bytes
//!                  +-----+-----+                                      TXT: wire::near, tags that change
//!                        | one daemon (thread, socket) at a time
//!  seek --> carrier boxes are asked for, too: Nearby::Box             _pn-box._tcp.local.
//!                                                                     TXT: m, the mark of the box
//! ```
//!
//! What a device says of itself names nobody: entries that only members can read, under a name that is
//! new each time the entries are. What others say is unproven, and is nothing but addresses to try a
//! first packet at. A box that is announced here has a name and a host of its own, which change with its mark.
//! Boxes are asked for only while somebody here would use one.
//!
//! The daemon keeps whatever it hears until it expires, without a limit of its own. So it is asked
//! every few seconds how much that is, and is replaced by a new one when it is too much; the same is done
//! when the network has changed, which also asks everyone anew at once.

mod daemon;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, SocketAddr, SocketAddrV6},
    time::Duration,
};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use mdns_sd::{ResolvedService, ServiceEvent, ServiceInfo, TxtProperty};
use peddlenet_crypto::BoxMark;
use peddlenet_wire::near::{Entry, VALUES_MAX, from_values, to_values};
use tokio::{
    sync::mpsc,
    task::AbortHandle,
    time::{Instant, MissedTickBehavior, interval},
};

use self::daemon::Running;
use crate::bucket::Bucket;

/// The service's type; not registered with IANA.
const SERVICE: &str = "_peddlenet._udp.local.";
/// The type of carrier boxes; not registered either.
const BOXES: &str = "_pn-box._tcp.local.";
/// Keys of the values, in order.
const KEYS: [&str; VALUES_MAX] = ["a", "b", "c", "d"];
/// The key of a box's mark.
const MARK: &str = "m";
/// Orders that wait (count).
const ORDERS: usize = 16;
/// News that wait for the reader (count); what is beyond it is seen again at the next look.
const NEWS: usize = 256;
/// Devices that are remembered (count).
const DEVICES_MAX: usize = 512;
/// Boxes that are remembered (count); after that many others all are told anew.
const BOXES_MAX: usize = 64;
/// Addresses of one device that are tried (count).
const ADDRS_MAX: usize = 8;
/// Sightings a second that are read; twice as many at once.
const SIGHTINGS_A_SECOND: u32 = 100;
/// The same of boxes: a crowd of devices takes no box's turn.
const BOXES_A_SECOND: u32 = 10;
/// Own names of the past that are recognised (count): goodbyes travel a while.
const OWN_NAMES: usize = 16;
/// Records that the daemon may hold (count), at most 9,000 bytes each and about 100 usually.
const CACHED_MAX: i64 = 4096;
/// How often it is asked.
const CHECK_EVERY: Duration = Duration::from_secs(5);
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
    /// A carrier box on this machine.
    pub carrier: Option<BoxNotice>,
}

/// What to say of a carrier box on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoxNotice {
    /// The TCP port of its server.
    pub port: u16,
    /// Its mark now.
    pub mark: BoxMark,
}

/// A carrier box of others, or what poses as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoxSighting {
    /// The name of what it says now; something else may claim it, too.
    pub name: String,
    /// Where it says that its server listens.
    pub addrs: Vec<SocketAddr>,
    /// By which those who hold its key may recognise it.
    pub mark: BoxMark,
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
    /// A carrier box said something, new or again.
    Box(BoxSighting),
    /// A device or a box said goodbye, or was silent for too long.
    Gone {
        /// The name in its [`Sighting`], or [`BoxSighting`].
        name: String,
    },
    /// Whether the system lets anybody listen, now that this has changed: at first it is taken to.
    Available(bool),
}

enum Order {
    Say(Notice),
    Look { anew: bool },
    Doubt(String),
    Seek(bool),
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

    /// Whether carrier boxes are looked for from now on; at first they aren't.
    pub fn seek(&self, boxes: bool) {
        let _ = self.orders.try_send(Order::Seek(boxes));
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
        Some(running) => running.heard().await,
        None => std::future::pending().await,
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
    /// Whether boxes are looked for, what was told of each, and how many more may be read.
    seeking: bool,
    boxes: BTreeMap<String, (Vec<SocketAddr>, BoxMark)>,
    boxes_budget: Bucket,
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
            seeking: false,
            boxes: BTreeMap::new(),
            boxes_budget: Bucket::new(BOXES_A_SECOND),
            news,
        }
    }

    /// A daemon, new, with what is said of this device.
    fn begin(&mut self) {
        self.running = None;
        self.begin_at = None;
        match Running::start() {
            Ok(mut running) => {
                if self.seeking {
                    running.browse_boxes();
                }
                self.running = Some(running);
                self.tell_available(true);
                self.register_device();
                self.register_box();
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
                let old = std::mem::replace(&mut self.notice, notice);
                // Everyone hears a new daemon, and it hears everyone.
                if old.addrs != self.notice.addrs {
                    return self.begin_anew();
                }
                if old.entries != self.notice.entries {
                    self.register_device();
                }
                if old.carrier != self.notice.carrier {
                    self.register_box();
                }
            }
            Order::Look { anew: true } => self.begin_anew(),
            Order::Look { anew: false } => self.browse(),
            Order::Doubt(name) => {
                if let Some(running) = &self.running {
                    let _ = running.daemon.verify(name, DOUBT_FOR);
                }
            }
            Order::Seek(boxes) => self.seek(boxes),
        }
    }

    fn begin_anew(&mut self) {
        // One that is to begin later does: a flood is over when its time is.
        if self.running.is_some() {
            self.forget();
            self.begin();
        }
    }

    fn browse(&mut self) {
        self.forget();
        if let Some(running) = &mut self.running {
            running.browse_devices();
            if self.seeking {
                running.browse_boxes();
            }
        }
    }

    fn seek(&mut self, boxes: bool) {
        if self.seeking == boxes {
            return;
        }
        self.seeking = boxes;
        self.boxes.clear();
        match &mut self.running {
            Some(running) if boxes => running.browse_boxes(),
            Some(running) => running.leave_boxes(),
            None => {}
        }
    }

    /// What is heard next is told, though it was told before.
    fn forget(&mut self) {
        self.devices.clear();
        self.boxes.clear();
    }

    /// Says what there is to say of this device, under a new name, and goodbye under the old one.
    fn register_device(&mut self) {
        let values = to_values(&self.notice.entries, || random().unwrap_or_default());
        let properties = KEYS.into_iter().zip(values);
        let properties = properties.map(TxtProperty::from).collect();
        let port = self.notice.addrs.first().map(SocketAddr::port);
        self.register(SERVICE, port, properties);
    }

    /// The same of a box on this machine.
    fn register_box(&mut self) {
        let mark = self.notice.carrier.map(|carrier| carrier.mark);
        let mark = mark.map(|mark| TxtProperty::from((MARK, HEXLOWER.encode(&mark.0))));
        let port = self.notice.carrier.map(|carrier| carrier.port);
        self.register(BOXES, port, mark.into_iter().collect());
    }

    fn register(&mut self, service: &str, port: Option<u16>, properties: Vec<TxtProperty>) {
        let Some(running) = &self.running else {
            return;
        };
        let of_it = |name: &&String| name.ends_with(service);
        if let Some(old) = self.own.iter().rev().find(of_it) {
            let _ = running.daemon.unregister(old);
        }
        let ips: Vec<IpAddr> = self.notice.addrs.iter().map(SocketAddr::ip).collect();
        let (Some(port), Ok(name)) = (port.filter(|_| !ips.is_empty()), random()) else {
            return;
        };
        let name = HEXLOWER.encode(&name[..8]);
        let host = format!("{name}.local.");
        let service = ServiceInfo::new(service, &name, &host, &ips[..], port, properties);
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
            ServiceEvent::ServiceResolved(found) => self.on_resolved(&found),
            ServiceEvent::ServiceRemoved(_, name) => {
                self.devices.remove(&name);
                self.boxes.remove(&name);
                self.tell(Nearby::Gone { name });
            }
            _ => {}
        }
    }

    fn on_resolved(&mut self, found: &ResolvedService) {
        let is_box = found.fullname.ends_with(BOXES);
        let budget = match is_box {
            true => &mut self.boxes_budget,
            false => &mut self.budget,
        };
        let now = std::time::Instant::now();
        if self.own.contains(&found.fullname) || !budget.take(1, now) {
            return;
        }
        let port = found.port;
        let addrs = found.addresses.iter().filter_map(|ip| dialable(ip, port));
        let mut addrs: Vec<_> = addrs.take(ADDRS_MAX).collect();
        addrs.sort_unstable();
        let value = |key: &str| found.txt_properties.get_property_val(key).flatten();
        let name = found.fullname.clone();
        match is_box {
            false => self.see(
                name,
                addrs,
                from_values(KEYS.iter().filter_map(|key| value(key))),
            ),
            true => {
                if let Some(mark) = value(MARK).and_then(read_mark) {
                    self.see_box(name, addrs, mark);
                }
            }
        }
    }

    /// As a device, once.
    fn see_box(&mut self, name: String, addrs: Vec<SocketAddr>, mark: BoxMark) {
        let said = (addrs, mark);
        if said.0.is_empty() || self.boxes.get(&name) == Some(&said) {
            return;
        }
        if self.boxes.len() >= BOXES_MAX {
            // So a crowd of made-up ones hides no true one for long.
            self.boxes.clear();
        }
        self.boxes.insert(name.clone(), said.clone());
        let (addrs, mark) = said;
        self.tell(Nearby::Box(BoxSighting { name, addrs, mark }));
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
        self.forget();
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

/// Anything but a mark's hex digits is no box of this version.
fn read_mark(hex: &[u8]) -> Option<BoxMark> {
    if hex.len() != 2 * BoxMark::LEN {
        return None;
    }
    let bytes = HEXLOWER_PERMISSIVE.decode(hex).ok()?;
    bytes.try_into().ok().map(BoxMark)
}

fn random() -> Result<[u8; 12], getrandom::Error> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map(|()| bytes)
}
