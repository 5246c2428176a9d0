//! From a [`Snapshot`] to the page: what the rules say about each thing, in the order in which it is read. Pure; decisions and
//! the signature come from elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{GrantState, IdentityState, IntegrationState, KeyState, Seen, Snapshot, days_between};
use super::model::{
    Certified, CustomerData, Duty, EntryRange, Finding, Item, ItemKind, KeyDue, LastUse, NotSeen, Population, Progress,
    Reach, Review, Rule, Severity, Since, Source, Who,
};
use super::rules;
use crate::domain::access::Access;
use crate::domain::facets::DataClass;
use crate::domain::id::{Id, IdKind};
use crate::domain::key::Place;
use crate::domain::review::{Advice, Month, Narrower};
use crate::domain::rules::ReviewTerms;
use crate::domain::time::{Span, Time};

/// The program that makes the page.
pub const TOOL: &str = concat!("aosctl ", env!("CARGO_PKG_VERSION"));

/// A report of a provider that is older than this does not speak for the month: reports are drawn every month.
const STALE: u32 = 35;

/// The page, without what was decided.
pub fn page(s: &Snapshot) -> Review {
    let seen = Seen::new(s);
    let items = items(&seen);
    let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
    let keys_due = keys_due(&seen, &items);
    let (mut first, mut rest): (Vec<Item>, Vec<Item>) = items.into_iter().partition(is_first);
    first.sort_by(|a, b| urgency(a).cmp(&urgency(b)).then(a.id.cmp(&b.id)));
    rest.sort_by_key(|i| (place(i).is_none(), place(i), i.kind, i.id));
    let population = population(&seen, first.iter().chain(&rest));
    Review {
        month: s.month,
        company: s.company.clone(),
        tool: TOOL.into(),
        as_of: s.as_of,
        log: s.log.clone(),
        population,
        duty: duty(&seen, &s.rules.review),
        since: since(&seen),
        progress: Progress { items: count, decided: 0, open: 0 },
        first,
        rest,
        customer_data: customer_data(&seen),
        keys_due,
        not_seen: not_seen(&seen),
        signature: None,
        annex_sha256: String::new(),
    }
}

/// Something is to be decided first.
fn is_first(item: &Item) -> bool {
    item.findings.iter().any(|f| f.severity >= Severity::Medium)
}

/// What was not carried out, then the gravest, then in the order of the rules.
fn urgency(item: &Item) -> (bool, std::cmp::Reverse<Severity>, Rule) {
    let undone = item.findings.iter().any(|f| f.rule == Rule::NotCarriedOut);
    let gravest = item.findings.iter().min_by_key(|f| (std::cmp::Reverse(f.severity), f.rule));
    let (severity, rule) = gravest.map_or((Severity::Watch, Rule::Unused), |f| (f.severity, f.rule));
    (!undone, std::cmp::Reverse(severity), rule)
}

/// The integration under which an item stands.
fn place(item: &Item) -> Option<Id> {
    if item.kind == ItemKind::Integration { Some(item.id) } else { item.integration.as_ref().map(|i| i.id) }
}

fn items(s: &Seen<'_>) -> Vec<Item> {
    let grants = s.s.grants.values().filter(|g| g.grant.revoked_seq.is_none()).map(|g| grant(s, g));
    let keys = s.s.keys.values().filter(|k| k.key.is_live()).map(|k| key(s, k));
    let people = s.s.people.values().filter(|p| p.identity.is_live()).map(|p| identity(s, p));
    let integrations = s.s.integrations.values().map(|i| integration(s, i));
    grants.chain(keys).chain(people).chain(integrations).collect()
}

fn who(s: &Seen<'_>, id: Id) -> Who {
    let name = match id.kind {
        IdKind::Integration => s.s.integrations.get(&id).map(|i| i.integration.handle.clone()),
        IdKind::Key => s.s.keys.get(&id).map(|k| k.key.facts.name.clone()),
        _ => s.s.people.get(&id).and_then(|p| p.name.clone()),
    };
    Who { id, name }
}

