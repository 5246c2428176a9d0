//! A full disk: nothing acknowledged is lost, nothing half is kept, and it is said.

use std::process::Command;

use crate::lab::{Lab, READ, parse, place};
use crate::support::{Bench, code, text};
use crate::{Small, assert_whole, ends};

/// A bench whose workspace and state lie on a disk of their own.
fn on(disk: &std::path::Path, b: &Bench, args: &[&str], identity: bool) -> Command {
    let mut c = b.bare();
    c.env("AOSCTL_WORKSPACE", disk.join("ws")).env("AOSCTL_STATE_DIR", disk.join("state")).args(args);
    match identity {
        true => c.arg("--identity").arg(b.identity("build-bot")),
        false => c.arg("--passphrase-file").arg(b.path("pass")),
    };
    c
}

fn entries(disk: &std::path::Path) -> u64 {
    let place = aosctl::workspace::Place { dir: disk.join("ws"), state: disk.join("state") };
    aosctl::workspace::Workspace::open(place).unwrap().store().last_seq().unwrap().unwrap() + 1
}

#[test]
fn a_full_file_system_refuses_and_loses_nothing() {
    let b = Bench::empty();
    let disk = b.path("disk");
    let Some(_mount) = Small::mount(&disk, "size=3m") else {
        println!("this user may not mount; tested with a file size limit instead");
        return;
    };
    let ok = |args: &[&str], identity: bool| {
        let out = ends(&mut on(&disk, &b, args, identity));
        assert_eq!(code(&out), 0, "{args:?}: {}{}", text(&out.stdout), text(&out.stderr));
        out
    };
    let filler = disk.join("filler");
    let free = |bytes: usize| {
        let _ = std::fs::remove_file(&filler);
        // Everything, then so much less.
        let mut file = std::fs::File::create(&filler).unwrap();
        let mut written = 0;
        while std::io::Write::write_all(&mut file, &[1; 4096]).is_ok() {
            written += 4096;
        }
        file.set_len(u64::try_from(written - bytes.min(written)).unwrap()).unwrap();
    };
    // Nothing is begun where there is no room for it.
    let mut refused = 0;
    for kib in [0, 8, 40, 120, 200] {
        free(kib * 1024);
        let out = ends(&mut on(&disk, &b, &["init", "--name", "ACME"], false));
        assert_eq!(code(&out), 3, "{kib}: {}", text(&out.stderr));
        assert!(text(&out.stderr).contains("full") || text(&out.stderr).contains("No space"), "{}", text(&out.stderr));
        let left: Vec<_> = std::fs::read_dir(&disk).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(left.iter().all(|n| n == "filler" || n == "state"), "{left:?}");
        assert_eq!(std::fs::read_dir(disk.join("state")).map_or(0, Iterator::count), 0);
    }
    std::fs::remove_file(&filler).unwrap();
    ok(&["init", "--name", "ACME"], false);
    ok(&["agent", "add", "build-bot", "--out", b.identity("build-bot").to_str().unwrap()], false);
    ok(
        &[
            "connect",
            "github",
            "--agent",
            "build-bot",
            "--scope",
            "repo:acme/app",
            "--data",
            "internal",
            "--access",
            "read",
        ],
        false,
    );
    let ask = [&["--json", "request", "new"], READ].concat();
    let size = entries(&disk);
    let mut acknowledged = vec![];
    for kib in (0..=160).step_by(8) {
        free(kib * 1024);
        let out = ends(&mut on(&disk, &b, &ask, true));
        match code(&out) {
            0 => acknowledged.push(parse(&out)["id"].as_str().unwrap().to_string()),
            3 => {
                refused += 1;
                let said = text(&out.stderr);
                assert!(said.contains("full") || said.contains("No space"), "{kib} KiB: {said}");
            }
            other => panic!("exit {other}: {}", text(&out.stderr)),
        }
        // What closes a door says so too.
        let out = ends(&mut on(&disk, &b, &["freeze", "--dry-run"], false));
        assert!([0, 3].contains(&code(&out)), "{}", text(&out.stderr));
        std::fs::remove_file(&filler).unwrap();
        assert!(entries(&disk) >= size + acknowledged.len() as u64, "{kib} KiB");
    }
    println!("{refused} refused, {} acknowledged", acknowledged.len());
    assert!(refused > 0 && !acknowledged.is_empty());
    let kept = aosctl::workspace::Workspace::open(aosctl::workspace::Place {
        dir: disk.join("ws"),
        state: disk.join("state"),
    })
    .unwrap();
    for r in &acknowledged {
        use aosctl::domain::facts::Facts;
        assert!(kept.facts().request(r.parse().unwrap()).unwrap().is_some(), "{r} was acknowledged and is gone");
    }
    drop(kept);
    ok(&["audit", "verify"], true);
    ok(&ask, true);
    ok(&["audit", "verify"], true);
}

