use super::*;
use crate::domain::id::Id;

fn kind() -> Kind {
    serde_json::from_value(serde_json::json!({
        "kind": "github", "title": "GitHub", "docs": "", "close": "Delete the token.",
        "scope": [
            {"kind": "environment", "form": "environment:OWNER/REPO/NAME", "segments": 3, "about": "one environment"},
            {"kind": "repo", "form": "repo:OWNER/NAME", "segments": 2, "about": "one repository"},
            {"kind": "org", "form": "org:NAME", "segments": 1, "account_wide": true, "about": "an organization"}
        ],
        "permission": [
            {"name": "contents:read", "access": "read"},
            {"name": "contents:write", "access": "write"},
            {"name": "org:admin", "access": "admin", "account_wide": true}
        ],
        "action": [
            {"name": "contents.read", "access": "read", "data": "internal"},
            {"name": "issue.create", "access": "write", "internal": true},
            {"name": "pull_request.merge", "access": "write", "points": ["production"]},
            {"name": "export.send", "access": "read", "sends": true, "data": "internal"},
            {"name": "dump", "access": "read", "data": "customer", "sends": true},
            {"name": "invoice.pay", "access": "write", "amount": {"value": "/amount", "currency": "/currency"}}
        ]
    }))
    .unwrap()
}

fn id(s: &str) -> Id {
    s.parse().unwrap()
}

fn terms(scope: &str) -> Terms {
    Terms {
        agent: "build-bot".into(),
        integration: "github".into(),
        scope: scope.parse().unwrap(),
        access: Access::Read,
        data: DataClass::Internal,
        owner: None,
        mission: None,
        end: None,
    }
}

fn now() -> Time {
    "2026-11-21T09:00:00.000Z".parse().unwrap()
}

fn grant(n: &str, scope: &str, access: Access, data: DataClass) -> Rc<Grant> {
    Rc::new(Grant {
        id: id(n),
        agent: id("ag-1"),
        integration: id("i-1"),
        scope: scope.parse().unwrap(),
        access,
        data,
        owner: id("op-1"),
        mission: None,
        until: Some(now().plus(Span::days(10))),
        issued_seq: 4,
        issued_at: now(),
        replaces: None,
        carries: None,
        changed_seq: 4,
        revoked_seq: None,
        revoked_at: None,
        revoked_by: None,
    })
}

fn look(terms: &Terms, inside: bool, live: &[Rc<Grant>]) -> Advice {
    let until = terms.end.unwrap_or(End::After(Span::days(90))).until(now());
    advise(&Door { terms, until, kind: &kind(), inside, expires: Span::days(90), live })
}

fn names(a: &Advice) -> Vec<&'static str> {
    a.warnings.iter().map(|w| w.name).collect()
}

#[test]
fn a_narrow_door_needs_no_warning() {
    for scope in ["repo:acme/app", "environment:acme/app/staging", "repo:acme/app/pulls"] {
        assert_eq!(look(&terms(scope), false, &[]), Advice::default(), "{scope}");
    }
}

#[test]
fn wide_scopes_are_named_with_a_narrower_one() {
    for (scope, name, instead) in [
        ("*", "scope.everything", "repo:OWNER/NAME"),
        ("org:acme", "scope.account-wide", "repo:acme/NAME"),
        ("repo:acme/*", "scope.open", "repo:acme/NAME"),
        ("repo:*", "scope.open", "repo:OWNER/NAME"),
        ("repo:acme/app/*", "scope.open", "repo:acme/app"),
        ("repo:acme", "scope.short", "repo:acme/NAME"),
        ("environment:acme/app", "scope.short", "environment:acme/app/NAME"),
    ] {
        let a = look(&terms(scope), false, &[]);
        assert_eq!(names(&a), [name], "{scope}");
        let line = format!("aosctl connect github --agent build-bot --scope {instead} --access read --data internal");
        assert_eq!(a.warnings.first().map(|w| w.instead.as_str()), Some(line.as_str()), "{scope}");
        assert_eq!(a.narrower, None, "one warning, one line");
    }
}

