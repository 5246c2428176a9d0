//! `aosctl init`: the workspace, the first operator, the first policy.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::commands::operator::recovery;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::domain::event::Event;
use crate::domain::id::Id;
use crate::domain::money::Money;
use crate::identity::{Passphrase, Signer};
use crate::policy::file::{self, PolicyFile};
use crate::policy::{PolicyError, catalogue};
use crate::sys::files;
use crate::workspace::{self, NewWorkspace, Place, Workspace, WorkspaceError};

/// The longest name of a company or an operator, in bytes: it stands in the log for good.
const MAX_NAME: usize = 200;

/// Create a workspace: the log, the first operator, the first policy.
///
/// On a terminal it asks for what no flag says. Without one the money caps are the defaults, which `aosctl status` lists
/// as never confirmed, and the passphrase comes from --passphrase-file.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The company's name
    #[arg(long, value_name = "COMPANY")]
    name: Option<String>,
    /// Your name, as the first operator
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Most money that agents may move at once without a question [default: 1000USD]
    #[arg(long, value_name = "AMOUNT")]
    cap_move: Option<Money>,
    /// Most money in any 7 days, all agents together [default: 10000USD]
    #[arg(long, value_name = "AMOUNT")]
    cap_week: Option<Money>,
    /// Make a recovery identity too: a code for paper, the only way back after a lost passphrase
    #[arg(long, conflicts_with = "no_recovery")]
    recovery: bool,
    /// Make none, and do not ask about it
    #[arg(long)]
    no_recovery: bool,
    /// Write its code into a new file that only you can read, instead of showing it
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, conflicts_with = "no_recovery")]
    recovery_out: Option<std::path::PathBuf>,
    /// Say what would be created, and create nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// A workspace that was created, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitView {
    /// Nothing was created.
    pub dry_run: bool,
    /// The workspace directory.
    pub workspace: String,
    /// The directory outside it that holds the log identity, the pin and the identities of agents.
    pub state_dir: String,
    /// The company, as told.
    pub company: Option<String>,
    /// The log's name; absent in a dry run.
    pub origin: Option<String>,
    /// The log's verifier key, with which anyone can check its checkpoints; absent in a dry run.
    pub vkey: Option<String>,
    /// The first operator.
    pub operator: InitOperator,
    /// The recovery identity, which is on paper; absent without one, and in a dry run.
    pub recovery: Option<Id>,
    /// The money caps of the first policy.
    pub caps: InitCaps,
}

/// The first operator.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitOperator {
    /// Always `op-1`.
    pub id: String,
    /// As told.
    pub name: Option<String>,
    /// The sealed identity.
    pub file: String,
}

/// The money caps of the first policy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitCaps {
    /// Most at once.
    pub per_move: Money,
    /// Most in any 7 days.
    pub per_week: Money,
    /// Keys of the policy that somebody was asked about or set; all others are defaults.
    pub confirmed: BTreeSet<String>,
}

