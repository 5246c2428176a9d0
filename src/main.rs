//! Parse, call cli, return the exit code. Nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(aosctl::cli::main(std::env::args_os()))
}
