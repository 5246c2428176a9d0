//! `aosctl integration add`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::event::IntegrationAdded;
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::check_handle;
use crate::policy::catalogue;
use crate::workspace::Workspace;

/// The longest residency, in bytes.
const MAX_RESIDENCY: usize = 40;

/// Add a tool, so that doors to it can be opened.
///
/// It is outside the company's boundary unless --inside says that it is not: customer data to what is outside asks.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name: lower-case letters, digits, '.', '_' and '-'
    #[arg(value_name = "NAME")]
    name: String,
    /// The catalogue entry that it is an instance of [default: NAME, where there is such an entry]
    #[arg(long, value_name = "KIND", add = complete::kinds())]
    kind: Option<String>,
    /// It is inside the company's boundary: what goes there has not left
    #[arg(long)]
    inside: bool,
    /// Where its data lives, as eu or us
    #[arg(long, value_name = "REGION")]
    residency: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// An integration that was added, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IntegrationAddView {
    /// Nothing was done.
    pub dry_run: bool,
    /// Its id; absent in a dry run.
    pub integration: Option<Id>,
    /// Its name.
    pub name: String,
    /// The catalogue entry.
    pub kind: String,
    /// Inside the company's boundary.
    pub inside: bool,
    /// Where its data lives.
    pub residency: Option<String>,
    /// The entry that added it; absent in a dry run.
    pub seq: Option<u64>,
}

impl View for IntegrationAddView {
    const SCHEMA: &'static str = "aosctl.integration-add/v1";

    fn human(&self, screen: &Screen) -> String {
        let id = self.integration.map(|id| format!(" ({id})")).unwrap_or_default();
        let boundary = if self.inside { "inside the boundary" } else { "outside the boundary" };
        let residency = self.residency.as_ref().map(|r| format!(", data in {r}")).unwrap_or_default();
        show::field(screen, "integration", &format!("{}{id}, {}, {boundary}{residency}", self.name, self.kind))
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    check_handle(&args.name).map_err(|e| CliError::usage(safe(&e)))?;
    let residency = args.residency.as_deref().map(check_residency).transpose()?;
    let ws = ctx.open()?;
    if let Some(known) = ws.facts().integration_named(&args.name)? {
        return Err(CliError::no("name_used", format!("{} is an integration already ({})", args.name, known.id))
            .hint(format!("look at it: aosctl integration show {}", args.name))
            .hint("or choose another name for another instance"));
    }
    let kind = find_kind(&ws, &args)?;
    let mut view = IntegrationAddView {
        dry_run: args.dry_run,
        integration: None,
        name: args.name.clone(),
        kind: kind.clone(),
        inside: args.inside,
        residency: residency.clone(),
        seq: None,
    };
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    let me = ctx.unlock(&ws)?;
    let ((id, appended), warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let id = tx.next_id(IdKind::Integration)?;
        let event = IntegrationAdded { id, handle: args.name.clone(), kind, inside: args.inside, residency };
        Ok((id, tx.append(me.by(), event)?))
    })?;
    view.integration = Some(id);
    view.seq = Some(appended.seq);
    Ok(Outcome::of(Exit::Done, view)
        .warn_if(warning)
        .note("No agent can reach it yet. Open a door:")
        .note(format!("  aosctl connect {} --agent NAME --scope SCOPE", args.name))
        .note(format!("Its scopes: aosctl integration show {}", args.name)))
}

/// The catalogue entry: as named, else the one of the integration's own name.
fn find_kind(ws: &Workspace, args: &Args) -> Result<String, CliError> {
    let policy = ws.facts().policy()?.ok_or_else(|| CliError::could_not("no_policy", "no policy was ever adopted"))?;
    let rules = &policy.rules;
    let kind = args.kind.clone().unwrap_or_else(|| args.name.clone());
    if rules.kind(&kind).is_some() {
        return Ok(kind);
    }
    let known = super::kinds(rules);
    if args.kind.is_none() {
        return Err(CliError::usage(format!("what kind of tool is {}? --kind says it", args.name))
            .because(format!("the adopted catalogue has {known}")));
    }
    let refusal = CliError::no("no_such_kind", format!("the adopted catalogue has no kind {}", safe(&kind)))
        .because(format!("it has {known}"));
    let waits = catalogue::built_in().is_ok_and(|kinds| kinds.iter().any(|k| k.kind == kind));
    Err(match waits {
        true => refusal.hint("this aosctl brings it; adopt its catalogue first: aosctl policy adopt"),
        false => refusal.hint(format!(
            "describe it in catalogue/{}.toml beside the policy, then: aosctl policy adopt",
            safe(&kind)
        )),
    })
}

fn check_residency(text: &str) -> Result<String, CliError> {
    let ok = !text.is_empty()
        && text.len() <= MAX_RESIDENCY
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    match ok {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(CliError::usage(format!("{:?} is not a region such as eu or us-east-1", safe(text)))),
    }
}
