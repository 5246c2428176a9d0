use super::*;

fn as_of() -> Time {
    date::parse("2026-11-21").unwrap()
}

fn file(text: &str) -> Inventory {
    read(text.as_bytes(), as_of()).unwrap()
}

#[test]
fn every_column_is_read() {
    let text = "name,kind,integration,scope,owner,reference,provider_id,last4,created,last_rotated,last_used,expires,active,person\n\
                ci token,token,github,repo:acme/app,ops,op://ci/github/token,tok-1,9f2a,2025-01-02,2026-03-04T05:06:07+02:00,2026-11-20,2027-01-01,true,no\n";
    let found = file(text);
    assert_eq!(found.refused, []);
    let row = &found.rows[0];
    assert_eq!((row.line, row.name.as_str(), row.kind.as_deref()), (2, "ci token", Some("token")));
    assert_eq!(row.rotated.unwrap().to_string(), "2026-03-04T03:06:07.000Z");
    assert_eq!(row.seen.as_ref().unwrap().last.unwrap().to_string(), "2026-11-20T00:00:00.000Z");
    assert_eq!((row.active, row.person), (Some(true), Some(false)));
    assert_eq!(COLUMNS.len(), 14);
}

#[test]
fn what_is_empty_says_nothing_and_never_is_a_word() {
    let found = file("name,last_used,active\na,,\nb,never,false\nc,unknown,true\n");
    assert_eq!((found.rows[0].seen.as_ref(), found.rows[0].active), (None, None));
    assert_eq!(found.rows[1].seen.as_ref().unwrap().last, None);
    assert_eq!(found.refused.len(), 1, "{:?}", found.refused);
}

#[test]
fn a_file_that_seems_to_hold_secrets_is_refused_whole() {
    for column in ["secret", "Password", "token", "value", "secret access key", "client_secret"] {
        let text = format!("name,{column}\nci,hunter2\n");
        assert_eq!(read(text.as_bytes(), as_of()), Err(InventoryError::Secrets { at: 2 }), "{column}");
    }
}

#[test]
fn a_column_that_nobody_defined_is_no_silence() {
    let err = read(b"name,last_roteted\nci,2026-01-01\n", as_of()).unwrap_err();
    assert_eq!(err, InventoryError::UnknownColumn { at: 2, name: "last_roteted".into() });
    assert_eq!(read(b"kind\ntoken\n", as_of()), Err(InventoryError::MissingColumn("name")));
}

#[test]
fn a_secret_in_a_cell_is_refused_and_not_shown() {
    let secret = "ghp_0123456789abcdefghij0123456789abcdef";
    for column in ["name", "provider_id", "reference", "scope", "created"] {
        let text = match column {
            "name" => format!("name\n{secret}\n"),
            _ => format!("name,{column}\nci,{secret}\n"),
        };
        let found = file(&text);
        assert_eq!(found.rows, []);
        assert!(found.refused[0].why.contains("looks like a secret"), "{:?}", found.refused);
        assert!(!format!("{found:?}").contains("ghp_"), "{found:?}");
    }
}

#[test]
fn every_dialect_of_dates_is_refused_by_line() {
    let mut text = String::from("name,created\n");
    let bad = ["03/04/2026", "1.2.2026", "45982", "1795251600", "2026-11-21 10:00", "Nov 3", "0001-01-01"];
    for (i, date) in bad.iter().enumerate() {
        text.push_str(&format!("k{i},{date}\n"));
    }
    text.push_str("fine,2026-11-21\n");
    let found = file(&text);
    assert_eq!(found.refused.iter().map(|r| r.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(found.rows.len(), 1);
    assert!(found.refused[0].why.contains("expected 2026-11-21"), "{:?}", found.refused);
}

#[test]
fn doubles_name_the_first() {
    let found = file("name,provider_id\na,1\nb,1\na,2\nc,\nd,\n");
    let why: Vec<(u64, &str)> = found.refused.iter().map(|r| (r.line, r.why.as_str())).collect();
    assert_eq!(why, [(3, "the same provider_id is on line 2"), (4, "the same name is on line 2")]);
    assert_eq!(found.rows.len(), 3);
}

#[test]
fn rows_that_contradict_themselves() {
    let found = file(
        "name,kind,last4,created,last_rotated,active\na,API Key,,,,\nb,,9f2,,,\nc,,,2026-01-02,2026-01-01,\nd,,,,,maybe\n,,,,,\ne,,,2026-01-01T10:00:00Z,2026-01-01,1\nf,,,2026-01-01T10:00:00Z,2026-01-01,\n",
    );
    assert_eq!(found.refused.iter().map(|r| r.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7]);
    assert_eq!(found.rows.len(), 1);
}
