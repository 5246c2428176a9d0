//! `aosctl status`: one screen.

use std::collections::BTreeMap;
use std::rc::Rc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::commands::review::check::{CheckState, stand};
use crate::cli::commands::rotation::view::KeyDue;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::{safe, truncate};
use crate::domain::access::Access;
use crate::domain::facets::DataClass;
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::request::Standing;
use crate::domain::review::Month;
use crate::domain::rules::Rules;
use crate::domain::time::{Span, Time};
use crate::policy::catalogue;
use crate::policy::file::{PolicyFile, defaults_left};
use crate::rotation::{self, due::DueState};
use crate::store::RequestFilter;
use crate::workspace::{PinState, VerifyOptions, Workspace, WorkspaceError, claim, verify};

/// A grant that ends within so many days is due.
const SOON: u32 = 14;
/// A log of at most so many entries is proven on the spot; a longer one is only compared with its pin.
const PROVE_UP_TO: u64 = 2_000;
/// Lines a section.
const LINES: usize = 4;

/// One screen: what waits, what is due, what is widest open, the log.
///
/// Exit status: 0, or 4 where the log does not verify or its pin does not fit.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// One line of a section.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Item {
    /// What it is about: a request, a grant, an agent.
    pub id: String,
    /// In words; names in it are whatever somebody chose.
    pub text: String,
    /// What to type.
    pub command: String,
}

/// An access review that waits for its signature.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReviewWaits {
    /// Of which month.
    pub month: Month,
    /// `due`: this is its last day. `overdue`: that is past.
    pub state: CheckState,
    /// To be signed before this moment.
    pub due: Time,
    /// What to type.
    pub command: String,
}

/// The state of the workspace.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusView {
    /// As told to `init`.
    pub company: Option<String>,
    /// The log's name: what `operator create --origin` asks for.
    pub origin: String,
    /// The moment of this page.
    pub at: Time,
    /// What is frozen: `w-1` is everything.
    pub frozen: Vec<Id>,
    /// Requests that wait for an operator, riskiest and oldest first.
    pub waiting: Vec<Item>,
    /// Begun, and nobody knows how it ended.
    pub unknown: Vec<Item>,
    /// Open leaks, grants that end within 14 days, keys that are due or soon.
    pub due: Vec<Item>,
    /// The review of last month, where it is due today or overdue.
    pub review: Option<ReviewWaits>,
    /// The widest of the open doors, widest first.
    pub widest: Vec<Item>,
    /// Live grants.
    pub live_grants: usize,
    /// Live agents.
    pub live_agents: usize,
    /// Policy values that no operator ever confirmed, as `key = value`.
    pub defaults: Vec<String>,
    /// This build has another catalogue than the adopted one, or policy.toml was edited: nothing of it decides yet.
    pub policy_waits: bool,
    /// Entries in the log.
    pub entries: u64,
    /// `verified`, `pin matches`, `pin missing`, or what is wrong.
    pub log: String,
    /// Nothing contradicts the log. Only `audit verify` proves all of it.
    pub whole: bool,
    /// The whole log was verified for this page.
    pub proven: bool,
}

impl View for StatusView {
    const SCHEMA: &'static str = "aosctl.status/v1";

