//! What any thread can do for one entry: form, commitment and signature.

use std::collections::HashMap;

use super::source::{Given, Payloads};
use crate::log::key::{KeyFault, ReadyKey};
use crate::log::verify::{Inspected, SignatureFault, check_signatures, inspect, inspect_line};

/// Keys by signer, shared with the threads that check signatures.
pub(super) type Registry = HashMap<String, Result<ReadyKey, KeyFault>>;

/// One entry after that part.
pub(super) struct Checked {
    pub given: Given,
    pub inspected: Inspected,
    pub signature: Result<(), SignatureFault>,
}

/// What a batch is checked with.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub registry: &'a Registry,
    pub payloads: Payloads,
    pub threads: usize,
    /// The batch begins the log: its first entry is signed by the key that it carries itself.
    pub first: bool,
}

/// Form, commitment and signature of many entries, on several threads.
pub(super) fn check_all(batch: Vec<Given>, task: Task<'_>) -> Vec<Checked> {
    let share = batch.len().div_ceil(task.threads).max(1);
    let mut batch = batch.into_iter();
    std::thread::scope(|scope| {
        let mut work = Vec::new();
        let mut first = task.first;
        loop {
            let part: Vec<Given> = batch.by_ref().take(share).collect();
            if part.is_empty() {
                break;
            }
            let task = Task { first: std::mem::take(&mut first), ..task };
            work.push(scope.spawn(move || check_part(part, task)));
        }
        // A thread that died leaves its share out, so the entries after it do not chain: it cannot pass unseen.
        work.into_iter().flat_map(|w| w.join().unwrap_or_default()).collect()
    })
}

/// Signatures that are verified together: so many that it pays, so few that a thread's share is made of several.
const TOGETHER: usize = 64;

fn check_part(part: Vec<Given>, task: Task<'_>) -> Vec<Checked> {
    let inspect = if task.payloads.lines() { inspect_line } else { inspect };
    let mut first = task.first;
    let mut checked = Vec::with_capacity(part.len());
    let mut part = part.into_iter();
    loop {
        let group: Vec<(Given, Inspected)> = part
            .by_ref()
            .take(TOGETHER)
            .map(|given| {
                let inspected = inspect(&given.envelope, given.payload.as_deref());
                (given, inspected)
            })
            .collect();
        if group.is_empty() {
            return checked;
        }
        let signatures = check_signatures(group.iter().map(|(_, inspected)| {
            let actor = inspected.actor().filter(|_| !std::mem::take(&mut first));
            (inspected, actor.and_then(|a| task.registry.get(a)))
        }));
        let joined = group.into_iter().zip(signatures);
        checked.extend(joined.map(|((given, inspected), signature)| Checked { given, inspected, signature }));
    }
}
