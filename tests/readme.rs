//! The README is held to what it says: its transcript is what the tour prints, its commands run, or are at least commands
//! that exist, its exit codes are the register's, and its links lead somewhere.
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

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use aosctl::cli::exit::REGISTER;
use support::{Bench, code, sql, text};

const README: &str = include_str!("../README.md");

/// The fenced blocks, each with its language.
fn blocks() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in README.lines() {
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(language), None) => open = Some((language.to_string(), String::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some((_, block))) => block.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    found
}

/// The only block that has this in it.
fn block(with: &str) -> String {
    let mut found: Vec<String> = blocks().into_iter().map(|(_, b)| b).filter(|b| b.contains(with)).collect();
    assert_eq!(found.len(), 1, "blocks with {with}");
    found.remove(0)
}

/// Does a line fit one of the README, where `[..]` is anything?
fn fits(line: &str, pattern: &str) -> bool {
    let mut parts = pattern.split("[..]");
    let first = parts.next().unwrap();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    rest.is_empty() || last.is_some_and(|part| part.is_empty() || line.ends_with(part))
}

/// The end of the first place, from a line on, at which these lines stand one after the other.
fn find(page: &[&str], from: usize, wanted: &[&str]) -> Option<usize> {
    let fits_at = |at: usize| wanted.iter().zip(&page[at..]).all(|(pattern, line)| fits(line, pattern));
    (from..=page.len().checked_sub(wanted.len())?).find(|at| fits_at(*at)).map(|at| at + wanted.len())
}

#[test]
fn the_matcher_can_tell() {
    assert!(fits("ends 2026 UTC", "ends [..] UTC") && fits("x 1", "x [..]") && fits("a", "a") && fits("", ""));
    assert!(!fits("ends 2026", "ends [..] UTC") && !fits("ab", "a") && !fits("a", "ab") && !fits("xa", "a"));
    let page = ["a", "b", "c", "b", "d"];
    assert_eq!((find(&page, 0, &["b", "d"]), find(&page, 0, &["b", "a"])), (Some(5), None));
    assert_eq!((find(&page, 2, &["b"]), find(&page, 2, &["a"])), (Some(4), None));
}

#[test]
fn the_transcript_is_what_the_tour_prints() {
    let bench = Bench::empty();
    let out = bench.bare().arg("tour").env("TMPDIR", bench.dir.path()).output().unwrap();
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    let page = text(&out.stdout);
    let lines: Vec<&str> = page.lines().collect();
    let shown = block("ops$ aosctl approve");
    let shown: Vec<&str> = shown.lines().collect();
    let mut from = 0;
    for part in shown.split(|line| *line == "...") {
        from = find(&lines, from, part).unwrap_or_else(|| {
            panic!("the tour does not print this, or not there:\n{}\n\nbut\n{page}", part.join("\n"))
        });
    }
}

#[test]
fn the_two_commands_stand_there() {
    assert_eq!(block("-- tour"), "cargo run --release --locked -- tour\ncargo test --locked\n");
}

/// The words of the first simple command, as a shell splits them: quotes go, and an operator or a comment ends it.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut begun) = (String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (None, '#') if !begun => break,
            (None, '|' | ';' | ')' | '<' | '>' | '&') => {
                // The number of a stream belongs to what follows: `2>`.
                begun = begun && !word.chars().all(|c| c.is_ascii_digit());
                break;
            }
            (None, c) if c.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (_, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// Every command line of aosctl in the blocks for a shell, and between backticks in the sentences.
fn command_lines() -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (_, block) in blocks().iter().filter(|(language, _)| language != "text") {
        // Which request it is about is known when it runs.
        let joined = block.replace("\\\n", " ").replace("\"$(jq -r .id <<<\"$ask\")\"", "r-1");
        for line in joined.lines() {
            found.extend(line.match_indices("aosctl ").map(|(at, _)| words(&line[at..])));
        }
    }
    let sentences = README.split("```").step_by(2);
    let code = sentences.flat_map(|s| s.split('`').skip(1).step_by(2));
    found.extend(code.filter(|c| c.starts_with("aosctl ")).map(words));
    found
}

#[test]
fn it_promises_no_command_that_is_not_there() {
    let lines = command_lines();
    assert!(lines.len() > 20, "{lines:?}");
    for words in &lines {
        let parsed = aosctl::cli::command().try_get_matches_from(words);
        // In a sentence a command may stand without what it needs; but not with what it does not know.
        if let Err(e) = parsed {
            use clap::error::ErrorKind::{DisplayHelpOnMissingArgumentOrSubcommand, MissingRequiredArgument};
            let short = [DisplayHelpOnMissingArgumentOrSubcommand, MissingRequiredArgument].contains(&e.kind());
            assert!(short && words.len() <= 3, "{}: {e}", words.join(" "));
        }
    }
}

#[test]
fn the_exit_codes_are_the_register() {
    let rows: Vec<String> = REGISTER.iter().map(|(code, meaning)| format!("| {code} | {meaning} |")).collect();
    let table = format!("| exit code | meaning, the same everywhere |\n|---|---|\n{}\n\n", rows.join("\n"));
    assert!(README.contains(&table), "the table should be\n{table}");
}

