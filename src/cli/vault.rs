//! The vault of the workspace at hand, and sealing its attended secrets again when operators come and go.

use super::error::CliError;
use super::outcome::Outcome;
use super::text::safe;
use crate::domain::event::{Hex32, KeyChanged};
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::key::{KeyFacts, Place};
use crate::identity::Signer;
use crate::rotation::case::leaked_ever;
use crate::secret::{Circle, SecretError, Vault};
use crate::workspace::{OperatorIdentity, Trusted, Tx, Workspace};
use schemars::JsonSchema;
use serde::Serialize;

/// The vault of a workspace. Touches nothing.
pub fn of(ws: &Workspace) -> Vault {
    Vault::new(&ws.place().dir, &ws.state_dir(), &ws.origin().name)
}

/// The operators, as these facts have them. Inside a transaction take `tx.facts()`, so that nobody is enrolled in between.
/// Live operators' identities on paper can open what they can.
pub fn circle(facts: &Trusted<'_>) -> Result<Circle, CliError> {
    circle_but(facts, None)
}

/// As [`circle`], without somebody who is just being retired, and without what they have on paper.
pub fn circle_but(facts: &Trusted<'_>, leaves: Option<Id>) -> Result<Circle, CliError> {
    let operators = facts.operators()?;
    let stays = |id: Id| leaves != Some(id);
    let mut former = Vec::new();
    for o in operators.iter().filter(|o| o.has_new_key()) {
        former.extend(facts.keys_ever(o.id)?);
    }
    let live = |id: Id| operators.iter().any(|o| o.id == id && o.is_live() && stays(id));
    let papers = facts.recoveries()?;
    let papers = papers.iter().filter(|p| p.retired_seq.is_none() && stays(p.id) && p.recovers().is_some_and(live));
    let mut circle = Circle::of(&operators).with_former(former);
    if let Some(gone) = operators.iter().find(|o| !stays(o.id)) {
        circle = circle.without(&gone.public_key);
    }
    Ok(circle.with_paper(papers.map(|p| p.public_key)))
}

/// Refuses a secret that leaked, of whichever key: it opens to whoever has seen it, and no name makes it another one.
pub fn never_leaked(ws: &Workspace, fingerprint: Hex32) -> Result<(), CliError> {
    match leaked_ever(ws, fingerprint)? {
        None => Ok(()),
        Some((key, seq)) => Err(CliError::no("leaked_secret", "that secret leaked, and is not taken in again")
            .because(format!("entry {seq} says that it is the one of {key} that leaked; nothing was recorded"))
            .hint("make another one at its provider, and give that")
            .hint(format!("what is to be done about the leak: aosctl key leaked {key} --report"))),
    }
}

/// A key whose secret could not be sealed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotResealed {
    /// `k-3`, or absent for the key of fingerprints.
    pub key: Option<Id>,
    /// Why.
    pub why: String,
}

/// What was sealed again, and what could not be.
#[derive(Debug, Default)]
pub struct Resealed {
    /// Keys whose secret is now sealed for exactly the operators there are.
    pub keys: Vec<Id>,
    /// Keys whose secret is sealed as before.
    pub not: Vec<NotResealed>,
    old: Vec<(Id, Place)>,
}

/// The live keys whose secret is attended and sealed for others than these operators.
pub fn stale(ws: &Workspace, facts: &Trusted<'_>, operators: &Circle) -> Result<Vec<Id>, CliError> {
    let vault = of(ws);
    let mut found = Vec::new();
    for row in ws.store().keys(false)? {
        let Some(key) = facts.key(row.id)?.filter(|k| k.is_live()) else { continue };
        if !matches!(key.facts.place, Place::Sealed { attended: true, .. }) {
            continue;
        }
        let mut wanted = operators.live.clone();
        wanted.sort_unstable();
        let right = vault.recipients(key.id, &key.facts.place).is_ok_and(|mut have| {
            have.sort_unstable();
            have == wanted
        });
        if !right {
            found.push(key.id);
        }
    }
    Ok(found)
}

/// The live keys whose attended secret an operator can open, as far as the files tell: one that cannot be read counts.
pub fn open_to(ws: &Workspace, public_key: &[u8; 32]) -> Result<Vec<Id>, CliError> {
    let (vault, facts) = (of(ws), ws.facts());
    let mut found = Vec::new();
    for row in ws.store().keys(false)? {
        let Some(key) = facts.key(row.id)?.filter(|k| k.is_live()) else { continue };
        let attended = matches!(key.facts.place, Place::Sealed { attended: true, .. });
        if attended && vault.recipients(key.id, &key.facts.place).map_or(true, |have| have.contains(public_key)) {
            found.push(key.id);
        }
    }
    Ok(found)
}

