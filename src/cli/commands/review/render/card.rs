//! What is said of one item: under DECIDE FIRST, in a row of everything else, in the annex.

use super::order::Tone;
use super::words::{Text, copyable, joined};
use crate::domain::id::Id;
use crate::domain::review::{Advice, Narrower};
use crate::review::model::{DecidedItem, Finding, Item, ItemKind, LastUse, Remedy, Rule, Severity};
use crate::review::rules;

/// An item that has to be decided.
#[derive(Debug, Clone)]
pub struct Card {
    /// Which.
    pub id: Id,
    /// How grave its gravest finding is.
    pub severity: Severity,
    /// Who may do what where.
    pub subject: Text,
    /// `REVOKE`; decided: what was decided, and what became of it.
    pub verdict: String,
    /// Nobody decided yet.
    pub undecided: bool,
    /// The rule whose advice is followed.
    pub rule: &'static str,
    /// Its fact, in words.
    pub reason: Text,
    /// Entries, window and coverage, what else speaks.
    pub evidence: Text,
    /// To what it is to be narrowed.
    pub change: Text,
    /// What was decided, and what became of it.
    pub decided: Text,
    /// How to look at that.
    pub decided_tone: Tone,
    /// What to type.
    pub command: Option<String>,
}

/// What is said of an item that has to be decided.
pub fn card(item: &Item, brief: bool) -> Card {
    let gravest = item.findings.first();
    let (speaks, others) = reasons(item);
    let mut evidence = Text::new().entries(speaks.map_or(item.entries, |f| f.entries));
    evidence = joined([evidence, speaks.map(coverage).unwrap_or_default()], ", ");
    if let Some(owner) = item.owner.as_ref().filter(|_| !brief) {
        evidence = evidence.say("; owner ").who(owner);
    }
    let also = others.into_iter().map(|f| {
        // The margin says how grave the gravest is.
        let grave = speaks.is_some_and(|s| s.severity < f.severity).then(|| severity(f.severity));
        let words = [Some(f.rule.id()), grave, Some(title(f.rule)).filter(|_| !brief)];
        Text::new().say(words.into_iter().flatten().collect::<Vec<_>>().join(" "))
    });
    let also = joined(also, ", ");
    if !also.is_empty() {
        evidence = evidence.say("; also ").and(also);
    }
    Card {
        id: item.id,
        severity: gravest.map_or(Severity::Low, |f| f.severity),
        subject: subject(item),
        verdict: item.decided.as_ref().map_or_else(|| item.advice.as_str().to_uppercase(), verdict),
        undecided: item.decided.is_none(),
        rule: speaks.map_or("", |f| f.rule.id()),
        reason: speaks.map(|f| Text::foreign(&f.fact)).unwrap_or_default(),
        evidence,
        change: item.narrower.as_ref().map(narrower).unwrap_or_default(),
        decided: item.decided.as_ref().map(|d| decided(d, brief)).unwrap_or_default(),
        decided_tone: item.decided.as_ref().map_or(Tone::Plain, decided_tone),
        command: item.command.as_deref().filter(|_| to_do(item)).map(copyable),
    }
}

/// The finding whose advice is followed, the gravest where none advises anything; and the others.
fn reasons(item: &Item) -> (Option<&Finding>, Vec<&Finding>) {
    let speaks = rules::advice(&item.findings).or(item.findings.first());
    let others = item.findings.iter().filter(|f| speaks.is_none_or(|s| !std::ptr::eq(*f, s))).collect();
    (speaks, others)
}

/// The command is still to be typed: undecided, or decided and not carried out.
fn to_do(item: &Item) -> bool {
    item.decided.as_ref().is_none_or(|d| d.remedy == Remedy::Open)
}

/// Who may do what where: `build-bot → github repo:acme/app, write, internal`.
pub fn subject(item: &Item) -> Text {
    let mut text = match item.kind {
        ItemKind::Grant => Text::new(),
        kind => Text::new().say(format!("{} ", kind_word(kind))),
    };
    if let Some(name) = &item.name {
        text = text.told(name);
    }
    match (&item.agent, item.kind) {
        (Some(agent), ItemKind::Grant) => text = text.who(agent),
        (Some(agent), _) => text = text.say(" for ").who(agent),
        (None, _) => {}
    }
    match (&item.integration, item.kind) {
        (Some(integration), ItemKind::Grant) => text = text.say(" → ").who(integration),
        (Some(integration), ItemKind::Integration) if item.name.is_none() => text = text.who(integration),
        (Some(_), ItemKind::Integration) | (None, _) => {}
        (Some(integration), _) => text = text.say(" at ").who(integration),
    }
    if let Some(scope) = &item.scope {
        text = text.say(" ").told(scope);
    }
    let rest = item.access.map(|a| a.to_string()).into_iter().chain(item.data.map(|d| d.to_string()));
    let rest = rest.map(|t| Text::new().say(t)).chain(item.marks.iter().map(|m| Text::foreign(m)));
    let rest = joined(rest, ", ");
    if rest.is_empty() { text } else { text.say(", ").and(rest) }
}

