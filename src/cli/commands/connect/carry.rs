//! The key that a grant carries: which, to which programs, and how.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

use super::Args;
use crate::cli::commands::key::find as find_key;
use crate::cli::error::CliError;
use crate::cli::text::safe;
use crate::domain::advice::{Advice, Terms, Warning, shell_word};
use crate::domain::integration::Integration;
use crate::domain::key::{Carries, Delivery, Key, Place, Recipient};
use crate::domain::program::{Risk, risk};
use crate::secret::Reference;
use crate::workspace::Workspace;
use crate::workspace::command::{self, Program, USUAL};

/// The most programs that one grant names.
const MAX_PROGRAMS: usize = 20;

/// What was typed, with the programs as they were found and digested.
#[derive(Debug, Clone)]
pub struct Carrying {
    /// The key's name or id.
    key: String,
    delivery: Delivery,
    programs: Vec<(Recipient, Option<Risk>)>,
}

/// The key as it is now, and what the grant says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The key.
    pub key: Rc<Key>,
    /// What the grant says.
    pub carries: Carries,
    risks: Vec<(Recipient, Risk)>,
    /// The key opens another integration.
    elsewhere: Option<String>,
}

/// What the flags say of a key; `old` is what the grant that is opened again carries, and it is kept where no flag says
/// otherwise.
pub fn typed(args: &Args, old: Option<&Carries>) -> Result<Option<Carrying>, CliError> {
    if args.no_key && args.again.is_none() {
        return Err(CliError::usage("--no-key leaves out the key of a grant that is opened again")
            .hint("name that grant: --again GRANT"));
    }
    if args.no_key {
        return if args.to.is_empty() && args.deliver.is_none() {
            Ok(None)
        } else {
            Err(CliError::usage("--to and --as say who gets the secret of a key, and --no-key wants none"))
        };
    }
    let key = args.key.clone().or_else(|| old.map(|c| c.key.to_string()));
    let Some(key) = key else {
        return if args.to.is_empty() && args.deliver.is_none() {
            Ok(None)
        } else {
            Err(CliError::usage("--to and --as say who gets the secret of a key, and no key is named")
                .hint("name it: --key KEY"))
        };
    };
    let delivery = args.deliver.clone().or_else(|| old.map(|c| c.delivery.clone()));
    let Some(delivery) = delivery else {
        return Err(CliError::usage("--key needs --as, which says how the program gets the secret")
            .hint("as a variable: --as env:NAME; in a file in memory: --as file:NAME; or --as stdin, --as fd:NAME"));
    };
    check_variable(&delivery)?;
    let programs = match (args.to.is_empty(), old) {
        (false, _) => args.to.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?,
        (true, Some(old)) => old.programs.iter().map(unchanged).collect::<Result<Vec<_>, _>>()?,
        (true, None) => {
            return Err(CliError::usage("--key needs --to, which names the program that may have the secret")
                .hint("name it: --to psql, or by its path"));
        }
    };
    if programs.len() > MAX_PROGRAMS {
        return Err(CliError::usage(format!("a grant names at most {MAX_PROGRAMS} programs")));
    }
    let mut programs = programs;
    programs.sort();
    programs.dedup();
    Ok(Some(Carrying { key, delivery, programs }))
}

/// The variable must be one that nothing else fills, and none by which the child would become another program.
fn check_variable(delivery: &Delivery) -> Result<(), CliError> {
    let Some(name) = delivery.variable() else { return Ok(()) };
    if USUAL.contains(&name) {
        return Err(CliError::usage(format!("--as {delivery}: every child gets {name} from its surroundings"))
            .hint("choose another variable"));
    }
    command::check_variables(&[name.to_string()])
        .map_err(|e| CliError::usage(format!("--as {delivery}: {}", safe(&e.to_string()))))
}

/// Finds a program as `run` will, and digests it.
fn find(name: &str) -> Result<(Recipient, Option<Risk>), CliError> {
    let program = command::find_program(name, &command::directory_of(None)?)?;
    let path = program.path.to_str().ok_or_else(|| {
        CliError::usage(format!("{} is not UTF-8, and the log holds only that", safe(&program.path.to_string_lossy())))
    })?;
    // Links are resolved, so /bin/sh is dash; both names count.
    let typed = Path::new(name).file_name().and_then(|n| n.to_str()).and_then(|n| risk(n, &head(&program)));
    let found = program.path.file_name().and_then(|n| n.to_str()).and_then(|n| risk(n, &head(&program)));
    let most = [found, typed].into_iter().flatten().find(|r| *r == Risk::Interpreter).or(found).or(typed);
    Ok((Recipient { path: path.to_string(), sha256: program.sha256.clone() }, most))
}

