//! How much memory verifying takes where entries carry as much as they may.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may fail loudly"
)]

mod approve_world;
mod support;

use std::process::Stdio;
use std::time::Duration;

use approve_world::{Ask, World, now};

/// Kibibytes. Two hundred texts of 500 kB are 97,656 of them; the debug build alone takes some 20,000.
const MOST: u64 = 64 * 1024;

/// Runs a command to its end, which must be 0, and gives its peak memory in kibibytes. Not by `wait4`: what that says
/// counts the process before `exec`, too, which is this one.
fn peak(w: &World, args: &[&str]) -> u64 {
    let mut child = w.bench.cmd(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let seen = text.lines().find_map(|l| l.strip_prefix("VmHWM:")).and_then(|v| v.split_whitespace().next());
        peak = peak.max(seen.map_or(0, |n| n.parse().unwrap()));
        if let Some(end) = child.try_wait().unwrap() {
            assert!(end.success(), "{args:?}: {end:?}");
            return peak;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn large_payloads_are_verified_a_few_at_a_time() {
    let w = World::new();
    let pin = support::state_of(&w.bench).join("pin");
    let before = std::fs::read(&pin).unwrap();
    for n in 0..200 {
        let parameters = format!("{{\"ref\":\"v{n}\",\"note\":\"{}\"}}", "x".repeat(500_000));
        w.ask(now(), &Ask { parameters: Some(parameters), ..Ask::deploy() });
    }
    let bundle = w.bench.path("bundle");
    let bundle = bundle.to_str().unwrap();
    w.bench.ok(&["audit", "export", "-o", bundle]);
    let vkey = std::fs::read_to_string(w.bench.path("bundle/log.vkey")).unwrap();
    let mut all = Vec::new();
    for args in [
        &["audit", "verify"][..],
        &["audit", "verify", "--bundle", bundle, "--vkey", vkey.trim()],
        &["audit", "log", "--json"],
        &["audit", "export", "-o", w.bench.path("other").to_str().unwrap()],
    ] {
        all.push((args[..2].join(" "), peak(&w, args)));
    }
    // All of them lie behind an older pin.
    std::fs::write(&pin, before).unwrap();
    all.push(("audit verify --since-pin".into(), peak(&w, &["audit", "verify", "--since-pin"])));
    assert!(all.iter().all(|(_, kib)| *kib < MOST && *kib > 0), "{all:?}");
}
