//! A Wi-Fi: a bridge with one port a device. And what can happen to each.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
};

use anyhow::{Context, Result};

use super::{Host, Inner, Prefix, space::Space};

/// What a network is called in the namespace of its access point.
const BRIDGE: &str = "ap0";

/// A network that hosts join.
pub struct Wifi {
    space: Arc<Space>,
    bridge: String,
    prefix: Mutex<Prefix>,
    next: AtomicU8,
    plugs: Mutex<Vec<Plug>>,
    trunks: Mutex<Vec<String>>,
}

/// One host's place in a Wi-Fi. Clones are the same place.
#[derive(Clone)]
pub struct Plug(Arc<Ends>);

struct Ends {
    host: Arc<Space>,
    interface: String,
    wifi: Arc<Space>,
    port: String,
    number: u8,
    address: Mutex<Option<IpAddr>>,
}

/// A cable between two Wi-Fis, which are one network while it holds.
pub struct Trunk {
    one: (Arc<Space>, String),
}

impl Wifi {
    /// An access point that is nobody's device.
    pub(super) fn standing(lab: &Arc<Inner>, prefix: Prefix) -> Result<Self> {
        Self::on(&Space::new(lab)?, prefix)
    }

    /// An access point that is that device.
    pub(super) fn on(space: &Arc<Space>, prefix: Prefix) -> Result<Self> {
        let wifi = Self {
            space: Arc::clone(space),
            bridge: space.next_interface(BRIDGE),
            prefix: Mutex::new(prefix),
            next: AtomicU8::new(prefix.first() + 1),
            plugs: Mutex::default(),
            trunks: Mutex::default(),
        };
        wifi.raise()?;
        Ok(wifi)
    }

    /// That host joins, and is given an address. The first network it joined has its way out.
    ///
    /// # Errors
    /// A command failed.
    pub fn join(&self, host: &Host) -> Result<Plug> {
        let port = self.space.next_interface("p");
        let interface = host.space().next_interface("w");
        let (here, there) = (self.space.name(), host.space().name());
        self.space
            .ip(&[
                "link", "add", &port, "type", "veth", "peer", "name", &interface, "netns", there,
            ])
            .with_context(|| format!("a cable from {here} to {there}"))?;
        let plug = Plug(Arc::new(Ends {
            host: Arc::clone(host.space()),
            interface,
            wifi: Arc::clone(&self.space),
            port,
            number: self.next.fetch_add(1, Ordering::Relaxed),
            address: Mutex::default(),
        }));
        self.attach(&plug)?;
        lock(&self.plugs).push(plug.clone());
        Ok(plug)
    }

    /// The access point's own address.
    pub fn address(&self) -> Option<IpAddr> {
        lock(&self.prefix).access_point()
    }

    /// The first joiner's address.
    pub(super) fn first(&self) -> Option<IpAddr> {
        let prefix = *lock(&self.prefix);
        prefix.address(prefix.first() + 1)
    }

    /// A host that left is in range again, and is given its address.
    ///
    /// # Errors
    /// A command failed.
    pub fn rejoin(&self, plug: &Plug) -> Result<()> {
        self.attach(plug)
    }

    /// A cable to another Wi-Fi: one network from here on.
    ///
    /// # Errors
    /// A command failed.
    pub fn trunk(&self, other: &Wifi) -> Result<Trunk> {
        let (here, there) = (
            self.space.next_interface("t"),
            other.space.next_interface("t"),
        );
        let name = other.space.name();
        self.space.ip(&[
            "link", "add", &here, "type", "veth", "peer", "name", &there, "netns", name,
        ])?;
        for (wifi, end) in [(self, &here), (other, &there)] {
            wifi.space
                .ip(&["link", "set", end, "master", &wifi.bridge, "up"])?;
            lock(&wifi.trunks).push(end.clone());
        }
        Ok(Trunk {
            one: (Arc::clone(&self.space), here),
        })
    }

    /// No two devices in it hear each other: what guest networks call client isolation.
    ///
    /// # Errors
    /// A command failed.
    pub fn isolate(&self) -> Result<()> {
        let plugs = lock(&self.plugs);
        plugs.iter().try_for_each(|plug| {
            let set = ["link", "set", "dev", &plug.0.port, "isolated", "on"];
            self.space.bridge(&set).map(drop)
        })
    }

    /// The access point goes off: the network is gone, and with it the addresses that it gave.
    ///
    /// # Errors
    /// A command failed.
    pub fn off(&self) -> Result<()> {
        for plug in lock(&self.plugs).iter() {
            self.space.ip(&["link", "set", &plug.0.port, "down"])?;
            plug.forget_addresses()?;
        }
        self.space.ip(&["link", "del", &self.bridge]).map(drop)
    }

    /// It comes on again with other addresses, and everybody who was in it joins.
    ///
    /// # Errors
    /// A command failed.
    pub fn on_again(&self, prefix: Prefix) -> Result<()> {
        *lock(&self.prefix) = prefix;
        self.raise()?;
        for end in lock(&self.trunks).iter() {
            self.space
                .ip(&["link", "set", end, "master", &self.bridge])?;
        }
        for plug in lock(&self.plugs).iter() {
            self.attach(plug)?;
        }
        Ok(())
    }

