//! What whoever holds a carry pass shows to the box.

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signer, SigningKey};
use hkdf::Hkdf;
use peddlenet_wire::pass::{Certificate, Pass};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Counted from 1970 (UTC).
pub(crate) fn today() -> u32 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u32::try_from(now.unwrap().as_secs() / 86_400).unwrap()
}

/// One day of a pass.
pub(crate) struct DayPass {
    certificate: Certificate,
    key: SigningKey,
}

impl DayPass {
    /// The one of that day; of its first day's certificate, where the pass is for others.
    pub(crate) fn of(pass: &Pass, day: u32) -> Self {
        let at = day.saturating_sub(pass.first_day);
        let mut seed = [0; 32];
        let info = [&b"pn/pass/1"[..], &day.to_be_bytes()].concat();
        let hkdf = Hkdf::<Sha256>::new(None, &pass.seed.0);
        hkdf.expand(&info, &mut seed).unwrap();
        let key = SigningKey::from_bytes(&seed);
        let certificate = Certificate {
            day,
            public: key.verifying_key().to_bytes(),
            space_kib: pass.space_kib,
            signature: pass.signatures[usize::try_from(at).unwrap()],
        };
        Self { certificate, key }
    }

    /// A put as it is, with this pass.
    pub(crate) fn with(&self, put: &Value) -> Value {
        let text = |field: &str| put[field].as_str().unwrap().as_bytes();
        let tag = HEXLOWER.decode(text("tag")).unwrap();
        let data = BASE64.decode(text("data")).unwrap();
        let message = [&b"pn/pass-put/1"[..], &tag, &Sha256::digest(&data)].concat();
        let signature = self.key.sign(&message).to_bytes();
        let shown = [&self.certificate.to_bytes()[..], &signature].concat();
        let mut put = put.clone();
        put["pass"] = json!(BASE64.encode(&shown));
        put
    }
}
