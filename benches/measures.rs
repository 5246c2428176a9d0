//! The numbers of design section 9, each as a ratio to a floor measured in the same run.
//!
//! `cargo bench --bench measures` builds workspaces of 1,000 and of 100,000 entries, signed for real, and prints one line
//! a row: the floor, the measurement, their ratio, the goal. `-- --entries 1000000` adds a larger one, `-- --quick` keeps
//! to the small one, `-- --only verify` to one row of each (`check`, `export`, `request`, `review`, `since-pin`, `verify`).
//! Large logs take minutes to sign, so they are kept under `target/tmp/bench` and found there by the next run; they are only
//! read, but for the rows of `request`, which make a log of their own. Floors are run by this same program as a process of
//! its own: they open SQLite with the pragmas of the store and do the least that the row allows. Nothing here asserts: a
//! timed test is a flaky test. docs/speed.md says how each figure is measured, and what was.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::exit,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aosctl::domain::access::Access;
use aosctl::domain::decide::Proposal;
use aosctl::domain::event::*;
use aosctl::domain::facets::{DataClass, Facets};
use aosctl::domain::facts::Facts;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::key::{KeyFacts, Place as KeyPlace};
use aosctl::domain::request::Outcome;
use aosctl::domain::review::Month;
use aosctl::domain::time::{Span, Time};
use aosctl::domain::weigh::weigh;
use aosctl::identity::{EnrolmentLine, Passphrase, PlainIdentity, PlainKind, Signer};
use aosctl::log::key::PublicKey;
use aosctl::policy;
use aosctl::workspace::{By, NewWorkspace, Place, VerifyOptions, Workspace, WorkspaceError, create, verify};

const PRAGMAS: &str =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;
    PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("floor-read") => return floor_read(Path::new(&args[1])),
        Some("floor-write") => return floor_write(Path::new(&args[1])),
        Some("floor-keys") => return floor_keys(Path::new(&args[1])),
        Some("write-many") => return write_many(&args[1..]),
        Some("verify-once") => return verify_once(&args[1..]),
        _ => {}
    }
    let value = |name: &str| args.iter().position(|a| a == name).and_then(|i| args.get(i + 1));
    let quick = args.iter().any(|a| a == "--quick");
    let more = value("--entries").and_then(|n| n.parse::<u64>().ok());
    let only = value("--only").map(String::as_str);
    let wanted = |row: &str| only.is_none_or(|o| o == row);
    println!("{:<44} {:>11} {:>11} {:>7}  goal", "row", "floor", "measured", "ratio");
    let mut sizes = vec![(1_000, 300)];
    if !quick {
        sizes.push((100_000, 10_000));
    }
    sizes.extend(more.map(|n| (n, 10_000)));
    // What a review of as many grants costs while nothing else is in the log.
    let young = ((!quick || more.is_some()) && wanted("review")).then(|| World::kept(10_000, 10_000));
    for (entries, grants) in sizes {
        let w = World::kept(entries, grants);
        if let Some(young) = young.as_ref().filter(|_| grants == 10_000) {
            w.review(young, entries, grants);
        }
        if wanted("check") {
            w.check(entries, grants);
        }
        if wanted("verify") {
            w.audit_verify(entries);
        }
        if wanted("since-pin") {
            w.since_pin(entries);
        }
        if wanted("export") {
            w.export(entries);
        }
        if wanted("request") && entries <= 100_000 {
            // What is written would change the log that is kept.
            World::build(entries, grants).request_new(entries);
        }
        if entries == 1_000 && only.is_none() {
            let w = World::build(entries, grants);
            w.rotation_check(10_000);
            w.writers(64, 10);
        }
    }
}

/// Opens SQLite and reads one indexed row.
fn floor_read(db: &Path) {
    let c = rusqlite::Connection::open(db).unwrap();
    c.execute_batch(PRAGMAS).unwrap();
    let n: i64 = c.query_row("SELECT until FROM grants WHERE id = 'g-1'", [], |r| r.get(0)).unwrap();
    assert!(n > 0);
}

