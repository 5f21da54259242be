//! The link handshake, until `crypto::handshake` has it: Noise `XXpsk0` bound to DTLS.
//!
//! ```text
//! dialer                              listener        (psk = the gate's)
//!   e                       ->
//!                           <-        e, ee, s, es  { offer }
//!   s, se { offer }         ->
//! ```

use crate::Fingerprint;
use snow::{Builder, HandshakeState};

const PATTERN: &str = "Noise_XXpsk0_25519_ChaChaPoly_SHA256";
const PROLOGUE: &[u8] = b"pn/link/1";
/// Longest handshake message we make or read.
pub(crate) const MESSAGE_MAX: usize = 512;
/// Protocol versions we speak.
const VERSIONS: (u8, u8) = (1, 1);
const FEATURES: u32 = 0;

/// The handshake failed: another secret, a changed message, or no version in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

/// One side of the handshake.
pub(crate) struct Handshake {
    noise: HandshakeState,
    dialer: bool,
    agreed: bool,
}

impl Handshake {
    pub(crate) fn new(
        dialer: bool,
        psk: &[u8; 32],
        dialer_certificate: Fingerprint,
        listener_certificate: Fingerprint,
    ) -> Result<Self, Failed> {
        let mut prologue = PROLOGUE.to_vec();
        prologue.extend(dialer_certificate.0);
        prologue.extend(listener_certificate.0);
        let build = || -> Result<HandshakeState, snow::Error> {
            let builder = Builder::new(PATTERN.parse()?);
            // A new static key per link: who somebody is, authors prove later.
            let keys = builder.generate_keypair()?;
            let builder = builder
                .local_private_key(&keys.private)?
                .prologue(&prologue)?
                .psk(0, psk)?;
            if dialer {
                builder.build_initiator()
            } else {
                builder.build_responder()
            }
        };
        Ok(Self {
            noise: build().map_err(|_| Failed)?,
            dialer,
            agreed: false,
        })
    }

    /// Whether it is our turn to write.
    pub(crate) fn writes(&self) -> bool {
        !self.noise.is_handshake_finished() && self.noise.is_my_turn()
    }

    pub(crate) fn write(&mut self) -> Result<Vec<u8>, Failed> {
        let mut offer = Vec::new();
        // The first message goes out before the other side has shown that it knows the psk.
        if !self.dialer || self.noise.get_remote_static().is_some() {
            offer.extend([VERSIONS.0, VERSIONS.1]);
            offer.extend(FEATURES.to_be_bytes());
        }
        let mut out = vec![0; MESSAGE_MAX];
        let len = self
            .noise
            .write_message(&offer, &mut out)
            .map_err(|_| Failed)?;
        out.truncate(len);
        Ok(out)
    }

    pub(crate) fn read(&mut self, message: &[u8]) -> Result<(), Failed> {
        if message.len() > MESSAGE_MAX {
            return Err(Failed);
        }
        let mut payload = vec![0; MESSAGE_MAX];
        let len = self
            .noise
            .read_message(message, &mut payload)
            .map_err(|_| Failed)?;
        payload.truncate(len);
        if let Some(&[low, high, ..]) = payload.first_chunk::<6>() {
            let overlap = low <= VERSIONS.1 && high >= VERSIONS.0;
            self.agreed = overlap;
            return if overlap { Ok(()) } else { Err(Failed) };
        }
        Ok(())
    }

    /// The hash that binds everything later to this very link, once it is done.
    pub(crate) fn finished(&self) -> Option<[u8; 32]> {
        if !self.noise.is_handshake_finished() || !self.agreed {
            return None;
        }
        self.noise.get_handshake_hash().try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(psks: [u8; 2], certificates: [u8; 2]) -> Result<([u8; 32], [u8; 32]), Failed> {
        let [one, two] = certificates.map(|byte| Fingerprint([byte; 32]));
        let mut dialer = Handshake::new(true, &[psks[0]; 32], Fingerprint([1; 32]), one)?;
        let mut listener = Handshake::new(false, &[psks[1]; 32], Fingerprint([1; 32]), two)?;
        listener.read(&dialer.write()?)?;
        dialer.read(&listener.write()?)?;
        listener.read(&dialer.write()?)?;
        Ok((
            dialer.finished().ok_or(Failed)?,
            listener.finished().ok_or(Failed)?,
        ))
    }

    #[test]
    fn both_sides_reach_the_same_hash() {
        let (dialer, listener) = run([7, 7], [2, 2]).unwrap();
        assert_eq!(dialer, listener);
        assert_ne!(dialer, run([7, 7], [2, 2]).unwrap().0);
    }

    #[test]
    fn another_psk_or_another_certificate_fails() {
        assert!(run([7, 8], [2, 2]).is_err());
        assert!(run([7, 7], [2, 3]).is_err());
    }
}
