//! What there is to say about a request, section by section, each with its lines laid out.

use super::shape::{flow, pretty_json, quoted, short_digest};
use super::view::{CommandView, FileView, LikeView, PartyView, RecordView, RequestView};
use crate::cli::show::{day, length, minute, relative};
use crate::cli::text::{safe, safe_block, truncate, width};
use crate::domain::point::Point;
use crate::domain::request::Standing;
use crate::workspace::decision::{How, WINDOW};

/// Labels take so many cells; what they label begins there.
pub const LABEL: usize = 14;
/// What stands before every line that an agent had a hand in.
const MARGIN: &str = "              | ";
const BLANK: &str = "              ";
/// Names of people are cut to so many cells.
const NAME: usize = 24;

/// One section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// At the left of its first line; empty for a line that belongs to the section above.
    pub label: &'static str,
    /// What it is called where it was shortened.
    pub name: &'static str,
    /// Its lines, safe, each with [`LABEL`] cells or the agent's margin before it.
    pub lines: Vec<String>,
    /// How many lines there would be if none had been left out while laying out.
    pub whole: usize,
    /// Fewest rows that still say something.
    pub least: usize,
    /// Who goes first when rows are short; smaller is more important.
    pub rank: u8,
    /// It should worry.
    pub loud: bool,
}

/// How the sections are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Cells.
    pub width: usize,
    /// No section is laid out further than so many lines.
    pub max_lines: usize,
    /// Digests and lists in full.
    pub full: bool,
}

impl Section {
    fn new(label: &'static str, rank: u8, lines: Vec<String>, whole: usize) -> Section {
        Section { label, name: label, lines, whole, least: 1, rank, loud: false }
    }

    fn loud(self) -> Section {
        Section { loud: true, ..self }
    }

    fn named(self, name: &'static str) -> Section {
        Section { name, ..self }
    }

    /// May be left out altogether when rows are short.
    fn optional(self) -> Section {
        Section { least: 0, ..self }
    }
}

impl Layout {
    /// Our own words.
    fn ours(self, label: &'static str, rank: u8, text: &str) -> Section {
        let block = safe_block(text, BLANK, self.width, self.max_lines);
        let whole = block.lines.len() + block.hidden_lines;
        let lines = block.lines.iter().map(|l| l.trim_end().to_string()).collect();
        Section::new(label, rank, lines, whole)
    }

    /// Text of an agent, its line breaks kept.
    fn agent(self, label: &'static str, rank: u8, text: &str) -> Section {
        let block = safe_block(text, MARGIN, self.width, self.max_lines);
        let whole = block.lines.len() + block.hidden_lines;
        Section::new(label, rank, block.lines, whole)
    }

    /// Paragraphs of words that are safe already and quote an agent.
    fn quoting(self, label: &'static str, rank: u8, paragraphs: &[Vec<String>]) -> Section {
        let room = self.width.saturating_sub(MARGIN.len());
        let mut lines: Vec<String> =
            paragraphs.iter().flat_map(|words| flow(words, room)).map(|l| format!("{MARGIN}{l}")).collect();
        let whole = lines.len();
        lines.truncate(self.max_lines);
        Section::new(label, rank, lines, whole)
    }

    fn digest(self, hex: &str) -> String {
        if self.full { safe(hex) } else { short_digest(hex) }
    }
}

/// The words of a text on one line, safe.
fn words(text: &str) -> Vec<String> {
    safe(text).split(' ').map(String::from).collect()
}

/// Somebody: `ops (op-1)`, `op-1`. Safe, and not longer than a name may be.
pub fn who(p: &PartyView) -> String {
    match &p.name {
        Some(name) => format!("{} ({})", truncate(&safe(name), NAME), p.id),
        None => p.id.to_string(),
    }
}

/// Everything there is to say, in the order in which it is read.
pub fn sections(v: &RequestView, layout: Layout) -> Vec<Section> {
    let mut all = Vec::new();
    what(&mut all, v, layout);
    why(&mut all, v, layout);
    says(&mut all, v, layout);
    carries(&mut all, v, layout);
    past(&mut all, v, layout);
    all
}