/// Opens SQLite and reads every row of the keys, but only the columns that a key's state follows from.
fn floor_keys(db: &Path) {
    let c = rusqlite::Connection::open(db).unwrap();
    c.execute_batch(PRAGMAS).unwrap();
    let mut s = c.prepare("SELECT n, turned, added_at, every_ms, warn_ms, leak_seq, retired_seq FROM keys").unwrap();
    let mut rows = s.query([]).unwrap();
    let mut n = 0;
    while let Some(r) = rows.next().unwrap() {
        let (id, turned): (i64, Option<i64>) = (r.get(0).unwrap(), r.get(1).unwrap());
        n += i64::from(id > 0 && turned.is_some());
    }
    assert!(n >= 10_000);
}

/// Opens SQLite and commits one row, and replaces one small synced file beside it, as many syncs as `request new` makes.
fn floor_write(dir: &Path) {
    let c = rusqlite::Connection::open(dir.join("floor.db")).unwrap();
    c.execute_batch(PRAGMAS).unwrap();
    c.execute_batch("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, b BLOB); BEGIN IMMEDIATE").unwrap();
    c.execute("INSERT INTO t (b) VALUES (randomblob(2000))", []).unwrap();
    c.execute_batch("COMMIT").unwrap();
    aosctl::sys::files::write_private_atomic(&dir.join("floor.pin"), b"a small file").unwrap();
}

/// Many signed requests by one process: what `writers` starts 64 of.
fn write_many(args: &[String]) {
    let place = Place { dir: PathBuf::from(&args[0]), state: PathBuf::from(&args[1]) };
    let n: usize = args[2].parse().unwrap();
    let bytes = std::fs::read(&args[3]).unwrap();
    let identity = PlainIdentity::parse(PlainKind::Agent, &bytes).unwrap();
    let id: Id = identity.id().parse().unwrap();
    let ws = Workspace::open(place).unwrap();
    for _ in 0..n {
        let begun = Instant::now();
        ws.transact(Time::from(aosctl::sys::clock::now()), |tx| {
            ask(tx, By::identity(id, identity.signer()), id, 1).map(|_| ())
        })
        .unwrap();
        println!("{}", begun.elapsed().as_micros());
    }
}

/// Verifies everything as a process of its own, and says how long it took (s), the most memory that the process ever had
/// (KiB), and how many entries there are.
fn verify_once(args: &[String]) {
    let place = Place { dir: PathBuf::from(&args[0]), state: PathBuf::from(&args[1]) };
    let options = VerifyOptions { threads: args[2].parse().ok(), ..VerifyOptions::default() };
    let begun = Instant::now();
    let v = verify(&place, &options, Time::from(aosctl::sys::clock::now()), &mut |_, _| {}).unwrap();
    let took = begun.elapsed().as_secs_f64();
    assert!(!v.report.failed(), "{:?}", v.report);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).map_or("0", |l| l.trim_end_matches(" kB").trim());
    println!("{took} {peak} {}", v.size);
}

