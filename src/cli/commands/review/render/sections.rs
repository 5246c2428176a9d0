//! The sections of the page, each from its part of the review.

use super::order::{Row, Section, Tone};
use super::words::{Text, count, few, grouped, joined, name};
use crate::domain::access::Access;
use crate::domain::time::Time;
use crate::review::model::{CustomerData, KeyDue, NotSeen, Population, Reach, Review, Signature, Since, Source, Who};

/// The log, the population, the sources, the reviewer.
pub fn head(review: &Review) -> Section {
    let log = &review.log;
    let origin = Text::new().told(&log.origin).say(format!(", {} since ", count(log.entries, "entry")));
    let mut rows = vec![
        Row::says(origin.day(log.began).say(", by ").told(&review.tool)).labelled("log"),
        Row::says(Text::new().code(&log.leaf)).labelled("head"),
        Row::says(population(&review.population)).labelled("population"),
    ];
    rows.extend(sources(&review.population.sources));
    let duty = &review.duty;
    let reviewer = duty.owner.as_ref().map_or_else(|| Text::new().say("any operator"), |w| Text::new().who_in_full(w));
    let due = Text::new().say(", due ").day(duty.due);
    let last = match review.since.last_signed {
        Some(at) => Text::new().say("; last signed ").day(at),
        None => Text::new().say("; none was signed before"),
    };
    rows.push(Row::says(reviewer.and(due).and(last)).labelled("reviewer"));
    Section { id: "head", title: "Access review", short: "Access review", rows }
}

/// Zeros of what auditors ask for are said, too.
fn population(p: &Population) -> Text {
    let n = grouped;
    Text::new().say(
        [
            format!(
                "{} ({} write, {} admin)",
                count(p.grants, "grant"),
                n(p.writing.saturating_sub(p.admin)),
                n(p.admin)
            ),
            format!("{} expired", n(p.expired)),
            format!("{} ({} inactive)", count(p.keys, "key"), n(p.inactive_keys)),
            format!("{} ({} frozen)", count(p.agents, "agent"), n(p.frozen)),
            count(p.operators, "operator"),
            format!("{} ({} outside)", count(p.integrations, "integration"), n(p.third_parties)),
            count(p.orphans, "orphan"),
        ]
        .join(", "),
    )
}

/// What was reviewed of what is live, source by source, then what is wrong with one.
fn sources(sources: &[Source]) -> Vec<Row> {
    let good = sources.iter().filter(|s| s.failed.is_none() && s.reviewed == s.live).map(|s| {
        let text = Text::new().say(format!("{}/{} ", grouped(s.reviewed), grouped(s.live))).told(&s.name);
        match s.as_of {
            Some(at) => text.say(" of ").day(at),
            None => text,
        }
    });
    let mut rows = vec![Row::says(joined(good, ", ")).labelled("reviewed")];
    for s in sources.iter().filter(|s| s.failed.is_some() || s.reviewed != s.live) {
        let name = Text::new().told(&s.name);
        let row = match &s.failed {
            Some(why) => {
                Row::says(Text::foreign(why)).led(name.say(if s.hides() { " INCOMPLETE" } else { " NOT READ" }))
            }
            None => {
                let numbers = format!("{} of {} reviewed", grouped(s.reviewed), grouped(s.live));
                Row::says(Text::new().say(numbers)).led(name.say(" INCOMPLETE"))
            }
        };
        rows.push(row.in_tone(Tone::Bad));
    }
    rows
}

