use super::{assert_fits, assert_whole, bench, code, entries, fed, file, json, names, piped, run, text};

/// As moto wrote it (`aws.rs` beside this says how), but two years earlier: nothing in it may lie ahead of any clock.
pub(super) fn moto() -> String {
    include_str!("moto-report.csv").replace("2026-", "2024-")
}

#[test]
fn a_real_report_goes_in_once() {
    let b = bench();
    let path = file(&b, "report.csv", moto());
    let path = path.to_str().unwrap();
    let before = entries(&b);
    let dry = json(&b, 0, &["key", "import", "aws-credential-report", path, "-n"]);
    assert_eq!((dry["added"].as_array().unwrap().len(), dry["added"][0]["key"].as_str()), (4, None));
    assert_eq!(entries(&b), before);
    let (page, stderr) = run(&b, 0, &["key", "import", "aws-credential-report", path, "--owner", "ops"]);
    assert_fits(&page);
    assert!(page.contains("added         4") && page.contains("k-1 deploy-bot/access-key-1"), "{page}{stderr}");
    assert_eq!(entries(&b), before + 4);
    // Without a passphrase: there is nothing to sign.
    let again = b.bare().args(["key", "import", "aws-credential-report", path, "--json"]).output().unwrap();
    assert_eq!(code(&again), 0, "{}", text(&again.stderr));
    let v: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(v["unchanged"].as_array().unwrap().len(), 4);
    assert_eq!(entries(&b), before + 4);
    // From a pipe, where nobody knows of when it is.
    let (page, _) = piped(&b, 0, &["key", "import", "aws-credential-report", "-"], moto().as_bytes());
    assert!(page.contains("unchanged     4"), "{page}");
    assert_eq!(entries(&b), before + 4);
    let k = &json(&b, 0, &["key", "show", "deploy-bot/access-key-1"])["key"];
    assert_eq!(k["last_use"]["at"], serde_json::Value::Null, "never seen is not unknown");
    assert_eq!(k["last_use"]["by"], "aws-credential-report");
    assert_eq!((k["person"].as_bool(), k["owner"]["id"].as_str()), (Some(false), Some("op-1")));
    let k = &json(&b, 0, &["key", "show", "console/password"])["key"];
    assert_eq!((k["last_use"].as_null(), k["person"].as_bool()), (Some(()), Some(true)));
    assert_eq!(json(&b, 0, &["key", "show", "console/access-key-1"])["key"]["person"], true);
    assert_whole(&b);
}

#[test]
fn the_operators_word_stays_and_what_moved_is_named() {
    let b = bench();
    let path = file(&b, "report.csv", moto());
    let path = path.to_str().unwrap();
    run(&b, 0, &["key", "import", "aws-credential-report", path]);
    run(&b, 0, &["key", "set", "k-1", "--name", "prod", "--owner", "ops", "--opens", "github", "--ref", "op://a/b/c"]);
    run(&b, 0, &["rotation", "set", "k-1", "--every", "30d"]);
    let later = moto().replacen("false,true,2024", "false,false,2024", 1);
    assert_ne!(later, moto());
    let path = file(&b, "report.csv", later);
    let v = json(&b, 0, &["key", "import", "aws-credential-report", path.to_str().unwrap()]);
    assert_eq!(v["changed"].as_array().unwrap().len(), 1, "{v}");
    assert_eq!((v["changed"][0]["key"].as_str(), v["changed"][0]["name"].as_str()), (Some("k-1"), Some("prod")));
    let what = &v["changed"][0]["what"][0];
    assert_eq!(
        (what["what"].as_str(), what["old"].as_str(), what["new"].as_str()),
        (Some("active"), Some("true"), Some("false"))
    );
    let k = &json(&b, 0, &["key", "show", "prod"])["key"];
    assert_eq!((k["owner"]["id"].as_str(), k["opens"]["name"].as_str()), (Some("op-1"), Some("github")));
    assert_eq!((k["place"]["reference"].as_str(), k["rotation"]["every"].as_str()), (Some("op://a/b/c"), Some("30d")));
    assert_eq!(k["state"], "inactive");
    // An older report, whatever it says, takes nothing back.
    let old = file(&b, "old.csv", moto());
    let v = json(&b, 1, &["key", "import", "aws-credential-report", old.to_str().unwrap(), "--as-of", "2024-01-01"]);
    assert_eq!((v["changed"].as_array().unwrap().len(), v["unchanged"].as_array().unwrap().len()), (0, 3));
    assert!(v["refused"][0]["why"].as_str().unwrap().contains("an older file changes nothing"), "{v}");
    assert_whole(&b);
}

