//! Entries taken out, put in, reordered, doubled: whole rows of the log.

use aosctl::log::verdict::Check;

use crate::base::Base;
use crate::cases::{attacker, on_log};
use crate::rng::Rng;
use crate::run::Seq::{At, Nowhere};
use crate::run::{Mutation, Want, mutation};

fn log(class: &'static str, name: String, wants: Vec<Want>, sql: String) -> Mutation {
    mutation(class, name, wants, move |w| on_log(&attacker(w), |c| c.execute_batch(&sql)))
}

/// Moves everything from `from` on by `by` places; through negative numbers, because a place is taken only once.
fn shift(from: u64, by: i64) -> String {
    ["entries", "payloads"]
        .map(|t| {
            format!(
                "UPDATE {t} SET seq = -seq - 1000000 WHERE seq >= {from};
                 UPDATE {t} SET seq = -seq - 1000000 + {by} WHERE seq < 0;"
            )
        })
        .concat()
}

pub fn rows(base: &Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    let (n, last) = (base.size(), base.last());
    let take = |seq: u64| format!("DELETE FROM payloads WHERE seq = {seq}; DELETE FROM entries WHERE seq = {seq};");
    let copy = |from: u64, to: u64| {
        format!(
            "INSERT INTO entries SELECT {to}, envelope, kind, actor, subject, at FROM entries WHERE seq = {from};
             INSERT INTO payloads SELECT {to}, record FROM payloads WHERE seq = {from};"
        )
    };
    // The pin remembers more than there is.
    let shorter = |size: u64| {
        vec![
            Want::Fails(Check::TreeRoot, At(size)),
            Want::Fails(Check::PinAndWitnesses, At(size)),
            Want::Fails(Check::Projections, crate::run::Seq::Any),
        ]
    };
    let other_root = || vec![Want::Fails(Check::TreeRoot, Nowhere), Want::Fails(Check::PinAndWitnesses, Nowhere)];
    for _ in 0..each {
        let seq = rng.next() % last;
        let out = [vec![Want::Fails(Check::Chain, At(seq))], shorter(last)].concat();
        all.push(log("rows: taken out", format!("entry {seq} taken out"), out.clone(), take(seq)));
        let closed = format!("{}{}UPDATE head SET size = size - 1;", take(seq), shift(seq, -1));
        all.push(log("rows: taken out", format!("entry {seq} taken out, the gap closed"), out, closed));
        // From the end: nothing in the log itself is wrong, and only what remembers more can tell.
        let cut = 1 + rng.next() % (n / 2);
        let size = n - cut;
        let sql = format!("DELETE FROM payloads WHERE seq >= {size}; DELETE FROM entries WHERE seq >= {size};");
        let wants = [shorter(size), [Check::Chain, Check::Signatures, Check::CanonicalForm].map(Want::Holds).into()];
        all.push(log("rows: the end cut off", format!("the last {cut} cut off"), wants.concat(), sql));
        let next = seq + 1;
        let swap = format!("{}{}{}", shift(seq, 2), copy(next + 2, seq), copy(seq + 2, next))
            + &take(seq + 2)
            + &take(next + 2)
            + &shift(next + 2, -2);
        let wants = [vec![Want::Fails(Check::Chain, At(seq))], other_root()].concat();
        all.push(log("rows: reordered", format!("entries {seq} and {next} exchanged"), wants, swap));
        let to = rng.next() % n;
        let put_in = format!("{}{}", shift(to, 1), copy(if seq >= to { seq + 1 } else { seq }, to));
        let twin = seq == to || seq + 1 == to;
        let mut wants = vec![Want::Fails(Check::Projections, crate::run::Seq::Any)];
        // Beside itself it stands once where it belongs and once right behind.
        wants.push(Want::Fails(Check::Chain, At(if twin { seq + 1 } else { to })));
        all.push(log("rows: put in, doubled", format!("entry {seq} again at {to}"), wants, put_in));
        let wants = vec![
            Want::Fails(Check::Chain, At(n)),
            Want::Fails(Check::Projections, crate::run::Seq::Any),
            // The pin covers what was there before, and that is still there.
            Want::Holds(Check::TreeRoot),
            Want::Holds(Check::PinAndWitnesses),
        ];
        all.push(log("rows: put in, doubled", format!("entry {seq} again at the end"), wants, copy(seq, n)));
        let far = n + 1 + rng.next() % 1_000_000;
        let wants = vec![Want::Fails(Check::Chain, At(n))];
        all.push(log("rows: put in, doubled", format!("entry {seq} again at {far}"), wants, copy(seq, far)));
        let before = -1 - i64::try_from(rng.next() % 1000).unwrap();
        let sql = format!(
            "INSERT INTO entries SELECT {before}, envelope, kind, actor, subject, at FROM entries WHERE seq = {seq}"
        );
        let wants = vec![
            Want::Fails(Check::Chain, Nowhere),
            Want::Row("entries".into(), before.to_string()),
            Want::Holds(Check::TreeRoot),
        ];
        all.push(log("rows: put in, doubled", format!("entry {seq} again at {before}"), wants, sql));
    }
    all
}
