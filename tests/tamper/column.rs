//! The columns of a table, and what stands in one.

use rusqlite::Connection;
use rusqlite::types::Value;

pub struct Column {
    pub name: String,
    pub kind: String,
    pub not_null: bool,
}

pub fn columns(c: &Connection, table: &str) -> Vec<Column> {
    c.prepare("SELECT name, type, \"notnull\" FROM pragma_table_info(?1)")
        .unwrap()
        .query_map([table], |r| Ok(Column { name: r.get(0)?, kind: r.get(1)?, not_null: r.get(2)? }))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

pub fn shown(v: &Value) -> String {
    match v {
        Value::Null => "nothing".into(),
        Value::Integer(n) => n.to_string(),
        Value::Real(x) => x.to_string(),
        Value::Text(t) => t.clone(),
        Value::Blob(b) => data_encoding::HEXLOWER.encode(b),
    }
}
