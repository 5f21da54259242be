//! The endpoint: one UDP port for every link, dialled and accepted.

mod ask;
mod expect;
mod shake;

use crate::approach::random;
use crate::certificate::ListenerCertificate;
use crate::connection::Connection;
use crate::ice_server::{IceServer, IceServerConfig, Running};
use crate::interfaces::{self, Interface};
use crate::link::{self, Link};
use crate::router::{Arrival, HALF_OPEN_MAX, Registration, Router};
use crate::session::{Session, lock};
use crate::socket::{self, BATCH, SharedSocket};
use crate::{DialError, Fingerprint, Gate, GateId, Kind, PeerError, PeerStats};
use peddlenet_crypto::Handshake;
use shake::{hello, open};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A half-open link is given up after this.
pub const HALF_OPEN_FOR: Duration = Duration::from_secs(5);
/// What a dial usually gets.
pub const DIAL_DEADLINE: Duration = Duration::from_secs(5);
/// After the first refusal other addresses get this long to answer better.
const REFUSAL_GRACE: Duration = Duration::from_millis(1500);
/// How long closing waits for links to say goodbye.
const CLOSE_FOR: Duration = Duration::from_millis(700);
/// Addresses of one dial; an invite carries fewer.
const ADDRS_MAX: usize = 16;

/// Where to listen, and as whom.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// Addresses to bind; empty means every interface on one free port.
    pub listen: Vec<SocketAddr>,
    /// Shown to dialers, until [`Endpoint::set_certificates`] says otherwise.
    pub certificate: ListenerCertificate,
}

/// Whom to dial.
#[derive(Debug, Clone)]
pub struct Dial {
    /// Tried all at once; the first to answer wins.
    pub addrs: Vec<SocketAddr>,
    /// The listener's certificate hash, from the invite or the whereabouts record. `None`: whoever answers
    /// is asked for it, as a member is in any case. Everyone who holds the gate's key could answer, so who
    /// it is has to be proven on the link.
    pub fingerprint: Option<Fingerprint>,
    /// The key to show.
    pub gate: Gate,
    /// Everything, handshake included, is done by then.
    pub deadline: Duration,
}

/// A link somebody else dialled.
#[derive(Debug)]
pub struct IncomingLink {
    /// Open, handshake done.
    pub link: Link,
    /// The gate whose key the dialer knew.
    pub gate: GateId,
}

/// Links that others dialled, in the order they opened.
#[derive(Debug)]
pub struct Incoming(mpsc::Receiver<IncomingLink>);

impl Incoming {
    /// The next one; `None` once the endpoint is closed.
    pub async fn recv(&mut self) -> Option<IncomingLink> {
        self.0.recv().await
    }
}

/// A handle on the endpoint. The last one to go closes it.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) router: Arc<Router>,
    pub(crate) sockets: Vec<Arc<SharedSocket>>,
    pub(crate) servers: Running,
    certificates: Certificates,
    /// From where somebody is expected, and until when.
    expected: Mutex<BTreeMap<SocketAddr, Instant>>,
    /// Receives and accepts, until aborted.
    tasks: Mutex<JoinSet<()>>,
}

/// Own certificates that dialers may expect, today's first; never empty.
type Certificates = Arc<Mutex<Vec<ListenerCertificate>>>;

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint({:?})", self.fingerprint())
    }
}

impl Endpoint {
    /// Opens the sockets and starts to listen. Nobody gets in before
    /// [`set_gates`](Self::set_gates). Runs on the caller's tokio runtime.
    pub async fn bind(config: EndpointConfig) -> Result<(Self, Incoming), PeerError> {
        let sockets = socket::open(&config.listen).map_err(PeerError::Socket)?;
        let certificates = Certificates::default();
        let count = u32::try_from(sockets.len()).unwrap_or(u32::MAX);
        let (router, arrivals) = Router::new(count);
        let sockets: Vec<_> = sockets.into_iter().map(Arc::new).collect();
        let mut tasks = JoinSet::new();
        for socket in &sockets {
            let (router, socket) = (Arc::clone(&router), Arc::clone(socket));
            tasks.spawn(async move {
                let error = socket
                    .receive::<BATCH>(|arrived| router.deliver(&socket, &arrived))
                    .await;
                tracing::error!(%error, "a udp socket broke");
            });
        }
        let (incoming, receiver) = mpsc::channel(HALF_OPEN_MAX);
        tasks.spawn(accept_all(arrivals, Arc::clone(&certificates), incoming));
        let inner = Inner {
            router,
            sockets,
            servers: Running::default(),
            certificates,
            expected: Mutex::default(),
            tasks: Mutex::new(tasks),
        };
        let endpoint = Self(Arc::new(inner));
        endpoint.set_certificates(vec![config.certificate]);
        Ok((endpoint, Incoming(receiver)))
    }

