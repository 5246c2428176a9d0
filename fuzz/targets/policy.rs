//! policy.toml and the files of the catalogue: what is read is written out and read back as the same rules, and a rule set
//! compared with itself has no difference. A file of the catalogue begins with `k`.
#![no_main]

use aosctl::policy::{catalogue, diff, file, lint, matrix};
use libfuzzer_sys::fuzz_target;

fn policy(text: &str) {
    let Ok(read) = file::parse(text, "policy.toml") else { return };
    let rendered = file::render(&read);
    let again = file::parse(&rendered, "policy.toml").unwrap_or_else(|e| panic!("{e}\n{rendered}"));
    assert_eq!(again, read, "rendered, it says something else:\n{rendered}");
    assert_eq!(file::render(&again), rendered, "rendering is not settled");
    assert!(file::stated(text, "policy.toml").is_ok());
    let rules = file::to_rules(&read, Vec::new());
    assert_eq!(file::PolicyFile::of(&rules), read);
    assert!(diff(&rules, &rules).is_empty());
    let _ = (matrix(&rules), lint(&read, &rules, 1));
    // What the log carries says the same.
    let carried = serde_json::to_vec(&rules).expect("rules are JSON");
    assert_eq!(serde_json::from_slice::<aosctl::domain::rules::Rules>(&carried).ok(), Some(rules));
}

fn kind(text: &str) {
    let name = text.split('"').nth(1).unwrap_or_default();
    let Ok(read) = catalogue::parse_kind(text, &format!("{name}.toml")) else { return };
    let carried = serde_json::to_vec(&read).expect("a kind is JSON");
    assert_eq!(serde_json::from_slice::<aosctl::domain::catalogue::Kind>(&carried).ok(), Some(read.clone()));
    assert_eq!(catalogue::merge(Vec::new(), vec![read.clone()]).ok(), Some(vec![read.clone()]));
    assert!(catalogue::merge(Vec::new(), vec![read.clone(), read]).is_err());
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match text.strip_prefix('k') {
        Some(rest) => kind(rest),
        None => policy(text),
    }
});
