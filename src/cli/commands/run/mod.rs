//! `aosctl run`: claims once, starts exactly that, records how it ended.

mod child;
mod secret;

use std::fs::File;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::request::begin::explain;
use super::request::change::own_request;
use super::request::new::request_id;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::text::safe;
use crate::cli::{Context, show};
use crate::domain::event::{Command, OutputDigests, RequestFinished};
use crate::domain::id::Id;
use crate::domain::request::{Outcome as Ended, Request, Standing};
use crate::sys::{env, files};
use crate::workspace::claim::{self, Begin, Hand, RunLock};
use crate::workspace::command::{self, MAX_STDIN, Program, USUAL};
use crate::workspace::{AgentIdentity, Workspace, WorkspaceError};
use child::{Child, Ran};
use secret::Offer;
pub use secret::RunKey;

/// Run what was allowed or approved, once.
///
/// The request is claimed first, and the decision made again in that very moment: a second run, another command than the
/// one that the request carries, an expired or revoked grant, a freeze are a no (exit 1), and nothing starts. The command
/// gets an environment of the usual variables (PATH, HOME, LANG, LC_*, TERM, TZ, USER, LOGNAME, TMPDIR) and those named
/// with --env; never those of aosctl. Its output is passed through, and recorded by SHA-256 and size; with --json both
/// streams go to stderr. If aosctl is killed before it has recorded the outcome, the request is `unknown`, and never run
/// again by itself: an operator settles it with `aosctl request resolve`.
///
/// Where the request's grant carries a key, the command gets its secret, if it is one of the programs that the grant names;
/// no other one does, and nothing starts then. The secret is fetched before the claim: an operator unlocks it (on the
/// terminal, or by --passphrase-file), or it is opened or fetched without anybody, as the key has it. It goes to that one
/// child, and to nothing else. What the command prints is passed through as it is: a program that prints its secret shows
/// it.
///
/// What is bound is the program (by path and SHA-256), the arguments, the directory, the names of the variables and
/// standard input; not the values of the variables, nor libraries, nor the interpreter of a script, nor files that the
/// program reads. A binary is started through the very file that was digested, and where it gets a secret from a copy in
/// sealed memory. A script is read by its interpreter while it runs, so one that is changed in that time is only reported.
/// Beside a secret, variables of --env are handed on only where an operator approved the bound command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The request: r-57
    #[arg(value_name = "REQUEST", value_parser = request_id)]
    request: Id,
    /// End with the command's own exit status (128 and the signal's number where one killed it)
    #[arg(long)]
    passthrough: bool,
    /// Say whether it would run, and start and record nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// An environment variable that it gets beyond the usual ones (repeatable)
    #[arg(long = "env", value_name = "NAME")]
    variables: Vec<String>,
    /// The directory to run it in [default: this one]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    directory: Option<std::path::PathBuf>,
    /// Run it without the secret of the key that the grant carries
    #[arg(long)]
    without_key: bool,
    /// The identity of the operator who unlocks the key [default: the only one in the workspace]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    operator: Option<std::path::PathBuf>,
    /// A file that it gets as standard input, or - for this one's [default: none]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    stdin: Option<String>,
    /// The command
    #[arg(last = true, required = true, value_name = "CMD")]
    argv: Vec<String>,
}

/// A command that ran, or would run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunView {
    /// Nothing was started and nothing recorded.
    pub dry_run: bool,
    /// Which request.
    pub id: Id,
    /// Where it stands now: succeeded, failed, or unknown where the outcome could not be recorded.
    pub standing: Standing,
    /// The program, as it was resolved.
    pub program: String,
    /// Hex SHA-256 of its bytes.
    pub program_sha256: String,
    /// The key whose secret it was given, or would be; absent where it is given none.
    pub key: Option<RunKey>,
    /// Exit status; the negative number of the signal that killed it; absent where it did not start.
    pub status: Option<i64>,
    /// Milliseconds that it took.
    pub duration_ms: Option<u64>,
    /// What it printed, by SHA-256 and size.
    pub output: Option<RunOutput>,
    /// What else there is to know about it.
    pub note: Option<String>,
}

