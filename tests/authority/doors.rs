//! Integrations, grants, freezes, at the right and the wrong moment.

use aosctl::domain::access::Access;
use aosctl::domain::event::*;
use aosctl::domain::facets::DataClass;
use aosctl::domain::id::Id;
use aosctl::domain::time::{Span, Time};

use crate::judged::Want::{Counts, Fault};
use crate::judged::{Situation, run_all, says};
use crate::matrix::new_grant;
use crate::world::*;

fn issued(name: &str, word: &'static str, change: impl Fn(&mut GrantIssued) + 'static) -> Situation {
    says(name, "op-1", Fault(word), move |_| {
        let mut g = new_grant();
        change(&mut g);
        g.into()
    })
}

fn narrowed(
    name: &str,
    who: &'static str,
    want: crate::judged::Want,
    change: impl Fn(&mut GrantNarrowed) + 'static,
) -> Situation {
    says(name, who, want, move |_| {
        let mut g = narrowing("g-2");
        change(&mut g);
        g.into()
    })
}

fn end() -> Time {
    now().plus(Span::days(30))
}

#[test]
fn grants_at_every_moment() {
    let revoke = |g: &str| GrantRevoked { grant: id(g), reason: None };
    let renew = |g: &str, until| GrantRenewed { grant: id(g), until, reason: None };
    let soon = now().plus(Span::days(10));
    let all = vec![
        issued("an id that lives", "id_used", |g| g.grant = id("g-1")),
        issued("an id that was revoked", "id_used", |g| g.grant = id("g-5")),
        issued("an id of another kind", "id_used", |g| g.grant = id("r-77")),
        issued("for a retired agent", "agent_not_live", |g| g.agent = id("ag-4")),
        issued("for the agent of a retired operator", "agent_not_live", |g| g.agent = id("ag-3")),
        issued("for an agent that nobody enrolled", "agent_not_live", |g| g.agent = id("ag-9")),
        issued("for an operator", "agent_not_live", |g| g.agent = id("op-2")),
        issued("to nowhere", "no_such_integration", |g| g.integration = id("i-9")),
        issued("owned by a retired operator", "owner_not_live", |g| g.owner = id("op-3")),
        issued("owned by an agent", "owner_not_live", |g| g.owner = id("ag-1")),
        issued("a scope that the catalogue does not know", "no_such_scope", |g| {
            g.scope = "planet:earth".parse().unwrap()
        }),
        issued("over before it begins", "until", |g| g.until = Some(now())),
        issued("longer than the policy's longest", "until", |g| {
            g.until = Some(now().plus(Span::days(365)).plus(Span::from_millis(1)));
        }),
        issued("without an end where the policy wants one", "until", |g| g.until = None),
        says("the policy's longest to the millisecond", "op-1", Counts, |_| {
            GrantIssued { until: Some(now().plus(Span::days(365))), ..new_grant() }.into()
        }),
        says("renewed after it was revoked", "op-1", Fault("revoked"), move |_| renew("g-5", Some(soon)).into()),
        says("renewed into the past", "op-1", Fault("until"), move |_| renew("g-1", Some(now())).into()),
        says("renewed for ever", "op-1", Fault("until"), move |_| renew("g-1", None).into()),
        says("renewed for the agent of a retired operator", "op-1", Fault("agent_not_live"), move |_| {
            renew("g-4", Some(soon)).into()
        }),
        says("renewed, never issued", "op-1", Fault("no_such_grant"), move |_| renew("g-9", Some(soon)).into()),
        says("an expired one is renewed", "op-1", Counts, move |_| {
            renew("g-1", Some(end().plus(Span::days(9)))).into()
        })
        .at(end()),
        narrowed("wider access", "op-1", Fault("widens"), |g| g.access = Some(Access::Admin)),
        narrowed("wider access, by the log", "log", Fault("widens"), |g| g.access = Some(Access::Admin)),
        narrowed("wider access, by the holder", "ag-1", Fault("widens"), |g| g.access = Some(Access::Admin)),
        narrowed("a wider scope", "ag-1", Fault("widens"), |g| g.scope = Some("*".parse().unwrap())),
        narrowed("a scope beside it", "ag-1", Fault("widens"), |g| g.scope = Some("repo:other/app".parse().unwrap())),
        narrowed("more delicate data", "ag-1", Fault("widens"), |g| g.data = Some(DataClass::Customer)),
        narrowed("a later end", "ag-1", Fault("widens"), |g| g.until = Some(end().plus(Span::from_millis(1)))),
        narrowed("one narrower, one wider", "op-1", Fault("widens"), |g| {
            g.access = Some(Access::Read);
            g.data = Some(DataClass::Secret);
        }),
        narrowed("everything narrower", "log", Counts, |g| {
            g.scope = Some("repo:acme/app".parse().unwrap());
            g.access = Some(Access::Read);
            g.data = Some(DataClass::Public);
            g.until = Some(now());
        }),
        says("narrowed after it was revoked", "op-1", Fault("revoked"), |_| narrowing("g-5").into()),
        says("revoked twice", "log", Fault("revoked"), move |_| revoke("g-5").into()),
        says("revoked, never issued", "log", Fault("no_such_grant"), move |_| revoke("g-9").into()),
        says("revoked by another agent", "ag-2", Fault("not_the_holder"), move |_| revoke("g-2").into()),
        says("revoked by its holder", "ag-1", Counts, move |_| revoke("g-2").into()),
        says("revoked by the holder whose operator is gone", "ag-3", Fault("signer_not_live"), move |_| {
            revoke("g-4").into()
        }),
        says("that one revoked by the log", "log", Counts, move |_| revoke("g-4").into()),
        says("a grant issued by the log", "log", Fault("needs_operator"), |_| new_grant().into()),
    ];
    println!("situations, grants: {}", run_all(all));
}