    fn human(&self, screen: &Screen) -> String {
        let style = screen.style;
        let mut page = String::new();
        let company = self.company.as_deref().map_or_else(|| "workspace".to_string(), safe);
        push(
            &mut page,
            screen,
            &format!(
                "{company}  {}, {}, {}",
                counted(self.live_grants, "live grant"),
                counted(self.live_agents, "agent"),
                show::minute(self.at)
            ),
        );
        if !self.frozen.is_empty() {
            let what: Vec<String> = self
                .frozen
                .iter()
                .map(|id| if *id == Id::WORKSPACE { "everything".into() } else { id.to_string() })
                .collect();
            let line = format!("FROZEN: {}. Undo: aosctl thaw", what.join(", "));
            page.push_str(&style.red(&truncate(&line, screen.width)));
            page.push('\n');
        }
        section(&mut page, screen, "waits for you", &self.waiting, "nothing", "aosctl approve");
        if !self.unknown.is_empty() {
            section(&mut page, screen, "outcome unknown", &self.unknown, "", "aosctl request list --standing unknown");
        }
        section(&mut page, screen, "due in 14 days", &self.due, "nothing", "aosctl grant list; aosctl rotation list");
        if let Some(r) = &self.review {
            let when = match r.state {
                CheckState::Overdue => format!("overdue since {}", show::day(r.due)),
                _ => format!("due today, before {}", show::minute(r.due)),
            };
            let line = truncate(&format!("review of {} {when}: {}", r.month, r.command), screen.width).into_owned();
            page.push('\n');
            page.push_str(&if r.state == CheckState::Overdue { style.red(&line) } else { style.yellow(&line) });
            page.push('\n');
        }
        section(&mut page, screen, "open widest", &self.widest, "nothing is open", "aosctl grant list");
        page.push('\n');
        if !self.defaults.is_empty() {
            let keys: Vec<&str> = self.defaults.iter().filter_map(|d| d.split(" = ").next()).take(3).collect();
            let more = self.defaults.len().saturating_sub(keys.len());
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            push(&mut page, screen, &format!("policy        defaults nobody confirmed: {}{rest}", keys.join(", ")));
            push(&mut page, screen, "              aosctl policy show --effective; aosctl policy set KEY VALUE");
        }
        if self.policy_waits {
            push(
                &mut page,
                screen,
                "policy        a newer catalogue or an edited policy.toml waits: aosctl policy diff",
            );
        }
        let log = format!("log           {} entries: {}", self.entries, self.log);
        let log = truncate(&log, screen.width).into_owned();
        page.push_str(&if self.whole { log } else { style.red(&log).into_owned() });
        page.push('\n');
        push(&mut page, screen, &format!("              {}", self.origin));
        if !self.proven || !self.whole {
            push(&mut page, screen, "              prove all of it: aosctl audit verify");
        }
        page
    }
}

/// `1 agent`, `2 agents`.
fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn push(page: &mut String, screen: &Screen, line: &str) {
    page.push_str(truncate(line, screen.width).trim_end());
    page.push('\n');
}

fn section(page: &mut String, screen: &Screen, title: &str, items: &[Item], none: &str, all: &str) {
    page.push('\n');
    if items.is_empty() {
        push(page, screen, &format!("{title:<17} {none}"));
        return;
    }
    page.push_str(&screen.style.bold(&format!("{title} ({})", items.len())));
    page.push('\n');
    for item in items.iter().take(LINES) {
        push(page, screen, &format!("  {:<6} {}", item.id, safe(&item.text)));
    }
    let more = items.len().saturating_sub(LINES);
    let rest = if more > 0 { format!("{more} more; ") } else { String::new() };
    push(page, screen, &format!("  {rest}{all}"));
}

/// Runs it.
pub fn run(_args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let facts = ws.facts();
    let doors = ws.open_doors(None, None, now)?;
    let mut names = Names { ws: &ws, known: BTreeMap::new() };
    let policy = facts.policy()?;
    let waiting = waiting(&ws, now, &mut names)?;
    let keys = keys(&ws, now)?;
    let unknown = unknown(&ws, now)?;
    let mut grants: Vec<Rc<Grant>> = doors.grants;
    let due = [leaks(&keys), due(&grants, now, &mut names)?, keys_due(&keys)].concat();
    grants.sort_by_key(|g| (std::cmp::Reverse(width_of(g, policy.as_ref().map(|p| &*p.rules), &ws)), g.id));
    let mut widest = Vec::new();
    for g in grants.iter().take(LINES) {
        widest.push(Item {
            id: g.id.to_string(),
            text: names.door(g)?,
            command: format!("aosctl grant show {}", g.id),
        });
    }
    let agents = ws.store().identities(IdKind::Agent)?.iter().filter(|a| a.is_live()).count();
    let (defaults, policy_waits) = policy_state(&ws)?;
    let last = stand(&ws, now)?;
    let review = last.state.is_due().then(|| ReviewWaits {
        month: last.month,
        state: last.state,
        due: last.due,
        command: "aosctl review decide".into(),
    });
    let (entries, log, whole, proven) = log_state(&ws, ctx)?;
    let view = StatusView {
        company: ws.origin().company.clone(),
        origin: ws.origin().name.clone(),
        at: now,
        frozen: ws.store().frozen()?,
        waiting,
        unknown,
        due,
        review,
        widest,
        live_grants: grants.len(),
        live_agents: agents,
        defaults,
        policy_waits,
        entries,
        log,
        whole: whole && doors.damaged.is_empty(),
        proven,
    };
    let behind = !view.whole && ws.doubt()?.is_some();
    let exit = if view.whole { Exit::Done } else { Exit::Integrity };
    let mut outcome = Outcome::of(exit, view);
    if behind {
        outcome = outcome
            .warn("nobody can tell that this is the newest log: doors can be closed, and none opened")
            .note("Put the newest copy back, or, if this is all that is left:")
            .note("  aosctl workspace accept-rollback --reason TEXT");
    }
    if let Some(last) = ws.waits_for(ctx.clock())? {
        outcome = outcome.warn(format!(
            "the last entry was signed at {last}, and this machine's clock says {}: until then nothing is signed or allowed",
            ctx.clock()
        ));
    }
    for id in doors.damaged {
        outcome =
            outcome.warn(format!("{id}: its entries do not verify, so nothing is allowed on it: aosctl audit verify"));
    }
    Ok(outcome)
}

