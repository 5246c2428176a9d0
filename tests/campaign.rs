//! The tamper campaign: real workspaces, changed in thousands of ways that are drawn by chance from a printed seed. Each
//! change says beforehand which check must fail, at which entry, and what must not be blamed; every one must be found under
//! that name, and nothing may be found where nothing was changed. `AOSCTL_CAMPAIGN_SEED=N` draws others,
//! `AOSCTL_SOAK=N` so many times as many.
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

#[path = "campaign/base.rs"]
mod base;
#[path = "campaign/busy.rs"]
mod busy;
#[path = "tamper/cases.rs"]
#[allow(dead_code, reason = "tests/tamper.rs uses all of it")]
mod cases;
#[path = "tamper/column.rs"]
mod column;
#[path = "campaign/columns.rs"]
mod columns;
#[path = "campaign/envelopes.rs"]
mod envelopes;
#[path = "campaign/forged.rs"]
mod forged;
mod lab;
#[path = "campaign/notes.rs"]
mod notes;
#[path = "campaign/payloads.rs"]
mod payloads;
#[path = "campaign/rng.rs"]
mod rng;
#[path = "campaign/rows.rs"]
mod rows;
#[path = "campaign/run.rs"]
mod run;
mod support;
#[path = "campaign/vectors.rs"]
mod vectors;
#[path = "authority/world.rs"]
mod world;

use std::time::Instant;

use base::{Base, large, small};
use rng::{Rng, seed};
use run::{Mutation, Tally};

fn soak() -> usize {
    std::env::var("AOSCTL_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(1).max(1)
}

/// Thousands of copies: in memory, where there is such a place.
fn in_memory() {
    let shm = std::path::Path::new("/dev/shm");
    if shm.is_dir() {
        let _ = tempfile::env::override_temp_dir(shm);
    }
}

/// Draws mutations of every class; `each` scales their numbers.
fn draw(base: &'static Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    all.extend(columns::columns_of_tables(base, rng, each.div_ceil(14)));
    all.extend(columns::rows_of_tables(base, rng, each.div_ceil(12)));
    all.extend(envelopes::bytes(base, rng, each * 4));
    all.extend(envelopes::headers(base, rng, each / 2));
    all.extend(envelopes::spellings(base, rng, each / 3));
    all.extend(payloads::bytes(base, rng, each * 4));
    all.extend(payloads::members(base, rng, each));
    all.extend(payloads::spellings(base, rng, each * 2 / 3));
    all.extend(payloads::rows(base, rng, each / 2));
    all.extend(rows::rows(base, rng, each * 2 / 3));
    all.extend(forged::by_lesser_identities(base));
    all.extend(forged::under_anothers_name(base, rng, each));
    all.extend(forged::suffixes(base, rng, each / 3));
    all.extend(forged::by_the_true_signer(base, rng, each / 6));
    all.extend(notes::pins(base, rng, each * 3));
    all.extend(vectors::mutations(base, rng));
    // Some classes alone, for whoever looks for a reason; what is drawn is the same.
    if let Ok(only) = std::env::var("AOSCTL_CAMPAIGN_ONLY") {
        all.retain(|m| only.split(',').any(|class| m.class.contains(class)));
    }
    all
}

#[test]
fn every_lie_is_caught_by_its_name() {
    in_memory();
    let seed = seed();
    println!("seed {seed} (AOSCTL_CAMPAIGN_SEED)");
    let mut rng = Rng::new(seed);
    let (refused, taken) = vectors::judged();
    println!("Ed25519 vectors by themselves: {refused} refused, {taken} taken, as their flags say");
    let begin = Instant::now();
    let mut tally = Tally::default();
    tally.run(small(), draw(small(), &mut rng, 60 * soak()));
    println!("on a workspace of {} entries, {:.0?}:", small().size(), begin.elapsed());
    tally.print();
    tally.complaints.iter().for_each(|said| println!("{said}"));
    let begin = Instant::now();
    let mut sample = Tally::default();
    let mut all = draw(large(), &mut rng, 3);
    // A few of every class: each takes the verifying of thousands of entries.
    let mut by_class = std::collections::BTreeMap::<_, Vec<Mutation>>::new();
    while !all.is_empty() {
        let m = all.swap_remove(rng.below(all.len()));
        by_class.entry(m.class).or_default().push(m);
    }
    let few: Vec<Mutation> = by_class.into_values().flat_map(|of| of.into_iter().take(3 * soak())).collect();
    sample.run(large(), few);
    println!("on a workspace of {} entries, {:.0?}:", large().size(), begin.elapsed());
    sample.print();
    let (total, missed) = (tally.total() + sample.total(), tally.complaints.len() + sample.complaints.len());
    println!("mutations: {total}, caught by the right name: {}", total - missed);
    let complaints = [tally.complaints, sample.complaints].concat();
    let shown: Vec<&str> = complaints.iter().take(60).map(String::as_str).collect();
    assert!(complaints.is_empty(), "seed {seed}: {missed} of {total}:\n{}", shown.join("\n"));
    assert!(total >= 5_000 || std::env::var_os("AOSCTL_CAMPAIGN_ONLY").is_some(), "{total}");
    assert!(large().size() >= 2_000);
}

#[test]
fn what_was_not_touched_is_not_blamed() {
    in_memory();
    for base in [small(), large()] {
        for _ in 0..6 {
            let w = base.copy();
            let v = cases::verified(&w).unwrap();
            assert!(!v.report.failed() && v.differences.is_empty(), "{v:#?}");
            assert_eq!(v.size, base.size());
        }
    }
    println!("false alarms: 0 in 12 looks at untouched copies");
}
