//! Receipts and proofs, and the files of a consistency proof (`k`) and of opened members (`o`). Each has one spelling; a receipt and verifies only for the entry that is in the log. Of all proofs over a
//! small tree, exactly those verify that the tree gives.
#![no_main]

use aosctl::evidence::proof::Consistency;
use aosctl::evidence::receipt::Opening;
use aosctl::log::checkpoint::VerifierKey;
use aosctl::log::hash::{Hash, sha256};
use aosctl::log::receipt::Receipt;
use aosctl::log::tree::{
    Leaves, consistency_proof, inclusion_proof, root_of, verify_consistency, verify_inclusion,
};
use libfuzzer_sys::fuzz_target;

const RECEIPT: &str = include_str!("../../tests/vectors/log-v1/entry-5.tlog-proof");
const TRUSTED: &str = include_str!("../../tests/vectors/log-v1/log.vkey");

fn receipt(data: &[u8]) {
    let Ok(receipt) = Receipt::parse(data) else { return };
    assert_eq!(receipt.to_text().as_bytes(), data, "another spelling of the same receipt");
    let trusted = VerifierKey::parse(TRUSTED.trim_end()).expect("a vector");
    if let Ok(shown) = receipt.verify(&trusted) {
        let right = Receipt::parse(RECEIPT.as_bytes()).expect("a vector");
        assert_eq!((receipt.extra, receipt.index, receipt.proof), (right.extra, right.index, right.proof));
        assert_eq!(shown.envelope.header.seq, right.index);
    }
}

/// `data`: sizes, then how the right proof is changed: (kind, place, value) three bytes at a time.
fn tree(data: &[u8]) {
    let [a, b, rest @ ..] = data else { return };
    let (a, b) = (u64::from(*a), u64::from(*b));
    let (small, large) = (a.min(b), a.max(b));
    let leaves: Vec<Hash> = (0..large.max(1)).map(|n| sha256(&n.to_le_bytes())).collect();
    let source = Leaves(&leaves);
    let roots = |n: u64| root_of(n, &source).unwrap_or_else(|e| match e {});
    let consistency = consistency_proof(small, large, &source).unwrap_or_else(|e| match e {});
    assert!(verify_consistency(small, large, &roots(small), &roots(large), &consistency));
    let inclusion = inclusion_proof(small, large, &source).unwrap_or_else(|e| match e {});
    let at = usize::try_from(small).expect("a byte");
    if small < large {
        assert!(verify_inclusion(&leaves[at], small, large, &inclusion, &roots(large)));
    }
    for (right, is_consistency) in [(&consistency, true), (&inclusion, false)] {
        let mut proof = right.clone();
        let (mut first, mut second) = (small, large);
        for step in rest.chunks_exact(3) {
            let [kind, place, value] = *step else { return };
            let n = proof.len().max(1);
            let place = usize::from(place);
            match kind % 8 {
                0 => proof.insert(place % (proof.len() + 1), Hash([value; 32])),
                1 if !proof.is_empty() => drop(proof.remove(place % n)),
                2 if !proof.is_empty() => proof[place % n].0[usize::from(value) % 32] ^= 1,
                3 if proof.len() > 1 => proof.swap(place % n, usize::from(value) % n),
                4 if !proof.is_empty() => proof.push(proof[place % n]),
                5 => first = first.wrapping_add(u64::from(value) << (place % 57)),
                6 => second = second.wrapping_add(u64::from(value) << (place % 57)),
                _ if proof.len() < 60 => proof.push(leaves[place % leaves.len()]),
                _ => {}
            }
            proof.truncate(70);
        }
        let untouched = proof == *right && (first, second) == (small, large);
        let holds = if is_consistency {
            verify_consistency(first, second, &roots(small), &roots(large), &proof)
        } else {
            small < large && verify_inclusion(&leaves[at], first, second, &proof, &roots(large))
        };
        if is_consistency {
            // The claimed sizes are signed together with the roots; with others than those the same hashes may still fit,
            // because a proof says nothing about what lies beside its path. With the right ones only the right proof does.
            assert!(!holds || untouched || (first, second) != (small, large), "{first} {second} {proof:?}");
        } else {
            assert!(!holds || untouched || (first, second) != (small, large), "{first} {second} {proof:?}");
        }
        if untouched && (is_consistency || small < large) {
            assert!(holds);
        }
    }
}

/// The file that `audit prove --consistency` writes. Nobody of this log signed any, so none verifies; of two notes that the
/// log signed, the receipt's is the only one there is.
fn consistency(data: &[u8]) {
    let Ok(proof) = Consistency::parse(data) else { return };
    assert_eq!(proof.to_text().as_bytes(), data, "another spelling of the same proof");
    let trusted = VerifierKey::parse(TRUSTED.trim_end()).expect("a vector");
    if let Ok(shown) = proof.verify(&trusted) {
        assert_eq!(shown.old, shown.new, "the log signed one checkpoint");
        assert!(proof.proof.is_empty());
    }
}

/// The file of members that a receipt opens.
fn opening(data: &[u8]) {
    let Ok(opening) = Opening::parse(data) else { return };
    let line = opening.to_line().expect("what was read can be written");
    assert_eq!(line.strip_suffix(b"\n").unwrap_or(&line), data.strip_suffix(b"\n").unwrap_or(data));
    let right = Receipt::parse(RECEIPT.as_bytes()).expect("a vector");
    let trusted = VerifierKey::parse(TRUSTED.trim_end()).expect("a vector");
    let header = right.verify(&trusted).expect("a vector").envelope.header;
    assert!(opening.verify(&header).is_err() || opening.seq == header.seq);
}

fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((b't', rest)) => tree(rest),
        Some((b'k', rest)) => consistency(rest),
        Some((b'o', rest)) => opening(rest),
        _ => receipt(data),
    }
});
