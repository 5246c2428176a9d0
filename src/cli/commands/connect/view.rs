//! What `connect` gives back, and the preflight.

use schemars::JsonSchema;
use serde::Serialize;

use super::plan::Plan;
use crate::cli::commands::grant::view::{GrantKey, Named, ends_whole};
use crate::cli::fold;
use crate::cli::outcome::{Screen, View};
use crate::cli::show;
use crate::cli::text;
use crate::domain::access::Access;
use crate::domain::facets::DataClass;
use crate::domain::id::Id;
use crate::domain::point::Point;
use crate::domain::time::Time;

/// A door that was opened, would be, or was not because it is wider than it need be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConnectView {
    /// The grant is in the log.
    pub opened: bool,
    /// Nothing was to be done.
    pub dry_run: bool,
    /// The grant's id; absent unless it was opened.
    pub grant: Option<Id>,
    /// The entry that issued it.
    pub seq: Option<u64>,
    /// Who signed.
    pub signed_by: Option<Named>,
    /// As of which moment this is said.
    pub at: Time,
    /// Who may.
    pub agent: Named,
    /// Where.
    pub integration: ConnectIntegration,
    /// Which part.
    pub scope: String,
    /// How much.
    pub access: Access,
    /// The most delicate data.
    pub data: DataClass,
    /// Who answers for it; absent where that is the signer and nobody signed yet.
    pub owner: Option<Named>,
    /// What for. Foreign text.
    pub mission: Option<String>,
    /// Live before this moment; absent has no end.
    pub until: Option<Time>,
    /// The key that it carries, and who gets its secret; absent where it carries none.
    pub carries: Option<GrantKey>,
    /// The grant that is opened again.
    pub again: Option<Id>,
    /// Grants whose place it takes, and how they were used: read grants, where it can change things, and those of the same
    /// scope and access whose key, mission, data or owner is another.
    pub replaces: Vec<Replaced>,
    /// Other live grants of the agent that open the same door, at least in part.
    pub beside: Vec<Id>,
    /// What is wider than it need be.
    pub warnings: Vec<ConnectWarning>,
    /// The line that avoids all warnings that a line can avoid, where there are several.
    pub narrower: Option<String>,
    /// Names of the warnings that were accepted.
    pub accepted: Vec<String>,
    /// What to know before signing.
    pub preflight: Preflight,
}

/// Where a door leads.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConnectIntegration {
    /// `i-4`; absent where it is not added yet.
    pub id: Option<Id>,
    /// Its name.
    pub name: String,
    /// The catalogue's name for it.
    pub kind: String,
    /// It is added together with the grant, outside the boundary.
    pub added: bool,
    /// Inside the company's boundary.
    pub inside: bool,
}

/// A grant whose place another takes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Replaced {
    /// Which.
    pub grant: Id,
    /// Its scope.
    pub scope: String,
    /// How much it allowed.
    pub access: Access,
    /// Its most delicate data.
    pub data: DataClass,
    /// Its end.
    pub until: Option<Time>,
    /// Since when it was open: the window of the numbers below.
    pub since: Time,
    /// Requests on it that the rules allowed.
    pub allowed: u64,
    /// Requests on it that were asked about.
    pub asked: u64,
    /// Requests in its scope that the rules denied, because it did not reach so far.
    pub denied: u64,
    /// The newest of these.
    pub last_use: Option<Time>,
    /// Requests that wait on it, and are cancelled with it.
    pub cancels: Vec<Id>,
    /// What it had and the new grant has not: what ends with it, in words.
    pub loses: Vec<String>,
}

/// One thing that is wider than it need be.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ConnectWarning {
    /// A stable name, as recorded when it is accepted.
    pub name: String,
    /// In one sentence.
    pub text: String,
    /// What to type instead.
    pub instead: String,
}

/// What to know before signing.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Preflight {
    /// The operator whom the agent acts for.
    pub acts_for: Named,
    /// Approval points that its actions may cross there, at the widest the grant allows.
    pub asks_about: Vec<Asks>,
    /// What it leaves as evidence.
    pub evidence: String,
    /// How to close it here.
    pub close: String,
    /// What to do at the provider after closing it here.
    pub close_at_provider: String,
}

