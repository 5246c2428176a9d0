//! `request new`: decides, records, and gives the same request for the same key.

use aosctl::domain::access::Access;
use aosctl::domain::event::{Event, PayloadErased};
use aosctl::domain::facets::DataClass;
use aosctl::workspace::ask::{Ask, Prepared};

use crate::lab::{Lab, MERGE, READ, id, parse, script};
use crate::support::{code, put_back, text, triggers};

#[test]
fn allow_ask_and_deny_are_recorded() {
    let lab = Lab::new();
    let before = lab.entries();
    let (exit, v) = lab.json(&[&["request", "new"], READ].concat());
    assert_eq!(exit, 0, "{v:#}");
    assert_eq!(v["schema"], "aosctl.request-new/v1");
    assert_eq!(
        (&v["id"], &v["standing"], &v["decision"], &v["requester"]),
        (&"r-1".into(), &"allowed".into(), &"allow".into(), &"ag-1".into())
    );
    assert!(v["until"].as_str().unwrap().ends_with('Z'));
    let (exit, v) = lab.json(&[&["request", "new"], MERGE].concat());
    assert_eq!((exit, &v["id"], &v["standing"]), (5, &"r-2".into(), &"pending".into()));
    let (exit, v) = lab.json(&["request", "new", "--integration", "nowhere", "--action", "x.y", "--resource", "a:b"]);
    assert_eq!(
        (exit, &v["id"], &v["standing"], &v["rule"]),
        (1, &"r-3".into(), &"denied".into(), &"integration.unknown".into())
    );
    assert_eq!(lab.entries(), before + 3);
    lab.verified();
}

#[test]
fn an_agent_needs_its_own_identity() {
    let lab = Lab::new();
    let out = lab.bench.bare().args([&["request", "new"], READ].concat()).output().unwrap();
    assert_eq!(code(&out), 1);
    assert!(text(&out.stderr).contains("--identity FILE"), "{}", text(&out.stderr));
    // An operator asks for one thing only.
    let out = lab.bench.run(&[&["request", "new"], READ].concat());
    assert_eq!(code(&out), 1);
    let out = lab.bench.run(&["--json", "request", "new", "--action", "audit.erase", "--resource", "entry:1"]);
    let v = parse(&out);
    assert_eq!((code(&out), &v["requester"], &v["standing"]), (5, &"op-1".into(), &"pending".into()), "{v:#}");
    // An agent cannot.
    let (exit, v) = lab.json(&["request", "new", "--action", "audit.erase", "--resource", "entry:1"]);
    assert_eq!((exit, &v["decision"]), (1, &"deny".into()));
    // Somebody else's identity file, from another workspace.
    let other = Lab::new();
    let out = lab
        .bench
        .bare()
        .args([&["request", "new"], READ].concat())
        .arg("--identity")
        .arg(other.bench.identity("build-bot"))
        .output()
        .unwrap();
    assert_eq!(code(&out), 1);
    assert!(text(&out.stderr).contains("another workspace"), "{}", text(&out.stderr));
}