/// Seals every attended secret for these operators that is sealed for others, and the key of fingerprints, inside the
/// transaction that makes them the operators there are: whoever is enrolled can open everything from that entry on. Each
/// file is on disk before the entry that names it. What cannot be opened or written stays as it is, and stops nobody from
/// being enrolled or retired.
pub fn reseal(
    ws: &Workspace,
    tx: &mut Tx<'_>,
    me: &OperatorIdentity,
    operators: &Circle,
    reason: &str,
) -> Result<Resealed, CliError> {
    let mut done = reseal_keys(ws, tx, (me.signer(), me), operators, reason)?;
    if let Err(e) = of(ws).reseal_fingerprint_key(me.signer(), operators) {
        done.not.push(NotResealed { key: None, why: e.to_string() });
    }
    Ok(done)
}

/// As [`reseal`], for an operator whose key is new: what only the old key or the identity on paper can open is opened by
/// that, and signed for with the new one. What cannot be written stops it, because the old key is about to go. The key of
/// fingerprints is sealed for the opener as well until [`Resealed::settle`], so that a crash costs nobody anything.
pub fn reseal_after(
    ws: &Workspace,
    tx: &mut Tx<'_>,
    opener: &Signer,
    me: &OperatorIdentity,
    reason: &str,
) -> Result<Resealed, CliError> {
    let circle = circle(tx.facts())?;
    let mut done = reseal_keys(ws, tx, (opener, me), &circle, reason)?;
    // Signed by a key that counts whether or not this transaction is committed: not by the new one. An identity on paper
    // signs nothing that counts: what the new one signs waits beside the file until it counts.
    let sealed = if circle.ever.contains(&opener.public()) {
        of(ws).reseal_fingerprint_key(opener, &circle.clone().with_paper([opener.public()]))
    } else {
        of(ws).seal_coming_fingerprint_key(opener, me.signer(), &circle)
    };
    if let Err(e) = sealed {
        done.not.push(NotResealed { key: None, why: e.to_string() });
    }
    Ok(done)
}

fn reseal_keys(
    ws: &Workspace,
    tx: &mut Tx<'_>,
    (opener, me): (&Signer, &OperatorIdentity),
    operators: &Circle,
    reason: &str,
) -> Result<Resealed, CliError> {
    let vault = of(ws);
    let mut done = Resealed::default();
    let strict = opener.public() != me.signer().public();
    for id in stale(ws, tx.facts(), operators)? {
        let Some(key) = tx.facts().key(id)? else { continue };
        match vault.reseal(id, &key.facts.place, opener, operators) {
            Ok(sealed) => {
                let facts = KeyFacts { place: sealed.place(), ..key.facts.clone() };
                tx.append(me.by(), KeyChanged { key: id, facts, reason: Some(reason.to_string()) })?;
                done.keys.push(id);
                done.old.push((id, key.facts.place.clone()));
            }
            Err(e @ SecretError::Sys(_)) if strict => return Err(e.into()),
            Err(e) => done.not.push(NotResealed { key: Some(id), why: e.to_string() }),
        }
    }
    Ok(done)
}

impl Resealed {
    /// Removes the files that no entry names any more. Call it when the transaction is on disk.
    pub fn clear(&self, ws: &Workspace) {
        let vault = of(ws);
        self.old.iter().for_each(|(key, place)| vault.remove(*key, place));
    }

    /// After [`reseal_after`], when the transaction is on disk: the key of fingerprints is sealed for the operators there
    /// are, and nobody else.
    pub fn settle(&mut self, ws: &Workspace, opener: &Signer, me: &OperatorIdentity) -> Result<(), CliError> {
        let _turn = ws.store().write()?;
        if let Err(e) = of(ws).reseal_fingerprint_key_by(opener, me.signer(), &circle(&ws.facts())?) {
            self.not.push(NotResealed { key: None, why: e.to_string() });
        }
        Ok(())
    }

    /// Says what was not sealed again, and what to do about it.
    pub fn tell(&self, mut out: Outcome) -> Outcome {
        for n in &self.not {
            let what = n.key.map_or_else(|| "the key of fingerprints".into(), |k| format!("the secret of {k}"));
            out = out.warn(format!("{what} is sealed for the same operators as before: {}", safe(&n.why)));
        }
        if self.not.is_empty() {
            out
        } else {
            out.note("Whoever can open it seals it for all of them: aosctl key reseal")
        }
    }
}
