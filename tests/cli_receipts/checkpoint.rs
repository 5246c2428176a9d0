//! `audit checkpoint`, and the line that commits one to git.

use aosctl::log::checkpoint::{Checkpoint, VerifierKey};

use crate::*;

#[test]
fn the_newest_checkpoint_is_signed_and_written_whole() {
    let b = bench();
    let vkey = VerifierKey::parse(&vkey(&b)).unwrap();
    let printed = b.ok(&["audit", "checkpoint"]);
    let (checkpoint, lines) = Checkpoint::open(printed.as_bytes(), &vkey).unwrap();
    assert_eq!((checkpoint.size, lines.len()), (2, 0));
    let out = b.run(&["audit", "checkpoint", "-o", "c", "--sshsig", "c.sig"]);
    expect(&out, 0, "entries 2");
    assert_eq!(read(&b.path("c")), printed, "the same log gives the same bytes");
    assert!(read(&b.path("c.sig")).starts_with("-----BEGIN SSH SIGNATURE-----\n"));
    // A cron job: nothing is said where all is well.
    let out = b.run(&["audit", "checkpoint", "-q", "-o", "c"]);
    assert_eq!((code(&out), text(&out.stdout), text(&out.stderr)), (0, String::new(), String::new()));
    let v = json(&b.run(&["audit", "checkpoint", "--json", "-o", "c"]));
    assert_eq!((v["schema"].as_str(), v["entries"].as_u64()), (Some("aosctl.audit-checkpoint/v1"), Some(2)));
    assert_eq!(v["checkpoint"].as_str(), Some(printed.as_str()));
    // Where nothing can be written, what was there stays.
    std::fs::create_dir(b.path("dir")).unwrap();
    expect(&b.run(&["audit", "checkpoint", "-o", "dir"]), 3, "is not a file");
    expect(&b.run(&["audit", "checkpoint", "-o", "no/such/place"]), 3, "cannot write");
    expect(&b.run(&["audit", "checkpoint", "--sshsig", "ws/x"]), 2, "--sshsig lies inside the workspace");
}

#[test]
fn nothing_is_signed_where_the_log_does_not_verify() {
    let b = bench();
    grow(&b, "github");
    support::sql(&b.db(), "UPDATE integrations SET handle = 'other'");
    let before = b.path("c");
    std::fs::write(&before, "kept").unwrap();
    expect(&b.run(&["audit", "checkpoint", "-o", "c"]), 4, "the log does not verify, so nothing was signed");
    expect(&b.run(&["audit", "checkpoint", "-o", "c"]), 4, "failed: projections");
    assert_eq!(read(&before), "kept");
}

/// The line of docs/witness.md, with a real git.
#[test]
fn one_line_commits_a_checkpoint_to_git() {
    let b = bench();
    let repo = b.path("repo");
    let script = "aosctl audit checkpoint -q -o log.checkpoint && git add log.checkpoint && git commit -qm checkpoint";
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/witness.md")).unwrap();
    assert!(page.contains(script), "docs/witness.md has another line");
    let bin = Path::new(env!("CARGO_BIN_EXE_aosctl")).parent().unwrap().to_path_buf();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let sh = |script: &str, dir: &Path| {
        let mut c = Command::new("sh");
        c.args(["-c", script]).current_dir(dir).env_clear().env("PATH", &path).env("HOME", b.dir.path());
        c.env("AOSCTL_WORKSPACE", b.workspace()).env("AOSCTL_STATE_DIR", b.path("state"));
        for who in ["AUTHOR", "COMMITTER"] {
            c.env(format!("GIT_{who}_NAME"), "ops").env(format!("GIT_{who}_EMAIL"), "ops@example.com");
        }
        c.output().unwrap()
    };
    expect(&sh("git init -q repo", b.dir.path()), 0, "");
    expect(&sh(script, &repo), 0, "");
    let first = read(&repo.join("log.checkpoint"));
    grow(&b, "bot");
    expect(&sh(script, &repo), 0, "");
    let out = sh("git log --format=%s && git show HEAD~1:log.checkpoint", &repo);
    assert_eq!(text(&out.stdout), format!("checkpoint\ncheckpoint\n{first}"));
    // What git kept is continued by the log of today.
    let out = sh("git show HEAD~1:log.checkpoint > old && aosctl audit prove --consistency old -o proof", &repo);
    expect(&out, 0, "from a checkpoint of 2 entries");
    // A log that does not verify leaves the committed one as it is.
    support::sql(&b.db(), "UPDATE integrations SET handle = 'other'");
    let out = sh(script, &repo);
    assert_eq!(code(&out), 4);
    assert_eq!(text(&sh("git status --porcelain --untracked-files=no", &repo).stdout), "");
}