/// One request that is allowed by rule.
fn ask(tx: &mut aosctl::workspace::Tx<'_>, by: By<'_>, agent: Id, integration: u64) -> Result<Id, WorkspaceError> {
    let integration = Id::new(IdKind::Integration, integration);
    let p = Proposal {
        requester: agent,
        action: "issue.create".into(),
        resource: format!("repo:acme/app-{}", agent.n).parse().unwrap(),
        access: None,
        facets: Facets { data: Some(DataClass::Internal), ..Facets::default() },
        unsure: false,
    };
    let d = weigh(tx.facts(), &p, Some(integration), tx.now(), None)?;
    let policy = tx.facts().policy()?.unwrap();
    let id = tx.next_id(IdKind::Request)?;
    tx.append(
        by,
        RequestMade {
            request: id,
            agent,
            integration: Some(integration),
            action: p.action,
            resource: p.resource,
            access: d.access,
            facets: p.facets,
            unsure: false,
            decision: d.verdict,
            points: d.points(),
            rule: d.rule.into(),
            approvers: d.approvers,
            tier: d.tier,
            grant: d.grant,
            policy: policy.digest.clone(),
            until: tx.now().plus(Span::seconds(3600)),
            mission: Some("bench".into()),
            model: None,
            idempotency_key: None,
            bound_command: false,
            parameters: Some(r#"{"title":"Tidy the build","body":"The build prints forty warnings."}"#.into()),
            artifacts: None,
            diff: None,
            summary: Some("Open an issue about the warnings of the build".into()),
            recommendation: Some("Open it".into()),
            rationale: Some("Forty warnings hide the one that matters".into()),
            alternatives: None,
            rollback: None,
            detail: None,
        },
    )?;
    Ok(id)
}

/// What the first agent may do by its first grant.
const CHECK: [&str; 11] = [
    "check",
    "--agent",
    "bot-1",
    "--integration",
    "github",
    "--action",
    "issue.create",
    "--resource",
    "repo:acme/app-1",
    "--data",
    "internal",
];

struct World {
    dir: PathBuf,
    /// Removed with the world, unless it is kept for the next run.
    _temporary: Option<tempfile::TempDir>,
    place: Place,
    agent: PathBuf,
}

impl World {
    /// A workspace with that many grants, the rest requests that were made, claimed and finished.
    fn build(entries: u64, grants: u64) -> World {
        let temporary = tempfile::tempdir().unwrap();
        World::sign(temporary.path(), entries, grants);
        let world = World::at(temporary.path());
        World { _temporary: Some(temporary), ..world }
    }

    /// The same, from an earlier run if there was one this month: what is written belongs to the month before.
    fn kept(entries: u64, grants: u64) -> World {
        let month = Month::of(Time::from(aosctl::sys::clock::now()));
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench/{month}-{entries}-{grants}"));
        if !dir.exists() {
            let half = dir.with_extension("half");
            let _ = std::fs::remove_dir_all(&half);
            std::fs::create_dir_all(&half).unwrap();
            World::sign(&half, entries, grants);
            std::fs::rename(&half, &dir).unwrap();
        }
        World::at(&dir)
    }

    fn at(dir: &Path) -> World {
        let place = Place { dir: dir.join("ws"), state: dir.join("state") };
        World { dir: dir.to_path_buf(), _temporary: None, agent: dir.join("agent"), place }
    }

    fn sign(dir: &Path, entries: u64, grants: u64) {
        let begun = Instant::now();
        let place = World::at(dir).place;
        let file = policy::file::parse("", "policy.toml").unwrap();
        let rules = policy::file::to_rules(&file, policy::catalogue::built_in().unwrap());
        let pass = Passphrase::chosen("correct horse battery staple".into()).unwrap();
        // Everything was written in the month before this one, so that the review of the last month is of all of it.
        let now = Time::from(aosctl::sys::clock::now());
        let clock = Month::of(now).start().minus(Span::days(10));
        let new = NewWorkspace {
            company: None,
            operator: None,
            passphrase: &pass,
            rules,
            source: policy::file::render(&file),
            confirmed: BTreeSet::new(),
            now: clock,
        };
        create(&place, &new).unwrap();
        let ws = Workspace::open(place.clone()).unwrap();
        let op = ws.sealed_operator(None).unwrap().1.unlock(&pass).unwrap();
        let by = By::identity(Id::FIRST_OPERATOR, &op);
        let agents = 100.min(grants / 10);
        // Seeds of this throwaway workspace, drawn here because a Signer gives its seed to nobody.
        let seeds: Vec<[u8; 32]> = (0..agents).map(|_| aosctl::sys::random::bytes().unwrap()).collect();
        let signers: Vec<Signer> = seeds.iter().map(Signer::from_seed).collect();
        ws.transact(clock, |tx| {
            for (i, s) in signers.iter().enumerate() {
                let line = EnrolmentLine::create(s, &ws.origin().name).unwrap();
                let id = tx.next_id(IdKind::Agent)?;
                tx.append(
                    by,
                    AgentEnrolled {
                        id,
                        handle: format!("bot-{}", i + 1),
                        operator: Id::FIRST_OPERATOR,
                        public_key: Hex32(line.public_key),
                        proof: data_encoding::HEXLOWER.encode(&line.proof),
                    },
                )?;
            }
            // As many as an agent has grants, so a door has one grant, as in life.
            for n in 1..=grants / agents {
                let id = tx.next_id(IdKind::Integration)?;
                let handle = if n == 1 { "github".into() } else { format!("github-{n}") };
                let kind = "github".into();
                tx.append(by, IntegrationAdded { id, handle, kind, inside: false, residency: None })?;
            }
            Ok::<_, WorkspaceError>(())
        })
        .unwrap();
        let mut made = 0;
        while made < grants {
            ws.transact(clock, |tx| {
                for _ in 0..500.min(grants - made) {
                    let agent = Id::new(IdKind::Agent, made % agents + 1);
                    let integration = made / agents % (grants / agents) + 1;
                    let scope = format!("repo:acme/app-{}", agent.n);
                    tx.append(
                        by,
                        GrantIssued {
                            grant: tx.next_id(IdKind::Grant)?,
                            agent,
                            integration: Id::new(IdKind::Integration, integration),
                            scope: scope.parse().unwrap(),
                            access: Access::Write,
                            data: DataClass::Internal,
                            owner: Id::FIRST_OPERATOR,
                            mission: None,
                            until: Some(tx.now().plus(Span::days(90))),
                            replaces: None,
                            carries: None,
                            again: None,
                            accepted: vec![],
                            reason: None,
                        },
                    )?;
                    made += 1;
                }
                Ok::<_, WorkspaceError>(())
            })
            .unwrap();
        }
        let mut size = ws.store().last_seq().unwrap().unwrap() + 1;
        while size < entries {
            ws.transact(clock, |tx| {
                for i in 0..200.min((entries - size).div_ceil(3)) {
                    let n = (size / 3 + i) % agents;
                    let id = Id::new(IdKind::Agent, n + 1);
                    let by = By::identity(id, &signers[usize::try_from(n).unwrap()]);
                    // Each agent in its turn, and each time through the next of its grants.
                    let r = ask(tx, by, id, (size / 3 + i) / agents % (grants / agents) + 1)?;
                    tx.append(by, RequestClaimed { request: r, mode: ClaimMode::Agent, key: None })?;
                    tx.append(
                        by,
                        RequestFinished {
                            request: r,
                            outcome: Outcome::Succeeded,
                            status: None,
                            duration_ms: Some(1200),
                            detail: None,
                            note: None,
                        },
                    )?;
                }
                Ok::<_, WorkspaceError>(())
            })
            .unwrap();
            size = ws.store().last_seq().unwrap().unwrap() + 1;
        }
        let agent = World::at(dir).agent;
        let identity =
            PlainIdentity::new(PlainKind::Agent, "ag-1", &ws.origin().name, Signer::from_seed(&seeds[0])).unwrap();
        aosctl::sys::files::create_private_new(&agent, &identity.to_json().unwrap()).unwrap();
        eprintln!("built {size} entries, {grants} grants in {:.1} s", begun.elapsed().as_secs_f64());
    }

    fn aosctl(&self, args: &[&str]) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_aosctl"));
        c.args(args)
            .env_clear()
            .env("AOSCTL_WORKSPACE", &self.place.dir)
            .env("AOSCTL_STATE_DIR", &self.place.state)
            .env("AOSCTL_IDENTITY", &self.agent)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        c
    }

    fn floor(&self, what: &str, path: &Path) -> Command {
        let mut c = Command::new(std::env::current_exe().unwrap());
        c.arg(what).arg(path).env_clear();
        c
    }

    fn check(&self, entries: u64, grants: u64) {
        let (floor, measured) =
            alternate(60, || self.floor("floor-read", &self.place.database()), || self.aosctl(&CHECK));
        row(&format!("check, {grants} grants, {entries} entries"), floor, measured, "<= 2");
    }

    fn request_new(&self, entries: u64) {
        let args = [
            "request",
            "new",
            "--integration",
            "github",
            "--action",
            "issue.create",
            "--resource",
            "repo:acme/app-1",
            "--data",
            "internal",
            "--summary",
            "Open an issue",
        ];
        let (floor, measured) = alternate(60, || self.floor("floor-write", &self.dir), || self.aosctl(&args));
        row(&format!("request new, {entries} entries"), floor, measured, "<= 3");
    }

    /// The review of the last month, against the same of a log that holds hardly more than the grants.
    fn review(&self, young: &World, entries: u64, grants: u64) {
        let args = ["review", "--json"];
        let (floor, measured) = alternate(5, || young.aosctl(&args), || self.aosctl(&args));
        row(&format!("review, {grants} grants, {entries} entries"), floor, measured, "<= 1.5");
    }

    /// The raw rate is measured before and after each round, so that what the machine does besides falls on both.
    fn audit_verify(&self, entries: u64) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let rounds = match entries {
            0..=10_000 => 5,
            10_001..=100_000 => 3,
            _ => 1,
        };
        let (mut best, mut peak) = ((0.0, 0.0), 0u64);
        for _ in 0..rounds {
            let before = raw_rate(threads);
            let mut c = Command::new(std::env::current_exe().unwrap());
            c.arg("verify-once").arg(&self.place.dir).arg(&self.place.state).arg(threads.to_string());
            let out = c.output().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            let raw = f64::midpoint(before, raw_rate(threads));
            let said = String::from_utf8_lossy(&out.stdout);
            let mut words = said.split_whitespace();
            let took: f64 = words.next().unwrap().parse().unwrap();
            peak = peak.max(words.next().unwrap().parse().unwrap());
            let size: f64 = words.next().unwrap().parse().unwrap();
            if size / took / raw > best.1 / f64::max(best.0, 1.0) {
                best = (raw, size / took);
            }
        }
        println!(
            "{:<44} {:>9.0}/s {:>9.0}/s {:>7.2}  >= 0.8",
            format!("audit verify, {entries} entries, {threads} threads"),
            best.0,
            best.1,
            best.1 / best.0
        );
        println!(
            "{:<44} {:>11} {:>7.1} MiB {:>7}  <= 64 MiB",
            format!("audit verify, {entries} entries: peak memory"),
            "",
            peak as f64 / 1024.0,
            ""
        );
    }

    /// Whether this aosctl has that flag or command: rows about what is still being written say so instead.
    fn knows(&self, args: &[&str], flag: &str) -> bool {
        let out = self.aosctl(&[args, &["--help"]].concat()).stdout(Stdio::piped()).output().unwrap();
        out.status.success() && String::from_utf8_lossy(&out.stdout).contains(flag)
    }

    /// Nothing new since the pin, against `check`.
    fn since_pin(&self, entries: u64) {
        let name = format!("audit verify --since-pin, {entries} entries");
        if !self.knows(&["audit", "verify"], "--since-pin") {
            return println!("{name:<44} skipped: this aosctl has no --since-pin");
        }
        let since = ["audit", "verify", "--since-pin"];
        let (floor, measured) = alternate(60, || self.aosctl(&CHECK), || self.aosctl(&since));
        row(&name, floor, measured, "<= 2 x check");
    }

    /// Entries a second, against as many as would fit into what the disk takes: the same bytes, copied file by file and synced.
    fn export(&self, entries: u64) {
        let name = format!("audit export, {entries} entries");
        if !self.knows(&["audit", "export"], "--output") {
            return println!("{name:<44} skipped: this aosctl has no audit export");
        }
        let (out, copy) = (self.dir.join("export"), self.dir.join("export-copy"));
        let mut best = (0.0f64, 0.0f64);
        for _ in 0..3 {
            let _ = std::fs::remove_dir_all(&out);
            let _ = std::fs::remove_dir_all(&copy);
            let begun = Instant::now();
            let mut c = self.aosctl(&["audit", "export", "--payloads", "all", "--output"]);
            let said = c.arg(&out).stderr(Stdio::piped()).output().unwrap();
            let took = begun.elapsed().as_secs_f64();
            if !said.status.success() {
                return println!("{name:<44} skipped: {}", String::from_utf8_lossy(&said.stderr).trim());
            }
            let begun = Instant::now();
            std::fs::create_dir_all(&copy).unwrap();
            for file in std::fs::read_dir(&out).unwrap().map(|f| f.unwrap().path()).filter(|p| p.is_file()) {
                let target = copy.join(file.file_name().unwrap());
                std::fs::copy(&file, &target).unwrap();
                std::fs::File::open(&target).unwrap().sync_all().unwrap();
            }
            let disk = begun.elapsed().as_secs_f64();
            best = (best.0.max(entries as f64 / disk), best.1.max(entries as f64 / took));
        }
        let _ = std::fs::remove_dir_all(&out);
        let _ = std::fs::remove_dir_all(&copy);
        println!("{name:<44} {:>9.0}/s {:>9.0}/s {:>7.2}  >= 200,000/s or 1", best.0, best.1, best.1 / best.0);
    }

    /// So many keys, of every age that is not due; every third has a schedule of its own, every fifth an end at the provider.
    fn rotation_check(&self, keys: u64) {
        let ws = Workspace::open(self.place.clone()).unwrap();
        let pass = Passphrase::chosen("correct horse battery staple".into()).unwrap();
        let op = ws.sealed_operator(None).unwrap().1.unlock(&pass).unwrap();
        let by = By::identity(Id::FIRST_OPERATOR, &op);
        let clock = Time::from(aosctl::sys::clock::now());
        let mut made = 0;
        while made < keys {
            ws.transact(clock, |tx| {
                for i in made..keys.min(made + 1_000) {
                    let key = tx.next_id(IdKind::Key)?;
                    let age = u32::try_from(i % 70).unwrap();
                    let facts = KeyFacts {
                        name: format!("key-{i}"),
                        kind: "aws-access-key".into(),
                        integration: Some(Id::new(IdKind::Integration, 1)),
                        scope: Some(format!("user/bot-{i}")),
                        owner: Some(Id::FIRST_OPERATOR),
                        place: KeyPlace::Reference(format!("op://prod/key-{i}/token")),
                        provider_id: Some(format!("AKIA{i:016}")),
                        last4: Some(format!("{:04}", i % 10_000)),
                        fingerprint: None,
                        created: Some(clock.minus(Span::days(400))),
                        rotated: Some(clock.minus(Span::days(age))),
                        expires: (i % 5 == 0).then(|| clock.plus(Span::days(60))),
                        active: true,
                        person: false,
                        seen: None,
                        source: Some("aws-credential-report".into()),
                    };
                    tx.append(by, KeyAdded { key, facts, note: None })?;
                    if i % 3 == 0 {
                        let (every, warn) = (Some(Span::days(180)), Some(Span::days(14)));
                        tx.append(by, RotationScheduled { key, every, warn, owner: None, reason: None })?;
                    }
                }
                Ok::<_, WorkspaceError>(())
            })
            .unwrap();
            made += 1_000.min(keys - made);
        }
        drop(ws);
        let (floor, measured) =
            alternate(60, || self.floor("floor-keys", &self.place.database()), || self.aosctl(&["rotation", "check"]));
        row(&format!("rotation check, {keys} keys, none due"), floor, measured, "<= 3");
    }

    /// So many processes, each with several signed requests.
    fn writers(&self, processes: usize, each: usize) {
        let run = |n: usize, each: usize| {
            let begun = Instant::now();
            let children: Vec<_> = (0..n)
                .map(|_| {
                    let mut c = Command::new(std::env::current_exe().unwrap());
                    c.arg("write-many")
                        .arg(&self.place.dir)
                        .arg(&self.place.state)
                        .arg(each.to_string())
                        .arg(&self.agent);
                    c.stdout(Stdio::piped()).spawn().unwrap()
                })
                .collect();
            let mut times = Vec::new();
            for c in children {
                let out = c.wait_with_output().unwrap();
                assert!(out.status.success(), "a writer failed");
                times.extend(String::from_utf8_lossy(&out.stdout).lines().map(|l| l.parse::<u64>().unwrap()));
            }
            times.sort_unstable();
            (begun.elapsed(), times)
        };
        let before = self.size();
        let (alone, times) = run(1, processes * each);
        let rate_alone = times.len() as f64 / alone.as_secs_f64();
        let (together, times) = run(processes, each);
        let rate = times.len() as f64 / together.as_secs_f64();
        let written = self.size() - before;
        assert_eq!(written, 2 * (processes * each) as u64, "acknowledged requests are missing");
        println!(
            "{:<44} {:>9.0}/s {:>9.0}/s {:>7.2}  >= 0.5",
            format!("{processes} writers together, none lost"),
            rate_alone,
            rate,
            rate / rate_alone
        );
        let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
        println!(
            "{:<44} {:>8.1} ms {:>8.1} ms {:>7.2}  <= 5",
            format!("{processes} writers: median and slowest"),
            median as f64 / 1e3,
            slowest as f64 / 1e3,
            slowest as f64 / median as f64
        );
    }

    fn size(&self) -> u64 {
        Workspace::open(self.place.clone()).unwrap().store().last_seq().unwrap().unwrap() + 1
    }
}

