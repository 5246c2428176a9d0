//! What agents and scripts do: `check`, `request new|wait|begin|done|fail|withdraw|resolve`.

mod lab;
mod support;

#[path = "cli_machines/check.rs"]
mod check;
#[path = "cli_machines/hostile.rs"]
mod hostile;
#[path = "cli_machines/money.rs"]
mod money;
#[path = "cli_machines/report.rs"]
mod report;
#[path = "cli_machines/request.rs"]
mod request;
#[path = "cli_machines/wait.rs"]
mod wait;