fn what(all: &mut Vec<Section>, v: &RequestView, b: Layout) {
    all.push(b.agent("action", 0, &v.action));
    let by = v.grant.as_ref().map_or(String::new(), |g| format!(" by {}", g.id));
    match (&v.integration, &v.integration_typed) {
        (Some(i), _) => {
            let side = if i.inside { "inside the boundary" } else { "outside the boundary" };
            all.push(b.ours("on", 1, &format!("{} at {}, {side}; {} access{by}", v.resource, i.name, v.access)));
        }
        (None, Some(typed)) => {
            let known = words(&format!("{} at {}, which is no integration here", v.resource, quoted(typed)));
            all.push(b.quoting("on", 1, &[known]));
        }
        (None, None) => all.push(b.ours("on", 1, &format!("{} of this workspace's own audit trail", v.resource))),
    }
    if let Some(g) = v.grant.as_ref().filter(|g| b.full || !g.live) {
        let end = g.until.map_or("without an end".to_string(), |t| format!("until {}", day(t)));
        let live = if g.live { "" } else { ", not live any more" };
        all.push(b.ours(
            "grant",
            5,
            &format!("{}: {} access to {}, up to {} data, {end}{live}", g.id, g.access, g.scope, g.data),
        ));
    }
    if let Some(key) = v.grant.as_ref().and_then(|g| g.key) {
        let text = format!("run gives the secret of {key} to its command, if the grant names that program");
        all.push(b.ours("secret", 1, &text));
    }
    involves(all, v, b);
}

/// Facets, mission and model, on one line where they fit.
fn involves(all: &mut Vec<Section>, v: &RequestView, b: Layout) {
    let f = &v.facets;
    let mut pieces: Vec<Vec<String>> = Vec::new();
    pieces.extend(f.data.map(|d| words(&format!("{d} data"))));
    pieces.extend(f.recipients.map(|n| words(&format!("{n} recipient{}", plural(n)))));
    if f.public {
        pieces.push(words("public, under the company's name"));
    }
    // Texts come last: a long one pushes nothing else off the line.
    pieces.extend(f.environment.as_deref().map(|e| vec!["environment".into(), quoted(e)]));
    pieces.extend(f.destination.as_deref().map(|d| vec!["to".into(), quoted(d)]));
    pieces.extend(v.says.mission.as_deref().map(|m| vec!["mission".into(), quoted(m)]));
    pieces.extend(v.says.model.as_deref().map(|m| vec!["model".into(), quoted(m)]));
    let last = pieces.len().saturating_sub(1);
    for (_, piece) in pieces.iter_mut().enumerate().filter(|(i, _)| *i < last) {
        if let Some(end) = piece.last_mut() {
            end.push(',');
        }
    }
    let line: Vec<String> = pieces.into_iter().flatten().collect();
    if !line.is_empty() {
        all.push(b.quoting("involves", 5, &[line]));
    }
}

fn plural(n: u64) -> &'static str {
    if n == 1 { "" } else { "s" }
}

fn why(all: &mut Vec<Section>, v: &RequestView, b: Layout) {
    let mut label = "why asked";
    let signed: &[Point] = v.again.as_ref().map_or(&v.points, |a| &a.points);
    for point in signed {
        let fired: Vec<&str> =
            v.again.iter().flat_map(|a| &a.fired).filter(|f| f.point == *point).map(|f| f.why.as_str()).collect();
        let mut text = match (&v.again, fired.is_empty()) {
            (Some(_), true) => "it fired when it was asked, and does not any more".to_string(),
            (None, _) => "it fired when it was asked".to_string(),
            _ => fired.join("; "),
        };
        if !v.points.contains(point) {
            text.push_str(" (new since it was asked)");
        }
        all.push(b.quoting(label, 3, &[words(&format!("{}: {text}", point.title()))]).named("why asked").loud());
        label = "";
    }
    if v.says.unsure {
        let said = v.says.unsure_why.as_deref().unwrap_or("it does not say why");
        all.push(b.agent("unsure", 4, said).loud());
    }
    if let Some(vain) = v.again.as_ref().and_then(|a| a.in_vain.as_deref()) {
        all.push(b.quoting("in vain", 4, &[words(&format!("approving it would let nothing run: {vain}"))]).loud());
    }
    if v.approvers > 1 || !v.approvals.is_empty() {
        let by: Vec<String> = v.approvals.iter().map(|a| who(&a.operator)).collect();
        let so_far =
            if by.is_empty() { "nobody did so far".to_string() } else { format!("approved by {}", by.join(", ")) };
        let needed = v.approvers.max(1);
        all.push(b.ours("approvers", 5, &format!("{needed} operator{} must approve; {so_far}", plural(needed.into()))));
    }
    if let Some(m) = &v.money {
        let amount = m.amount.map_or("nobody said how much".to_string(), |a| a.to_string());
        all.push(b.ours("costs", 3, &format!("{amount}; {} of {} spent in 7 days", m.spent_in_7_days, m.cap_week)));
    }
}

