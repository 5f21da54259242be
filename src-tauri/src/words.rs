//! What the shell itself says on the desktop, in the page's languages: notifications and the tray's menu.
//!
//! The page's own words stand in `ui/strings`; these are few, and must be there when there is no page. A language
//! is a [`Words`], which has every entry or doesn't compile.

/// The language of what is said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// The code of the setting `language`.
    code: &'static str,
    pub(crate) show: &'static str,
    pub(crate) hide: &'static str,
    pub(crate) mute: &'static str,
    pub(crate) quit: &'static str,
    /// What is done with a notification.
    pub(crate) open: &'static str,
    /// Why the screen stays on.
    pub(crate) code_shown: &'static str,
    pub(crate) messages: Counted,
    pub(crate) private_messages: Counted,
}

/// What is counted, in the plural forms that the languages have (CLDR); `{n}` stands for the number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    one: &'static str,
    two: &'static str,
    /// 3 to 10 of every hundred.
    few: &'static str,
    /// 11 to 99 of every hundred.
    many: &'static str,
    other: &'static str,
}

const ENGLISH: Words = Words {
    code: "en",
    show: "Show PeddleNet",
    hide: "Hide",
    mute: "Mute notifications",
    quit: "Quit",
    open: "Open",
    code_shown: "A code is shown",
    messages: Counted::alike("1 new message", "{n} new messages"),
    private_messages: Counted::alike("1 private message", "{n} private messages"),
};

const ARABIC: Words = Words {
    code: "ar",
    show: "إظهار PeddleNet",
    hide: "إخفاء",
    mute: "كتم الإشعارات",
    quit: "إنهاء",
    open: "فتح",
    code_shown: "رمز معروض على الشاشة",
    messages: Counted {
        one: "رسالة جديدة واحدة",
        two: "رسالتان جديدتان",
        few: "{n} رسائل جديدة",
        many: "{n} رسالة جديدة",
        other: "{n} رسالة جديدة",
    },
    private_messages: Counted {
        one: "رسالة خاصة واحدة",
        two: "رسالتان خاصتان",
        few: "{n} رسائل خاصة",
        many: "{n} رسالة خاصة",
        other: "{n} رسالة خاصة",
    },
};

/// The first is spoken where none is known.
static LANGUAGES: [Words; 2] = [ENGLISH, ARABIC];

impl Words {
    /// What the setting `language` asks for; an empty one leaves it to the system.
    pub(crate) fn of(setting: &str) -> &'static Self {
        Self::known(setting).unwrap_or_else(Self::of_system)
    }

    /// As the environment says it, which Windows and macOS don't: there the setting alone decides.
    pub(crate) fn of_system() -> &'static Self {
        let wanted = ["LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        Self::of_locales(&wanted.unwrap_or_default())
    }

    /// `ar_EG.UTF-8`, or several with colons between, the dearest first.
    fn of_locales(locales: &str) -> &'static Self {
        let mut codes = locales
            .split(':')
            .map(|locale| locale.split(['_', '.', '@', '-']).next().unwrap_or(locale));
        codes.find_map(Self::known).unwrap_or(&LANGUAGES[0])
    }

    fn known(code: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|words| words.code == code)
    }
}

impl Counted {
    /// For a language that knows one and many.
    const fn alike(one: &'static str, many: &'static str) -> Self {
        Self {
            one,
            two: many,
            few: many,
            many,
            other: many,
        }
    }

    pub(crate) fn say(&self, n: u64) -> String {
        let form = match (n, n % 100) {
            (1, _) => self.one,
            (2, _) => self.two,
            (_, 3..=10) => self.few,
            (_, 11..=99) => self.many,
            _ => self.other,
        };
        form.replace("{n}", &n.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(words: &Words) -> [&'static str; 16] {
        let Counted {
            one,
            two,
            few,
            many,
            other,
        } = words.messages;
        let private = &words.private_messages;
        [
            words.show,
            words.hide,
            words.mute,
            words.quit,
            words.open,
            words.code_shown,
            one,
            two,
            few,
            many,
            other,
            private.one,
            private.two,
            private.few,
            private.many,
            private.other,
        ]
    }

    #[test]
    fn every_language_has_every_entry_in_its_own_words() {
        let [english, others @ ..] = &LANGUAGES;
        for words in others {
            for (own, in_english) in entries(words).into_iter().zip(entries(english)) {
                assert!(!own.trim().is_empty());
                assert_ne!(own, in_english, "{}", words.code);
            }
        }
    }

    #[test]
    fn the_page_has_the_same_languages() {
        let page = include_str!("../../ui/strings/index.js");
        for words in &LANGUAGES {
            assert!(page.contains(&format!("code: '{}'", words.code)));
        }
        assert_eq!(page.matches("{ code: '").count(), LANGUAGES.len());
    }

    #[test]
    fn what_is_counted_stands_in_the_form_of_its_number() {
        for (n, said) in [(1, "1 new message"), (2, "2 new messages")] {
            assert_eq!(ENGLISH.messages.say(n), said);
        }
        for (n, said) in [
            (1, "رسالة خاصة واحدة"),
            (2, "رسالتان خاصتان"),
            (3, "3 رسائل خاصة"),
            (11, "11 رسالة خاصة"),
            (100, "100 رسالة خاصة"),
            (103, "103 رسائل خاصة"),
        ] {
            assert_eq!(ARABIC.private_messages.say(n), said);
        }
    }

    #[test]
    fn the_setting_decides_and_then_the_systems_dearest_language() {
        assert_eq!(Words::of("ar").code, "ar");
        assert_eq!(Words::of("en").code, "en");
        for (locales, code) in [
            ("ar_EG.UTF-8", "ar"),
            ("fr_FR:ar:en", "ar"),
            ("en_GB:ar", "en"),
            ("C", "en"),
            ("", "en"),
        ] {
            assert_eq!(Words::of_locales(locales).code, code, "{locales}");
        }
    }
}