    /// Addresses to tell others: interfaces, never a wildcard. Loopback only when it is all there
    /// is, or when it was asked for.
    /// Asked of the system anew each time: a laptop joins and leaves networks while it runs.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.local_addrs_on(&interfaces::interfaces())
    }

    /// The same on interfaces that were looked at just now.
    pub fn local_addrs_on(&self, interfaces: &[Interface]) -> Vec<SocketAddr> {
        interfaces::dialable(
            self.0.sockets.iter().map(|socket| socket.bound()),
            interfaces,
        )
    }

    /// Addresses to tell on the networks of these interfaces, and nowhere else: those of
    /// [`local_addrs`](Self::local_addrs) but loopback, and link-local ones.
    pub fn near_addrs_on(&self, interfaces: &[Interface]) -> Vec<SocketAddr> {
        interfaces::near(
            self.0.sockets.iter().map(|socket| socket.bound()),
            interfaces,
        )
    }

    /// The hash of today's listener certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        let certificates = lock(&self.0.certificates);
        let today = certificates.first().map(ListenerCertificate::fingerprint);
        today.unwrap_or(Fingerprint::ZERO)
    }

    /// Replaces the listener's certificates: today's, which is told to others, then those of the
    /// past that somebody may still expect, up to [`CERTIFICATES_MAX`](crate::front_door::CERTIFICATES_MAX)
    /// in all. A dialer is shown the one that it names; a member that names another is told today's.
    /// Links that exist live on. An empty list changes nothing.
    pub fn set_certificates(&self, certificates: Vec<ListenerCertificate>) {
        if certificates.is_empty() {
            return;
        }
        let fingerprints = certificates.iter().map(ListenerCertificate::fingerprint);
        let fingerprints = fingerprints.collect();
        // First what a knock leads to, then what lets it in.
        *lock(&self.0.certificates) = certificates;
        self.0.router.set_certificates(fingerprints);
    }

    /// Whether a dialer may expect that certificate here.
    pub fn has_certificate(&self, fingerprint: Fingerprint) -> bool {
        let certificates = lock(&self.0.certificates);
        certificates.iter().any(|c| c.fingerprint() == fingerprint)
    }

    /// Nothing from there opens a link, and nothing is dialled there, for
    /// [`REFUSED_FOR`](crate::REFUSED_FOR): a link from there misbehaved. Links that exist stay.
    pub fn refuse(&self, source: SocketAddr) {
        self.0.router.refuse(source);
    }

    /// What was turned away so far, by reason.
    pub fn stats(&self) -> PeerStats {
        self.0.router.stats()
    }

    /// Replaces the keys a first packet may be made with.
    pub fn set_gates(&self, gates: Vec<Gate>) {
        self.0.router.set_gates(gates);
    }

    /// Opens a link, or says why not, by the deadline. Dropping the future gives up.
    pub async fn dial(&self, dial: Dial) -> Result<Link, DialError> {
        let until = Instant::now() + dial.deadline;
        if dial
            .fingerprint
            .is_some_and(|named| self.has_certificate(named))
        {
            return Err(DialError::Itself);
        }
        let expected = match dial.fingerprint {
            Some(expected) if dial.gate.kind == Kind::Invite => expected,
            // A member may be elsewhere, or have another certificate by now.
            _ => self.ask(&dial, until).await?,
        };
        match self.try_dial(&dial, expected, until).await {
            Err(Ended::Moved(today)) => {
                tracing::debug!("dialling again, for the certificate that the device has today");
                let again = self.try_dial(&dial, today, until).await;
                again.map_err(Ended::into_error)
            }
            outcome => outcome.map_err(Ended::into_error),
        }
    }

    async fn try_dial(
        &self,
        dial: &Dial,
        fingerprint: Fingerprint,
        until: Instant,
    ) -> Result<Link, Ended> {
        if self.has_certificate(fingerprint) {
            return Err(DialError::Itself.into());
        }
        let (session, registration, reachable) = self.register(dial, fingerprint)?;
        let work = async {
            let dialing =
                Connection::dial(Arc::clone(&session), &reachable, fingerprint, &dial.gate);
            let (connection, own) = dialing.await?;
            let handshake = Handshake::dialer(&dial.gate.psk, own, fingerprint, hello(), random()?)
                .map_err(|_| DialError::Handshake)?;
            open(connection, handshake).await
        };
        let outcome = tokio::select! {
            outcome = tokio::time::timeout_at(until.into(), work) => outcome,
            error = given_up(&session) => Ok(Err(error)),
        };
        match outcome {
            Ok(Ok(opened)) => Ok(link::start(opened, registration, dial.gate.id, true)),
            // Only a member believes it: whoever saw an invite's code could have written it.
            Ok(Err(error)) => match *lock(&session.facts.moved) {
                Some(today) if dial.gate.kind == Kind::Member => Err(Ended::Moved(today)),
                _ => Err(error.into()),
            },
            Err(_) => Err(why(&session).into()),
        }
    }

    /// Routes a dial, or the question before it, to those of its addresses that can be reached.
    fn register(
        &self,
        dial: &Dial,
        expected: Fingerprint,
    ) -> Result<(Arc<Session>, Registration, Vec<SocketAddr>), DialError> {
        let addrs: Vec<_> = dial.addrs.iter().copied().take(ADDRS_MAX).collect();
        let Inner {
            router, sockets, ..
        } = &*self.0;
        router.register_dial(sockets, &addrs, expected, dial.gate.kind)
    }

    /// Begins to talk with a STUN and TURN server over the shared port, or goes on with it.
    pub fn ice_server(&self, config: IceServerConfig) -> IceServer {
        self.0.servers.enter(&self.0, config)
    }

    /// Closes every link and both directions of the port.
    pub async fn close(&self) {
        self.0.router.close();
        let mut tasks = std::mem::take(&mut *lock(&self.0.tasks));
        // Links say goodbye over the sockets; when the last one is gone the port is free.
        let gone = async {
            while self.0.sockets.iter().any(|s| Arc::strong_count(s) > 2) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let _ = tokio::time::timeout(CLOSE_FOR, gone).await;
        tasks.shutdown().await;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.router.close();
    }
}

