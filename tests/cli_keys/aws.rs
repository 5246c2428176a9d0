//! A report that aosctl's authors did not write: made by the AWS command line against moto (`tests/tools/aws` installs
//! both). Where they are absent the test says so and passes, unless `AOSCTL_REQUIRE_ALL` is set.
#![allow(
    clippy::disallowed_types,
    reason = "it is not aosctl that connects, but the test, to a server that it started"
)]

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{assert_whole, bench, code, entries, file, json, run, text};
use crate::support::Bench;
use serde_json::Value;

/// Where the programs are: of `tests/tools/aws`, else on PATH.
fn tool(name: &str) -> Option<PathBuf> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/ci-tools/aws/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(ours).chain(std::env::split_paths(&path)).map(|dir| dir.join(name)).find(|p| p.is_file())
}

/// moto, until this is dropped.
struct Moto {
    child: Child,
    port: u16,
    aws: PathBuf,
    home: tempfile::TempDir,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Moto {
    /// Starts it on a port that was free a moment ago. `None`: it is not installed.
    fn start() -> Option<Moto> {
        let (server, aws) = (tool("moto_server")?, tool("aws")?);
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(server)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut moto = Moto { child, port, aws, home: tempfile::tempdir().unwrap() };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(moto.child.try_wait().unwrap().is_none(), "moto_server ended");
            assert!(begun.elapsed() < Duration::from_secs(180), "moto_server does not answer");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some(moto)
    }

    fn aws(&self, args: &[&str]) -> Output {
        let out = Command::new(&self.aws)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.home.path())
            .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port))
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .arg("iam")
            .args(args)
            .output()
            .unwrap();
        assert!(out.status.success(), "aws iam {args:?}: {}", text(&out.stderr));
        out
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_slice(&self.aws(args).stdout).unwrap()
    }

    /// A report as AWS delivers it, in JSON.
    fn report(&self) -> Value {
        self.aws(&["generate-credential-report"]);
        self.aws(&["generate-credential-report"]);
        self.json(&["get-credential-report"])
    }
}

fn table(report: &Value) -> Vec<u8> {
    data_encoding::BASE64.decode(report["Content"].as_str().unwrap().as_bytes()).unwrap()
}

fn state(b: &Bench, key: &str) -> String {
    json(b, 0, &["key", "show", key])["key"]["state"].as_str().unwrap().to_string()
}

