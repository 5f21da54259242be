//! The code that phones' own cameras join a Wi-Fi by.
//!
//! The format is zxing's ("Barcode contents", Wi-Fi network config), which Android and iOS read:
//! `WIFI:T:WPA;S:name;P:password;H:true;;`, with a backslash before what has a meaning.

/// A name of more bytes than this is no network's (IEEE 802.11).
const NAME_MAX: usize = 32;
/// What a WPA passphrase may have (bytes).
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=63;

/// The text of a network's code. An empty password stands for an open network. `None` when there is no
/// such network: a name that is empty or too long, a password that is too short or too long.
pub fn wifi(name: &str, password: &str, hidden: bool) -> Option<String> {
    let open = password.is_empty();
    if name.is_empty() || name.len() > NAME_MAX || !(open || PASSWORD.contains(&password.len())) {
        return None;
    }
    let kind = if open { "nopass" } else { "WPA" };
    let mut text = format!("WIFI:T:{kind};S:{};", escaped(name));
    if !open {
        text += &format!("P:{};", escaped(password));
    }
    if hidden {
        text += "H:true;";
    }
    text.push(';');
    Some(text)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | ';' | ',' | ':' | '"') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_written_as_phones_read_it() {
        let text = wifi("Ada's phone", "correct horse", false);
        assert_eq!(
            text.as_deref(),
            Some("WIFI:T:WPA;S:Ada's phone;P:correct horse;;")
        );
        assert_eq!(
            wifi("Camp", "", true).as_deref(),
            Some("WIFI:T:nopass;S:Camp;H:true;;")
        );
        assert_eq!(
            wifi(r#"a;b\c"#, "x:y,z;\"12", false).as_deref(),
            Some(r#"WIFI:T:WPA;S:a\;b\\c;P:x\:y\,z\;\"12;;"#)
        );
    }

    #[test]
    fn what_is_no_network_has_no_code() {
        assert_eq!(wifi("", "longenough", false), None);
        assert_eq!(wifi(&"n".repeat(33), "longenough", false), None);
        assert_eq!(wifi("Camp", "short", false), None);
        assert_eq!(wifi("Camp", &"p".repeat(64), false), None);
    }

    #[test]
    fn it_can_be_drawn_and_read() {
        let text = wifi("Zelt ⛺ 7", "pass;word\\1", false).expect("it is a network");
        let png = crate::png(&text, 300).expect("it fits a code");
        assert_eq!(crate::decode_image(&png).expect("it is a picture"), [text]);
    }
}
