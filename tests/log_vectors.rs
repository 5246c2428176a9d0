//! Every vector of `tests/vectors/log-v1`, which an implementation that is not ours made. Where a row says
//! `settled: false`, a disagreement is printed and nothing more.
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

use std::fs;
use std::path::PathBuf;

use aosctl::log::hash::Hash;
use aosctl::log::key::PublicKey;
use serde_json::Value;

#[path = "log_vectors/entries.rs"]
mod entries;
#[path = "log_vectors/hostile.rs"]
mod hostile;
#[path = "log_vectors/notes.rs"]
mod notes;
#[path = "log_vectors/texts.rs"]
mod texts;
#[path = "log_vectors/whole.rs"]
mod whole;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/log-v1").join(name)
}

fn bytes_of_file(name: &str) -> Vec<u8> {
    fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn load(name: &str) -> Value {
    serde_json::from_slice(&bytes_of_file(name)).unwrap()
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_else(|| panic!("{name} in {row}"))
}

fn unhex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn hash(text: &str) -> Hash {
    Hash::from_hex(text).unwrap()
}

fn key(text: &str) -> PublicKey {
    PublicKey::from_hex(text).unwrap()
}

/// Bytes as `text`, `hex` or `parts`.
fn bytes(value: &Value) -> Vec<u8> {
    if let Some(text) = value["text"].as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(hex) = value["hex"].as_str() {
        return unhex(hex);
    }
    let part = |part: &Value| unhex(part[0].as_str().unwrap()).repeat(part[1].as_u64().unwrap().try_into().unwrap());
    rows(&value["parts"]).iter().flat_map(part).collect()
}

/// Counts what was accepted and refused, and collects disagreements so that one run shows all of them.
struct Tally {
    what: &'static str,
    accepted: usize,
    refused: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn new(what: &'static str) -> Tally {
        Tally { what, accepted: 0, refused: 0, wrong: Vec::new() }
    }

    /// `expected` and `found` are kinds of fault, none where all is right.
    fn row(&mut self, name: &str, settled: bool, expected: Option<&str>, found: Option<&str>) {
        match found {
            None => self.accepted += 1,
            Some(_) => self.refused += 1,
        }
        if expected != found {
            let line = format!("{name}: expected {expected:?}, found {found:?}");
            if settled { self.wrong.push(line) } else { println!("unsettled: {line}") }
        }
    }

    fn require(&mut self, name: &str, holds: bool) {
        if !holds {
            self.wrong.push(name.to_owned());
        }
    }

    fn done(self) {
        println!("{}: {} accepted, {} refused", self.what, self.accepted, self.refused);
        assert!(self.wrong.is_empty(), "{}:\n{}", self.what, self.wrong.join("\n"));
        assert!(self.accepted > 0, "{}: nothing was accepted", self.what);
    }

    fn done_both(self) {
        assert!(self.refused > 0, "{}: nothing was refused", self.what);
        self.done();
    }
}

fn is_settled(row: &Value) -> bool {
    row["settled"].as_bool().unwrap_or(true)
}