/// An approval point that may be crossed.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Asks {
    /// Which.
    pub point: Point,
    /// In words.
    pub title: String,
    /// By which actions.
    pub actions: Vec<String>,
}

/// A command line that may be pasted: broken before flags, with backslashes, where it is wider than the screen.
pub fn command_line(line: &str, indent: &str, width: usize) -> String {
    format!("{}\n", fold::command(&text::safe(line), indent, width))
}

/// The warnings, with what to type instead.
pub fn warnings(screen: &Screen, warnings: &[ConnectWarning], narrower: Option<&str>) -> String {
    let mut out = String::new();
    for w in warnings {
        let sentence = format!("{} [{}]", w.text, w.name);
        for line in text::safe_block(&sentence, "", screen.width, usize::MAX).lines {
            out.push_str(&format!("{}\n", screen.style.yellow(line.trim_end())));
        }
        out.push_str(&command_line(&w.instead, "  ", screen.width));
    }
    if let Some(line) = narrower {
        out.push_str("All of that at once:\n");
        out.push_str(&command_line(line, "  ", screen.width));
    }
    out
}

/// Names of the warnings that say that a door is there already; all others say that it is too wide.
const OPEN_ALREADY: [&str; 2] = ["grant.duplicate", "grant.subsumed"];

/// What is wrong with a door, in a few words: it is open already, or wider than it need be, or both.
pub fn wrong(warnings: &[ConnectWarning]) -> &'static str {
    let open = |w: &ConnectWarning| OPEN_ALREADY.contains(&w.name.as_str());
    match (warnings.iter().any(open), warnings.iter().all(open)) {
        (true, true) => "open already",
        (true, false) => "open already, and wider than it need be",
        (false, _) => "wider than it need be",
    }
}

/// At most so many actions are named for a point; the JSON has them all.
const NAMED_ACTIONS: usize = 4;

/// The five lines: who it acts for, what it reaches, what is asked about, what it leaves, how to close it.
pub fn preflight(screen: &Screen, v: &ConnectView) -> String {
    let p = &v.preflight;
    let asks = |a: &Asks| {
        let more = a.actions.len().saturating_sub(NAMED_ACTIONS);
        let named = a.actions.iter().take(NAMED_ACTIONS).map(String::as_str).collect::<Vec<_>>().join(", ");
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{} ({named}{rest})", a.title)
    };
    let mut asked = p.asks_about.iter().map(asks).collect::<Vec<_>>().join("; ");
    if v.access > Access::Read {
        let also = "whatever the catalogue does not know there";
        asked = if asked.is_empty() { also.into() } else { format!("{asked}; {also}") };
    } else if asked.is_empty() {
        asked = format!(
            "nothing that the catalogue knows: no {} of {} crosses an approval point",
            v.access, v.integration.kind
        );
    }
    let place = if v.integration.inside { "inside" } else { "outside" };
    let reach = format!(
        "{} {}, {}, data up to {}, ends {}; {place} the boundary",
        v.integration.name,
        v.scope,
        v.access,
        v.data,
        ends_whole(v.until, v.at)
    );
    let close = format!("{}, at once and without a passphrase. Then: {}", p.close, p.close_at_provider);
    let secret = v.carries.as_ref().map(|c| {
        let line =
            format!("the secret of {}. What may print it can, and aosctl does not mask what is printed", c.line());
        ("gives", line)
    });
    [
        ("acts for", format!("{} acts for {}", v.agent.short(), p.acts_for.long())),
        ("reaches", reach),
        ("asks about", asked),
        ("leaves", p.evidence.clone()),
        ("close it", close),
    ]
    .iter()
    .chain(&secret)
    .map(|(name, value)| show::field(screen, name, value))
    .collect()
}

/// How a grant was used, before another takes its place.
pub fn used(screen: &Screen, r: &Replaced, now: Time) -> String {
    let window = show::length(now.since(r.since));
    let last = r.last_use.map_or_else(|| "never used".into(), |t| format!("last {}", show::relative(t, now)));
    let mut value = format!(
        "{} ({}, {}): in the {window} since it was issued {} allowed, {} asked about, {} denied; {last}",
        r.grant, r.access, r.scope, r.allowed, r.asked, r.denied
    );
    for lost in &r.loses {
        value.push_str(&format!("; ends with it: {lost}"));
    }
    if !r.cancels.is_empty() {
        value.push_str(&format!("; cancelled with it: {}", ids(&r.cancels)));
    }
    show::field(screen, "replaces", &value)
}

