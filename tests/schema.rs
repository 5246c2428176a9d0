//! Opening workspaces of every schema version: a newer one is refused clearly, an older one migrated after a backup.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod support;

use std::path::Path;

use aosctl::store::{SCHEMA_VERSION, Store, StoreError};
use support::{Bench, code, sql, text};

fn copy_tree(from: &Path, to: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700)).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
            std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

/// A workspace kept from each schema version, as that version wrote it. The passphrase is the one of the test bench, and
/// every key in it is public knowledge.
#[test]
fn a_workspace_of_every_schema_version_opens_and_verifies() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workspaces");
    let mut seen = Vec::new();
    for version in 1..=SCHEMA_VERSION {
        let from = kept.join(format!("schema-{version}"));
        assert!(from.is_dir(), "keep a workspace of schema version {version} in {}", from.display());
        let b = Bench::empty();
        copy_tree(&from.join("ws"), &b.workspace());
        copy_tree(&from.join("state"), &b.path("state"));
        let out = b.bare().args(["audit", "verify"]).output().unwrap();
        assert_eq!(code(&out), 0, "schema {version}: {}{}", text(&out.stdout), text(&out.stderr));
        // And it can be written to: a signature by its operator, a decision by its agent.
        b.ok(&["freeze"]);
        b.ok(&["thaw", "--reason", "the test is over"]);
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