/// An item with nothing in it but what all have.
fn bare(s: &Seen<'_>, id: Id, kind: ItemKind, since: Time, entries: (u64, u64), findings: Vec<Finding>) -> Item {
    let chosen = rules::advice(&findings);
    let advice = chosen.map_or(Advice::Keep, |f| f.advice);
    let narrower = (advice == Advice::Narrow).then(|| {
        let all = findings.iter().filter(|f| f.advice == Advice::Narrow).filter_map(|f| f.narrower.as_ref());
        all.fold(Narrower::default(), rules::narrowest)
    });
    let command = match &narrower {
        Some(n) => Some(rules::narrow_line(id, n)),
        None => chosen.and_then(|f| f.command.clone()),
    };
    let certified =
        s.certified(id).map(|e| Certified { month: e.month, at: e.decided.at, decision: e.decided.decision.decision });
    Item {
        id,
        kind,
        name: None,
        agent: None,
        integration: None,
        scope: None,
        access: None,
        data: None,
        owner: None,
        mission: None,
        since,
        until: None,
        marks: Vec::new(),
        last_use: LastUse::None,
        entries: EntryRange { first: entries.0, last: entries.1.max(entries.0) },
        findings,
        advice,
        narrower,
        command,
        certified,
        decided: None,
    }
}

fn marked(marks: &[(&str, bool)]) -> Vec<String> {
    marks.iter().filter(|(_, yes)| *yes).map(|(m, _)| (*m).to_string()).collect()
}

fn is_frozen(s: &Seen<'_>, agent: Id) -> bool {
    s.s.frozen.contains(&agent) || s.s.frozen.contains(&Id::WORKSPACE)
}

fn grant(s: &Seen<'_>, state: &GrantState) -> Item {
    let g = &state.grant;
    let findings = rules::about_grant(s, state);
    Item {
        agent: Some(who(s, g.agent)),
        integration: Some(who(s, g.integration)),
        scope: Some(g.scope.to_string()),
        access: Some(g.access),
        data: Some(g.data),
        owner: Some(who(s, g.owner)),
        mission: g.mission.clone(),
        until: g.until,
        marks: marked(&[
            ("expired", !s.is_live(state)),
            ("frozen", is_frozen(s, g.agent)),
            ("no owner", !s.is_enrolled(g.owner)),
        ]),
        last_use: rules::grant_use(s, state),
        ..bare(s, g.id, ItemKind::Grant, g.issued_at, (g.issued_seq, g.changed_seq), findings)
    }
}

/// Where a secret is sealed here, the line that records its rotation takes the new one, too.
fn with_secret(line: &mut String, state: &KeyState) {
    let sealed = matches!(state.key.facts.place, Place::Sealed { .. });
    if sealed && line.ends_with(&format!("aosctl rotation record {}", state.key.id)) {
        line.push_str(" --secret-stdin");
    }
}

fn key(s: &Seen<'_>, state: &KeyState) -> Item {
    let (k, f) = (&state.key, &state.key.facts);
    let agents: BTreeSet<Id> = s.carrying(k.id).iter().map(|g| g.grant.agent).collect();
    let agent = agents.first().filter(|_| agents.len() == 1).map(|a| who(s, *a));
    let mut findings = rules::about_key(s, state);
    for line in findings.iter_mut().filter_map(|f| f.command.as_mut()) {
        with_secret(line, state);
    }
    Item {
        name: Some(f.name.clone()),
        agent,
        integration: f.integration.map(|i| who(s, i)),
        scope: f.scope.clone(),
        owner: f.owner.map(|o| who(s, o)),
        until: f.expires,
        marks: marked(&[
            ("inactive", !f.active),
            ("leaked", k.leak_is_open()),
            ("unattended", matches!(f.place, Place::Sealed { attended: false, .. })),
            ("no owner", f.owner.is_none_or(|o| !s.is_enrolled(o))),
        ]),
        last_use: rules::key_use(s, state),
        ..bare(s, k.id, ItemKind::Key, k.added_at, (k.added_seq, k.changed_seq), findings)
    }
}