#[test]
fn a_report_by_moto_and_the_aws_command_line() {
    let Some(moto) = Moto::start() else {
        assert!(
            std::env::var_os("AOSCTL_REQUIRE_ALL").is_none(),
            "moto_server and aws are missing: run tests/tools/aws"
        );
        println!("skipped: moto_server and aws are not installed (tests/tools/aws does)");
        return;
    };
    moto.aws(&["create-user", "--user-name", "deploy-bot"]);
    moto.aws(&["create-user", "--user-name", "console"]);
    let made = [
        moto.json(&["create-access-key", "--user-name", "deploy-bot"]),
        moto.json(&["create-access-key", "--user-name", "deploy-bot"]),
        moto.json(&["create-access-key", "--user-name", "console"]),
    ];
    moto.aws(&["create-login-profile", "--user-name", "console", "--password", "Canary-5f2e1c9d!x"]);
    let report = moto.report();
    let bytes = table(&report);
    println!("{}", text(&bytes));
    for secret in made.iter().map(|m| m["AccessKey"]["SecretAccessKey"].as_str().unwrap()).chain(["Canary-5f2e1c9d!x"])
    {
        assert!(!text(&bytes).contains(secret), "a report holds no secrets");
    }

    let b = bench();
    let before = entries(&b);
    let path = file(&b, "report.csv", &bytes);
    let path = path.to_str().unwrap();
    let v = json(&b, 0, &["key", "import", "aws-credential-report", path, "--opens", "github"]);
    let added: Vec<&str> = v["added"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    assert_eq!(
        added,
        ["deploy-bot/access-key-1", "deploy-bot/access-key-2", "console/password", "console/access-key-1"]
    );
    assert_eq!((v["refused"].as_array().unwrap().len(), entries(&b)), (0, before + 4));

    // What moto says it made is what is known now.
    for (name, made) in [(added[0], &made[0]), (added[1], &made[1]), (added[3], &made[2])] {
        let k = &json(&b, 0, &["key", "show", name])["key"];
        let told = made["AccessKey"]["CreateDate"].as_str().unwrap();
        assert_eq!(&k["created"].as_str().unwrap()[..19], &told[..19], "{name}");
        assert_eq!((k["kind"].as_str(), k["state"].as_str()), (Some("aws-access-key"), Some("live")));
        assert_eq!((k["last4"].as_str(), k["rotated"].as_str()), (None, None), "a report has neither");
        let user = name.split('/').next().unwrap();
        let slot = name.replace('-', "_").split_once('/').unwrap().1.to_string();
        let id = format!("arn:aws:iam::123456789012:user/{user}#{slot}");
        assert_eq!(k["provider_id"].as_str(), Some(id.as_str()));
        assert_eq!(k["person"], user == "console");
        assert_eq!((k["last_use"]["by"].as_str(), k["last_use"]["at"].as_str()), (Some("aws-credential-report"), None));
    }
    let k = &json(&b, 0, &["key", "show", "console/password"])["key"];
    assert_eq!((k["person"].as_bool(), k["last_use"].is_null()), (Some(true), true), "no_information is not never");

    // Twice is once, from a file and from a pipe.
    assert_eq!(
        json(&b, 0, &["key", "import", "aws-credential-report", path])["unchanged"].as_array().unwrap().len(),
        4
    );
    let again = super::fed(b.cmd(&["key", "import", "aws-credential-report", "-"]), &bytes);
    assert_eq!(code(&again), 0, "{}", text(&again.stderr));
    assert_eq!(entries(&b), before + 4);

    // A key is switched off, another deleted, a password taken away, a user deleted.
    let key_id = |m: &Value| m["AccessKey"]["AccessKeyId"].as_str().unwrap().to_string();
    moto.aws(&[
        "update-access-key",
        "--user-name",
        "deploy-bot",
        "--access-key-id",
        &key_id(&made[0]),
        "--status",
        "Inactive",
    ]);
    moto.aws(&["delete-login-profile", "--user-name", "console"]);
    let path = file(&b, "report.csv", table(&moto.report()));
    let v = json(&b, 0, &["key", "import", "aws-credential-report", path.to_str().unwrap()]);
    let changed: Vec<(&str, &str)> = v["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["name"].as_str().unwrap(), c["what"][0]["what"].as_str().unwrap()))
        .collect();
    assert_eq!(changed, [("deploy-bot/access-key-1", "active"), ("console/password", "active")]);
    assert_eq!(
        (state(&b, "deploy-bot/access-key-1"), state(&b, "deploy-bot/access-key-2")),
        ("inactive".into(), "live".into())
    );
    assert_eq!(state(&b, "console/password"), "inactive");
    moto.aws(&["delete-access-key", "--user-name", "console", "--access-key-id", &key_id(&made[2])]);
    moto.aws(&["delete-user", "--user-name", "console"]);
    let report = moto.report();
    let path = file(&b, "report.csv", table(&report));
    let (_, stderr) = run(&b, 0, &["key", "import", "aws-credential-report", path.to_str().unwrap()]);
    assert!(stderr.contains("no longer mentions whose keys these are: k-3 k-4"), "{stderr}");
    assert_whole(&b);

    // As AWS delivers it: its own time counts.
    let b = bench();
    let path = file(&b, "report.json", serde_json::to_vec(&report).unwrap());
    let v = json(&b, 0, &["key", "import", "aws-credential-report", path.to_str().unwrap()]);
    assert_eq!(v["added"].as_array().unwrap().len(), 2);
    let told = report["GeneratedTime"].as_str().unwrap();
    assert_eq!(&v["as_of"].as_str().unwrap()[..19], &told[..19]);
    assert_whole(&b);
}
