//! What was decided, as data.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::outcome::{Screen, View};
use crate::cli::screen::flow;
use crate::cli::show::minute;
use crate::cli::text::{safe, truncate};
use crate::domain::id::{Id, IdKind};
use crate::domain::time::Time;
use crate::workspace::decision::{Answer, Case, Decided};

/// What was decided, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DecisionsView {
    /// Nothing was signed.
    pub dry_run: bool,
    /// Each decision, in order.
    pub decisions: Vec<DecisionView>,
    /// Requests that wait for a decision now; absent where requests were named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<usize>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DecisionView {
    /// Which request.
    pub request: Id,
    /// `approve` or `deny`.
    pub answer: String,
    /// The entry; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// When.
    pub at: Time,
    /// It has to be begun before this moment; absent for a denial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Operators who approved so far.
    pub approved: usize,
    /// Operators who must approve.
    pub needed: usize,
    /// Recorded as decided alone about an edit of the audit trail.
    pub self_approved: bool,
    /// What happens now, in one sentence.
    pub next: String,
    /// What the agent types then; absent where nothing may be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl DecisionView {
    /// A decision, with what happens now.
    pub fn of(case: &Case, d: &Decided, answer: Answer) -> DecisionView {
        DecisionView {
            request: d.request,
            answer: if answer == Answer::Approve { "approve".into() } else { "deny".into() },
            seq: d.seq,
            at: d.at,
            until: d.until,
            approved: d.approved,
            needed: d.needed,
            self_approved: d.self_approved,
            next: next(case, d, answer),
            command: command(case, d, answer),
        }
    }

    /// `r-57 approved: build-bot may run it once before ...: aosctl run r-57`, in words of which the command is one.
    pub fn sentence(&self, dry_run: bool) -> Vec<String> {
        let did = match (self.answer == "approve", dry_run) {
            (true, false) => "approved",
            (true, true) => "would be approved",
            (false, false) => "denied",
            (false, true) => "would be denied",
        };
        let end = if self.command.is_some() { ":" } else { "" };
        let text = format!("{} {did}: {}{end}", self.request, self.next);
        text.split(' ').map(String::from).chain(self.command.clone()).collect()
    }
}

fn next(case: &Case, d: &Decided, answer: Answer) -> String {
    let name = case
        .requester
        .name
        .as_deref()
        .map_or_else(|| case.requester.id.to_string(), |n| truncate(&safe(n), 40).into_owned());
    if answer == Answer::Deny {
        return format!("{name} is told no, and would have to ask again");
    }
    if agreed(case, d) < d.needed {
        let end = d.until.map_or(case.request.until, |u| u.min(case.request.until));
        return format!("{} of {}: another operator must approve it before {}", agreed(case, d), d.needed, minute(end));
    }
    let end = minute(d.until.unwrap_or(d.at));
    let alone = if d.self_approved { " (recorded as self-approved: there is no second operator)" } else { "" };
    let what = if case.request.requester.kind == IdKind::Agent { "run it" } else { "make that edit" };
    format!("{name} may {what} once before {end}{alone}")
}

/// Who agrees. An edit of the audit trail is signed by an operator who carries it out, and that one counts.
fn agreed(case: &Case, d: &Decided) -> usize {
    d.approved + usize::from(case.request.requester.kind == IdKind::Operator)
}

fn command(case: &Case, d: &Decided, answer: Answer) -> Option<String> {
    if answer == Answer::Deny || agreed(case, d) < d.needed {
        return None;
    }
    if case.request.requester.kind == IdKind::Agent {
        return Some(format!("aosctl run {} -- CMD...", d.request));
    }
    // An operator's own request is an edit of the audit trail.
    let entry = case.request.resource.as_str().strip_prefix("entry:").filter(|n| n.parse::<u64>().is_ok())?;
    Some(format!("aosctl audit erase {entry}"))
}

impl View for DecisionsView {
    const SCHEMA: &'static str = "aosctl.decisions/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut text = String::new();
        for d in &self.decisions {
            for (i, line) in flow(&d.sentence(self.dry_run), screen.width.saturating_sub(2)).into_iter().enumerate() {
                text.push_str(if i == 0 { "" } else { "  " });
                text.push_str(&line);
                text.push('\n');
            }
        }
        match self.waiting {
            Some(0) => text.push_str("nothing waits for a decision\n"),
            Some(1) => text.push_str("1 request waits for a decision: aosctl queue\n"),
            Some(n) => text.push_str(&format!("{n} requests wait for a decision: aosctl queue\n")),
            None => {}
        }
        text
    }
}