/// A limit on the size of files is what every user has: the write fails as on a full disk.
#[test]
fn a_file_that_may_not_grow_refuses_and_loses_nothing() {
    let lab = Lab::new();
    let (mut refused, mut allowed) = (0, 0);
    // The database has some 200 KiB; a block is 512 bytes or 1 KiB, as the shell has it.
    for blocks in [0, 1, 8, 32, 64, 100, 200, 400, 800, 1600] {
        // With the signal as it is and with the signal ignored.
        for trap in ["", "trap '' XFSZ; "] {
            let before = lab.entries();
            let mut c = Command::new("/bin/sh");
            c.arg("-c").arg(format!("{trap}ulimit -f {blocks}; exec \"$@\"")).arg("sh");
            let ask = lab.bench.agent("build-bot", &[&["--json", "request", "new"], READ].concat());
            c.arg(ask.get_program()).args(ask.get_args()).env_clear().current_dir(lab.bench.dir.path());
            c.envs(ask.get_envs().filter_map(|(k, v)| Some((k, v?))));
            let out = ends(&mut c);
            match code(&out) {
                0 => {
                    allowed += 1;
                    assert_eq!(lab.entries(), before + 1);
                }
                3 => {
                    refused += 1;
                    assert_eq!(lab.entries(), before, "{}", text(&out.stderr));
                }
                other => panic!("exit {other}: {}", text(&out.stderr)),
            }
        }
    }
    println!("{refused} refused, {allowed} allowed");
    assert!(refused > 0 && allowed > 0);
    assert_whole(&lab.bench);
    lab.ask(READ, 0);
    assert_whole(&lab.bench);
}

/// A file system that was mounted read-only, or, for those who may not mount, directories that may not be written:
/// reading and writing say so.
#[test]
fn a_read_only_file_system_is_said() {
    let lab = Lab::new();
    let disk = lab.bench.path("disk");
    let mount = Small::mount(&disk, "size=8m");
    let from = place(&lab.bench);
    crate::copy_tree(&from.dir, &disk.join("ws"));
    crate::copy_tree(&from.state, &disk.join("state"));
    let writable = |yes: bool| match &mount {
        Some(mount) => mount.remount(if yes { "rw" } else { "ro" }),
        None => {
            let mode = if yes { "u+w" } else { "u-w" };
            let done = Command::new("chmod").args(["-R", mode]).arg(&disk).status().unwrap();
            assert!(done.success());
        }
    };
    writable(false);
    let ask = [&["request", "new"], READ].concat();
    for line in [&["status"][..], &["audit", "verify"], &["grant", "list"], &ask, &["freeze"]] {
        let out = ends(&mut on(&disk, &lab.bench, line, true));
        println!("{line:?}: {}: {}", code(&out), text(&out.stderr).trim());
        assert_eq!(code(&out), 3, "{line:?}: {}{}", text(&out.stdout), text(&out.stderr));
        assert!(text(&out.stderr).contains("read-only"), "{line:?}: {}", text(&out.stderr));
        if mount.is_some() {
            let said = text(&out.stderr);
            assert!(said.contains("error: the workspace lies on") && said.contains("hint: copy"), "{line:?}: {said}");
        }
    }
    writable(true);
    let out = ends(&mut on(&disk, &lab.bench, &ask, true));
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert_eq!(code(&ends(&mut on(&disk, &lab.bench, &["audit", "verify"], true))), 0);
}
