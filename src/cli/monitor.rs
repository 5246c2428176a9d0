//! `--monitor`: one status line with perfdata, as monitoring systems read it, and their exit codes.
//!
//! The format is that of the Monitoring Plugins (their Development Guidelines, "Plugin Output for Nagios" and "Performance
//! data"), which Nagios, Icinga, Checkmk and others read: `AOSCTL SERVICE STATUS - text | label=value;warn;crit;min;max ...`
//! on stdout, exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. Whoever asks so gets exactly one line, whatever happens: wrong
//! usage, no workspace and any other failure are UNKNOWN, and nothing goes to stderr. Only a log that does not verify is
//! CRITICAL: what cannot be read because somebody changed it is no unknown.

use std::ffi::{OsStr, OsString};

use super::error::CliError;
use super::exit::Exit;
use super::outcome::Outcome;
use super::text::safe;
use crate::inventory::guard::masked;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing to do.
    Ok,
    /// Soon somebody has to do something.
    Warning,
    /// Somebody has to do something now.
    Critical,
    /// Nobody can say.
    Unknown,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Ok => "OK",
            Level::Warning => "WARNING",
            Level::Critical => "CRITICAL",
            Level::Unknown => "UNKNOWN",
        }
    }

    fn exit(self) -> Exit {
        Exit::Monitor(match self {
            Level::Ok => 0,
            Level::Warning => 1,
            Level::Critical => 2,
            Level::Unknown => 3,
        })
    }
}

/// From which count on a number is no longer in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alert {
    /// It is only told.
    Never,
    /// Above 0 it is a WARNING.
    Warns,
    /// Above 0 it is CRITICAL.
    Critical,
}

/// One status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// `ROTATION`.
    pub service: &'static str,
    /// How bad it is.
    pub level: Level,
    /// In a few words.
    pub text: String,
    /// Counts: a label of lower-case letters, the count, when it alerts.
    pub counts: Vec<(&'static str, u64, Alert)>,
}

impl Status {
    /// The line, with its end.
    pub fn line(&self) -> String {
        let mut line = format!("AOSCTL {} {} - {}", self.service, self.level.word(), one_line(&self.text));
        for (i, (label, n, alert)) in self.counts.iter().enumerate() {
            let thresholds = match alert {
                Alert::Never => ";;",
                Alert::Warns => ";0;",
                Alert::Critical => ";;0",
            };
            line.push_str(&format!("{}{label}={n}{thresholds};0", if i == 0 { " | " } else { " " }));
        }
        line.push('\n');
        line
    }

    /// Prints the line; the end of the process says the same.
    pub fn outcome(&self) -> Outcome {
        Outcome::silent(self.print())
    }

    fn print(&self) -> Exit {
        match super::to_stdout(&self.line()) {
            Ok(()) => self.level.exit(),
            // Whoever got no line must not read an OK.
            Err(_) => self.level.max(Level::Unknown).exit(),
        }
    }
}

/// Text that breaks neither the line nor the perfdata behind it.
fn one_line(text: &str) -> String {
    safe(&masked(text)).replace('|', "/").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The commands that take `--monitor`, and what they are called on its line.
const SERVICES: &[(&str, &str, &str)] =
    &[("rotation", "check", "ROTATION"), ("review", "check", "REVIEW"), ("audit", "verify", "AUDIT")];

/// Global flags whose value is a word of its own.
const WITH_VALUE: &[&str] =
    &["--workspace", "--format", "--output", "-o", "--color", "--identity", "--passphrase-file"];

/// Which service is asked for with `--monitor`. Read from the arguments as they came, because they may be wrong otherwise.
pub(super) fn asked(args: &[OsString]) -> Option<&'static str> {
    let mut words = args.iter().skip(1).map(OsString::as_os_str).take_while(|a| *a != "--");
    let (mut monitor, mut verbs) = (false, Vec::<&OsStr>::new());
    while let Some(word) = words.next() {
        // With a value it is wrong usage, and whoever asked so gets the line all the same.
        if word == "--monitor" || word.as_encoded_bytes().starts_with(b"--monitor=") {
            monitor = true;
        } else if WITH_VALUE.iter().any(|w| word == *w) {
            words.next();
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            verbs.push(word);
        }
    }
    let service = SERVICES.iter().find(|(noun, verb, _)| verbs.starts_with(&[OsStr::new(noun), OsStr::new(verb)]))?;
    monitor.then_some(service.2)
}

/// An error, as a status.
pub(super) fn failed(service: &'static str, e: &CliError) -> Exit {
    let level = if e.exit == Exit::Integrity { Level::Critical } else { Level::Unknown };
    let text = e.cause.iter().fold(e.what.clone(), |text, cause| format!("{text}: {cause}"));
    Status { service, level, text, counts: Vec::new() }.print()
}

/// Wrong usage, as a status.
pub(super) fn misused(service: &'static str, e: &clap::Error) -> Exit {
    let text = e.to_string();
    let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_string();
    Status { service, level: Level::Unknown, text: format!("wrong usage: {first}"), counts: Vec::new() }.print()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_for(line: &str) -> Option<&'static str> {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        asked(&args)
    }

    #[test]
    fn the_service_is_found_wherever_the_flags_stand() {
        for line in [
            "aosctl rotation check --monitor",
            "aosctl --workspace rotation rotation check --monitor",
            "aosctl rotation --json check --monitor --no-such-flag",
            "aosctl --monitor rotation check",
            "aosctl rotation check --monitor=yes",
        ] {
            assert_eq!(asked_for(line), Some("ROTATION"), "{line}");
        }
        assert_eq!(asked_for("aosctl audit verify --monitor --vkey x"), Some("AUDIT"));
        assert_eq!(asked_for("aosctl review check --monitor"), Some("REVIEW"));
        for line in [
            "aosctl rotation check",
            "aosctl rotation list --monitor",
            "aosctl --workspace rotation check --monitor",
            "aosctl run r-1 -- rotation check --monitor",
            "aosctl",
        ] {
            assert_eq!(asked_for(line), None, "{line}");
        }
    }

    #[test]
    fn text_cannot_break_the_line() {
        let status = Status {
            service: "ROTATION",
            level: Level::Warning,
            text: "a | b=1\nOK\x1b[2J".into(),
            counts: vec![("due", 0, Alert::Critical), ("soon", 2, Alert::Warns), ("keys", 35, Alert::Never)],
        };
        let line = status.line();
        assert_eq!(line.matches('|').count(), 1, "{line}");
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(!line.contains('\x1b'), "{line}");
        assert!(line.starts_with("AOSCTL ROTATION WARNING - a / b=1"), "{line}");
        assert!(line.ends_with(" | due=0;;0;0 soon=2;0;;0 keys=35;;;0\n"), "{line}");
    }
}
