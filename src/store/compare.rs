//! The comparison of a workspace's tables with those that its log gives.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row};

use super::StoreError;
use super::schema::{LISTED, PROJECTION};

/// A row of the projection that is not what the log says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Difference {
    /// The table. `sqlite_schema` is SQLite's own list of tables, indexes, triggers and views.
    pub table: String,
    /// The row, by the table's own name for it.
    pub row: String,
    /// Columns that differ; empty where the whole row is too much or missing.
    pub columns: Vec<String>,
    /// `changed`, `inserted` (in the workspace, not in the log) or `deleted`. For an index that does not hold what its
    /// table holds, what SQLite says of it.
    pub kind: String,
    /// The first column that differs: what the workspace says and what the log says.
    pub example: Option<(String, String)>,
}

/// SQLite's list of what there is. What `ANALYZE` leaves in it belongs to SQLite.
const SCHEMA: &str = "sqlite_schema";

/// Compares the projection of a workspace with one replayed into `scratch` (attached as `replayed`), table by table, and
/// the schemas of the two. Indexes are compared with their tables: whoever reads through one must see what is there. That is
/// about as much work as all the rest, and done beside it, by a connection of its own to the database at `path`.
pub fn compare(conn: &Connection, path: &Path, limit: usize) -> Result<Vec<Difference>, StoreError> {
    std::thread::scope(|scope| {
        let beside = scope.spawn(move || lying_indexes(&second(path)?));
        let mut found = compare_schema(conn, limit)?;
        let schema_differs = !found.is_empty();
        for (table, name) in PROJECTION {
            match compare_table(conn, table, name, limit, &mut found) {
                // What a table holds cannot be compared where it is not the table that it was; that is named already.
                Err(StoreError::Sql(_)) if schema_differs => {}
                other => other?,
            }
        }
        if !schema_differs {
            for table in ["grants", "requests"] {
                misplaced(conn, table, limit, &mut found)?;
            }
        }
        // Where there can be no second connection, the first does it.
        match beside.join().ok().and_then(Result::ok).map_or_else(|| lying_indexes(conn), Ok) {
            Ok(lying) => found.extend(lying),
            Err(StoreError::Sql(_)) if schema_differs => {}
            Err(e) => return Err(e),
        }
        found.truncate(limit);
        Ok(found)
    })
}

/// A second connection, that only reads.
fn second(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::from_secs(1))?;
    conn.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA query_only = ON;")?;
    Ok(conn)
}

/// Tables, indexes, triggers and views that are too many, too few, or others than aosctl makes.
pub fn compare_schema(conn: &Connection, limit: usize) -> Result<Vec<Difference>, StoreError> {
    let columns = ["type", "name", "tbl_name", "sql"].map(str::to_string);
    let mut found = Vec::new();
    let ours = format!("SELECT type, name, tbl_name, sql FROM main.sqlite_schema {LISTED}");
    let made = "SELECT type, name, tbl_name, sql FROM replayed.schema_made";
    one_sided(conn, (&ours, made), SCHEMA, (&columns, "name"), limit, &mut found)?;
    Ok(found)
}

fn compare_table(
    conn: &Connection,
    table: &str,
    name: &str,
    limit: usize,
    found: &mut Vec<Difference>,
) -> Result<(), StoreError> {
    let columns: Vec<String> = conn
        .prepare("SELECT name FROM pragma_table_info(?1, 'replayed')")?
        .query_map([table], |r| r.get(0))?
        .collect::<Result<_, _>>()?;
    let list = columns.join(", ");
    let of = |schema: &str| format!("SELECT {list} FROM {schema}.{table} NOT INDEXED");
    let (ours, replayed) = (of("main"), of("replayed"));
    if same_rows(conn, (&ours, &replayed), columns.len())? {
        return Ok(());
    }
    one_sided(conn, (&ours, &replayed), table, (&columns, name), limit, found)
}