/// In words.
pub fn kind_word(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Grant => "grant",
        ItemKind::Key => "key",
        ItemKind::Agent => "agent",
        ItemKind::Operator => "operator",
        ItemKind::Integration => "integration",
    }
}

/// What a rule is about, in a word or three (review-rules.md).
pub fn title(rule: Rule) -> &'static str {
    match rule {
        Rule::Unused => "unused",
        Rule::NoFeed => "use unknown",
        Rule::OnlyReads => "only reads",
        Rule::Wider => "wider than used",
        Rule::NeverUsed => "never used",
        Rule::NoOwner => "no owner or mission",
        Rule::OldKey => "old key",
        Rule::NeverRotated => "never rotated",
        Rule::Shared => "shared",
        Rule::Expired => "expired",
        Rule::Duplicate => "duplicate",
        Rule::NotCertified => "not re-certified",
        Rule::NoEnd => "no end date",
        Rule::NotCarriedOut => "not carried out",
        Rule::Widened => "widened",
    }
}

/// In words.
pub fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Watch => "watch",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// How much of the window was seen: `31 of 90 days seen`. Nothing for a rule about an age.
pub fn coverage(finding: &Finding) -> Text {
    if !finding.rule.looks_at_uses() {
        return Text::new();
    }
    Text::new().say(match (finding.window_days, finding.covered_days) {
        (None, _) => return Text::new(),
        (Some(window), None) => format!("of {window} days none seen"),
        (Some(window), Some(seen)) if seen >= window => format!("all {window} days seen"),
        (Some(window), Some(seen)) => format!("{seen} of {window} days seen"),
    })
}

/// When something was used last, and how that is known.
pub fn last_use(last: &LastUse) -> Text {
    match last {
        LastUse::Used { at, by, seq } => {
            let text = Text::new().say("used ").day(*at).say(" (").told(by);
            seq.map_or(text.clone(), |n| text.say(format!(", entry {n}"))).say(")")
        }
        LastUse::Never { by, since } => Text::new().say("never used since ").day(*since).say(" (").told(by).say(")"),
        LastUse::Unknown { why } => Text::new().say("use unknown: ").told(why),
        LastUse::None => Text::new(),
    }
}

/// To what a grant would be narrowed: `scope charge:read, access read, end 2027-01-30 00:00 UTC`.
pub fn narrower(n: &Narrower) -> Text {
    let parts = [
        n.scope.as_ref().map(|s| Text::new().say("scope ").told(s.as_str())),
        n.access.map(|a| Text::new().say(format!("access {a}"))),
        n.data.map(|d| Text::new().say(format!("data {d}"))),
        n.until.map(|t| Text::new().say("end ").minute(t)),
    ];
    joined(parts.into_iter().flatten(), ", ")
}

/// By whom it was decided, when, why, and what became of it. What was decided stands elsewhere.
pub fn decided(d: &DecidedItem, brief: bool) -> Text {
    let mut text = Text::new();
    if d.overridden {
        text = text.say(format!("{} was advised; ", d.advice));
    }
    text = text
        .say(if brief { "" } else { "decided by " })
        .who(&d.by)
        .say(" ")
        .day(d.at)
        .say(format!(", entry {}", d.seq));
    text = match (d.remedy, d.carried_out) {
        (Remedy::Nothing, _) => text,
        (Remedy::CarriedOut, Some(seq)) => text.say(format!(", done in {seq}")),
        (Remedy::CarriedOut, None) => text.say(", done"),
        // The verdict says so.
        (Remedy::Declared | Remedy::Open, _) if brief => text,
        (Remedy::Declared, _) => text.say(", declared done"),
        (Remedy::Open, _) => text.say(", OPEN: not carried out"),
    };
    if d.self_review {
        text = text.say(", SELF-REVIEW");
    }
    match &d.note {
        Some(note) => text.say("; \"").told(note).say("\""),
        None if d.overridden => text.say("; no note"),
        None => text,
    }
}

/// What was decided, and what became of it, in two words.
fn verdict(d: &DecidedItem) -> String {
    match d.remedy {
        Remedy::Nothing => d.decision.to_string(),
        Remedy::CarriedOut => format!("{} done", d.decision),
        Remedy::Declared => format!("{} declared", d.decision),
        Remedy::Open => format!("{} OPEN", d.decision),
    }
}

/// How to look at a decision.
pub fn decided_tone(d: &DecidedItem) -> Tone {
    match d.remedy {
        Remedy::Open => Tone::Bad,
        // Somebody has to find out.
        _ if d.decision == Advice::Investigate => Tone::Warn,
        _ if d.overridden || d.self_review || d.remedy == Remedy::Declared => Tone::Warn,
        _ => Tone::Good,
    }
}

/// In words.
pub fn remedy(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Nothing => "nothing to do",
        Remedy::CarriedOut => "carried out",
        Remedy::Declared => "declared",
        Remedy::Open => "OPEN",
    }
}
