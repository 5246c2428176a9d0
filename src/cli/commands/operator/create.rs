//! `aosctl operator create`, on the new operator's own machine.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::identity::IdentityError;
use crate::log::key::PublicKey;
use crate::workspace::{create_operator, prepare_parent};

/// Make your own identity, and print the line that enrols it.
///
/// Run it on your own machine: the secret never leaves it. It prints one public line on stdout; an operator of the
/// workspace enrols it with `aosctl operator add NAME LINE`. Without a workspace here, --origin says of which one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Your name; here it only names the file
    #[arg(value_name = "NAME")]
    name: String,
    /// The log that you will sign in, as `aosctl init` and `aosctl status` print it [default: the workspace here]
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// Where to write the sealed identity [default: the state directory]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// An operator's identity that was made, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OperatorCreateView {
    /// Nothing was done.
    pub dry_run: bool,
    /// The public line that enrols it; absent in a dry run.
    pub line: Option<String>,
    /// What to read out to the operator who enrols it; absent in a dry run.
    pub fingerprint: Option<String>,
    /// The log that it is for.
    pub origin: String,
    /// The sealed identity.
    pub file: String,
}

impl View for OperatorCreateView {
    const SCHEMA: &'static str = "aosctl.operator-create/v1";

    /// The line alone, so that it can be piped on.
    fn human(&self, _: &Screen) -> String {
        self.line.as_ref().map(|l| format!("{l}\n")).unwrap_or_default()
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let name = super::check_name(&args.name)?;
    let origin = match args.origin {
        Some(origin) => origin,
        None => match ctx.open() {
            Ok(ws) => ws.origin().name.clone(),
            Err(e) if e.kind == "no_workspace" => {
                return Err(CliError::usage("there is no workspace here, so --origin must say for which log")
                    .hint("ask an operator for it (aosctl status shows it as the log), then:")
                    .hint(format!("aosctl operator create {} --origin aosctl/...", stem(name))));
            }
            Err(e) => return Err(e),
        },
    };
    if !is_origin(&origin) {
        return Err(CliError::usage(safe(&IdentityError::BadOrigin(origin).to_string())));
    }
    let by_default = args.out.is_none();
    let place = ctx.place()?;
    let file = args.out.unwrap_or_else(|| place.operator_file(&origin, &stem(name)));
    if file.symlink_metadata().is_ok() {
        return Err(CliError::could_not(
            "file_exists",
            format!("{} already exists", safe(&file.display().to_string())),
        )
        .because("an identity is never overwritten")
        .hint("write another file: --out FILE"));
    }
    let shown = safe(&file.display().to_string());
    let mut view = OperatorCreateView {
        dry_run: args.dry_run,
        line: None,
        fingerprint: None,
        origin: origin.clone(),
        file: shown.clone(),
    };
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view)
            .note(format!("dry run: nothing was done; the identity would be sealed in {shown}")));
    }
    let passphrase = ctx.new_passphrase("a passphrase for your operator identity")?;
    if by_default {
        prepare_parent(&file)?;
    }
    let line = create_operator(&file, &origin, &passphrase)?;
    let fingerprint = show::fingerprint(&PublicKey(line.public_key).key_id().to_hex());
    view.line = Some(line.to_string());
    view.fingerprint = Some(fingerprint.clone());
    Ok(Outcome::of(Exit::Done, view)
        .note("Sealed in:")
        .note(format!("  {shown}"))
        .note(
            "Send the line to an operator of that workspace. It is public. So that nobody can put another one in its \
             place, read this out to them too, by voice:",
        )
        .note(format!("  {fingerprint}"))
        .note(format!("They type: aosctl operator add {} LINE", stem(name)))
        .note("Then sign with --identity FILE, or AOSCTL_IDENTITY."))
}

/// Read the way the identity room reads it, by making nothing.
fn is_origin(origin: &str) -> bool {
    origin
        .strip_prefix("aosctl/")
        .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// A file name out of a person's name.
fn stem(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    match words.join("-") {
        s if s.is_empty() => "operator".into(),
        s => s.chars().take(60).collect(),
    }
}
