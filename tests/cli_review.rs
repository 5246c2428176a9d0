//! `aosctl review decide|sign|check|diff` by script, through the real binary.
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

mod review_world;
mod support;

use review_world::{FIRST, World, json};
use support::{code, text};

#[test]
fn the_world_is_as_planted() {
    let w = World::new();
    let out = w.bench.run(&["--json", "review"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let v = json(&out);
    let first: Vec<(&str, &str)> = v["first"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| (i["id"].as_str().unwrap(), i["advice"].as_str().unwrap()))
        .collect();
    let mut sorted = first.clone();
    sorted.sort_unstable();
    println!("{}", text(&w.bench.run(&["review"]).stdout));
    assert_eq!(sorted, FIRST.to_vec(), "{first:?}");
    assert_eq!(v["rest"].as_array().unwrap().len(), 9);
}

#[test]
fn look() {
    let w = World::new();
    let m = w.month.to_string();
    for args in [
        vec!["review"],
        vec!["review", "decide", "--template"],
        vec!["review", "decide", "-n", "--recommended"],
        vec!["review", "check"],
        vec!["review", "check", "--monitor"],
        vec!["review", "sign"],
        vec!["review", "decide"],
        vec!["review", "decide", "--keep", "g-4"],
        vec!["review", "decide", "--recommended", "--keep", "g-4", "--note", "g-4=the team says so"],
        vec!["review", "sign"],
        vec!["review", "decide"],
        vec!["review", "check"],
        vec!["review", "check", "--monitor"],
        vec!["review", "diff"],
        vec!["review", "diff", "--json"],
        vec!["review", "decide", "--keep", "g-1"],
        vec!["review", "--month", &m, "--json"],
    ] {
        let out = w.bench.run(&args);
        println!("$ {args:?}\n{}{}[{}]", text(&out.stdout), text(&out.stderr), code(&out));
    }
    w.assert_whole();
}
