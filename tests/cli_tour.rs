//! The tour from outside: it ends well, says only what fits the screen, touches nothing of the user's, and leaves
//! nothing behind, however it ends.
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

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::{Bench, code, text};

/// Somebody's machine, with a home, a workspace in use, and a directory for temporary files that is empty.
struct Desk {
    bench: Bench,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk { bench: Bench::new() };
        desk.bench.add_agent("build-bot");
        for name in ["home", "tmp"] {
            std::fs::create_dir(desk.bench.path(name)).unwrap();
        }
        desk
    }

    fn tmp(&self) -> PathBuf {
        self.bench.path("tmp")
    }

    fn tour(&self, args: &[&str]) -> Command {
        let mut c = self.bench.bare();
        c.arg("tour").args(args).env("HOME", self.bench.path("home")).env("TMPDIR", self.tmp());
        c
    }

    fn nothing_is_left(&self) {
        for name in ["home", "tmp"] {
            let left: Vec<_> = std::fs::read_dir(self.bench.path(name)).unwrap().map(|e| e.unwrap().path()).collect();
            assert!(left.is_empty(), "left in {name}: {left:?}");
        }
    }
}

/// Every file under a directory, with its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

fn said(out: &Output, exit: i32) -> (String, String) {
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(code(out), exit, "{stdout}\n{stderr}");
    (stdout, stderr)
}

/// Lines wider than 80 columns that could be folded. A word without a space, as the verifier key is, has to stay whole.
fn wide(page: &str) -> Vec<&str> {
    let width = |line: &str| unicode_width::UnicodeWidthStr::width(line);
    page.lines().filter(|l| width(l) > 80 && l.trim().contains(' ')).collect()
}

#[test]
fn the_whole_job_is_done_and_nothing_is_left() {
    let desk = Desk::new();
    let (stdout, stderr) = said(&desk.tour(&[]).output().unwrap(), 0);
    assert_eq!(stderr, "");
    assert_eq!(wide(&stdout), Vec::<&str>::new());
    assert!(!stdout.contains('\x1b'), "colours in a file");
    // Each part of the job, in order.
    let mut rest = stdout.as_str();
    for part in [
        "ops$ aosctl init --name ACME",
        "ops$ aosctl agent add support-bot",
        "support-bot$ aosctl request new --integration github",
        "decision      deny",
        "[exit 1: ran, and the answer is no]",
        "ops$ aosctl connect github --agent support-bot --scope repo:acme/shop\n",
        "opened        g-1",
        "decision      allow",
        "ops$ aosctl connect stripe",
        "decision      ask",
        "over the cap of 200.00 USD a move",
        "[exit 5: a human decision is pending]",
        "ops$ aosctl status",
        "waits for you (2)",
        "ops$ aosctl approve r-3",
        "r-3 approved: support-bot may run it once",
        "ops$ aosctl deny r-4",
        "support-bot$ aosctl run r-3 -- echo 'refund ch_815 9500.00 USD'\nerror: ",
        "support-bot$ aosctl run r-3 -- echo 'refund ch_815 950.00 USD'\nrefund ch_815 950.00 USD\nr-3 succeeded",
        "error: r-3 was claimed before",
        "ops$ aosctl revoke g-1",
        "closed        g-1",
        "ops$ aosctl rotation check\nk-1 refunds-token overdue",
        "ops$ aosctl review\nACCESS REVIEW",
        "AOSCTL AUDIT OK - ",
        "sqlite> UPDATE requests SET denied_seq = NULL WHERE id = 'r-4';",
        "support-bot$ aosctl run r-4 -- echo 'refund ch_816 1800.00 USD'\nerror: r-4 was denied",
        "ops$ aosctl audit verify\n",
        "projections      failed",
        "table grants, row g-2: access is admin, the log says write",
        "table requests, row r-4: ",
        "table approvals, row r-4: is in the table and not in the log",
        "[exit 4: integrity failure]",
        "each ended as it should",
        "aosctl init --name COMPANY",
        "aosctl freeze",
    ] {
        let at = rest.find(part).unwrap_or_else(|| panic!("not there, or not in its place: {part}\n{stdout}"));
        rest = &rest[at + part.len()..];
    }
    let prompts = ["ops$ ", "support-bot$ ", "sqlite> UPDATE requests"];
    let steps = stdout.lines().filter(|l| prompts.iter().any(|p| l.starts_with(p))).count();
    assert!(stdout.contains(&format!("{steps} steps in ")), "{steps} steps were shown");
    desk.nothing_is_left();
}

#[test]
fn it_is_over_soon() {
    let desk = Desk::new();
    let start = std::time::Instant::now();
    said(&desk.tour(&[]).output().unwrap(), 0);
    // Ten seconds in a release build; this one is slower, and shares its machine with the other tests.
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn as_data_it_says_how_every_step_ended() {
    let desk = Desk::new();
    let (stdout, _) = said(&desk.tour(&["--json", "--color", "always"]).output().unwrap(), 0);
    let tour: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&tour["schema"], &tour["complete"]), (&"aosctl.tour/v1".into(), &true.into()));
    let steps: Vec<_> =
        tour["chapters"].as_array().unwrap().iter().flat_map(|c| c["steps"].as_array().unwrap()).collect();
    assert!(steps.len() >= 15);
    for step in &steps {
        assert_eq!(step["exit"], step["expected"], "{step}");
        assert!(!step["output"].as_str().unwrap().contains('\x1b'), "{step}");
    }
    let last = steps.last().unwrap();
    assert_eq!((&last["typed"], &last["exit"]), (&"aosctl audit verify".into(), &4.into()));
    desk.nothing_is_left();
}

