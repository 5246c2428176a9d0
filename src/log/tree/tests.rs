use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(format!("leaf {index}").as_bytes())).collect()
}

/// RFC 6962 section 2.1, word for word, as an oracle.
fn rfc_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(b""),
        [leaf] => *leaf,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            node_hash(&rfc_root(&leaves[..middle]), &rfc_root(&leaves[middle..]))
        }
    }
}

#[test]
fn all_small_sizes() {
    let all = leaves(40);
    let mut frontier = Frontier::new();
    let roots: Vec<Hash> = (0..=all.len()).map(|size| rfc_root(&all[..size])).collect();
    let mut stored = HashMap::new();
    for size in 0..=40u64 {
        let here = usize::try_from(size).unwrap();
        assert_eq!(frontier.root(), roots[here]);
        assert_eq!(frontier.size(), size);
        let bytes = frontier.to_bytes();
        assert_eq!(bytes.len(), 8 + 32 * usize::try_from(size.count_ones()).unwrap());
        assert_eq!(Frontier::from_bytes(&bytes), Some(frontier.clone()));
        assert_eq!(Frontier::from_bytes(&bytes[1..]), None);
        let source = Leaves(&all[..here]);
        assert_eq!(root_of(size, &source), Ok(roots[here]));
        for index in 0..size {
            let leaf = all[usize::try_from(index).unwrap()];
            let proof = inclusion_proof(index, size, &source).unwrap();
            assert!(verify_inclusion(&leaf, index, size, &proof, &roots[here]), "{index} of {size}");
            for other in (0..size + 2).filter(|&other| other != index) {
                assert!(!verify_inclusion(&leaf, other, size, &proof, &roots[here]), "{index} as {other} of {size}");
            }
            let longer = [proof.clone(), vec![leaf]].concat();
            assert!(!verify_inclusion(&leaf, index, size, &longer, &roots[here]));
            if let Some((_, shorter)) = proof.split_last() {
                assert!(!verify_inclusion(&leaf, index, size, shorter, &roots[here]));
            }
        }
        for first in 0..=size {
            let first_root = roots[usize::try_from(first).unwrap()];
            let proof = consistency_proof(first, size, &source).unwrap();
            assert!(verify_consistency(first, size, &first_root, &roots[here], &proof), "{first} to {size}");
            let forged = Hash([7; 32]);
            assert!(!verify_consistency(first, size, &forged, &roots[here], &proof), "{first} to {size}");
            assert!(first == 0 || !verify_consistency(first, size, &first_root, &forged, &proof), "{first} to {size}");
            assert!(first == size || !verify_consistency(size, first, &roots[here], &first_root, &proof));
            let longer = [proof.clone(), vec![first_root]].concat();
            assert!(!verify_consistency(first, size, &first_root, &roots[here], &longer));
        }
        if let Some(leaf) = all.get(here) {
            frontier.push_and_report(*leaf, |level, index, hash| {
                assert!(stored.insert((level, index), hash).is_none());
            });
        }
    }
    for (&(level, index), hash) in &stored {
        assert_eq!(Leaves(&all).subtree(level, index), Ok(*hash));
    }
}

/// RFC 6962 section 2.1.1, word for word: PATH(m, D[n]).
fn rfc_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    if m < left.len() {
        [rfc_path(m, left), vec![rfc_root(right)]].concat()
    } else {
        [rfc_path(m - left.len(), right), vec![rfc_root(left)]].concat()
    }
}

/// RFC 6962 section 2.1.2, word for word: SUBPROOF(m, D[n], b).
fn rfc_subproof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole { Vec::new() } else { vec![rfc_root(leaves)] };
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    if m <= left.len() {
        [rfc_subproof(m, left, whole), vec![rfc_root(right)]].concat()
    } else {
        [rfc_subproof(m - left.len(), right, false), vec![rfc_root(left)]].concat()
    }
}

#[test]
fn one_pass_gives_the_proofs_of_the_rfc_at_every_size_and_index() {
    let all = leaves(70);
    for size in 0..=70u64 {
        let here = &all[..usize::try_from(size).unwrap()];
        let every: Vec<u64> = (0..size).collect();
        let older: Vec<u64> = (0..=size).collect();
        let mut collector = Collector::new(size, &every, &older);
        assert!(size < 2 || inclusion_proof(0, size, &collector) == Err(NotCollected));
        // What comes after the size changes nothing.
        all.iter().for_each(|leaf| collector.push(*leaf));
        assert_eq!(collector.tree().size(), 70);
        for index in every {
            let proof = inclusion_proof(index, size, &collector).unwrap();
            assert_eq!(proof, rfc_path(usize::try_from(index).unwrap(), here), "{index} of {size}");
            assert!(proof.len() <= 7);
        }
        for first in older.into_iter().filter(|first| *first > 0) {
            let proof = consistency_proof(first, size, &collector).unwrap();
            assert_eq!(proof, rfc_subproof(usize::try_from(first).unwrap(), here, true), "{first} to {size}");
        }
    }
}

#[test]
fn one_proof_keeps_few_hashes() {
    let collector = Collector::new((1 << 40) - 3, &[12_345_678_901], &[77_777_777_777]);
    assert!(collector.nodes_wanted() < 2 * 2 * 41, "{}", collector.nodes_wanted());
}

proptest! {
    #[test]
    fn random_proofs_prove_nothing(index in 0u64..64, size in 0u64..64, count in 0usize..7) {
        let proof = vec![Hash([3; 32]); count];
        prop_assert!(!verify_inclusion(&Hash([1; 32]), index, size, &proof, &Hash([2; 32])));
        prop_assert!(!verify_consistency(index, size, &Hash([1; 32]), &Hash([2; 32]), &proof));
    }
}
