//! `aosctl grant show`.

use schemars::JsonSchema;
use serde::Serialize;

use super::view::{GrantRow, GrantState, Named, Names, SignedBy, ends_whole};
use crate::cli::Context;
use crate::cli::commands::connect::{view::ids, words};
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::request::Standing;
use crate::domain::time::Time;
use crate::store::GrantFilter;
use crate::workspace::{Said, Workspace, same_door};

/// Show one grant, whole.
///
/// Its terms, everything that was ever said about it, what stands on it, and what else opens the same door.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The grant's id, such as g-7
    #[arg(value_name = "GRANT", add = complete::grants())]
    grant: String,
}

/// One grant, whole.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GrantShowView {
    /// As of which moment.
    pub at: Time,
    /// Its terms, from its verified entries.
    pub grant: GrantRow,
    /// The catalogue's name for the integration.
    pub kind: Option<String>,
    /// The integration is inside the company's boundary.
    pub inside: Option<bool>,
    /// The grant whose place it took.
    pub replaces: Option<Id>,
    /// The grant that it opened again.
    pub again: Option<Id>,
    /// Warnings that were accepted, by their names.
    pub accepted: Vec<String>,
    /// How it was used since it was issued.
    pub used: GrantUsed,
    /// Everything that was said about it, oldest first.
    pub history: Vec<GrantEvent>,
    /// Requests that wait on it.
    pub waiting: Vec<StandingRequest>,
    /// Requests that run on it.
    pub running: Vec<Id>,
    /// Other live grants that open the same door, at least in part.
    pub same_door: Vec<GrantRow>,
}

/// How a grant was used.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GrantUsed {
    /// Requests on it that the rules allowed.
    pub allowed: u64,
    /// Requests on it that were asked about.
    pub asked: u64,
    /// Requests in its scope that the rules denied, because it did not reach so far.
    pub denied: u64,
    /// The newest of these.
    pub last: Option<Time>,
}

/// A request that waits on a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StandingRequest {
    /// Which.
    pub request: Id,
    /// Where it stands.
    pub standing: Standing,
}

/// One entry about a grant.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GrantEvent {
    /// Its place in the log.
    pub seq: u64,
    /// When it was signed.
    pub at: Time,
    /// The event's type and version.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it did, in a few words.
    pub what: String,
    /// Who signed.
    pub signed_by: SignedBy,
    /// Why, as told. Foreign text.
    pub reason: Option<String>,
    /// It has authority; one without changes nothing.
    pub counts: bool,
}

impl View for GrantShowView {
    const SCHEMA: &'static str = "aosctl.grant-show/v1";

    fn human(&self, screen: &Screen) -> String {
        let g = &self.grant;
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        let frozen = if g.frozen { ", frozen: nothing is allowed on it until an operator thaws" } else { "" };
        field("grant", &format!("{}, {}{frozen}", g.id, g.state.as_str()));
        field("agent", &g.agent.long());
        let place = match self.inside {
            Some(true) => ", inside the boundary",
            Some(false) => ", outside the boundary",
            None => "",
        };
        let kind = self.kind.as_ref().map(|k| format!(", {k}")).unwrap_or_default();
        field("integration", &format!("{}{kind}{place}", g.integration.long()));
        field("scope", &g.scope);
        field("access", &format!("{}, data up to {}", g.access, g.data));
        if let Some(c) = &g.carries {
            field("key", &c.line());
            for p in &c.programs {
                field("", &format!("{} {}", p.sha256, p.path));
            }
        }
        field("owner", &g.owner.long());
        if let Some(mission) = &g.mission {
            field("mission", mission);
        }
        field(if g.state == GrantState::Expired { "ended" } else { "ends" }, &ends_whole(g.until, self.at));
        if let Some(old) = self.replaces {
            field("replaced", &old.to_string());
        }
        if let Some(old) = self.again {
            field("opened again", &old.to_string());
        }
        if !self.accepted.is_empty() {
            field("accepted", &self.accepted.join(", "));
        }
        let u = &self.used;
        let last = u.last.map_or_else(|| "never used".into(), |t| format!("last {}", show::relative(t, self.at)));
        let window = show::length(self.at.since(g.issued));
        field(
            "used",
            &format!("in {window}: {} allowed, {} asked about, {} denied; {last}", u.allowed, u.asked, u.denied),
        );
        for w in &self.waiting {
            field("waits on it", &format!("{}, {}", w.request, w.standing.as_str()));
        }
        if !self.running.is_empty() {
            field("runs on it", &ids(&self.running));
        }
        for other in &self.same_door {
            field("same door", &format!("{}: {}, ends {}", other.id, other.gist(), other.ends(self.at)));
        }
        out.push_str("\nHistory\n");
        for e in &self.history {
            let void = if e.counts { "" } else { "; has no authority and changes nothing" };
            let mut text = format!("entry {}: {}, signed by {}{void}", e.seq, e.what, e.signed_by.long());
            if let Some(reason) = &e.reason {
                text.push_str(&format!("\nreason: {reason}"));
            }
            out.push_str(&history_line(screen, e.at, &text));
        }
        out
    }
}

