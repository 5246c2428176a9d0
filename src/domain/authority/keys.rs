//! Keys and their rotation: what an operator knows of them. Only an operator signs (log-format.md, `key.*`, `rotation.*`),
//! but that a key leaked may be said by anyone, because it only ever narrows.

use std::rc::Rc;

use super::{Entry, Judged, Refusal, Signer, fault};
use crate::domain::event::{KeyAdded, KeyChanged, KeyLeaked, KeyRetired, KeyStep, RotationRecorded, RotationScheduled};
use crate::domain::facts::{Change, Facts};
use crate::domain::id::{Id, IdKind};
use crate::domain::key::{Key, KeyFacts, Leak, LeakStep, Schedule, StepOutcome, StepTaken};

pub(super) fn added<F: Facts>(entry: &Entry, b: &KeyAdded, signer: &Signer, facts: &F) -> Judged<F::Error> {
    signer.operator()?;
    if b.key.kind != IdKind::Key || facts.key(b.key)?.is_some() {
        return fault("id_used", format!("{} was used before, or is no key's id", b.key));
    }
    known(&b.facts, facts)?;
    changed_to(Key {
        id: b.key,
        facts: b.facts.clone(),
        schedule: None,
        added_seq: entry.seq,
        added_at: entry.at,
        changed_seq: entry.seq,
        recorded_seq: None,
        retired_seq: None,
        retired_at: None,
        leak: None,
    })
}

pub(super) fn changed<F: Facts>(entry: &Entry, b: &KeyChanged, signer: &Signer, facts: &F) -> Judged<F::Error> {
    signer.operator()?;
    let mut key = live(b.key, facts)?;
    known(&b.facts, facts)?;
    key.facts = b.facts.clone();
    key.changed_seq = entry.seq;
    changed_to(key)
}

pub(super) fn retired<F: Facts>(entry: &Entry, b: &KeyRetired, signer: &Signer, facts: &F) -> Judged<F::Error> {
    signer.operator()?;
    let mut key = live(b.key, facts)?;
    key.retired_seq = Some(entry.seq);
    key.retired_at = Some(entry.at);
    key.changed_seq = entry.seq;
    changed_to(key)
}

pub(super) fn leaked<F: Facts>(entry: &Entry, b: &KeyLeaked, signer: &Signer, facts: &F) -> Judged<F::Error> {
    // An agent's word would let it take a key away from others.
    if let Signer::Agent(i) | Signer::Recovery(i) = signer {
        return fault("needs_operator", format!("{} is no operator, and only an operator or nobody says this", i.id));
    }
    let mut key = existing(b.key, facts)?;
    if key.leak_is_open() {
        return fault("leaked", format!("{} leaked before, and that is still open", b.key));
    }
    // From here on `run` gives it to nobody, whatever still carries it.
    let contained = StepTaken { step: LeakStep::Contain, outcome: StepOutcome::Done, seq: entry.seq, at: entry.at };
    key.leak = Some(Leak { seq: entry.seq, at: entry.at, steps: vec![contained] });
    key.changed_seq = entry.seq;
    changed_to(key)
}

pub(super) fn step<F: Facts>(entry: &Entry, b: &KeyStep, signer: &Signer, facts: &F) -> Judged<F::Error> {
    signer.operator()?;
    let mut key = existing(b.key, facts)?;
    let Some(leak) = key.leak.as_mut().filter(|l| l.seq == b.leak) else {
        return fault("no_such_leak", format!("entry {} is not the newest leak of {}", b.leak, b.key));
    };
    leak.steps.push(StepTaken { step: b.step, outcome: b.outcome, seq: entry.seq, at: entry.at });
    key.changed_seq = entry.seq;
    changed_to(key)
}

pub(super) fn scheduled<F: Facts>(
    entry: &Entry,
    b: &RotationScheduled,
    signer: &Signer,
    facts: &F,
) -> Judged<F::Error> {
    signer.operator()?;
    let mut key = live(b.key, facts)?;
    if let Some(owner) = b.owner {
        operator_live(owner, facts)?;
    }
    key.schedule = match b.every {
        None => None,
        Some(every) => {
            let warn = b.warn.unwrap_or_default();
            if every.millis() <= 0 || warn >= every {
                return fault("schedule", "the warning is not shorter than the time between two rotations");
            }
            Some(Schedule { every, warn, owner: b.owner, seq: entry.seq })
        }
    };
    key.changed_seq = entry.seq;
    changed_to(key)
}

pub(super) fn recorded<F: Facts>(entry: &Entry, b: &RotationRecorded, signer: &Signer, facts: &F) -> Judged<F::Error> {
    signer.operator()?;
    let mut key = live(b.key, facts)?;
    if b.rotated > entry.at {
        return fault("rotated", "it was turned over in the future");
    }
    let f = &mut key.facts;
    f.rotated = Some(b.rotated);
    // These were the old secret's: what nobody tells of the new one is unknown, not unchanged.
    f.last4.clone_from(&b.last4);
    f.fingerprint = b.fingerprint;
    f.expires = b.expires;
    if let Some(place) = &b.place {
        f.place = place.clone();
    }
    if b.provider_id.is_some() {
        f.provider_id.clone_from(&b.provider_id);
    }
    f.active = true;
    known(&key.facts, facts)?;
    key.recorded_seq = Some(entry.seq);
    key.changed_seq = entry.seq;
    changed_to(key)
}

fn changed_to<E>(key: Key) -> Judged<E> {
    Ok(vec![Change::Key(Box::new(key))])
}

pub(super) fn existing<F: Facts>(id: Id, facts: &F) -> Result<Key, Refusal<F::Error>> {
    match facts.key(id)? {
        Some(key) => Ok(Rc::unwrap_or_clone(key)),
        None => fault("no_such_key", format!("{id} was never added")),
    }
}

fn live<F: Facts>(id: Id, facts: &F) -> Result<Key, Refusal<F::Error>> {
    let key = existing(id, facts)?;
    if !key.is_live() {
        return fault("retired", format!("{id} was retired before"));
    }
    Ok(key)
}

/// What is said of a key names what there is.
fn known<F: Facts>(f: &KeyFacts, facts: &F) -> Result<(), Refusal<F::Error>> {
    if let Err(why) = f.check() {
        return fault("key_facts", why);
    }
    if let Some(i) = f.integration
        && facts.integration(i)?.is_none()
    {
        return fault("no_such_integration", format!("{i} was never added"));
    }
    match f.owner {
        Some(owner) if owner.kind != IdKind::Operator || facts.identity(owner)?.is_none() => {
            fault("no_such_owner", format!("{owner} is no operator"))
        }
        _ => Ok(()),
    }
}

fn operator_live<F: Facts>(id: Id, facts: &F) -> Result<(), Refusal<F::Error>> {
    if id.kind != IdKind::Operator || !facts.identity(id)?.is_some_and(|o| o.is_live()) {
        return fault("owner_not_live", format!("{id} is not a live operator"));
    }
    Ok(())
}
