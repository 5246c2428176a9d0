//! The policy and the record itself: adoption, erasure, voiding, and entries that are no events of ours.

use aosctl::domain::event::*;
use aosctl::domain::facts::Facts;
use aosctl::domain::id::Id;
use aosctl::domain::rules::RULES_VERSION;
use aosctl::domain::time::{Span, Time};
use aosctl::log::verdict::{Check, Status};
use aosctl::workspace::Trusted;
use rusqlite::params;
use serde_json::{Map, Value, json};

use crate::judged::Want::{Counts, Fault, OnlyReplay};
use crate::judged::{Situation, Want, must_say, run_all, says, stage};
use crate::matrix::{approval_seq, made_seq, new_grant};
use crate::world::*;

/// `ag-2` gives itself a grant. The list of invalid entries says so, as after a verification.
pub fn with_an_invalid_entry(w: &World, c: &Cast) {
    let event: Event = GrantIssued { grant: id("g-20"), agent: id("ag-2"), ..new_grant() }.into();
    invalid_entry(w, c, "ag-2", &event, "needs_operator", true);
}

fn invalid_entry(w: &World, c: &Cast, who: &str, event: &Event, fault: &str, voidable: bool) {
    let sealed = Forgery::of(c, who, event, None, now()).seal(w);
    sealed.append(w, c);
    w.sql()
        .execute(
            "INSERT INTO invalid (seq, leaf, actor, subject, fault, voidable) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                i64::try_from(sealed.entry.seq).unwrap(),
                sealed.entry.leaf,
                Cast::actor(who),
                event.subject(None).unwrap().to_string(),
                fault,
                voidable
            ],
        )
        .unwrap();
}

/// Voids the newest invalid entry.
pub fn voiding(f: &Trusted<'_>) -> EntryVoided {
    let bad = (0..200).rev().find_map(|n| f.invalid(n).unwrap()).expect("an invalid entry");
    EntryVoided { seq: bad.seq, leaf: bad.leaf, reason: Some("forged".into()) }
}