#[test]
fn who_is_gone_is_named_and_nothing_is_retired_for_it() {
    let b = bench();
    let path = file(&b, "report.csv", moto());
    run(&b, 0, &["key", "import", "aws-credential-report", path.to_str().unwrap()]);
    let whole = moto();
    let less: Vec<&str> = whole.lines().filter(|l| !l.starts_with("deploy-bot")).collect();
    let path = file(&b, "report.csv", less.join("\n"));
    let (_, stderr) = run(&b, 0, &["key", "import", "aws-credential-report", path.to_str().unwrap()]);
    assert!(stderr.contains("no longer mentions") && stderr.contains("k-1 k-2"), "{stderr}");
    assert!(!stderr.contains("for new keys"), "{stderr}");
    let args = ["key", "import", "aws-credential-report", path.to_str().unwrap(), "--owner", "ops"];
    let (_, stderr) = run(&b, 0, &args);
    assert!(stderr.contains("--owner is for new keys; 2 were there:"), "{stderr}");
    assert!(stderr.contains("aosctl key set k-3 --owner ops"), "{stderr}");
    assert_eq!(names(&json(&b, 0, &["key", "list"])).len(), 4);
}

#[test]
fn our_own_columns() {
    let b = bench();
    let text = "name,kind,integration,scope,owner,reference,provider_id,last4,created,last_rotated,last_used,expires,active,person\r\n\
                github ci,token,github,repo:acme/app,ops,op://ci/github/token,tok-1,9f2a,2023-01-02,2024-03-04,2024-10-20,2027-01-01,true,no\r\n\
                \"deploy, the key\",ssh-key,,,,file:/run/keys/deploy,,,,,never,,no,\r\n\
                bad date,,,,,,,,03/04/2026,,,,,\r\n\
                bad tool,,nowhere,,,,,,,,,,,\r\n\
                no tool yet,,aws-prod,,,,,,,,,,,\r\n\
                slipped,,Tr0ub4dor&3,,,,,,,,,,,\r\n";
    let path = file(&b, "keys.csv", text);
    let path = path.to_str().unwrap();
    let (page, stderr) = run(&b, 1, &["key", "import", "csv", path]);
    assert!(page.contains("added         2") && page.contains("refused       4"), "{page}");
    assert!(stderr.contains("line 4: created: \"03/04/2026\"") && stderr.contains("expected 2026-11-21"), "{stderr}");
    assert!(stderr.contains("line 5: there is no integration nowhere"), "{stderr}");
    assert!(stderr.contains("line 6: there is no integration aws-prod"), "{stderr}");
    assert!(stderr.contains("to add aws-prod: aosctl integration add aws-prod --kind aws"), "{stderr}");
    assert!(stderr.contains("line 7: there is no such integration") && !stderr.contains("Tr0ub4dor"), "{stderr}");
    let before = entries(&b);
    let v = json(&b, 1, &["key", "import", "csv", path]);
    assert_eq!(v["unchanged"], serde_json::json!(["k-1", "k-2"]));
    assert_eq!((v["rows"].as_u64(), v["refused"][0]["line"].as_u64()), (Some(6), Some(4)));
    assert_eq!(entries(&b), before);
    let v = json(&b, 0, &["key", "list"]);
    assert_eq!(names(&v), ["github ci", "deploy, the key"]);
    assert_eq!(v["keys"][0]["place"]["reference"], "op://ci/github/token");
    assert_eq!(v["keys"][0]["last_use"]["at"], "2024-10-20T00:00:00.000Z");
    assert_eq!((v["keys"][1]["state"].as_str(), v["keys"][1]["last_use"]["at"].as_str()), (Some("inactive"), None));
    assert_whole(&b);
}

