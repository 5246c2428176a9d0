//! The page that the verbs of `review` work on.

use crate::cli::error::CliError;
use crate::cli::outcome::Screen;
use crate::cli::screen::flow;
use crate::cli::show::day;
use crate::cli::text::safe;
use crate::domain::facts::Facts;
use crate::domain::review::Month;
use crate::domain::time::Time;
use crate::review;
use crate::review::model::{Item, ItemKind, Review, Who};
use crate::workspace::Workspace;

/// The month of which the first review is: that of the log's beginning.
pub fn first(ws: &Workspace) -> Result<Month, CliError> {
    Ok(Month::of(ws.event(0)?.0.at))
}

/// The month that is meant: the one that was named, which must be over, or else the last one that is.
pub fn month(ws: &Workspace, named: Option<Month>, now: Time) -> Result<Month, CliError> {
    let last = Month::of(now).before();
    let first = first(ws)?;
    // The month of the log's beginning is not over: there is none to name instead.
    if last < first && named.is_none_or(|m| m <= first) {
        let from = day(first.end());
        return Err(CliError::no("month_not_over", format!("the first review is of {first}, from {from} on"))
            .because("the log began in that month, and it is not over yet")
            .hint(format!("look at it as it stands: aosctl review --month {first}")));
    }
    match named {
        Some(month) if month > last && last < first => {
            Err(CliError::no("month_not_over", format!("{month} is not over yet, and is reviewed when it is"))
                .hint(format!("the first review is of {first}, from {} on", day(first.end()))))
        }
        None => Ok(last),
        Some(month) if month <= last => Ok(month),
        Some(month) => {
            Err(CliError::no("month_not_over", format!("{month} is not over yet, and is reviewed when it is"))
                .hint(format!("the last month that is over: --month {last}"))
                .hint(format!("look at it as it stands: aosctl review --month {month}")))
        }
    }
}

/// The page of a month that is over, with what was decided so far.
pub fn compute(ws: &Workspace, month: Month, clock: Time) -> Result<Review, CliError> {
    Ok(review::compute(ws, month, None, clock)?)
}

/// Who has to review, in words: `ops (op-1)`, or any operator.
pub fn owner(review: &Review) -> String {
    review.duty.owner.as_ref().map_or_else(|| "an operator".into(), who)
}

/// `ci-bot (ag-2)`. Foreign text.
pub fn who(w: &Who) -> String {
    w.name.as_ref().map_or_else(|| w.id.to_string(), |name| format!("{name} ({})", w.id))
}

/// What an item is, in one line: `ci-bot: write to github-main, repo:acme/*`. Foreign text.
pub fn about(item: &Item) -> String {
    let name = item.name.clone().unwrap_or_else(|| item.id.to_string());
    let short = |w: &Option<Who>| w.as_ref().map(|w| w.name.clone().unwrap_or_else(|| w.id.to_string()));
    let at = short(&item.integration).map(|i| format!(" to {i}")).unwrap_or_default();
    let scope = item.scope.as_ref().map(|s| format!(", {s}")).unwrap_or_default();
    match item.kind {
        ItemKind::Grant => {
            let agent = short(&item.agent).unwrap_or_default();
            let access = item.access.map(|a| a.to_string()).unwrap_or_default();
            format!("{agent}: {access}{at}{scope}")
        }
        ItemKind::Key => format!("key {name}{at}{scope}"),
        ItemKind::Agent => format!("agent {name}"),
        ItemKind::Operator => format!("operator {name}"),
        ItemKind::Integration => format!("integration {name}"),
    }
}

/// Live operators.
pub fn live_operators(ws: &Workspace) -> Result<usize, CliError> {
    Ok(ws.facts().operators()?.iter().filter(|o| o.is_live()).count())
}

/// `name      text`, the text folded under itself; a command at its end stays in one piece. Foreign text is made safe here.
pub fn labelled(screen: &Screen, name: &str, text: &str) -> String {
    let mut out = String::new();
    for (i, line) in folded(text, screen.width.saturating_sub(MARGIN)).into_iter().enumerate() {
        let label = if i == 0 { name } else { "" };
        out.push_str(&format!("{label:<MARGIN$}{line}\n"));
    }
    out
}

/// As wide as the names of fields are.
const MARGIN: usize = 14;

/// Our own text on lines of that width; a command at its end stays in one piece. Never for a note: whoever wrote it could
/// make it look like a line of ours.
pub fn folded(text: &str, width: usize) -> Vec<String> {
    let text = safe(text);
    let (said, command) = match text.find(": aosctl ") {
        Some(at) => text.split_at(at + 1),
        None => (text.as_str(), ""),
    };
    let mut words: Vec<String> = said.split(' ').map(String::from).collect();
    words.extend((!command.is_empty()).then(|| command.trim().to_string()));
    flow(&words, width)
}

/// Somebody's text on lines of that width.
pub fn folded_foreign(text: &str, width: usize) -> Vec<String> {
    let words: Vec<String> = safe(text).split(' ').map(String::from).collect();
    flow(&words, width)
}