/// How a dial ended without a link.
enum Ended {
    /// The device says that it has this certificate by now.
    Moved(Fingerprint),
    Failed(DialError),
}

impl Ended {
    fn into_error(self) -> DialError {
        match self {
            Self::Moved(_) => DialError::WrongFingerprint,
            Self::Failed(error) => error,
        }
    }
}

impl From<DialError> for Ended {
    fn from(error: DialError) -> Self {
        Self::Failed(error)
    }
}

/// Resolves when a dial has lost, before its deadline.
async fn given_up(session: &Session) -> DialError {
    let facts = &session.facts;
    loop {
        if facts.superseded.load(Ordering::Relaxed) {
            return DialError::Superseded;
        }
        if facts.mistrusted.load(Ordering::Relaxed) || lock(&facts.moved).is_some() {
            return DialError::WrongFingerprint;
        }
        if facts.refused.load(Ordering::Relaxed) {
            tokio::select! {
                () = tokio::time::sleep(REFUSAL_GRACE) => {}
                () = facts.changed.notified() => continue,
            }
            if !facts.answered.load(Ordering::Relaxed) {
                return DialError::Refused;
            }
        }
        facts.changed.notified().await;
    }
}

/// Why a dial's time ran out.
fn why(session: &Session) -> DialError {
    let facts = &session.facts;
    if facts.answered.load(Ordering::Relaxed) {
        DialError::Deadline
    } else if facts.refused.load(Ordering::Relaxed) {
        DialError::Refused
    } else {
        DialError::NobodyThere
    }
}

