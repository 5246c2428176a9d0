//! Files that are not what they should be: a clear error or an answer, never a panic, never a hang.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::lab::{Lab, READ, place};
use crate::support::{Bench, code, text};
use crate::{copy_tree, ends, soak, verify};

/// A workspace with some history, to be copied and damaged.
struct Kept {
    lab: Lab,
    /// The directory of its log inside the state directory.
    log: std::ffi::OsString,
}

fn kept() -> Kept {
    let lab = Lab::new();
    for _ in 0..3 {
        lab.ask(READ, 0);
    }
    let log = lab.ws().state_dir().file_name().unwrap().to_owned();
    Kept { lab, log }
}

/// A copy that may be damaged.
struct Copy {
    b: Bench,
    state: std::path::PathBuf,
}

impl Kept {
    fn copy(&self) -> Copy {
        let b = Bench::empty();
        let from = place(&self.lab.bench);
        copy_tree(&from.dir, &b.workspace());
        copy_tree(&from.state, &b.path("state"));
        std::fs::copy(self.lab.bench.identity("build-bot"), b.identity("build-bot")).unwrap();
        let state = b.path("state").join(&self.log);
        Copy { b, state }
    }
}

impl Copy {
    /// Commands that read, that ask, that close, that open; each with what it needs.
    fn commands(&self) -> Vec<(&'static str, Command)> {
        let bare = |args: &[&str]| {
            let mut c = self.b.bare();
            c.args(args);
            c
        };
        let door = ["connect", "github", "--agent", "build-bot", "--scope", "repo:other/app", "--data", "internal"];
        vec![
            ("status", bare(&["status"])),
            ("verify", bare(&["audit", "verify"])),
            ("log", bare(&["audit", "log"])),
            ("grants", bare(&["grant", "list"])),
            ("check", bare(&[&["check", "--agent", "build-bot"], READ].concat())),
            ("ask", self.b.agent("build-bot", &[&["request", "new"], READ].concat())),
            ("connect", self.b.cmd(&door)),
            ("policy", bare(&["policy", "show"])),
            ("freeze", bare(&["freeze"])),
        ]
    }

    /// Runs them all; gives the exit codes by name, and what `freeze` and all others said.
    fn run(&self, what: &str) -> std::collections::BTreeMap<&'static str, (i32, String)> {
        self.run_only(what, &[])
    }

    /// Runs those of that name; all where none is named.
    fn run_only(&self, what: &str, names: &[&str]) -> std::collections::BTreeMap<&'static str, (i32, String)> {
        let mut found = std::collections::BTreeMap::new();
        for (name, mut c) in self.commands().into_iter().filter(|(n, _)| names.is_empty() || names.contains(n)) {
            let out = ends(&mut c);
            let said = text(&out.stderr);
            assert!(code(&out) == 0 || said.contains("error: ") || !out.stdout.is_empty(), "{what}, {name}: no word");
            found.insert(name, (code(&out), format!("{}{said}", text(&out.stdout))));
        }
        found
    }
}