/// Names of agents and integrations, each looked up once.
struct Names<'a> {
    ws: &'a Workspace,
    known: BTreeMap<Id, String>,
}

impl Names<'_> {
    fn of(&mut self, id: Id) -> Result<String, CliError> {
        if let Some(name) = self.known.get(&id) {
            return Ok(name.clone());
        }
        let facts = self.ws.facts();
        let found = match id.kind {
            IdKind::Agent => facts.identity(id)?.and_then(|i| i.handle.clone()),
            IdKind::Integration => facts.integration(id)?.map(|i| i.handle.clone()),
            _ => None,
        };
        let name = found.unwrap_or_else(|| id.to_string());
        self.known.insert(id, name.clone());
        Ok(name)
    }

    /// `build-bot -> github repo:acme/app, write, data up to internal`
    fn door(&mut self, g: &Grant) -> Result<String, CliError> {
        let end = g.until.map_or("no end".to_string(), |u| format!("ends {}", show::day(u)));
        let (agent, integration) = (self.of(g.agent)?, self.of(g.integration)?);
        Ok(format!("{agent} -> {integration} {}, {}, {}, {end}", g.scope, g.access, g.data))
    }
}

fn waiting(ws: &Workspace, now: Time, names: &mut Names<'_>) -> Result<Vec<Item>, CliError> {
    let mut items = Vec::new();
    for r in ws.queue(now)? {
        let amount = r.facets.amount.map(|m| format!(", {m}")).unwrap_or_default();
        let who = names.of(r.requester)?;
        items.push(Item {
            id: r.id.to_string(),
            text: format!(
                "{} {who}: {} {}{amount}; {}",
                r.tier,
                r.action,
                r.resource,
                show::relative(r.until, now).replace("in ", "ends in ")
            ),
            command: format!("aosctl approve {}", r.id),
        });
    }
    Ok(items)
}

fn unknown(ws: &Workspace, now: Time) -> Result<Vec<Item>, CliError> {
    let mut items = Vec::new();
    for r in ws.store().requests(RequestFilter::Unsettled)? {
        if claim::standing(ws, &r, now)? == Standing::Unknown {
            items.push(Item {
                id: r.id.to_string(),
                text: format!("{} {}: begun, and nobody knows how it ended", r.action, r.resource),
                command: format!("aosctl request resolve {} --outcome failed --reason TEXT", r.id),
            });
        }
    }
    Ok(items)
}

fn due(grants: &[Rc<Grant>], now: Time, names: &mut Names<'_>) -> Result<Vec<Item>, CliError> {
    let soon = now.plus(Span::days(SOON));
    let mut ending: Vec<&Rc<Grant>> = grants.iter().filter(|g| g.until.is_some_and(|u| u < soon)).collect();
    ending.sort_by_key(|g| (g.until, g.id));
    let mut items = Vec::new();
    for g in ending {
        let end = g.until.map_or(String::new(), |u| show::relative(u, now));
        let text = format!("{} -> {} ends {end}", names.of(g.agent)?, names.of(g.integration)?);
        items.push(Item { id: g.id.to_string(), text, command: format!("aosctl grant renew {}", g.id) });
    }
    Ok(items)
}