#[test]
fn freezes_and_integrations() {
    let freeze = |t: &str| WorkspaceFrozen { target: id(t), reason: None };
    let thaw = |t: &str| WorkspaceThawed { target: id(t), reason: None };
    let frozen = |w: &World, c: &Cast| {
        w.must(c, "log", now(), |_| WorkspaceFrozen { target: Id::WORKSPACE, reason: None }.into());
    };
    let all = vec![
        says("an operator is frozen", "op-1", Fault("no_such_target"), move |_| freeze("op-2").into()),
        says("nobody is frozen", "op-1", Fault("no_such_target"), move |_| freeze("ag-9").into()),
        says("a grant is frozen", "log", Fault("no_such_target"), move |_| freeze("g-1").into()),
        says("another workspace is frozen", "log", Fault("no_such_target"), move |_| freeze("w-2").into()),
        says("an agent freezes another", "ag-2", Fault("needs_operator"), move |_| freeze("ag-1").into()),
        says("an agent freezes everything", "ag-1", Fault("needs_operator"), move |_| freeze("w-1").into()),
        says("frozen twice", "log", Counts, move |_| freeze("w-1").into()).after(frozen),
        says("thawed by the log", "log", Fault("needs_operator"), move |_| thaw("w-1").into()).after(frozen),
        says("thawed by an agent", "ag-1", Fault("needs_operator"), move |_| thaw("w-1").into()).after(frozen),
        says("an agent thaws itself", "ag-1", Fault("needs_operator"), move |_| thaw("ag-1").into()).after(
            move |w, c| {
                w.must(c, "ag-1", now(), |_| freeze("ag-1").into());
            },
        ),
        says("thawed by a retired operator", "op-3", Fault("signer_not_live"), move |_| thaw("w-1").into())
            .after(frozen),
        says("thawed by an operator", "op-2", Counts, move |_| thaw("w-1").into()).after(frozen),
        says("thawed, never frozen", "op-1", Fault("not_frozen"), move |_| thaw("w-1").into()),
        says("an agent thawed, everything frozen", "op-1", Fault("not_frozen"), move |_| thaw("ag-1").into())
            .after(frozen),
        says("an integration's id again", "op-1", Fault("id_used"), |_| integration("i-1", "x", "github", true).into()),
        says("an integration's name again", "op-1", Fault("handle"), |_| {
            integration("i-3", "github", "github", true).into()
        }),
        says("an integration named like an id", "op-1", Fault("handle"), |_| {
            integration("i-3", "ag-1", "github", true).into()
        }),
        says("an integration of a kind that nobody adopted", "op-1", Fault("no_such_kind"), |_| {
            integration("i-3", "x", "slack", true).into()
        }),
        says("an integration under another kind of id", "op-1", Fault("id_used"), |_| {
            integration("g-33", "x", "github", true).into()
        }),
    ];
    println!("situations, freezes and integrations: {}", run_all(all));
}