/// What is done to a file, and what to call that.
type Damage = (&'static str, fn(&Path));

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn replace_by_directory(path: &Path) {
    let _ = std::fs::remove_file(path);
    std::fs::create_dir(path).unwrap();
}

fn replace_by_link(path: &Path, to: &str) {
    let _ = std::fs::remove_file(path);
    symlink(to, path).unwrap();
}

fn replace_by_pipe(path: &Path) {
    let _ = std::fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A database that was cut off or holds garbage is an error (3) or an integrity failure (4) for everybody who looks there,
/// and nobody says that it verifies.
#[test]
fn a_damaged_database_is_never_fine() {
    let kept = kept();
    let whole = std::fs::read(kept.lab.bench.db()).unwrap();
    let len = whole.len();
    let mut seen = std::collections::BTreeMap::new();
    let cuts = [0, 1, 15, 16, 17, 99, 100, 101, 511, 512, 4095, 4096, 4097, len / 3, len / 2, len - 4096, len - 1];
    for cut in cuts {
        let copy = kept.copy();
        std::fs::write(copy.b.db(), &whole[..cut]).unwrap();
        for (name, mut c) in copy.commands() {
            let out = ends(&mut c);
            if name == "verify" {
                assert!([3, 4].contains(&code(&out)), "cut at {cut}: {}{}", text(&out.stdout), text(&out.stderr));
            }
            *seen.entry((name, code(&out))).or_insert(0) += 1;
        }
    }
    // Garbage over a part of it, in steps over the whole file.
    let count = usize::try_from(24 * soak()).unwrap();
    for n in 0..count {
        let copy = kept.copy();
        let mut bytes = whole.clone();
        let at = len * n / count;
        let end = (at + 600).min(len);
        let mut x = u32::try_from(n).unwrap().wrapping_mul(2_654_435_761) | 1;
        for byte in &mut bytes[at..end] {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            *byte = x.to_le_bytes()[0];
        }
        std::fs::write(copy.b.db(), &bytes).unwrap();
        for (name, mut c) in copy.commands().into_iter().filter(|(name, _)| ["verify", "check", "ask"].contains(name)) {
            let out = ends(&mut c);
            // What hits a page that nobody uses harms nothing.
            *seen.entry((name, code(&out))).or_insert(0) += 1;
        }
    }
    println!("{seen:?}");
    assert!(seen[&("verify", 4)] > 5 && seen[&("verify", 3)] > 5, "{seen:?}");
}

#[test]
fn what_is_no_database_is_said() {
    let kept = kept();
    let damages: &[Damage] = &[
        ("garbage", |p| std::fs::write(p, [0x5a; 8192]).unwrap()),
        ("a text", |p| std::fs::write(p, "not a database").unwrap()),
        ("a directory", replace_by_directory),
        ("a dangling link", |p| replace_by_link(p, "nowhere")),
        ("a link to itself", |p| replace_by_link(p, "aosctl.db")),
        ("a device", |p| replace_by_link(p, "/dev/null")),
        ("an endless device", |p| replace_by_link(p, "/dev/zero")),
        ("a pipe", replace_by_pipe),
    ];
    for (what, damage) in damages {
        let copy = kept.copy();
        damage(&copy.b.db());
        for (name, (exit, said)) in copy.run(what) {
            assert!(exit == 3 || exit == 4, "{what}, {name}: exit {exit}\n{said}");
        }
    }
    // A link to a workspace is one.
    let copy = kept.copy();
    let moved = copy.b.path("moved");
    std::fs::rename(copy.b.workspace(), &moved).unwrap();
    symlink(&moved, copy.b.workspace()).unwrap();
    assert!(copy.run("a linked workspace").values().all(|(exit, _)| *exit == 0));
    assert_eq!(verify(&copy.b).0, 0);
}

#[test]
fn a_broken_pin_opens_nothing_and_fails_verification() {
    let kept = kept();
    let damages: &[Damage] = &[
        ("empty", |p| std::fs::write(p, "").unwrap()),
        ("garbage", |p| std::fs::write(p, [0xff; 300]).unwrap()),
        ("cut", |p| {
            let note = std::fs::read(p).unwrap();
            std::fs::write(p, &note[..note.len() / 2]).unwrap();
        }),
        ("huge", |p| std::fs::write(p, vec![b'a'; 200_000]).unwrap()),
        ("a directory", replace_by_directory),
        ("a link to itself", |p| replace_by_link(p, "pin")),
        ("a device", |p| replace_by_link(p, "/dev/zero")),
        ("a pipe", replace_by_pipe),
        ("open to others", |p| mode(p, 0o666)),
    ];
    for (what, damage) in damages {
        let copy = kept.copy();
        damage(&copy.state.join("pin"));
        let found = copy.run(what);
        let (exit, said) = &found["freeze"];
        assert!(
            *exit == 0 && said.contains("pin"),
            "{what}: nothing stands in the way of a freeze: exit {exit}\n{said}"
        );
        for name in ["verify", "ask", "connect"] {
            let (exit, said) = &found[name];
            assert!([3, 4].contains(exit), "{what}, {name}: exit {exit}\n{said}");
            assert!(said.contains("pin"), "{what}, {name}: {said}");
        }
        if *what == "open to others" {
            assert!(found["ask"].1.contains("chmod 600"), "{}", found["ask"].1);
        }
        // Nobody can say whether this is yesterday's log, so nothing is decided by it.
        let (exit, said) = &found["check"];
        assert!([3, 4].contains(exit) && said.contains("deny"), "{what}: exit {exit}\n{said}");
    }
    // Without one, verification fails.
    let copy = kept.copy();
    std::fs::remove_file(copy.state.join("pin")).unwrap();
    let (exit, said) = verify(&copy.b);
    assert_eq!(exit, 4, "{said}");
    assert!(said.contains("the pin outside the workspace is missing"), "{said}");
}

#[test]
fn identities_that_are_not_theirs_sign_nothing() {
    let kept = kept();
    let damages: &[Damage] = &[
        ("missing", |p| std::fs::remove_file(p).unwrap()),
        ("empty", |p| std::fs::write(p, "").unwrap()),
        ("garbage", |p| std::fs::write(p, [0xff; 300]).unwrap()),
        ("cut", |p| {
            let json = std::fs::read(p).unwrap();
            std::fs::write(p, &json[..json.len() - 20]).unwrap();
        }),
        ("huge", |p| std::fs::write(p, vec![b'{'; 2_000_000]).unwrap()),
        ("deep", |p| std::fs::write(p, "[".repeat(60_000)).unwrap()),
        ("a directory", replace_by_directory),
        ("a link to itself", |p| {
            let name = p.file_name().unwrap().to_str().unwrap().to_string();
            replace_by_link(p, &name);
        }),
        ("a device", |p| replace_by_link(p, "/dev/zero")),
        ("open to others", |p| mode(p, 0o777)),
    ];
    type Find = fn(&Copy) -> std::path::PathBuf;
    let files: [(&str, Find); 3] = [
        ("ask", |c| c.b.identity("build-bot")),
        ("connect", |c| c.b.workspace().join("operators/op-1.json")),
        ("freeze", |c| c.state.join("log.json")),
    ];
    for (needs, file) in files {
        for (what, damage) in damages {
            let copy = kept.copy();
            damage(&file(&copy));
            let found = copy.run_only(what, &[needs, "check", "log"]);
            let (exit, said) = &found[needs];
            assert!([1, 3].contains(exit), "{needs}, {what}: exit {exit}\n{said}");
            assert!(said.contains("error: "), "{needs}, {what}: {said}");
            if *what == "open to others" {
                assert!(said.contains("chmod 600"), "{needs}: {said}");
            }
            assert_eq!(found["check"].0, 0, "{needs}, {what}");
            assert_eq!(found["log"].0, 0, "{needs}, {what}");
        }
    }
}

#[test]
fn other_things_in_the_way_are_said() {
    let kept = kept();
    type Other = (&'static str, fn(&Copy));
    let damages: &[Other] = &[
        ("the lock is a directory", |c| replace_by_directory(&c.b.workspace().join("aosctl.lock"))),
        ("the lock is a link to itself", |c| replace_by_link(&c.b.workspace().join("aosctl.lock"), "aosctl.lock")),
        ("the wal is a directory", |c| replace_by_directory(&c.b.workspace().join("aosctl.db-wal"))),
        ("the wal is a link to itself", |c| replace_by_link(&c.b.workspace().join("aosctl.db-wal"), "aosctl.db-wal")),
        ("the wal index is a directory", |c| replace_by_directory(&c.b.workspace().join("aosctl.db-shm"))),
        ("the wal index is garbage", |c| {
            std::fs::write(c.b.workspace().join("aosctl.db-shm"), [0x5a; 40_000]).unwrap();
        }),
        ("the policy is a directory", |c| replace_by_directory(&c.b.workspace().join("policy.toml"))),
        ("the policy is garbage", |c| std::fs::write(c.b.workspace().join("policy.toml"), [0xff; 999]).unwrap()),
        ("the policy is endless", |c| replace_by_link(&c.b.workspace().join("policy.toml"), "/dev/zero")),
        ("the state is gone", |c| std::fs::remove_dir_all(&c.state).unwrap()),
        ("the state is a file", |c| {
            std::fs::remove_dir_all(&c.state).unwrap();
            std::fs::write(&c.state, "").unwrap();
        }),
        ("the operators are a file", |c| {
            std::fs::remove_dir_all(c.b.workspace().join("operators")).unwrap();
            std::fs::write(c.b.workspace().join("operators"), "").unwrap();
        }),
    ];
    for (what, damage) in damages {
        let copy = kept.copy();
        damage(&copy);
        let found = copy.run(what);
        let codes: Vec<_> = found.iter().map(|(name, (exit, _))| format!("{name} {exit}")).collect();
        println!("{what}: {}", codes.join(", "));
        // Whatever was acknowledged is there once it is put right.
        for name in ["aosctl.lock", "aosctl.db-wal", "aosctl.db-shm"] {
            let path = copy.b.workspace().join(name);
            let _ = std::fs::remove_dir(&path);
            if path.symlink_metadata().is_ok_and(|m| m.is_symlink()) {
                std::fs::remove_file(&path).unwrap();
            }
        }
        if !copy.state.is_dir() {
            let _ = std::fs::remove_file(&copy.state);
            copy_tree(&place(&kept.lab.bench).state.join(&kept.log), &copy.state);
        }
        let acknowledged = found["ask"].0 == 0;
        let c = rusqlite::Connection::open(copy.b.db()).unwrap();
        let asked: i64 =
            c.query_row("SELECT count(*) FROM entries WHERE kind = 'request.made/1'", [], |r| r.get(0)).unwrap();
        drop(c);
        assert_eq!(asked, 3 + i64::from(acknowledged), "{what}");
        let (exit, said) = verify(&copy.b);
        assert_eq!(exit, 0, "{what}: {said}");
    }
}

/// Everything open to everybody: secrets are refused with the line to type, nothing else minds.
#[test]
fn permissions_that_are_too_wide() {
    let kept = kept();
    let copy = kept.copy();
    let all = Command::new("chmod").args(["-R", "0777"]).arg(copy.b.workspace()).arg(copy.b.path("state")).status();
    assert!(all.unwrap().success());
    mode(&copy.b.identity("build-bot"), 0o777);
    let found = copy.run("0777");
    for name in ["ask", "connect", "freeze"] {
        assert_eq!(found[name].0, 3, "{name}: {}", found[name].1);
        assert!(found[name].1.contains("chmod 600"), "{name}: {}", found[name].1);
    }
    // A passphrase that others can read is refused too.
    let copy = kept.copy();
    mode(&copy.b.path("pass"), 0o644);
    let out = ends(&mut copy.b.cmd(&["agent", "add", "late-bot"]));
    assert_eq!(code(&out), 3);
    assert!(text(&out.stderr).contains("chmod 600"), "{}", text(&out.stderr));
}