#[test]
fn the_same_key_and_content_is_the_same_request() {
    let lab = Lab::new();
    let keyed =
        [&["request", "new"], MERGE, &["--idempotency-key", "deploy:42", "--parameters", r#"{"pull_number":7}"#]]
            .concat();
    let (exit, first) = lab.json(&keyed);
    assert_eq!((exit, &first["again"]), (5, &false.into()));
    let entries = lab.entries();
    let (exit, again) = lab.json(&keyed);
    assert_eq!(
        (exit, &again["id"], &again["again"], &again["standing"]),
        (5, &first["id"], &true.into(), &"pending".into())
    );
    assert_eq!(lab.entries(), entries, "nothing new is recorded");
    // The answer is where it stands now.
    lab.approve(first["id"].as_str().unwrap());
    let (exit, v) = lab.json(&keyed);
    assert_eq!((exit, &v["standing"]), (0, &"approved".into()));
    // Anything else under that key is refused, and not recorded.
    let entries = lab.entries();
    for extra in [
        &["--parameters", r#"{"pull_number":8}"#][..],
        &["--parameters", r#"{ "pull_number":7}"#],
        &["--parameters", r#"{"pull_number":7}"#, "--summary", "more"],
        &["--parameters", r#"{"pull_number":7}"#, "--access", "write"],
        &["--parameters", r#"{"pull_number":7}"#, "--public"],
        &["--parameters", r#"{"pull_number":7}"#, "--unsure", "why not"],
        &["--parameters", r#"{"pull_number":7}"#, "--model", "m"],
        &[],
    ] {
        let out = lab.bot(&[&["--json", "request", "new"], MERGE, &["--idempotency-key", "deploy:42"], extra].concat());
        assert_eq!((code(&out), &parse(&out)["kind"]), (1, &"idempotency_conflict".into()), "{extra:?}");
    }
    assert_eq!(lab.entries(), entries);
    // Another agent has its own keys.
    lab.bench.add_agent("other-bot");
    lab.grant("other-bot", "github", "repo:acme/app", Access::Read, DataClass::Internal, None);
    let out = lab
        .bench
        .agent("other-bot", &[&["--json", "request", "new"], READ, &["--idempotency-key", "deploy:42"]].concat())
        .output()
        .unwrap();
    assert_eq!((code(&out), &parse(&out)["again"]), (0, &false.into()));
    lab.verified();
}

#[test]
fn what_was_erased_cannot_be_compared() {
    let lab = Lab::new();
    let keyed = [READ, &["--idempotency-key", "k", "--summary", "about a customer"]].concat();
    let r = lab.ask(&keyed, 0);
    let seq = lab.ws().facts_request(&r);
    // The erasure of a payload member is recorded, and the member taken out, as `audit erase` will do it.
    let erased =
        PayloadErased { seq, members: ["summary".to_string()].into(), approvals: Default::default(), reason: None };
    lab.sign(|_| ((), Event::from(erased)));
    let c = rusqlite::Connection::open(lab.bench.db()).unwrap();
    let bytes: Vec<u8> = c.query_row("SELECT record FROM payloads WHERE seq = ?1", [seq], |r| r.get(0)).unwrap();
    let mut record = aosctl::log::payload::Record::parse(&bytes).unwrap();
    assert!(record.erase("summary").unwrap());
    let kept = triggers(&c);
    for (name, _) in &kept {
        c.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    c.execute("UPDATE payloads SET record = ?1 WHERE seq = ?2", rusqlite::params![record.to_jcs().unwrap(), seq])
        .unwrap();
    put_back(&c, &kept);
    drop(c);
    for args in [keyed.clone(), [READ, &["--idempotency-key", "k"]].concat()] {
        let out = lab.bot(&[&["--json", "request", "new"][..], &args].concat());
        let v = parse(&out);
        assert_eq!((code(&out), &v["kind"]), (1, &"idempotency_conflict".into()), "{v:#}");
        assert!(v["cause"].as_str().unwrap().contains("erased"), "{v:#}");
    }
}

trait MadeSeq {
    fn facts_request(&self, r: &str) -> u64;
}

impl MadeSeq for aosctl::workspace::Workspace {
    fn facts_request(&self, r: &str) -> u64 {
        use aosctl::domain::facts::Facts;
        self.facts().request(id(r)).unwrap().unwrap().made_seq
    }
}

#[test]
fn flags_and_json_describe_the_same() {
    let lab = Lab::new();
    let diff = lab.bench.path("diff");
    std::fs::write(&diff, "-a\n+b\n").unwrap();
    let artifact = lab.bench.path("plan.txt");
    std::fs::write(&artifact, "plan").unwrap();
    script(&lab.bench, "deploy", "#!/bin/sh\n");
    let by_flags = [
        MERGE,
        &[
            "--idempotency-key",
            "both",
            "--parameters",
            r#"{"n":1}"#,
            "--diff-file",
            "diff",
            "--artifact",
            "plan.txt",
            "--amount",
            "12.50USD",
        ],
        &[
            "--data",
            "internal",
            "--recipients",
            "3",
            "--destination",
            "api.example.com",
            "--environment",
            "staging",
            "--public",
        ],
        &[
            "--summary",
            "s",
            "--recommendation",
            "r",
            "--rationale",
            "y",
            "--alternative",
            "a",
            "--alternative",
            "b",
            "--rollback",
            "x",
        ],
        &[
            "--unsure",
            "u",
            "--mission",
            "m",
            "--model",
            "o",
            "--access",
            "write",
            "--command",
            "--env",
            "DEPLOY_TO",
            "--",
            "./deploy",
            "now",
        ],
    ]
    .concat();
    let r = lab.ask(&by_flags, 5);
    let json = serde_json::json!({
        "schema": "aosctl.ask/v1", "integration": "i-1", "action": "pull_request.merge", "resource": "repo:acme/app", "access": "write",
        "facets": {"amount": {"currency": "USD", "minor": 1250}, "public": true, "recipients": 3, "data": "internal",
                   "destination": "api.example.com", "environment": "staging"},
        "parameters": {"n": 1}, "diff": "-a\n+b\n", "artifacts": ["plan.txt"], "summary": "s", "recommendation": "r", "rationale": "y",
        "alternatives": ["a", "b"], "rollback": "x", "unsure": "u", "mission": "m", "model": "o", "idempotency_key": "both",
        "command": {"argv": ["./deploy", "now"], "environment": ["DEPLOY_TO"]},
    });
    let path = lab.bench.path("ask.json");
    std::fs::write(&path, json.to_string()).unwrap();
    for how in ["--stdin", "-"] {
        let mut c = lab.bench.agent("build-bot", &["--json", "request", "new", how]);
        let out = c.stdin(std::fs::File::open(&path).unwrap()).output().unwrap();
        let v = parse(&out);
        assert_eq!((code(&out), v["id"].as_str(), &v["again"]), (5, Some(r.as_str()), &true.into()), "{v:#}");
    }
    // What the log holds is what was said.
    let ws = lab.ws();
    let Event::RequestMade(made) = ws.event(ws.facts_request(&r)).unwrap().1 else { panic!() };
    assert_eq!(made.parameters.as_deref(), Some(r#"{"n":1}"#));
    let artifacts = made.artifacts.unwrap();
    assert_eq!(artifacts.files[0].sha256, aosctl::log::hash::sha256(b"plan").to_hex());
    assert_eq!((artifacts.files[0].name.as_str(), artifacts.files[0].bytes), ("plan.txt", 4));
    assert_eq!(artifacts.command.unwrap().argv, ["./deploy", "now"]);
    // Flags beside --stdin are refused.
    let out = lab.bot(&["request", "new", "--stdin", "--summary", "x"]);
    assert_eq!(code(&out), 2);
}

#[test]
fn a_dry_run_decides_and_records_nothing() {
    let lab = Lab::new();
    let before = lab.entries();
    let (exit, v) = lab.json(&[&["request", "new", "-n"], MERGE].concat());
    assert_eq!(
        (exit, &v["decision"], &v["dry_run"], &v["id"]),
        (5, &"ask".into(), &true.into(), &serde_json::Value::Null)
    );
    assert_eq!(lab.entries(), before);
}

#[test]
fn the_page_says_what_to_type_next() {
    let lab = Lab::new();
    let out = lab.bot(&[&["request", "new"], MERGE].concat());
    assert!(text(&out.stdout).contains("request       r-1\n"), "{}", text(&out.stdout));
    assert!(text(&out.stderr).contains("aosctl request wait r-1"), "{}", text(&out.stderr));
    let out = lab.bot(&[&["request", "new"], READ].concat());
    assert!(
        text(&out.stderr).contains("aosctl run r-2 -- CMD..., or: aosctl request begin r-2"),
        "{}",
        text(&out.stderr)
    );
}

#[test]
fn the_schema_of_a_description_takes_what_the_reader_takes() {
    let schema = serde_json::to_value(schemars::schema_for!(Ask)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = serde_json::json!({"integration": "github", "action": "a.b", "resource": "repo:acme/app", "parameters": {"x": [1, 2.5]}});
    assert!(validator.is_valid(&good));
    Prepared::for_decision(Ask::from_json(&good.to_string()).unwrap()).unwrap();
    for bad in [
        serde_json::json!({"action": "a.b"}),
        serde_json::json!({"action": "a.b", "resource": "repo:a", "extra": 1}),
        serde_json::json!({"action": "a.b", "resource": "repo:a", "facets": {"unclear": ["money"]}}),
        serde_json::json!({"action": 1, "resource": "repo:a"}),
    ] {
        assert!(!validator.is_valid(&bad), "{bad}");
        assert!(Ask::from_json(&bad.to_string()).is_err(), "{bad}");
    }
}