fn erases(
    name: &str,
    who: &'static str,
    want: Want,
    make: impl Fn(&Trusted<'_>) -> PayloadErased + 'static,
) -> Situation {
    says(name, who, want, move |f| make(f).into())
}

/// An edit of the entry that made r-2, by op-1, with op-2's approval, is what the stage has prepared.
fn prepared(f: &Trusted<'_>) -> PayloadErased {
    erasure(made_seq(f, "r-2"), "summary", &[approval_seq(f, "r-9")])
}

#[test]
fn policy_and_erasures() {
    let retire = |w: &World, c: &Cast| {
        w.must(c, "op-1", now(), |_| IdentityRetired { id: id("op-2"), as_of: None, reason: None }.into());
    };
    let all = vec![
        says("a digest of other rules", "op-1", OnlyReplay("policy_digest"), |_| {
            PolicyAdopted { digest: "ab".repeat(32), ..adoption(rules().0, "x") }.into()
        }),
        says("rules that this aosctl does not know", "op-1", Fault("rules_version"), |_| {
            let mut r = rules().0;
            r.version = RULES_VERSION + 1;
            adoption(r, "x").into()
        }),
        says("a policy by an agent", "ag-1", Fault("needs_operator"), |_| adoption(rules().0, "x").into()),
        says("a policy by the log", "log", Fault("needs_operator"), |_| adoption(rules().0, "x").into()),
        says("a policy by a retired operator", "op-3", Fault("signer_not_live"), |_| adoption(rules().0, "x").into()),
        erases("by two", "op-1", Counts, prepared),
        erases("alone", "op-1", Fault("too_few_approvers"), |f| PayloadErased { approvals: [].into(), ..prepared(f) }),
        erases("alone, right after retiring the other", "op-1", Fault("too_few_approvers"), |f| PayloadErased {
            approvals: [].into(),
            ..prepared(f)
        })
        .after(retire),
        erases("alone, a month after retiring the other", "op-1", Counts, |f| PayloadErased {
            approvals: [].into(),
            ..prepared(f)
        })
        .after(retire)
        .at(now().plus(Span::MONTH)),
        erases("by the approver alone", "op-2", Fault("too_few_approvers"), prepared),
        erases("a member that may not be erased", "op-1", Fault("not_erasable"), |f| PayloadErased {
            members: ["action".into()].into(),
            ..prepared(f)
        }),
        erases("a member that is not there", "op-1", Fault("not_erasable"), |f| PayloadErased {
            members: ["diff".into()].into(),
            ..prepared(f)
        }),
        erases("nothing", "op-1", Fault("not_erasable"), |f| PayloadErased { members: [].into(), ..prepared(f) }),
        erases("one that may be, one that may not", "op-1", Fault("not_erasable"), |f| PayloadErased {
            members: ["summary".into(), "points".into()].into(),
            ..prepared(f)
        }),
        erases("what is gone", "op-1", Fault("not_erasable"), |f| {
            erasure(made_seq(f, "r-1"), "summary", &[approval_seq(f, "r-15")])
        }),
        erases("with an approval of another edit", "op-1", Fault("not_an_approval"), |f| {
            erasure(made_seq(f, "r-2"), "summary", &[approval_seq(f, "r-15")])
        }),
        erases("with an approval of something else", "op-1", Fault("not_an_approval"), |f| {
            erasure(made_seq(f, "r-2"), "summary", &[approval_seq(f, "r-3")])
        }),
        erases("with an entry that is no approval", "op-1", Fault("not_an_approval"), |f| {
            erasure(made_seq(f, "r-2"), "summary", &[made_seq(f, "r-9")])
        }),
        erases("with an approval that comes later", "op-1", Fault("not_an_approval"), |f| {
            erasure(made_seq(f, "r-2"), "summary", &[10_000])
        }),
        erases("with an approval that ran out", "op-1", Fault("not_an_approval"), prepared).at(now().plus(Span::DAY)),
        erases("of an edit that was withdrawn", "op-1", Fault("not_an_approval"), prepared).after(|w, c| {
            w.must(c, "op-1", now(), |_| RequestWithdrawn { request: id("r-9"), reason: None }.into());
        }),
        erases("of an edit that was denied", "op-1", Fault("not_an_approval"), prepared).after(|w, c| {
            w.must(c, "op-2", now(), |_| denial(&w.open().facts(), id("r-9")).into());
        }),
        erases("while the edit waits for nobody", "ag-1", Fault("needs_operator"), prepared),
        erases("an entry that is not there", "op-1", Fault("no_such_entry"), |f| PayloadErased {
            seq: 10_000,
            ..prepared(f)
        }),
    ];
    println!("situations, policy and erasures: {}", run_all(all));
}

#[test]
fn voiding_invalid_entries() {
    let own = |w: &World, c: &Cast| {
        let event: Event = GrantIssued { integration: id("i-9"), ..new_grant() }.into();
        invalid_entry(w, c, "op-1", &event, "no_such_integration", true);
    };
    let about_op_2 = |w: &World, c: &Cast| {
        let event: Event = IdentityRetired { id: id("op-2"), as_of: None, reason: None }.into();
        invalid_entry(w, c, "ag-2", &event, "needs_operator", true);
    };
    let voided = |w: &World, c: &Cast| {
        with_an_invalid_entry(w, c);
        w.must(c, "op-1", now(), |tx| voiding(tx.facts()).into());
    };
    let all = vec![
        says("an invalid entry", "op-1", Counts, |f| voiding(f).into()).after(with_an_invalid_entry),
        says("an invalid entry, by the other", "op-2", Counts, |f| voiding(f).into()).after(with_an_invalid_entry),
        says("its own invalid entry", "op-1", Fault("own_entry"), |f| voiding(f).into()).after(own),
        says("another's", "op-2", Counts, |f| voiding(f).into()).after(own),
        says("what it is the subject of", "op-2", Fault("own_entry"), |f| voiding(f).into()).after(about_op_2),
        says("what another is the subject of", "op-1", Counts, |f| voiding(f).into()).after(about_op_2),
        says("under another leaf", "op-1", Fault("other_leaf"), |f| {
            EntryVoided { leaf: "00".repeat(32), ..voiding(f) }.into()
        })
        .after(with_an_invalid_entry),
        says("by the agent that made it", "ag-2", Fault("needs_operator"), |f| voiding(f).into())
            .after(with_an_invalid_entry),
        says("twice", "op-2", Fault("voided"), |f| voiding(f).into()).after(voided),
    ];
    println!("situations, voiding: {}", run_all(all));
}

/// Tables that call a valid entry invalid convince nobody who replays.
#[test]
fn a_valid_entry_cannot_be_voided() {
    let stage = stage();
    let w = stage.copy();
    let ws = w.open();
    let g = ws.facts().grant(id("g-5")).unwrap().unwrap();
    let (seq, event) = (g.revoked_seq.unwrap(), Event::from(GrantRevoked { grant: g.id, reason: None }));
    let leaf = ws.event(seq).unwrap().0.leaf;
    drop(ws);
    w.sql()
        .execute(
            "INSERT INTO invalid (seq, leaf, actor, subject, fault, voidable) VALUES (?1, ?2, 'log', 'g-5', 'x', 1)",
            params![i64::try_from(seq).unwrap(), leaf],
        )
        .unwrap();
    let before = w.believed();
    w.must(&stage.cast, "op-1", now(), |_| EntryVoided { seq, leaf: leaf.clone(), reason: None }.into());
    assert_eq!(before, w.believed(), "the revocation still counts: {}", event.name());
    let v = w.verify();
    assert_eq!(v.report.status(Check::Authority), Status::Failed);
    // Nothing invalid lies there, so there is no subject that it could rightly carry.
    assert!(v.invalid.iter().any(|e| e.fault == "subject"), "{:?}", v.invalid);
    assert!(v.differences.iter().any(|d| d.table == "invalid" && d.row == seq.to_string()), "{:?}", v.differences);
}

fn body(v: Value) -> Map<String, Value> {
    v.as_object().unwrap().clone()
}

/// Entries that are no events of ours, and events with something wrong around them.
#[test]
fn what_is_no_event_counts_for_nothing() {
    let stage = stage();
    let c = &stage.cast;
    let revoke = json!({"grant": "g-1"});
    let issue = serde_json::to_value(new_grant()).unwrap();
    let with = |v: &Value, name: &str, value: Value| {
        let mut v = v.clone();
        v[name] = value;
        v
    };
    let without = |v: &Value, name: &str| {
        let mut v = v.clone();
        v.as_object_mut().unwrap().remove(name);
        v
    };
    let cases: Vec<(&str, &str, &str, Value, &str)> = vec![
        ("a type that nobody defined", "grant.widened/1", "g-1", revoke.clone(), "unknown_type"),
        ("a version that nobody defined", "grant.issued/2", "g-7", issue.clone(), "unknown_type"),
        ("a key's event that nobody defined", "key.borrowed/1", "k-1", json!({"key": "k-1"}), "unknown_type"),
        ("a member too many", "grant.issued/1", "g-7", with(&issue, "admin", json!(true)), "body"),
        ("a member too few", "grant.issued/1", "g-7", without(&issue, "scope"), "body"),
        ("a member of another type", "grant.issued/1", "g-7", with(&issue, "access", json!(3)), "body"),
        ("an access that there is not", "grant.issued/1", "g-7", with(&issue, "access", json!("owner")), "body"),
        ("an id that is none", "grant.issued/1", "g-7", with(&issue, "grant", json!("g-07")), "body"),
        ("a scope that is none", "grant.issued/1", "g-7", with(&issue, "scope", json!("")), "body"),
        (
            "an end that is no time",
            "grant.issued/1",
            "g-7",
            with(&issue, "until", json!("2027-02-30T00:00:00.000Z")),
            "body",
        ),
        ("another type's body", "grant.issued/1", "g-7", revoke.clone(), "body"),
        ("an empty body", "grant.issued/1", "g-7", json!({}), "body"),
        ("about another grant than it says", "grant.issued/1", "g-8", issue.clone(), "subject"),
        ("about nothing", "grant.issued/1", "", issue.clone(), "subject"),
        ("a revocation hidden under another subject", "grant.revoked/1", "g-2", revoke.clone(), "subject"),
        ("a revocation about nothing", "grant.revoked/1", "", revoke.clone(), "subject"),
        (
            "a policy about a grant",
            "policy.adopted/1",
            "g-1",
            serde_json::to_value(adoption(rules().0, "x")).unwrap(),
            "subject",
        ),
        ("a freeze hidden under a grant", "workspace.frozen/1", "g-1", json!({"target": "w-1"}), "subject"),
    ];
    let count = cases.len();
    for (name, kind, subject, value, fault) in cases {
        let fault: &'static str = Box::leak(fault.to_string().into_boxed_str());
        let w = stage.copy();
        let before = w.believed();
        let forged = Forgery {
            actor: "op-1".into(),
            signer: c.signer("op-1"),
            kind: kind.into(),
            subject: subject.into(),
            body: body(value),
            at: now(),
        };
        let sealed = forged.seal(&w);
        sealed.append(&w, c);
        must_say(&w, &sealed, Want::Fault(fault), name);
        // The hot path believes what it believed, or refuses to say anything about that subject.
        for (a, b) in before.lines().zip(w.believed().lines()) {
            assert!(a == b || b.starts_with("Err(Integrity"), "{name}:\n{a}\n{b}");
        }
    }
    println!("situations, no events: {count}");
}

/// Times that go back break the chain, whoever signs.
#[test]
fn backdated_entries_are_named() {
    let stage = stage();
    let c = &stage.cast;
    let early: Time = "2026-11-21T09:30:00.000Z".parse().unwrap();
    let events: Vec<(&str, Event)> = vec![
        ("op-1", new_grant().into()),
        ("op-1", GrantRenewed { grant: id("g-1"), until: Some(now().plus(Span::days(90))), reason: None }.into()),
        ("ag-1", RequestClaimed { request: id("r-8"), mode: ClaimMode::Agent, key: None }.into()),
        ("op-2", WorkspaceThawed { target: id("ag-3"), reason: None }.into()),
        ("log", WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into()),
        ("op-1", WorkspaceFrozen { target: id("ag-1"), reason: None }.into()),
    ];
    let count = events.len();
    for (who, event) in events {
        let w = stage.copy();
        let sealed = Forgery::of(c, who, &event, None, early).seal(&w);
        sealed.append(&w, c);
        let v = w.verify();
        let chain = v.report.get(Check::Chain).unwrap();
        assert_eq!((chain.status, chain.first_bad_seq), (Status::Failed, Some(sealed.entry.seq)), "{}", event.name());
        assert!(v.report.failed());
    }
    // And forwards: more than five minutes ahead of the clock a writer refuses to go on, and a verifier says it.
    let w = stage.copy();
    let late = now().plus(Span::days(2));
    let event: Event = WorkspaceFrozen { target: id("ag-1"), reason: None }.into();
    Forgery::of(c, "ag-1", &event, None, late).seal(&w).append(&w, c);
    let refused = w.sign(c, "op-1", now(), |_| new_grant().into());
    assert!(matches!(refused, Err(aosctl::workspace::WorkspaceError::ClockBehind { .. })), "{refused:?}");
    assert_eq!(w.verify_at(now()).ahead_of_clock, Some(late));
    println!("situations, times: {}", count + 1);
}