/// What a command printed, by digest.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunOutput {
    /// Hex SHA-256 of standard output.
    pub stdout_sha256: String,
    /// Its size.
    pub stdout_bytes: u64,
    /// Hex SHA-256 of standard error.
    pub stderr_sha256: String,
    /// Its size.
    pub stderr_bytes: u64,
}

impl View for RunView {
    const SCHEMA: &'static str = "aosctl.run/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = show::field(screen, "request", &self.id.to_string());
        out.push_str(&show::field(screen, "program", &self.program));
        out.push_str(&show::field(screen, "sha256", &self.program_sha256));
        if let Some(key) = &self.key {
            let unlocked = if key.attended { "; an operator unlocks it" } else { "" };
            let line = format!("{} ({}) as {}{unlocked}", key.id, key.name, key.delivery);
            out.push_str(&show::field(screen, "secret", &line));
        }
        out
    }
}

/// Everything at hand, nothing claimed.
struct Ready {
    program: Program,
    stdin: Option<File>,
    command: Command,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let (agent, request) = own_request(ctx, &ws, args.request)?;
    let ready = ready(&args)?;
    let offer = if args.without_key { None } else { Offer::of(&ws, &request)? };
    if let Some(offer) = &offer {
        offer.check(&ready.command, args.stdin.is_some())?;
    }
    let hand = match &offer {
        Some(offer) => offer.hand(),
        None if args.without_key => Hand::Declined,
        None => Hand::Empty,
    };
    let view = RunView {
        dry_run: args.dry_run,
        id: args.request,
        standing: Standing::Claimed,
        program: ready.command.program.clone(),
        program_sha256: ready.command.program_sha256.clone(),
        key: offer.as_ref().map(Offer::view),
        status: None,
        duration_ms: None,
        output: None,
        note: None,
    };
    let claims = Begin::Run { command: &ready.command, extra: &args.variables, hand };
    if args.dry_run {
        would_claim(ctx, &ws, &agent, args.request, claims)?;
        let standing = claim::standing(&ws, &request, ws.now(ctx.clock())?)?;
        return Ok(Outcome::of(Exit::Done, RunView { standing, ..view })
            .note("dry run: it would be run; nothing was started or recorded"));
    }
    let names = variables(&ws, &request, &ready.command)?;
    let secret = match &offer {
        None => None,
        Some(offer) => {
            // Nobody is asked for a passphrase, and no other program for a secret, for what would be refused.
            would_claim(ctx, &ws, &agent, args.request, claims)?;
            Some(offer.open(ctx, &ws, args.operator.as_deref())?)
        }
    };
    // The lock first: whoever sees the claim must find somebody holding it.
    let lock = claim::lock(&ws, args.request)?;
    let claimed = ws.transact(ctx.clock(), |tx| -> Result<(), CliError> {
        claim::claim(&ws, tx, agent.by(), agent.id, args.request, claims).map_err(|e| explain(e.into(), args.request))
    });
    let ((), warning) = match claimed {
        Ok(done) => done,
        Err(e) => {
            abandon(&ws, &request, lock);
            return Err(e);
        }
    };
    let environment = env::for_child(names.iter().map(String::as_str));
    let start = Child {
        program: &ready.program,
        argv: &args.argv,
        directory: Path::new(&ready.command.directory),
        environment: &environment,
        stdin: ready.stdin,
        secret,
        // Data on stdout is one object where JSON is wanted.
        stdout_to_stderr: ctx.json(),
    };
    let ran = start.run(&ctx.hardened);
    let ended = record(ctx, &ws, &agent, &request, &ready.program, ran)?;
    lock.settle();
    Ok(answer(ctx, args.passthrough, view, ended).warn_if(warning))
}

