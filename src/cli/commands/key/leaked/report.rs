//! The incident report: what leaked, when, who did what, what is not proven. Markdown, or JSON of the same value.

use schemars::JsonSchema;
use serde::Serialize;

use super::open_case;
use super::view::{LeakView, UseView, outcome_words, used};
use crate::cli::Context;
use crate::cli::commands::grant::view::{Names, SignedBy};
use crate::cli::commands::key::find;
use crate::cli::commands::key::leaked::contain::Contained;
use crate::cli::commands::key::leaked::view::KeyLeakedView;
use crate::cli::commands::key::show::entry;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::global::Format;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::text::safe;
use crate::domain::key::StepOutcome;
use crate::domain::time::Time;
use crate::rotation::case::Case;
use crate::workspace::Workspace;

/// The report about a leak.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IncidentView {
    /// As of which moment.
    pub at: Time,
    /// The company, as told.
    pub company: Option<String>,
    /// The log's name.
    pub log: String,
    /// So many entries it had.
    pub entries: u64,
    /// The leak as it stands.
    pub leak: LeakView,
    /// What is not shown, or not done, gravest first. A closed leak can have some, as uses that nobody watched.
    pub not_proven: Vec<String>,
    /// The last moment at which it is known to have been safe, and by what that is known.
    pub safe_until: Time,
    /// `as told`, `turned over` or `added`.
    pub safe_by: String,
    /// Every use by `run` from then until it was contained.
    pub uses: Vec<UseView>,
    /// What feeds told about other uses; absent: there is none, so nothing is known of uses past aosctl.
    pub feed: Option<String>,
    /// What happened, oldest first.
    pub timeline: Vec<Moment>,
}

/// One thing that happened.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Moment {
    /// The entry.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// Who signed it.
    pub signed_by: SignedBy,
    /// What, in words. Foreign text.
    pub what: String,
    /// What was noted. Foreign text.
    pub note: Option<String>,
}

/// Runs it.
pub(super) fn run(ws: &Workspace, ctx: &Context, typed: &str, since: Option<&str>) -> Result<Outcome, CliError> {
    let key = find(ws, typed)?;
    let now = ws.now(ctx.clock())?;
    let since = since.map(|t| crate::cli::commands::rotation::words::past("--since", t, now)).transpose()?;
    // All of one moment, while others may write.
    let _snapshot = ws.store().snapshot()?;
    let case = open_case(ws, ctx, key.id)?;
    let view = view(ws, &case, since, now)?;
    let out = Outcome::of(Exit::Done, view);
    Ok(if case.is_closed() { out } else { out.note(format!("{} is OPEN: aosctl key leaked {}", key.id, key.id)) })
}

fn view(ws: &Workspace, case: &Case, since: Option<Time>, now: Time) -> Result<IncidentView, CliError> {
    let mut names = Names::new(ws)?;
    let mut leaks = KeyLeakedView::new(now, Contained::default());
    leaks.add(ws, case.key.id, Some(case))?;
    let leak = leaks.leaks.pop().ok_or_else(|| CliError::could_not("no_leak", "there is no such leak"))?;
    let (safe_until, safe_by) = match (since, case.was.turned()) {
        (Some(t), _) => (t, "as told"),
        (None, Some(t)) => (t, "turned over"),
        (None, None) => (case.was.added_at, "added"),
    };
    let mut uses = Vec::new();
    for u in case.uses.iter().filter(|u| u.at >= safe_until && u.seq < case.leak.seq) {
        uses.push(used(u, &mut names)?);
    }
    let feed = case.was.facts.seen.as_ref().map(|s| {
        let last = s.last.map_or_else(|| "never".to_string(), |t| t.to_string());
        format!("{} said as of {}: last used {last}", s.feed, s.as_of)
    });
    Ok(IncidentView {
        at: now,
        company: ws.origin().company.clone(),
        log: ws.origin().name.clone(),
        entries: ws.store().last_seq()?.map_or(0, |n| n + 1),
        not_proven: not_proven(&leak, feed.is_some()),
        leak,
        safe_until,
        safe_by: safe_by.into(),
        uses,
        feed,
        timeline: timeline(ws, case, &mut names)?,
    })
}

