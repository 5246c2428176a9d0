//! One request, with everything that a person must see before deciding.

use std::rc::Rc;

use super::{Shown, closed};
use crate::domain::authority::again;
use crate::domain::decide::{Decision, Verdict};
use crate::domain::event::{Event, RequestMade};
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::integration::Integration;
use crate::domain::money::Money;
use crate::domain::point::Point;
use crate::domain::request::{Request, Standing};
use crate::domain::time::{Span, Time};
use crate::workspace::{Trusted, Workspace, WorkspaceError, claim};

/// Somebody, with the name that people know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// `ag-2` or `op-1`.
    pub id: Id,
    /// Foreign text; `None` where none was given or it was erased.
    pub name: Option<String>,
}

/// One request, read from verified entries.
#[derive(Debug, Clone)]
pub struct Case {
    /// What the log says of it.
    pub request: Rc<Request>,
    /// The entry that asked, with the agent's texts. Hostile (law 8).
    pub made: RequestMade,
    /// Members of that entry that were erased since.
    pub erased: Vec<String>,
    /// Where it stands.
    pub standing: Standing,
    /// Who asks.
    pub requester: Party,
    /// Whom it acts for; `None` for an operator's own request.
    pub operator: Option<Party>,
    /// Where.
    pub integration: Option<Rc<Integration>>,
    /// The grant it stands on.
    pub grant: Option<Rc<Grant>>,
    /// Who approved so far, in the order of the request's approvals.
    pub approvers: Vec<Party>,
    /// While somebody can still decide.
    pub open: Option<Open>,
    /// The moment all this was read for.
    pub now: Time,
}

/// What only matters while somebody can still decide.
#[derive(Debug, Clone)]
pub struct Open {
    /// What a decision will sign.
    pub shown: Shown,
    /// Deciding again, as things stand now.
    pub again: Decision,
    /// Why an approval would let nothing run.
    pub in_vain: Option<String>,
    /// What was approved may be begun for so long.
    pub use_within: Span,
    /// What it costs; only where money is at stake.
    pub money: Option<MoneySoFar>,
}

/// What a request costs, beside what was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoneySoFar {
    /// What it asks for; `None` where nobody said how much.
    pub amount: Option<Money>,
    /// Handed out in the last 7 days by all agents, this request left out, in the caps' currency.
    pub spent: Money,
    /// The cap for a move.
    pub per_move: Money,
    /// The cap for any 7 days.
    pub per_week: Money,
}

/// What depends on the present: the points that fire now, the grant, the policy, the money.
pub(super) fn open(facts: &Trusted<'_>, r: &Request, now: Time) -> Result<Open, WorkspaceError> {
    let again = again(r, now, facts)?;
    let policy = facts.policy()?.ok_or_else(|| WorkspaceError::integrity(r.made_seq, "no policy is in force"))?;
    let caps = &policy.rules.caps;
    let shown = Shown {
        leaf: r.leaf.clone(),
        points: r.points.union(&again.points()).copied().collect(),
        grant: r.grant,
        policy: policy.digest.clone(),
    };
    let money = if r.facets.amount.is_some() || shown.points.contains(&Point::Money) {
        let spent = facts.spent_after(now.minus(Span::WEEK), caps.currency, Some(r.id))?;
        let spent = Money::new(caps.currency, spent);
        Some(MoneySoFar { amount: r.facets.amount, spent, per_move: caps.per_move(), per_week: caps.per_week() })
    } else {
        None
    };
    let in_vain = in_vain(facts, r, &again, now)?;
    Ok(Open { shown, in_vain, use_within: policy.rules.requests.use_within, money, again })
}

/// The claim decides again (law 4). What it would refuse now is said before anybody approves it.
fn in_vain(facts: &Trusted<'_>, r: &Request, again: &Decision, now: Time) -> Result<Option<String>, WorkspaceError> {
    if let Some(g) = r.grant
        && !facts.grant(g)?.is_some_and(|g| g.is_live(now))
    {
        return Ok(Some(format!("its grant {g} is not live any more")));
    }
    if r.counting(now).count() < r.approvals.len() {
        return Ok(Some(
            "an approval that it has ran out before the others were there; it has to be asked again".into(),
        ));
    }
    let name = |g: Option<Id>| g.map_or_else(|| "no grant".to_string(), |g| g.to_string());
    Ok(if again.verdict == Verdict::Deny {
        Some(format!("deciding again gives deny: {}", again.reason))
    } else if again.grant != r.grant {
        Some(format!(
            "it was asked on {} and would rest on {} now; it has to be asked again",
            name(r.grant),
            name(again.grant)
        ))
    } else if again.approvers > r.approvers.max(1) {
        Some(format!(
            "{} operators must approve it now, and it was asked for {}; it has to be asked again",
            again.approvers, r.approvers
        ))
    } else {
        None
    })
}

impl Workspace {
    /// Everything about one request, from verified entries. `None`: there is no such request.
    pub fn case(&self, id: Id, now: Time) -> Result<Option<Case>, WorkspaceError> {
        let facts = self.facts();
        if id.kind != IdKind::Request {
            return Ok(None);
        }
        let Some(request) = facts.request(id)? else {
            return Ok(None);
        };
        let Event::RequestMade(made) = self.event(request.made_seq)?.1 else {
            return Err(WorkspaceError::integrity(
                request.made_seq,
                format!("{id} was not asked by entry {}", request.made_seq),
            ));
        };
        let requester = facts.identity(request.requester)?;
        let operator = match requester.as_ref().and_then(|i| i.operator) {
            Some(op) => Some(self.party(&facts, op)?),
            None => None,
        };
        let integration = match request.integration {
            Some(i) => facts.integration(i)?,
            None => None,
        };
        let grant = match request.grant {
            Some(g) => facts.grant(g)?,
            None => None,
        };
        let open = if closed(&request, now).is_none() { Some(open(&facts, &request, now)?) } else { None };
        let approvers = request.approvals.iter().map(|a| self.party(&facts, a.operator)).collect::<Result<_, _>>()?;
        Ok(Some(Case {
            approvers,
            erased: facts.erased_members(request.made_seq)?,
            standing: claim::standing(self, &request, now)?,
            requester: self.party(&facts, request.requester)?,
            operator,
            integration,
            grant,
            open,
            made,
            request,
            now,
        }))
    }

    /// An operator or agent with its name.
    pub fn party(&self, facts: &Trusted<'_>, id: Id) -> Result<Party, WorkspaceError> {
        let name = match facts.identity(id)? {
            Some(i) if id.kind == IdKind::Agent => i.handle.clone(),
            Some(i) => self.operator_name(&i)?,
            None => None,
        };
        Ok(Party { id, name })
    }
}
