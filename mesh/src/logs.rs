//! What programs write to their logs.
//!
//! Contract: whatever level a person asks for, a log carries no text, key, name or address of anyone, so
//! that it can be handed to a stranger who helps. Our own code holds to that (a test chats at `trace`
//! and looks). Other people's crates print addresses and packets, so they are silent unless one is asked
//! for by name.

/// What programs log unless `PEDDLENET_LOG` says otherwise: warnings of ours.
pub const LOG_FILTER: &str = "peddlenet=warn";

/// Directives for `tracing_subscriber::EnvFilter` from what `PEDDLENET_LOG` says: a level without a
/// target (`debug`) is that of our own crates; `rtc_ice=debug` is taken as it is, on the person's own
/// account.
pub fn log_filter(asked: Option<&str>) -> String {
    let Some(asked) = asked.map(str::trim).filter(|asked| !asked.is_empty()) else {
        return LOG_FILTER.to_owned();
    };
    let ours = |directive: &str| {
        let directive = directive.trim();
        let is_level = ["off", "error", "warn", "info", "debug", "trace"]
            .iter()
            .any(|level| directive.eq_ignore_ascii_case(level));
        if is_level {
            format!("peddlenet={directive}")
        } else {
            directive.to_owned()
        }
    };
    asked.split(',').map(ours).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_level_is_for_our_own_crates_alone() {
        for (asked, directives) in [
            (None, LOG_FILTER),
            (Some(" "), LOG_FILTER),
            (Some("trace"), "peddlenet=trace"),
            (Some("INFO, rtc_ice=debug"), "peddlenet=INFO,rtc_ice=debug"),
            (Some("peddlenet_mesh=debug"), "peddlenet_mesh=debug"),
        ] {
            assert_eq!(log_filter(asked), directives);
        }
    }
}
