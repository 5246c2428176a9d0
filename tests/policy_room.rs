//! The policy room: texts to rules, errors with line and column, set, lint, diff, matrix.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, may print, and has files, a clock and an environment of its own"
)]

use std::collections::BTreeSet;

use aosctl::domain::catalogue::Kind;
use aosctl::domain::point::Point;
use aosctl::domain::rules::{RULES_VERSION, Rules, Tier};
use aosctl::domain::time::Span;
use aosctl::policy::catalogue::{built_in, merge, parse_kind};
use aosctl::policy::file::{KEYS, defaults_left, parse, render, set, stated, to_rules};
use aosctl::policy::{Effect, Level, PolicyError, PolicyFile, diff, lint, matrix};

fn policy(text: &str) -> PolicyFile {
    parse(text, "policy.toml").unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn refused(text: &str) -> String {
    match parse(text, "policy.toml") {
        Err(e) => e.to_string(),
        Ok(_) => panic!("not refused: {text}"),
    }
}

fn rules(text: &str) -> Rules {
    to_rules(&policy(text), built_in().unwrap())
}

#[test]
fn the_built_in_catalogue_parses() {
    let kinds = built_in().unwrap();
    let names: Vec<&str> = kinds.iter().map(|k| k.kind.as_str()).collect();
    assert_eq!(
        names,
        [
            "aws", "github", "hubspot", "openai", "postgres", "slack", "stripe"
        ]
    );
    for k in &kinds {
        assert!(
            !k.scope.is_empty() && !k.permission.is_empty() && k.action.len() > 15,
            "{}",
            k.kind
        );
        assert!(
            k.scope.iter().any(|s| s.account_wide),
            "{} names no account-wide scope",
            k.kind
        );
        assert!(
            k.action.iter().any(|a| a.points.contains(&Point::Production)),
            "{}",
            k.kind
        );
    }
}