/// Ids, divided by commas.
pub fn ids(ids: &[Id]) -> String {
    ids.iter().map(Id::to_string).collect::<Vec<_>>().join(", ")
}

impl View for ConnectView {
    const SCHEMA: &'static str = "aosctl.connect/v1";

    fn human(&self, screen: &Screen) -> String {
        if self.accepted.len() < self.warnings.len() {
            let mut out =
                format!("Nothing was opened: this door is {}. What to type instead:\n", wrong(&self.warnings));
            out.push_str(&warnings(screen, &self.warnings, self.narrower.as_deref()));
            out.push_str("Or accept it, and say why: --accept-risk --reason TEXT\n");
            return out;
        }
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        match self.grant {
            Some(id) => field("opened", &id.to_string()),
            None => field("would open", "a grant"),
        }
        field("agent", &self.agent.short());
        let place = &self.integration;
        let added = match (place.added, place.id) {
            (false, _) => String::new(),
            (true, Some(id)) => format!(" (added as {id}, kind {}, outside the boundary)", place.kind),
            (true, None) => format!(" (would be added, kind {}, outside the boundary)", place.kind),
        };
        field("integration", &format!("{}{added}", place.name));
        field("scope", &self.scope);
        field("access", &format!("{}, data up to {}", self.access, self.data));
        if let Some(c) = &self.carries {
            field("key", &c.line());
        }
        field("ends", &ends_whole(self.until, self.at));
        if let Some(owner) = &self.owner {
            field("owner", &owner.long());
        }
        if let Some(mission) = &self.mission {
            field("mission", mission);
        }
        if let Some(again) = self.again {
            field("again", &again.to_string());
        }
        for r in &self.replaces {
            field(
                if self.opened { "replaced" } else { "replaces" },
                &format!("{} ({}, {}), closed in the same step", r.grant, r.access, r.scope),
            );
        }
        if !self.accepted.is_empty() {
            field("accepted", &self.accepted.join(", "));
        }
        if let (Some(seq), Some(by)) = (self.seq, &self.signed_by) {
            field("entry", &format!("{seq}, signed by {}", by.long()));
        }
        out
    }
}

impl ConnectView {
    /// What a plan comes to, before anybody signed.
    pub fn of(plan: &Plan, acts_for: Named, owner: Option<Named>, replaces: Vec<Replaced>, now: Time) -> ConnectView {
        let i = &plan.integration;
        let warning = |w: &crate::domain::advice::Warning| ConnectWarning {
            name: w.name.into(),
            text: w.text.clone(),
            instead: w.instead.clone(),
        };
        let asks = plan.crossings.iter().map(|c| Asks {
            point: c.point,
            title: c.point.title().into(),
            actions: c.actions.clone(),
        });
        ConnectView {
            opened: false,
            dry_run: false,
            grant: None,
            seq: None,
            signed_by: None,
            at: now,
            agent: Named { id: plan.agent.id, name: plan.agent.handle.clone() },
            integration: ConnectIntegration {
                id: (!plan.adds).then_some(i.id),
                name: i.handle.clone(),
                kind: i.kind.clone(),
                added: plan.adds,
                inside: i.inside,
            },
            scope: plan.terms.scope.to_string(),
            access: plan.terms.access,
            data: plan.terms.data,
            owner,
            mission: plan.terms.mission.clone(),
            until: plan.until,
            carries: None,
            again: plan.again,
            replaces,
            beside: plan.beside.iter().map(|g| g.id).collect(),
            warnings: plan.advice.warnings.iter().map(warning).collect(),
            narrower: plan.advice.narrower.clone(),
            accepted: Vec::new(),
            preflight: Preflight {
                acts_for,
                asks_about: asks.collect(),
                evidence: format!(
                    "this grant, and every request, decision and outcome on it, as a signed entry: aosctl grant show {}",
                    plan.grant
                ),
                close: format!("aosctl revoke {}", plan.grant),
                close_at_provider: plan.kind.close.clone(),
            },
        }
    }
}
