//! New keys for operators, by themselves and by a code on paper: the real binary, and a real terminal for the code.
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

mod pty;
mod support;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use aosctl::domain::facts::Facts;
use aosctl::identity::Passphrase;
use aosctl::sys::lock::Lock;
use aosctl::workspace::{Place, Workspace};
use pty::Desk;
use serde_json::Value;
use support::{Bench, PASSPHRASE, code, state_of, text};

const NEW: &str = "another horse, another battery";
const SECRET: &str = "sk_live_canary_51H8x";

fn json(b: &Bench, exit: i32, args: &[&str]) -> Value {
    let out = b.run(&[&["--json"], args].concat());
    assert_eq!(code(&out), exit, "{args:?}\n{}{}", text(&out.stdout), text(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn fed(b: &Bench, args: &[&str], stdin: &str) -> Output {
    let mut c = b.cmd(args);
    c.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = c.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

/// With a recovery code in the file, an agent with a door, and an attended secret.
fn bench() -> (Bench, String) {
    let b = Bench::empty();
    let paper = b.path("paper");
    let said = b.run(&["init", "--name", "ACME", "--recovery-out", paper.to_str().unwrap()]);
    assert_eq!(code(&said), 0, "{}", text(&said.stderr));
    let typed = std::fs::read_to_string(&paper).unwrap().trim().to_string();
    assert!(!format!("{}{}", text(&said.stdout), text(&said.stderr)).contains(&typed), "the code is a secret");
    b.add_agent("build-bot");
    b.ok(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app", "--expires", "30d"]);
    let out = fed(&b, &["key", "add", "one", "--secret-stdin"], SECRET);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    (b, typed)
}

fn secret_file(b: &Bench, name: &str, content: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = b.path(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Everything that this passphrase should open: the identity, and with it the secret.
fn opens(b: &Bench, passphrase: &str) -> bool {
    let ws = Workspace::open(Place { dir: b.workspace(), state: b.path("state") }).unwrap();
    let (path, sealed) = ws.sealed_operator(None).unwrap();
    let Ok(me) = ws.unlock_operator(&path, &sealed, &Passphrase::given(passphrase.into()).unwrap()) else {
        return false;
    };
    let key = ws.facts().key("k-1".parse().unwrap()).unwrap().unwrap();
    let secret = aosctl::cli::vault::of(&ws).open(key.id, &key.facts.place, Some(me.signer())).unwrap();
    assert_eq!(secret.expose(), SECRET.as_bytes());
    let vault = aosctl::cli::vault::of(&ws);
    vault.fingerprint_key(me.signer(), &aosctl::cli::vault::circle(&ws.facts()).unwrap()).unwrap();
    true
}

#[test]
fn an_operator_takes_a_new_key_and_keeps_everything_else() {
    let (b, _) = bench();
    let home = b.workspace().join("operators/op-1.json");
    let old = std::fs::read(&home).unwrap();
    let new = secret_file(&b, "new", NEW);
    let dry = json(&b, 0, &["operator", "rotate", "-n"]);
    assert_eq!((&dry["seq"], &dry["resealed"]), (&Value::Null, &serde_json::json!(["k-1"])));
    assert_eq!(std::fs::read(&home).unwrap(), old);
    // Somebody has to say what becomes of the passphrase.
    let asked = b.run(&["operator", "rotate", "--no-input"]);
    assert!(code(&asked) == 3 && text(&asked.stderr).contains("--keep-passphrase"), "{}", text(&asked.stderr));
    let done = json(&b, 0, &["operator", "rotate", "op-1", "--new-passphrase-file", new.to_str().unwrap()]);
    assert_eq!((&done["resealed"], &done["not_resealed"]), (&serde_json::json!(["k-1"]), &serde_json::json!([])));
    assert!(!opens(&b, PASSPHRASE) && opens(&b, NEW));
    assert_eq!(std::fs::read_dir(b.workspace().join("operators")).unwrap().count(), 1);
    assert_eq!(json(&b, 1, &["agent", "add", "other-bot"])["kind"], "wrong_passphrase");
    // A copy of the old file signs nothing.
    let copy = secret_file(&b, "old.json", &text(&old));
    let out = json(&b, 1, &["--identity", copy.to_str().unwrap(), "agent", "add", "other-bot"]);
    assert!(out["error"].as_str().unwrap().contains("older key of op-1"), "{out}");
    std::fs::write(b.path("pass"), NEW).unwrap();
    b.ok(&["agent", "add", "other-bot"]);
    let read = ["--integration", "github", "--action", "contents.read", "--resource", "repo:acme/app"];
    b.ok(&[&["check", "--agent", "build-bot"][..], &read].concat());
    b.ok(&["audit", "verify"]);
    let list = json(&b, 0, &["operator", "list"]);
    assert_ne!(list["operators"][0]["key_since"], list["operators"][0]["enrolled_at"]);
    assert_eq!(list["operators"][1]["recovers"], "op-1");
    assert!(b.ok(&["operator", "list"]).contains("recovery of op-1"));
    // With the passphrase that it has.
    b.ok(&["operator", "rotate", "--keep-passphrase"]);
    assert!(opens(&b, NEW));
    b.ok(&["audit", "verify"]);
}

#[test]
fn a_lost_passphrase_is_survivable_with_the_code_and_only_with_it() {
    let (b, typed) = bench();
    std::fs::write(b.path("pass"), NEW).unwrap();
    let recover = ["--json", "operator", "recover", "op-1", "--recovery-stdin"];
    let kind = |out: &Output| {
        let v: Value = serde_json::from_slice(&out.stdout).unwrap();
        v["kind"].as_str().unwrap_or_default().to_string()
    };
    // Mistyped; another one that is well formed; nothing.
    let mut wrong = typed.clone().into_bytes();
    wrong[3] = if wrong[3] == b'A' { b'B' } else { b'A' };
    let wrong = String::from_utf8(wrong).unwrap();
    let foreign = aosctl::identity::Signer::generate().unwrap().to_code();
    for (bad, why) in [(wrong.as_str(), "bad_code"), (foreign.as_str(), "other_code"), ("", "bad_code")] {
        let out = fed(&b, &recover, bad);
        assert_eq!((code(&out), kind(&out)), (1, why.to_string()), "{}", text(&out.stderr));
        assert!(bad.is_empty() || !format!("{}{}", text(&out.stdout), text(&out.stderr)).contains(bad));
    }
    assert!(!opens(&b, NEW));
    let out = fed(&b, &recover, &typed.to_lowercase().replace('-', " "));
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    assert!(opens(&b, NEW) && !opens(&b, PASSPHRASE));
    b.ok(&["agent", "add", "other-bot"]);
    b.ok(&["audit", "verify"]);
    // Also where the file is gone with the passphrase.
    std::fs::remove_file(b.workspace().join("operators/op-1.json")).unwrap();
    assert_eq!(code(&fed(&b, &recover, &typed)), 0);
    assert!(opens(&b, NEW));
    // Used up: another one, and this one retired.
    let paper = b.path("paper-2");
    let made = json(&b, 0, &["operator", "recovery", "new", "--recovery-out", paper.to_str().unwrap()]);
    assert_eq!((&made["operator"], &made["resealed"]), (&"op-1".into(), &serde_json::json!(["k-1"])));
    b.ok(&["operator", "retire", "op-2"]);
    let out = fed(&b, &recover, &typed);
    assert_eq!((code(&out), kind(&out)), (1, "other_code".to_string()));
    let second = std::fs::read_to_string(&paper).unwrap();
    assert_eq!(code(&fed(&b, &recover, &second)), 0);
    assert!(opens(&b, NEW));
    b.ok(&["audit", "verify"]);
    // Nothing of a code lies anywhere but in the files that were asked for.
    for dir in [b.workspace(), state_of(&b)] {
        for e in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap()).filter(|e| e.path().is_file()) {
            let bytes = std::fs::read(e.path()).unwrap();
            assert!(!bytes.windows(typed.len()).any(|w| w == typed.as_bytes()), "{:?}", e.path());
        }
    }
}

#[test]
fn without_a_code_nothing_opens_and_it_is_said_beforehand() {
    let b = Bench::empty();
    let out = b.run(&["init", "--name", "ACME"]);
    assert!(text(&out.stderr).contains("aosctl operator recovery new"), "{}", text(&out.stderr));
    let code_of = fed(&b, &["--json", "operator", "recover", "op-1", "--recovery-stdin"], "x");
    assert_eq!(code(&code_of), 1);
    assert!(text(&code_of.stdout).contains("no_recovery"), "{}", text(&code_of.stdout));
    let inside = b.workspace().join("paper");
    assert_eq!(code(&b.run(&["operator", "recovery", "new", "--recovery-out", inside.to_str().unwrap()])), 2);
    let nobody = b.run(&["operator", "recovery", "new", "--no-input"]);
    assert!(code(&nobody) == 3 && text(&nobody.stderr).contains("--recovery-out"), "{}", text(&nobody.stderr));
    assert_eq!(json(&b, 0, &["operator", "list"])["operators"].as_array().unwrap().len(), 1);
}

/// Killed at any moment, one of the two files is the enrolled identity, and whoever unlocks next finds it.
#[test]
fn killed_while_taking_a_new_key() {
    let (b, typed) = bench();
    for n in 0..6_u64 {
        let mut child = if n % 2 == 0 {
            b.cmd(&["operator", "rotate", "--keep-passphrase"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        } else {
            let mut c = b.cmd(&["operator", "recover", "op-1", "--recovery-stdin"]);
            let mut child = c.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
            child
        };
        // Each a little later, from the moment at which the new file appears.
        let new = b.workspace().join("operators/op-1.json.new");
        let begin = std::time::Instant::now();
        while !new.exists() && child.try_wait().unwrap().is_none() && begin.elapsed().as_secs() < 60 {
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
        std::thread::sleep(std::time::Duration::from_millis(n * n));
        let _ = child.kill();
        child.wait().unwrap();
        b.ok(&["agent", "add", &format!("bot-{n}")]);
        assert!(opens(&b, PASSPHRASE), "after {n}");
    }
    // And the code goes on working.
    assert_eq!(code(&fed(&b, &["operator", "recover", "op-1", "--recovery-stdin"], &typed)), 0);
    assert!(opens(&b, PASSPHRASE));
    b.ok(&["audit", "verify"]);
}

/// Killed when the log has made the new key count, and the key of fingerprints is still sealed for the old one and for the
/// code only. The next command that needs it finishes.
#[test]
fn killed_between_the_entry_and_the_vault() {
    let (b, typed) = bench();
    let entries = || {
        let ws = Workspace::open(Place { dir: b.workspace(), state: b.path("state") }).unwrap();
        ws.store().last_seq().unwrap().unwrap()
    };
    let (coming, before) = (b.workspace().join("vault/fingerprint.sealed.new"), entries());
    // Whoever cannot move the pin waits for it, after the commit.
    let held = Lock::try_now(&state_of(&b).join("pin.lock")).unwrap().unwrap();
    let mut c = b.cmd(&["operator", "recover", "op-1", "--recovery-stdin"]);
    let mut child = c.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let begin = std::time::Instant::now();
    while entries() == before && begin.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(held);
    assert!(coming.exists() && entries() > before);
    // It has the new key, and needs no code for the rest.
    let out = fed(&b, &["key", "add", "two", "--secret-stdin"], "sk_live_canary_7Jq2");
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(!coming.exists() && opens(&b, PASSPHRASE));
    b.ok(&["audit", "verify"]);
}

/// One that nobody signed whom the log knows: from an attempt that came to nothing, or from somebody who can write there.
#[test]
fn a_key_of_fingerprints_that_no_operator_signed_takes_nobodys_place() {
    let ((b, _), (other, _)) = (bench(), bench());
    let (ours, coming) =
        (b.workspace().join("vault/fingerprint.sealed"), b.workspace().join("vault/fingerprint.sealed.new"));
    let before = std::fs::read(&ours).unwrap();
    for bytes in [std::fs::read(other.workspace().join("vault/fingerprint.sealed")).unwrap(), b"{}".to_vec()] {
        std::fs::write(&coming, &bytes).unwrap();
        assert!(opens(&b, PASSPHRASE));
        assert_eq!((std::fs::read(&ours).unwrap(), std::fs::read(&coming).unwrap()), (before.clone(), bytes));
    }
    // The next one that is sealed takes it away.
    b.ok(&["operator", "rotate", "--keep-passphrase"]);
    assert!(opens(&b, PASSPHRASE) && !coming.exists());
}

#[test]
fn the_code_is_shown_once_on_the_terminal_and_typed_there_again() {
    let b = Bench::empty();
    let mut desk = Desk::start(
        &b,
        80,
        24,
        &["init", "--name", "ACME", "--operator", "Ada", "--cap-move", "5USD", "--cap-week", "9USD", "--recovery"],
        "cat",
    );
    desk.at("a passphrase for your operator identity: ", &format!("{PASSPHRASE}\n"));
    desk.at("the same again: ", &format!("{PASSPHRASE}\n"));
    desk.wait_for("Type its last group to go on: ");
    let rows = desk.rows();
    let is_group = |w: &&str| w.len() == 4 && w.bytes().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    let groups: Vec<String> = rows
        .iter()
        .filter(|r| r.starts_with("    "))
        .flat_map(|r| r.split_whitespace().filter(is_group).map(String::from).collect::<Vec<_>>())
        .collect();
    assert_eq!(groups.len(), 14, "{rows:#?}");
    // Only who has seen it goes on.
    desk.type_in("nope\n");
    desk.at("Type its last group to go on: ", &format!("{}\n", groups[13].to_lowercase()));
    assert_eq!(desk.end(), 0, "{:#?}", desk.rows());
    assert!(desk.is_sane());
    // The screen that it was on is gone.
    let after = desk.rows().join("\n");
    assert!(!after.contains(&groups[3]) && after.contains("on paper"), "{after}");

    let mut desk = Desk::start(&b, 80, 24, &["operator", "recover", "op-1"], "cat");
    desk.at("recovery code of op-1: ", "AAAA BBBB\n");
    desk.wait_for("again, please");
    desk.at("recovery code of op-1: ", &format!("{}\n", groups.join("-")));
    desk.at("a new passphrase for op-1: ", &format!("{NEW}\n"));
    desk.at("the same again: ", &format!("{NEW}\n"));
    assert_eq!(desk.end(), 0, "{:#?}", desk.rows());
    assert!(!String::from_utf8_lossy(&desk.bytes()).contains(&groups[3]), "it is not echoed");
    std::fs::write(b.path("pass"), NEW).unwrap();
    b.ok(&["agent", "add", "build-bot"]);
    b.ok(&["audit", "verify"]);
}

/// Ctrl-C while the code is on the screen: it does not stay there.
#[test]
fn a_code_that_nobody_wrote_down_is_gone_from_the_screen() {
    let (b, _) = bench();
    let pass = b.path("pass");
    let args = ["operator", "recovery", "new", "--passphrase-file", pass.to_str().unwrap()];
    let mut desk = Desk::start(&b, 80, 24, &args, "cat");
    desk.wait_for("Type its last group to go on: ");
    let row = desk.rows().into_iter().find(|r| r.starts_with("    ")).unwrap();
    let group = row.split_whitespace().next().unwrap().to_string();
    desk.type_in("\x03");
    assert_ne!(desk.end(), 0, "{:#?}", desk.rows());
    let after = desk.rows().join("\n");
    assert!(!after.contains(&group) && after.contains("interrupted"), "{after}");
    assert!(desk.is_sane());
    // Nothing was enrolled that nobody has.
    assert_eq!(json(&b, 0, &["operator", "list"])["operators"].as_array().unwrap().len(), 2);
}
