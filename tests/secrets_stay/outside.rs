//! What others can see of a process while it holds a secret.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{CANARY, Secrets, secret_file};
use crate::pty::Desk;
use crate::support::{Bench, code, text};

/// What `/proc` shows of a process; empty where it is gone or hidden.
pub fn seen(pid: u32) -> Vec<(&'static str, Vec<u8>)> {
    ["cmdline", "environ", "comm", "status", "stat", "limits", "maps", "wchan"]
        .into_iter()
        .map(|name| (name, std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default()))
        .collect()
}

/// While the passphrase is read and stretched, and the answer signed.
#[test]
fn neither_the_command_line_nor_the_environment_shows_it() {
    let b = Bench::empty();
    secret_file(&b, "pass", CANARY);
    let secrets = Secrets::passphrases();
    let mut looks = 0;
    for line in [&["init", "--name", "ACME"][..], &["agent", "add", "build-bot"], &["thaw"]] {
        let mut child: Child = b.cmd(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            for (name, bytes) in seen(child.id()) {
                secrets.assert_absent(&format!("/proc/PID/{name} of {line:?}"), &bytes);
                looks += usize::from(name == "cmdline" && !bytes.is_empty());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        secrets.assert_absent_in(&child.wait_with_output().unwrap(), &format!("{line:?}"));
    }
    println!("{looks} looks");
    assert!(looks > 20, "{looks} looks");
}

/// A process that waits for a passphrase, asked to dump its core.
#[cfg(target_os = "linux")]
#[test]
fn it_leaves_no_core() {
    use rustix::process::Signal;
    let b = Bench::empty();
    for signal in [Signal::ABORT, Signal::QUIT, Signal::TRAP] {
        // Where cores are allowed, and in a directory where one would be found. The pipe stays open: it waits for the rest.
        let mut sh = std::process::Command::new("/bin/sh");
        sh.args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_aosctl"), "init"]);
        sh.args(["--passphrase-file", "/dev/stdin"]).env_clear().env("HOME", b.dir.path());
        sh.env("AOSCTL_WORKSPACE", b.workspace()).env("AOSCTL_STATE_DIR", b.path("state"));
        sh.current_dir(b.dir.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = sh.spawn().unwrap();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), CANARY.as_bytes()).unwrap();
        // It is aosctl by now, and has lowered the limit that the shell had raised.
        let hardened = || {
            let exe = match std::fs::read_link(format!("/proc/{}/exe", child.id())) {
                // What may not be dumped may not be looked at by its own user either.
                Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => return true,
                exe => exe.unwrap_or_default(),
            };
            let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap_or_default();
            let core = limits.lines().find(|l| l.starts_with("Max core file size")).unwrap_or_default();
            exe.ends_with("aosctl") && core.split_whitespace().nth(4) == Some("0")
        };
        let begin = Instant::now();
        while !hardened() {
            assert!(begin.elapsed() < Duration::from_secs(30), "it never lowered its limit");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(50));
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, signal).unwrap();
        let status = child.wait().unwrap();
        assert!(status.signal().is_some(), "{status:?}");
        assert!(!status.core_dumped(), "a core was dumped on {signal:?}");
    }
    let cores: Vec<_> = std::fs::read_dir(b.dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.starts_with("core"))
        .collect();
    assert!(cores.is_empty(), "{cores:?}");
}

/// Typed at a terminal: never echoed, never in `/proc`.
#[test]
fn typed_at_a_terminal_it_is_not_shown() {
    let b = Bench::empty();
    let mut secrets = Secrets::passphrases();
    let mut desk = Desk::start(
        &b,
        80,
        24,
        &["init", "--name", "ACME", "--operator", "Ada", "--cap-move", "5USD", "--cap-week", "9USD", "--no-recovery"],
        "",
    );
    desk.at("a passphrase for your operator identity: ", &format!("{CANARY}\n"));
    desk.wait_for("the same again: ");
    for (name, bytes) in seen(desk.pid()) {
        secrets.assert_absent(&format!("/proc/PID/{name}"), &bytes);
    }
    // Nobody but root can look into its memory while it holds what was typed.
    if !rustix::process::geteuid().is_root() {
        for name in ["mem", "environ", "maps"] {
            let opened = std::fs::File::open(format!("/proc/{}/{name}", desk.pid()));
            assert!(opened.is_err(), "/proc/PID/{name} can be opened by its user");
        }
    }
    desk.type_in(&format!("{CANARY}\n"));
    assert_eq!(desk.end(), 0, "{:#?}", desk.rows());
    secrets.assert_absent("the terminal", &desk.bytes());
    assert!(desk.is_sane());
    secrets.add("the operator's key", &super::seed_of(&b.workspace().join("operators/op-1.json"), CANARY));
    // A wrong one is not echoed back either.
    let mut desk = Desk::start(&b, 80, 24, &["agent", "add", "build-bot"], "");
    desk.at("passphrase of op-1: ", &format!("{}\n", super::WRONG));
    assert_eq!(desk.end(), 1);
    secrets.assert_absent("the terminal", &desk.bytes());
    let mut desk = Desk::start(&b, 80, 24, &["agent", "add", "build-bot"], "");
    desk.at("passphrase of op-1: ", &format!("{CANARY}\n"));
    assert_eq!(desk.end(), 0, "{:#?}", desk.rows());
    secrets.assert_absent("the terminal", &desk.bytes());
    secrets.assert_absent_below(&b.workspace(), &[]);
}

/// Other ways in than a file of one's own: a pipe is one, a flag or a variable is none.
#[test]
fn it_comes_in_by_file_or_pipe_only() {
    let b = Bench::empty();
    let pass = secret_file(&b, "pass", CANARY);
    // A pipe, as the shell's <(...) gives one.
    let mut sh = std::process::Command::new("/bin/sh");
    let line = format!(
        "cat '{}' | '{}' init --name ACME --passphrase-file /dev/stdin",
        pass.display(),
        env!("CARGO_BIN_EXE_aosctl")
    );
    sh.args(["-c", &line]).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", b.dir.path());
    sh.env("AOSCTL_WORKSPACE", b.workspace()).env("AOSCTL_STATE_DIR", b.path("state"));
    let out = sh.output().unwrap();
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    for variable in ["AOSCTL_PASSPHRASE", "AOSCTL_PASSPHRASE_FILE", "PASSPHRASE"] {
        let out = b.bare().args(["agent", "add", "build-bot"]).env(variable, CANARY).output().unwrap();
        assert_eq!(code(&out), 3, "{variable} is a way in");
        Secrets::passphrases().assert_absent_in(&out, variable);
    }
    let help = text(&b.bare().arg("--help").output().unwrap().stdout);
    assert!(!help.contains("--passphrase "), "{help}");
}