    fn raise(&self) -> Result<()> {
        // Snooping without a router that asks would be a switch that forgets groups.
        let add = ["link", "add", &self.bridge, "type", "bridge"];
        self.space
            .ip(&[&add[..], &["mcast_snooping", "0"]].concat())?;
        for addr in lock(&self.prefix).of_access_point() {
            self.space
                .ip(&["addr", "add", &addr, "dev", &self.bridge, "nodad"])?;
        }
        self.space
            .ip(&["link", "set", &self.bridge, "up"])
            .map(drop)
    }

    fn attach(&self, plug: &Plug) -> Result<()> {
        let ends = &plug.0;
        self.space
            .ip(&["link", "set", &ends.port, "master", &self.bridge, "up"])?;
        ends.host.ip(&["link", "set", &ends.interface, "up"])?;
        let prefix = *lock(&self.prefix);
        for addr in prefix.of(ends.number) {
            ends.host
                .ip(&["addr", "add", &addr, "dev", &ends.interface, "nodad"])?;
        }
        // A later interface's way out stands behind an earlier one's.
        let metric = ends.interface.trim_start_matches('w');
        let metric = (100 + metric.parse::<u32>()?).to_string();
        for gateway in prefix.gateways() {
            let gateway = gateway.to_string();
            let via = ["route", "replace", "default", "via", &gateway];
            let dev = ["dev", &ends.interface, "metric", &metric];
            ends.host.ip(&[&via[..], &dev[..]].concat())?;
        }
        *lock(&ends.address) = prefix.address(ends.number);
        Ok(())
    }
}

impl Plug {
    /// The host's address here.
    ///
    /// # Errors
    /// This network gives out none.
    pub fn address(&self) -> Result<IpAddr> {
        lock(&self.0.address).context("there are only link-local addresses here")
    }

    /// Out of range: the interface has no carrier; what it is called stays.
    ///
    /// # Errors
    /// A command failed.
    pub fn cut(&self) -> Result<()> {
        self.0
            .wifi
            .ip(&["link", "set", &self.0.port, "down"])
            .map(drop)
    }

    /// In range again, under the same address.
    ///
    /// # Errors
    /// A command failed.
    pub fn restore(&self) -> Result<()> {
        self.0
            .wifi
            .ip(&["link", "set", &self.0.port, "up"])
            .map(drop)
    }

    /// Out of range, and the address is given back, as a phone does after a while.
    ///
    /// # Errors
    /// A command failed.
    pub fn leave(&self) -> Result<()> {
        self.cut()?;
        self.forget_addresses()
    }

    /// Of a hundred frames that the host sends, so many never arrive.
    ///
    /// # Errors
    /// A command failed.
    pub fn lose_sent(&self, percent: u8) -> Result<()> {
        lose(&self.0.wifi, &self.0.port, percent)
    }

    /// Of a hundred frames for the host, so many never arrive.
    ///
    /// # Errors
    /// A command failed.
    pub fn lose_received(&self, percent: u8) -> Result<()> {
        lose(&self.0.host, &self.0.interface, percent)
    }

    /// How much the host may send and receive.
    ///
    /// # Errors
    /// A command failed.
    pub fn rate(&self, kbit_s: u32) -> Result<()> {
        let rate = format!("{kbit_s}kbit");
        for (space, interface) in [
            (&self.0.host, &self.0.interface),
            (&self.0.wifi, &self.0.port),
        ] {
            let tbf = [
                "root", "tbf", "rate", &rate, "burst", "16kb", "latency", "200ms",
            ];
            let dev = ["qdisc", "replace", "dev", interface];
            space.exec("tc", &[&dev[..], &tbf[..]].concat())?;
        }
        Ok(())
    }

    /// A lease that ended.
    fn forget_addresses(&self) -> Result<()> {
        let dev = ["addr", "flush", "dev", &self.0.interface];
        self.0.host.ip(&[&["-4"], &dev[..]].concat())?;
        self.0
            .host
            .ip(&[&["-6"], &dev[..], &["scope", "global"]].concat())?;
        *lock(&self.0.address) = None;
        Ok(())
    }
}

impl Trunk {
    /// Two networks from here on.
    ///
    /// # Errors
    /// A command failed.
    pub fn cut(&self) -> Result<()> {
        self.set("down")
    }

    /// One network again.
    ///
    /// # Errors
    /// A command failed.
    pub fn restore(&self) -> Result<()> {
        self.set("up")
    }

    fn set(&self, state: &str) -> Result<()> {
        let (space, end) = &self.one;
        space.ip(&["link", "set", end, state]).map(drop)
    }
}

/// Where frames come out of a cable, so many of a hundred are dropped.
fn lose(space: &Space, interface: &str, percent: u8) -> Result<()> {
    space.nft(&format!(
        "table netdev loss_{interface} {{
         }}
         delete table netdev loss_{interface}
         table netdev loss_{interface} {{
           chain come {{
             type filter hook ingress device \"{interface}\" priority 0
             policy accept
             numgen random mod 100 < {percent} drop
           }}
         }}"
    ))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
