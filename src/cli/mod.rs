//! The only room that prints or asks: one file a command, each `Args` beside its `run`.
//!
//! The rules of the terminal: data on stdout, everything else on stderr; prompts on /dev/tty and only when there is one;
//! 80 columns; a closed pipe is no crash and changes no verdict; an error says what happened (`error:`), why (`cause:`)
//! and what to type next (`hint:`).

pub mod commands;
mod complete;
mod context;
mod error;
pub mod exit;
pub mod fold;
pub mod generate;
pub mod global;
pub mod intake;
pub mod monitor;
pub mod outcome;
pub mod screen;
pub mod show;
pub mod style;
pub mod term;
pub mod text;
pub mod vault;

pub use commands::Command;
pub use context::{Context, Whoever};
pub use error::{CliError, ErrorView};

use std::ffi::OsString;
use std::io::Write;

use clap::{CommandFactory, Parser};

use crate::inventory::guard;
use crate::sys::env::Env;
use crate::sys::files::write_report;
use crate::sys::process::harden_process;
use exit::Exit;
use global::{Format, Global};
use outcome::{AnyView, Outcome};
use style::Style;
use term::{Pager, Stream, is_terminal};

/// What takes out the bytes that an erasure had to leave.
pub(crate) const FINISH: &str = "aosctl audit erase --finish";

/// Deny by default, open one narrow door at a time, be asked before anything crosses a line, and be able to prove all
/// of it.
///
/// aosctl is the operator's tool for companies that run AI agents. Everything stays on this machine: a SQLite
/// workspace, no server, no account, no network of its own.
#[derive(Debug, Parser)]
#[command(name = "aosctl", version, propagate_version = true, disable_help_subcommand = true, max_term_width = 80)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// The whole command line, for man pages and completions.
pub fn command() -> clap::Command {
    commands::grouped(Cli::command())
}

/// Runs one command line and prints what it gives. Never panics on a closed pipe.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    term::put_back_on_panic();
    let args: Vec<OsString> = args.into_iter().collect();
    let monitor = monitor::asked(&args);
    let hardened = match harden_process() {
        Ok(h) => h,
        Err(e) => {
            let e = CliError::from(e);
            if let Some(service) = monitor {
                return monitor::failed(service, &e).code();
            }
            report(&e, Style::plain(), false, usize::MAX);
            return Exit::CouldNot.code();
        }
    };
    let env = Env::capture();
    if let Some(code) = complete::answer_shell() {
        return code;
    }
    let cli = match parse(&args) {
        Ok(cli) => cli,
        Err(e) => {
            if let Some(service) = monitor.filter(|_| e.use_stderr()) {
                return monitor::misused(service, &e).code();
            }
            // Help and version go to stdout with 0, mistakes to stderr with 2: clap's own rule.
            let told = e.render().to_string();
            if e.use_stderr() && guard::holds_secret(&told) {
                // clap repeats what was typed, and a secret may have been typed without its flag.
                let lines = guard::masked(&told);
                let lines: String = lines.lines().map(|line| text::safe(line) + "\n").collect();
                let _ = std::io::stderr().lock().write_all(lines.as_bytes());
            } else {
                let _ = e.print();
            }
            return u8::try_from(e.exit_code()).unwrap_or(Exit::Usage.code());
        }
    };
    let mut global = cli.global;
    let target = global.output.take_if(|_| cli.command.writes_output());
    let ctx = Context { global, target, env, hardened };
    let ran = ctx.require_format(cli.command.formats()).and_then(|()| cli.command.run(&ctx));
    let code = match (ran, monitor) {
        (Ok(outcome), _) => show(&ctx, outcome),
        (Err(e), Some(service)) => monitor::failed(service, &e),
        (Err(e), None) => {
            let style = Style::decide(ctx.global.color, &ctx.env, is_terminal(Stream::Stderr));
            report(&e, style, ctx.json(), ctx.width_of_stderr());
            e.exit
        }
    };
    code.code()
}

/// Reads the command line: first by the one command that the words name, if it is one that is started often. Whatever that
/// takes the whole command line takes in the same way; whatever it does not take needs the whole.
fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    use clap::{Args, FromArgMatches};
    let named = args.iter().skip(1).find_map(|word| commands::alone(word.to_str()?));
    let matches = named.and_then(|named| {
        let narrow = Global::augment_args(clap::Command::new("aosctl")).subcommand(named).subcommand_required(true);
        narrow.try_get_matches_from(args).ok()
    });
    let matches = match matches {
        Some(matches) => matches,
        // Another command, help, a mistake, or a word that only looked like a command, as in `--workspace run`.
        None => command().try_get_matches_from(args)?,
    };
    Cli::from_arg_matches(&matches)
}