/// 160 bits in base32 are 32 characters; nothing else on the page looks like that.
fn looks_like_the_passphrase(page: &str) -> bool {
    let base32 = |c: char| c.is_ascii_uppercase() || ('2'..='7').contains(&c);
    page.split(|c: char| !base32(c)).any(|word| word.len() >= 32)
}

#[test]
fn the_passphrase_is_shown_nowhere() {
    assert!(looks_like_the_passphrase("x MZXW6YTBOI2GCZLBMZXW6YTBOI2GCZLB y"));
    let desk = Desk::new();
    for args in [&[][..], &["--json"]] {
        let (stdout, stderr) = said(&desk.tour(args).output().unwrap(), 0);
        assert!(!looks_like_the_passphrase(&stdout) && !looks_like_the_passphrase(&stderr));
    }
}

#[test]
fn what_the_user_has_is_not_touched() {
    let desk = Desk::new();
    let before = files(desk.bench.dir.path());
    let mut tour = desk.tour(&[]);
    // Workspace and state directory of the bench are set already.
    tour.env("AOSCTL_IDENTITY", desk.bench.identity("build-bot"))
        .env("AOSCTL_PAGER", "false")
        .env("AOSCTL_UNKNOWN", "1")
        .env("COLUMNS", "200")
        .env("NO_COLOR", "1");
    let (stdout, _) = said(&tour.output().unwrap(), 0);
    assert!(!stdout.contains("build-bot"));
    assert_eq!(wide(&stdout), Vec::<&str>::new(), "a wide terminal gets no wider page");
    assert!(files(desk.bench.dir.path()) == before, "a file of the user's was changed");
    desk.bench.ok(&["audit", "verify"]);
    desk.nothing_is_left();
}

#[test]
fn a_flag_that_it_would_not_heed_is_refused() {
    let desk = Desk::new();
    for flag in ["--workspace", "--identity", "--passphrase-file"] {
        let (stdout, stderr) = said(&desk.tour(&[flag, "pass"]).output().unwrap(), 2);
        assert_eq!(stdout, "");
        assert!(stderr.contains(&format!("takes no {flag}")), "{stderr}");
    }
    desk.nothing_is_left();
}

#[test]
fn colours_where_they_are_wanted() {
    let desk = Desk::new();
    let (stdout, _) = said(&desk.tour(&["--color", "always"]).output().unwrap(), 0);
    assert!(stdout.contains("\x1b[31mdeny\x1b[0m"), "what commands print has their colours");
}

#[test]
fn nobody_reads_and_nobody_answers() {
    let desk = Desk::new();
    let exe = env!("CARGO_BIN_EXE_aosctl");
    // A shell, because a stream that is closed, not empty, cannot be asked for otherwise.
    for closed in ["<&-", ">&-", "<&- >&- 2>&-", "| head -1 >&2"] {
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &format!("set -o pipefail; '{exe}' tour {closed}")])
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin")])
            .env("HOME", desk.bench.path("home"))
            .env("TMPDIR", desk.tmp());
        said(&shell.output().unwrap(), 0);
        desk.nothing_is_left();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_page_that_cannot_be_written_is_no_success() {
    let desk = Desk::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let out = desk.tour(&[]).stdout(full).output().unwrap();
    let (_, stderr) = said(&out, 3);
    assert!(stderr.contains("stdout cannot be written"), "{stderr}");
    desk.nothing_is_left();
}

#[test]
fn a_step_that_ends_otherwise_is_named() {
    let desk = Desk::new();
    let (stdout, stderr) = said(&desk.tour(&[]).env("PATH", "/nonexistent").output().unwrap(), 1);
    assert!(stdout.contains("no_such_program") || stdout.contains("is not a program"), "{stdout}");
    let said = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("this step ended with exit 3 instead of 5: aosctl request new"), "{stderr}");
    assert!(!stdout.contains("each ended as it should"));
    desk.nothing_is_left();
}

#[test]
fn without_a_place_for_temporary_files_it_cannot_run() {
    let desk = Desk::new();
    let (stdout, stderr) = said(&desk.tour(&[]).env("TMPDIR", "/nonexistent").output().unwrap(), 3);
    assert_eq!(stdout, "");
    assert!(stderr.contains("/nonexistent"), "{stderr}");
    desk.nothing_is_left();
}

#[test]
fn interrupted_it_leaves_nothing() {
    let desk = Desk::new();
    // Alone, as `kill` does, and with the command that runs, as Ctrl-C at a terminal does; early and late.
    for (signal, group, line) in [
        ("INT", true, "ACME, a small shop"),
        ("INT", true, "--- 2."),
        ("INT", false, "--- 1."),
        ("TERM", false, "--- 3."),
        ("TERM", true, "--- 5."),
        ("HUP", true, "--- 4."),
        ("QUIT", true, "--- 6."),
    ] {
        let mut child = desk.tour(&[]).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut page = BufReader::new(child.stdout.take().unwrap());
        let mut seen = String::new();
        while !seen.contains(line) {
            assert_ne!(page.read_line(&mut seen).unwrap(), 0, "it ended before {line}\n{seen}");
        }
        let target = format!("{}{}", if group { "-" } else { "" }, child.id());
        assert!(Command::new("kill").args([&format!("-{signal}"), "--", &target]).status().unwrap().success());
        page.read_to_string(&mut seen).unwrap();
        let out = child.wait_with_output().unwrap();
        let (_, stderr) = said(&out, 3);
        assert!(stderr.contains("the tour was interrupted"), "{signal} {line}: {stderr}");
        assert!(!seen.contains("each ended as it should"), "{signal} {line}");
        desk.nothing_is_left();
    }
}
