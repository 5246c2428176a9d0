//! Scopes: which part of an integration (`repo:acme/app`).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A part of an integration: a word, a colon, and segments divided by `/`. The last segment may be `*`, which covers
/// whatever stands there. `*` alone is everything. Resources are written the same way, without `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

/// The longest scope, in bytes.
pub const MAX_SCOPE: usize = 300;

impl Scope {
    /// Everything in the integration.
    pub fn everything() -> Scope {
        Scope("*".into())
    }

    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The word before the colon; `None` for `*`.
    pub fn word(&self) -> Option<&str> {
        self.0.split_once(':').map(|(w, _)| w)
    }

    /// The segments after the colon.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split_once(':').map_or("", |(_, rest)| rest).split('/').filter(|s| !s.is_empty())
    }

    /// Ends in `*`, or is `*`.
    pub fn is_open(&self) -> bool {
        self.0 == "*" || self.0.ends_with("/*") || self.0.ends_with(":*")
    }

    /// Is everything that `other` names inside this scope? `repo:acme/app` covers itself and `repo:acme/app/pulls`;
    /// `repo:acme/*` covers both; `*` covers all. Letters count as written: `Repo` is not `repo`.
    pub fn covers(&self, other: &Scope) -> bool {
        if self.0 == "*" {
            return true;
        }
        if other.0 == "*" {
            return false;
        }
        if let Some(stem) = self.0.strip_suffix('*') {
            return other.0.len() > stem.len() && other.0.starts_with(stem);
        }
        other.0 == self.0 || other.0.strip_prefix(self.0.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }
}

fn segment_ok(s: &str) -> bool {
    !s.is_empty()
        && s != "."
        && s != ".."
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@+=~,%:#$".contains(&b))
}

impl std::str::FromStr for Scope {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        if s == "*" {
            return Ok(Scope::everything());
        }
        let bad = || format!("{s:?} is not a scope such as repo:acme/app (a word, a colon, segments divided by /)");
        if s.len() > MAX_SCOPE {
            return Err(format!("a scope has at most {MAX_SCOPE} bytes"));
        }
        let (word, rest) = s.split_once(':').ok_or_else(bad)?;
        let word_ok = word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
        let mut segments: Vec<&str> = rest.split('/').collect();
        if segments.last() == Some(&"*") {
            segments.pop();
        }
        if word_ok && segments.into_iter().all(segment_ok) { Ok(Scope(s.into())) } else { Err(bad()) }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(t: &str) -> Scope {
        t.parse().unwrap()
    }

    #[test]
    fn covers_only_what_is_inside() {
        for (wide, narrow, yes) in [
            ("repo:acme/app", "repo:acme/app", true),
            ("repo:acme/app", "repo:acme/app/pulls", true),
            ("repo:acme/app", "repo:acme/application", false),
            ("repo:acme/*", "repo:acme/app", true),
            ("repo:acme/*", "repo:acme", false),
            ("repo:acme/*", "repo:acme/*", true),
            ("repo:*", "repo:acme/*", true),
            ("repo:acme/app", "repo:acme/*", false),
            ("repo:acme/app", "*", false),
            ("*", "repo:acme/app", true),
            ("*", "*", true),
            ("repo:acme/app", "Repo:acme/app", false),
        ] {
            if let Ok(n) = narrow.parse::<Scope>() {
                assert_eq!(s(wide).covers(&n), yes, "{wide} covers {narrow}");
            }
        }
    }

    #[test]
    fn refuses_what_could_mislead() {
        for bad in [
            "",
            ":",
            "repo:",
            "repo:/a",
            "repo:a//b",
            "repo:a/../b",
            "repo:a/.",
            "repo:a b",
            "repo:é",
            "Repo:a",
            "repo:a/*/b",
            "repo",
            "repo:a\n",
        ] {
            assert!(bad.parse::<Scope>().is_err(), "{bad:?}");
        }
    }
}
