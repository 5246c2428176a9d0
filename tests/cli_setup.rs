//! Setting up: init, agents, operators, the policy, integrations, completions.

mod support;
use support::{Bench, code, text};

#[path = "cli_setup/init.rs"]
mod init;

#[path = "cli_setup/agent.rs"]
mod agent;
