//! Asking, approving, claiming, reporting (law 4), at the right and the wrong moment.

use aosctl::domain::access::Access;
use aosctl::domain::decide::Verdict;
use aosctl::domain::event::*;
use aosctl::domain::facts::Facts;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::point::Point;
use aosctl::domain::request::Outcome;
use aosctl::domain::rules::{ActionRule, Tier};
use aosctl::domain::time::{Span, Time};
use aosctl::workspace::Trusted;

use crate::judged::Want::{Counts, Fault, OnlyReplay};
use crate::judged::{Situation, Want, run_all, says};
use crate::world::*;

const AG: &str = "ag-1";

fn asks(name: &str, want: Want, change: impl Fn(&mut RequestMade, &Trusted<'_>) + 'static) -> Situation {
    says(name, AG, want, move |f| {
        let mut b = Asking::refund("5000USD").made(f, id("r-16"), now());
        change(&mut b, f);
        b.into()
    })
}

/// The moment at which a request of the stage ends, and at which approvals made there do.
fn until(r: &str) -> Time {
    let w = crate::judged::stage().copy();
    let ws = w.open();
    let r = ws.facts().request(id(r)).unwrap().unwrap();
    r.approvals.first().map_or(r.until, |a| a.until)
}

fn less(t: Time) -> Time {
    t.minus(Span::from_millis(1))
}

#[test]
fn asking() {
    let frozen = |t: &'static str| {
        move |w: &World, c: &Cast| {
            w.must(c, "log", now(), |_| WorkspaceFrozen { target: id(t), reason: None }.into());
        }
    };
    let all = vec![
        asks("an allow that would be asked about", OnlyReplay("decision_differs"), |b, _| {
            b.decision = Verdict::Allow;
            b.points.clear();
            b.approvers = 0;
            b.until = now().plus(Span::seconds(60));
        }),
        asks("an allow that carries its points", OnlyReplay("decision_differs"), |b, _| {
            b.decision = Verdict::Allow;
            b.until = now().plus(Span::seconds(60));
        }),
        asks("a point left out", OnlyReplay("decision_differs"), |b, _| b.points.clear()),
        asks("another point", OnlyReplay("decision_differs"), |b, _| b.points = [Point::Public].into()),
        asks("another rule", OnlyReplay("decision_differs"), |b, _| b.rule = "grant.covers".into()),
        asks("another grant", OnlyReplay("decision_differs"), |b, _| b.grant = Some(id("g-2"))),
        asks("another agent's grant", OnlyReplay("decision_differs"), |b, _| b.grant = Some(id("g-3"))),
        asks("a lower tier", OnlyReplay("decision_differs"), |b, _| b.tier = Tier::Low),
        asks("less access", OnlyReplay("decision_differs"), |b, _| b.access = Access::Read),
        asks("no approvers", OnlyReplay("decision_differs"), |b, _| b.approvers = 0),
        says("one approver where two are wanted", AG, OnlyReplay("decision_differs"), |f| {
            RequestMade { approvers: 1, ..Asking::public().made(f, id("r-16"), now()) }.into()
        }),
        says("a deny that is said to be an ask", AG, OnlyReplay("decision_differs"), |f| {
            let denied = Asking { access: Some(Access::Admin), ..Asking::refund("1USD") };
            RequestMade { decision: Verdict::Ask, ..denied.made(f, id("r-16"), now()) }.into()
        }),
        says("an allow while everything is frozen", AG, OnlyReplay("decision_differs"), |f| {
            let mut b = Asking::refund("1USD").made(f, id("r-16"), now());
            b.decision = Verdict::Allow;
            b.grant = Some(id("g-1"));
            b.rule = "grant.covers".into();
            b.tier = Tier::Medium;
            b.into()
        })
        .after(frozen("w-1")),
        says("an allow while the agent is frozen", AG, OnlyReplay("decision_differs"), |f| {
            let mut b = Asking::refund("1USD").made(f, id("r-16"), now());
            b.decision = Verdict::Allow;
            b.grant = Some(id("g-1"));
            b.into()
        })
        .after(frozen("ag-1")),
        says("an allow on a grant that expired", AG, OnlyReplay("decision_differs"), |f| {
            let mut b = Asking::refund("1USD").made(f, id("r-16"), now());
            b.until = now().plus(Span::days(31)).plus(Span::seconds(60));
            b.into()
        })
        .at(now().plus(Span::days(31))),
        says("honest deny while frozen", AG, Counts, |f| Asking::refund("1USD").made(f, id("r-16"), now()).into())
            .after(frozen("w-1")),
        asks("an id again", Fault("id_used"), |b, _| b.request = id("r-2")),
        asks("the id of a grant", Fault("id_used"), |b, _| b.request = id("g-16")),
        asks("an idempotency key again", Fault("idempotency_key_used"), |b, _| b.idempotency_key = Some("once".into())),
        asks("another policy", Fault("other_policy"), |b, _| b.policy = "00".repeat(32)),
        asks("longer than the policy lets a question wait", Fault("until"), |b, _| {
            b.until = b.until.plus(Span::from_millis(1));
        }),
        asks("over before it begins", Fault("until"), |b, _| b.until = now()),
        asks("in another agent's name", Fault("not_the_requester"), |b, _| b.agent = id("ag-2")),
        says("an operator asks for what agents ask", "op-1", OnlyReplay("decision_differs"), |f| {
            let b = Asking::refund("1USD").made(f, id("r-16"), now());
            RequestMade { agent: id("op-1"), ..b }.into()
        }),
        says("an agent asks for an audit edit", AG, OnlyReplay("decision_differs"), |f| {
            let mut b = Asking::erasure(3).made(f, id("r-16"), now());
            b.agent = id("ag-1");
            b.into()
        }),
    ];
    println!("situations, asking: {}", run_all(all));
}