/// What is not shown or not done, gravest first.
fn not_proven(leak: &LeakView, feed: bool) -> Vec<String> {
    let mut all = Vec::new();
    for s in leak.steps.iter().filter(|s| !s.closed) {
        all.push(format!("{}: {}", s.step.words(), outcome_words(s.outcome)));
    }
    all.extend(leak.stale.iter().map(|s| format!("stale: {}", s.what)));
    for u in &leak.running {
        all.push(format!("{} of {} was given it and has not ended, as far as is known", u.request, u.agent.short()));
    }
    for s in leak.steps.iter().filter(|s| s.outcome == Some(StepOutcome::NotNeeded)) {
        all.push(format!("{}: said not to be needed, and not done", s.step.words()));
    }
    if !feed {
        all.push("uses outside aosctl: nothing that aosctl knows of watches this key, so nobody can say".into());
    }
    all
}

/// What was said about the key since it was last safe, and the doors that were closed for it, in the order of the log.
fn timeline(ws: &Workspace, case: &Case, names: &mut Names<'_>) -> Result<Vec<Moment>, CliError> {
    let mut all = Vec::new();
    let mut before = None;
    let from = case.was.recorded_seq.unwrap_or(case.was.added_seq);
    for said in case.said.iter().filter(|s| s.counts) {
        let e = entry(said, &mut before, names)?;
        if e.seq >= from {
            all.push(Moment { seq: e.seq, at: e.at, signed_by: e.signed_by, what: e.what, note: e.note });
        }
    }
    for g in &case.revoked {
        if let Some(seq) = g.revoked_seq {
            let (signed, _) = ws.event(seq)?;
            let what = format!(
                "{} revoked: {} may not reach {}",
                g.id,
                names.of(g.agent)?.short(),
                names.of(g.integration)?.short()
            );
            all.push(Moment { seq, at: signed.at, signed_by: names.signer(signed.actor)?, what, note: None });
        }
    }
    for u in &case.uses {
        let (signed, _) = ws.event(u.seq)?;
        let what = format!(
            "{}: {} was given the secret for {}",
            u.request.id,
            names.of(u.request.requester)?.short(),
            u.request.action
        );
        all.push(Moment { seq: u.seq, at: u.at, signed_by: names.signer(signed.actor)?, what, note: None });
    }
    all.sort_by_key(|m| m.seq);
    Ok(all)
}

impl View for IncidentView {
    const SCHEMA: &'static str = "aosctl.key-incident/v1";

    fn human(&self, _screen: &Screen) -> String {
        self.markdown()
    }

    fn report(&self, format: Format) -> Option<String> {
        (format == Format::Markdown).then(|| self.markdown())
    }
}