fn identity(s: &Seen<'_>, p: &IdentityState) -> Item {
    let i = &p.identity;
    let kind = if i.id.kind == IdKind::Agent { ItemKind::Agent } else { ItemKind::Operator };
    let agent = kind == ItemKind::Agent;
    Item {
        name: p.name.clone(),
        owner: i.operator.map(|o| who(s, o)),
        marks: marked(&[
            ("frozen", agent && is_frozen(s, i.id)),
            ("no owner", agent && !s.may_act(i.id)),
            ("no grant", agent && s.held(i.id) == 0),
        ]),
        last_use: rules::identity_use(p),
        ..bare(s, i.id, kind, i.enrolled_at, (i.enrolled_seq, p.last_seq), rules::about_identity(s, p))
    }
}

fn integration(s: &Seen<'_>, state: &IntegrationState) -> Item {
    let i = &state.integration;
    Item {
        name: Some(i.handle.clone()),
        marks: marked(&[("inside", i.inside), ("outside", !i.inside)]),
        ..bare(
            s,
            i.id,
            ItemKind::Integration,
            state.added_at,
            (i.added_seq, i.added_seq),
            rules::about_integration(s, state),
        )
    }
}

fn population<'i>(s: &Seen<'_>, items: impl Iterator<Item = &'i Item> + Clone) -> Population {
    let count = |f: &dyn Fn(&Item) -> bool| u64::try_from(items.clone().filter(|i| f(i)).count()).unwrap_or(u64::MAX);
    let has = |i: &Item, mark: &str| i.marks.iter().any(|m| m == mark);
    let open = |i: &Item| i.kind == ItemKind::Grant && !has(i, "expired");
    let of = |kind: ItemKind| count(&|i| i.kind == kind);
    Population {
        sources: sources(
            s,
            &[count(&open), of(ItemKind::Key), of(ItemKind::Agent), of(ItemKind::Operator), of(ItemKind::Integration)],
        ),
        grants: count(&open),
        expired: count(&|i| i.kind == ItemKind::Grant && has(i, "expired")),
        writing: count(&|i| open(i) && i.access >= Some(Access::Write)),
        admin: count(&|i| open(i) && i.access == Some(Access::Admin)),
        agents: of(ItemKind::Agent),
        operators: of(ItemKind::Operator),
        keys: of(ItemKind::Key),
        inactive_keys: count(&|i| i.kind == ItemKind::Key && has(i, "inactive")),
        integrations: of(ItemKind::Integration),
        third_parties: count(&|i| i.kind == ItemKind::Integration && has(i, "outside")),
        frozen: count(&|i| i.kind == ItemKind::Agent && has(i, "frozen")),
        orphans: count(&|i| (open(i) || i.kind != ItemKind::Grant) && (has(i, "no owner") || has(i, "no grant"))),
    }
}

/// Where the population is from. What is live is counted a second time, by the tables, where the page is of the end of the
/// log; of an earlier moment there is only the log's own count.
fn sources(s: &Seen<'_>, reviewed: &[u64; 5]) -> Vec<Source> {
    let snap = s.s;
    let counted = snap.counted.map(|c| [c.grants, c.keys, c.agents, c.operators, c.integrations]);
    let kinds = [
        ("grants", IdKind::Grant, "neither revoked nor at their end"),
        ("keys", IdKind::Key, "not retired"),
        ("agents", IdKind::Agent, "not retired"),
        ("operators", IdKind::Operator, "not retired"),
        ("integrations", IdKind::Integration, "ever added"),
    ];
    let mut all = Vec::new();
    for (i, (name, kind, live)) in kinds.into_iter().enumerate() {
        let reviewed = reviewed.get(i).copied().unwrap_or_default();
        all.push(Source {
            name: name.into(),
            query: format!(
                "subjects {}-* of entries 0 to {} of the log, each folded by its entries: those {live}",
                kind.prefix(),
                snap.log.entries.saturating_sub(1)
            ),
            live: counted.and_then(|c| c.get(i).copied()).unwrap_or(reviewed),
            reviewed,
            as_of: None,
            failed: snap.gaps.get(&kind).cloned(),
        });
    }
    all.extend(feeds(s).into_iter().map(|(name, f)| Source {
        query: format!("live keys that a report of {name} told about, as it was imported last"),
        name,
        live: f.keys,
        reviewed: f.keys,
        as_of: Some(f.as_of),
        failed: f.stale(snap.as_of),
    }));
    all
}