#[test]
fn a_narrower_scope_gives_no_scope_warning_again() {
    for scope in ["*", "org:acme", "repo:acme/*", "repo:*", "repo:acme", "environment:acme/app"] {
        let narrower = narrower_scope(&scope.parse().unwrap(), &kind()).unwrap();
        assert_eq!(look(&terms(narrower.as_str()), false, &[]), Advice::default(), "{narrower}");
    }
}

#[test]
fn several_warnings_have_one_line_that_avoids_all() {
    let mut t = terms("org:acme");
    t.access = Access::Admin;
    t.end = Some(End::Never);
    t.data = DataClass::Secret;
    t.mission = Some("it's due".into());
    let a = look(&t, false, &[]);
    assert_eq!(names(&a), ["scope.account-wide", "access.admin", "write.endless", "data.outside"]);
    let line = "aosctl connect github --agent build-bot --scope repo:acme/NAME --access write --data internal \
                --mission 'it'\\''s due' --expires 90d";
    assert_eq!(a.narrower.as_deref(), Some(line));
}

#[test]
fn data_inside_the_boundary_is_no_warning() {
    let mut t = terms("repo:acme/app");
    t.data = DataClass::Customer;
    assert_eq!(names(&look(&t, false, &[])), ["data.outside"]);
    assert_eq!(names(&look(&t, true, &[])), Vec::<&str>::new());
}

#[test]
fn an_end_is_wanted_for_what_can_change_things() {
    let mut t = terms("repo:acme/app");
    t.end = Some(End::Never);
    assert_eq!(names(&look(&t, false, &[])), Vec::<&str>::new(), "reading may stay open");
    t.access = Access::Write;
    assert_eq!(names(&look(&t, false, &[])), ["write.endless"]);
}

#[test]
fn a_provider_that_cannot_limit_is_said() {
    let mut t = terms("repo:acme/app");
    t.access = Access::Admin;
    let a = look(&t, false, &[]);
    assert_eq!(names(&a), ["access.admin", "provider.unlimited"]);
    assert!(a.narrower.unwrap().contains("--access write"), "one step down, not two");
}

#[test]
fn doors_that_are_open_already_are_said() {
    let (read, customer) = (Access::Read, DataClass::Customer);
    let same = grant("g-3", "repo:acme/app", read, DataClass::Internal);
    let a = look(&terms("repo:acme/app"), false, std::slice::from_ref(&same));
    assert_eq!(names(&a), ["grant.duplicate"]);
    assert_eq!(a.warnings[0].instead, "aosctl grant renew g-3 --expires 90d");
    let mut shorter = terms("repo:acme/app");
    shorter.end = Some(End::After(Span::days(5)));
    let instead = |t: &Terms| look(t, false, std::slice::from_ref(&same)).warnings[0].instead.clone();
    assert_eq!(instead(&shorter), "aosctl grant narrow g-3 --expires 5d");
    let mut moment = terms("repo:acme/app");
    moment.end = Some(End::At("2027-06-01T09:00:00.876Z".parse().unwrap()));
    assert_eq!(instead(&moment), "aosctl grant renew g-3 --expires 2027-06-01T09:00:00Z");
    moment.end = same.until.map(End::At);
    assert_eq!(instead(&moment), "aosctl grant show g-3");

    let wide = grant("g-4", "repo:acme/*", Access::Write, customer);
    let a = look(&terms("repo:acme/app"), false, &[wide]);
    assert_eq!(names(&a), ["grant.subsumed"]);
    assert_eq!(a.warnings[0].instead, "aosctl grant narrow g-4 --scope repo:acme/app --access read --data internal");

    // Neither covers what is asked for.
    let other = grant("g-5", "repo:acme/other", Access::Write, customer);
    let less = grant("g-6", "repo:acme/app", read, DataClass::Public);
    assert_eq!(look(&terms("repo:acme/app"), false, &[other, less]), Advice::default());
}

