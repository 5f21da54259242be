//! DTLS certificates: one per dial, one per listener.
//!
//! DTLS 1.2 shows certificates in clear, so a dialer's is new for each dial, and a listener's
//! lives only as long as an invite or a whereabouts record names its fingerprint. `mesh` decides
//! how long that is: it stores the bytes and hands them back after a restart.

use crate::PeerError;
use peddlenet_wire::Fingerprint;
use rtc::crypto::{RTCCryptoProvider, SignatureScheme};
use rtc::peer_connection::certificate::{CertificateParams, RTCCertificate};
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// An ECDSA P-256 certificate with its key.
#[derive(Clone)]
pub struct ListenerCertificate {
    inner: RTCCertificate,
    fingerprint: Fingerprint,
}

impl ListenerCertificate {
    /// A new certificate with a name that says nothing.
    pub fn generate() -> Result<Self, PeerError> {
        let provider = provider()?;
        let params = CertificateParams::new(vec!["webrtc".to_owned()]).map_err(unusable)?;
        let inner =
            RTCCertificate::generate(provider.crypto(), SignatureScheme::EcdsaP256Sha256, params)
                .map_err(unusable)?;
        Self::wrap(inner)
    }

    /// The certificate and its private key, to be sealed and stored.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, PeerError> {
        let pem = self.inner.serialize_pem().map_err(unusable)?;
        Ok(Zeroizing::new(pem.into_bytes()))
    }

    /// Reads back what [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PeerError> {
        let pem = std::str::from_utf8(bytes).map_err(unusable)?;
        let inner = RTCCertificate::from_pem(pem, provider()?.crypto()).map_err(unusable)?;
        Self::wrap(inner)
    }

    /// What dialers must expect.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(crate) fn rtc(&self) -> RTCCertificate {
        self.inner.clone()
    }

    fn wrap(inner: RTCCertificate) -> Result<Self, PeerError> {
        let der = inner
            .dtls_certificate
            .certificate
            .first()
            .ok_or_else(|| PeerError::Certificate("no certificate in it".to_owned()))?;
        let fingerprint = Fingerprint(Sha256::digest(der.as_ref()).into());
        Ok(Self { inner, fingerprint })
    }
}

impl fmt::Debug for ListenerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListenerCertificate({:?})", self.fingerprint)
    }
}

fn provider() -> Result<Arc<dyn RTCCryptoProvider>, PeerError> {
    rtc::crypto::default_provider().map_err(unusable)
}

fn unusable(error: impl fmt::Display) -> PeerError {
    PeerError::Certificate(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_certificate_keeps_its_fingerprint() {
        let made = ListenerCertificate::generate().unwrap();
        let read = ListenerCertificate::from_bytes(&made.to_bytes().unwrap()).unwrap();
        assert_eq!(made.fingerprint(), read.fingerprint());
        assert_ne!(
            made.fingerprint(),
            ListenerCertificate::generate().unwrap().fingerprint()
        );
    }

    #[test]
    fn garbage_is_an_error() {
        assert!(ListenerCertificate::from_bytes(b"-----BEGIN NOTHING-----").is_err());
        assert!(ListenerCertificate::from_bytes(&[0xff; 64]).is_err());
    }
}
