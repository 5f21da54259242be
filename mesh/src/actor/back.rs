//! The join with two scans, for where a firewall lets nothing in that was not asked for.
//!
//! ```text
//!  joiner   scans the code, dials, and nothing comes; shows a code back, and goes on dialling
//!  inviter  scans that: sends some packets to the joiner's addresses --> its own firewall expects an answer
//!  joiner   its next first packet comes through, and the join goes on as ever
//! ```

use std::{net::SocketAddr, time::Duration};

use peddlenet_crypto::{InviteKeys, is_proven_back, prove_back};
use peddlenet_wire::{
    Invite,
    back::{BackCode, BackCodeError, PROOF_LEN},
};

use super::{Actor, Reply, TWO_SCAN};
use crate::{
    clock,
    error::{Error, ErrorCode},
};

/// How long a code back may be scanned.
const LIFE: Duration = Duration::from_secs(120);
/// How long packets are sent to a joiner: it dials anew every few seconds.
const OPEN_FOR: Duration = Duration::from_secs(15);

impl Actor {
    /// What to show to whoever made a code that could not be followed.
    pub(crate) fn back_code(&self, invite: &Invite) -> Result<String, Error> {
        let addrs = self.endpoint.local_addrs();
        let port = addrs.first().map(SocketAddr::port);
        let port = port.ok_or(ErrorCode::NoNetwork)?;
        let mut code = BackCode {
            expires: clock::now().after(LIFE).unix_seconds(),
            port,
            addresses: addrs
                .iter()
                .filter(|a| a.port() == port)
                .map(SocketAddr::ip)
                .collect(),
            proof: [0; PROOF_LEN],
        };
        prove_back(&mut code, &InviteKeys::from_secret(&invite.secret).public());
        Ok(code.to_link())
    }

    /// A joiner's screen was scanned: let its packets in.
    pub(crate) fn answer_back(&mut self, text: &str, reply: Reply<()>) {
        let _ = reply.send(self.let_in(text));
    }

    fn let_in(&mut self, text: &str) -> Result<(), Error> {
        let code = BackCode::from_link(text).map_err(|e| match e {
            BackCodeError::NotOurs => ErrorCode::NotACode,
            BackCodeError::Newer(_) => ErrorCode::CodeNewer,
            _ => ErrorCode::CodeDamaged,
        })?;
        let now = clock::now();
        if code.expires <= now.unix_seconds() {
            return Err(ErrorCode::InviteExpired.into());
        }
        let mine = self.codes_to_answer(now);
        if !mine.iter().any(|invite| is_proven_back(&code, invite)) {
            return Err(ErrorCode::InviteUnknown.into());
        }
        let addrs: Vec<_> = code.endpoints().collect();
        self.expect(&addrs, TWO_SCAN, OPEN_FOR);
        self.endpoint.expect(addrs, OPEN_FOR);
        Ok(())
    }
}