fn approves(name: &str, want: Want, change: impl Fn(&mut RequestApproved) + 'static) -> Situation {
    says(name, "op-1", want, move |f| {
        let mut b = approval(f, id("r-2"), now());
        change(&mut b);
        b.into()
    })
}

fn approves_request(name: &str, who: &'static str, r: &'static str, want: Want) -> Situation {
    says(name, who, want, move |f| approval(f, id(r), now()).into())
}

fn other_leaf(f: &Trusted<'_>) -> String {
    f.request(id("r-3")).unwrap().unwrap().leaf.clone()
}

#[test]
fn approving() {
    let last = until("r-2");
    let adopt = |w: &World, c: &Cast| {
        let mut r = rules().0;
        r.recipients += 1;
        w.must(c, "op-1", now(), move |_| adoption(r, "x").into());
    };
    let all = vec![
        approves_request("its own request", "op-1", "r-9", Fault("own_request")),
        approves_request("twice, where two are wanted", "op-2", "r-10", Fault("approved_twice")),
        approves_request("the second of two", "op-1", "r-10", Counts),
        approves_request("what was approved", "op-1", "r-3", Fault("decided")),
        approves_request("what was claimed", "op-1", "r-4", Fault("decided")),
        approves_request("what was denied", "op-1", "r-5", Fault("decided")),
        approves_request("what was withdrawn", "op-1", "r-6", Fault("decided")),
        approves_request("what was allowed by the rules", "op-1", "r-8", Fault("decided")),
        approves_request("what was denied by the rules", "op-1", "r-11", Fault("decided")),
        approves_request("what is done", "op-1", "r-1", Fault("decided")),
        approves("another request's leaf", Fault("other_leaf"), |b| {
            let w = crate::judged::stage().copy();
            b.leaf = other_leaf(&w.open().facts());
        }),
        approves("no leaf", Fault("other_leaf"), |b| b.leaf = String::new()),
        approves("a leaf in capitals", Fault("other_leaf"), |b| b.leaf.make_ascii_uppercase()),
        approves("fewer points", Fault("other_points"), |b| b.points.clear()),
        approves("other points", Fault("other_points"), |b| b.points = [Point::Public].into()),
        approves("more points, shown in advance", OnlyReplay("other_points"), |b| {
            b.points.insert(Point::Public);
        }),
        approves("another policy", Fault("other_policy"), |b| b.policy = "11".repeat(32)),
        approves("another grant", Fault("other_grant"), |b| b.grant = Some(id("g-2"))),
        approves("no grant", Fault("other_grant"), |b| b.grant = None),
        approves("a request that was never made", Fault("no_such_request"), |b| b.request = id("r-99")),
        approves("over before it begins", Fault("until"), |b| b.until = now()),
        approves("longer than the policy lets it be used", Fault("until"), |b| {
            b.until = now().plus(Span::seconds(3600)).plus(Span::from_millis(1));
        }),
        approves("marked as decided alone, and it is no audit edit", Fault("self_approved"), |b| {
            b.self_approved = true
        }),
        approves("the policy's longest use", Counts, |b| b.until = now().plus(Span::seconds(3600))),
        says("the policy of before", "op-1", Fault("other_policy"), |f| {
            let mut b = approval(f, id("r-2"), now());
            b.policy = f.request(id("r-2")).unwrap().unwrap().policy.clone();
            b.into()
        })
        .after(adopt),
        approves_request("the policy of now", "op-1", "r-2", Counts).after(adopt),
        says("for longer than its request lives", "op-1", Counts, move |f| {
            let mut b = approval(f, id("r-2"), less(last));
            b.until = last.plus(Span::from_millis(1));
            b.into()
        })
        .at(less(last)),
        says("in the last millisecond", "op-1", Counts, move |f| approval(f, id("r-2"), less(last)).into())
            .at(less(last)),
        says("in the millisecond in which it ends", "op-1", Fault("expired"), move |f| {
            approval(f, id("r-2"), last).into()
        })
        .at(last),
        approves_request("after its grant was revoked", "op-1", "r-2", Fault("no_live_grant")).after(|w, c| {
            w.must(c, "log", now(), |_| GrantRevoked { grant: id("g-1"), reason: None }.into());
        }),
        approves_request("after its approver was retired", "op-2", "r-2", Fault("signer_not_live")).after(|w, c| {
            w.must(c, "op-1", now(), |_| IdentityRetired { id: id("op-2"), as_of: None, reason: None }.into());
        }),
        approves_request("by the agent that asked", AG, "r-2", Fault("needs_operator")),
        approves_request("by another agent", "ag-2", "r-2", Fault("needs_operator")),
        approves_request("by the log", "log", "r-2", Fault("needs_operator")),
        approves_request("one's agent's request", "op-1", "r-2", Counts),
        says("the audit trail alone, unmarked", "op-2", Fault("self_approved"), |f| {
            approval(f, id("r-16"), later()).into()
        })
        .after(lone_audit_edit)
        .at(later()),
        says("the audit trail alone, marked", "op-2", Counts, |f| {
            RequestApproved { self_approved: true, ..approval(f, id("r-16"), later()) }.into()
        })
        .after(lone_audit_edit)
        .at(later()),
        says("denied after it was approved", "op-1", Fault("decided"), |f| denial_of(f, "r-3").into()),
        says("denied by its requester", "op-1", Fault("own_request"), |f| denial_of(f, "r-9").into()),
        says("denied under another leaf", "op-1", Fault("other_leaf"), |f| {
            RequestDenied { leaf: "00".repeat(32), ..denial_of(f, "r-2") }.into()
        }),
        says("denied without the points", "op-1", Fault("other_points"), |f| {
            RequestDenied { points: Default::default(), ..denial_of(f, "r-2") }.into()
        }),
        says("half approved, then denied", "op-1", Counts, |f| denial_of(f, "r-10").into()),
        says("an agent denies", AG, Fault("needs_operator"), |f| denial_of(f, "r-12").into()),
    ];
    println!("situations, approving: {}", run_all(all));
}

