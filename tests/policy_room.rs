//! The policy room: texts to rules, errors with line and column, set, lint, diff, matrix.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, may print, and has files, a clock and an environment of its own"
)]

use std::collections::BTreeSet;

use aosctl::domain::catalogue::Kind;
use aosctl::domain::point::Point;
use aosctl::domain::rules::{RULES_VERSION, Rules, Tier};
use aosctl::domain::time::Span;
use aosctl::policy::catalogue::{built_in, merge, parse_kind};
use aosctl::policy::file::{KEYS, defaults_left, parse, render, set, stated, to_rules};
use aosctl::policy::{Effect, Level, PolicyError, PolicyFile, diff, lint, matrix};

fn policy(text: &str) -> PolicyFile {
    parse(text, "policy.toml").unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn refused(text: &str) -> String {
    match parse(text, "policy.toml") {
        Err(e) => e.to_string(),
        Ok(_) => panic!("not refused: {text}"),
    }
}

fn rules(text: &str) -> Rules {
    to_rules(&policy(text), built_in().unwrap())
}

#[test]
fn the_built_in_catalogue_parses() {
    let kinds = built_in().unwrap();
    let names: Vec<&str> = kinds.iter().map(|k| k.kind.as_str()).collect();
    assert_eq!(names, ["aws", "github", "hubspot", "openai", "postgres", "slack", "stripe"]);
    for k in &kinds {
        assert!(!k.scope.is_empty() && !k.permission.is_empty() && k.action.len() > 15, "{}", k.kind);
        assert!(k.scope.iter().any(|s| s.account_wide), "{} names no account-wide scope", k.kind);
        assert!(k.action.iter().any(|a| a.points.contains(&Point::Production)), "{}", k.kind);
    }
}

#[test]
fn faults_of_a_policy_have_line_and_column() {
    let points = "money, public, customer_data, production, audit";
    let named = "integration = \"github\"\naction = \"deployment.*\"\n";
    for (text, expected) in [
        ("[cap]\nmove = \"1USD\"\n  capp = 3\n", "policy.toml:3:3: unknown member \"capp\" (expected move or week)".to_owned()),
        (
            "version = 1\nmayling = 3\n",
            "policy.toml:2:1: unknown member \"mayling\" (expected one of version, cap, mailing, boundary, approvers, action, \
             requests, grants, rotation, review)"
                .into(),
        ),
        ("version = 2\n", "policy.toml:1:11: this aosctl reads version 1 of the policy's format, not 2".into()),
        ("[cap]\nmove = 1000\n", "policy.toml:2:8: invalid type: integer `1000`, expected a string".into()),
        ("[cap]\nmove = \"1000\"\n", "policy.toml:2:8: \"1000\" is not an amount such as 500USD or 12.50EUR".into()),
        ("[cap]\nweek = \"1.234USD\"\n", "policy.toml:2:8: \"1.234\" is not an amount of USD with at most 2 fraction digits".into()),
        (
            "[cap]\nmove = \"5EUR\"\n",
            "policy.toml:2:8: both caps need one currency: cap.move is 5.00 EUR, cap.week is 10,000.00 USD, the default".into(),
        ),
        (
            "[cap]\nmove = \"5EUR\"\nweek = \"50USD\"\n",
            "policy.toml:3:8: both caps need one currency: cap.move is 5.00 EUR, cap.week is 50.00 USD".into(),
        ),
        ("[mailing]\nrecipients = -1\n", "policy.toml:2:14: the number of recipients is 0 to 9007199254740991, not -1".into()),
        ("[approvers]\nmoney = 0\n", "policy.toml:2:9: the number of approvers is 1 to 9, not 0".into()),
        ("[approvers]\nmoney = 10\n", "policy.toml:2:9: the number of approvers is 1 to 9, not 10".into()),
        (
            "[approvers]\nmony = 1\n",
            "policy.toml:2:1: unknown member \"mony\" (expected one of money, public, customer_data, production, audit)".into(),
        ),
        (
            "[boundary]\ndestinations = [\"a.example\", \"*\"]\n",
            "policy.toml:2:30: \"*\": '*' stands only before a domain, as in *.acme.example".into(),
        ),
        (
            "[boundary]\ndestinations = [\"*acme.example\"]\n",
            "policy.toml:2:17: \"*acme.example\": '*' stands only before a domain, as in *.acme.example".into(),
        ),
        (
            "[boundary]\ndestinations = [\n  \"a.example\",\n  \"A.example\",\n]\n",
            "policy.toml:4:3: the destination \"A.example\" stands twice".into(),
        ),
        ("[requests]\nwait = \"30s\"\n", "policy.toml:2:8: \"30s\" is not between 1m and 90d".into()),
        ("[requests]\nwait = \"91d\"\n", "policy.toml:2:8: \"91d\" is not between 1m and 90d".into()),
        ("[requests]\nwait = \"soon\"\n", "policy.toml:2:8: \"soon\" is not a length of time such as 90d, 24h, 15m or 30s".into()),
        (
            "[grants]\nexpires = \"400d\"\n",
            "policy.toml:2:11: grants.expires (400d) is longer than grants.longest (365d)".into(),
        ),
        // The text states only the longest: the fault stands there.
        ("[grants]\nlongest = \"30d\"\n", "policy.toml:2:11: grants.expires (90d) is longer than grants.longest (30d)".into()),
        ("[rotation]\nevery = \"7d\"\n", "policy.toml:2:9: rotation.warn (14d) is longer than rotation.every (7d)".into()),
        ("[review]\ndue_day = 29\n", "policy.toml:2:11: the day of the month is 1 to 28, not 29".into()),
        ("[review]\nowner = \"ag-1\"\n", "policy.toml:2:9: \"ag-1\" is not an operator's id such as op-1".into()),
        (
            &format!("[[action]]\n{named}points = [\"money\", \"produktion\"]\n"),
            format!("policy.toml:4:20: unknown point \"produktion\" (expected one of {points})"),
        ),
        (
            &format!("[[action]]\n{named}tier = \"huge\"\n"),
            "policy.toml:4:8: a tier is low, medium, high or critical, not \"huge\"".into(),
        ),
        (
            &format!("[[action]]\n{named}approvers = 2\n\n[[action]]\n{named}tier = \"high\"\n"),
            "policy.toml:8:10: a rule for \"deployment.*\" of \"github\" stands above already".into(),
        ),
        ("[[action]]\naction = \"x\"\ntier = \"low\"\n", "policy.toml:1:1: missing member \"integration\"".into()),
        (
            &format!("[[action]]\n{named}"),
            "policy.toml:3:10: the rule says nothing: give it points, a tier or approvers".into(),
        ),
        (
            &format!("[[action]]\n{named}internal = true\n"),
            "policy.toml:4:1: unknown member \"internal\" (expected one of integration, action, points, tier, approvers)".into(),
        ),
        (
            "[[action]]\nintegration = \"*\"\naction = \"dep*\"\ntier = \"low\"\n",
            "policy.toml:3:10: \"dep*\" is not an action's name, a prefix such as deployment.*, or \"*\"".into(),
        ),
        // A column counts characters.
        ("cap = { move = \"5é\", week = 5 }\n", "policy.toml:1:29: invalid type: integer `5`, expected a string".into()),
    ] {
        assert_eq!(refused(text), expected, "{text}");
    }
}

#[test]
fn faults_of_syntax_have_line_and_column() {
    for (text, place) in [
        ("[cap\n", "policy.toml:1:5: "),
        ("[cap]\nmove = \"1USD\n", "policy.toml:2:13: "),
        ("[cap]\nmove = \"1USD\"\nmove = \"2USD\"\n", "policy.toml:3:1: "),
        ("\n\n=", "policy.toml:3:1: "),
    ] {
        let e = refused(text);
        assert!(e.starts_with(place), "{e}");
    }
    // A name that would move the cursor is not printed as it is.
    let e = refused("\"\\u001b[2J\" = 1\n");
    assert!(e.starts_with("policy.toml:1:1: unknown member") && !e.contains('\u{1b}'), "{e:?}");
    let long = format!("# {}\n", "x".repeat(300_000));
    assert_eq!(refused(&long), "policy.toml: 300003 bytes; at most 262144 are read");
    let deep = format!("cap = {}1{}\n", "[".repeat(5000), "]".repeat(5000));
    assert!(refused(&deep).starts_with("policy.toml:1:"), "deep nesting is refused, not followed");
}

#[test]
fn what_is_not_stated_has_the_defaults_of_the_design() {
    let p = policy("");
    assert_eq!(p, PolicyFile::default());
    assert_eq!(p.caps.per_move().to_string(), "1,000.00 USD");
    assert_eq!(p.caps.per_week().to_string(), "10,000.00 USD");
    assert_eq!((p.recipients, p.review.due_day, p.review.owner), (500, 5, None));
    assert_eq!((p.requests.wait, p.requests.use_within), (Span::DAY, Span::seconds(3600)));
    assert_eq!((p.grants.expires, p.grants.longest), (Span::days(90), Some(Span::days(365))));
    assert_eq!((p.rotation.every, p.rotation.warn), (Span::days(90), Span::days(14)));
    let r = rules("");
    assert_eq!((r.version, r.kinds.len()), (RULES_VERSION, 7));
    assert_eq!(PolicyFile::of(&r), p);
}

const FULL: &str = r#"
version = 1
[cap]
move = "500EUR"
week = "1,250.50 EUR"
[mailing]
recipients = 50
[boundary]
destinations = ["*.acme.example", "s3-acme-backup"]
[approvers]
money = 2
audit = 3
[[action]]
integration = "github"
action = "deployment.*"
points = ["production", "public"]
tier = "critical"
approvers = 2
[[action]]
integration = "*"
action = "*"
tier = "low"
[requests]
wait = "48h"
use_within = "90m"
[grants]
expires = "30d"
longest = "never"
[rotation]
every = "60d"
warn = "1w"
[review]
due_day = 28
owner = "op-2"
"#;

#[test]
fn a_rendered_policy_reads_back() {
    for text in ["", FULL] {
        let p = policy(text);
        let rendered = render(&p);
        assert_eq!(policy(&rendered), p, "{rendered}");
        assert_eq!(render(&policy(&rendered)), rendered);
        assert!(rendered.lines().all(|l| l.chars().count() <= 120), "{rendered}");
    }
    let p = policy(FULL);
    assert_eq!(p.caps.per_week().to_string(), "1,250.50 EUR");
    assert_eq!(p.actions[0].tier, Some(Tier::Critical));
    assert!(render(&p).contains("week = \"1250.50EUR\""));
}

#[test]
fn every_key_can_be_set_and_is_counted_as_confirmed() {
    let values = [
        ("cap", "500EUR,5000EUR"),
        ("cap.move", "250EUR"),
        ("cap.week", "2500EUR"),
        ("mailing.recipients", "20"),
        ("boundary.destinations", "app.acme.example, *.acme.example"),
        ("approvers.money", "2"),
        ("approvers.public", "2"),
        ("approvers.customer_data", "3"),
        ("approvers.production", "2"),
        ("approvers.audit", "2"),
        ("requests.wait", "12h"),
        ("requests.use_within", "30m"),
        ("grants.expires", "7d"),
        ("grants.longest", "never"),
        ("rotation.every", "30d"),
        ("rotation.warn", "3d"),
        ("review.due_day", "10"),
        ("review.owner", "op-2"),
    ];
    assert_eq!(KEYS.iter().map(|k| k.name).collect::<Vec<_>>(), values.map(|(k, _)| k));
    let mut p = PolicyFile::default();
    let mut confirmed = BTreeSet::new();
    assert_eq!(defaults_left(&p, &confirmed).len(), KEYS.len() - 1);
    assert_eq!(defaults_left(&p, &confirmed)[0], ("cap.move", "1000USD".into()));
    for (key, value) in values {
        let before = p.clone();
        set(&mut p, key, value).unwrap_or_else(|e| panic!("{e}"));
        assert_ne!(p, before, "{key}");
        confirmed.insert(key.to_owned());
        assert_eq!(policy(&render(&p)), p);
        assert!(defaults_left(&p, &confirmed).iter().all(|(k, _)| *k != key));
    }
    assert_eq!(defaults_left(&p, &confirmed), []);
    assert_eq!(p.boundary.destinations, ["app.acme.example", "*.acme.example"]);
    set(&mut p, "boundary.destinations", "none").unwrap();
    set(&mut p, "review.owner", "any").unwrap();
    set(&mut p, "grants.longest", "365d").unwrap();
    assert_eq!((p.boundary.destinations.len(), p.review.owner, p.grants.longest), (0, None, Some(Span::days(365))));
    // `cap` confirms both caps.
    assert!(defaults_left(&p, &BTreeSet::from(["cap".to_owned()])).iter().all(|(k, _)| !k.starts_with("cap")));
    let said: Vec<String> =
        stated("[cap]\nmove = \"1USD\"\n[approvers]\nmoney = 1\n", "policy.toml").unwrap().into_iter().collect();
    assert_eq!(said, ["approvers.money", "cap.move"]);
}

#[test]
fn what_cannot_be_set_is_refused_and_changes_nothing() {
    let mut p = PolicyFile::default();
    for (key, value, expected) in [
        (
            "cap.move",
            "500EUR",
            "cap.move: 500.00 EUR is in another currency than the other cap (USD); set both at once with the key cap, as 500EUR,5000EUR",
        ),
        ("cap", "500EUR", "cap: two amounts are needed, as 500EUR,5000EUR"),
        ("cap", "1EUR,1USD", "cap: both caps need one currency, not EUR and USD"),
        ("mailing.recipients", "many", "mailing.recipients: \"many\" is not a whole number"),
        ("approvers.money", "0", "approvers.money: the number of approvers is 1 to 9, not 0"),
        (
            "boundary.destinations",
            "a.example,*",
            "boundary.destinations: \"*\": '*' stands only before a domain, as in *.acme.example",
        ),
        ("grants.longest", "30d", "grants.longest: grants.expires (90d) is longer than grants.longest (30d)"),
        ("review.owner", "ops", "review.owner: \"ops\" is not an operator's id such as op-1, or any"),
    ] {
        assert_eq!(set(&mut p, key, value).unwrap_err().to_string(), expected);
    }
    let unknown = set(&mut p, "cap.day", "5USD").unwrap_err().to_string();
    assert!(
        unknown.starts_with("unknown key \"cap.day\" (expected one of cap, cap.move, cap.week, mailing.recipients, "),
        "{unknown}"
    );
    assert!(matches!(set(&mut p, "approvers.everything", "1"), Err(PolicyError::UnknownKey { .. })));
    assert_eq!(p, PolicyFile::default());
}

const KIND: &str = r#"kind = "deskbox"
title = "Deskbox"
docs = "https://deskbox.example.com/api"
close = "Delete the bot's token."

[[scope]]
kind = "queue"
form = "queue:TEAM/NAME"
segments = 2
about = "one queue"

[[action]]
name = "ticket.tag"
access = "write"
internal = true
"#;

fn kind(name: &str) -> Kind {
    let text = KIND.replace("\"deskbox\"", &format!("\"{name}\""));
    parse_kind(&text, &format!("{name}.toml")).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn faults_of_a_kind_have_line_and_column() {
    let with = |more: &str| format!("{KIND}{more}");
    let act = "\n[[action]]\nname = \"x.y\"\naccess = \"write\"\n";
    for (text, file, expected) in [
        (KIND.to_owned(), "helpdesk.toml", "helpdesk.toml:1:8: the kind \"deskbox\" must stand in a file deskbox.toml"),
        (
            KIND.replace("\"deskbox\"", "\"Desk box\""),
            "deskbox.toml",
            "deskbox.toml:1:8: \"Desk box\" is not a kind's name (a lower-case letter, then lower-case letters, digits and '-')",
        ),
        (
            KIND.replace("\"queue\"", "\"que:ue\""),
            "deskbox.toml",
            "deskbox.toml:7:8: \"que:ue\" is not a word for a scope (a lower-case letter, then lower-case letters, digits, '-' and '_')",
        ),
        (
            KIND.replace("segments = 2", "segments = 0"),
            "deskbox.toml",
            "deskbox.toml:9:12: a scope names at least 1 segment",
        ),
        (
            KIND.replace("internal = true", "internal = true\npoinst = [\"money\"]"),
            "deskbox.toml",
            "deskbox.toml:16:1: unknown member \"poinst\" (expected one of name, access, points, internal, data, sends, public, amount, \
             recipients, destination, environment)",
        ),
        (
            KIND.replace("access = \"write\"", "access = \"own\""),
            "deskbox.toml",
            "deskbox.toml:14:10: unknown value \"own\" (expected one of read, write, admin)",
        ),
        (KIND.replace("title = \"Deskbox\"\n", ""), "deskbox.toml", "deskbox.toml:1:1: missing member \"title\""),
        (
            KIND.replace("\"ticket.tag\"", "\"Ticket tag\""),
            "deskbox.toml",
            "deskbox.toml:13:8: \"Ticket tag\" is not an action's name (lower-case letters, digits, '.', '_' and '-'; at most 100)",
        ),
        (
            KIND.replace("internal = true", "internal = true\nsends = true"),
            "deskbox.toml",
            "deskbox.toml:15:12: \"ticket.tag\" cannot be internal and have \"sends\": internal says that no point is crossed",
        ),
        (
            KIND.replace("internal = true", "internal = true\npoints = [\"money\"]"),
            "deskbox.toml",
            "deskbox.toml:15:12: \"ticket.tag\" cannot be internal and have \"points\": internal says that no point is crossed",
        ),
        (
            with(&format!("{act}recipients = \"to\"\n")),
            "deskbox.toml",
            "deskbox.toml:20:14: \"to\" is not a JSON pointer: it begins with '/' (RFC 6901)",
        ),
        (
            with(&format!("{act}amount = {{ value = \"/a\", currency = \"/a~2b\" }}\n")),
            "deskbox.toml",
            "deskbox.toml:20:37: \"/a~2b\" is not a JSON pointer: '~' is written '~0' and '/' in a name '~1' (RFC 6901)",
        ),
        (
            with("\n[[action]]\nname = \"ticket.tag\"\naccess = \"read\"\n"),
            "deskbox.toml",
            "deskbox.toml:18:8: the action \"ticket.tag\" stands twice",
        ),
        (
            with(
                "\n[[permission]]\nname = \"t\"\naccess = \"read\"\n[[permission]]\nname = \"t\"\naccess = \"read\"\n",
            ),
            "deskbox.toml",
            "deskbox.toml:21:8: the permission \"t\" stands twice",
        ),
        (
            with("\n[[scope]]\nkind = \"queue\"\nform = \"queue:X\"\nsegments = 1\nabout = \"x\"\n"),
            "deskbox.toml",
            "deskbox.toml:18:8: the scope \"queue\" stands twice",
        ),
        (
            KIND.replace("\"Deskbox\"", "\"Desk\\u001bbox\""),
            "deskbox.toml",
            "deskbox.toml:2:9: one line of at most 1000 bytes is expected here",
        ),
    ] {
        let e = parse_kind(&text, file).map(|_| text.clone()).expect_err(expected);
        assert_eq!(e.to_string(), expected);
    }
    assert!(parse_kind(KIND, "/somewhere/catalogue/deskbox.toml").is_ok());
}

#[test]
fn the_example_in_the_documentation_parses() {
    let docs = include_str!("../docs/catalogue.md");
    let example = docs.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    assert_eq!(parse_kind(example, "deskbox.toml").unwrap().action.len(), 6);
    let docs = include_str!("../docs/policy.md");
    let example = docs.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    assert_eq!(policy(example).actions.len(), 1);
}

#[test]
fn an_own_kind_cannot_take_the_place_of_a_built_in_one() {
    let all = merge(built_in().unwrap(), vec![kind("deskbox"), kind("postgres-dev")]).unwrap();
    let names: Vec<&str> = all.iter().map(|k| k.kind.as_str()).collect();
    assert_eq!(names, ["aws", "deskbox", "github", "hubspot", "openai", "postgres", "postgres-dev", "slack", "stripe"]);
    assert_eq!(
        merge(built_in().unwrap(), vec![kind("stripe")]).unwrap_err().to_string(),
        "catalogue/stripe.toml: \"stripe\" is a built-in kind, and a file of its name could switch approval points off; give your kind \
         a name of its own"
    );
    let twice = merge(built_in().unwrap(), vec![kind("deskbox"), kind("deskbox")]).unwrap_err().to_string();
    assert_eq!(twice, "catalogue/deskbox.toml: the kind \"deskbox\" is defined twice");
}

fn lines(old: &Rules, new: &Rules) -> Vec<(String, Option<String>, Option<String>, Effect)> {
    diff(old, new).into_iter().map(|l| (l.key, l.old, l.new, l.effect)).collect()
}

#[test]
fn a_difference_says_what_opens() {
    let (old, new) = (rules(""), rules(FULL));
    assert_eq!(diff(&old, &old), []);
    let some = |s: &str| Some(s.to_owned());
    let expected = [
        ("cap.move", some("1,000.00 USD"), some("500.00 EUR"), Effect::Other),
        ("cap.week", some("10,000.00 USD"), some("1,250.50 EUR"), Effect::Other),
        ("mailing.recipients", some("500"), some("50"), Effect::Narrower),
        ("boundary.destinations", None, some("*.acme.example"), Effect::Wider),
        ("boundary.destinations", None, some("s3-acme-backup"), Effect::Wider),
        ("approvers.money", some("1"), some("2"), Effect::Narrower),
        ("approvers.audit", some("1"), some("3"), Effect::Narrower),
        (
            "action[github deployment.*]",
            None,
            some("points production+public, tier critical, approvers 2"),
            Effect::Narrower,
        ),
        ("action[* *]", None, some("tier low"), Effect::Narrower),
        ("requests.wait", some("1d"), some("2d"), Effect::Wider),
        ("requests.use_within", some("1h"), some("90m"), Effect::Wider),
        ("grants.expires", some("90d"), some("30d"), Effect::Narrower),
        ("grants.longest", some("365d"), some("never"), Effect::Wider),
        ("rotation.every", some("90d"), some("60d"), Effect::Narrower),
        ("rotation.warn", some("14d"), some("7d"), Effect::Other),
        ("review.due_day", some("5"), some("28"), Effect::Other),
        ("review.owner", some("any"), some("op-2"), Effect::Other),
    ];
    assert_eq!(lines(&old, &new), expected.map(|(k, o, n, e)| (k.to_owned(), o, n, e)));
    // Back again, what closed opens.
    let back = diff(&new, &old);
    assert_eq!(back.len(), 17);
    let wider: Vec<&str> = back.iter().filter(|l| l.effect == Effect::Wider).map(|l| l.key.as_str()).collect();
    let expected = [
        "mailing.recipients",
        "approvers.money",
        "approvers.audit",
        "action[github deployment.*]",
        "action[* *]",
        "grants.expires",
        "rotation.every",
    ];
    assert_eq!(wider, expected);
}

#[test]
fn a_difference_between_catalogues_is_said_action_by_action() {
    let old = rules("");
    let mut new = old.clone();
    let github = new.kinds.iter_mut().find(|k| k.kind == "github").unwrap();
    github.action.retain(|a| a.name != "issue.read");
    let merge = github.action.iter_mut().find(|a| a.name == "pull_request.merge").unwrap();
    (merge.points, merge.internal) = (Vec::new(), true);
    let gist = github.action.iter_mut().find(|a| a.name == "gist.create").unwrap();
    gist.points = vec![Point::CustomerData];
    new.kinds.push(kind("deskbox"));
    let got = lines(&old, &new);
    let some = |s: &str| Some(s.to_owned());
    assert_eq!(
        got,
        [
            ("catalogue.github.issue.read".to_owned(), some("read, data internal"), None, Effect::Wider),
            (
                "catalogue.github.pull_request.merge".into(),
                some("write, points production"),
                some("write, internal"),
                Effect::Wider
            ),
            (
                "catalogue.github.gist.create".into(),
                some("write, sends, public, data internal"),
                some("write, points customer_data, sends, public, data internal"),
                Effect::Narrower
            ),
            ("catalogue.deskbox".into(), None, some("1 action, 1 scope, 0 permissions"), Effect::Wider),
        ]
    );
}

#[test]
fn the_matrix_names_every_crossing() {
    let r = rules(FULL);
    let rows = matrix(&r);
    let row = |from: &str, what: &str| {
        rows.iter()
            .find(|r| r.from == from && r.what.contains(what))
            .unwrap_or_else(|| panic!("no row of {from} with {what}"))
    };
    assert_eq!(row("law 3", "money that moves").when, "over 500.00 EUR at once");
    assert_eq!(row("law 3", "money that moves").approvers, 2);
    assert_eq!(row("law 3", "a mailing").when, "to more than 50 people, or to nobody knows how many");
    assert_eq!(row("law 3", "an edit of the audit trail").approvers, 3);
    assert_eq!(row("catalogue github", "pull_request.merge").point, Some(Point::Production));
    assert_eq!(row("catalogue github", "deployment.create").when, "in production");
    assert_eq!(row("catalogue stripe", "refund.create").when, "over a cap");
    assert_eq!(row("catalogue slack", "message.post").when, "with customer or secret data");
    let own: Vec<_> = rows.iter().filter(|r| r.from == "policy").collect();
    assert_eq!(own.len(), 3);
    assert_eq!(
        (own[0].what.as_str(), own[0].when.as_str(), own[0].approvers),
        ("deployment.* of github", "always (tier critical)", 2)
    );
    assert_eq!((own[2].point, own[2].when.as_str()), (None, "where it asks anyway (tier low)"));
    // Every action with a point stands in a row of each of its points.
    for k in &r.kinds {
        for a in &k.action {
            for point in &a.points {
                let found = rows.iter().any(|r| {
                    r.point == Some(*point)
                        && r.when == "always"
                        && r.from == format!("catalogue {}", k.kind)
                        && r.what.split(", ").any(|n| n == a.name)
                });
                assert!(found, "{} of {} at {point}", a.name, k.kind);
            }
        }
    }
}

#[test]
fn lint_says_what_is_probably_not_meant() {
    let found = |text: &str, operators| -> Vec<(Level, String)> {
        let p = policy(text);
        lint(&p, &to_rules(&p, built_in().unwrap()), operators).into_iter().map(|l| (l.level, l.key)).collect()
    };
    assert_eq!(found("", 1), []);
    assert_eq!(found(&render(&PolicyFile::default()), 1), []);
    for (text, level, key) in [
        ("[cap]\nmove = \"0USD\"\n", Level::Note, "cap.move"),
        ("[cap]\nweek = \"2000000USD\"\n", Level::Warning, "cap.week"),
        ("[cap]\nmove = \"20000USD\"\n", Level::Note, "cap.move"),
        ("[mailing]\nrecipients = 0\n", Level::Note, "mailing.recipients"),
        ("[mailing]\nrecipients = 1000000\n", Level::Warning, "mailing.recipients"),
        ("[boundary]\ndestinations = [\"*.com\"]\n", Level::Warning, "boundary.destinations"),
        ("[boundary]\ndestinations = [\"*.co.uk\"]\n", Level::Warning, "boundary.destinations"),
        ("[boundary]\ndestinations = [\"*.S3.amazonaws.com\"]\n", Level::Warning, "boundary.destinations"),
        ("[approvers]\nmoney = 3\n", Level::Warning, "approvers.money"),
        ("[[action]]\nintegration = \"github\"\naction = \"deploy.*\"\ntier = \"high\"\n", Level::Warning, "action[1]"),
        (
            "[[action]]\nintegration = \"github\"\naction = \"deployment.*\"\napprovers = 3\n",
            Level::Warning,
            "action[1]",
        ),
        (
            "[[action]]\nintegration = \"main-db\"\naction = \"query.write\"\ntier = \"high\"\n",
            Level::Note,
            "action[1]",
        ),
        ("[[action]]\nintegration = \"*\"\naction = \"*\"\npoints = [\"public\"]\n", Level::Note, "action[1]"),
        ("[requests]\nwait = \"8d\"\n", Level::Warning, "requests.wait"),
        ("[requests]\nuse_within = \"8d\"\n", Level::Warning, "requests.use_within"),
        ("[grants]\nlongest = \"never\"\n", Level::Warning, "grants.longest"),
        ("[grants]\nlongest = \"3650d\"\n", Level::Warning, "grants.longest"),
        ("[grants]\nexpires = \"2000d\"\nlongest = \"never\"\n", Level::Warning, "grants.expires"),
        ("[rotation]\nevery = \"3650d\"\n", Level::Warning, "rotation.every"),
    ] {
        assert!(found(text, 2).contains(&(level, key.into())), "{text}: {:?}", found(text, 2));
    }
    assert_eq!(
        found("[approvers]\nmoney = 3\n", 0),
        [],
        "before the first operator nothing is said about their number"
    );
    assert_eq!(found("[boundary]\ndestinations = [\"*.acme.example\", \"app.acme.com\"]\n", 1), []);
}
