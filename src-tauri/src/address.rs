//! A web address that somebody wrote, made safe to hand to the system. Pure.
//!
//! What opens it is another program, which may read more into odd bytes than we do: so it gets what
//! `url` makes of them (a host in ASCII, a path in percent signs), and http and https only.

use url::Url;

/// The longest address that is opened (bytes).
const MAX_LEN: usize = 2048;

/// The address as it may be opened; `None` for everything else.
pub(crate) fn safe(text: &str) -> Option<Url> {
    // `url` drops line ends and tabs wherever they stand: an address has none.
    if text.len() > MAX_LEN || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let web = matches!(url.scheme(), "http" | "https");
    // `https://bank.example@evil.example/` is there to be misread.
    let plain = url.username().is_empty() && url.password().is_none();
    let fits = url.as_str().len() <= MAX_LEN && url.as_str().bytes().all(|b| b.is_ascii_graphic());
    (web && plain && fits && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_are_normalised() {
        for (text, opened) in [
            ("https://example.org", "https://example.org/"),
            (
                "HTTP://Example.ORG:80/a/../b?q=1#top",
                "http://example.org/b?q=1#top",
            ),
            (
                "https://bücher.example/ä",
                "https://xn--bcher-kva.example/%C3%A4",
            ),
            ("http:\\\\example.org\\x", "http://example.org/x"),
            (
                "https://example.org/\"%20onload='x'",
                "https://example.org/%22%20onload='x'",
            ),
            ("https://[::1]:8443/", "https://[::1]:8443/"),
            (
                "https://example.org/\u{202e}gpj.exe",
                "https://example.org/%E2%80%AEgpj.exe",
            ),
        ] {
            assert_eq!(safe(text).expect(text).as_str(), opened);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let long = format!("https://example.org/{}", "a".repeat(MAX_LEN));
        let swells = format!("https://example.org/{}", "ä".repeat(MAX_LEN / 3));
        for text in [
            "",
            "example.org",
            "//example.org",
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,<script>",
            "file:///etc/passwd",
            "ftp://example.org/",
            "peddlenet:J/AA",
            "tauri://localhost/",
            "mailto:a@example.org",
            "--help",
            "-x https://example.org",
            "https://",
            "https:///",
            "http://:80/",
            "https://bank.example@evil.example/",
            "https://a:b@evil.example/",
            "https://example.org/\0",
            "https://example.org/ --new",
            "ht\ttps://example.org/",
            " https://example.org/",
            "https://exa mple.org/",
            "https://%00/",
            "https://[::1",
            "https://example.org:99999/",
            "vbscript:x",
            "view-source:https://example.org",
            "blob:https://example.org/1",
            &long,
            &swells,
        ] {
            assert_eq!(safe(text), None, "{text:?}");
        }
    }
}
