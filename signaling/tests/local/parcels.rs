//! What members leave with a server, and how they get it back.

use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Client;

impl Client {
    /// Every parcel of a tag, page by page.
    pub(crate) async fn fetch_all(&mut self, tag: &str) -> Vec<(u64, Vec<u8>)> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let ask = json!({"type": "fetch", "tag": tag, "after": after});
            let page = self.ask(&ask).await;
            if page["code"] == "rate_limited" {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            assert_eq!(page["type"], "parcels", "{page}");
            assert_eq!(page["tag"], tag);
            for parcel in page["parcels"].as_array().unwrap() {
                after = parcel["n"].as_u64().unwrap();
                let data = parcel["data"].as_str().unwrap();
                all.push((after, BASE64.decode(data.as_bytes()).unwrap()));
            }
            if page["more"] == false {
                return all;
            }
        }
    }
}

/// What members of a room hold for one day.
pub(crate) struct DayKey(SigningKey);

impl DayKey {
    pub(crate) fn of(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    pub(crate) fn tag(&self) -> String {
        let key = self.0.verifying_key();
        let hash = Sha256::new()
            .chain_update("pn/parcels/1")
            .chain_update(key.as_bytes());
        HEXLOWER.encode(&hash.finalize()[..16])
    }

    /// A `put` that expires in so many seconds.
    pub(crate) fn put(&self, data: &[u8], ttl_s: u64) -> Value {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let expires = now.unwrap().as_secs() + ttl_s;
        let tag = HEXLOWER.decode(self.tag().as_bytes()).unwrap();
        let signed = [
            &b"pn/parcel/1"[..],
            &tag,
            &expires.to_be_bytes(),
            &Sha256::digest(data),
        ];
        let signature = self.0.sign(&signed.concat());
        json!({
            "v": 1,
            "type": "put",
            "tag": self.tag(),
            "key": BASE64.encode(self.0.verifying_key().as_bytes()),
            "expires": expires,
            "data": BASE64.encode(data),
            "signature": BASE64.encode(&signature.to_bytes()),
        })
    }
}
