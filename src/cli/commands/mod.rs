//! Every command. Help shows them in the groups of design section 8.

pub mod init;
pub mod status;
pub mod approve;
pub mod deny;
pub mod connect;
pub mod revoke;
pub mod freeze;
pub mod thaw;
pub mod agent;
pub mod operator;
pub mod policy;
pub mod integration;
pub mod request;
pub mod grant;
pub mod audit;
pub mod check;
pub mod run;
pub mod tour;
pub mod completions;

use super::context::Context;
use super::error::CliError;
use super::outcome::Outcome;

/// Every command.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create a workspace
    Init(init::Args),
    /// One screen: what waits, what is due, what is open widest, is the log whole
    Status(status::Args),
    /// Decide what waits: riskiest and oldest first
    Approve(approve::Args),
    /// Deny a request, with a reason
    Deny(deny::Args),
    /// Open a narrow door: issue a grant
    Connect(connect::Args),
    /// Close a door at once: a grant, an agent or an integration
    #[command(visible_alias = "disconnect")]
    Revoke(revoke::Args),
    /// Deny everything, or one agent, from this moment
    Freeze(freeze::Args),
    /// End a freeze
    Thaw(thaw::Args),
    /// Agents: programs that act
    Agent(agent::Args),
    /// Operators: humans who decide
    Operator(operator::Args),
    /// The rules of the decision
    Policy(policy::Args),
    /// Outside tools and data stores
    Integration(integration::Args),
    /// What agents ask for
    #[command(visible_alias = "queue")]
    Request(request::Args),
    /// Grants: list, show, narrow, renew
    Grant(grant::Args),
    /// The log: read it and prove it
    Audit(audit::Args),
    /// Would it be allowed? Writes nothing
    Check(check::Args),
    /// Run an approved command, once
    Run(run::Args),
    /// The whole job in a throwaway workspace
    Tour(tour::Args),
    /// Print a completion script
    Completions(completions::Args),
}

impl Command {
    /// Runs it.
    pub fn run(self, ctx: &Context) -> Result<Outcome, CliError> {
        match self {
            Command::Init(args) => init::run(args, ctx),
            Command::Status(args) => status::run(args, ctx),
            Command::Approve(args) => approve::run(args, ctx),
            Command::Deny(args) => deny::run(args, ctx),
            Command::Connect(args) => connect::run(args, ctx),
            Command::Revoke(args) => revoke::run(args, ctx),
            Command::Freeze(args) => freeze::run(args, ctx),
            Command::Thaw(args) => thaw::run(args, ctx),
            Command::Agent(args) => agent::run(args, ctx),
            Command::Operator(args) => operator::run(args, ctx),
            Command::Policy(args) => policy::run(args, ctx),
            Command::Integration(args) => integration::run(args, ctx),
            Command::Request(args) => request::run(args, ctx),
            Command::Grant(args) => grant::run(args, ctx),
            Command::Audit(args) => audit::run(args, ctx),
            Command::Check(args) => check::run(args, ctx),
            Command::Run(args) => run::run(args, ctx),
            Command::Tour(args) => tour::run(args, ctx),
            Command::Completions(args) => completions::run(args, ctx),
        }
    }
}

/// The groups of `--help`, by what people come for.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("Daily", &["status", "approve", "deny", "connect", "revoke"]),
    ("Emergency", &["freeze", "thaw"]),
    ("Setup", &["init", "agent", "operator", "policy", "integration"]),
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
            let about = command.find_subcommand(name).and_then(|c| c.get_about()).map(|a| a.to_string()).unwrap_or_default();
            groups.push_str(&format!("  {name:<12} {about}\n"));
        }
    }
    command.help_template(format!("{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{groups}\n{{options}}\n"))
}
