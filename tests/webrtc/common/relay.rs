//! A UDP relay between a dialer and a host, to capture, to cut, and to move like a NAT.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

pub(crate) struct Relay {
    /// What the dialer dials.
    pub(crate) addr: SocketAddr,
    /// Every packet the dialer sent, in order.
    pub(crate) captured: Arc<Mutex<Vec<Vec<u8>>>>,
    cut: Arc<AtomicBool>,
    rebind: mpsc::Sender<()>,
}

impl Relay {
    pub(crate) async fn to(host: SocketAddr) -> Self {
        let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = front.local_addr().unwrap();
        let captured = Arc::new(Mutex::new(Vec::new()));
        let cut = Arc::new(AtomicBool::new(false));
        let (rebind, mut rebinds) = mpsc::channel(1);
        let (capture, is_cut) = (captured.clone(), cut.clone());
        tokio::spawn(async move {
            let mut back = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let mut dialer = None;
            let (mut there, mut here) = (vec![0; 65_536], vec![0; 65_536]);
            loop {
                tokio::select! {
                    got = front.recv_from(&mut there) => {
                        let Ok((len, from)) = got else { continue };
                        dialer = Some(from);
                        capture.lock().unwrap().push(there[..len].to_vec());
                        if !is_cut.load(Ordering::Relaxed) {
                            let _ = back.send_to(&there[..len], host).await;
                        }
                    }
                    got = back.recv_from(&mut here) => {
                        let (Ok((len, _)), Some(dialer)) = (got, dialer) else { continue };
                        if !is_cut.load(Ordering::Relaxed) {
                            let _ = front.send_to(&here[..len], dialer).await;
                        }
                    }
                    asked = rebinds.recv() => match asked {
                        Some(()) => back = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(),
                        None => return,
                    }
                }
            }
        });
        Self {
            addr,
            captured,
            cut,
            rebind,
        }
    }

    /// Loses every packet from now on, as a killed process or a dead network would.
    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }

    /// Carries packets again.
    pub(crate) fn mend(&self) {
        self.cut.store(false, Ordering::Relaxed);
    }

    /// Goes on from another source port.
    pub(crate) async fn rebind(&self) {
        self.rebind.send(()).await.unwrap();
    }
}