/// A time in the margin, and text beside it.
fn history_line(screen: &Screen, at: Time, text: &str) -> String {
    let margin = " ".repeat(22);
    let block = crate::cli::text::safe_block(text, &margin, screen.width, usize::MAX);
    let mut out = String::new();
    for (i, line) in block.lines.iter().enumerate() {
        let line = if i == 0 { format!("{:<22}{}", show::minute(at), line.trim_start()) } else { line.clone() };
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let g = words::grant(&ws, &args.grant)?;
    let mut names = Names::new(&ws)?;
    let said = ws.said_about(g.id)?;
    let issued = said.iter().find_map(|s| match &s.event {
        Event::GrantIssued(b) if s.counts => Some(b.clone()),
        _ => None,
    });
    let mut history = Vec::new();
    for s in &said {
        history.push(entry(s, &mut names)?);
    }
    let integration = ws.facts().integration(g.integration)?;
    let used = ws.store().grant_use(&g)?;
    let on = ws.standing_on(g.id, now)?;
    let same_door = beside(&ws, &mut names, g.integration, |o| o.id != g.id && same_door(&o.scope, &g.scope), now)?;
    let view = GrantShowView {
        at: now,
        grant: names.grant(&g, now)?,
        kind: integration.as_ref().map(|i| i.kind.clone()),
        inside: integration.as_ref().map(|i| i.inside),
        replaces: g.replaces,
        again: issued.as_ref().and_then(|b| b.again),
        accepted: issued.map(|b| b.accepted).unwrap_or_default(),
        used: GrantUsed { allowed: used.allowed, asked: used.asked, denied: used.denied, last: used.last },
        history,
        waiting: on.waiting.into_iter().map(|(request, standing)| StandingRequest { request, standing }).collect(),
        running: on.running,
        same_door,
    };
    let mut out = Outcome::of(Exit::Done, view).paged();
    out = match (g.revoked_seq, g.is_live(now)) {
        (Some(_), _) => out.note(format!("open it again: aosctl connect --again {}", g.id)),
        (None, true) => out.note(format!("close it: aosctl revoke {}", g.id)),
        (None, false) => out.note(format!("let it last longer: aosctl grant renew {}", g.id)),
    };
    Ok(out)
}

/// Live grants to an integration that `pick` wants, each verified.
pub(in crate::cli::commands) fn beside(
    ws: &Workspace,
    names: &mut Names<'_>,
    integration: Id,
    pick: impl Fn(&crate::domain::grant::Grant) -> bool,
    now: Time,
) -> Result<Vec<GrantRow>, CliError> {
    let facts = ws.facts();
    let mut rows = Vec::new();
    let filter = GrantFilter { agent: None, integration: Some(integration), live_at: Some(now) };
    for row in ws.store().grants(&filter)?.iter().filter(|g| pick(g)) {
        if let Some(g) = facts.grant(row.id)?.filter(|g| g.is_live(now) && pick(g)) {
            rows.push(names.grant(&g, now)?);
        }
    }
    Ok(rows)
}

fn entry(s: &Said, names: &mut Names<'_>) -> Result<GrantEvent, CliError> {
    let end = |t: &Option<Time>| t.map_or_else(|| "never".to_string(), show::minute);
    let (what, reason) = match &s.event {
        Event::GrantIssued(b) => {
            let agent: Named = names.of(b.agent)?;
            let key = b.carries.as_ref().map(|c| format!(", with the key {}", c.key)).unwrap_or_default();
            let what = format!(
                "issued to {}: {}, {}, data up to {}, ends {}{key}",
                agent.short(),
                b.access,
                b.scope,
                b.data,
                end(&b.until)
            );
            (what, &b.reason)
        }
        Event::GrantRenewed(b) => (format!("renewed, ends {}", end(&b.until)), &b.reason),
        Event::GrantNarrowed(b) => {
            let parts = [
                b.scope.as_ref().map(|s| format!("scope {s}")),
                b.access.map(|a| format!("access {a}")),
                b.data.map(|d| format!("data up to {d}")),
                b.until.map(|t| format!("ends {}", show::minute(t))),
            ];
            (format!("narrowed to {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", ")), &b.reason)
        }
        Event::GrantRevoked(b) => ("revoked".into(), &b.reason),
        Event::PayloadErased(b) => {
            let members = b.members.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            (format!("{members} of entry {} erased", b.seq), &b.reason)
        }
        Event::EntryCorrected(b) => (format!("entry {} corrected", b.seq), &b.note),
        Event::EntryVoided(b) => (format!("entry {} voided", b.seq), &b.reason),
        other => (other.name().to_string(), &None),
    };
    Ok(GrantEvent {
        seq: s.entry.seq,
        at: s.entry.at,
        kind: s.event.name().into(),
        what,
        signed_by: names.signer(s.entry.actor)?,
        reason: reason.clone(),
        counts: s.counts,
    })
}