impl IncidentView {
    /// The report. Everything that somebody else wrote is escaped: it is text, and never a link, an image or a heading.
    pub fn markdown(&self) -> String {
        let l = &self.leak;
        let mut out = String::new();
        let mut line = |text: &str| {
            out.push_str(text);
            out.push('\n');
        };
        let company = self.company.as_deref().map(|c| format!("{}: ", md(c))).unwrap_or_default();
        line(&format!("# {company}{} ({}) leaked", md(&l.key.short()), l.key.id));
        line("");
        line(&format!("State: **{}**, as of {}.", if l.open { "OPEN" } else { "closed" }, self.at));
        line(&format!("Log `{}`, {} entries. Times are UTC.", self.log.replace('`', ""), self.entries));
        line("");
        line("## Not proven");
        line("");
        for text in &self.not_proven {
            line(&format!("- {}", md(text)));
        }
        if self.not_proven.is_empty() {
            line("Nothing.");
        }
        line("");
        line("## What was exposed");
        line("");
        let or = |text: Option<&str>| text.map_or_else(|| "not known".to_string(), md);
        line(&format!("- kind: {}", md(&l.kind)));
        line(&format!("- opens: {}", or(l.opens.as_ref().map(|o| o.long()).as_deref())));
        line(&format!("- last four: {}", or(l.last4.as_ref().map(|end| format!("...{end}")).as_deref())));
        line(&format!("- the provider calls it: {}", or(l.provider_id.as_deref())));
        if let Some(said) = &l.said {
            line(&format!("- said to have leaked: {}, entry {}, by {}", said.at, said.seq, md(&said.signed_by.long())));
            line(&format!("- seen: {}", or(said.reason.as_deref())));
        }
        let doors: Vec<String> = l.revoked.iter().map(|g| format!("{} ({})", g.id, md(&g.gist()))).collect();
        line(&format!(
            "- doors closed: {}",
            if doors.is_empty() { "none carried it".into() } else { doors.join("; ") }
        ));
        let frozen: Vec<String> = l.frozen.iter().map(|a| md(&a.short())).collect();
        if !frozen.is_empty() {
            line(&format!("- agents frozen: {}", frozen.join(", ")));
        }
        line("");
        line(&format!("## Uses from {} until it was contained", self.safe_until));
        line("");
        line(&format!("Known safe until then: {}.", md(&self.safe_by)));
        line(&match &self.feed {
            Some(feed) => format!("Outside aosctl, {}.", md(feed)),
            None => "Outside aosctl nothing watches it, so about other uses nobody can say anything.".into(),
        });
        line("");
        if self.uses.is_empty() {
            line("aosctl gave it to no program in that time.");
        } else {
            line("| when | entry | request | agent | what | where | ended |");
            line("|---|---|---|---|---|---|---|");
            for u in &self.uses {
                line(&format!(
                    "| {} | {} | {} | {} | {} | {} | {} |",
                    u.at,
                    u.seq,
                    u.request,
                    md(&u.agent.short()),
                    md(&u.action),
                    md(&u.resource),
                    u.standing.as_str()
                ));
            }
        }
        line("");
        line("## Steps");
        line("");
        line("| step | outcome | when | entry | what shows it |");
        line("|---|---|---|---|---|");
        for s in &l.steps {
            line(&format!(
                "| {} | {} | {} | {} | {} |",
                md(s.step.words()),
                outcome_words(s.outcome),
                s.at.map(|t| t.to_string()).unwrap_or_default(),
                s.seq.map(|n| n.to_string()).unwrap_or_default(),
                s.note.as_deref().map(md).unwrap_or_default()
            ));
        }
        for s in l.steps.iter().filter(|s| !s.detail.is_empty()) {
            line("");
            line(&format!("{}, place by place:", md(s.step.words())));
            line("");
            for place in &s.detail {
                line(&format!("- {}", md(place)));
            }
        }
        line("");
        line("## Timeline");
        line("");
        line("| when | entry | who | what | noted |");
        line("|---|---|---|---|---|");
        for m in &self.timeline {
            line(&format!(
                "| {} | {} | {} | {} | {} |",
                m.at,
                m.seq,
                md(&m.signed_by.long()),
                md(&m.what),
                m.note.as_deref().map(md).unwrap_or_default()
            ));
        }
        line("");
        line("Every line with an entry number can be proven: `aosctl audit show NUMBER`, `aosctl audit verify`.");
        out
    }
}

/// Text that stays text in CommonMark, in its tables and in those who link what looks like an address.
fn md(text: &str) -> String {
    let text = safe(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' | '$' | '"' | '\''
            | '=' | '+' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    let out = out.replace("://", ":&#47;/").replace("www.", "www&#46;").replace("WWW.", "WWW&#46;");
    // A dash, or a number with a dot, at the start of a line begins a list.
    let digits = out.chars().take_while(char::is_ascii_digit).count();
    match out.get(digits..) {
        Some(rest) if digits > 0 && rest.starts_with('.') => {
            format!("{}\\{rest}", out.get(..digits).unwrap_or_default())
        }
        _ if out.starts_with('-') => format!("\\{out}"),
        _ => out,
    }
}

#[cfg(test)]
mod tests {
    use super::md;

    #[test]
    fn text_stays_text() {
        for (text, expected) in [
            ("plain words, 3 of them", "plain words, 3 of them"),
            ("![x](http://evil)", "\\!\\[x\\]\\(http:&#47;/evil\\)"),
            ("<img src=x>", "&lt;img src\\=x&gt;"),
            ("a | b", "a \\| b"),
            ("# head", "\\# head"),
            ("- item", "\\- item"),
            ("12. item", "12\\. item"),
            ("12 items", "12 items"),
            ("1.5", "1\\.5"),
            ("ops@example.com www.x", "ops&#64;example.com www&#46;x"),
        ] {
            assert_eq!(md(text), expected);
        }
        assert!(!md("a\nb\u{202e}c").contains(['\n', '\u{202e}']));
    }
}