/// A claim that was refused leaves no lock file, unless somebody else's claim needs it.
fn abandon(ws: &Workspace, request: &Request, lock: RunLock) {
    use crate::domain::facts::Facts;
    if let Ok(Some(r)) = ws.facts().request(request.id)
        && (r.claimed_seq.is_none() || r.outcome.is_some())
    {
        lock.settle();
    }
}

fn ready(args: &Args) -> Result<Ready, CliError> {
    let directory = command::directory_of(args.directory.as_deref())?;
    let name = args.argv.first().ok_or_else(|| CliError::usage("no command was given"))?;
    let program = command::find_program(name, &directory)?;
    let (stdin, digest) = match args.stdin.as_deref() {
        None => (None, command::digest_of_nothing()),
        Some(path) => {
            let name = Path::new(path);
            // A copy that nobody can name: what was digested is what the child reads.
            let copy = if path == "-" {
                files::spool(name, std::io::stdin().lock(), MAX_STDIN)?
            } else {
                files::spool(name, files::open_file(name)?, MAX_STDIN)?
            };
            let again =
                copy.try_clone().map_err(|e| CliError::could_not("io", format!("the copy of standard input: {e}")))?;
            let (digest, _) = command::digest_of(again, name, MAX_STDIN)?;
            (Some(copy), digest)
        }
    };
    let command = command::describe(&args.argv, &directory, &program, &args.variables, digest)?;
    Ok(Ready { program, stdin, command })
}

/// The names of the variables that the child gets: what was bound, or what is asked for now.
fn variables(ws: &Workspace, request: &Request, found: &Command) -> Result<Vec<String>, CliError> {
    let names = match claim::bound_command(ws, request)? {
        Some(bound) => bound.environment,
        None => found.environment.clone(),
    };
    let set = env::for_child(names.iter().map(String::as_str));
    let missing = names.iter().find(|n| !USUAL.contains(&n.as_str()) && !set.contains_key(*n));
    match missing {
        Some(name) => {
            Err(CliError::could_not("no_variable", format!("{} is to be handed on, and is not set", safe(name))))
        }
        None => Ok(names),
    }
}

/// Claims, and takes it back before anything is on disk.
fn would_claim(
    ctx: &Context,
    ws: &Workspace,
    agent: &AgentIdentity,
    request: Id,
    what: Begin<'_>,
) -> Result<(), CliError> {
    enum Stop {
        DryRun,
        Error(CliError),
    }
    impl From<WorkspaceError> for Stop {
        fn from(e: WorkspaceError) -> Stop {
            Stop::Error(e.into())
        }
    }
    let done = ws.transact(ctx.clock(), |tx| -> Result<(), Stop> {
        match claim::claim(ws, tx, agent.by(), agent.id, request, what) {
            Ok(()) => Err(Stop::DryRun),
            Err(e) => Err(Stop::Error(explain(e.into(), request))),
        }
    });
    match done {
        Ok(_) | Err(Stop::DryRun) => Ok(()),
        Err(Stop::Error(e)) => Err(e),
    }
}

/// How it ended, as recorded.
struct Recorded {
    outcome: Ended,
    ran: Option<Ran>,
    notes: Vec<String>,
    warning: Option<WorkspaceError>,
}