fn says(all: &mut Vec<Section>, v: &RequestView, b: Layout) {
    let t = &v.says;
    if let Some(s) = &t.summary {
        all.push(b.agent("summary", 7, s));
    }
    let mut missing = Vec::new();
    for (label, rank, text, name) in
        [("recommends", 7, &t.recommendation, "recommendation"), ("because", 7, &t.rationale, "rationale")]
    {
        match text {
            Some(text) if !text.is_empty() => all.push(b.agent(label, rank, text)),
            _ => missing.push(name),
        }
    }
    if t.alternatives.is_empty() {
        missing.push("alternatives");
    } else {
        // Lines of one alternative are indented, so that a number at the margin is always ours.
        let numbered =
            t.alternatives.iter().enumerate().map(|(i, a)| format!("{}. {}", i + 1, a.replace('\n', "\n   ")));
        let numbered: Vec<String> = numbered.collect();
        all.push(b.agent("alternatives", 8, &numbered.join("\n")));
    }
    let gone = |name: &str| v.erased.iter().any(|e| e == name);
    match &t.rollback {
        Some(r) if !r.is_empty() => all.push(b.agent("rollback", 8, r)),
        _ if gone("rollback") => {}
        _ => all.push(b.ours("rollback", 8, "no rollback plan given")),
    }
    missing.retain(|m| !gone(m));
    if !missing.is_empty() {
        all.push(b.ours("not given", 6, &missing.join(", ")));
    }
    if !v.erased.is_empty() {
        all.push(b.ours("erased", 6, &format!("{} (gone from the log since it was asked)", v.erased.join(", "))));
    }
}

/// What comes with it: command, files, parameters, diff.
fn carries(all: &mut Vec<Section>, v: &RequestView, b: Layout) {
    let t = &v.says;
    if let Some(c) = &t.command {
        command(all, c, b);
    } else if t.bound_command {
        all.push(b.ours("command", 6, "one is bound to it, and its text was erased").loud());
    }
    if !t.files.is_empty() {
        let file = |f: &FileView| {
            let mut line = words(&format!("sha256 {} {} byte{}", b.digest(&f.sha256), f.bytes, plural(f.bytes)));
            line.push(quoted(&f.name));
            line
        };
        let files: Vec<Vec<String>> = t.files.iter().map(file).collect();
        all.push(b.quoting("files", 11, &files));
    }
    if let Some(p) = &t.parameters {
        // Short ones stay on the line that they came on.
        let short = !p.contains('\n') && width(p) + MARGIN.len() <= b.width;
        let text = if short { p.clone() } else { pretty_json(p).unwrap_or_else(|| p.clone()) };
        all.push(b.agent("parameters", 10, &text));
    }
    if let Some(d) = &t.diff {
        all.push(b.agent("diff", 9, d));
    }
}

/// SHA-256 of nothing: the command gets no standard input.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn command(all: &mut Vec<Section>, c: &CommandView, b: Layout) {
    let argv: Vec<String> = c.argv.iter().map(|a| quoted(a)).collect();
    let program = vec![
        "is".into(),
        quoted(&c.program),
        "sha256".into(),
        b.digest(&c.program_sha256),
        "in".into(),
        quoted(&c.directory),
    ];
    let mut gets: Vec<String> = vec!["gets".into()];
    match c.environment.is_empty() {
        true => gets.extend(words("no environment")),
        false => gets.extend(c.environment.iter().map(|e| quoted(e))),
    }
    if c.stdin_sha256 != EMPTY {
        gets.extend(words("and standard input sha256"));
        gets.push(b.digest(&c.stdin_sha256));
    }
    all.push(b.quoting("command", 6, &[argv]));
    all.push(b.quoting("", 6, &[program]).named("program"));
    all.push(b.quoting("", 18, &[gets]).named("environment").optional());
}