#[test]
fn ends_are_read_and_written_the_same() {
    for s in ["90d", "12h", "never", "2027-03-01", "2027-03-01T12:30:00Z"] {
        assert_eq!(s.parse::<End>().unwrap().to_string(), s);
    }
    assert_eq!("2027-03-01".parse::<End>().unwrap().until(now()).unwrap().to_string(), "2027-03-01T00:00:00.000Z");
    for bad in ["", "soon", "2027-02-30", "90", "-3d", "2027-03-01T12:30", "20270301T00"] {
        assert!(bad.parse::<End>().is_err(), "{bad}");
    }
}

#[test]
fn lines_can_be_pasted() {
    assert_eq!(shell_word("repo:acme/app"), "repo:acme/app");
    assert_eq!(shell_word("repo:acme/*"), "'repo:acme/*'");
    assert_eq!(shell_word("$(reboot)'"), r"'$(reboot)'\'''");
    let mut t = terms("repo:acme/app");
    t.mission = Some("a\nb".into());
    assert!(!t.line().contains("--mission"), "a line is one line");
}

fn rules(actions: serde_json::Value) -> Rules {
    serde_json::from_value(serde_json::json!({
        "version": 1, "caps": {"currency": "USD", "per_move": 100_000, "per_week": 1_000_000}, "recipients": 500,
        "boundary": {"destinations": []}, "actions": actions, "approvers": {}, "requests": {"wait": "3d", "use_within": "1h"},
        "grants": {"expires": "90d"}, "rotation": {"every": "90d", "warn": "14d"}, "review": {"due_day": 5},
        "kinds": [kind()]
    }))
    .unwrap()
}

fn crossed(access: Access, data: DataClass, actions: serde_json::Value) -> Vec<(Point, Vec<String>)> {
    let agent = Identity {
        id: id("ag-1"),
        public_key: [0; 32],
        key_seq: 0,
        operator: Some(id("op-1")),
        handle: Some("build-bot".into()),
        enrolled_seq: 2,
        enrolled_at: now(),
        retired_seq: None,
        retired_at: None,
        disputed_from: None,
    };
    let integration = Integration {
        id: id("i-1"),
        handle: "github".into(),
        kind: "github".into(),
        inside: false,
        residency: None,
        added_seq: 3,
    };
    let g = grant("g-1", "repo:acme/*", access, data);
    crossings(&g, &agent, &integration, &rules(actions), now()).into_iter().map(|c| (c.point, c.actions)).collect()
}

#[test]
fn crossings_are_those_of_the_decision() {
    let none = serde_json::json!([]);
    assert_eq!(crossed(Access::Read, DataClass::Internal, none.clone()), []);
    let s = |names: &[&str]| names.iter().map(|n| (*n).to_string()).collect::<Vec<_>>();
    assert_eq!(
        crossed(Access::Write, DataClass::Internal, none.clone()),
        [(Point::Money, s(&["invoice.pay"])), (Point::Production, s(&["pull_request.merge"]))]
    );
    assert_eq!(crossed(Access::Read, DataClass::Customer, none), [(Point::CustomerData, s(&["export.send", "dump"]))]);
    let policy = serde_json::json!([
        {"integration": "github", "action": "contents.read", "points": ["public"]},
        {"integration": "github", "action": "deploy.*", "points": ["production"]},
        {"integration": "stripe", "action": "deploy.*", "points": ["money"]}
    ]);
    assert_eq!(crossed(Access::Read, DataClass::Internal, policy.clone()), [(Point::Public, s(&["contents.read"]))]);
    let both = [(Point::Money, s(&["invoice.pay"])), (Point::Production, s(&["pull_request.merge", "deploy.*"]))];
    assert_eq!(crossed(Access::Write, DataClass::Public, policy), both);
}
