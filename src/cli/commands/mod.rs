//! Every command. Help shows them in the groups of design section 8.

pub mod agent;
pub mod approve;
pub mod audit;
pub mod check;
pub mod completions;
pub mod connect;
pub mod deny;
pub mod freeze;
pub mod grant;
pub mod init;
pub mod integration;
pub mod key;
pub mod operator;
pub mod policy;
pub mod request;
pub mod review;
pub mod revoke;
pub mod rotation;
pub mod run;
pub mod status;
pub mod thaw;
pub mod tour;
pub mod workspace;

use clap::Args as _;

use super::context::Context;
use super::error::CliError;
use super::global::Format;
use super::outcome::Outcome;

/// Every command.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Command {
    Init(init::Args),
    Status(status::Args),
    Approve(approve::Args),
    Deny(deny::Args),
    Connect(connect::Args),
    #[command(visible_alias = "disconnect")]
    Revoke(revoke::Args),
    Review(review::Args),
    Freeze(freeze::Args),
    Thaw(thaw::Args),
    Agent(agent::Args),
    Operator(operator::Args),
    Policy(policy::Args),
    Integration(integration::Args),
    Key(key::Args),
    Rotation(rotation::Args),
    #[command(visible_alias = "queue")]
    Request(request::Args),
    Grant(grant::Args),
    Audit(audit::Args),
    Check(check::Args),
    Run(run::Args),
    Workspace(workspace::Args),
    Tour(tour::Args),
    Completions(completions::Args),
}

/// The definition of one command, without the others': for the commands that programs start many times a minute, because
/// the definition of all of them with all their arguments costs a good part of a `check`. `None` for the rest.
pub fn alone(name: &str) -> Option<clap::Command> {
    let augment: fn(clap::Command) -> clap::Command = match name {
        "check" => check::Args::augment_args,
        "request" => request::Args::augment_args,
        "rotation" => rotation::Args::augment_args,
        "run" => run::Args::augment_args,
        _ => return None,
    };
    Some(augment(clap::Command::new(name.to_string())))
}

impl Command {
    /// The formats that it has: reports have more than the two of every command.
    pub fn formats(&self) -> &'static [Format] {
        match self {
            Command::Review(args) => args.formats(),
            Command::Key(args) => args.formats(),
            _ => Format::EVERY,
        }
    }

    /// Whether it writes by itself what `--output` names, which is no report then: `Context::target`.
    pub fn writes_output(&self) -> bool {
        match self {
            Command::Audit(args) => args.writes_output(),
            Command::Workspace(args) => args.writes_output(),
            _ => false,
        }
    }

    /// Runs it.
    pub fn run(self, ctx: &Context) -> Result<Outcome, CliError> {
        match self {
            Command::Init(args) => init::run(args, ctx),
            Command::Status(args) => status::run(args, ctx),
            Command::Approve(args) => approve::run(args, ctx),
            Command::Deny(args) => deny::run(args, ctx),
            Command::Connect(args) => connect::run(args, ctx),
            Command::Revoke(args) => revoke::run(args, ctx),
            Command::Review(args) => review::run(args, ctx),
            Command::Freeze(args) => freeze::run(args, ctx),
            Command::Thaw(args) => thaw::run(args, ctx),
            Command::Agent(args) => agent::run(args, ctx),
            Command::Operator(args) => operator::run(args, ctx),
            Command::Policy(args) => policy::run(args, ctx),
            Command::Integration(args) => integration::run(args, ctx),
            Command::Key(args) => key::run(args, ctx),
            Command::Rotation(args) => rotation::run(args, ctx),
            Command::Request(args) => request::run(args, ctx),
            Command::Grant(args) => grant::run(args, ctx),
            Command::Audit(args) => audit::run(args, ctx),
            Command::Check(args) => check::run(args, ctx),
            Command::Run(args) => run::run(args, ctx),
            Command::Workspace(args) => workspace::run(args, ctx),
            Command::Tour(args) => tour::run(args, ctx),
            Command::Completions(args) => completions::run(args, ctx),
        }
    }
}

/// The groups of `--help`, by what people come for.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("Daily", &["status", "approve", "deny", "connect", "revoke", "review"]),
    ("Emergency", &["freeze", "thaw", "key leaked"]),
    ("Setup", &["init", "agent", "operator", "policy", "integration", "key", "rotation", "workspace"]),
    ("Evidence", &["request", "grant", "audit"]),
    ("Machines", &["check", "request", "run"]),
    ("Also", &["tour", "completions"]),
];

/// Puts the commands into groups in the help of the whole program.
pub fn grouped(command: clap::Command) -> clap::Command {
    let mut groups = String::new();
    for (title, names) in GROUPS {
        groups.push_str(&format!("\n{title}:\n"));
        for name in *names {
            let found = name.split(' ').try_fold(&command, |c, word| c.find_subcommand(word));
            let about = found.and_then(|c| c.get_about()).map(|a| a.to_string()).unwrap_or_default();
            groups.push_str(&format!("  {name:<12} {about}\n"));
        }
    }
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{groups}\nGlobal options:\n{{options}}\n"
    ))
}
