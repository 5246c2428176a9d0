//! The identity of an operator was stolen: everything that it signed since, and what depends on it.

use serde_json::Value;

use crate::approve_world::{Ask, World, now};
use crate::support::{code, text};
use crate::{as_other, json, must};
use aosctl::domain::request::Outcome;

fn entry<'v>(v: &'v Value, kind: &str) -> &'v Value {
    v["identities"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|i| i["entries"].as_array().unwrap())
        .find(|e| e["type"] == kind)
        .unwrap_or_else(|| panic!("no {kind} in {v:#}"))
}

#[test]
fn everything_that_depends_on_it_is_listed_until_it_is_revoked() {
    let w = World::new();
    let second = w.second_operator();
    let quiet = json(&w.bench.run(&["--json", "audit", "disputed"]));
    assert_eq!(quiet["identities"], serde_json::json!([]));
    // Rightly signed, before the theft.
    must(&as_other(&w, &second, &["grant", "renew", "g-1", "--expires", "85d", "--reason", "before", "--accept-risk"]));
    let from = w.size();
    // And since: a door, an agent with a door of its own, an approval, a policy.
    let connect = ["connect", "github", "--scope", "repo:other/secret", "--access", "write", "--data", "internal"];
    must(&as_other(&w, &second, &[&connect[..], &["--agent", "build-bot"]].concat()));
    let bot = w.bench.path("evil.identity");
    must(&as_other(&w, &second, &["agent", "add", "evil-bot", "--out", bot.to_str().unwrap()]));
    must(&as_other(&w, &second, &[&connect[..], &["--agent", "evil-bot"]].concat()));
    let asked = w.ask(now(), &Ask { artifacts: None, ..Ask::deploy() });
    must(&as_other(&w, &second, &["approve", &asked.to_string()]));
    w.carry_out(now(), asked, Outcome::Succeeded);
    let read = ["--action", "pull_request.read", "--resource", "repo:other/secret", "--integration", "github"];
    let out = w.bench.bare().arg("--identity").arg(&bot).args(["request", "new"]).args(read).output().unwrap();
    must(&out);
    std::fs::write(w.bench.path("p.toml"), "[cap]\nmove = \"1USD\"\nweek = \"2USD\"\n").unwrap();
    must(&as_other(&w, &second, &["policy", "adopt", "p.toml", "--yes"]));
    let seq = from.to_string();
    must(&as_other(&w, &second, &["audit", "correct", "0", "--note", "all is well"]));

    let out = w.bench.run(&["operator", "retire", "op-2", "--as-of", &seq, "-n"]);
    must(&out);
    assert!(text(&out.stdout).contains("evil-bot"), "{}", text(&out.stdout));
    let out = w.bench.run(&["operator", "retire", "op-2", "--as-of", &seq, "--reason", "laptop stolen"]);
    must(&out);
    let page = text(&out.stdout);
    assert!(page.contains("aosctl revoke g-3") && page.lines().all(|l| l.chars().count() <= 80), "{page}");

    let out = w.bench.run(&["--json", "audit", "disputed"]);
    assert_eq!(code(&out), 1, "something is left to revoke");
    let v = json(&out);
    assert_eq!(v["identities"][0]["id"], "op-2");
    assert_eq!(v["identities"][0]["from"], from);
    assert!(!v["identities"][0]["entries"].as_array().unwrap().iter().any(|e| e["type"] == "grant.renewed/1"));
    let grant = entry(&v, "grant.issued/1");
    assert_eq!((grant["line"].as_str(), grant["settled"].as_str()), (Some("aosctl revoke g-3"), None));
    let approval = entry(&v, "request.approved/1");
    assert!(approval["settled"].as_str().unwrap().starts_with("begun by entry"), "{approval:#}");
    assert!(approval["happened"][0].as_str().unwrap().contains("succeeded"));
    assert_eq!(entry(&v, "policy.adopted/1")["line"], "aosctl policy adopt FILE");
    // What its agent did is disputed through it.
    assert_eq!(
        (v["identities"][1]["id"].as_str(), v["identities"][1]["through"].as_str()),
        (Some("ag-2"), Some("op-2"))
    );
    assert_eq!(v["identities"][1]["entries"][0]["type"], "request.made/1");
    let enrolled = entry(&v, "agent.enrolled/1");
    assert!(enrolled["line"].as_str().unwrap().starts_with("aosctl agent retire evil-bot --as-of "), "{enrolled:#}");
    assert!(enrolled["settled"].as_str().unwrap().contains("op-2 was retired"), "its agents have no rights");
    let page = text(&w.bench.run(&["audit", "disputed"]).stdout);
    assert!(page.lines().all(|l| l.chars().count() <= 80), "{page}");

    // Every line is typed as it stands; then nothing is left.
    for identity in v["identities"].as_array().unwrap() {
        for e in identity["entries"].as_array().unwrap() {
            let (Some(line), true) = (e["line"].as_str(), e["settled"].is_null()) else { continue };
            let line = line.replace("FILE", "q.toml").replace("TEXT", "looked-into");
            std::fs::write(w.bench.path("q.toml"), "").unwrap();
            let mut args: Vec<&str> = line.split(' ').skip(1).collect();
            if args[0] == "policy" {
                args.push("--yes");
            }
            must(&w.bench.run(&args));
        }
    }
    let out = w.bench.run(&["--json", "audit", "disputed"]);
    let v = json(&out);
    assert_eq!(code(&out), 0, "{v:#}");
    assert!(entry(&v, "grant.issued/1")["settled"].as_str().unwrap().starts_with("revoked by entry"));
    must(&w.bench.run(&["audit", "verify"]));
}

