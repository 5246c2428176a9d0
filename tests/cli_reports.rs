//! Formats and files of reports, from outside: the review in five formats, and commands that have only two.
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

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use serde_json::Value;
use support::{Bench, code, text};

/// A workspace with something to review, the month it was made in, and a moment that does not move.
fn bench() -> (Bench, String, String) {
    let b = Bench::new();
    b.add_agent("build-bot");
    b.ok(&["integration", "add", "github", "--kind", "github"]);
    b.ok(&[
        "connect",
        "github",
        "--agent",
        "build-bot",
        "--scope",
        "repo:acme/app",
        "--access",
        "write",
        "--data",
        "internal",
        "--expires",
        "30d",
        "--mission",
        "=ship|1.4 <b>",
    ]);
    let last: Value = serde_json::from_str(b.ok(&["audit", "log", "--json"]).lines().last().unwrap()).unwrap();
    let at = find(&last, "at").unwrap_or_else(|| panic!("no time in {last}"));
    // The millisecond after the last entry.
    let moment: jiff::Timestamp = at.parse().unwrap();
    let moment = moment + jiff::SignedDuration::from_millis(1);
    (b, at[..7].to_string(), moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// The first member of that name, wherever it stands.
fn find(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(map) => match map.get(name) {
            Some(Value::String(s)) => Some(s.clone()),
            _ => map.values().find_map(|v| find(v, name)),
        },
        Value::Array(list) => list.iter().find_map(|v| find(v, name)),
        _ => None,
    }
}

#[test]
fn one_review_in_five_formats_and_always_the_same_bytes() {
    let (b, month, at) = bench();
    for (format, begins, holds) in [
        ("human", "ACCESS REVIEW", "build-bot → github repo:acme/app, write, internal"),
        ("json", "{", "\"schema\": \"aosctl.review/v1\""),
        ("markdown", "# Access review", "for =ship\\|1.4 &lt;b&gt;"),
        ("html", "<!DOCTYPE html>", "for =ship|1.4 &lt;b&gt;"),
        ("csv", "\"month\",", "\"'=ship|1.4 <b>\""),
    ] {
        let args = ["review", "--month", &month, "--as-of", &at, "--format", format];
        let first = b.ok(&args);
        assert!(first.starts_with(begins), "{format}: {first}");
        assert!(first.contains(holds), "{format}: {first}");
        assert!(format == "csv" || !first.contains('\r'));
        assert_eq!(b.ok(&args), first, "{format}: other bytes");
        if format == "human" {
            assert!(first.lines().all(|l| unicode_width::UnicodeWidthStr::width(l) <= 80), "{first}");
        }
    }
    let short = b.ok(&["review", "--month", &month, "--as-of", &at, "--json"]);
    assert_eq!(short, b.ok(&["review", "--month", &month, "--as-of", &at, "--format", "json"]));
    let page = b.ok(&["review", "--month", &month, "--as-of", &at]);
    let all = b.ok(&["review", "--month", &month, "--as-of", &at, "--all"]);
    assert!(all.starts_with(&page) && all.contains("ANNEX: EVERY ITEM"), "{all}");
}

#[test]
fn a_command_says_which_formats_it_has_before_it_does_anything() {
    let (b, ..) = bench();
    for format in ["markdown", "html", "csv"] {
        for args in [vec!["status"], vec!["grant", "list"], vec!["revoke", "g-1"], vec!["freeze"]] {
            let out = b.cmd(&args).args(["--format", format]).output().unwrap();
            let said = text(&out.stderr);
            assert_eq!(code(&out), 2, "{args:?} {said}");
            assert!(said.contains(&format!("does not print {format}")), "{said}");
            assert!(said.contains("--format human|json"), "{said}");
            assert!(out.stdout.is_empty());
        }
    }
    let out = b.run(&["revoke", "g-1", "--output", "page.txt"]);
    assert_eq!(code(&out), 2, "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("--output is for reports"), "{}", text(&out.stderr));
    // Nothing was done.
    assert!(b.ok(&["grant", "list"]).contains("g-1"), "still open");
    assert!(!b.path("page.txt").exists());
    let out = b.run(&["review", "--format", "pdf"]);
    assert_eq!(code(&out), 2);
    assert!(text(&out.stderr).contains("markdown"), "{}", text(&out.stderr));
}

#[test]
fn a_report_goes_into_a_private_file_in_one_step() {
    let (b, month, at) = bench();
    let review = |more: &[&str]| {
        let mut args = vec!["review", "--month", month.as_str(), "--as-of", at.as_str()];
        args.extend_from_slice(more);
        b.run(&args)
    };
    let file = b.path("page.html");
    let name = file.to_str().unwrap();
    let out = review(&["--format", "html", "-o", name]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(out.stdout.is_empty(), "nothing on stdout");
    let html = std::fs::read_to_string(&file).unwrap();
    assert_eq!(html, text(&review(&["--format", "html"]).stdout));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // Over an older one, which others could read.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(code(&review(&["-o", name, "--color", "never"])), 0);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text(&review(&[]).stdout));
    // As wide as a page, whatever the window.
    let wide =
        b.cmd(&["review", "--month", &month, "--as-of", &at, "-o", name]).env("COLUMNS", "200").output().unwrap();
    assert_eq!(code(&wide), 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text(&review(&[]).stdout));
    // `-` is stdout.
    assert_eq!(text(&review(&["--format", "csv", "-o", "-"]).stdout), text(&review(&["--format", "csv"]).stdout));
    assert!(!b.path("-").exists());

    // Only a file is replaced.
    std::fs::create_dir(b.path("dir")).unwrap();
    symlink(&file, b.path("link")).unwrap();
    for bad in ["dir", "link", "missing/page.html"] {
        let out = review(&["--format", "markdown", "-o", b.path(bad).to_str().unwrap()]);
        assert_eq!(code(&out), 3, "{bad}: {}", text(&out.stderr));
        assert!(text(&out.stderr).starts_with("error: the file cannot be written"), "{}", text(&out.stderr));
        assert!(out.stdout.is_empty(), "{bad}");
    }
    let out = review(&["-o", "/dev/null"]);
    assert_eq!(code(&out), 3, "a device stays a device");
    assert!(b.path("dir").is_dir() && b.path("link").is_symlink());
    let left: Vec<_> = std::fs::read_dir(b.dir.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert!(left.iter().all(|f| !f.to_string_lossy().contains(".tmp")), "{left:?}");
}

#[test]
fn a_report_never_replaces_what_aosctl_keeps() {
    let (b, month, at) = bench();
    let mut kept = vec![b.db()];
    for origin in std::fs::read_dir(b.path("state")).unwrap() {
        kept.push(origin.unwrap().path().join("log.json"));
    }
    assert!(kept.len() > 1 && kept.iter().all(|f| f.is_file()), "{kept:?}");
    let before: Vec<Vec<u8>> = kept.iter().map(|f| std::fs::read(f).unwrap()).collect();
    symlink(b.workspace(), b.path("by-link")).unwrap();
    let mut bad = kept.clone();
    bad.extend(["ws/page.html", "ws/../ws/aosctl.db", "by-link/aosctl.db", "by-link/page.html"].map(|n| b.path(n)));
    bad.extend(["ws/aosctl.db", "./state/../ws/new"].map(std::path::PathBuf::from));
    for file in &bad {
        let name = file.to_str().unwrap();
        let out = b.run(&["review", "--month", &month, "--as-of", &at, "--format", "html", "-o", name]);
        assert_eq!(code(&out), 2, "{name}: {}", text(&out.stderr));
        assert!(text(&out.stderr).starts_with("error: --output lies inside the "), "{}", text(&out.stderr));
    }
    for (file, bytes) in kept.iter().zip(&before) {
        assert_eq!(&std::fs::read(file).unwrap(), bytes, "{}", file.display());
    }
    assert!(!b.workspace().join("page.html").exists() && !b.workspace().join("new").exists());
    b.ok(&["audit", "verify"]);
}

#[test]
fn a_reader_that_goes_away_is_no_crash() {
    let (b, month, at) = bench();
    for format in ["human", "json", "markdown", "html", "csv"] {
        let mut child = b
            .cmd(&["review", "--month", &month, "--as-of", &at, "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let out = child.wait_with_output().unwrap();
        assert_eq!(code(&out), 0, "{format}: {}", text(&out.stderr));
        assert!(out.stderr.is_empty(), "{format}: {}", text(&out.stderr));
    }
}