/// Keys that leaked, that are due, or soon.
fn keys(ws: &Workspace, now: Time) -> Result<Vec<KeyDue>, CliError> {
    let (found, _) = rotation::due_now(ws, now)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let policy = rotation::policy(ws)?;
    let mut names = crate::cli::commands::grant::view::Names::new(ws)?;
    found.iter().map(|l| KeyDue::of(l, &policy, &mut names)).collect()
}

/// Leaks that are open come before everything else that is due.
fn leaks(keys: &[KeyDue]) -> Vec<Item> {
    keys.iter().filter(|k| k.state == DueState::Leaked).map(key_item).collect()
}

fn keys_due(keys: &[KeyDue]) -> Vec<Item> {
    keys.iter().filter(|k| k.state != DueState::Leaked).map(key_item).collect()
}

fn key_item(k: &KeyDue) -> Item {
    Item {
        id: k.key.id.to_string(),
        text: format!("{} {}", k.key.short(), k.words()),
        command: k.commands.first().cloned().unwrap_or_default(),
    }
}

/// Wider first: power, then reach, then data, then no end.
fn width_of(g: &Grant, rules: Option<&Rules>, ws: &Workspace) -> (Access, bool, DataClass, bool) {
    // A table that cannot be read only changes the order of a list; the doors themselves were verified.
    let kind = ws.facts().integration(g.integration).ok().flatten();
    let kind = kind.as_ref().and_then(|i| rules.and_then(|r| r.kind(&i.kind)));
    let wide =
        g.scope.is_open() || g.scope.word().and_then(|w| kind.and_then(|k| k.scope(w))).is_some_and(|s| s.account_wide);
    (g.access, wide, g.data, g.until.is_none())
}

fn policy_state(ws: &Workspace) -> Result<(Vec<String>, bool), CliError> {
    let Some(adopted) = ws.adopted()? else {
        return Ok((Vec::new(), true));
    };
    let defaults = defaults_left(&PolicyFile::of(&adopted.rules), &adopted.confirmed);
    let defaults = defaults.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
    let newer = catalogue::built_in().is_ok_and(|kinds| kinds.iter().any(|k| adopted.rules.kind(&k.kind) != Some(k)));
    let edited = ws.place().policy_text()?.is_some_and(|text| text != adopted.source);
    Ok((defaults, newer || edited))
}

/// Size, words, whole, proven.
fn log_state(ws: &Workspace, ctx: &Context) -> Result<(u64, String, bool, bool), CliError> {
    let entries = ws.store().last_seq()?.map_or(0, |n| n + 1);
    if let Some(doubt) = ws.doubt()? {
        let words = match &doubt {
            WorkspaceError::RolledBack { pinned, .. } => format!("ROLLED BACK: the pin remembers {pinned}"),
            WorkspaceError::TailCut { counted, .. } => format!("ITS END WAS CUT OFF: the tables count {counted}"),
            WorkspaceError::Fork { .. } => "A FORK: the pin remembers others".into(),
            WorkspaceError::OtherLog { .. } => "ANOTHER LOG than was here before".into(),
            WorkspaceError::PinMissing => "the pin is missing".into(),
            other => safe(&other.to_string()),
        };
        return Ok((entries, words, false, false));
    }
    if entries <= PROVE_UP_TO {
        let found = verify(ws.place(), &VerifyOptions::default(), ctx.clock(), &mut |_, _| {})?;
        let failed: Vec<&str> = found
            .report
            .verdicts()
            .iter()
            .filter(|v| v.status == crate::log::verdict::Status::Failed)
            .map(|v| v.check.name())
            .collect();
        let words = if failed.is_empty() {
            "verified just now, all of it".into()
        } else {
            format!("DOES NOT VERIFY: {}", failed.join(", "))
        };
        return Ok((entries, words, failed.is_empty(), true));
    }
    let (words, whole) = match ws.pin_state()? {
        PinState::Covers { size, .. } if size == entries => ("its end is what the pin remembers".to_string(), true),
        PinState::Covers { size, .. } => (format!("the pin covers {size} of them"), true),
        // Said above.
        _ => ("it is not what the pin remembers".into(), false),
    };
    Ok((entries, words, whole, false))
}