fn past(all: &mut Vec<Section>, v: &RequestView, b: Layout) {
    all.push(b.ours("its record", 12, &record(&v.record, v)));
    all.push(b.ours("like this", 13, &like(&v.like)));
    if v.like.last.is_empty() {
        return;
    }
    let last: Vec<Vec<String>> = v
        .like
        .last
        .iter()
        .map(|d| {
            let by: Vec<String> = d.by.iter().map(who).collect();
            let by = if by.is_empty() { "by rule".to_string() } else { format!("by {}", by.join(" and ")) };
            let how = match d.how {
                How::Approved => "approved",
                How::Denied => "denied",
                How::Allowed => "allowed",
            };
            let reason = d.reason.as_deref().map_or(String::new(), |r| format!(": {}", safe(r)));
            let text = format!("{} {how} {by}, {}{reason}", d.request, relative(d.at, v.as_of));
            text.split(' ').map(String::from).collect()
        })
        .collect();
    all.push(b.quoting("", 13, &last).named("like this").optional());
}

/// The requester's other requests in words.
fn record(r: &RecordView, v: &RequestView) -> String {
    let window = if r.whole_log {
        format!("in {} (the whole log)", length(v.as_of.since(r.since)))
    } else {
        format!("in {WINDOW} days")
    };
    if r.asked == 0 {
        return format!("nothing else asked {window}");
    }
    let parts = [
        (r.succeeded, "done"),
        (r.failed, "failed"),
        (r.unknown, "begun and of unknown outcome"),
        (r.denied, "denied"),
        (r.denied_by_rule, "denied by rule"),
        (r.lapsed, "expired or withdrawn"),
        (r.open, "open"),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    format!("{} asked {window}: {}", r.asked, parts.join(", "))
}

/// How like requests were decided, in words.
fn like(l: &LikeView) -> String {
    let total = l.approved + l.denied + l.allowed;
    if total == 0 {
        return "none decided before".into();
    }
    let newest = if l.more { "newest " } else { "" };
    let parts = [(l.approved, "approved"), (l.denied, "denied"), (l.allowed, "allowed by rule")];
    let parts: Vec<String> = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    format!("{newest}{total} decided: {}; {} on this resource", parts.join(", "), l.same_resource)
}

/// Who asks for whom, and since when.
pub fn asked(v: &RequestView) -> String {
    let requester = who(&v.requester);
    let actor = match &v.acts_for {
        Some(op) => format!("{requester} for {}", who(op)),
        None => requester,
    };
    let end = match v.standing {
        Standing::Pending | Standing::Allowed | Standing::Frozen | Standing::Cancelled if v.until > v.as_of => {
            format!(", expires {}", relative(v.until, v.as_of))
        }
        _ => String::new(),
    };
    format!("{actor}, asked {}{end}", relative(v.at, v.as_of))
}

/// What the log says of it, beyond what is needed to decide; for [`super::whole`].
pub fn recorded(v: &RequestView) -> Vec<(&'static str, String)> {
    let points = |p: &[Point]| p.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(", ");
    let mut out = vec![
        ("asked", format!("{} by entry {}", minute(v.at), v.seq)),
        ("until", minute(v.until)),
        ("decision", format!("{} ({})", v.decision.as_str(), v.rule)),
    ];
    if !v.points.is_empty() {
        out.push(("points", points(&v.points)));
    }
    out.push(("leaf", v.leaf.clone()));
    out.push(("policy", v.policy.clone()));
    if let Some(a) = v.again.as_ref().filter(|a| a.policy != v.policy) {
        out.push(("policy now", a.policy.clone()));
    }
    for a in &v.approvals {
        out.push((
            "approval",
            format!(
                "{} by entry {}, counts before {}, saw {}",
                who(&a.operator),
                a.seq,
                minute(a.until),
                points(&a.points)
            ),
        ));
    }
    if let Some(o) = v.outcome {
        out.push(("outcome", o.as_str().to_string()));
    }
    out
}
