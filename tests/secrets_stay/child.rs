//! What a child of `run` gets: an environment that begins empty plus the usual names, the caller's umask, nothing else.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::CANARY;
use crate::lab::{Lab, READ, script};
use crate::support::{code, text};

#[test]
fn a_child_gets_what_is_named_and_nothing_else() {
    let lab = Lab::new();
    script(
        &lab.bench,
        "look",
        "#!/bin/sh\nenv > seen-env\numask > seen-umask\nls -l /proc/self/fd > seen-fd 2>&1\necho made > made\ncat > seen-stdin\n",
    );
    let run = |extra: &[&str]| {
        let r = lab.ask(READ, 0);
        let line = [&["run", &r][..], extra, &["--", "./look"]].concat();
        let c = lab.bench.agent("build-bot", &line);
        let mut sh = Command::new("/bin/sh");
        sh.args(["-c", "umask 027; exec \"$@\"", "sh"]).arg(c.get_program()).args(c.get_args());
        sh.env_clear().envs(c.get_envs().filter_map(|(k, v)| Some((k, v?))));
        for (name, value) in [
            ("CANARY", CANARY),
            ("AWS_SECRET_ACCESS_KEY", CANARY),
            ("GITHUB_TOKEN", CANARY),
            ("AOSCTL_IDENTITY", CANARY),
            ("AOSCTL_CANARY", CANARY),
            ("LD_PRELOAD_CANARY", CANARY),
            ("LANG", "C.UTF-8"),
            ("TZ", "UTC"),
            ("DEPLOY_TARGET", "staging"),
        ] {
            sh.env(name, value);
        }
        let mut child = sh
            .current_dir(lab.bench.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // What the caller has on standard input is not the child's either.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), CANARY.as_bytes());
        let out = child.wait_with_output().unwrap();
        assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
        let read = |name: &str| std::fs::read_to_string(lab.bench.path(name)).unwrap();
        (read("seen-env"), read("seen-umask"), read("seen-fd"), read("seen-stdin"))
    };
    let names = |env: &str| {
        let mut names: Vec<String> = env.lines().filter_map(|l| Some(l.split_once('=')?.0.to_string())).collect();
        // The shell that looks adds these by itself.
        names.retain(|n| !["PWD", "OLDPWD", "SHLVL", "_"].contains(&n.as_str()));
        names.sort();
        names
    };
    let (env, umask, fds, stdin) = run(&[]);
    assert_eq!(names(&env), ["HOME", "LANG", "PATH", "TZ"], "{env}");
    assert!(!env.contains("canary"), "{env}");
    assert_eq!(umask.trim().trim_start_matches('0'), "27");
    assert_eq!(lab.bench.path("made").metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(stdin, "", "the caller's standard input went to the child");
    // No database, no lock, no identity is open in it: the script itself, its three streams, and the listing.
    for line in fds.lines() {
        for ours in ["aosctl", "state", "identity", ".lock", "/pass"] {
            assert!(!line.contains(ours), "{fds}");
        }
    }
    let (env, ..) = run(&["--env", "DEPLOY_TARGET"]);
    assert_eq!(names(&env), ["DEPLOY_TARGET", "HOME", "LANG", "PATH", "TZ"], "{env}");
    // Those of aosctl are never given on, asked for or not.
    let r = lab.ask(READ, 0);
    let mut c = lab.bench.agent("build-bot", &["run", &r, "--env", "AOSCTL_CANARY", "--", "./look"]);
    let out = c.env("AOSCTL_CANARY", CANARY).output().unwrap();
    assert_ne!(code(&out), 0, "{}", text(&out.stderr));
    assert!(!text(&out.stderr).contains(CANARY));
    // Nor is any value in the log.
    let log = lab.bench.bare().args(["audit", "log", "--json"]).output().unwrap();
    assert!(!text(&log.stdout).contains("canary"));
    lab.verified();
}