fn later() -> Time {
    now().plus(Span::days(31))
}

/// An agent asks for what the policy calls an audit edit, a month after every operator but op-2 is gone.
fn lone_audit_edit(w: &World, c: &Cast) {
    let mut r = rules().0;
    r.actions.push(about_refunds(vec![Point::Audit], None));
    w.must(c, "op-2", now(), move |_| adoption(r, "x").into());
    let longer = GrantRenewed { grant: id("g-3"), until: Some(later().plus(Span::DAY)), reason: None };
    w.must(c, "op-2", now(), |_| longer.into());
    w.must(c, "op-2", now(), |_| IdentityRetired { id: id("op-1"), as_of: None, reason: None }.into());
    let ask = Asking { requester: id("ag-2"), ..Asking::refund("1USD") };
    w.must(c, "ag-2", later(), |tx| ask.made(tx.facts(), id("r-16"), later()).into());
}

fn denial_of(f: &Trusted<'_>, r: &str) -> RequestDenied {
    denial(f, id(r))
}

fn claims(name: &str, who: &'static str, r: &'static str, want: Want) -> Situation {
    says(name, who, want, move |_| RequestClaimed { request: id(r), mode: ClaimMode::Agent, key: None }.into())
}

/// An operator signs this before.
fn first(event: impl Fn() -> Event + 'static) -> impl Fn(&World, &Cast) + 'static {
    move |w, c| {
        w.must(c, "op-1", now(), |_| event());
    }
}

fn adopts(change: impl Fn(&mut aosctl::domain::rules::Rules) + 'static) -> impl Fn(&World, &Cast) + 'static {
    first(move || {
        let mut r = rules().0;
        change(&mut r);
        adoption(r, "x").into()
    })
}

fn about_refunds(points: Vec<Point>, approvers: Option<u8>) -> ActionRule {
    ActionRule { integration: "*".into(), action: "refund.create".into(), points, tier: None, approvers }
}

#[test]
fn claiming() {
    let (allowed, approved, asked) = (until("r-8"), until("r-3"), until("r-2"));
    let retire = |who: &'static str| first(move || IdentityRetired { id: id(who), as_of: None, reason: None }.into());
    let all = vec![
        claims("an approval", AG, "r-3", Counts),
        claims("twice", AG, "r-4", Fault("claimed")),
        claims("what is done", AG, "r-1", Fault("claimed")),
        claims("what nobody decided", AG, "r-2", Fault("not_allowed")),
        claims("what was denied", AG, "r-5", Fault("not_allowed")),
        claims("what was withdrawn", AG, "r-6", Fault("not_allowed")),
        claims("what the rules denied", AG, "r-11", Fault("not_allowed")),
        claims("with one approval of two", AG, "r-10", Fault("not_allowed")),
        claims("what was never made", AG, "r-99", Fault("no_such_request")),
        claims("another agent's", "ag-2", "r-3", Fault("not_the_requester")),
        claims("by the operator", "op-1", "r-3", Fault("not_the_requester")),
        claims("by the log", "log", "r-3", Fault("not_the_requester")),
        claims("an approval in its last millisecond", AG, "r-3", Counts).at(less(approved)),
        claims("an approval that just ended", AG, "r-3", Fault("expired")).at(approved),
        // The approval would last longer; the request does not.
        claims("an approval of a request that just ended", AG, "r-2", Fault("expired"))
            .after(move |w, c| {
                w.must(c, "op-1", less(asked), move |f| {
                    let mut b = approval(f.facts(), id("r-2"), less(asked));
                    b.until = asked.plus(Span::seconds(1800));
                    b.into()
                });
            })
            .at(asked),
        claims("an allow in its last millisecond", AG, "r-8", Counts).at(less(allowed)),
        claims("an allow that just ended", AG, "r-8", Fault("expired")).at(allowed),
        claims("by itself, where a command is bound", AG, "r-14", Fault("bound_command")),
        says("by run, where a command is bound", AG, Counts, |_| {
            RequestClaimed { request: id("r-14"), mode: ClaimMode::Run, key: None }.into()
        }),
        claims("after the approver retired", AG, "r-3", Counts).after(retire("op-2")),
        claims("after its agent retired", AG, "r-3", Fault("signer_not_live")).after(retire("ag-1")),
        claims("after its operator retired", AG, "r-3", Fault("signer_not_live")).after(|w, c| {
            w.must(c, "op-2", now(), |_| IdentityRetired { id: id("op-1"), as_of: None, reason: None }.into());
        }),
        claims("after its grant was revoked", AG, "r-3", Fault("no_live_grant"))
            .after(first(|| GrantRevoked { grant: id("g-1"), reason: None }.into())),
        claims("an allow after its grant was revoked", AG, "r-8", Fault("no_live_grant"))
            .after(first(|| GrantRevoked { grant: id("g-1"), reason: None }.into())),
        claims("after its grant was narrowed away", AG, "r-3", OnlyReplay("not_allowed"))
            .after(first(|| GrantNarrowed { access: Some(Access::Read), ..narrowing("g-1") }.into())),
        claims("on another grant than was shown", AG, "r-3", OnlyReplay("other_grant")).after(|w, c| {
            let other = grant(
                "g-7",
                "ag-1",
                "i-1",
                "account:acct_1",
                Access::Write,
                aosctl::domain::facets::DataClass::Customer,
            );
            w.must(c, "op-1", now(), |_| other.into());
            w.must(c, "op-1", now(), |_| {
                GrantNarrowed { scope: Some("account:acct_9".parse().unwrap()), ..narrowing("g-1") }.into()
            });
        }),
        claims("while everything is frozen", AG, "r-3", Fault("frozen"))
            .after(first(|| WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into())),
        claims("while the agent is frozen", AG, "r-3", Fault("frozen"))
            .after(first(|| WorkspaceFrozen { target: id("ag-1"), reason: None }.into())),
        claims("after a thaw", AG, "r-3", Counts).after(|w, c| {
            w.must(c, "log", now(), |_| WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into());
            w.must(c, "op-2", now(), |_| WorkspaceThawed { target: Id::WORKSPACE, reason: None }.into());
        }),
        claims("an allow that the policy asks about now", AG, "r-8", OnlyReplay("point_not_shown"))
            .after(adopts(|r| r.caps.per_move = 100)),
        claims("an approval with a point that was not shown", AG, "r-3", OnlyReplay("point_not_shown"))
            .after(adopts(|r| r.actions.push(about_refunds(vec![Point::Public], None)))),
        claims("with one approver where two are wanted now", AG, "r-3", OnlyReplay("too_few_approvers"))
            .after(adopts(|r| r.actions.push(about_refunds(vec![], Some(2))))),
        claims("after the cap was raised over it", AG, "r-3", Counts).after(adopts(|r| r.caps.per_move = 10_000_000)),
        claims("what waits, after the cap was raised over it", AG, "r-2", Fault("not_allowed"))
            .after(adopts(|r| r.caps.per_move = 10_000_000)),
    ];
    println!("situations, claiming: {}", run_all(all));
}

/// An agent that holds its own identity writes an allow for itself, past every check. `audit verify` names it; and the
/// claim, which is where anything begins, decides again.
#[test]
fn a_forged_allow_cannot_be_claimed() {
    let stage = crate::judged::stage();
    for (amount, word) in
        [("5000USD", "point_not_shown"), ("1000.01USD", "point_not_shown"), ("1EUR", "point_not_shown")]
    {
        let w = stage.copy();
        let mut made = Asking::refund(amount).made(&w.open().facts(), id("r-16"), now());
        made.decision = Verdict::Allow;
        made.points.clear();
        made.approvers = 0;
        made.until = now().plus(Span::seconds(3600));
        Forgery::of(&stage.cast, AG, &made.into(), None, now()).seal(&w).append(&w, &stage.cast);
        let refused = w.sign(&stage.cast, AG, now(), |tx| {
            assert!(tx.next_id(IdKind::Request).is_ok());
            RequestClaimed { request: id("r-16"), mode: ClaimMode::Agent, key: None }.into()
        });
        match refused {
            Err(aosctl::workspace::WorkspaceError::Refused(f)) => assert_eq!(f.kind, word),
            other => panic!("{amount}: {other:?}"),
        }
    }
}

#[test]
fn reporting_and_settling() {
    let report = |name: &str, who: &'static str, r: &'static str, outcome, want| {
        says(name, who, want, move |_| finished(r, outcome).into())
    };
    let settle = |name: &str, who: &'static str, r: &'static str, outcome, release, want| {
        says(name, who, want, move |_| RequestResolved { request: id(r), outcome, release, reason: None }.into())
    };
    let withdraw = |name: &str, who: &'static str, r: &'static str, want| {
        says(name, who, want, move |_| RequestWithdrawn { request: id(r), reason: None }.into())
    };
    use Outcome::{Failed, Succeeded, Unknown};
    let all = vec![
        report("what was never begun", AG, "r-3", Succeeded, Fault("not_claimed")),
        report("what was never made", AG, "r-99", Succeeded, Fault("no_such_request")),
        report("a second outcome", AG, "r-1", Failed, Fault("finished")),
        report("an unknown outcome becomes a success by itself", AG, "r-7", Succeeded, Fault("finished")),
        report("another agent's", "ag-2", "r-4", Succeeded, Fault("not_the_requester")),
        report("by the log", "log", "r-4", Failed, Fault("not_the_requester")),
        report("honestly unknown", AG, "r-4", Unknown, Counts),
        report("long after", AG, "r-4", Failed, Counts).at(now().plus(Span::days(300))),
        settle("its own unknown outcome", AG, "r-7", Failed, true, Fault("needs_operator")),
        settle("by the log", "log", "r-7", Failed, false, Fault("needs_operator")),
        settle("what was never begun", "op-1", "r-3", Failed, false, Fault("not_claimed")),
        settle("what is done", "op-1", "r-1", Failed, true, Fault("finished")),
        settle("twice", "op-1", "r-13", Failed, true, Fault("finished")),
        settle("a success that gives the money back", "op-1", "r-7", Succeeded, true, Fault("release")),
        settle("unknown stays unknown and gives the money back", "op-1", "r-7", Unknown, true, Fault("release")),
        settle("what nobody reported", "op-2", "r-4", Succeeded, false, Counts),
        withdraw("what was begun", AG, "r-4", Fault("decided")),
        withdraw("twice", AG, "r-6", Fault("decided")),
        withdraw("what was denied", AG, "r-5", Fault("decided")),
        withdraw("what the rules denied", "op-1", "r-11", Fault("decided")),
        withdraw("another agent's", "ag-2", "r-2", Fault("not_the_requester")),
        withdraw("an allow that is not needed", AG, "r-8", Counts),
        withdraw("an approval that is not needed", "op-1", "r-3", Counts),
    ];
    println!("situations, reporting: {}", run_all(all));
}
