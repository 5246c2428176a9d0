//! The description of a request on the command line: flags, or one JSON object on standard input.

use std::io::Read;
use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::text::safe;
use crate::domain::access::Access;
use crate::domain::advice::shell_word;
use crate::domain::facets::DataClass;
use crate::domain::money::Money;
use crate::domain::scope::Scope;
use crate::log::canonical::FOREIGN_LIMIT;
use crate::sys::files;
use crate::workspace::ask::{Ask, AskCommand, AskError, Declared};
use crate::workspace::claim::ClaimError;
use crate::workspace::command::CommandError;

/// What the agent wants to do.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "What to do")]
pub struct Describe {
    /// Read all of it as one JSON object from standard input (schema aosctl.ask/v1); so does a lone `-`
    #[arg(long)]
    stdin: bool,
    /// The same as --stdin
    #[arg(value_name = "-", value_parser = ["-"], hide = true)]
    dash: Option<String>,
    /// The integration, by name or id
    #[arg(long, value_name = "NAME")]
    integration: Option<String>,
    /// The action, as the catalogue names it: pull_request.merge; an unknown one counts as a write
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// What it is done to: repo:acme/app
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<Scope>,
    /// read, write or admin; can only raise what the catalogue says
    #[arg(long, value_name = "ACCESS")]
    access: Option<Access>,
    /// Money that moves: 12.50USD
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<Money>,
    /// Strangers can read it, under the company's name
    #[arg(long)]
    public: bool,
    /// How many people receive it
    #[arg(long, value_name = "N")]
    recipients: Option<u64>,
    /// The most delicate data in it: public, internal, customer, secret
    #[arg(long, value_name = "CLASS")]
    data: Option<DataClass>,
    /// Where data goes: a host, a bucket, an address
    #[arg(long, value_name = "PLACE")]
    destination: Option<String>,
    /// production, staging, ...
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// The tool's parameters: JSON text, @FILE, or - for standard input
    #[arg(long, value_name = "JSON")]
    parameters: Option<String>,
    /// What changes, as text in a file, or - for standard input
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    diff_file: Option<String>,
    /// A file that belongs to it; its name, SHA-256 and size are recorded (repeatable)
    #[arg(long = "artifact", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    artifacts: Vec<String>,
    /// What it is, in one sentence
    #[arg(long, value_name = "TEXT")]
    summary: Option<String>,
    /// What you would do
    #[arg(long, value_name = "TEXT")]
    recommendation: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    rationale: Option<String>,
    /// What else could be done (repeatable)
    #[arg(long = "alternative", value_name = "TEXT")]
    alternatives: Vec<String>,
    /// How to undo it
    #[arg(long, value_name = "TEXT")]
    rollback: Option<String>,
    /// Why you are not sure; an operator is then asked in any case
    #[arg(long, value_name = "WHY")]
    unsure: Option<String>,
    /// What it is part of
    #[arg(long, value_name = "TEXT")]
    mission: Option<String>,
    /// Which model asks
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Your own key against asking twice: the same key gives the same request again
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Bind the command after `--`: only it may run, by `aosctl run`
    #[arg(long, requires = "argv")]
    command: bool,
    /// With --command: the directory it runs in [default: this one]
    #[arg(long, value_name = "DIR", requires = "command", value_hint = clap::ValueHint::DirPath)]
    directory: Option<String>,
    /// With --command: an environment variable that it gets beyond the usual ones (repeatable)
    #[arg(long = "env", value_name = "NAME", requires = "command")]
    variables: Vec<String>,
    /// With --command: a file that it gets as standard input
    #[arg(long, value_name = "FILE", requires = "command", value_hint = clap::ValueHint::FilePath)]
    command_stdin: Option<String>,
    /// The command, after `--`
    #[arg(last = true, value_name = "CMD", requires = "command")]
    argv: Vec<String>,
}

impl Describe {
    /// The description, with everything read that stands on standard input or in a file of text.
    pub fn ask(self) -> Result<Ask, CliError> {
        if self.stdin || self.dash.is_some() {
            return if self.names_nothing() {
                Ok(Ask::from_json(&stdin_text(FOREIGN_LIMIT)?)?)
            } else {
                Err(CliError::usage(
                    "with --stdin everything is in the JSON object, and no other flag describes the request",
                ))
            };
        }
        if self.parameters.as_deref() == Some("-") && self.diff_file.as_deref() == Some("-") {
            return Err(CliError::usage("standard input can be read once: --parameters - or --diff-file -, not both"));
        }
        let (Some(action), Some(resource)) = (self.action, self.resource) else {
            return Err(CliError::usage("--action and --resource are needed")
                .hint("for instance: --integration github --action pull_request.merge --resource repo:acme/app")
                .hint("or give one JSON object: --stdin"));
        };
        let parameters = match self.parameters.as_deref() {
            None => None,
            Some(given) => Some(Ask::parameters_from(&text_of(given)?)?),
        };
        let diff = match self.diff_file.as_deref() {
            None => None,
            Some("-") => Some(stdin_text(FOREIGN_LIMIT)?),
            Some(path) => Some(file_text(path)?),
        };
        let command = self.command.then_some(AskCommand {
            argv: self.argv,
            directory: self.directory,
            environment: self.variables,
            stdin_file: self.command_stdin,
        });
        Ok(Ask {
            schema: None,
            integration: self.integration,
            action,
            resource,
            access: self.access,
            facets: Declared {
                amount: self.amount,
                public: self.public,
                recipients: self.recipients,
                data: self.data,
                destination: self.destination,
                environment: self.environment,
            },
            parameters,
            diff,
            artifacts: self.artifacts,
            command,
            summary: self.summary,
            recommendation: self.recommendation,
            rationale: self.rationale,
            alternatives: self.alternatives,
            rollback: self.rollback,
            unsure: self.unsure,
            mission: self.mission,
            model: self.model,
            idempotency_key: self.idempotency_key,
        })
    }