impl View for InitView {
    const SCHEMA: &'static str = "aosctl.init/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        if let Some(company) = &self.company {
            field("company", company);
        }
        field("workspace", &self.workspace);
        field("state", &self.state_dir);
        if let Some(origin) = &self.origin {
            field("log", origin);
        }
        let name = self.operator.name.as_ref().map(|n| format!(" ({n})")).unwrap_or_default();
        field("operator", &format!("{}{name}, sealed in {}", self.operator.id, self.operator.file));
        if let Some(recovery) = self.recovery {
            field("recovery", &format!("{recovery}, on paper"));
        }
        let set = |key: &str| self.caps.confirmed.contains(key) || self.caps.confirmed.contains("cap");
        let origin = match (set("cap.move"), set("cap.week")) {
            (true, true) => "",
            (false, false) => " (defaults, not confirmed)",
            (true, false) => " (the week's is a default, not confirmed)",
            (false, true) => " (the move's is a default, not confirmed)",
        };
        field(
            "policy",
            &format!("money over {} at once or {} in 7 days asks{origin}", self.caps.per_move, self.caps.per_week),
        );
        if let Some(vkey) = &self.vkey {
            out.push_str("\nThe log's verifier key. Keep it somewhere else too, and give it to your auditor:\n");
            out.push_str(&format!("  {vkey}\n"));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let place = ctx.place()?;
    refuse_occupied(&place)?;
    let (company, operator) = names(&args, ctx)?;
    let (policy, confirmed) = caps(&args, ctx)?;
    let source = file::render(&policy);
    let rules = file::to_rules(&policy, catalogue::built_in().map_err(broken_build)?);
    let mut view = InitView {
        dry_run: args.dry_run,
        workspace: place.dir.display().to_string(),
        state_dir: place.state.display().to_string(),
        company: company.clone(),
        origin: None,
        vkey: None,
        operator: InitOperator {
            id: "op-1".into(),
            name: operator.clone(),
            file: place.operators().join("op-1.json").display().to_string(),
        },
        recovery: None,
        caps: InitCaps {
            per_move: policy.caps.per_move(),
            per_week: policy.caps.per_week(),
            confirmed: confirmed.clone(),
        },
    };
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was created"));
    }
    if let Some(file) = &args.recovery_out {
        recovery::refuse_place(&place.dir, file)?;
    }
    let passphrase = ctx.new_passphrase("a passphrase for your operator identity")?;
    // Shown before anything is made: whoever gives up here has no workspace with a code that nobody wrote down.
    let paper = paper(&args, ctx)?;
    let new = NewWorkspace { company, operator, passphrase: &passphrase, rules, source, confirmed, now: ctx.clock() };
    let created = workspace::create(&place, &new).inspect_err(|_| {
        // A code that is good for nothing must not be kept as one that is.
        if let Some(file) = args.recovery_out.as_deref() {
            files::remove_file(file);
        }
    })?;
    view.origin = Some(created.origin);
    view.vkey = Some(created.vkey);
    view.state_dir = created.state_dir.display().to_string();
    if let Some(paper) = &paper {
        view.recovery = Some(enrol(&place, ctx, &passphrase, paper).map_err(|e| {
            let what = format!("the workspace was made, and the recovery identity was not enrolled: {}", e.what);
            CliError { what, ..e }.hint("that code is good for nothing; make another: aosctl operator recovery new")
        })?);
    }
    let made = view.recovery.is_some();
    let mut out = Outcome::of(Exit::Done, view);
    if ctx.global.workspace.is_some() {
        let dir = place.dir.canonicalize().unwrap_or_else(|_| place.dir.clone());
        let line = format!("export AOSCTL_WORKSPACE={}", crate::cli::text::safe(&dir.display().to_string()));
        out = out.note("So that the next commands find it:").note(format!("  {line}"));
    }
    if made {
        out = recovery::told(out, Id::FIRST_OPERATOR);
    }
    out = out
        .note("Next:")
        .note("  aosctl integration add github --kind github")
        .note("  aosctl agent add build-bot")
        .note("  aosctl connect github --agent build-bot --scope repo:OWNER/NAME")
        .note("What stops everything at once, without a passphrase:")
        .note("  aosctl freeze");
    if !made {
        out = out
            .note("Only a recovery code on paper survives a lost passphrase:")
            .note("  aosctl operator recovery new");
    }
    Ok(out)
}

/// The identity on paper, handed over: where it is asked for, and where somebody at the terminal wants one. A passphrase
/// from a file means a script, which is asked nothing.
fn paper(args: &Args, ctx: &Context) -> Result<Option<Signer>, CliError> {
    let asks = ctx.global.passphrase_file.is_none() && ctx.prompter().can_ask();
    let wanted = args.recovery || args.recovery_out.is_some() || (asks && !args.no_recovery && wanted(ctx)?);
    if !wanted {
        return Ok(None);
    }
    let paper = Signer::generate()?;
    recovery::hand_over(ctx, &paper, args.recovery_out.as_deref())?;
    Ok(Some(paper))
}

fn wanted(ctx: &Context) -> Result<bool, CliError> {
    let what = "a recovery code for paper? without one a lost passphrase is lost [Y/n]";
    let typed = ctx.prompter().ask_line(what, "--recovery or --no-recovery")?;
    Ok(!typed.to_ascii_lowercase().starts_with('n'))
}

fn enrol(place: &Place, ctx: &Context, passphrase: &Passphrase, paper: &Signer) -> Result<Id, CliError> {
    let ws = Workspace::open(place.clone())?;
    let (path, sealed) = ws.sealed_operator(None)?;
    let me = ws.unlock_operator(&path, &sealed, passphrase)?;
    let (id, warning) =
        ws.transact(ctx.clock(), |tx| -> Result<Id, CliError> { Ok(ws.enrol_recovery(tx, me.by(), paper)?.0) })?;
    warning.map_or(Ok(id), |e| Err(e.into()))
}

