//! Where a bundle goes: never over anything, whole or not at all, private.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::support::{code, text};
use crate::{aosctl, copy, export, exported, left_over, out};

#[test]
fn nothing_is_replaced_and_everything_is_private() {
    let w = copy();
    let place = w.place();
    std::fs::write(out(&place, "file"), "theirs").unwrap();
    std::fs::create_dir(out(&place, "full")).unwrap();
    std::fs::write(out(&place, "full/theirs"), "").unwrap();
    std::os::unix::fs::symlink("nowhere", out(&place, "link")).unwrap();
    std::os::unix::fs::symlink("nowhere", out(&place, "link.tar")).unwrap();
    std::fs::write(out(&place, "file.tar"), "theirs").unwrap();
    for name in ["file", "full", "link", "file.tar", "link.tar"] {
        let done = export(&place, name, &[]);
        assert_eq!(code(&done), 3, "{name}");
        assert!(text(&done.stderr).contains("already exists"), "{name}: {}", text(&done.stderr));
    }
    assert_eq!(std::fs::read(out(&place, "file")).unwrap(), b"theirs");
    assert_eq!(left_over(&place), [""; 0]);
    std::fs::create_dir(out(&place, "empty")).unwrap();
    exported(&place, "empty", &[]);
    exported(&place, "a.tar", &[]);
    let mode = |name: &str| out(&place, name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("empty"), mode("empty/identities"), mode("a.tar")), (0o700, 0o700, 0o600));
    for name in crate::files(&out(&place, "empty")).keys() {
        assert_eq!(mode(&format!("empty/{name}")), 0o600, "{name}");
    }
    assert!(!aosctl::evidence::export::handed_out(&w.open()).iter().any(|h| h.file == "file"));
}

#[test]
fn mistakes_are_named() {
    let w = copy();
    let place = w.place();
    let said = |args: &[&str], exit: i32, what: &str| {
        let done = aosctl(&place, &[&["audit", "export"], args].concat()).output().unwrap();
        assert_eq!(code(&done), exit, "{args:?}: {}", text(&done.stderr));
        assert!(text(&done.stderr).contains(what), "{args:?}: {}", text(&done.stderr));
    };
    said(&[], 2, "say where the bundle goes");
    said(&["-o", "log.zip"], 2, "a directory or a tar");
    said(&["-o", "log.tar.gz"], 2, "a directory or a tar");
    said(&["-o", "x", "--payloads", "nonsense"], 2, "no entry has the type nonsense");
    said(&["-o", "x", "--since", "yesterday"], 2, "is not a time");
    said(&["-o", "x", "--since", "2026-02-01", "--until", "2026-01-01"], 2, "--since lies at or after --until");
    said(&["-o", "-", "--json"], 2, "cannot carry JSON");
    said(&["-o", "no/such/place"], 3, "hint: make the directory first: mkdir -p no/such\n");
    let nowhere = aosctl(&place, &["audit", "export", "-o", "no/such/place"]).output().unwrap();
    assert!(!text(&nowhere.stderr).contains(".tmp"), "a name that nobody gave: {}", text(&nowhere.stderr));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done = aosctl(&place, &["audit", "export", "-o", "-"]).stdout(full).output().unwrap();
    assert_eq!(code(&done), 3);
    let why = text(&done.stderr);
    assert!(why.contains("what was written there so far is no whole tar") && !why.contains("removed"), "{why}");
    said(&["-o", place.dir.join("inside").to_str().unwrap()], 2, "inside the workspace");
    said(&["-o", place.state.join("inside").to_str().unwrap()], 2, "inside the state directory");
    assert_eq!(left_over(&place), [""; 0]);
}

#[test]
fn without_the_log_identity_nothing_is_written() {
    let w = copy();
    let place = w.place();
    std::fs::remove_file(w.state().join("log.json")).unwrap();
    let done = export(&place, "x", &[]);
    assert_eq!(code(&done), 3, "{}", text(&done.stderr));
    assert!(text(&done.stderr).contains("the log identity"), "{}", text(&done.stderr));
    assert!(!out(&place, "x").exists());
}

/// A log that is long enough to be killed in.
fn long() -> crate::world::World {
    let w = copy();
    // Bytes go out as they lie there, so rows need not be entries: what is made is slow, not sound.
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
         INSERT INTO entries SELECT 1000 + i, zeroblob(600), 'request.made/1', 'ag-1', 'r-1', 9 FROM n;";
    aosctl::store::write_from_outside(&w.place().database(), sql).unwrap();
    w
}

#[test]
fn a_killed_export_leaves_nothing_under_the_name() {
    let w = long();
    let place = w.place();
    for name in ["killed", "killed.tar"] {
        let mut halves = 0;
        for wait in [20, 60, 120, 200, 300, 450] {
            let mut child = aosctl(&place, &["audit", "export", "-o", name])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            // Whenever it is: before, amid and after are all right, and none may leave a half.
            std::thread::sleep(std::time::Duration::from_millis(wait));
            child.kill().unwrap();
            child.wait().unwrap();
            let path = out(&place, name);
            if path.exists() {
                if path.is_dir() {
                    let lines = std::fs::read(path.join("entries.jsonl")).unwrap();
                    assert!(lines.len() >= 60_000 * 601);
                    std::fs::remove_dir_all(&path).unwrap();
                } else {
                    assert!(path.metadata().unwrap().len() >= 60_000 * 601);
                    std::fs::remove_file(&path).unwrap();
                }
            } else {
                halves += 1;
            }
        }
        println!("{name}: {halves} of 6 were killed before the end");
    }
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing() {
    let w = long();
    let place = w.place();
    for (name, blocks) in [("full", 2000), ("full.tar", 2000), ("soon", 200), ("soon.tar", 200)] {
        let c = aosctl(&place, &["audit", "export", "-o", name]);
        let mut sh = Command::new("/bin/sh");
        sh.args(["-c", &format!("ulimit -f {blocks}; exec \"$@\""), "sh"]).arg(c.get_program()).args(c.get_args());
        sh.env_clear().envs(c.get_envs().filter_map(|(k, v)| Some((k, v?)))).current_dir(c.get_current_dir().unwrap());
        let done = sh.output().unwrap();
        assert_eq!(code(&done), 3, "{name}: {}", text(&done.stderr));
        let said = text(&done.stderr);
        assert!(said.contains("the disk is full") || said.contains("File too large"), "{name}: {said}");
        assert!(!out(&place, name).exists(), "{name}");
    }
    assert_eq!(left_over(&place), [""; 0]);
    // A device that is always full, for the stream.
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let done = aosctl(&place, &["audit", "export", "-o", "-"]).stdout(full).output().unwrap();
        assert_eq!(code(&done), 3, "{}", text(&done.stderr));
        assert!(text(&done.stderr).contains("the disk is full"), "{}", text(&done.stderr));
    }
    // A reader who goes away.
    let mut child =
        aosctl(&place, &["audit", "export", "-o", "-"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert_eq!(code(&done), 3);
    assert!(text(&done.stderr).contains("the reader went away"), "{}", text(&done.stderr));
}
