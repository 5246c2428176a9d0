//! The pin: bytes of it, and checkpoints sealed anew by somebody who stole the log identity.

use aosctl::identity::Signer;
use aosctl::log::checkpoint::Checkpoint;
use aosctl::log::hash::Hash;
use aosctl::log::key::PublicKey;
use aosctl::log::tree::{Frontier, leaf_hash};
use aosctl::log::verdict::Check;

use crate::base::{Base, cast};
use crate::rng::Rng;
use crate::run::Seq::{At, Nowhere};
use crate::run::{Mutation, Seq, Want, mutation};
use crate::world::World;

fn put(w: &World, bytes: &[u8]) {
    std::fs::write(w.state().join("pin"), bytes).unwrap();
}

fn both(at: Seq) -> Vec<Want> {
    vec![
        Want::Fails(Check::TreeRoot, at),
        Want::Fails(Check::PinAndWitnesses, at),
        Want::Holds(Check::Chain),
        Want::Holds(Check::Signatures),
        Want::Holds(Check::Authority),
        Want::Holds(Check::Projections),
    ]
}

fn sealed(origin: &str, size: u64, root: Hash, signer: &Signer) -> String {
    Checkpoint { origin: origin.into(), size, root }.sign(|m| signer.sign(m), &PublicKey(signer.public()))
}

pub fn pins(base: &Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    let old = std::fs::read(base.copy().state().join("pin")).unwrap();
    let class = "pin: bytes of it";
    for n in 0..each {
        let at = rng.below(old.len());
        let mut bytes = old.clone();
        let what = match n % 4 {
            0 => {
                bytes.remove(at);
                "a byte taken out"
            }
            1 => {
                bytes.insert(at, *rng.of(b" \n0aA+/=\x00\xff"));
                "a byte put in"
            }
            2 => {
                bytes.truncate(at);
                "cut"
            }
            _ => {
                bytes[at] ^= 1 << rng.below(8);
                "a bit turned"
            }
        };
        if bytes != old {
            all.push(mutation(class, format!("the pin at {at}: {what}"), both(Nowhere), move |w| {
                put(w, &bytes);
                Ok(())
            }));
        }
    }
    let class = "pin: sealed anew";
    let n = base.size();
    let origin = base.rows[0].envelope.header.log.clone();
    let mut tree = Frontier::new();
    let mut roots = vec![tree.root()];
    for row in &base.rows {
        tree.push(leaf_hash(&row.envelope.bytes));
        roots.push(tree.root());
    }
    let log = &cast().log;
    for _ in 0..each / 4 {
        let more = n + 1 + rng.next() % 1_000_000;
        let less = rng.next() % n;
        let random = Hash(std::array::from_fn(|_| rng.next().to_le_bytes()[0]));
        let root = roots[usize::try_from(n).unwrap()];
        let other = Signer::from_seed(&random.0);
        let elsewhere = format!("aosctl/{:016x}{:016x}", rng.next(), rng.next());
        let genuine = sealed(&origin, n, root, log);
        // The name of a bad line by our key: the right line, and the same key's signature over something else.
        let second = sealed(&origin, n, random, log);
        let second = second.lines().last().unwrap();
        let strange = sealed(&origin, n, root, &other);
        let strange = strange.lines().last().unwrap().to_owned();
        let older = sealed(&origin, less, roots[usize::try_from(less).unwrap()], log);
        let cases: Vec<(String, String, Vec<Want>)> = vec![
            (format!("of {more} entries"), sealed(&origin, more, root, log), both(At(n))),
            ("with another root".into(), sealed(&origin, n, random, log), both(Nowhere)),
            (format!("of {less} entries, with another root"), sealed(&origin, less, random, log), both(Nowhere)),
            ("of another log".into(), sealed(&elsewhere, n, root, log), both(Nowhere)),
            ("by another key".into(), sealed(&origin, n, root, &other), both(Nowhere)),
            ("with a bad second line".into(), format!("{genuine}{second}\n"), both(Nowhere)),
            // Two that are no lie: an older pin is what a crash leaves, and lines of strangers say nothing.
            (format!("of the first {less} entries, truly"), older, vec![Want::Quiet]),
            ("with a stranger's line".into(), format!("{genuine}{strange}\n"), vec![Want::Quiet]),
        ];
        for (what, note, wants) in cases {
            let class = if matches!(wants[0], Want::Quiet) { "no lie: must stay quiet" } else { class };
            all.push(mutation(class, format!("a checkpoint {what}"), wants, move |w| {
                put(w, note.as_bytes());
                Ok(())
            }));
        }
    }
    all
}
