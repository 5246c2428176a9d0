//! What a policy may say and probably does not mean.

use crate::domain::catalogue::Kind;
use crate::domain::money::Money;
use crate::domain::point::POINTS;
use crate::domain::rules::{ActionRule, Rules};
use crate::domain::time::Span;

use super::file::PolicyFile;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Probably not meant.
    Warning,
    /// Worth knowing.
    Note,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Lint {
    /// How much it matters.
    pub level: Level,
    /// What it is about: a key as `cap.move`, or a rule as `action[2]` (from 1).
    pub key: String,
    /// What is the case, and what follows.
    pub message: String,
}

/// Caps from here on are no caps: 1,000,000 major units.
const LARGE_MAJOR_UNITS: u64 = 1_000_000;
/// A mailing of this size reaches more people than a start-up's customers.
const LARGE_MAILING: u64 = 100_000;

/// Reads a policy against the catalogue that it would be adopted with. `operators` is how many live now; with 0, before
/// the first is enrolled, nothing is said about numbers of approvers.
pub fn lint(file: &PolicyFile, rules: &Rules, operators: usize) -> Vec<Lint> {
    let mut found = Vec::new();
    let mut say = |level, key: String, message: String| found.push(Lint { level, key, message });
    caps(file, &mut say);
    if file.recipients == 0 {
        say(Level::Note, "mailing.recipients".into(), "every mailing will ask".into());
    } else if file.recipients > LARGE_MAILING {
        let message = format!("a mailing to {} people will go out without a question", file.recipients);
        say(Level::Warning, "mailing.recipients".into(), message);
    }
    for d in file.boundary.destinations.iter().filter(|d| is_wide(d)) {
        let message =
            format!("{d} takes in what strangers can register: customer data may go there without a question");
        say(Level::Warning, "boundary.destinations".into(), message);
    }
    for point in POINTS {
        let Some(n) = file.approvers.get(&point) else {
            continue;
        };
        if operators > 0 && usize::from(*n) > operators {
            say(Level::Warning, format!("approvers.{point}"), too_many(*n, operators));
        }
    }
    for (i, rule) in file.actions.iter().enumerate() {
        action(rule, &rules.kinds, operators, &mut |level, message| say(level, format!("action[{}]", i + 1), message));
    }
    spans(file, &mut say);
    found.sort_by_key(|l| l.level);
    found
}

fn caps(file: &PolicyFile, say: &mut impl FnMut(Level, String, String)) {
    let caps = &file.caps;
    let large = Money::new(caps.currency, LARGE_MAJOR_UNITS * 10u64.pow(caps.currency.digits()));
    for (key, cap) in [("cap.move", caps.per_move()), ("cap.week", caps.per_week())] {
        if cap.minor == 0 {
            say(Level::Note, key.into(), "every move of money will ask".into());
        } else if cap.minor >= large.minor {
            say(
                Level::Warning,
                key.into(),
                format!("{cap} may move without a question; a cap so high hardly ever asks"),
            );
        }
    }
    if caps.per_move > caps.per_week {
        let message =
            format!("{} is more than cap.week ({}), so cap.week asks first", caps.per_move(), caps.per_week());
        say(Level::Note, "cap.move".into(), message);
    }
}

fn action(rule: &ActionRule, kinds: &[Kind], operators: usize, say: &mut impl FnMut(Level, String)) {
    if let Some(n) = rule.approvers.filter(|n| operators > 0 && usize::from(*n) > operators) {
        say(Level::Warning, too_many(n, operators));
    }
    let own = kinds.iter().find(|k| k.kind == rule.integration);
    let known = kinds
        .iter()
        .filter(|k| own.is_none_or(|own| own.kind == k.kind))
        .any(|k| k.action.iter().any(|a| rule.matches_action(&a.name)));
    if !known {
        let whose = own.map_or("any kind", |k| k.kind.as_str());
        let message = format!(
            "no action of {whose} in the catalogue is called {}: the rule bears on unlisted actions only",
            rule.action
        );
        say(Level::Warning, message);
    }
    if own.is_none() && rule.integration != "*" {
        say(
            Level::Note,
            format!("{} is no kind of the catalogue, so it must be an integration's name", rule.integration),
        );
    }
    if rule.integration == "*" && rule.action == "*" && !rule.points.is_empty() {
        say(Level::Note, "every action of every integration will ask, reads too".into());
    }
}

fn too_many(n: u8, operators: usize) -> String {
    format!("{n} operators must approve and {operators} live: such a request can never be approved")
}

fn spans(file: &PolicyFile, say: &mut impl FnMut(Level, String, String)) {
    for (key, span) in [("requests.wait", file.requests.wait), ("requests.use_within", file.requests.use_within)] {
        if span > Span::WEEK {
            let message =
                format!("{span} is more than a week: what was true when it was asked may not be when it is done");
            say(Level::Warning, key.into(), message);
        }
    }
    match file.grants.longest {
        None => say(Level::Warning, "grants.longest".into(), "grants without an end may be issued".into()),
        Some(longest) if longest > Span::days(2 * 365) => {
            say(Level::Warning, "grants.longest".into(), format!("a grant may stay open for {longest}"));
        }
        Some(_) => {}
    }
    if file.grants.expires > Span::days(365) {
        let message = format!("a grant that names no end stays open for {}", file.grants.expires);
        say(Level::Warning, "grants.expires".into(), message);
    }
    if file.rotation.every > Span::days(366) {
        say(
            Level::Warning,
            "rotation.every".into(),
            format!("a key may be {} old before anything is due", file.rotation.every),
        );
    }
}

/// `*.com`, and `*.co.uk`-like ends where the second label is one of the customary registry words.
fn is_wide(destination: &str) -> bool {
    let Some(domain) = destination.strip_prefix("*.") else {
        return false;
    };
    let domain = domain.to_ascii_lowercase();
    let labels: Vec<&str> = domain.split('.').collect();
    match labels.as_slice() {
        [_] => true,
        [second, top] => {
            let registry = top.len() == 2 && ["ac", "co", "com", "edu", "gov", "net", "or", "org"].contains(second);
            registry || SHARED.contains(&domain.as_str())
        }
        _ => SHARED.contains(&domain.as_str()),
    }
}

/// Domains under which anyone gets a name; from the private section of the Public Suffix List (publicsuffix.org).
const SHARED: [&str; 12] = [
    "amazonaws.com",
    "s3.amazonaws.com",
    "azurewebsites.net",
    "cloudfront.net",
    "appspot.com",
    "web.app",
    "github.io",
    "herokuapp.com",
    "netlify.app",
    "pages.dev",
    "vercel.app",
    "workers.dev",
];
