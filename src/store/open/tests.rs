use super::*;

/// A version of an aosctl that is not written yet.
const NEXT: &str = "CREATE TABLE later (x INTEGER NOT NULL) STRICT; INSERT INTO later VALUES (7);";

fn next() -> Vec<&'static str> {
    [MIGRATIONS, &[NEXT]].concat()
}

fn number(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |r| r.get(0)).unwrap()
}

fn present(dir: &Path) -> PathBuf {
    let path = dir.join("aosctl.db");
    let store = Store::create(&path).unwrap();
    store.conn.execute_batch("INSERT INTO freezes VALUES ('w-1', 3)").unwrap();
    path
}

#[test]
fn an_older_schema_is_backed_up_then_migrated() {
    let dir = tempfile::tempdir().unwrap();
    let path = present(dir.path());
    let backup = dir.path().join(format!("aosctl.db.v{SCHEMA_VERSION}-backup"));
    // A copy that was cut off is not taken for one.
    std::fs::write(dir.path().join(format!("aosctl.db.v{SCHEMA_VERSION}-backup.new")), b"half").unwrap();
    drop(Store::open_at(&path, &next()).unwrap());
    assert_eq!(number(&path, "SELECT user_version FROM pragma_user_version"), SCHEMA_VERSION + 1);
    assert_eq!(number(&path, "SELECT x FROM later"), 7);
    assert_eq!(number(&path, "SELECT seq FROM freezes"), 3);
    assert_eq!(number(&backup, "SELECT user_version FROM pragma_user_version"), SCHEMA_VERSION);
    assert_eq!(number(&backup, "SELECT seq FROM freezes"), 3);
    assert_eq!(number(&backup, "SELECT count(*) FROM sqlite_schema WHERE name = 'later'"), 0);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&backup).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(!dir.path().join(format!("aosctl.db.v{SCHEMA_VERSION}-backup.new")).exists());
    // The first backup stays: it is the one from before the first attempt.
    let before = std::fs::read(&backup).unwrap();
    drop(Store::open_at(&path, &next()).unwrap());
    assert_eq!(std::fs::read(&backup).unwrap(), before);
    // And this aosctl refuses what the next one wrote, without a touch.
    let before = std::fs::read(&path).unwrap();
    assert!(
        matches!(Store::open(&path), Err(StoreError::Newer { found, known: SCHEMA_VERSION }) if found == SCHEMA_VERSION + 1)
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_migration_that_fails_leaves_the_old_version_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = present(dir.path());
    let broken = [MIGRATIONS, &[NEXT, "CREATE TABLE later (y) STRICT"]].concat();
    assert!(Store::open_at(&path, &broken).is_err());
    assert_eq!(number(&path, "SELECT user_version FROM pragma_user_version"), SCHEMA_VERSION);
    assert_eq!(number(&path, "SELECT count(*) FROM sqlite_schema WHERE name = 'later'"), 0);
    drop(Store::open(&path).unwrap());
    drop(Store::open_at(&path, &next()).unwrap());
}

#[test]
fn many_that_open_an_older_one_migrate_it_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = present(dir.path());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| drop(Store::open_at(&path, &next()).unwrap()));
        }
    });
    assert_eq!(number(&path, "SELECT count(*) FROM later"), 1);
}

#[test]
fn another_programs_file_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let empty = dir.path().join("empty.db");
    std::fs::write(&empty, b"").unwrap();
    for path in [&path, &empty] {
        let before = std::fs::read(path).unwrap();
        assert!(matches!(Store::open(path), Err(StoreError::NotOurs)));
        assert_eq!(std::fs::read(path).unwrap(), before);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}
