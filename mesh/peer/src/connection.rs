//! One WebRTC connection over a session: the recipe of "one scan, no server", and the
//! work-arounds that `webrtc` 0.21.1 needs.

use crate::approach::Approach;
use crate::certificate::ListenerCertificate;
use crate::router::Arrival;
use crate::runtime::SessionRuntime;
use crate::sdp::{self, Described};
use crate::session::Session;
use crate::{DialError, Fingerprint, Gate, PeerError};
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::configuration::setting_engine::SctpMaxMessageSize;
use rtc::peer_connection::transport::RTCDtlsRole;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceGatheringState, RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCSessionDescription,
    SettingEngineBuilder,
};

/// ICE checks while dialing; the default of 200 ms makes a join 30 times slower.
const CHECK_INTERVAL: Duration = Duration::from_millis(15);
/// Checks per address: more than any deadline lasts.
const CHECKS_MAX: u16 = 2000;
/// Zero switches off: ICE's questions for consent, and its own ideas of when a link is dead. Keep-alives of ours ask
/// more often, under the link's keys, and notice a loss long before; deadlines end what never opens.
const ICE_KEEPALIVE: Duration = Duration::ZERO;
const ICE_DISCONNECTED: Duration = Duration::ZERO;
const ICE_FAILED: Duration = Duration::ZERO;
/// Bytes a lane may have handed to SCTP and not yet acknowledged: twice the other side's window.
const SEND_LIMIT: usize = 2 * RECV_WINDOW as usize;
/// SCTP packet size: with DTLS, UDP and IP it stays below an Ethernet frame.
const SCTP_MTU: u32 = 1400;
/// SCTP's receive window. It counts payload, and a byte sent as a chunk of its own takes a hundred
/// in memory: a window of 1 MiB let one hostile peer fill 100 MiB with fragments of nothing.
const RECV_WINDOW: u32 = 256 << 10;
/// How often the driver is woken while a link opens.
const NUDGE: Duration = Duration::from_millis(2);

/// A connection that closes itself when dropped.
pub(crate) struct Connection {
    pc: Option<Arc<dyn PeerConnection>>,
    /// Ordered, reliable.
    pub(crate) ordered: Arc<dyn DataChannel>,
    /// Unordered, reliable.
    pub(crate) bulk: Arc<dyn DataChannel>,
    /// Unordered, never repeated.
    pub(crate) quick: Arc<dyn DataChannel>,
    pub(crate) state: watch::Receiver<RTCPeerConnectionState>,
    pub(crate) session: Arc<Session>,
}

impl Connection {
    /// The dialer's side: checks are on their way when this returns.
    pub(crate) async fn dial(
        session: Arc<Session>,
        addrs: &[SocketAddr],
        listener: Fingerprint,
        gate: &Gate,
    ) -> Result<(Self, Fingerprint), DialError> {
        // DTLS 1.2 shows it in clear, so none is used twice.
        let certificate = ListenerCertificate::generate()?;
        let own = certificate.fingerprint();
        let connection = Self::dial_as(session, addrs, listener, gate, &certificate, own).await?;
        Ok((connection, own))
    }

    /// Shows `certificate` in DTLS and announces `own` as its hash. (A test lets the two differ.)
    pub(crate) async fn dial_as(
        session: Arc<Session>,
        addrs: &[SocketAddr],
        listener: Fingerprint,
        gate: &Gate,
        certificate: &ListenerCertificate,
        own: Fingerprint,
    ) -> Result<Self, DialError> {
        let approach = Approach::new(gate, own, listener)?;
        approach.arm(&session);
        let Approach {
            s_ufrag,
            s_pwd,
            c_ufrag,
            c_pwd,
            ..
        } = approach;
        let settings = settings().with_ice_credentials(text(&c_ufrag), text(&c_pwd));
        let connection = Self::build(session, settings, certificate).await?;
        let described = Described {
            ufrag: &text(&s_ufrag),
            pwd: &text(&s_pwd),
            fingerprint: listener,
        };
        let pc = connection.pc()?;
        let offer = pc.create_offer(None).await.map_err(webrtc)?;
        pc.set_local_description(offer).await.map_err(webrtc)?;
        let answer = RTCSessionDescription::answer(sdp::answer(&described, addrs));
        pc.set_remote_description(answer.map_err(webrtc)?)
            .await
            .map_err(webrtc)?;
        Ok(connection)
    }

