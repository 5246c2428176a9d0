//! The Merkle tree against trees and proofs that are not ours, the negative ones among them. See tests/vectors/rfc6962/README.md.
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

use std::path::Path;

use aosctl::log::hash::Hash;
use aosctl::log::tree::{
    Frontier, Leaves, consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion,
};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/rfc6962").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn hashes(v: &Value) -> Vec<Hash> {
    v.as_array().unwrap().iter().map(|h| Hash::from_hex(h.as_str().unwrap()).unwrap()).collect()
}

#[test]
fn trees_and_proofs_of_another_implementation() {
    let v = vectors("go-tlog.json");
    let roots = hashes(&v["roots"]);
    let leaves: Vec<Hash> = v["leaves"]
        .as_array()
        .unwrap()
        .iter()
        .map(|leaf| leaf_hash(&data_encoding::HEXLOWER.decode(leaf.as_str().unwrap().as_bytes()).unwrap()))
        .collect();
    let mut tree = Frontier::new();
    for (leaf, root) in leaves.iter().zip(&roots) {
        tree.push(*leaf);
        assert_eq!(tree.root(), *root, "{} leaves", tree.size());
    }
    let (mut held, mut refused) = (0, 0);
    for case in v["inclusion"].as_array().unwrap() {
        let (index, size) = (case["index"].as_u64().unwrap(), case["size"].as_u64().unwrap());
        let (leaf, root) = (hashes(&case["leaf"])[0], hashes(&case["root"])[0]);
        let proof = hashes(&case["proof"]);
        let holds = verify_inclusion(&leaf, index, size, &proof, &root);
        assert_eq!(Some(holds), case["holds"].as_bool(), "{case}");
        if case["what"] == "as it is" {
            assert!(holds);
            assert_eq!(inclusion_proof(index, size, &Leaves(&leaves)).unwrap(), proof);
        }
        *(if holds { &mut held } else { &mut refused }) += 1;
    }
    for case in v["consistency"].as_array().unwrap() {
        let (first, second) = (case["first"].as_u64().unwrap(), case["second"].as_u64().unwrap());
        let (pair, proof) = (hashes(&case["roots"]), hashes(&case["proof"]));
        let holds = verify_consistency(first, second, &pair[0], &pair[1], &proof);
        assert_eq!(Some(holds), case["holds"].as_bool(), "{case}");
        if case["what"] == "as it is" {
            assert!(holds);
            assert_eq!(consistency_proof(first, second, &Leaves(&leaves)).unwrap(), proof);
        }
        *(if holds { &mut held } else { &mut refused }) += 1;
    }
    println!("{held} hold, {refused} are refused");
    assert!(held > 40 && refused > 400);
}
