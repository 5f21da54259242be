//! The address of a rendezvous server, as people write it and codes carry it.

use peddlenet_wire::limits;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio_tungstenite::tungstenite::http::Uri;

/// Without TLS, as the server listens by itself.
const PORT: u16 = 8787;
const PORT_TLS: u16 = 443;
/// Where the protocol of version 1 is spoken.
const PATH: &str = "/v1";

/// `wss://HOST[:PORT]` or `ws://HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerUrl {
    tls: bool,
    /// Of an IPv6 address without its brackets.
    host: String,
    port: u16,
}

/// A carrier box's, which is found on a network. Without TLS: a name that a certificate could be for is what it hasn't.
impl From<SocketAddr> for ServerUrl {
    fn from(addr: SocketAddr) -> Self {
        Self {
            tls: false,
            host: addr.ip().to_string(),
            port: addr.port(),
        }
    }
}

/// A text that is no server's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a server's address looks like wss://example.org or ws://192.168.1.2:8787")]
pub struct UrlError;

impl ServerUrl {
    /// Reads what a person wrote or a code carries. Without a scheme it is `wss`.
    ///
    /// # Errors
    /// Another scheme, a path of its own, a name and password, or no host.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if text.len() > limits::SERVER_MAX || text.chars().any(|c| c.is_control() || c == '@') {
            return Err(UrlError);
        }
        let whole = match text.contains("://") {
            true => text.to_owned(),
            false => format!("wss://{text}"),
        };
        let uri: Uri = whole.parse().map_err(|_| UrlError)?;
        let tls = match uri.scheme_str() {
            Some("wss") => true,
            Some("ws") => false,
            _ => return Err(UrlError),
        };
        let bare = matches!(uri.path(), "" | "/" | PATH) && uri.query().is_none();
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if !bare || host.is_empty() {
            return Err(UrlError);
        }
        let default = if tls { PORT_TLS } else { PORT };
        Ok(Self {
            tls,
            host: host.to_ascii_lowercase(),
            port: uri.port_u16().unwrap_or(default),
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn is_tls(&self) -> bool {
        self.tls
    }

    /// The form to show and to put into a code: no longer than it must be.
    pub fn short(&self) -> String {
        let (scheme, default) = match self.tls {
            true => ("wss", PORT_TLS),
            false => ("ws", PORT),
        };
        match self.port == default {
            true => format!("{scheme}://{}", self.authority_host()),
            false => format!("{scheme}://{}:{}", self.authority_host(), self.port),
        }
    }

    fn authority_host(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        }
    }
}

/// The whole address, with the path.
impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "wss" } else { "ws" };
        let (host, port) = (self.authority_host(), self.port);
        write!(f, "{scheme}://{host}:{port}{PATH}")
    }
}

/// Whom to believe: the roots that browsers ship, the same on every system.
pub(super) fn tls_config() -> Result<Arc<rustls::ClientConfig>, String> {
    static CONFIG: OnceLock<Arc<rustls::ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (text, whole, short) in [
            (
                "example.org",
                "wss://example.org:443/v1",
                "wss://example.org",
            ),
            (
                "wss://Example.org/v1",
                "wss://example.org:443/v1",
                "wss://example.org",
            ),
            ("ws://10.0.0.1", "ws://10.0.0.1:8787/v1", "ws://10.0.0.1"),
            (
                "ws://10.0.0.1:9000/",
                "ws://10.0.0.1:9000/v1",
                "ws://10.0.0.1:9000",
            ),
            (
                "ws://[2001:db8::1]:9",
                "ws://[2001:db8::1]:9/v1",
                "ws://[2001:db8::1]:9",
            ),
        ] {
            let url = ServerUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), whole);
            assert_eq!(url.short(), short);
            assert_eq!(ServerUrl::parse(&url.short()), Ok(url));
        }
    }

    #[test]
    fn other_texts_are_no_address() {
        let long = format!("wss://{}.org", "x".repeat(200));
        for text in [
            "",
            "https://example.org",
            "wss://",
            "wss://name:word@example.org",
            "wss://example.org/other",
            "wss://example.org?q=1",
            "ws://a b",
            "file:///etc/passwd",
            &long,
        ] {
            assert_eq!(ServerUrl::parse(text), Err(UrlError), "{text}");
        }
    }

    #[test]
    fn there_are_roots_to_believe() {
        assert!(tls_config().is_ok());
    }
}
