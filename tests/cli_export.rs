//! `audit export` and `audit pack`, by the real binary: what they write, what they refuse, and what other people's programs
//! say of it. Each bundle is also left under `target/tmp/bundles`, for both verifiers.
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

mod review_world;
mod support;

#[path = "cli_export/bundle.rs"]
mod bundle;
#[path = "cli_export/damaged.rs"]
mod damaged;
#[path = "cli_export/output.rs"]
mod output;
#[path = "cli_export/pack.rs"]
mod pack;
#[path = "cli_export/readme.rs"]
mod readme;
#[path = "authority/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use aosctl::workspace::{Place, Workspace};
use support::{code, text};
use world::{Stage, World};

/// A test whose needs are absent says so; where everything has to be there it fails.
fn skip(why: &str) {
    assert!(std::env::var_os("AOSCTL_REQUIRE_ALL").is_none(), "cannot be run here, and must: {why}");
    eprintln!("SKIPPED: {why}");
}

/// Whether a program of that name is on this machine.
fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    let found = found.is_ok_and(|s| s.success());
    if !found {
        skip(&format!("there is no {program}"));
    }
    found
}

/// Every file below a directory, by its name with `/`.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(dir: &Path, root: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_string();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(dir, dir, &mut found);
    found
}

/// A workspace in which everything has happened once: approvals, freezes, money, an erasure.
fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(Stage::new)
}

/// The binary, for a workspace, with an environment that holds nothing else.
fn aosctl(place: &Place, args: &[&str]) -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_aosctl"));
    c.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", place.dir.parent().unwrap()).stdin(Stdio::null());
    c.env("AOSCTL_WORKSPACE", &place.dir).env("AOSCTL_STATE_DIR", &place.state).args(args);
    c.current_dir(place.dir.parent().unwrap());
    c
}

/// The log's verifier key, from the workspace and not from any bundle.
fn vkey(place: &Place) -> String {
    use aosctl::log::checkpoint::VerifierKey;
    use aosctl::log::key::PublicKey;
    let ws = Workspace::open(place.clone()).unwrap();
    VerifierKey::for_log(&ws.origin().name, &PublicKey(ws.origin().log_key)).to_string()
}

/// Where a test puts what it exports: beside the workspace.
fn out(place: &Place, name: &str) -> PathBuf {
    place.dir.parent().unwrap().join(name)
}

fn export(place: &Place, name: &str, args: &[&str]) -> Output {
    aosctl(place, &[&["audit", "export", "-o", name], args].concat()).output().unwrap()
}

/// Exports, insists on exit 0, and gives the path.
fn exported(place: &Place, name: &str, args: &[&str]) -> PathBuf {
    let done = export(place, name, args);
    assert_eq!(code(&done), 0, "{}{}", text(&done.stdout), text(&done.stderr));
    out(place, name)
}

/// Leaves a copy for the verifiers.
fn keep(place: &Place, bundle: &Path, name: &str) {
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bundles").join(name);
    let _ = std::fs::remove_dir_all(&to);
    for (name, bytes) in files(bundle) {
        std::fs::create_dir_all(to.join(&name).parent().unwrap()).unwrap();
        std::fs::write(to.join(name), bytes).unwrap();
    }
    std::fs::write(to.join("trusted.vkey"), format!("{}\n", vkey(place))).unwrap();
}

/// What lies beside the workspace under a name that a temporary file has.
fn left_over(place: &Place) -> Vec<String> {
    let names = std::fs::read_dir(place.dir.parent().unwrap()).unwrap();
    names.map(|e| e.unwrap().file_name().into_string().unwrap()).filter(|n| n.ends_with(".tmp")).collect()
}

/// A copy of the stage for this test.
fn copy() -> World {
    stage().copy()
}
