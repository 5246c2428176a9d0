//! `aosctl operator add`.

use std::io::Read;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::commands::connect::view::ids;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::cli::vault::{self, NotResealed};
use crate::domain::event::{Hex32, OperatorEnrolled};
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::identity::EnrolmentLine;
use crate::log::key::PublicKey;
use crate::workspace::Workspace;

/// No line is longer than this, in bytes; a real one has under 250.
const MAX_LINE: u64 = 1024;

/// Enrol another operator, by the line that they sent.
///
/// An operator can do everything that you can: approve, connect, enrol, retire, open the attended secrets of the vault,
/// which are sealed for them too in the same step. Have them read out the fingerprint that
/// `aosctl operator create` showed them, and compare: the line alone may come from somebody else.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Their name, as it will stand in lists
    #[arg(value_name = "NAME")]
    name: String,
    /// The line that `operator create` printed, quoted or not; `-` reads it from stdin
    #[arg(value_name = "LINE", required = true, num_args = 1..=4)]
    line: Vec<String>,
    /// The fingerprint as they read it out; answers the question
    #[arg(long, value_name = "FINGERPRINT")]
    fingerprint: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// An operator who was enrolled, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OperatorAddView {
    /// Nothing was done.
    pub dry_run: bool,
    /// Their id; absent in a dry run.
    pub operator: Option<Id>,
    /// Their name.
    pub name: String,
    /// What they should have read out.
    pub fingerprint: String,
    /// The entry that enrolled them; absent in a dry run.
    pub seq: Option<u64>,
    /// Keys whose attended secrets they can open from now on, or could.
    pub resealed: Vec<Id>,
    /// Attended secrets that you cannot open, and that they cannot either.
    pub not_resealed: Vec<NotResealed>,
}

impl View for OperatorAddView {
    const SCHEMA: &'static str = "aosctl.operator-add/v1";

    fn human(&self, screen: &Screen) -> String {
        let id = self.operator.map(|id| format!(" ({id})")).unwrap_or_default();
        let verb = if self.dry_run { " would be enrolled" } else { " enrolled" };
        let mut out = show::field(screen, "operator", &format!("{}{id}{verb}", self.name))
            + &show::field(screen, "fingerprint", &self.fingerprint);
        if !self.resealed.is_empty() {
            let verb = if self.dry_run { "could open" } else { "can open" };
            out.push_str(&show::field(screen, verb, &ids(&self.resealed)));
        }
        out
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let name = super::check_name(&args.name)?.to_string();
    let line = read_line(&args.line)?;
    let ws = ctx.open()?;
    let key = check(&ws, &line)?;
    refuse_taken(&ws, &name)?;
    let fingerprint = show::fingerprint(&key.key_id().to_hex());
    let facts = ws.facts();
    let mut view = OperatorAddView {
        dry_run: args.dry_run,
        operator: None,
        name: name.clone(),
        fingerprint: fingerprint.clone(),
        seq: None,
        resealed: vault::stale(&ws, &facts, &vault::circle(&facts)?.with(line.public_key))?,
        not_resealed: Vec::new(),
    };
    if let Some(heard) = &args.fingerprint {
        compare(heard, &fingerprint)?;
    }
    if args.dry_run {
        return Ok(Outcome::of(Exit::Done, view).note("dry run: nothing was done"));
    }
    if args.fingerprint.is_none() {
        let prompt = format!(
            "{} will be able to do everything that you can.\nThe fingerprint of this line is\n  {fingerprint}\nHave them read \
             out what they were shown, and compare every digit.",
            safe(&name)
        );
        if !ctx.prompter().confirm_typed(&prompt, "yes", "--fingerprint FINGERPRINT")? {
            return Err(CliError::no("not_confirmed", "nobody was enrolled"));
        }
    }
    let me = ctx.unlock(&ws)?;
    let ((id, appended, resealed), warning) = ws.transact(ctx.clock(), |tx| -> Result<_, CliError> {
        let id = tx.next_id(IdKind::Operator)?;
        let event = OperatorEnrolled {
            id,
            public_key: Hex32(line.public_key),
            proof: data_encoding::HEXLOWER.encode(&line.proof),
            name: Some(name),
        };
        let operators = vault::circle(tx.facts())?.with(line.public_key);
        let appended = tx.append(me.by(), event)?;
        let resealed = vault::reseal(&ws, tx, &me, &operators, &format!("sealed for {id} too"))?;
        Ok((id, appended, resealed))
    })?;
    resealed.clear(&ws);
    view.operator = Some(id);
    view.seq = Some(appended.seq);
    view.resealed.clone_from(&resealed.keys);
    view.not_resealed.clone_from(&resealed.not);
    let out = resealed.tell(Outcome::of(Exit::Done, view).warn_if(warning));
    Ok(out.note("From here on an edit of the audit trail needs two of you."))
}

fn read_line(words: &[String]) -> Result<EnrolmentLine, CliError> {
    let text = if words == ["-"] {
        let mut text = String::new();
        std::io::stdin()
            .take(MAX_LINE)
            .read_to_string(&mut text)
            .map_err(|e| CliError::could_not("io", format!("stdin cannot be read: {e}")))?;
        text
    } else {
        words.join(" ")
    };
    EnrolmentLine::parse(&text).map_err(|e| {
        CliError::usage(safe(&e.to_string())).hint("they get it from: aosctl operator create NAME --origin aosctl/...")
    })
}

/// The line must be for this log, and hold a key that may be enrolled and that its sender has.
fn check(ws: &Workspace, line: &EnrolmentLine) -> Result<PublicKey, CliError> {
    let origin = &ws.origin().name;
    let key = PublicKey(line.public_key);
    if line.origin != *origin {
        return Err(CliError::no("foreign_identity", "the line is for another workspace")
            .because(format!("it is for {}, and this log is {origin}", safe(&line.origin)))
            .hint(format!("have them make one for this log: aosctl operator create NAME --origin {origin}")));
    }
    if let Err(fault) = key.check_enrolment(origin, &line.proof) {
        return Err(CliError::no("proof_of_possession", "the line proves nothing: somebody changed it, or it was cut")
            .because(safe(&fault.to_string()))
            .hint("have it sent again, or made anew"));
    }
    if ws.facts().key_was_used(&line.public_key)? {
        return Err(
            CliError::no("key_used", "this identity was enrolled before").hint("see who decides: aosctl operator list")
        );
    }
    Ok(key)
}

/// Two live operators of one name could not be told apart where names are typed.
fn refuse_taken(ws: &Workspace, name: &str) -> Result<(), CliError> {
    for operator in ws.facts().operators()? {
        if operator.is_live() && ws.operator_name(&operator)?.as_deref() == Some(name) {
            return Err(CliError::no("name_used", format!("{} has that name already", operator.id))
                .hint("choose another name; it is only for people"));
        }
    }
    Ok(())
}

fn compare(heard: &str, shown: &str) -> Result<(), CliError> {
    let digits = |text: &str| text.chars().filter(|c| c.is_ascii_hexdigit()).collect::<String>().to_ascii_lowercase();
    if digits(heard) == digits(shown) {
        return Ok(());
    }
    Err(CliError::no("fingerprint", "the fingerprint is another one; nobody was enrolled")
        .because(format!("the line has {shown}: it is not the one that they made, or it was misheard"))
        .hint("compare again by voice; if it stays so, somebody changed the line on its way"))
}