#[test]
fn a_sealed_secret_that_became_old_is_said() {
    let b = bench();
    piped(
        &b,
        0,
        &["key", "add", "ci", "--secret-stdin", "--provider-id", "p1", "--created", "2024-01-01"],
        b"some-secret-value-9f2a",
    );
    let path = file(&b, "keys.csv", "name,provider_id,last_rotated\nci,p1,2024-06-01\n");
    let (_, stderr) = run(&b, 0, &["key", "import", "csv", path.to_str().unwrap()]);
    assert!(stderr.contains("k-1 was turned over, and what is sealed here is the old secret"), "{stderr}");
    let k = &json(&b, 0, &["key", "show", "k-1"])["key"];
    assert_eq!((k["last4"].as_str(), k["fingerprint"].as_str()), (None, None), "these were the old one's");
    assert_eq!(k["place"]["kind"], "sealed");
    assert_whole(&b);
}

#[test]
fn a_use_after_the_moment_of_the_file_is_refused() {
    let b = bench();
    let path = file(&b, "keys.csv", "name,last_used\nci,2024-06-01\n");
    let args = ["key", "import", "csv", path.to_str().unwrap(), "--as-of", "2024-05-01"];
    let (_, stderr) = run(&b, 1, &args);
    assert!(stderr.contains("after the moment that the file tells of"), "{stderr}");
}

#[test]
fn two_imports_at_once_are_one() {
    let b = bench();
    let text: String = (0..50).map(|i| format!("key {i},id-{i}\n")).collect();
    let path = file(&b, "keys.csv", format!("name,provider_id\n{text}"));
    let before = entries(&b);
    let started: Vec<_> = (0..4)
        .map(|_| {
            b.cmd(&["key", "import", "csv", path.to_str().unwrap(), "-q"])
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in started {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(entries(&b), before + 50);
    assert_whole(&b);
}

#[test]
fn a_retired_key_is_not_taken_back_in_silence() {
    let b = bench();
    let path = file(&b, "keys.csv", "name,provider_id\nci,tok-1\n");
    let path = path.to_str().unwrap();
    run(&b, 0, &["key", "import", "csv", path]);
    run(&b, 0, &["key", "retire", "k-1"]);
    let before = entries(&b);
    let (_, stderr) = run(&b, 1, &["key", "import", "csv", path]);
    assert!(stderr.contains("line 2: k-1 was retired"), "{stderr}");
    assert_eq!(entries(&b), before);
}

#[test]
fn a_table_that_was_written_into_is_not_signed_for() {
    let b = bench();
    let path = file(&b, "keys.csv", "name,provider_id\nci,tok-1\n");
    run(&b, 0, &["key", "import", "csv", path.to_str().unwrap()]);
    crate::support::sql(
        &b.db(),
        "UPDATE keys SET facts = json_set(facts, '$.place', json('{\"reference\":\"file:/tmp/x\"}'))",
    );
    let before = entries(&b);
    let path = file(&b, "keys.csv", "name,provider_id,scope\nci,tok-1,all\n");
    let (_, stderr) = run(&b, 4, &["key", "import", "csv", path.to_str().unwrap()]);
    assert!(stderr.contains("audit verify"), "{stderr}");
    assert_eq!(entries(&b), before);
}

#[test]
fn ten_thousand_rows_are_one_step() {
    let b = bench();
    let mut rows = String::from("name,provider_id,kind,created,last_used\n");
    for i in 0..10_000 {
        rows.push_str(&format!("key {i},id-{i},token,2024-01-0{},2024-10-1{}\n", i % 9 + 1, i % 10));
    }
    let path = file(&b, "many.csv", &rows);
    let path = path.to_str().unwrap();
    let begun = std::time::Instant::now();
    let v = json(&b, 0, &["key", "import", "csv", path]);
    let took = begun.elapsed();
    assert_eq!(v["added"].as_array().unwrap().len(), 10_000);
    let begun = std::time::Instant::now();
    let v = json(&b, 0, &["key", "import", "csv", path]);
    println!("10,000 rows: {took:?}, again {:?}", begun.elapsed());
    assert_eq!(v["unchanged"].as_array().unwrap().len(), 10_000);
    // An unoptimised build on a busy machine; what is quadratic takes minutes.
    assert!(took.as_secs() < 120, "{took:?}");
    let out = fed(b.cmd(&["key", "import", "csv", "-", "-q"]), rows.as_bytes());
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
}
