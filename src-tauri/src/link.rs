//! A `peddlenet:` link that came from outside: an argument, a second start, a click in another program.
//!
//! Whoever can make the person click can choose these bytes, so a link is short and plain before it
//! goes anywhere. What it means is the page's to ask the person, and the node's to check.

/// The longest link (bytes); the codes that we draw have less than 200.
pub(crate) const MAX_LEN: usize = 1024;

const SCHEME: &str = "peddlenet:";

/// Text that begins like a link of ours and holds nothing but printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link(String);

impl Link {
    /// Takes a link in any case, as codes are upper case and browsers make schemes lower case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let ours = text
            .get(..SCHEME.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(SCHEME));
        let plain = text.len() <= MAX_LEN && text.bytes().all(|byte| byte.is_ascii_graphic());
        (ours && plain && text.len() > SCHEME.len()).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_taken_in_any_case() {
        for text in ["PEDDLENET:J/CBVQ", "peddlenet:J/CBVQ", "PeddleNet:j/cbvq"] {
            assert_eq!(Link::parse(text).expect(text).as_str(), text);
        }
        assert_eq!(
            Link::parse(" PEDDLENET:J/A\n").unwrap().as_str(),
            "PEDDLENET:J/A"
        );
    }

    #[test]
    fn anything_else_is_no_link() {
        let long = format!("PEDDLENET:{}", "A".repeat(MAX_LEN));
        for text in [
            "",
            "peddlenet",
            "peddlenet:",
            "peddlenet:J/A B",
            "peddlenet:J/\u{202e}A",
            "peddlenet:\0",
            "péddlenet:J/A",
            "p\u{e9}ddlenet",
            "http://peddlenet:80/",
            "--peddlenet:J/A",
            &long,
        ] {
            assert_eq!(Link::parse(text), None, "{text:?}");
        }
    }
}