    /// The listener's side: the dialer's first packet waits in the session already.
    pub(crate) async fn accept(
        arrival: &Arrival,
        certificate: &ListenerCertificate,
    ) -> Result<Self, PeerError> {
        let settings = settings()
            .with_lite(true)
            .with_answering_dtls_role(RTCDtlsRole::Server)
            .with_ice_credentials(arrival.s_ufrag.clone(), arrival.s_pwd.clone());
        let session = Arc::clone(&arrival.session);
        let connection = Self::build(session, settings, certificate).await?;
        let described = Described {
            ufrag: &arrival.c_ufrag,
            pwd: &arrival.c_pwd,
            fingerprint: arrival.client,
        };
        let pc = connection.pc()?;
        let offer = RTCSessionDescription::offer(sdp::offer(&described)).map_err(webrtc)?;
        pc.set_remote_description(offer).await.map_err(webrtc)?;
        let answer = pc.create_answer(None).await.map_err(webrtc)?;
        pc.set_local_description(answer).await.map_err(webrtc)?;
        Ok(connection)
    }

    /// On a task of its own: a dial that is given up in the middle would leave a driver that runs for ever,
    /// and holds the port.
    async fn build(
        session: Arc<Session>,
        settings: SettingEngineBuilder,
        certificate: &ListenerCertificate,
    ) -> Result<Self, PeerError> {
        let building = Self::build_whole(session, settings, certificate.clone());
        let built = tokio::spawn(building).await;
        built.unwrap_or_else(|e| Err(PeerError::Webrtc(e.to_string())))
    }

    async fn build_whole(
        session: Arc<Session>,
        settings: SettingEngineBuilder,
        certificate: ListenerCertificate,
    ) -> Result<Self, PeerError> {
        let (state_tx, state) = watch::channel(RTCPeerConnectionState::New);
        let configuration = RTCConfigurationBuilder::new()
            .with_certificates(vec![certificate.rtc()])
            .build();
        let pc = PeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_setting_engine(settings.build())
            .with_runtime(Arc::new(SessionRuntime(Arc::clone(&session))))
            .with_handler(Arc::new(Watcher {
                state: state_tx,
                session: Arc::clone(&session),
            }))
            .with_udp_addrs(session.throwaways())
            .with_data_channel_send_buffer_limit(SEND_LIMIT)
            .build()
            .await
            .map_err(webrtc)?;
        let pc: Arc<dyn PeerConnection> = Arc::new(pc);
        // From here on a failure must close the connection, or its driver runs for ever.
        match lanes(&pc).await {
            Ok([ordered, bulk, quick]) => Ok(Self {
                pc: Some(pc),
                ordered,
                bulk,
                quick,
                state,
                session,
            }),
            Err(error) => {
                let _ = pc.close().await;
                Err(webrtc(error))
            }
        }
    }

    /// Waits until all lanes are open. `false` when the connection fails first.
    pub(crate) async fn opened(&mut self) -> bool {
        let lanes = [&self.ordered, &self.bulk, &self.quick];
        let mut state = self.state.clone();
        let opening = async {
            for lane in lanes {
                loop {
                    match lane.poll().await {
                        Some(DataChannelEvent::OnOpen) => break,
                        Some(DataChannelEvent::OnClose) | None => return false,
                        Some(_) => {}
                    }
                }
            }
            true
        };
        tokio::select! {
            opened = opening => opened,
            () = failed(&mut state) => false,
        }
    }

