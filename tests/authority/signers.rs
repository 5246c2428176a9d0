//! Enrolment and retirement at the right and the wrong moment.

use aosctl::domain::event::*;
use aosctl::domain::time::Span;
use aosctl::identity::Signer;
use serde_json::Value;

use crate::judged::Want::{Counts, Fault};
use crate::judged::{Situation, run_all, says};
use crate::matrix::{new_agent, new_key, new_operator};
use crate::world::*;

fn enrols(name: &str, word: &'static str, change: impl Fn(&mut OperatorEnrolled) + 'static) -> Situation {
    says(name, "op-1", Fault(word), move |f| {
        let mut b = new_operator(f);
        change(&mut b);
        b.into()
    })
}

fn adds(name: &str, word: &'static str, change: impl Fn(&mut AgentEnrolled) + 'static) -> Situation {
    says(name, "op-1", Fault(word), move |f| {
        let mut b = new_agent(f);
        change(&mut b);
        b.into()
    })
}

/// An enrolment with the key and the proof of somebody of the cast.
fn again(name: &str, who: &'static str, word: &'static str) -> Situation {
    says(name, "op-1", Fault(word), move |f| {
        let key = &crate::judged::stage().cast;
        let signer = key.signer(who);
        let origin = aosctl::domain::facts::Facts::origin(f).unwrap().unwrap().name.clone();
        AgentEnrolled { public_key: Hex32(signer.public()), proof: proof(signer, &origin), ..new_agent(f) }.into()
    })
}

/// Keys that must be refused, from the vectors of the implementation that is not ours.
fn weak_keys() -> Vec<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/log-v1/enrolment.json");
    let rows: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let weak: Vec<_> = rows
        .iter()
        .filter(|r| r["enrolment_fault"].is_string())
        .map(|r| (r["name"].as_str().unwrap().to_string(), r["public_key"].as_str().unwrap().to_string()))
        .collect();
    assert!(weak.len() >= 4, "{weak:?}");
    weak
}

#[test]
fn enrolment_and_retirement() {
    let retire = |who: &str| IdentityRetired { id: id(who), as_of: None, reason: None };
    let mut all = vec![
        enrols("an id again", "id_used", |b| b.id = id("op-2")),
        enrols("a retired id again", "id_used", |b| b.id = id("op-3")),
        enrols("an agent's id for an operator", "id_kind", |b| b.id = id("ag-7")),
        enrols("no proof", "proof_of_possession", |b| b.proof = String::new()),
        enrols("half a proof", "proof_of_possession", |b| b.proof.truncate(64)),
        enrols("a proof by another key", "proof_of_possession", |b| {
            b.public_key = Hex32(Signer::from_seed(&[60; 32]).public());
        }),
        enrols("a proof for another log", "proof_of_possession", |b| {
            b.proof = proof(&new_key(), &format!("aosctl/{}", "0".repeat(32)));
        }),
        adds("a retired agent's id again", "id_used", |b| b.id = id("ag-4")),
        adds("an operator's id for an agent", "id_kind", |b| b.id = id("op-7")),
        adds("a name again", "handle", |b| b.handle = "build-bot".into()),
        adds("a retired agent's name again", "handle", |b| b.handle = "old-bot".into()),
        adds("a name that reads as an id", "handle", |b| b.handle = "op-1".into()),
        adds("a name with an escape sequence", "handle", |b| b.handle = "\u{1b}[2Jbot".into()),
        adds("for a retired operator", "operator_not_live", |b| b.operator = id("op-3")),
        adds("for an operator that nobody enrolled", "operator_not_live", |b| b.operator = id("op-9")),
        adds("for an agent", "operator_not_live", |b| b.operator = id("ag-1")),
        again("the operator's key again", "op-1", "key_used"),
        again("an agent's key again", "ag-1", "key_used"),
        again("a retired agent's key again", "ag-4", "key_used"),
        again("a retired operator's key again", "op-3", "key_used"),
        again("the log's key", "log", "key_used"),
        says("an agent enrols its successor", "ag-1", Fault("needs_operator"), |f| new_agent(f).into()),
        says("the log enrols an operator", "log", Fault("needs_operator"), |f| new_operator(f).into()),
        says("retired twice", "op-1", Fault("retired"), move |_| retire("op-3").into()),
        says("retired, never enrolled", "op-1", Fault("no_such_identity"), move |_| retire("ag-9").into()),
        says("disputed from the future", "op-1", Fault("as_of"), |_| {
            IdentityRetired { id: id("ag-1"), as_of: Some(100_000), reason: None }.into()
        }),
        says("the last operator", "op-1", Fault("last_operator"), move |_| retire("op-1").into()).after(move |w, c| {
            w.must(c, "op-1", now(), |_| retire("op-2").into());
        }),
        says("the last but one retires itself", "op-2", Counts, move |_| retire("op-2").into()),
        says("signs after its own retirement", "op-2", Fault("signer_not_live"), |f| new_agent(f).into()).after(
            move |w, c| {
                w.must(c, "op-2", now(), |_| retire("op-2").into());
            },
        ),
        says("an agent asks after its operator retired", "ag-2", Fault("signer_not_live"), |f| {
            Asking { requester: id("ag-2"), ..Asking::refund("1USD") }.made(f, id("r-16"), now()).into()
        })
        .after(move |w, c| {
            w.must(c, "op-1", now(), |_| retire("op-2").into());
        }),
        says("a retired operator comes back a month later", "op-3", Fault("signer_not_live"), |f| new_agent(f).into())
            .at(now().plus(Span::MONTH)),
    ];
    for (name, key) in weak_keys() {
        let key: Hex32 = key.parse().unwrap();
        all.push(enrols(&format!("a weak key: {name}"), "weak_key", move |b| b.public_key = key));
        all.push(adds(&format!("a weak key for an agent: {name}"), "weak_key", move |b| b.public_key = key));
    }
    println!("situations, signers: {}", run_all(all));
}
