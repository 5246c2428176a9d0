//! The annex: a row an item with everything that is known of it, each source with its question, the rules that spoke, and
//! what had no room on the page.

use std::collections::BTreeMap;

use super::card::{coverage, decided, last_use, narrower, severity, subject, title};
use super::sections::{customer, keys, not_seen};
use super::words::{Text, few, grouped, joined};
use crate::domain::id::Id;
use crate::review::model::{Item, Review, Rule, Since, Source};

/// What stands in a cell: lines.
pub type Cell = Vec<Text>;

/// A table of the annex.
#[derive(Debug, Clone)]
pub struct Table {
    /// A word without spaces, for anchors.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What its columns hold.
    pub head: &'static [&'static str],
    /// Its rows: the first cell says what the row is about.
    pub rows: Vec<(Option<Id>, Vec<Cell>)>,
}

const ITEMS: &[&str] =
    &["Item", "What", "Owner and mission", "From, until", "Last use", "Findings", "Advice", "Decision"];
const SOURCES: &[&str] = &["Source", "Live", "Reviewed", "As of", "State", "Query"];

/// The whole annex.
pub fn annex(review: &Review) -> Vec<Table> {
    let items = review.first.iter().chain(&review.rest);
    let mut tables = vec![
        Table { id: "items", title: "Every item", head: ITEMS, rows: items.map(|i| (Some(i.id), item(i))).collect() },
        Table {
            id: "sources",
            title: "Sources of the population",
            head: SOURCES,
            rows: review.population.sources.iter().map(|s| (None, source(s))).collect(),
        },
    ];
    tables.extend(since(&review.since));
    let full = [
        (
            customer(&review.customer_data, usize::MAX),
            "all-customer-data",
            "Customer data",
            &["Place", "Who reaches it"],
        ),
        (keys(&review.keys_due, usize::MAX, true), "all-keys-due", "Keys due", &["Key", "State and command"]),
        (not_seen(&review.not_seen, usize::MAX), "all-not-seen", "Not seen", &["What", "Why"]),
    ];
    for (section, id, title, head) in full {
        let rows = section.rows.into_iter().filter(|r| !r.lead.is_empty()).map(|r| {
            let command = r.command.as_deref().map(|c| Text::new().code(c));
            (None, vec![vec![r.lead], [r.text].into_iter().chain(command).collect()])
        });
        tables.push(Table { id, title, head, rows: rows.collect() });
    }
    tables.push(rules(review));
    tables.retain(|t| !t.rows.is_empty());
    tables
}

fn line(text: Text) -> Cell {
    if text.is_empty() { Vec::new() } else { vec![text] }
}

fn item(i: &Item) -> Vec<Cell> {
    let owner = i.owner.as_ref().map_or_else(|| Text::new().say("nobody"), |w| Text::new().who_in_full(w));
    let mission = i.mission.as_ref().map(|m| Text::new().say("for ").told(m));
    let mut from = vec![Text::new().day(i.since)];
    from.extend(i.until.map(|t| Text::new().say("until ").day(t)));
    from.push(Text::new().entries(i.entries));
    let findings = i.findings.iter().map(|f| {
        let about = Text::new().say(format!("{} {}, {}: ", f.rule.id(), title(f.rule), severity(f.severity)));
        let shown = joined([Text::new().entries(f.entries), coverage(f)], ", ");
        let text = about.told(&f.fact).say(" (").and(shown).say(format!("; {})", f.advice));
        // The gravest finding's line stands under advice.
        match f.command.as_ref().filter(|c| i.command.as_ref() != Some(c)) {
            Some(command) => text.say(" ").code(command),
            None => text,
        }
    });
    let mut advice = vec![Text::new().say(i.advice.as_str())];
    advice.extend(i.narrower.as_ref().map(|n| Text::new().say("to ").and(narrower(n))));
    advice.extend(i.command.as_ref().map(|c| Text::new().code(c)));
    let mut decision: Vec<Text> = match &i.decided {
        Some(d) => vec![Text::new().say(d.decision.as_str()), decided(d, false)],
        None => vec![Text::new().say("undecided")],
    };
    decision.extend(
        i.certified.as_ref().map(|c| Text::new().say(format!("before: {} in {}, ", c.decision, c.month)).day(c.at)),
    );
    let parties = [&i.agent, &i.integration].into_iter().flatten().map(|w| Text::new().who_in_full(w));
    let mut what = vec![subject(i)];
    what.extend(line(joined(parties, ", ")));
    let id = Text::new().say(i.id.to_string());
    vec![
        vec![id],
        what,
        [owner].into_iter().chain(mission).collect(),
        from,
        line(last_use(&i.last_use)),
        findings.collect(),
        advice,
        decision,
    ]
}

fn source(s: &Source) -> Vec<Cell> {
    let state = match &s.failed {
        Some(why) => Text::new().say(if s.hides() { "INCOMPLETE: " } else { "NOT READ: " }).told(why),
        None if s.live != s.reviewed => Text::new().say("INCOMPLETE"),
        None => Text::new().say("complete"),
    };
    vec![
        vec![Text::foreign(&s.name)],
        vec![Text::new().say(grouped(s.live))],
        vec![Text::new().say(grouped(s.reviewed))],
        s.as_of.map(|t| Text::new().minute(t)).into_iter().collect(),
        vec![state],
        vec![Text::new().code(&s.query)],
    ]
}

fn since(since: &Since) -> Option<Table> {
    let mut rows = Vec::new();
    for (word, list) in [
        ("granted", &since.granted),
        ("revoked", &since.revoked),
        ("widened", &since.widened),
        ("narrowed", &since.narrowed),
    ] {
        if !list.is_empty() {
            rows.push((None, vec![line(Text::new().say(word)), line(Text::new().say(few(list, usize::MAX)))]));
        }
    }
    for (word, list) in [("enrolled", &since.enrolled), ("retired", &since.retired), ("leaked", &since.leaked)] {
        if !list.is_empty() {
            let who = joined(list.iter().map(|w| Text::new().who_in_full(w)), ", ");
            rows.push((None, vec![line(Text::new().say(word)), line(who)]));
        }
    }
    if !since.policies.is_empty() {
        let entries: Vec<String> = since.policies.iter().map(|n| format!("entry {n}")).collect();
        let adopted = line(Text::new().say("policies adopted"));
        rows.push((None, vec![adopted, line(Text::new().say(entries.join(", ")))]));
    }
    let table = Table { id: "all-changes", title: "Changes since the review before", head: &["Change", "What"], rows };
    Some(table).filter(|t| !t.rows.is_empty())
}

fn rules(review: &Review) -> Table {
    let mut spoke: BTreeMap<&'static str, (Rule, Vec<Id>)> = BTreeMap::new();
    for item in review.first.iter().chain(&review.rest) {
        for finding in &item.findings {
            spoke.entry(finding.rule.id()).or_insert((finding.rule, Vec::new())).1.push(item.id);
        }
    }
    let rows = spoke.into_iter().map(|(id, (rule, items))| {
        let items = few(&items, usize::MAX);
        (None, vec![line(Text::new().say(id)), line(Text::new().say(title(rule))), line(Text::new().say(items))])
    });
    Table { id: "rules", title: "Rules that spoke", head: &["Rule", "About", "Items"], rows: rows.collect() }
}