    /// Runs `work` while waking the driver, every 2 ms at first.
    ///
    /// Work-around for webrtc 0.21.1: its driver flushes output only at the top of its loop, so
    /// what DTLS and SCTP produce while events are handled (the SCTP INIT, for one) sits there
    /// until the next timer, up to 190 ms. Setting a threshold that nobody reads is the cheapest
    /// call that ends its sleep. To be dropped when upstream flushes before it sleeps.
    pub(crate) async fn with_awake_driver<T>(
        lane: Arc<dyn DataChannel>,
        work: impl Future<Output = T>,
    ) -> T {
        let started = Instant::now();
        tokio::pin!(work);
        loop {
            // When it takes long the machine is busy: then nudging would only add to it.
            let pause = NUDGE.max(started.elapsed() / 20);
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(pause) => {
                    let _ = lane.set_buffered_amount_low_threshold(0).await;
                }
            }
        }
    }

    /// The three lanes: ordered, bulk, quick.
    pub(crate) fn lanes(&self) -> [Arc<dyn DataChannel>; 3] {
        [&self.ordered, &self.bulk, &self.quick].map(Arc::clone)
    }

    /// Ends the connection and frees its driver.
    pub(crate) async fn close(mut self) {
        if let Some(pc) = self.pc.take() {
            let _ = pc.close().await;
        }
    }

    fn pc(&self) -> Result<&Arc<dyn PeerConnection>, PeerError> {
        let closed = || PeerError::Webrtc("closed".to_owned());
        self.pc.as_ref().ok_or_else(closed)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A connection that is merely dropped leaves its driver running.
        if let Some(pc) = self.pc.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                let _ = pc.close().await;
            });
        }
    }
}

/// Returns when the connection has failed for good.
pub(crate) async fn failed(state: &mut watch::Receiver<RTCPeerConnectionState>) {
    use RTCPeerConnectionState::{Closed, Failed};
    let _ = state
        .wait_for(|state| matches!(state, Failed | Closed))
        .await;
}

/// The three lanes, with ids both sides know: no DCEP round trip.
async fn lanes(pc: &Arc<dyn PeerConnection>) -> webrtc::error::Result<[Arc<dyn DataChannel>; 3]> {
    let lane = |id, ordered, max_retransmits| RTCDataChannelInit {
        ordered,
        max_retransmits,
        negotiated: Some(id),
        ..RTCDataChannelInit::default()
    };
    let ordered = pc.create_data_channel("ordered", Some(lane(0, true, None)));
    let ordered = ordered.await?;
    let bulk = pc.create_data_channel("bulk", Some(lane(1, false, None)));
    let bulk = bulk.await?;
    let quick = pc.create_data_channel("quick", Some(lane(2, false, Some(0))));
    let quick = quick.await?;
    Ok([ordered, bulk, quick])
}

fn settings() -> SettingEngineBuilder {
    SettingEngineBuilder::new()
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS_MAX))
        .with_ice_timeouts(
            Some(ICE_DISCONNECTED),
            Some(ICE_FAILED),
            Some(ICE_KEEPALIVE),
        )
        .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(sdp::MAX_MESSAGE))
        .with_sctp_max_receive_buffer_size(RECV_WINDOW)
        .with_sctp_mtu(SCTP_MTU)
}

struct Watcher {
    state: watch::Sender<RTCPeerConnectionState>,
    session: Arc<Session>,
}

// Runs on the driver's task: it must not wait for anything.
#[async_trait::async_trait]
impl PeerConnectionEventHandler for Watcher {
    async fn on_ice_candidate(&self, _: RTCPeerConnectionIceEvent) {
        self.session.release();
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.session.release();
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        tracing::trace!(?state, "connection");
        self.state.send_replace(state);
    }
}

/// ICE strings are ASCII by construction.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands errors over")]
fn webrtc(error: webrtc::error::Error) -> PeerError {
    PeerError::Webrtc(error.to_string())
}