/// A second `init` must not cost what the first one holds; it says where that is.
fn refuse_occupied(place: &Place) -> Result<(), CliError> {
    if place.database().exists() {
        let mut refusal = CliError::from(WorkspaceError::Exists { dir: place.dir.clone() });
        // Whose it is helps somebody who forgot; that it cannot be opened is no reason to say something else.
        if let Ok(first) = Workspace::open(place.clone())
            && let Ok((entry, Event::WorkspaceCreated(body))) = first.event(0)
        {
            let company = body.company.map(|c| format!(" for {}", crate::cli::text::safe(&c))).unwrap_or_default();
            refusal = refusal.because(format!("it was created on {}{company}", show::day(entry.at)));
        }
        return Err(refusal.hint("make another one beside it: --workspace DIR, or AOSCTL_WORKSPACE"));
    }
    let in_use = std::fs::read_dir(&place.dir).is_ok_and(|mut entries| entries.next().is_some());
    if in_use || (place.dir.exists() && !place.dir.is_dir()) {
        let dir = crate::cli::text::safe(&place.dir.display().to_string());
        return Err(CliError::could_not("directory_in_use", format!("{dir} is not an empty directory"))
            .because("a workspace needs a directory of its own")
            .hint("name another one: --workspace DIR, or AOSCTL_WORKSPACE"));
    }
    Ok(())
}

/// The company's and the operator's names: from flags, else asked for, else none.
fn names(args: &Args, ctx: &Context) -> Result<(Option<String>, Option<String>), CliError> {
    let prompter = ctx.prompter();
    let asks = prompter.can_ask();
    let one = |given: &Option<String>, what: &str, flag: &str| -> Result<Option<String>, CliError> {
        let name = match given {
            Some(name) => name.trim().to_string(),
            None if asks => prompter.ask_line(what, flag)?,
            None => String::new(),
        };
        if name.len() > MAX_NAME {
            return Err(CliError::usage(format!("{flag}: a name has at most {MAX_NAME} bytes")));
        }
        Ok(Some(name).filter(|n| !n.is_empty()))
    };
    Ok((one(&args.name, "the company's name", "--name COMPANY")?, one(&args.operator, "your name", "--operator NAME")?))
}

/// The first policy: the defaults with the caps that were given or asked for, and which those were.
fn caps(args: &Args, ctx: &Context) -> Result<(PolicyFile, BTreeSet<String>), CliError> {
    let mut policy = PolicyFile::default();
    let mut confirmed = BTreeSet::new();
    let prompter = ctx.prompter();
    let asks = prompter.can_ask();
    let one = |given: Option<Money>, default: Money, what: &str, flag: &str| -> Result<Option<Money>, CliError> {
        match given {
            Some(money) => Ok(Some(money)),
            None if asks => {
                for _ in 0..3 {
                    let typed = prompter.ask_line(&format!("{what} [{default}]"), flag)?;
                    if typed.is_empty() {
                        return Ok(Some(default));
                    }
                    if let Ok(money) = typed.parse() {
                        return Ok(Some(money));
                    }
                }
                Err(CliError::could_not("terminal", format!("no valid answer for {what}")))
            }
            None => Ok(None),
        }
    };
    let caps = policy.caps.clone();
    let per_move = one(args.cap_move, caps.per_move(), "most money to move at once without a question", "--cap-move")?;
    let week = {
        // A week is ten moves, in the currency that was just chosen.
        let currency = per_move.or(args.cap_week).map_or(caps.currency, |m| m.currency);
        let minor = per_move.map_or(caps.per_week, |m| m.minor.saturating_mul(10));
        Money::new(currency, minor)
    };
    let per_week = one(args.cap_week, week, "most money in any 7 days, all agents together", "--cap-week")?;
    for (key, cap, slot) in
        [("cap.move", per_move, &mut policy.caps.per_move), ("cap.week", per_week, &mut policy.caps.per_week)]
    {
        if let Some(cap) = cap {
            *slot = cap.minor;
            confirmed.insert(key.to_string());
        }
    }
    match (per_move, per_week) {
        (Some(a), Some(b)) if a.currency != b.currency => {
            return Err(CliError::usage(format!("both caps need one currency, not {} and {}", a.currency, b.currency)));
        }
        (Some(a), Some(_)) => policy.caps.currency = a.currency,
        (Some(one), None) | (None, Some(one)) if one.currency != caps.currency => {
            return Err(CliError::usage(format!(
                "both caps need one currency, and the other one is in {}",
                caps.currency
            ))
            .hint(format!("give both: --cap-move 1000{c} --cap-week 10000{c}", c = one.currency)));
        }
        _ => {}
    }
    // What was typed must be a policy that could be adopted from a file too.
    file::parse(&file::render(&policy), "policy.toml")
        .map_err(|e| CliError::usage(crate::cli::text::safe(&e.to_string())))?;
    Ok((policy, confirmed))
}

fn broken_build(e: PolicyError) -> CliError {
    CliError::could_not(
        "catalogue",
        format!("the built-in catalogue cannot be read: {}", crate::cli::text::safe(&e.to_string())),
    )
}