#[test]
fn the_links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let links: Vec<&str> = README.split("](").skip(1).map(|l| l.split(')').next().unwrap()).collect();
    assert!(links.len() >= 8);
    let dead: Vec<_> = links.iter().filter(|l| !root.join(l).exists()).collect();
    assert!(dead.is_empty(), "{dead:?}");
}

#[test]
fn it_names_no_machine() {
    for word in ["/home/", "/root", "/tmp/", "/work", "localhost", "@"] {
        assert!(!README.contains(word), "{word}");
    }
}

/// A place where the commands of the README run as they stand. An operator's passphrase comes from a file, because nobody
/// sits there to type it.
struct Place {
    bench: Bench,
}

impl Place {
    fn new() -> Place {
        let bench = Bench::empty();
        let bin = bench.path("bin");
        std::fs::create_dir(&bin).unwrap();
        let dir = bench.dir.path().display();
        let wrapper = format!(
            "#!/bin/sh\nexec '{}' --no-input --passphrase-file '{dir}/pass' \"$@\"\n",
            env!("CARGO_BIN_EXE_aosctl")
        );
        // Enough of jq for `.id` and `.reason, .fix`, so that the tests need none.
        let jq = "#!/bin/sh\nfor m in $(echo \"$2\" | tr -d '.,'); do sed -n \"s/^  \\\"$m\\\": \\\"\\(.*\\)\\\",*$/\\1/p\" \
                  \"${in:=$(mktemp)}\"; done\n";
        let jq = jq.replace("#!/bin/sh\n", "#!/bin/sh\nin=$(mktemp); cat > \"$in\"; trap 'rm \"$in\"' EXIT\n");
        for (name, script) in
            [("bin/aosctl", wrapper.as_str()), ("bin/jq", jq.as_str()), ("merge.sh", "#!/bin/sh\necho \"merged $1\"\n")]
        {
            let path = bench.path(name);
            std::fs::write(&path, script).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        Place { bench }
    }

    fn bash(&self, script: &str) -> Command {
        let mut c = Command::new("bash");
        c.args(["-c", script])
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.bench.path("bin").display()))
            .env("HOME", self.bench.dir.path())
            .env("AOSCTL_WORKSPACE", self.bench.workspace())
            .env("AOSCTL_STATE_DIR", self.bench.path("state"))
            .current_dir(self.bench.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        c
    }

    fn run(&self, script: &str, exit: i32) -> (String, String) {
        said(&self.bash(script).output().unwrap(), exit, script)
    }
}

fn said(out: &Output, exit: i32, script: &str) -> (String, String) {
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(code(out), exit, "{script}\n{stdout}\n{stderr}");
    (stdout, stderr)
}

#[test]
fn what_begins_it_and_what_an_agent_does_run_as_they_stand() {
    let place = Place::new();
    let (stdout, _) = place.run(&format!("set -e\n{}", block("aosctl init")), 0);
    assert!(
        stdout.contains("What it can reach at worst") && stdout.contains("github: read to repo:acme/app"),
        "{stdout}"
    );

    // The door is open to read: a merge is a no, with the line that would open it.
    let agent = block("aosctl request wait");
    let (stdout, _) = place.run(&agent, 1);
    let fix = stdout.lines().last().unwrap();
    assert!(
        fix.starts_with("aosctl connect github --agent build-bot --scope repo:acme/app --access write"),
        "{stdout}"
    );
    place.run(&format!("{fix} --expires 30d"), 0);

    // Now a person decides, while the script waits.
    let script = place.bash(&agent).spawn().unwrap();
    for tries in 0.. {
        let (queue, _) = place.run("aosctl queue", 0);
        if queue.contains("r-2") {
            break;
        }
        assert!(tries < 600, "it never asked: {queue}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    place.run("aosctl approve r-2 --reason 'the tests are green'", 0);
    let (stdout, stderr) = said(&script.wait_with_output().unwrap(), 0, &agent);
    assert!(stdout.contains("merged 123\n") && stderr.contains("r-2 succeeded"), "{stdout}{stderr}");
}

#[test]
fn what_cron_runs_is_silent_until_something_is_wrong() {
    let place = Place::new();
    place.run("aosctl init --name ACME --operator ops", 0);
    let table = block("17 3 * * *");
    let commands: Vec<&str> = table.lines().map(|line| line.splitn(6, char::is_whitespace).last().unwrap()).collect();
    // Five fields, and the rest of the line.
    let [verify, rotation, review, status] = commands[..] else { panic!("{commands:?}") };
    let (verify, status) = (verify.trim(), status.trim());
    for check in [rotation.trim(), review.trim()] {
        assert_eq!(place.run(check, 0), (String::new(), String::new()));
    }
    assert!(!verify.contains('%'), "cron ends a command at a percent sign");
    assert_eq!(place.run(verify, 0), (String::new(), String::new()));
    let (stdout, _) = place.run(status, 0);
    assert!(stdout.contains("verified just now"), "{stdout}");
    sql(&place.bench.db(), "UPDATE origin SET company = 'EMCA'");
    let (stdout, _) = place.run(verify, 0);
    assert!(stdout.contains("NOT VERIFIED"), "{stdout}");
}
