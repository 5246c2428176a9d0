//! What any thread can do for one entry: form, commitment and signature.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

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

/// Entries that a thread takes at a time, whose signatures are verified together: so many that it pays, so few that no thread
/// is waited for long.
const TOGETHER: usize = 32;

/// Form, commitment and signature of many entries, on several threads. Each takes the next few when it is done with its last:
/// a fixed share would leave a core idle, because one of them stands behind the thread that follows the log.
pub(super) fn check_all(batch: Vec<Given>, task: Task<'_>) -> Vec<Checked> {
    // Large entries come a few at a time: then each thread gets its share of them.
    let together = batch.len().div_ceil(task.threads.max(1)).clamp(1, TOGETHER);
    let threads = task.threads.min(batch.len().div_ceil(together));
    let left = Mutex::new((0, batch.into_iter()));
    let take = || -> (usize, Vec<Given>) {
        let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, rest) = &mut *left;
        *number += 1;
        (*number, rest.by_ref().take(together).collect())
    };
    let work = || {
        let mut done = Vec::new();
        loop {
            let (number, group) = take();
            if group.is_empty() {
                return done;
            }
            done.push((number, check_group(group, Task { first: task.first && number == 1, ..task })));
        }
    };
    let mut done: Vec<(usize, Vec<Checked>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        // A thread that died leaves its entries out, so those after them do not chain: it cannot pass unseen.
        threads.into_iter().flat_map(|t| t.join().unwrap_or_default()).collect()
    });
    done.sort_unstable_by_key(|(number, _)| *number);
    done.into_iter().flat_map(|(_, group)| group).collect()
}

fn check_group(group: Vec<Given>, task: Task<'_>) -> Vec<Checked> {
    let inspect = if task.payloads.lines() { inspect_line } else { inspect };
    let inspected: Vec<Inspected> = group.iter().map(|g| inspect(&g.envelope, g.payload.as_deref())).collect();
    let mut first = task.first;
    let signatures = check_signatures(inspected.iter().map(|inspected| {
        let actor = inspected.actor().filter(|_| !std::mem::take(&mut first));
        (inspected, actor.and_then(|a| task.registry.get(a)))
    }));
    let joined = group.into_iter().zip(inspected).zip(signatures);
    joined.map(|((given, inspected), signature)| Checked { given, inspected, signature }).collect()
}
