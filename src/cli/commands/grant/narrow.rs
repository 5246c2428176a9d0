//! `aosctl grant narrow`.

use schemars::JsonSchema;
use serde::Serialize;

use super::view::{GrantRow, Names, SignedBy, ends_whole};
use crate::cli::Context;
use crate::cli::commands::connect::words;
use crate::cli::complete;
use crate::cli::context::Whoever;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::access::Access;
use crate::domain::advice::{End, shell_word};
use crate::domain::event::GrantNarrowed;
use crate::domain::facets::DataClass;
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::id::Id;
use crate::domain::request::Request;
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::store::RequestFilter;
use crate::workspace::Workspace;

/// Make a grant narrower, at once and without a passphrase.
///
/// An agent that presents its identity can narrow only its own grants. Where nobody signs, the log does, and the entry
/// says so: unattributed. Nothing here can widen a grant.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The grant's id, such as g-7
    #[arg(value_name = "GRANT", add = complete::grants())]
    grant: String,
    /// A scope inside the present one
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// Less access
    #[arg(long, value_name = "LEVEL", value_parser = words::access_parser())]
    access: Option<Access>,
    /// Less delicate data
    #[arg(long, value_name = "CLASS", value_parser = words::data_parser())]
    data: Option<DataClass>,
    /// An earlier end: 30d, 2027-03-01 (00:00 UTC)
    #[arg(long, value_name = "WHEN")]
    expires: Option<End>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A grant that was narrowed, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GrantNarrowView {
    /// Nothing was to be done.
    pub dry_run: bool,
    /// As of which moment this is said.
    pub at: Time,
    /// Something changed, or would.
    pub changed: bool,
    /// The grant as it is now; in a dry run, as it would be.
    pub grant: GrantRow,
    /// The entry that narrowed it.
    pub seq: Option<u64>,
    /// Who signed.
    pub signed_by: Option<SignedBy>,
    /// Requests that wait on it and no longer fit: deciding again when they begin denies them.
    pub no_longer_fit: Vec<Id>,
}

impl View for GrantNarrowView {
    const SCHEMA: &'static str = "aosctl.grant-narrow/v1";

    fn human(&self, screen: &Screen) -> String {
        let g = &self.grant;
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        let what = match (self.changed, self.dry_run) {
            (false, _) => "is as narrow already",
            (true, true) => "would be narrowed",
            (true, false) => "narrowed",
        };
        field("grant", &format!("{}, {what}", g.id));
        field("now", &g.gist());
        field("ends", &ends_whole(g.until, self.at));
        if let (Some(seq), Some(by)) = (self.seq, &self.signed_by) {
            field("entry", &format!("{seq}, signed by {}", by.long()));
        }
        for r in &self.no_longer_fit {
            field("no longer fits", &format!("{r}: deciding again when it begins denies it"));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    if args.scope.is_none() && args.access.is_none() && args.data.is_none() && args.expires.is_none() {
        return Err(CliError::usage("nothing says what to narrow")
            .hint("name at least one of --scope, --access, --data, --expires")
            .hint(format!("to close the door: aosctl revoke {}", safe(&args.grant))));
    }
    let reason = args.reason.as_deref().map(|r| words::text("--reason", r)).transpose()?;
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let shown = words::grant(&ws, &args.grant)?;
    let (_, _) = narrowing(&ws, &args, &shown, now)?;
    let whoever = ctx.whoever(&ws)?;
    own(&whoever, &shown)?;
    if args.dry_run {
        let (mut event, narrowed) = narrowing(&ws, &args, &shown, now)?;
        event.reason = reason;
        let view = view(&ws, &shown, &narrowed, now)?;
        return Ok(Outcome::of(Exit::Done, GrantNarrowView { dry_run: true, ..view }).note("dry run: nothing was done"));
    }
    let ((narrowed, done, at), pin) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let g = words::grant(&ws, &args.grant)?;
        let (mut event, narrowed) = narrowing(&ws, &args, &g, tx.now())?;
        event.reason = reason.clone();
        if narrowed == *g {
            return Ok((narrowed, None, tx.now()));
        }
        let done = tx.append(whoever.by(), event)?;
        Ok((narrowed, Some(done), tx.now()))
    })?;
    let mut view = view(&ws, &shown, &narrowed, at)?;
    view.changed = done.is_some();
    view.seq = done.as_ref().map(|d| d.seq);
    if done.is_some() {
        view.signed_by = Some(Names::new(&ws)?.signer(whoever.by().actor)?);
    }
    let out = Outcome::of(Exit::Done, view);
    let out = if done.is_some() { out.warn_unsigned(&whoever) } else { out };
    Ok(out.warn_if(pin))
}

