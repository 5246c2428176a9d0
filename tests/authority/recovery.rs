//! New keys for operators, and the identity on paper that can give one.

use aosctl::domain::event::*;
use aosctl::domain::facts::Facts;
use aosctl::identity::Signer;
use aosctl::workspace::Trusted;

use crate::judged::Want::{BadSignature, Counts, Fault};
use crate::judged::{Situation, run_all, says, stage};
use crate::matrix::{new_agent, new_grant, new_key_of, new_operator, new_recovery};
use crate::world::*;

fn origin() -> String {
    stage().copy().open().facts().origin().unwrap().unwrap().name.clone()
}

fn paper() -> RecoveryEnrolled {
    let key = stage().cast.signer("paper");
    RecoveryEnrolled {
        id: id("op-5"),
        operator: id("op-1"),
        public_key: Hex32(key.public()),
        proof: proof(key, &origin()),
    }
}

/// The next key of somebody, as the cast holds it.
fn next(operator: &str, key: &Signer) -> OperatorRotated {
    OperatorRotated {
        id: id(operator),
        public_key: Hex32(key.public()),
        proof: proof(key, &origin()),
        reason: Some("a month has passed".into()),
    }
}

fn enrolled(w: &World, c: &Cast) {
    w.must(c, "op-1", now(), |_| paper().into());
}

fn rotated(w: &World, c: &Cast) {
    w.must(c, "op-1", now(), |_| next("op-1", c.signer("renewed")).into());
}

fn by_paper(name: &str, word: &'static str, make: impl Fn(&Trusted<'_>) -> Event + 'static) -> Situation {
    says(name, "paper", Fault(word), make).after(enrolled)
}

#[test]
fn a_recovery_identity_has_one_right() {
    run_all(vec![
        says("before it is enrolled", "paper", BadSignature, |f| new_key_of("op-1", f).into()),
        says("gives its operator a new key", "paper", Counts, |f| new_key_of("op-1", f).into()).after(enrolled),
        by_paper("gives another operator a new key", "not_own", |f| new_key_of("op-2", f).into()),
        by_paper("gives itself a new key", "not_own", |f| new_key_of("op-5", f).into()),
        by_paper("enrols an operator", "needs_operator", |f| new_operator(f).into()),
        by_paper("enrols an agent", "needs_operator", |f| new_agent(f).into()),
        by_paper("enrols another recovery identity", "needs_operator", |f| new_recovery(f).into()),
        by_paper("opens a door", "needs_operator", |_| new_grant().into()),
        by_paper("closes a door", "not_the_holder", |_| GrantRevoked { grant: id("g-1"), reason: None }.into()),
        by_paper("freezes", "needs_operator", |_| WorkspaceFrozen { target: id("w-1"), reason: None }.into()),
        by_paper("approves", "needs_operator", |f| approval(f, id("r-2"), now()).into()),
        by_paper("asks", "not_the_requester", |f| {
            let asked = Asking { requester: id("op-5"), ..Asking::refund("1USD") };
            asked.made(f, id("r-16"), now()).into()
        }),
        by_paper("takes a request back", "not_the_requester", |_| {
            RequestWithdrawn { request: id("r-2"), reason: None }.into()
        }),
        by_paper("says that a key leaked", "needs_operator", |_| {
            KeyLeaked { key: id("k-1"), revoked: vec![], frozen: vec![], reason: None }.into()
        }),
        by_paper("retires somebody", "needs_operator", |_| {
            IdentityRetired { id: id("op-2"), as_of: None, reason: None }.into()
        }),
        by_paper("accepts a rollback", "needs_operator", |_| {
            RollbackAccepted { pin_size: 1, pin_root: "0".repeat(64), reason: None }.into()
        }),
    ]);
}

#[test]
fn a_recovery_identity_is_nobody_else() {
    let retire = |who: &str| IdentityRetired { id: id(who), as_of: None, reason: None };
    let mut all = vec![
        says("an agent acts for it", "op-1", Fault("operator_not_live"), |f| {
            AgentEnrolled { operator: id("op-5"), ..new_agent(f) }.into()
        })
        .after(enrolled),
        says("it owns a grant", "op-1", Fault("owner_not_live"), |_| {
            GrantIssued { owner: id("op-5"), ..new_grant() }.into()
        })
        .after(enrolled),
        says("another one has its id", "op-1", Fault("id_used"), |f| {
            RecoveryEnrolled { id: id("op-5"), ..new_recovery(f) }.into()
        })
        .after(enrolled),
        says("it counts as the second operator", "op-1", Fault("last_operator"), move |_| retire("op-1").into()).after(
            move |w, c| {
                enrolled(w, c);
                w.must(c, "op-1", now(), |_| retire("op-2").into());
            },
        ),
        says("it is retired like everybody", "op-2", Counts, move |_| retire("op-5").into()).after(enrolled),
        says("it signs after that", "paper", Fault("signer_not_live"), |f| new_key_of("op-1", f).into()).after(
            move |w, c| {
                enrolled(w, c);
                w.must(c, "op-2", now(), |_| retire("op-5").into());
            },
        ),
        says("its operator is retired", "paper", Fault("retired"), |f| new_key_of("op-1", f).into()).after(
            move |w, c| {
                enrolled(w, c);
                w.must(c, "op-2", now(), |_| retire("op-1").into());
            },
        ),
    ];
    all.push(says("with an agent's id", "op-1", Fault("id_kind"), |f| {
        RecoveryEnrolled { id: id("ag-9"), ..new_recovery(f) }.into()
    }));
    all.push(says("without a proof", "op-1", Fault("proof_of_possession"), |f| {
        RecoveryEnrolled { proof: String::new(), ..new_recovery(f) }.into()
    }));
    run_all(all);
}

#[test]
fn an_operator_with_a_new_key() {
    run_all(vec![
        says("signs with it", "renewed", Counts, |f| new_agent(f).into()).after(rotated),
        says("signs with the old one", "op-1", BadSignature, |f| new_agent(f).into()).after(rotated),
        says("signs with it too early", "renewed", BadSignature, |f| new_agent(f).into()),
        says("takes the old one again", "renewed", Fault("key_used"), |_| {
            next("op-1", stage().cast.signer("op-1")).into()
        })
        .after(rotated),
        says("takes an agent's", "op-1", Fault("key_used"), |_| next("op-1", stage().cast.signer("ag-1")).into()),
        says("the old one for another", "renewed", Fault("key_used"), |f| {
            let old = stage().cast.signer("op-1");
            let mut b = new_operator(f);
            (b.public_key, b.proof) = (Hex32(old.public()), proof(old, &origin()));
            b.into()
        })
        .after(rotated),
        says("without a proof", "op-1", Fault("proof_of_possession"), |f| {
            OperatorRotated { proof: String::new(), ..new_key_of("op-1", f) }.into()
        }),
        says("retired", "op-3", Fault("signer_not_live"), |f| new_key_of("op-3", f).into()),
        // Two keys are not two people.
        says("approves a second time", "renewed-2", Fault("approved_twice"), |f| approval(f, id("r-10"), now()).into())
            .after(|w, c| {
                w.must(c, "op-2", now(), |_| next("op-2", c.signer("renewed-2")).into());
            }),
        says("an agent of it goes on", "ag-1", Counts, |f| Asking::refund("10USD").made(f, id("r-16"), now()).into())
            .after(rotated),
    ]);
}