/// Runs two commands in turn, so that what the machine does besides falls on both; the medians.
fn alternate(rounds: usize, mut a: impl FnMut() -> Command, mut b: impl FnMut() -> Command) -> (Duration, Duration) {
    let time = |mut c: Command| {
        let begun = Instant::now();
        let status = c.status().unwrap();
        let took = begun.elapsed();
        assert!(status.success(), "{c:?}: {status}");
        took
    };
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    for i in 0..rounds + 5 {
        let (x, y) = (time(a()), time(b()));
        if i >= 5 {
            xs.push(x);
            ys.push(y);
        }
    }
    xs.sort_unstable();
    ys.sort_unstable();
    (xs[rounds / 2], ys[rounds / 2])
}

fn row(name: &str, floor: Duration, measured: Duration, goal: &str) {
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    println!("{name:<44} {:>8.2} ms {:>8.2} ms {:>7.2}  {goal}", ms(floor), ms(measured), ms(measured) / ms(floor));
}

/// Signatures a second by `verify_strict` of ed25519-dalek itself, with so many threads.
fn raw_rate(threads: usize) -> f64 {
    let signer = Signer::generate().unwrap();
    let messages: Vec<(Vec<u8>, [u8; 64])> = (0..2_000u32)
        .map(|i| {
            let m: Vec<u8> = i.to_le_bytes().iter().copied().cycle().take(420).collect();
            let s = signer.sign(&m);
            (m, s)
        })
        .collect();
    let key = ed25519_dalek::VerifyingKey::from_bytes(&PublicKey(signer.public()).0).unwrap();
    let begun = Instant::now();
    std::thread::scope(|s| {
        for _ in 0..threads {
            s.spawn(|| {
                for _ in 0..5 {
                    for (m, sig) in &messages {
                        key.verify_strict(m, &ed25519_dalek::Signature::from_bytes(sig)).unwrap();
                    }
                }
            });
        }
    });
    (threads * 5 * messages.len()) as f64 / begun.elapsed().as_secs_f64()
}