/// The reports of providers that keys come from.
struct Feed {
    keys: u64,
    as_of: Time,
    of: Vec<Id>,
}

impl Feed {
    fn stale(&self, now: Time) -> Option<String> {
        let age = days_between(self.as_of, now);
        (age > STALE).then(|| format!("the last report is {age} days old, and says nothing of the days since"))
    }
}

fn feeds(s: &Seen<'_>) -> BTreeMap<String, Feed> {
    let mut found: BTreeMap<String, Feed> = BTreeMap::new();
    for k in s.s.keys.values().filter(|k| k.key.is_live()) {
        if let Some(seen) = &k.key.facts.seen {
            let empty = Feed { keys: 0, as_of: seen.as_of, of: Vec::new() };
            let feed = found.entry(seen.feed.clone()).or_insert(empty);
            feed.keys += 1;
            feed.as_of = feed.as_of.max(seen.as_of);
            feed.of.push(k.key.id);
        }
    }
    found
}

/// The first moment at which a review of a month is late: the day of the policy is still in time.
pub fn due(month: Month, terms: &ReviewTerms) -> Time {
    month.end().plus(Span::days(u32::from(terms.due_day)))
}

fn duty(s: &Seen<'_>, terms: &ReviewTerms) -> Duty {
    let month = s.s.month;
    Duty { owner: terms.owner.map(|o| who(s, o)), due: due(month, terms), next_due: due(month.next(), terms) }
}

fn since(s: &Seen<'_>) -> Since {
    let begin = s.s.since;
    let new = |seq: u64| seq >= begin.entries;
    let grants = || s.s.grants.values();
    let ids = |f: &dyn Fn(&GrantState) -> bool| grants().filter(|g| f(g)).map(|g| g.grant.id).collect::<Vec<Id>>();
    let people = |f: &dyn Fn(&IdentityState) -> bool| {
        let all = s.s.people.values().filter(|p| f(p));
        all.map(|p| Who { id: p.identity.id, name: p.name.clone() }).collect::<Vec<Who>>()
    };
    let leaked = s.s.keys.values().filter(|k| k.key.leak.as_ref().is_some_and(|l| new(l.seq)));
    Since {
        from: begin.from,
        last_signed: begin.signed,
        granted: ids(&|g| new(g.grant.issued_seq)),
        revoked: ids(&|g| g.grant.revoked_seq.is_some_and(new)),
        narrowed: ids(&|g| was_narrowed(g, begin.entries)),
        widened: ids(&|g| {
            g.grant.revoked_seq.is_none() && (rules::wider_by(s, g).is_some() || rules::renewed_later(s, g).is_some())
        }),
        enrolled: people(&|p| new(p.identity.enrolled_seq)),
        retired: people(&|p| p.identity.retired_seq.is_some_and(new)),
        leaked: leaked.map(|k| who(s, k.key.id)).collect(),
        policies: s.s.policies.iter().map(|p| p.seq).collect(),
    }
}

/// It became narrower by an entry from there on that did not close it. A renewal to an earlier end is one too.
fn was_narrowed(g: &GrantState, from: u64) -> bool {
    g.past.iter().zip(g.past.iter().skip(1)).any(|(a, b)| {
        let sooner = b.until.is_some_and(|new| a.until.is_none_or(|old| new < old));
        b.seq >= from && !b.revoked && (b.scope != a.scope || b.access < a.access || b.data < a.data || sooner)
    })
}

