//! Distance: passes datagrams on to one address, and the answers back, each a while later.
//!
//! ```text
//!  lab_delay PORT TARGET DELAY_MS JITTER_MS      stdout: ready
//!
//!  device --> :PORT --DELAY + 0..JITTER--> a port for each device --> TARGET
//!  device <-- :PORT <--DELAY + 0..JITTER--                         <-- TARGET
//! ```
//!
//! What was sent later may arrive sooner, as on real lines. The jitter is the same in every run.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use tokio::{net::UdpSocket, time::sleep};

/// Devices that one program serves (count).
const DEVICES_MAX: usize = 64;
const DATAGRAM_MAX: usize = 65_536;

/// How long each datagram takes.
struct Way {
    delay: Duration,
    jitter_ms: u64,
    state: u64,
}

impl Way {
    /// SplitMix64 (Steele et al., 2014).
    fn next(&mut self) -> Duration {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.delay + Duration::from_millis((z ^ (z >> 31)) % (self.jitter_ms + 1))
    }
}

/// Sends it when it has travelled. A network that is gone is what the stories tell of.
fn later(socket: &Arc<UdpSocket>, to: SocketAddr, datagram: &[u8], way: Duration) {
    let (socket, datagram) = (Arc::clone(socket), datagram.to_vec());
    tokio::spawn(async move {
        sleep(way).await;
        let _ = socket.send_to(&datagram, to).await;
    });
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<_> = std::env::args().collect();
    let arg = |n: usize| args.get(n).context("PORT TARGET DELAY_MS JITTER_MS");
    let (port, target): (u16, SocketAddr) = (arg(1)?.parse()?, arg(2)?.parse()?);
    let (delay, jitter_ms) = (Duration::from_millis(arg(3)?.parse()?), arg(4)?.parse()?);
    let way = |state| Way {
        delay,
        jitter_ms,
        state,
    };
    let near = Arc::new(UdpSocket::bind(("0.0.0.0", port)).await?);
    println!("ready");
    let mut far: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut there = way(1);
    let mut datagram = vec![0; DATAGRAM_MAX];
    loop {
        // A port that was closed answers with an error, which belongs to no datagram.
        let Ok((length, device)) = near.recv_from(&mut datagram).await else {
            continue;
        };
        let socket = match far.get(&device) {
            Some(socket) => Arc::clone(socket),
            None => {
                ensure!(far.len() < DEVICES_MAX, "more than {DEVICES_MAX} devices");
                let socket = Arc::new(UdpSocket::bind("0.0.0.0:0").await?);
                far.insert(device, Arc::clone(&socket));
                let (near, answers) = (Arc::clone(&near), Arc::clone(&socket));
                let mut back = way(2);
                tokio::spawn(async move {
                    let mut datagram = vec![0; DATAGRAM_MAX];
                    loop {
                        if let Ok((length, _)) = answers.recv_from(&mut datagram).await {
                            later(&near, device, &datagram[..length], back.next());
                        }
                    }
                });
                socket
            }
        };
        later(&socket, target, &datagram[..length], there.next());
    }
}
