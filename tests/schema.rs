//! Opening workspaces of every schema version: a newer one is refused clearly, an older one migrated after a backup.
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

#[path = "schema/fixture.rs"]
mod fixture;
mod support;

use std::path::{Path, PathBuf};

use aosctl::store::{PROJECTION, SCHEMA_VERSION, Store, StoreError};
use support::tree::copy_tree;
use support::{Bench, code, sql, text};

/// The workspace kept of a schema version, as that version wrote it. The passphrase is the one of the test bench, and every
/// key in it is public knowledge.
///
/// `AOSCTL_UPDATE=1 cargo test --test schema` writes the one of the newest version where it is missing; one that was
/// released is never written again.
fn kept(version: i64) -> PathBuf {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workspaces").join(format!("schema-{version}"));
    let update = std::env::var_os("AOSCTL_UPDATE").is_some_and(|v| v == "1");
    if update && version == SCHEMA_VERSION && !kept.exists() {
        fixture::write(&kept);
    }
    kept
}

#[test]
fn the_kept_workspace_can_be_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("kept");
    fixture::write(&to);
    let files = |root: &Path| {
        let mut found = vec![];
        let mut open = vec![root.to_path_buf()];
        while let Some(dir) = open.pop() {
            for e in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
                if e.is_dir() { open.push(e) } else { found.push(e.file_name().unwrap().to_owned()) }
            }
        }
        found.sort();
        found
    };
    assert_eq!(files(&to), files(&kept(SCHEMA_VERSION)), "the kept one has other files");
    assert!(!files(&to).iter().any(|f| f.to_string_lossy().contains("-wal")));
}

#[test]
fn a_workspace_of_every_schema_version_opens_and_verifies() {
    let mut seen = Vec::new();
    for version in 1..=SCHEMA_VERSION {
        let from = kept(version);
        assert!(
            from.is_dir(),
            "keep a workspace of schema version {version}: AOSCTL_UPDATE=1 cargo test --test schema"
        );
        let b = Bench::empty();
        copy_tree(&from.join("ws"), &b.workspace());
        copy_tree(&from.join("state"), &b.path("state"));
        let out = b.bare().args(["audit", "verify"]).output().unwrap();
        assert_eq!(code(&out), 0, "schema {version}: {}{}", text(&out.stdout), text(&out.stderr));
        // Every table is there to be read. What was signed without a right is only found, never kept by aosctl itself.
        let c = rusqlite::Connection::open(b.db()).unwrap();
        for (table, _) in PROJECTION.iter().filter(|(table, _)| *table != "invalid") {
            let rows: i64 = c.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).unwrap();
            let since = match *table {
                "keys" | "reviews" | "review_items" => 2,
                "corrections" => 3,
                _ => 1,
            };
            assert!(rows > 0 || version < since, "the workspace of schema {version} holds nothing in {table}");
        }
        drop(c);
        for list in ["grant", "request", "agent", "operator", "integration"] {
            let rows = b.ok(&[list, "list"]);
            assert!(!rows.trim().is_empty(), "{list}");
        }
        // And it can be written to: a signature by its operator, a decision by its agent.
        b.ok(&["thaw", "build-bot"]);
        b.ok(&["connect", "github", "--agent", "build-bot", "--scope", "repo:acme/app", "--data", "internal"]);
        let agents =
            b.path("state").join(std::fs::read_dir(b.path("state")).unwrap().next().unwrap().unwrap().file_name());
        let ask = ["--integration", "github", "--action", "pull_request.read", "--resource", "repo:acme/app"];
        let mut request = b.bare();
        request.args(["request", "new", "--identity"]).arg(agents.join("agents/build-bot.json")).args(ask);
        let out = request.output().unwrap();
        assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
        assert_eq!(code(&b.bare().args(["audit", "verify"]).output().unwrap()), 0);
        seen.push(version);
    }
    println!("schema versions opened: {seen:?}");
    assert_eq!(seen.len(), usize::try_from(SCHEMA_VERSION).unwrap());
}

#[test]
fn a_newer_workspace_is_refused_and_left_alone() {
    let b = Bench::new();
    sql(&b.db(), &format!("PRAGMA user_version = {}", SCHEMA_VERSION + 1));
    let before = std::fs::read(b.db()).unwrap();
    for args in [vec!["status"], vec!["audit", "verify"], vec!["freeze"], vec!["grant", "list"]] {
        let out = b.run(&args);
        assert_eq!(code(&out), 3, "{args:?}");
        let said = text(&out.stderr);
        assert!(said.contains("schema version") && said.contains("newer"), "{said}");
    }
    assert_eq!(before, std::fs::read(b.db()).unwrap(), "nothing may be written into a workspace of the future");
}

/// With an injected list of versions the same is tested in src/store/open.rs.
#[test]
fn an_older_workspace_is_backed_up_and_migrated_in_one_transaction() {
    // Before version 1 there was nothing: an empty database of ours stands for the oldest there can be.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("aosctl.db");
    sql(&path, "PRAGMA application_id = 1634693987; PRAGMA user_version = 0; CREATE TABLE kept (x)");
    let store = Store::open(&path).unwrap();
    assert!(store.head().unwrap().is_none());
    drop(store);
    let backup = dir.path().join("aosctl.db.v0-backup");
    let c = rusqlite::Connection::open(&backup).unwrap();
    let tables: i64 = c.query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |r| r.get(0)).unwrap();
    assert_eq!(tables, 1, "the backup is the database before the migration");
    let c = rusqlite::Connection::open(&path).unwrap();
    let version: i64 = c.pragma_query_value(None, "user_version", |r| r.get(0)).unwrap();
    assert_eq!(version, SCHEMA_VERSION);

    // A migration that fails leaves the old version whole.
    let path = dir.path().join("broken.db");
    sql(&path, "PRAGMA application_id = 1634693987; PRAGMA user_version = 0; CREATE TABLE grants (x)");
    assert!(Store::open(&path).is_err());
    let c = rusqlite::Connection::open(&path).unwrap();
    let (version, tables): (i64, i64) = c
        .query_row(
            "SELECT (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)",
            [],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
        .unwrap();
    assert_eq!((version, tables), (0, 1), "half a migration was kept");
}

#[test]
fn other_files_are_not_taken_for_workspaces() {
    let b = Bench::new();
    for (what, bytes) in
        [("garbage", vec![0x5a; 8192]), ("nothing", vec![]), ("half a header", b"SQLite format 3\0".to_vec())]
    {
        std::fs::write(b.db(), &bytes).unwrap();
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(b.workspace().join(format!("aosctl.db{suffix}")));
        }
        let out = b.run(&["status"]);
        assert_eq!(code(&out), 3, "{what}: {}", text(&out.stderr));
        assert!(text(&out.stderr).contains("error:"), "{what}");
    }
    // Another program's database.
    std::fs::remove_file(b.db()).unwrap();
    sql(&b.db(), "CREATE TABLE t (x)");
    assert!(matches!(Store::open(&b.db()), Err(StoreError::NotOurs)));
    assert_eq!(code(&b.run(&["status"])), 3);
}