/// Whoever holds a stolen identity must not say from where on it was stolen.
#[test]
fn nobody_throws_doubt_on_himself() {
    let w = World::new();
    let second = w.second_operator();
    must(&as_other(&w, &second, &["audit", "correct", "0", "--note", "all is well"]));
    let from = (w.size() - 1).to_string();
    let size = w.size();
    let out = as_other(&w, &second, &["operator", "retire", "op-2", "--as-of", &from]);
    assert_eq!(code(&out), 1, "{}{}", text(&out.stdout), text(&out.stderr));
    assert!(text(&out.stderr).contains("aosctl operator retire op-2 --as-of SEQ"), "{}", text(&out.stderr));
    assert_eq!(w.size(), size);
    // Another one may, and going oneself is no doubt.
    must(&w.bench.run(&["operator", "retire", "op-2", "--as-of", &from]));
}

/// What was erased because a stolen identity agreed is gone, although the request for it was closed.
#[test]
fn an_erasure_that_it_agreed_to_is_listed() {
    let w = World::new();
    let second = w.second_operator();
    let id = w.ask(now(), &Ask::deploy());
    let seq = w.ws.store().about(id, u64::MAX).unwrap()[0].seq.to_string();
    let from = w.size().to_string();
    let erase = ["audit", "erase", &seq, "--member", "summary", "--reason", "GDPR request 7", "--yes"];
    let asked = w.bench.run(&[&["--json"], &erase[..]].concat());
    assert_eq!(code(&asked), 5, "{}", text(&asked.stderr));
    let request = json(&asked)["request"].as_str().unwrap().to_string();
    must(&as_other(&w, &second, &["approve", &request]));
    must(&w.bench.run(&erase));
    must(&w.bench.run(&["operator", "retire", "op-2", "--as-of", &from]));
    let v = json(&w.bench.run(&["--json", "audit", "disputed"]));
    let happened = entry(&v, "request.approved/1")["happened"][0].as_str().unwrap_or_default();
    assert!(happened.ends_with(&format!("erased summary of entry {seq}, for good")), "{v:#}");
    // Who has a bundle alone is told that there is something, and not to ask a workspace.
    must(&w.bench.run(&["audit", "export", "-o", "bundle"]));
    let vkey = std::fs::read_to_string(w.bench.path("bundle/log.vkey")).unwrap();
    let out = w.bench.run(&["audit", "verify", "--bundle", "bundle", "--vkey", &vkey]);
    must(&out);
    let page = text(&out.stdout);
    assert!(page.contains("disputed") && !page.contains("aosctl audit disputed"), "{page}");
}
