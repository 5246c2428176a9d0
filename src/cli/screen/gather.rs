//! From what the workspace knows of a request to the data of its screen.

use super::view::{
    AgainView, ApprovalView, CommandView, FileView, FiredView, GrantView, IntegrationView, LikeDecisionView, LikeView,
    MoneyView, PartyView, RecordView, RequestView, TextsView,
};
use crate::domain::event::Artifacts;
use crate::workspace::decision::{Case, History, Open};

impl RequestView {
    /// A case and its past as data.
    pub fn of(case: &Case, history: &History) -> RequestView {
        let (r, made) = (&case.request, &case.made);
        RequestView {
            id: r.id,
            standing: case.standing,
            as_of: case.now,
            tier: r.tier,
            requester: (&case.requester).into(),
            acts_for: case.operator.as_ref().map(PartyView::from),
            at: r.at,
            until: r.until,
            action: r.action.clone(),
            resource: r.resource.to_string(),
            access: r.access,
            integration: case.integration.as_ref().map(|i| IntegrationView {
                id: i.id,
                name: i.handle.clone(),
                kind: i.kind.clone(),
                inside: i.inside,
            }),
            integration_typed: made.detail.as_ref().and_then(|d| d.integration.clone()),
            grant: case.grant.as_ref().map(|g| GrantView {
                id: g.id,
                scope: g.scope.to_string(),
                access: g.access,
                data: g.data,
                until: g.until,
                live: g.is_live(case.now),
                key: g.carries.as_ref().map(|c| c.key),
            }),
            facets: r.facets.clone(),
            declared: made.detail.as_ref().and_then(|d| d.declared.clone()),
            decision: r.decision,
            rule: r.rule.clone(),
            points: r.points.iter().copied().collect(),
            approvers: r.approvers,
            again: case.open.as_ref().map(again),
            money: case.open.as_ref().and_then(|o| o.money).map(|m| MoneyView {
                amount: m.amount,
                spent_in_7_days: m.spent,
                cap_move: m.per_move,
                cap_week: m.per_week,
            }),
            says: texts(case),
            erased: case.erased.clone(),
            approvals: approvals(case),
            outcome: r.outcome,
            record: record(history),
            like: like(history),
            seq: r.made_seq,
            leaf: r.leaf.clone(),
            policy: r.policy.clone(),
            entries: Vec::new(),
        }
    }
}

fn again(o: &Open) -> AgainView {
    AgainView {
        decision: o.again.verdict,
        reason: o.again.reason.clone(),
        fired: o
            .again
            .fired
            .iter()
            .map(|f| FiredView { point: f.point, rule: f.rule.into(), why: f.why.clone() })
            .collect(),
        points: o.shown.points.iter().copied().collect(),
        policy: o.shown.policy.clone(),
        in_vain: o.in_vain.clone(),
    }
}

fn texts(case: &Case) -> TextsView {
    let made = &case.made;
    let none = Artifacts { command: None, files: Vec::new() };
    let artifacts = made.artifacts.as_ref().unwrap_or(&none);
    TextsView {
        summary: made.summary.clone(),
        recommendation: made.recommendation.clone(),
        rationale: made.rationale.clone(),
        alternatives: made.alternatives.clone().unwrap_or_default(),
        rollback: made.rollback.clone(),
        unsure: made.unsure,
        unsure_why: made.detail.as_ref().and_then(|d| d.unsure.clone()),
        mission: made.mission.clone(),
        model: made.model.clone(),
        idempotency_key: made.idempotency_key.clone(),
        parameters: made.parameters.clone(),
        diff: made.diff.clone(),
        bound_command: made.bound_command,
        command: artifacts.command.as_ref().map(|c| CommandView {
            program: c.program.clone(),
            program_sha256: c.program_sha256.clone(),
            argv: c.argv.clone(),
            directory: c.directory.clone(),
            environment: c.environment.clone(),
            stdin_sha256: c.stdin_sha256.clone(),
        }),
        files: artifacts
            .files
            .iter()
            .map(|f| FileView { name: f.name.clone(), sha256: f.sha256.clone(), bytes: f.bytes })
            .collect(),
    }
}

fn approvals(case: &Case) -> Vec<ApprovalView> {
    let pairs = case.request.approvals.iter().zip(&case.approvers);
    pairs
        .map(|(a, who)| ApprovalView {
            operator: who.into(),
            seq: a.seq,
            until: a.until,
            points: a.points.iter().copied().collect(),
        })
        .collect()
}

fn record(h: &History) -> RecordView {
    let r = &h.requester;
    RecordView {
        since: r.since,
        whole_log: r.whole_log,
        asked: r.asked,
        succeeded: r.succeeded,
        failed: r.failed,
        unknown: r.unknown,
        denied: r.denied,
        denied_by_rule: r.denied_by_rule,
        lapsed: r.lapsed,
        open: r.open,
    }
}

fn like(h: &History) -> LikeView {
    let l = &h.like;
    LikeView {
        approved: l.approved,
        denied: l.denied,
        allowed: l.allowed,
        same_resource: l.same_resource,
        more: l.more,
        last: l
            .last
            .iter()
            .map(|d| LikeDecisionView {
                request: d.request,
                how: d.how,
                by: d.by.iter().map(PartyView::from).collect(),
                at: d.at,
                reason: d.reason.clone(),
                same_resource: d.same_resource,
            })
            .collect(),
    }
}
