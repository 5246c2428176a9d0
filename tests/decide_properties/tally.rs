//! Runs a property over worlds from a printed seed, counts verdicts, and refuses to pass where one hardly occurred.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;

use aosctl::domain::decide::Verdict;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

pub const CASES: u32 = 4096;

/// What was seen.
#[derive(Default)]
pub struct Tally(RefCell<BTreeMap<String, u32>>);

impl Tally {
    pub fn count(&self, what: impl Into<String>) {
        *self.0.borrow_mut().entry(what.into()).or_default() += 1;
    }

    pub fn of(&self, what: &str) -> u32 {
        self.0.borrow().get(what).copied().unwrap_or(0)
    }

    pub fn verdict(&self, v: Verdict) {
        self.count(v.as_str());
    }

    /// Each verdict makes up at least a twelfth.
    pub fn each_verdict_occurred(&self) {
        let total: u32 = ["allow", "ask", "deny"].map(|v| self.of(v)).iter().sum();
        for v in ["allow", "ask", "deny"] {
            assert!(
                self.of(v) * 12 >= total,
                "{v} occurred {} times in {total}: the property was hardly tried",
                self.of(v)
            );
        }
    }

    pub fn at_least(&self, what: &str, n: u32) {
        assert!(
            self.of(what) >= n,
            "{what:?} occurred {} times, wanted {n}: the property was hardly tried",
            self.of(what)
        );
    }
}

/// `AOSCTL_TEST_SEED` takes another way through the worlds; the default makes every run the same.
pub fn run<S: Strategy>(
    name: &str,
    worlds: S,
    property: impl Fn(S::Value, &Tally) -> Result<(), TestCaseError>,
) -> Tally
where
    S::Value: Debug,
{
    let seed: u64 = std::env::var("AOSCTL_TEST_SEED").ok().map_or(20_261_121, |s| s.parse().expect("a number"));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let tally = Tally::default();
    let outcome = TestRunner::new_with_rng(config, rng).run(&worlds, |w| property(w, &tally));
    println!("{name}: seed {seed}, {CASES} cases: {:?}", tally.0.borrow());
    if let Err(e) = outcome {
        panic!("{name} with AOSCTL_TEST_SEED={seed}: {e}");
    }
    tally
}