/// Have both the same rows in the same order? So they have where nothing is wrong, since both were filled in the order of the
/// log, and then nothing needs to be sorted. Where not, the rows may still be the same.
fn same_rows(conn: &Connection, (ours, replayed): (&str, &str), columns: usize) -> Result<bool, StoreError> {
    let (mut ours, mut replayed) = (conn.prepare(ours)?, conn.prepare(replayed)?);
    let (mut ours, mut replayed) = (ours.query([])?, replayed.query([])?);
    loop {
        match (ours.next()?, replayed.next()?) {
            (None, None) => return Ok(true),
            (Some(a), Some(b)) => {
                for i in 0..columns {
                    if a.get_ref(i)? != b.get_ref(i)? {
                        return Ok(false);
                    }
                }
            }
            _ => return Ok(false),
        }
    }
}

/// Rows of the one that the other lacks, both ways.
fn one_sided(
    conn: &Connection,
    (ours, replayed): (&str, &str),
    table: &str,
    (columns, name): (&[String], &str),
    limit: usize,
    found: &mut Vec<Difference>,
) -> Result<(), StoreError> {
    for (here, there, kind) in [(ours, replayed, "inserted"), (replayed, ours, "deleted")] {
        let mut statement = conn.prepare(&format!("{here} EXCEPT {there} LIMIT {limit}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let values: Vec<String> = (0..columns.len()).map(|i| show(row, i)).collect::<Result<_, _>>()?;
            let id = columns.iter().position(|c| c == name).and_then(|i| values.get(i)).cloned().unwrap_or_default();
            merge(found, table, id, kind, columns, values);
        }
    }
    Ok(())
}

/// Rows whose place in the table does not follow their numbers. The next number is read off the last place.
fn misplaced(conn: &Connection, table: &str, limit: usize, found: &mut Vec<Difference>) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT id FROM (SELECT id, n, lag(n) OVER (ORDER BY rowid) AS before FROM main.{table} NOT INDEXED)
         WHERE before >= n LIMIT {limit}"
    );
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found.push(Difference {
            table: table.into(),
            row: show(row, 0)?,
            columns: vec!["rowid".into()],
            kind: "changed".into(),
            example: None,
        });
    }
    Ok(())
}

/// What SQLite finds wrong with its own trees: above all, indexes that hide rows from whoever reads through them. Payloads
/// are found by their number alone, so there is nothing beside their table that could differ from it.
fn lying_indexes(conn: &Connection) -> Result<Vec<Difference>, StoreError> {
    let mut found = Vec::new();
    for table in PROJECTION.iter().map(|(table, _)| *table).chain(["entries"]) {
        let mut statement = conn.prepare(&format!("PRAGMA main.integrity_check({table})"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let says = show(row, 0)?;
            if says == "ok" {
                continue;
            }
            let (table, row) = match says.rsplit_once(" index ") {
                Some((_, index)) => (SCHEMA, index.to_string()),
                None => (table, String::new()),
            };
            found.push(Difference { table: table.into(), row, columns: Vec::new(), kind: says, example: None });
        }
    }
    Ok(found)
}

/// Two one-sided differences of one row are one change.
fn merge(found: &mut Vec<Difference>, table: &str, row: String, kind: &str, columns: &[String], values: Vec<String>) {
    let twin = found.iter_mut().find(|d| d.table == table && d.row == row && d.kind == "inserted" && kind == "deleted");
    match twin {
        Some(d) => {
            d.kind = "changed".into();
            let ours = std::mem::take(&mut d.columns);
            for ((name, a), b) in columns.iter().zip(ours).zip(values) {
                if a != b {
                    d.columns.push(name.clone());
                    d.example.get_or_insert((a, b));
                }
            }
        }
        // Until its twin is found, `columns` carries the values.
        None => found.push(Difference { table: table.into(), row, columns: values, kind: kind.into(), example: None }),
    }
}

fn show(row: &Row<'_>, i: usize) -> Result<String, StoreError> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(i)? {
        ValueRef::Null => "nothing".into(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(x) => x.to_string(),
        ValueRef::Text(t) => String::from_utf8_lossy(t).into_owned(),
        ValueRef::Blob(b) => data_encoding::HEXLOWER.encode(b),
    })
}