async fn accept_all(
    mut arrivals: mpsc::Receiver<Arrival>,
    certificates: Certificates,
    incoming: mpsc::Sender<IncomingLink>,
) {
    let mut accepting = JoinSet::new();
    loop {
        tokio::select! {
            arrival = arrivals.recv() => {
                let Some(arrival) = arrival else { return };
                let named = |own: &&ListenerCertificate| own.fingerprint() == arrival.certificate;
                let certificate = lock(&certificates).iter().find(named).cloned();
                // It was replaced this very moment: the dialer knocks again.
                let Some(certificate) = certificate else { continue };
                let incoming = incoming.clone();
                accepting.spawn(async move {
                    let session = Arc::clone(&arrival.session);
                    let work = accept(arrival, &certificate, incoming);
                    match tokio::time::timeout(HALF_OPEN_FOR, work).await {
                        Ok(Ok(())) => return,
                        Ok(Err(error)) => tracing::debug!(link = session.id, %error, "not accepted"),
                        Err(_) => tracing::debug!(link = session.id, "half open for too long"),
                    }
                    session.counters.half_open_failed.one();
                });
            }
            Some(_) = accepting.join_next() => {}
        }
    }
}

async fn accept(
    mut arrival: Arrival,
    certificate: &ListenerCertificate,
    incoming: mpsc::Sender<IncomingLink>,
) -> Result<(), DialError> {
    let session = Arc::clone(&arrival.session);
    let remote = session.remote();
    if let Some(shared) = session.socket_to(&remote) {
        arrival.registration.receive_apart(shared, remote);
    }
    let own = certificate.fingerprint();
    let work = async {
        let connection = Connection::accept(&arrival, certificate).await?;
        let handshake = Handshake::listener(&arrival.psk, arrival.client, own, hello(), random()?)
            .map_err(|_| DialError::Handshake)?;
        open(connection, handshake).await
    };
    let opened = tokio::select! {
        opened = work => opened?,
        error = given_up(&session) => return Err(error),
    };
    let gate = arrival.gate;
    let link = link::start(opened, arrival.registration, gate, false);
    // Nobody to take it: the link is dropped, and so closed.
    let _ = incoming.send(IncomingLink { link, gate }).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    async fn endpoint() -> (Endpoint, Incoming) {
        let config = EndpointConfig {
            listen: vec![([127, 0, 0, 1], 0).into()],
            certificate: ListenerCertificate::generate().unwrap(),
        };
        Endpoint::bind(config).await.unwrap()
    }

    /// Dials with one certificate and announces another.
    async fn opens(announces_the_truth: bool) -> bool {
        let gate = Gate {
            id: GateId(1),
            kind: Kind::Invite,
            ice_key: [1; 32],
            psk: [2; 32],
        };
        let (host, _incoming) = endpoint().await;
        let (guest, _) = endpoint().await;
        host.set_gates(vec![gate.clone()]);
        let shown = ListenerCertificate::generate().unwrap();
        let announced = if announces_the_truth {
            shown.fingerprint()
        } else {
            Fingerprint([7; 32])
        };
        let registered = guest.0.router.register_dial(
            &guest.0.sockets,
            &host.local_addrs(),
            host.fingerprint(),
            gate.kind,
        );
        let (session, _registration, addrs) = registered.unwrap();
        let dialing = Connection::dial_as(
            session,
            &addrs,
            host.fingerprint(),
            &gate,
            &shown,
            announced,
        );
        let mut connection = dialing.await.unwrap();
        let lane = Arc::clone(&connection.ordered);
        let opened = Connection::with_awake_driver(lane, connection.opened());
        tokio::time::timeout(Duration::from_secs(2), opened).await == Ok(true)
    }

    #[tokio::test]
    async fn the_listener_holds_a_dialer_to_the_certificate_it_announced() {
        assert!(opens(true).await);
        assert!(!opens(false).await);
    }
}
