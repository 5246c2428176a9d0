//! Which key it is that leaked.

use super::Args;
use crate::cli::commands::key::find;
use crate::cli::error::CliError;
use crate::cli::text::safe;
use crate::cli::{Context, intake, show, vault};
use crate::domain::event::{Event, Hex32};
use crate::domain::id::Id;
use crate::domain::key::{Key, check_last4};
use crate::domain::time::Time;
use crate::secret::{FingerprintKey, Secret};
use crate::store::KeyMatch;
use crate::workspace::Workspace;

/// The keys that are meant, at least one.
pub(super) fn keys(ws: &Workspace, ctx: &Context, args: &Args) -> Result<Vec<Id>, CliError> {
    if let Some(typed) = &args.key {
        return Ok(vec![find(ws, typed)?.id]);
    }
    if let Some(last4) = &args.last4 {
        check_last4(last4).map_err(|e| CliError::usage(format!("--last4: {e}")))?;
        let found = ws.store().keys_matching(&KeyMatch::Last4(last4))?;
        return choose(ws, ctx, args, &found, last4);
    }
    let secret = intake::secret(ctx, args.secret_stdin, "the secret that leaked").map_err(|e| {
        e.hint("or name the key: aosctl key leaked KEY").hint("or its last four: aosctl key leaked --last4 TEXT")
    })?;
    by_secret(ws, ctx, args, &secret)
}

/// One of those that end so, or all of them.
fn choose(ws: &Workspace, ctx: &Context, args: &Args, found: &[Key], last4: &str) -> Result<Vec<Id>, CliError> {
    let line = |k: &Key| {
        let retired = if k.is_live() { "" } else { ", retired" };
        format!("{} {} ({}{retired})", k.id, safe(&k.facts.name), safe(&k.facts.kind))
    };
    match found {
        [] => Err(CliError::no("not_in_the_inventory", format!("no key has the last four ...{}", safe(last4)))
            .because("of the keys whose last four characters were told, none has these now; one that was turned over since had others")
            .hint("by the secret itself, which also finds old ones: aosctl key leaked --secret-stdin")
            .hint("see what there is: aosctl key list --all")),
        [one] => Ok(vec![one.id]),
        // One secret under several names is no question.
        [one, more @ ..] if one.facts.fingerprint.is_some() && more.iter().all(|k| k.facts.fingerprint == one.facts.fingerprint) => {
            Ok(found.iter().map(|k| k.id).collect())
        }
        _ if args.all => Ok(found.iter().map(|k| k.id).collect()),
        _ if ctx.prompter().can_ask() => {
            let mut items: Vec<String> = found.iter().map(line).collect();
            items.push("all of them".into());
            let n = ctx.prompter().select("which one leaked", &items, "--all")?;
            Ok(found.get(n).map_or_else(|| found.iter().map(|k| k.id).collect(), |k| vec![k.id]))
        }
        _ => {
            let what = format!("{} keys have the last four ...{}; nothing was done", found.len(), safe(last4));
            let mut e = CliError::no("ambiguous", what);
            let mut opens = Vec::new();
            for k in found {
                e = e.hint(format!("{}: aosctl key leaked {}", line(k), k.id));
                let live = ws.store().grants_carrying(k.id)?.into_iter().filter(|g| g.revoked_seq.is_none());
                opens.extend(live.map(|g| format!("{} ({})", g.id, k.id)));
            }
            e = e.because(match &opens[..] {
                [] => "no open grant carries any of them".to_string(),
                opens => format!("what would be closed, and by which: {}", opens.join(", ")),
            });
            Err(e.hint(format!("close what all of them open: aosctl key leaked --last4 {} --all", safe(last4))))
        }
    }
}

/// The keys whose fingerprint is that of the secret.
fn by_secret(ws: &Workspace, ctx: &Context, args: &Args, secret: &Secret) -> Result<Vec<Id>, CliError> {
    let last4 = secret.last4();
    let operator = ctx.unlock(ws).map_err(|e| match &last4 {
        // Nothing may stand in the way: how it ends is enough to close what it opens.
        Some(last4) => {
            e.hint(format!("without a passphrase, by its last four: aosctl key leaked --last4 {}", safe(last4)))
        }
        None => e.hint("without a passphrase: aosctl key leaked KEY"),
    })?;
    let fingerprints = vault::of(ws).fingerprint_key(operator.signer(), &vault::circle(&ws.facts())?)?;
    let all = ws.store().keys(true)?;
    // All of them are compared, each in constant time: how long it takes says nothing.
    let is = |f: &Option<Hex32>| f.as_ref().is_some_and(|f| fingerprints.matches(secret, f));
    let matching: Vec<&Key> = all.iter().filter(|k| is(&k.facts.fingerprint)).collect();
    if !matching.is_empty() {
        return Ok(matching.into_iter().map(|k| k.id).collect());
    }
    let mut e = CliError::no("not_in_the_inventory", "that secret is of no key in the inventory");
    for k in &all {
        if let Some((seq, at)) = was(ws, k, &fingerprints, secret)? {
            let told = format!("it was the secret of {} until entry {seq}, {}", k.id, show::minute(at));
            return Err(CliError::no("turned_over", told)
                .because(
                    "that one was turned over since; whether the provider refuses the old one nobody has shown here",
                )
                .hint(format!("if it may still work: aosctl key leaked {}", k.id)));
        }
    }
    // Ends so, and nobody ever told its secret: it may be this one.
    let maybe = all.iter().filter(|k| k.facts.fingerprint.is_none() && last4.is_some() && k.facts.last4 == last4);
    let maybe: Vec<&Key> = maybe.collect();
    if args.all && !maybe.is_empty() {
        return Ok(maybe.into_iter().map(|k| k.id).collect());
    }
    for k in &maybe {
        e = e.hint(format!(
            "{} {} has the same last four, and no fingerprint: aosctl key leaked {}",
            k.id,
            safe(&k.facts.name),
            k.id
        ));
    }
    let unknown = all.iter().filter(|k| k.is_live() && k.facts.fingerprint.is_none()).count();
    if unknown > 0 {
        e = e.because(format!("of {unknown} keys in use no fingerprint is known, so it may be one of these"));
    }
    Err(e.hint("wherever it belongs, its provider has to refuse it; put it in: aosctl key add NAME"))
}

/// Was it the secret of that key once? The entry that replaced it.
fn was(
    ws: &Workspace,
    key: &Key,
    fingerprints: &FingerprintKey,
    secret: &Secret,
) -> Result<Option<(u64, Time)>, CliError> {
    if key.changed_seq == key.added_seq {
        return Ok(None);
    }
    let mut matched = false;
    for said in ws.said_about(key.id)?.into_iter().filter(|s| s.counts) {
        let known = match &said.event {
            Event::KeyAdded(b) => b.facts.fingerprint,
            Event::KeyChanged(b) => b.facts.fingerprint,
            Event::RotationRecorded(b) => b.fingerprint,
            _ => continue,
        };
        let this = known.is_some_and(|f| fingerprints.matches(secret, &f));
        if matched && !this {
            return Ok(Some((said.entry.seq, said.entry.at)));
        }
        matched = this;
    }
    Ok(None)
}
