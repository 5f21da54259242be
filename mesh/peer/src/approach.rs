//! What a dialer shows of itself before there is a connection: fragments, passwords, and a first packet.

use crate::gate::{self, C_PWD_LEN, HINT_LEN, S_PWD_LEN, ServerUfrag};
use crate::session::Session;
use crate::stun::TransactionId;
use crate::{Fingerprint, Gate, PeerError};
use data_encoding::BASE64_NOPAD;

/// The credentials of one dial; see [`gate`].
pub(crate) struct Approach {
    pub(crate) s_ufrag: ServerUfrag,
    pub(crate) s_pwd: [u8; S_PWD_LEN],
    pub(crate) c_ufrag: [u8; HINT_LEN],
    pub(crate) c_pwd: [u8; C_PWD_LEN],
    transaction: TransactionId,
}

impl Approach {
    /// Somebody with the certificate `own` approaches whoever has `listener`.
    pub(crate) fn new(
        gate: &Gate,
        own: Fingerprint,
        listener: Fingerprint,
    ) -> Result<Self, PeerError> {
        let mut c_pwd = [0; C_PWD_LEN];
        BASE64_NOPAD.encode_mut(&random::<18>()?, &mut c_pwd);
        let s_ufrag = gate::server_ufrag(gate.kind, own, &c_pwd);
        Ok(Self {
            s_pwd: gate::server_pwd(&gate.ice_key, &s_ufrag),
            c_ufrag: gate::certificate_hint(&gate.ice_key, &s_ufrag, listener),
            s_ufrag,
            c_pwd,
            transaction: random()?,
        })
    }

    /// Somebody who only asks for a certificate. What it names as its own is no certificate's hash.
    pub(crate) fn question(gate: &Gate) -> Result<Self, PeerError> {
        Self::new(gate, Fingerprint(random()?), gate::ASKED)
    }

    /// Gives a session its check.
    pub(crate) fn arm(&self, session: &Session) {
        let username = [&self.s_ufrag[..], b":", &self.c_ufrag].concat();
        session.arm_check(self.transaction, &username, self.s_pwd);
    }
}

/// Fresh random bytes of the system's.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], PeerError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| PeerError::Randomness)?;
    Ok(bytes)
}
