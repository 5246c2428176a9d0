//! A clock that jumps back, and one that stood in the future.

use std::process::{Command, Output};

use crate::compiled;
use crate::lab::{Lab, READ};
use crate::support::{code, text};

const DAY: i64 = 86_400;

struct Shifted {
    lab: Lab,
    library: std::path::PathBuf,
}

impl Shifted {
    fn new() -> Option<Shifted> {
        let lab = Lab::new();
        let library = compiled("clock.c", &lab.bench.path("clock.so"), &["-shared", "-fPIC", "-ldl"])?;
        Some(Shifted { lab, library })
    }

    /// Runs a command at another time of day.
    fn at(&self, seconds: i64, mut c: Command) -> Output {
        c.env("LD_PRELOAD", &self.library).env("CLOCK_SHIFT", seconds.to_string()).output().unwrap()
    }

    fn ask(&self, seconds: i64) -> Output {
        self.at(seconds, self.lab.bench.agent("build-bot", &[&["request", "new"], READ].concat()))
    }

    fn bare(&self, seconds: i64, args: &[&str]) -> Output {
        let mut c = self.lab.bench.bare();
        c.args(args);
        self.at(seconds, c)
    }

    /// When the entries were signed, in order.
    fn times(&self) -> Vec<i64> {
        self.lab.ws().store().range(0, usize::MAX).unwrap().into_iter().map(|s| s.columns.3).collect()
    }
}

#[test]
fn a_clock_that_jumps_back_takes_no_entry_back() {
    let Some(s) = Shifted::new() else { return };
    // Up to five minutes behind the last entry: it goes on at that entry's time.
    for shift in [0, -60, -200, 100, -150, 0] {
        let out = s.ask(shift);
        assert_eq!(code(&out), 0, "{shift}: {}", text(&out.stderr));
        let times = s.times();
        assert!(times.is_sorted(), "{shift}: {times:?}");
    }
    let times = s.times();
    let equal = times.windows(2).filter(|w| w[0] == w[1]).count();
    assert!(equal >= 3, "those that were behind have the time of the one before: {times:?}");
    let out = s.bare(0, &["audit", "verify"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    // Farther: nothing is written, and it is said why and what to do.
    let before = s.times();
    for shift in [-DAY, -400, -30 * 365 * DAY] {
        for out in [s.ask(shift), s.bare(shift, &["freeze"])] {
            assert_eq!(code(&out), 3, "{shift}: {}", text(&out.stderr));
            let said = text(&out.stderr);
            assert!(said.contains("clock") && said.contains("hint: set this machine's clock right"), "{said}");
        }
    }
    assert_eq!(s.times(), before);
    // Whoever only looks is told, and nothing fails for it: the log is as good as it was.
    let out = s.bare(-DAY, &["audit", "verify"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    let said = text(&out.stdout) + &text(&out.stderr);
    assert!(said.contains("ahead"), "the last entry is ahead of this clock, and nobody says so: {said}");
    s.lab.verified();
}

#[test]
fn a_clock_that_stood_in_the_future_is_said_and_waited_for() {
    let Some(s) = Shifted::new() else { return };
    let before = s.times();
    let out = s.ask(DAY);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    // Back at the right time the log is a day ahead: nothing can be appended, in no command that writes, and all say why.
    for out in [s.ask(0), s.bare(0, &["freeze"]), s.bare(0, &["revoke", "g-1"])] {
        assert_eq!(code(&out), 3, "{}{}", text(&out.stdout), text(&out.stderr));
        let said = text(&out.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("clock") && said.contains("wait until then, or go on from a backup of before"), "{said}");
    }
    assert_eq!(s.times().len(), before.len() + 1);
    // Whoever looks sees why nothing goes on.
    let said = text(&s.bare(0, &["status"]).stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("warning: the last entry was signed at") && said.contains("until then nothing"), "{said}");
    let out = s.bare(0, &["audit", "verify"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    assert!((text(&out.stdout) + &text(&out.stderr)).contains("ahead"), "{}", text(&out.stdout));
    // How to go on: when the time has come, as if nothing had been.
    let out = s.ask(DAY - 100);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    let out = s.ask(DAY + 100);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(s.times().is_sorted());
    let out = s.bare(DAY + 200, &["audit", "verify"]);
    assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
    assert!(!(text(&out.stdout) + &text(&out.stderr)).contains("ahead of"), "{}", text(&out.stdout));
}
