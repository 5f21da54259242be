//! The link handshake, over the ordered lane of a connection that has opened.

use crate::DialError;
use crate::connection::Connection;
use crate::link::Opened;
use peddlenet_crypto::{Established, Handshake, Hello, Step};
use std::ops::RangeInclusive;
use std::sync::Arc;
use webrtc::data_channel::DataChannelEvent;

/// Versions of the link protocol that we speak.
const VERSIONS: RangeInclusive<u8> = 1..=1;
/// Optional abilities; none yet.
const FEATURES: u64 = 0;
/// What we say of ourselves in the handshake.
pub(super) fn hello() -> Hello {
    Hello {
        versions: VERSIONS,
        features: FEATURES,
    }
}

/// Waits for the lanes, then runs the handshake over the ordered one.
pub(super) async fn open(
    mut connection: Connection,
    mut handshake: Handshake,
) -> Result<Opened, DialError> {
    let lane = Arc::clone(&connection.ordered);
    let established = Connection::with_awake_driver(lane, async {
        if !connection.opened().await {
            return Err(DialError::Closed);
        }
        shake(&connection, &mut handshake).await
    })
    .await?;
    let cipher = handshake.datagram_cipher();
    Ok(Opened {
        connection,
        established,
        cipher: cipher.map_err(|_| DialError::Handshake)?,
    })
}

async fn shake(
    connection: &Connection,
    handshake: &mut Handshake,
) -> Result<Established, DialError> {
    let lane = &connection.ordered;
    let send = async |message: Vec<u8>| {
        let sent = lane.send(message.as_slice().into()).await;
        sent.map_err(|_| DialError::Closed)
    };
    let mut step = handshake.step(None);
    loop {
        match step.map_err(|_| DialError::Handshake)? {
            Step::Send(message) => send(message).await?,
            Step::SendAndDone(message, established) => {
                send(message).await?;
                return Ok(established);
            }
            Step::Done(established) => return Ok(established),
            Step::Wait => {}
        }
        let message = loop {
            match lane.poll().await {
                Some(DataChannelEvent::OnMessage(message)) => break message.data,
                Some(DataChannelEvent::OnClose) | None => return Err(DialError::Closed),
                Some(_) => {}
            }
        };
        step = handshake.step(Some(&message));
    }
}
