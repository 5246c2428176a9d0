//! The catalogue: seven built-in kinds and the company's own (docs/catalogue.md says what each member means).

mod check;

use std::collections::BTreeSet;

use crate::domain::catalogue::Kind;

use super::error::PolicyError;
use super::source::Source;

const BUILT_IN: [(&str, &str); 7] = [
    ("aws.toml", include_str!("aws.toml")),
    ("github.toml", include_str!("github.toml")),
    ("hubspot.toml", include_str!("hubspot.toml")),
    ("openai.toml", include_str!("openai.toml")),
    ("postgres.toml", include_str!("postgres.toml")),
    ("slack.toml", include_str!("slack.toml")),
    ("stripe.toml", include_str!("stripe.toml")),
];

/// The kinds that come with this build, by name.
///
/// # Errors
/// A fault in a built-in file; a test reads them all, so a build that passed it has none.
pub fn built_in() -> Result<Vec<Kind>, PolicyError> {
    BUILT_IN.iter().map(|(file, text)| parse_kind(text, file)).collect()
}

/// Reads one kind. `file_name` may have directories before it; its stem must be the kind's name.
///
/// # Errors
/// The first fault with its line and column: syntax, an unknown or missing member, a name that is malformed or stands
/// twice, a pointer that is not RFC 6901, `internal` together with what crosses a point.
pub fn parse_kind(text: &str, file_name: &str) -> Result<Kind, PolicyError> {
    let source = Source::new(text, file_name)?;
    let kind: Kind = source.read()?;
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    let stem = name.strip_suffix(".toml").unwrap_or(name);
    check::kind(&kind, stem).map_err(|f| source.fault(f))?;
    Ok(kind)
}

/// The effective catalogue, by name: the built-in kinds and the company's own.
///
/// # Errors
/// An own kind has the name of a built-in one (its integrations would lose the points of the built-in actions, law 3)
/// or of another own one.
pub fn merge(built_in: Vec<Kind>, own: Vec<Kind>) -> Result<Vec<Kind>, PolicyError> {
    let reserved: BTreeSet<String> = built_in.iter().map(|k| k.kind.clone()).collect();
    let mut seen = BTreeSet::new();
    let mut all = built_in;
    for kind in own {
        if reserved.contains(&kind.kind) {
            return Err(PolicyError::BuiltIn { kind: kind.kind });
        }
        if !seen.insert(kind.kind.clone()) {
            return Err(PolicyError::Twice { kind: kind.kind });
        }
        all.push(kind);
    }
    all.sort_by(|a, b| a.kind.cmp(&b.kind));
    Ok(all)
}