    /// No flag but `--stdin` was given.
    fn names_nothing(&self) -> bool {
        let texts = [
            &self.integration,
            &self.action,
            &self.destination,
            &self.environment,
            &self.parameters,
            &self.diff_file,
            &self.summary,
            &self.recommendation,
            &self.rationale,
            &self.rollback,
            &self.unsure,
            &self.mission,
            &self.model,
            &self.idempotency_key,
        ];
        texts.iter().all(|t| t.is_none())
            && self.resource.is_none()
            && self.access.is_none()
            && self.amount.is_none()
            && !self.public
            && self.recipients.is_none()
            && self.data.is_none()
            && self.artifacts.is_empty()
            && self.alternatives.is_empty()
            && !self.command
    }
}

/// `TEXT`, `@FILE` or `-`.
fn text_of(given: &str) -> Result<String, CliError> {
    match given.strip_prefix('@') {
        Some(path) => file_text(path),
        None if given == "-" => stdin_text(FOREIGN_LIMIT),
        None => Ok(given.to_string()),
    }
}

fn file_text(path: &str) -> Result<String, CliError> {
    let bytes = files::read_limited(Path::new(path), FOREIGN_LIMIT)?;
    String::from_utf8(bytes).map_err(|_| CliError::could_not("not_utf8", format!("{} is not UTF-8 text", safe(path))))
}

/// Standard input as text, at most so many bytes.
pub fn stdin_text(limit: usize) -> Result<String, CliError> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    std::io::stdin()
        .lock()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|e| CliError::could_not("io", format!("standard input cannot be read: {e}")))?;
    if bytes.len() > limit {
        return Err(CliError::could_not("too_large", format!("standard input has more than {limit} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| CliError::could_not("not_utf8", "standard input is not UTF-8 text"))
}

impl From<AskError> for CliError {
    fn from(e: AskError) -> CliError {
        let text = safe(&e.to_string());
        match e {
            AskError::Workspace(e) => e.into(),
            AskError::File(e) => e.into(),
            AskError::Command(e) => e.into(),
            AskError::Json { .. } => CliError::could_not("bad_json", text),
            AskError::Shape(_) => CliError::could_not("bad_description", text)
                .hint("see docs/schemas/aosctl.ask.v1.json for what may be in it"),
            AskError::Member { .. } => CliError::could_not("bad_description", text),
            AskError::TooLarge { .. } => CliError::could_not("too_large", text)
                .hint("name large things as files: --artifact FILE records their SHA-256"),
            AskError::IdempotencyConflict { request, erased, .. } => {
                let why = if erased {
                    "parts of it were erased, so nobody can tell whether it was the same"
                } else {
                    "what is asked for now differs"
                };
                CliError::no("idempotency_conflict", text)
                    .because(why)
                    .hint(format!("see it: aosctl request show {request}"))
                    .hint("ask for something new under a new --idempotency-key")
            }
        }
    }
}

impl From<CommandError> for CliError {
    fn from(e: CommandError) -> CliError {
        let text = safe(&e.to_string());
        match e {
            CommandError::File(e) => e.into(),
            CommandError::Empty => CliError::usage(text),
            CommandError::NotFound(_) => CliError::could_not("no_such_program", text),
            CommandError::Variable(..) | CommandError::TooLong | CommandError::NotUtf8(_) => {
                CliError::could_not("bad_command", text)
            }
        }
    }
}

impl From<ClaimError> for CliError {
    fn from(e: ClaimError) -> CliError {
        let text = safe(&e.to_string());
        match e {
            ClaimError::Workspace(e) => e.into(),
            ClaimError::Missing(_) => {
                CliError::no("no_such_request", text).hint("see what there is: aosctl request list")
            }
            ClaimError::NotTheRequester { .. } => CliError::no("not_the_requester", text),
            ClaimError::OtherCommand { request, .. } => CliError::no("other_command", text)
                .hint(format!("see what was bound: aosctl request show {request}"))
                .hint("ask for another command with a new request"),
            ClaimError::Unseen { .. } => CliError::no("unseen_variables", text)
                .because("a variable can make a program load other code, or start another program")
                .hint("leave --env out, or without the secret: aosctl run --without-key")
                .hint("to have it seen: bind the command to a request that an operator approves"),
            ClaimError::Withheld { key, .. } => CliError::no("key_withheld", text)
                .hint("run it without the secret: --without-key")
                .hint(format!("see the key: aosctl key show {key}")),
            ClaimError::OtherProgram { grant, mut named, program, .. } => {
                // What is typed names all of them.
                if !named.contains(&program) {
                    named.push(program);
                }
                let to: String = named.iter().map(|p| format!(" --to {}", safe(&shell_word(p)))).collect();
                CliError::no("other_program", text)
                    .because("a grant names the programs that may have its secret, each by path and SHA-256")
                    .hint(format!("an operator names it as it is now: aosctl connect --again {grant}{to}"))
                    .hint("or run it without the secret: --without-key")
            }
            ClaimError::KeyChanged(_) => CliError::no("key_changed", text).hint("type the line again"),
            ClaimError::Erased(_) => CliError::no("erased", text),
            ClaimError::WhatIsErased { request, .. } => CliError::no("erased", text)
                .because("nobody could tell whether it says more than was decided")
                .hint(format!("when, by whom and why: aosctl request show {request}"))
                .hint("ask anew: aosctl request new"),
            ClaimError::Running(_) => CliError::no("running", text),
            ClaimError::FacetsTooLow(_) => CliError::no("facets_too_low", text),
        }
    }
}
