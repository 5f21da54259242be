//! What a device that asks is told about ways through NATs.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::credentials::{REALM, TurnSecret, mint};
use super::desk::unix_now;
use super::relayed::Place;
use crate::TurnLimits;
use crate::frames::Ice;

pub(crate) struct Offer {
    /// HOST:PORT, where there is something.
    stun: Option<String>,
    turn: Option<(String, TurnSecret)>,
    ttl: Duration,
}

impl Offer {
    /// No UDP here.
    pub(crate) fn nothing(limits: &TurnLimits) -> Self {
        Self {
            stun: None,
            turn: None,
            ttl: limits.credential_ttl,
        }
    }

    pub(super) fn new(
        local: SocketAddr,
        host: Option<String>,
        places: &[Place],
        secret: TurnSecret,
        limits: &TurnLimits,
    ) -> Self {
        let host = host.unwrap_or_else(|| host_of(local.ip(), places));
        let server = format!("{host}:{}", local.port());
        Self {
            stun: Some(server.clone()),
            turn: (!places.is_empty()).then_some((server, secret)),
            ttl: limits.credential_ttl,
        }
    }

    /// An answer of its own for everyone who asks.
    pub(crate) fn ice(&self) -> Ice {
        let mut ice = Ice {
            stun: self.stun.clone(),
            turn: None,
            username: None,
            credential: None,
            realm: None,
            backup: false,
            ttl_s: self.ttl.as_secs(),
        };
        let mut random = [0; 8];
        if let Some((server, secret)) = &self.turn
            && getrandom::fill(&mut random).is_ok()
        {
            let minted = mint(secret, unix_now(), self.ttl, random);
            ice.turn = Some(server.clone());
            ice.username = Some(minted.username);
            ice.credential = Some(minted.credential);
            ice.realm = Some(REALM);
        }
        ice
    }
}

/// Empty when every address of this machine listens: then the host that the device's WebSocket goes to is right, and its name
/// works also where devices have IPv6 only and translate names. A specific one is named, as it is known outside.
fn host_of(listen: IpAddr, places: &[Place]) -> String {
    if listen.is_unspecified() {
        return String::new();
    }
    let outside = places
        .iter()
        .map(|place| place.public)
        .find(|public| public.is_ipv4() == listen.is_ipv4());
    match outside.unwrap_or(listen) {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(listen: &str, host: Option<&str>, public: Option<&str>) -> Ice {
        let listen: SocketAddr = listen.parse().unwrap();
        let place = |public: &str| Place {
            bind: listen.ip(),
            public: public.parse().unwrap(),
            ports: 1..=2,
        };
        let places: Vec<Place> = public.map(place).into_iter().collect();
        let limits = TurnLimits::default();
        let secret = TurnSecret::new(b"secret");
        Offer::new(listen, host.map(str::to_owned), &places, secret, &limits).ice()
    }

    #[test]
    fn the_host_is_named_where_the_websocket_does_not_tell_it() {
        let stun = |listen, host, public| offer(listen, host, public).stun.unwrap();
        assert_eq!(stun("0.0.0.0:3478", None, None), ":3478");
        assert_eq!(stun("0.0.0.0:3478", None, Some("9.9.9.9")), ":3478");
        assert_eq!(stun("10.0.0.5:3478", None, Some("9.9.9.9")), "9.9.9.9:3478");
        assert_eq!(stun("[2600::1]:7", None, None), "[2600::1]:7");
        assert_eq!(
            stun("0.0.0.0:3478", Some("turn.example"), None),
            "turn.example:3478"
        );
    }

    #[test]
    fn only_what_there_is_is_offered_and_credentials_differ() {
        let without = offer("0.0.0.0:3478", None, None);
        assert!(without.turn.is_none() && without.username.is_none() && without.realm.is_none());
        let [a, b] = [(); 2].map(|()| offer("9.9.9.9:3478", None, Some("9.9.9.9")));
        assert_eq!(a.turn.as_deref(), Some("9.9.9.9:3478"));
        assert_eq!((a.realm, a.ttl_s), (Some("peddlenet"), 3600));
        assert_ne!((a.username, a.credential), (b.username, b.credential));
        let nothing = Offer::nothing(&TurnLimits::default()).ice();
        assert!(nothing.stun.is_none() && nothing.turn.is_none());
    }
}
