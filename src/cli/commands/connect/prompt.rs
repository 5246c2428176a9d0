//! `connect` on a terminal without flags: asks for what is missing, from the catalogue.

use super::Args;
use super::carry;
use super::plan::Wanted;
use super::words;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::term::Prompter;
use crate::cli::text::{safe, safe_block};
use crate::domain::access::Access;
use crate::domain::advice::End;
use crate::domain::catalogue::Kind;
use crate::domain::facets::DataClass;
use crate::domain::facts::Facts;
use crate::domain::id::IdKind;
use crate::workspace::Workspace;

/// How often a person may answer wrongly before the question is given up.
const MAX_TRIES: usize = 3;

/// What a scope is may take so many rows of the screen.
const MAX_ROWS: usize = 3;

/// Asks for everything that no flag says.
pub fn ask(args: &Args, ctx: &Context, ws: &Workspace) -> Result<Wanted, CliError> {
    let prompter = ctx.prompter();
    let policy = ws.facts().policy()?.ok_or_else(|| CliError::no("no_policy", "no policy was ever adopted"))?;
    let rules = &policy.rules;

    let integration = match &args.integration {
        Some(typed) => typed.clone(),
        None => {
            let all = ws.store().integrations()?;
            let mut names: Vec<String> = all.iter().map(|i| i.handle.clone()).collect();
            let mut lines: Vec<String> = all.iter().map(|i| described(&i.handle, &i.kind, i.inside)).collect();
            for kind in rules.kinds.iter().filter(|k| !all.iter().any(|i| i.kind == k.kind || i.handle == k.kind)) {
                names.push(kind.kind.clone());
                lines.push(format!("{} ({}, would be added)", safe(&kind.kind), safe(&kind.title)));
            }
            pick(&prompter, "which integration", &lines, &names, "INTEGRATION")?
        }
    };
    let known = ws.find_integration(&integration)?.map_or_else(|| integration.clone(), |i| i.kind.clone());
    let kind = rules.kind(&known);

    let agent = match &args.agent {
        Some(typed) => typed.clone(),
        None => {
            let live: Vec<_> = ws.store().identities(IdKind::Agent)?.into_iter().filter(|a| a.is_live()).collect();
            if live.is_empty() {
                return Err(
                    CliError::no("no_such_agent", "there is no agent yet").hint("enrol one: aosctl agent add NAME")
                );
            }
            let names: Vec<String> =
                live.iter().map(|a| a.handle.clone().unwrap_or_else(|| a.id.to_string())).collect();
            let lines: Vec<String> = names.iter().map(|n| safe(n)).collect();
            pick(&prompter, "which agent", &lines, &names, "--agent NAME")?
        }
    };
    let scope = match (&args.scope, kind) {
        (Some(typed), _) => typed.clone(),
        (None, Some(kind)) => ask_scope(&prompter, kind, ctx.screen().width)?,
        // The plan says what is wrong with the integration.
        (None, None) => "*".into(),
    };
    let access = match args.access {
        Some(a) => a,
        None => until_valid(&prompter, "access: read, write or admin [read]", "--access", |s| match s {
            "" => Ok(Access::Read),
            s => s.parse(),
        })?,
    };
    let data = match args.data {
        Some(d) => d,
        None => until_valid(
            &prompter,
            "most delicate data: public, internal, customer or secret [internal]",
            "--data",
            |s| match s {
                "" => Ok(DataClass::Internal),
                s => s.parse(),
            },
        )?,
    };
    let mission = match &args.mission {
        Some(m) => Some(m.clone()),
        None => Some(prompter.ask_line("what for, as a mission (Enter for none)", "--mission TEXT")?)
            .filter(|m| !m.is_empty()),
    };
    let default = rules.grants.expires;
    let end = match args.expires {
        Some(e) => Some(e),
        None => {
            until_valid(&prompter, &format!("ends after, on a day, or never [{default}]"), "--expires", |s| match s {
                "" => Ok(None),
                s => s.parse::<End>().map(Some),
            })?
        }
    };
    Ok(Wanted {
        integration,
        agent,
        scope,
        access,
        data,
        owner: args.owner.clone(),
        mission,
        end,
        again: None,
        carries: carry::typed(args, None)?,
    })
}

fn described(handle: &str, kind: &str, inside: bool) -> String {
    let place = if inside { ", inside the boundary" } else { "" };
    if handle == kind && !inside { safe(handle) } else { format!("{} ({}{place})", safe(handle), safe(kind)) }
}

fn pick(prompter: &Prompter, what: &str, lines: &[String], names: &[String], flag: &str) -> Result<String, CliError> {
    let at = prompter.select(what, lines, flag)?;
    names.get(at).cloned().ok_or_else(|| CliError::usage(format!("no {what}")))
}

/// Shows the forms that a scope may have, and asks for one.
fn ask_scope(prompter: &Prompter, kind: &Kind, columns: usize) -> Result<String, CliError> {
    let width = kind.scope.iter().map(|s| s.form.len()).max().unwrap_or_default();
    let mut what = format!("Scopes of {}, narrowest first:\n", safe(&kind.title));
    for s in &kind.scope {
        let wide = if s.account_wide { " (account-wide)" } else { "" };
        let indent = " ".repeat(width + 4);
        let mut head = format!("  {:<width$}  ", safe(&s.form));
        for line in safe_block(&format!("{}{wide}", s.about), &indent, columns, MAX_ROWS).lines {
            what.push_str(&format!("{head}{}\n", line.strip_prefix(&indent).unwrap_or(&line).trim_end()));
            head.clone_from(&indent);
        }
    }
    what.push_str("scope");
    for _ in 0..MAX_TRIES {
        let typed = prompter.ask_line(&what, "--scope SCOPE")?;
        match words::scope(&typed, kind) {
            Ok(_) => return Ok(typed),
            Err(e) => what = [vec![e.what], e.hints, vec!["scope".into()]].concat().join("\n"),
        }
    }
    Err(CliError::could_not("terminal", "no valid answer for the scope").hint("or type it: --scope SCOPE"))
}

/// Asks until the answer can be read.
fn until_valid<T>(
    prompter: &Prompter,
    what: &str,
    flag: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, CliError> {
    let mut shown = what.to_string();
    for _ in 0..MAX_TRIES {
        match read(&prompter.ask_line(&shown, flag)?) {
            Ok(value) => return Ok(value),
            Err(why) => shown = format!("{}\n{what}", safe(&why)),
        }
    }
    Err(CliError::could_not("terminal", format!("no valid answer for {flag}")))
}