/// Who holds customer data: by the catalogue, or because an open grant may touch it there.
fn customer_data(s: &Seen<'_>) -> Vec<CustomerData> {
    let mut reached: BTreeMap<Id, Vec<Reach>> = BTreeMap::new();
    let delicate = s.s.grants.values().filter(|g| s.is_live(g) && g.grant.data >= DataClass::Customer);
    for g in delicate.map(|g| &g.grant) {
        let reach = Reach { grant: g.id, agent: who(s, g.agent), access: g.access, data: g.data };
        reached.entry(g.integration).or_default().push(reach);
    }
    let mut found = Vec::new();
    for (id, state) in &s.s.integrations {
        let i = &state.integration;
        let kind = s.s.rules.kind(&i.kind);
        let holds = kind.is_some_and(|k| k.action.iter().any(|a| a.data >= Some(DataClass::Customer)));
        let reached_by = reached.remove(id).unwrap_or_default();
        if holds || !reached_by.is_empty() {
            found.push(CustomerData {
                integration: who(s, *id),
                inside: i.inside,
                residency: i.residency.clone(),
                reached_by,
            });
        }
    }
    found
}

/// Keys that are due, each with the line that stands at its item where that is to end it: a key that has to go is not turned
/// over.
fn keys_due(s: &Seen<'_>, items: &[Item]) -> Vec<KeyDue> {
    let order = ["leaked", "expired", "overdue", "unknown", "due", "expires", "soon"];
    let ends: BTreeMap<Id, &String> = items
        .iter()
        .filter(|i| i.kind == ItemKind::Key && i.advice == Advice::Revoke)
        .filter_map(|i| Some((i.id, i.command.as_ref()?)))
        .collect();
    let due = |k: &KeyState| {
        let mut due = rules::key_due(s, k)?;
        match ends.get(&k.key.id).filter(|_| due.state != "leaked") {
            Some(line) => due.command = (*line).clone(),
            None => with_secret(&mut due.command, k),
        }
        Some(due)
    };
    let mut found: Vec<KeyDue> = s.s.keys.values().filter_map(due).collect();
    found.sort_by_key(|k| (order.iter().position(|o| *o == k.state), k.due, k.key.id));
    found
}

/// What nobody watches. Whatever is not on this page may still be there.
fn not_seen(s: &Seen<'_>) -> Vec<NotSeen> {
    let mut found = Vec::new();
    let covered = days_between(s.s.log.began, s.as_of());
    if covered < rules::EVIDENCE {
        found.push(NotSeen {
            what: "the time before the log".into(),
            why: format!("it began {covered} days ago: {covered} of {} days are covered", rules::EVIDENCE),
            items: Vec::new(),
        });
    }
    let mut silent: BTreeMap<Id, Vec<Id>> = BTreeMap::new();
    for g in s.s.grants.values().filter(|g| s.is_live(g) && s.coverage(&g.grant).is_none()) {
        silent.entry(g.grant.agent).or_default().push(g.grant.id);
    }
    found.extend(silent.into_iter().map(|(agent, items)| {
        NotSeen {
            what: format!("what {agent} does"),
            why:
                "it never recorded a request or a run (aosctl check records nothing): aosctl request new, or aosctl run"
                    .into(),
            items,
        }
    }));
    let blind = |k: &&KeyState| k.key.is_live() && k.key.facts.active && k.key.facts.seen.is_none();
    let items: Vec<Id> = s.s.keys.values().filter(blind).map(|k| k.key.id).collect();
    if !items.is_empty() {
        found.push(NotSeen {
            what: "what keys are used for outside aosctl run".into(),
            why: "no report of their provider was imported: aosctl key import".into(),
            items,
        });
    }
    for (name, feed) in feeds(s) {
        if let Some(why) = feed.stale(s.as_of()) {
            found.push(NotSeen { what: format!("what {name} would tell"), why, items: feed.of });
        }
    }
    found.push(NotSeen {
        what: "what agents do without asking aosctl".into(),
        why: "the log knows what was asked through it, and nothing else".into(),
        items: Vec::new(),
    });
    found
}