/// Records the outcome. If that is not possible, the request stays claimed and its lock file stays too: `unknown`.
fn record(
    ctx: &Context,
    ws: &Workspace,
    agent: &AgentIdentity,
    request: &Request,
    program: &Program,
    ran: std::io::Result<Ran>,
) -> Result<Recorded, CliError> {
    let mut notes = Vec::new();
    let ran = match ran {
        Ok(ran) => {
            if !request.bound_command {
                notes.push(format!("ran {} (SHA-256 {})", program.path.display(), program.sha256));
            }
            if !unchanged(program) {
                notes.push(format!("{} was changed while it ran", program.path.display()));
            }
            notes.extend(ran.remarks.clone());
            Some(ran)
        }
        Err(e) => {
            notes.push(format!("{} could not be started: {e}", program.path.display()));
            None
        }
    };
    let outcome = if ran.as_ref().is_some_and(|r| r.status == 0) { Ended::Succeeded } else { Ended::Failed };
    let event = RequestFinished {
        request: request.id,
        outcome,
        status: ran.as_ref().map(|r| r.status),
        duration_ms: ran.as_ref().map(|r| r.duration_ms),
        detail: ran.as_ref().map(|r| r.output.clone()),
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    };
    match ws.transact(ctx.clock(), |tx| tx.append(agent.by(), event)) {
        Ok((_, warning)) => Ok(Recorded { outcome, ran, notes, warning }),
        Err(e) => {
            let e = CliError::from(e);
            let how = ran.map_or("was not started".to_string(), |r| format!("ended with status {}", r.status));
            Err(CliError::new(
                e.exit,
                e.kind,
                format!("{} {how}, but that could not be recorded: {}", request.id, e.what),
            )
            .because("it is unknown to everybody else, and will not be run again")
            .hint(format!(
                "an operator settles it: aosctl request resolve {} --outcome OUTCOME --reason WHY",
                request.id
            )))
        }
    }
}

/// Does the file under the program's name still hold what was digested?
fn unchanged(program: &Program) -> bool {
    files::open_file(&program.path)
        .and_then(|f| command::digest_of(f, &program.path, u64::MAX))
        .is_ok_and(|(sha256, _)| sha256 == program.sha256)
}

fn answer(ctx: &Context, passthrough: bool, view: RunView, ended: Recorded) -> Outcome {
    let id = view.id;
    let status = ended.ran.as_ref().map(|r| r.status);
    let exit = match (passthrough, status) {
        (true, Some(status)) => Exit::Child(child::exit_code(status)),
        _ if ended.outcome == Ended::Succeeded => Exit::Done,
        _ => Exit::No,
    };
    let took = ended.ran.as_ref().map_or(String::new(), |r| {
        format!(" after {:.1} s", f64::from(u32::try_from(r.duration_ms).unwrap_or(u32::MAX)) / 1000.0)
    });
    let line = match status {
        Some(0) => format!("{id} succeeded{took}"),
        Some(n) if n < 0 => format!("{id} failed: killed by signal {}{took}", -n),
        Some(n) => format!("{id} failed: exit status {n}{took}"),
        None => format!("{id} failed"),
    };
    let given = view.key.as_ref().filter(|_| status.is_some());
    let given = given.map(|k| format!("it was given the secret of {} ({}) as {}", k.id, safe(&k.name), k.delivery));
    let notes: Vec<String> = if status.is_none() || ended.notes.len() > 1 { ended.notes.clone() } else { Vec::new() };
    let outcome = if ctx.json() {
        let standing = if ended.outcome == Ended::Succeeded { Standing::Succeeded } else { Standing::Failed };
        Outcome::of(
            exit,
            RunView {
                standing,
                status,
                duration_ms: ended.ran.as_ref().map(|r| r.duration_ms),
                output: ended.ran.map(|r| r.output.into()),
                note: (!ended.notes.is_empty()).then(|| ended.notes.join("; ")),
                ..view
            },
        )
    } else {
        // Stdout is the child's.
        Outcome::silent(exit)
    };
    let outcome = [Some(line), given].into_iter().flatten().fold(outcome, Outcome::note);
    let outcome = notes.into_iter().fold(outcome, |o, n| o.warn(safe(&n)));
    outcome.warn_if(ended.warning)
}

impl From<OutputDigests> for RunOutput {
    fn from(d: OutputDigests) -> RunOutput {
        RunOutput {
            stdout_sha256: d.stdout_sha256,
            stdout_bytes: d.stdout_bytes,
            stderr_sha256: d.stderr_sha256,
            stderr_bytes: d.stderr_bytes,
        }
    }
}
