//! The policy, and edits of the record itself.

use std::collections::BTreeSet;

use super::{Entry, Judged, Signer, fault};
use crate::domain::decide::{AUDIT_EDIT, Proposal};
use crate::domain::event::{EntryCorrected, EntryVoided, PayloadErased, PolicyAdopted};
use crate::domain::facts::{Change, Facts, Policy};
use crate::domain::id::{Actor, Id};
use crate::domain::rules::{RULES_VERSION, Rules};
use crate::domain::weigh::weigh;
use crate::log::canonical;
use crate::log::hash::sha256;
use crate::log::payload::ERASABLE;

/// Hex SHA-256 of the canonical rules: the digest by which a decision names its policy.
pub fn rules_digest(rules: &Rules) -> Result<String, String> {
    let value = serde_json::to_value(rules).map_err(|e| e.to_string())?;
    let bytes = canonical::to_vec(&value).map_err(|e| e.to_string())?;
    Ok(sha256(&bytes).to_hex())
}

pub(super) fn policy_adopted<F: Facts>(
    entry: &Entry,
    b: &PolicyAdopted,
    signer: &Signer,
    facts: &F,
) -> Judged<F::Error> {
    signer.operator()?;
    if b.rules.version != RULES_VERSION {
        return fault(
            "rules_version",
            format!("this aosctl decides by rules {RULES_VERSION}, the policy asks for {}", b.rules.version),
        );
    }
    // The commitment binds digest and rules together, so the hot path need not hash forty kilobytes again.
    if facts.replays_decisions() && rules_digest(&b.rules).as_deref() != Ok(b.digest.as_str()) {
        return fault("policy_digest", "the digest is not that of the rules");
    }
    Ok(vec![Change::Policy(Box::new(Policy { digest: b.digest.clone(), seq: entry.seq, rules: b.rules.clone() }))])
}

pub(super) fn erased<F: Facts>(entry: &Entry, b: &PayloadErased, signer: &Signer, facts: &F) -> Judged<F::Error> {
    let operator = signer.operator()?.id;
    let Some(target) = facts.entry(b.seq)?.filter(|_| b.seq < entry.seq) else {
        return fault("no_such_entry", format!("there is no earlier entry {}", b.seq));
    };
    let gone = facts.erased_members(b.seq)?;
    if b.members.is_empty() {
        return fault("not_erasable", "nothing is named");
    }
    for m in &b.members {
        if !ERASABLE.contains(&m.as_str()) {
            return fault("not_erasable", format!("{m} may not be erased"));
        }
        if gone.contains(m) || !target.members.contains(m) {
            return fault("not_erasable", format!("entry {} has no member {m}", b.seq));
        }
    }
    // The approvers are the signer and the approvals' signers.
    let mut approvers = BTreeSet::from([operator]);
    for seq in &b.approvals {
        let subject = facts.entry(*seq)?.filter(|e| e.kind == "request.approved/1").and_then(|e| e.subject);
        let request = match subject {
            Some(id) => facts.request(id)?,
            None => None,
        };
        let approval = request
            .as_ref()
            .filter(|r| r.action == AUDIT_EDIT && r.resource.as_str() == format!("entry:{}", b.seq))
            // Half approved and then taken back or denied: nobody stands by it any more.
            .filter(|r| r.withdrawn_seq.is_none() && r.denied_seq.is_none())
            .and_then(|r| r.counting(entry.at).find(|a| a.seq == *seq));
        match approval {
            Some(a) => approvers.insert(a.operator),
            None => {
                return fault("not_an_approval", format!("entry {seq} approves no edit of entry {}", b.seq));
            }
        };
    }
    let Ok(resource) = format!("entry:{}", b.seq).parse() else {
        return fault("no_such_entry", "no such entry");
    };
    let proposal = Proposal {
        requester: operator,
        action: AUDIT_EDIT.into(),
        resource,
        access: None,
        facets: Default::default(),
        unsure: false,
    };
    let needed = weigh(facts, &proposal, None, entry.at, None)?.approvers;
    if needed == 0 || approvers.len() < usize::from(needed) {
        return fault("too_few_approvers", format!("{needed} operators must agree, {} did", approvers.len()));
    }
    Ok(vec![Change::Erased { seq: b.seq, members: b.members.iter().cloned().collect(), by: entry.seq }])
}

/// A correction changes nothing but what is shown beside the entry.
pub(super) fn corrected<F: Facts>(entry: &Entry, b: &EntryCorrected, signer: &Signer, facts: &F) -> Judged<F::Error> {
    signer.operator()?;
    if b.seq >= entry.seq || facts.entry(b.seq)?.is_none() {
        return fault("no_such_entry", format!("there is no earlier entry {}", b.seq));
    }
    Ok(vec![Change::Corrected { seq: b.seq, by: entry.seq }])
}

pub(super) fn voided<F: Facts>(entry: &Entry, b: &EntryVoided, signer: &Signer, facts: &F) -> Judged<F::Error> {
    let operator: Id = signer.operator()?.id;
    let Some(bad) = facts.invalid(b.seq)? else {
        return fault("not_invalid", format!("entry {} is not invalid", b.seq));
    };
    if !bad.voidable {
        return fault("not_voidable", "what cannot be read or is badly signed cannot be voided");
    }
    if bad.leaf != b.leaf {
        return fault("other_leaf", "the leaf hash is not that of the entry");
    }
    if bad.voided_seq.is_some() {
        return fault("voided", format!("entry {} was voided before", b.seq));
    }
    if bad.actor == Actor::Identity(operator) || bad.subject == Some(operator) {
        return fault("own_entry", "neither its signer nor its subject may void an entry");
    }
    Ok(vec![Change::Voided { seq: b.seq, by: entry.seq }])
}