/// Prints an outcome. The verdict is in the exit code, whether or not anybody reads what is printed.
fn show(ctx: &Context, outcome: Outcome) -> Exit {
    let style = Style::decide(ctx.global.color, &ctx.env, is_terminal(Stream::Stderr));
    let width = ctx.width_of_stderr();
    let printed = match &outcome.view {
        None => Ok(()),
        Some(view) => drawn(ctx, view.as_ref()).and_then(|text| put(ctx, &text, &outcome)),
    };
    if let Some(e) = &outcome.error {
        report(e, style, false, width);
    }
    let mut err = std::io::stderr().lock();
    // Whatever was typed: bytes of something erased must not be forgotten.
    let left = ctx.place().is_ok_and(|place| crate::workspace::erase::is_unfinished(&place));
    if left && !outcome.warnings.iter().any(|w| w.contains(FINISH)) {
        let line = format!("bytes of something that was erased may still lie in the workspace's files: {FINISH}");
        let _ = writeln!(err, "{}", headed(&style.yellow("warning:"), "warning:", &line, width));
    }
    for line in &outcome.warnings {
        let _ = writeln!(err, "{}", headed(&style.yellow("warning:"), "warning:", line, width));
    }
    if !ctx.global.quiet {
        for line in &outcome.notes {
            let _ = writeln!(err, "{}", fold::line(line, width));
        }
    }
    match printed {
        Ok(()) => outcome.exit,
        Err(e) => {
            let what = if ctx.output().is_some() { "the file" } else { "stdout" };
            let line = format!("error: {what} cannot be written: {}", text::safe(&e.to_string()));
            let _ =
                writeln!(err, "{}", headed(&style.red("error:"), "error:", line.trim_start_matches("error: "), width));
            // What was done is done; but a reader who got nothing must not read 0 as an answer.
            if outcome.exit == Exit::Done { Exit::CouldNot } else { outcome.exit }
        }
    }
}

/// The data in the format that is asked for.
fn drawn(ctx: &Context, view: &dyn AnyView) -> std::io::Result<String> {
    match ctx.format() {
        Format::Human => Ok(view.page(&ctx.screen())),
        Format::Json => {
            let text = view.json().and_then(|v| serde_json::to_string_pretty(&v)).map_err(std::io::Error::other)?;
            Ok(format!("{text}\n"))
        }
        format => view.report(format).ok_or_else(|| {
            let why = format!("this part of the command does not print {}", format.as_str());
            std::io::Error::new(std::io::ErrorKind::Unsupported, why)
        }),
    }
}

/// Puts data where it is wanted: into the file that was named, through the pager, or on stdout.
fn put(ctx: &Context, text: &str, outcome: &Outcome) -> std::io::Result<()> {
    match ctx.output() {
        Some(path) => write_report(path, text.as_bytes()).map_err(std::io::Error::other),
        _ if outcome.pager && ctx.format() == Format::Human => {
            Pager::new(&ctx.env).show(text).map_err(|e| std::io::Error::other(e.to_string()))
        }
        _ => to_stdout(text),
    }
}

/// Writes to stdout. A reader that went away is no error.
pub(crate) fn to_stdout(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// `warning: and what`, folded as one text: the head is measured plain and printed as it is styled.
fn headed(styled: &str, head: &str, line: &str, width: usize) -> String {
    let folded = fold::line(&format!("{head} {line}"), width);
    format!("{styled}{}", folded.strip_prefix(head).unwrap_or_default())
}

/// Prints an error: `error:`, `cause:`, `hint:` on stderr; with `--json` also an object on stdout.
fn report(e: &CliError, style: Style, json: bool, width: usize) {
    let e = &e.masked();
    let mut text = headed(&style.red("error:"), "error:", &e.what, width);
    text.push('\n');
    for (head, line) in e.cause.iter().map(|c| ("cause:", c)).chain(e.hints.iter().map(|h| ("hint:", h))) {
        text.push_str(&headed(&style.bold(head), head, line, width));
        text.push('\n');
    }
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
    if json {
        // Texts and numbers only: nothing that cannot be written as JSON.
        let object = serde_json::to_string_pretty(&ErrorView::from(e)).unwrap_or_default();
        let _ = to_stdout(&format!("{object}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_alone_is_read_as_among_the_others() {
        let lines = [
            "check --agent a --integration i --action x.y --resource repo:a/b",
            "--json check --agent a --integration i --action x.y --resource repo:a/b --amount 3USD -- ls check",
            "--workspace run request list",
            "--workspace check check --agent a --stdin",
            "request list --json",
            "request new --stdin --identity run",
            "rotation check --workspace w",
            "run r-1 --no-input",
            "-q run r-1 -- check --agent",
            "queue list",
            "approve r-1 --reason check",
        ];
        for line in lines {
            let args: Vec<OsString> = ["aosctl"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
            let whole =
                command().try_get_matches_from(&args).map(|m| <Cli as clap::FromArgMatches>::from_arg_matches(&m));
            match (parse(&args), whole) {
                (Ok(ours), Ok(Ok(theirs))) => assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{line}"),
                (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string(), "{line}"),
                (ours, _) => panic!("{line}: {ours:?}"),
            }
        }
    }

    #[test]
    fn mistakes_and_help_are_told_by_the_whole_command_line() {
        for line in ["check --help", "check", "check --agnt a", "--workspace check", "run --version", "chek"] {
            let args: Vec<OsString> = ["aosctl"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
            let whole = command().try_get_matches_from(&args).unwrap_err();
            assert_eq!(parse(&args).unwrap_err().to_string(), whole.to_string(), "{line}");
        }
    }
}