fn few_people(list: &[Who], most: usize) -> String {
    let shown: Vec<String> = list.iter().take(most).map(name).collect();
    match list.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What changed since the last review.
pub fn since(since: &Since) -> Section {
    const IDS: usize = 5;
    let mut parts = Vec::new();
    for (word, list) in [
        ("granted", &since.granted),
        ("revoked", &since.revoked),
        ("widened", &since.widened),
        ("narrowed", &since.narrowed),
    ] {
        if list.is_empty() && word == "narrowed" {
            continue;
        }
        let text = Text::new().say(format!("{word} {}", list.len()));
        parts.push(if list.is_empty() { text } else { text.say(format!(" ({})", few(list, IDS))) });
    }
    for (word, list) in [("enrolled", &since.enrolled), ("retired", &since.retired), ("leaked", &since.leaked)] {
        if !list.is_empty() {
            parts.push(Text::new().say(format!("{word} {}", few_people(list, IDS))));
        }
    }
    if !since.policies.is_empty() {
        let entries: Vec<String> = since.policies.iter().take(IDS).map(ToString::to_string).collect();
        let more = match since.policies.len().saturating_sub(IDS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        parts.push(Text::new().say(format!("policy in entry {}{more}", entries.join(", "))));
    }
    let from = Text::new().day(since.from).say(": ");
    let tone = if since.leaked.is_empty() { Tone::Plain } else { Tone::Warn };
    let row = Row::says(from.and(joined(parts, ", "))).in_tone(tone);
    Section { id: "since", title: "Since", short: "Since", rows: vec![row] }
}

/// The lines of which there may be many, as many as there is room for, and how many more there are.
fn limited(mut rows: Vec<Row>, most: usize, what: &str, none: &str) -> Vec<Row> {
    if rows.is_empty() {
        return vec![Row::says(Text::new().say(none)).in_tone(Tone::Quiet)];
    }
    let more = rows.len().saturating_sub(most);
    if more > 1 {
        rows.truncate(most);
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        rows.push(Row::says(Text::new().say(format!("and {}, in the annex", count(more, what)))).in_tone(Tone::Quiet));
    }
    rows
}

/// Who holds customer data, and who reaches it.
pub fn customer(places: &[CustomerData], most: usize) -> Section {
    let all = most == usize::MAX;
    let rows = places.iter().map(|place| {
        let mut lead = Text::new().who(&place.integration).say(if place.inside { ", inside" } else { ", outside" });
        if let Some(residency) = &place.residency {
            lead = lead.say(", in ").told(residency);
        }
        let text = match place.reached_by.as_slice() {
            [] => Text::new().say("no grant lets customer data through"),
            reached if all => joined(
                reached.iter().map(|r| {
                    Text::new()
                        .who_in_full(&r.agent)
                        .say(" by ")
                        .item(r.grant)
                        .say(format!(", {}, {}", r.access, r.data))
                }),
                "; ",
            ),
            reached => agents(reached),
        };
        Row::says(text).led(lead)
    });
    let rows = limited(rows.collect(), most, "place", "no integration is known to hold customer data");
    Section { id: "customer-data", title: "Customer data", short: "Customer data", rows }
}

/// Who reaches a place: those who may do most first, each once.
fn agents(reached: &[Reach]) -> Text {
    const NAMES: usize = 3;
    let mut most: Vec<(Access, &Who)> = Vec::new();
    for r in reached {
        match most.iter_mut().find(|(_, who)| who.id == r.agent.id) {
            Some((access, _)) => *access = (*access).max(r.access),
            None => most.push((r.access, &r.agent)),
        }
    }
    most.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.id.cmp(&b.1.id)));
    let mut parts: Vec<Text> = Vec::new();
    let mut last = None;
    for (access, who) in most.iter().take(NAMES) {
        let begin = if last == Some(*access) { Text::new() } else { Text::new().say(format!("{access} ")) };
        last = Some(*access);
        parts.push(begin.who(who));
    }
    let text = joined(parts, ", ");
    match most.len().saturating_sub(NAMES) {
        0 => text,
        more => text.say(format!(" +{more}")),
    }
}

/// Keys that are due.
pub fn keys(due: &[KeyDue], most: usize, facts: bool) -> Section {
    let rows = due.iter().map(|k| {
        let tone = match k.state.as_str() {
            "leaked" | "expired" | "overdue" => Tone::Bad,
            _ => Tone::Warn,
        };
        let lead = match &k.key.name {
            Some(name) => Text::new().item(k.key.id).say(" ").told(name),
            None => Text::new().item(k.key.id),
        };
        let text = if k.state == "leaked" {
            // When it is due says nothing of when it leaked.
            let fact = if facts { k.fact.as_str() } else { k.fact.split(';').next().unwrap_or_default() };
            Text::foreign(fact)
        } else {
            let mut text = Text::new().told(&k.state);
            if let Some(at) = k.due {
                text = text.say(" ").day(at);
            }
            if facts { text.say("; ").told(&k.fact) } else { text }
        };
        Row::says(text).led(lead).in_tone(tone).typed(&k.command)
    });
    Section { id: "keys-due", title: "Keys due", short: "Keys due", rows: limited(rows.collect(), most, "key", "none") }
}