fn view(ws: &Workspace, old: &Grant, new: &Grant, now: Time) -> Result<GrantNarrowView, CliError> {
    let fits = |r: &Request| {
        let data = r.facets.data.is_none_or(|d| d <= new.data);
        new.scope.covers(&r.resource) && r.access <= new.access && data
    };
    let rows = ws.store().requests(RequestFilter::OnGrant(old.id))?;
    let unfit: Vec<Request> = rows.into_iter().filter(|r| !fits(r)).collect();
    let waiting = ws.sort_standing(&unfit, now)?.waiting;
    Ok(GrantNarrowView {
        dry_run: false,
        at: now,
        changed: new != old,
        grant: Names::new(ws)?.grant(new, now)?,
        seq: None,
        signed_by: None,
        no_longer_fit: waiting.into_iter().map(|(id, _)| id).collect(),
    })
}

/// An agent narrows only what is its own.
fn own(whoever: &Whoever, g: &Grant) -> Result<(), CliError> {
    match whoever {
        Whoever::Agent(a) if a.id != g.agent => {
            Err(CliError::no("not_the_holder", format!("{} is a grant of {}, not of {}", g.id, g.agent, a.id))
                .because("an agent may narrow or revoke only its own grants")
                .hint("an operator, or nobody in particular, can: leave out --identity and AOSCTL_IDENTITY"))
        }
        _ => Ok(()),
    }
}

/// The event, and the grant as it would be. Refuses whatever is wider, and says what to type for that.
fn narrowing(ws: &Workspace, args: &Args, g: &Grant, now: Time) -> Result<(GrantNarrowed, Grant), CliError> {
    if g.revoked_seq.is_some() {
        return Err(CliError::no("revoked", format!("{} was revoked; there is nothing left to narrow", g.id))
            .hint(format!("open it again, narrower: aosctl connect --again {} --scope SCOPE", g.id)));
    }
    let mut event = GrantNarrowed { grant: g.id, scope: None, access: None, data: None, until: None, reason: None };
    let mut new = g.clone();
    let wider = |what: String, flag: String| {
        Err(CliError::no("widens", what)
            .because("narrowing needs no passphrase, so it can never widen")
            .hint(format!("to widen, an operator signs a new grant: aosctl connect --again {} {flag}", g.id)))
    };
    if let Some(typed) = &args.scope {
        let scope = scope(ws, g, typed)?;
        if !g.scope.covers(&scope) {
            return wider(
                format!("{scope} is not inside {}", g.scope),
                format!("--scope {}", shell_word(scope.as_str())),
            );
        }
        if scope != g.scope {
            event.scope = Some(scope.clone());
            new.scope = scope;
        }
    }
    if let Some(access) = args.access.filter(|a| *a != g.access) {
        if access > g.access {
            return wider(format!("{access} is more than {}", g.access), format!("--access {access}"));
        }
        event.access = Some(access);
        new.access = access;
    }
    if let Some(data) = args.data.filter(|d| *d != g.data) {
        if data > g.data {
            return wider(format!("{data} is more delicate than {}", g.data), format!("--data {data}"));
        }
        event.data = Some(data);
        new.data = data;
    }
    if let Some(end) = args.expires {
        let until = end.until(now);
        if g.until.is_some_and(|old| until.is_none_or(|u| u > old)) {
            return Err(CliError::no(
                "widens",
                format!("--expires {end} is later than its end, {}", ends_whole(g.until, now)),
            )
            .because("narrowing needs no passphrase, so it can never widen")
            .hint(format!("to let it last longer, an operator signs: aosctl grant renew {} --expires {end}", g.id)));
        }
        if until.is_some_and(|u| u <= now) {
            return Err(CliError::no("until", format!("--expires {end} is not ahead"))
                .hint(format!("to close the door now: aosctl revoke {}", g.id)));
        }
        if until != g.until {
            event.until = until;
            new.until = until;
        }
    }
    Ok((event, new))
}

/// The scope that was typed. A word that the catalogue does not know would narrow the grant to nothing, and is most likely
/// a slip; but where the catalogue itself is out of reach, nothing may stand in the way of narrowing.
fn scope(ws: &Workspace, g: &Grant, typed: &str) -> Result<Scope, CliError> {
    let facts = ws.facts();
    let kind = match (facts.policy()?, facts.integration(g.integration)?) {
        (Some(policy), Some(i)) => policy.rules.kind(&i.kind).cloned(),
        _ => None,
    };
    match kind {
        Some(kind) => words::scope(typed, &kind),
        None => typed.parse().map_err(|e: String| CliError::usage(format!("--scope: {}", safe(&e)))),
    }
}
