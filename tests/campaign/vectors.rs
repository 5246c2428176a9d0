//! The edge cases of Ed25519 (C2SP/CCTV) as signatures and as keys.

use std::collections::BTreeSet;

use aosctl::domain::event::{AgentEnrolled, Event, Hex32, OperatorEnrolled, OperatorRotated, RecoveryEnrolled};
use aosctl::log::key::PublicKey;
use aosctl::log::verdict::Check;
use serde_json::Value;

use crate::base::{Base, cast};
use crate::envelopes::{envelope, put_envelope};
use crate::rng::Rng;
use crate::run::Seq::{At, Nowhere};
use crate::run::{Mutation, Want, mutation};
use crate::world::{Forgery, id, now};

pub struct Vector {
    pub number: u64,
    pub key: [u8; 32],
    pub sig: [u8; 64],
    pub msg: String,
    pub flags: BTreeSet<String>,
}

pub fn all() -> Vec<Vector> {
    let text = include_str!("../vectors/cctv-ed25519/vectors.jsonl");
    let hex = |v: &Value| data_encoding::HEXLOWER.decode(v.as_str().unwrap().as_bytes()).unwrap();
    text.lines()
        .map(|line| {
            let v: Value = serde_json::from_str(line).unwrap();
            Vector {
                number: v["number"].as_u64().unwrap(),
                key: hex(&v["key"]).try_into().unwrap(),
                sig: hex(&v["sig"]).try_into().unwrap(),
                msg: v["msg"].as_str().unwrap().into(),
                flags: v["flags"].as_array().into_iter().flatten().map(|f| f.as_str().unwrap().into()).collect(),
            }
        })
        .collect()
}

impl Vector {
    /// Strict: points canonical and not of small order, and the equation without the cofactor.
    pub fn is_refused(&self) -> bool {
        ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"]
            .iter()
            .any(|flag| self.flags.contains(*flag))
    }

    fn is_weak_key(&self) -> bool {
        ["low_order_A", "non_canonical_A", "low_order_component_A"].iter().any(|flag| self.flags.contains(*flag))
    }
}

/// The verifier's word on each vector itself.
pub fn judged() -> (usize, usize) {
    let (mut refused, mut taken) = (0, 0);
    for v in all() {
        let said = PublicKey(v.key).verify_strict(v.msg.as_bytes(), &v.sig);
        assert_eq!(said.is_err(), v.is_refused(), "vector {}: {:?}: {said:?}", v.number, v.flags);
        assert_eq!(PublicKey(v.key).enrolment_fault().is_some(), v.is_weak_key(), "vector {}", v.number);
        match said {
            Ok(()) => taken += 1,
            Err(_) => refused += 1,
        }
    }
    (refused, taken)
}

pub fn mutations(base: &'static Base, rng: &mut Rng) -> Vec<Mutation> {
    let mut out = Vec::new();
    let vectors = all();
    // Each signature in the place of an entry's, with the vector's key id or the signer's.
    let mut seen = BTreeSet::new();
    for v in vectors.iter().filter(|v| seen.insert(v.sig)) {
        let row = rng.of(&base.rows);
        let seq = row.seq;
        let bytes = envelope(&row.envelope.body, &row.envelope.header.key.to_hex(), &v.sig);
        let wants = vec![
            Want::Fails(Check::Signatures, At(seq)),
            Want::Fails(Check::Authority, At(base.blamed(seq))),
            Want::Fails(Check::TreeRoot, Nowhere),
            Want::Holds(Check::CanonicalForm),
        ];
        let name = format!("vector {}: its signature on entry {seq}", v.number);
        out.push(mutation("Ed25519 edge cases as signatures", name, wants, move |w| put_envelope(w, seq, &bytes)));
    }
    // Each key enrolled in every way there is, with each of some proofs.
    let mut seen = BTreeSet::new();
    let fresh = base.rows.len();
    for v in vectors.iter().filter(|v| seen.insert((v.key, v.number % 3))) {
        let (key, proof) = (Hex32(v.key), data_encoding::HEXLOWER.encode(&v.sig));
        let fault = if v.is_weak_key() { "weak_key" } else { "proof_of_possession" };
        let events: [Event; 4] = [
            OperatorEnrolled { id: id("op-900"), public_key: key, proof: proof.clone(), name: None }.into(),
            AgentEnrolled {
                id: id("ag-900"),
                handle: "weak-bot".into(),
                operator: id("op-1"),
                public_key: key,
                proof: proof.clone(),
            }
            .into(),
            RecoveryEnrolled { id: id("op-900"), operator: id("op-1"), public_key: key, proof: proof.clone() }.into(),
            OperatorRotated { id: id("op-1"), public_key: key, proof, reason: None }.into(),
        ];
        for event in events {
            let seq = u64::try_from(fresh).unwrap();
            let wants = vec![
                Want::Fails(Check::Authority, At(seq)),
                Want::Fault(seq, fault),
                Want::Holds(Check::Signatures),
                Want::Holds(Check::Chain),
                Want::Holds(Check::TreeRoot),
            ];
            let name = format!("vector {}: its key by {}", v.number, event.name());
            out.push(mutation("Ed25519 edge cases as keys", name, wants, move |w| {
                Forgery::of(cast(), "op-1", &event, None, now()).seal(w).append(w, cast());
                Ok(())
            }));
        }
    }
    // An entry by such a key: nobody of that key was ever enrolled.
    for v in vectors.iter().step_by(9) {
        let row = rng.of(&base.rows[1..]);
        let seq = row.seq;
        let key = PublicKey(v.key).key_id();
        let mut header = row.envelope.header.clone();
        header.key = key;
        let bytes = envelope(&header.to_jcs(), &key.to_hex(), &v.sig);
        let wants = vec![Want::Fails(Check::Signatures, At(seq)), Want::Fails(Check::Authority, At(base.blamed(seq)))];
        let name = format!("vector {}: entry {seq} under its key", v.number);
        out.push(mutation("Ed25519 edge cases as signatures", name, wants, move |w| put_envelope(w, seq, &bytes)));
    }
    out
}