/// What nobody watches.
pub fn not_seen(unseen: &[NotSeen], most: usize) -> Section {
    let rows = unseen.iter().map(|n| {
        let mut text = Text::foreign(&n.why);
        if !n.items.is_empty() {
            text = text.say(format!(" ({})", few(&n.items, most.max(4))));
        }
        Row::says(text).led(Text::foreign(&n.what)).in_tone(Tone::Warn)
    });
    let rows = limited(rows.collect(), most, "more", "every use that a rule looks at has a feed");
    Section { id: "not-seen", title: "Not seen", short: "Not seen", rows }
}

/// Who stands by it.
pub fn signature(review: &Review) -> Section {
    let month = review.month;
    let next = review.duty.next_due;
    let mut rows = match &review.signature {
        Some(signed) => signed_rows(signed, next),
        None => {
            let lead = Text::new().say("NOT SIGNED");
            // Only a page of the whole month is signed.
            let whole = review.as_of >= month.end();
            let text = if whole { Text::new() } else { Text::new().say("from ").day(month.end()).say(" on, ") };
            let row = Row::says(text.say("due ").day(review.duty.due)).led(lead).in_tone(Tone::Warn);
            let sign = format!("aosctl review sign --month {month}");
            vec![if whole { row.typed(&sign) } else { row }, Row::says(Text::new().day(next)).labelled("next due")]
        }
    };
    rows.push(Row::says(Text::new().code(&review.annex_sha256)).labelled("annex"));
    let page = format!("aosctl review --month {month}");
    rows.push(Row::says(Text::new().code("aosctl audit verify").say(" and ").code(&page)).labelled("verify"));
    Section { id: "signature", title: "Signature", short: "Signature", rows }
}

fn signed_rows(s: &Signature, next: Time) -> Vec<Row> {
    let on_time = match s.late_days {
        0 => "in time".to_string(),
        n => format!("{} LATE", count(u64::from(n), "day")),
    };
    let lead = Text::new().say("signed by ").who_in_full(&s.by);
    let text = Text::new().minute(s.at).say(format!(", entry {}, {on_time}", s.seq));
    let tone = if s.late_days > 0 { Tone::Bad } else { Tone::Good };
    let mut rows = vec![Row::says(text).led(lead).in_tone(tone)];
    let pace = match s.median_seconds {
        Some(n) => format!("median {n} s a decision"),
        None => "decided by a script".to_string(),
    };
    let kept = format!("{}.{} % kept, {pace}; next review due ", s.kept_per_mille / 10, s.kept_per_mille % 10);
    rows.push(Row::says(Text::new().say(kept).day(next)));
    if let Some(why) = &s.rubber_stamp {
        rows.push(Row::says(Text::foreign(why)).led(Text::new().say("LOOK TWICE")).in_tone(Tone::Warn));
    }
    if s.self_reviewed > 0 {
        let by = match &s.compensating {
            Some(control) => Text::new().say("compensated by ").told(control),
            None => Text::new().say("nothing compensates for it"),
        };
        let lead = Text::new().say(format!("{} self-reviewed", grouped(s.self_reviewed)));
        rows.push(Row::says(by).led(lead).in_tone(Tone::Warn));
    }
    rows.push(Row::says(Text::new().code(&s.page)).labelled("page"));
    if !s.page_holds {
        let text = Text::new().say("computed today, the page has another digest than what was signed");
        rows.push(Row::says(text).led(Text::new().say("DOES NOT HOLD")).in_tone(Tone::Bad));
    }
    rows
}