/// A program that the other grant named, which must be as it was.
fn unchanged(old: &Recipient) -> Result<(Recipient, Option<Risk>), CliError> {
    let (now, risk) = find(&old.path)?;
    if now == *old {
        return Ok((now, risk));
    }
    Err(CliError::no("program_changed", format!("{} is not the program that the other grant names", safe(&old.path)))
        .because("its SHA-256 is another, or the path leads elsewhere now")
        .hint(format!("name it as it is now: --to {}", shell_word(&old.path)))
        .hint("or open the door without the key: --no-key"))
}

fn head(program: &Program) -> Vec<u8> {
    let mut head = [0; 4];
    let read = program.file.read_at(&mut head, 0).unwrap_or(0);
    head.get(..read).unwrap_or_default().to_vec()
}

/// The key as it is now: live, not leaked, and with a secret that can be given.
pub fn check(ws: &Workspace, wanted: &Carrying, to: &Integration) -> Result<Carried, CliError> {
    let key = find_key(ws, &wanted.key)?;
    let name = format!("{} ({})", key.id, safe(&key.facts.name));
    if !key.is_live() {
        return Err(CliError::no("retired", format!("{name} was retired, and is given to nobody"))
            .hint("see what is in use: aosctl key list"));
    }
    if key.leak_is_open() {
        return Err(CliError::no("leaked", format!("{name} leaked, and is given to nobody until that is closed"))
            .hint(format!("go through what is left to do: aosctl key leaked {}", key.id)));
    }
    match &key.facts.place {
        Place::Unknown => {
            return Err(CliError::no("no_place", format!("nobody told where the secret of {name} lives"))
                .hint(format!("seal it: aosctl key seal {}", key.id))
                .hint(format!("or say where it lives: aosctl key set {} --ref REFERENCE", key.id)));
        }
        Place::Reference(text) => Reference::parse(text)?.check_fetchable()?,
        Place::Sealed { .. } => {}
    }
    let elsewhere = match key.facts.integration {
        Some(i) if i != to.id => Some(i.to_string()),
        _ => None,
    };
    let programs: Vec<Recipient> = wanted.programs.iter().map(|(p, _)| p.clone()).collect();
    let risks = wanted.programs.iter().filter_map(|(p, risk)| risk.map(|r| (p.clone(), r))).collect();
    let carries = Carries { key: key.id, delivery: wanted.delivery.clone(), programs };
    Ok(Carried { key, carries, risks, elsewhere })
}

/// The advice about the door, with what there is to say of the secret; every line to type instead keeps the key.
pub fn advise(mut advice: Advice, carried: Option<&Carried>, terms: &Terms) -> Advice {
    let Some(c) = carried else { return advice };
    let flags = |to: &[String]| {
        let to: String = to.iter().map(|p| format!(" --to {p}")).collect();
        format!(" --key {}{to} --as {}", c.key.id, c.carries.delivery)
    };
    let programs: Vec<String> = c.carries.programs.iter().map(|p| shell_word(&p.path)).collect();
    let connects = |line: &str| line.starts_with("aosctl connect ");
    let keep = |line: &mut String| {
        if connects(line) {
            line.push_str(&flags(&programs));
        }
    };
    advice.warnings.iter_mut().for_each(|w| keep(&mut w.instead));
    advice.narrower.iter_mut().for_each(keep);
    for (program, risk) in &c.risks {
        let others: Vec<String> =
            c.carries.programs.iter().filter(|p| *p != program).map(|p| shell_word(&p.path)).collect();
        let better = [&others[..], &["PROGRAM".to_string()]].concat();
        advice.warnings.push(Warning {
            name: risk.name(),
            text: risk.text(program),
            instead: format!("{}{}", terms.line(), flags(&better)),
        });
    }
    if let Some(other) = &c.elsewhere {
        advice.warnings.push(Warning {
            name: "secret.elsewhere",
            text: format!("{} opens {other}, and this door leads to {}", c.key.id, terms.integration),
            instead: terms.line(),
        });
    }
    advice
}
