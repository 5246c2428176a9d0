use super::*;

/// As AWS wrote it for an account with a root user, a robot and a person (documentation's account number).
const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";
const ROOT: &str = "<root_account>,arn:aws:iam::123456789012:root,2019-01-01T00:00:00Z,not_supported,2026-01-05T10:00:00Z,not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";
const CI: &str = "ci,arn:aws:iam::123456789012:user/ci,2020-01-01T00:00:00Z,false,N/A,N/A,N/A,false,true,2026-06-01T08:00:00+00:00,2026-11-20T07:00:00Z,eu-west-1,s3,false,2024-02-01T08:00:00Z,N/A,N/A,N/A,false,N/A,false,N/A";
const OPS: &str = "ops,arn:aws:iam::123456789012:user/team/ops,2020-01-01T00:00:00Z,true,no_information,2025-03-01T00:00:00Z,N/A,false,true,2025-01-01T00:00:00Z,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,true,2023-05-01T00:00:00Z,false,N/A";

fn at(text: &str) -> Time {
    date::parse(text).unwrap()
}

fn as_of() -> Time {
    at("2026-11-21")
}

fn report(lines: &[&str]) -> String {
    [&[HEADER], lines].concat().join("\n")
}

fn rows(text: &str) -> Vec<Row> {
    let found = read(text.as_bytes(), as_of()).unwrap();
    assert_eq!(found.refused, []);
    found.rows.into_iter().filter(|r| !r.absent).collect()
}

#[test]
fn a_report_becomes_credentials() {
    let all = rows(&report(&[ROOT, CI, OPS]));
    let names: Vec<&str> = all.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "<root_account>/password",
            "ci/access-key-1",
            "ci/access-key-2",
            "ops/password",
            "ops/access-key-1",
            "ops/cert-1"
        ]
    );
    let ci = &all[1];
    assert_eq!(ci.provider_id.as_deref(), Some("arn:aws:iam::123456789012:user/ci#access_key_1"));
    assert_eq!((ci.active, ci.turned, ci.person), (Some(true), Some(at("2026-06-01T08:00:00Z")), None));
    assert_eq!(ci.seen.as_ref().unwrap().last, Some(at("2026-11-20T07:00:00Z")));
    assert_eq!(ci.seen.as_ref().unwrap().as_of, as_of());
}

#[test]
fn the_three_words_mean_three_things() {
    let all = rows(&report(&[ROOT, CI, OPS]));
    let seen = |i: usize| all[i].seen.as_ref().map(|s| s.last);
    assert_eq!(seen(2), Some(None), "N/A: watched, and never seen used");
    assert_eq!(seen(3), None, "no_information: nobody can tell");
    assert_eq!(seen(0), Some(Some(at("2026-01-05T10:00:00Z"))), "of the root user the last sign-in is told");
    assert_eq!(all[0].rotated, None, "and not when the password was changed");
    assert_eq!(seen(5), None, "of certificates nothing is told");
    let moto =
        CI.replace("false,N/A,N/A,N/A,false,true", "false,not_supported,2020-01-01T00:00:00Z,not_supported,false,true");
    assert!(
        !rows(&report(&[&moto])).iter().any(|r| r.kind.as_deref() == Some("password")),
        "no password, whatever its date"
    );
}

#[test]
fn an_inactive_key_keeps_its_dates_and_slot_2_may_be_older() {
    let all = rows(&report(&[CI]));
    assert_eq!((all[1].active, all[1].turned), (Some(false), Some(at("2024-02-01T08:00:00Z"))));
    assert!(all[1].turned < all[0].turned);
}

#[test]
fn who_signs_in_by_hand_shares_the_keys() {
    let all = rows(&report(&[OPS]));
    assert!(all.iter().all(|r| r.person == Some(true) || r.kind.as_deref() == Some("certificate")), "{all:?}");
}

#[test]
fn empty_slots_are_told_as_empty() {
    let found = read(report(&[CI]).as_bytes(), as_of()).unwrap();
    let empty: Vec<&str> = found.rows.iter().filter(|r| r.absent).map(|r| r.name.as_str()).collect();
    assert_eq!(empty, ["ci/password", "ci/cert-1", "ci/cert-2"]);
    assert_eq!(found.accounts.iter().collect::<Vec<_>>(), ["123456789012"]);
}

#[test]
fn columns_may_stand_in_any_order_and_be_more() {
    let plain = rows(&report(&[CI, OPS]));
    let turn = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        cells.reverse();
        format!("{},x", cells.join(","))
    };
    let header = turn(HEADER).replace(",x", ",additional_credentials_info");
    let text = [header, turn(CI), turn(OPS)].join("\r\n");
    assert_eq!(rows(&text), plain);
}

#[test]
fn a_missing_column_is_named() {
    for column in ["user", "arn", "password_enabled", "access_key_2_last_used_date", "cert_2_last_rotated"] {
        let header = HEADER.replace(column, "other_column");
        // A longer name holds a shorter one: `user` stands in `user_creation_time` too.
        let header = if column == "user" { HEADER.replacen("user", "other", 1) } else { header };
        let text = [&header, CI].join("\n");
        assert_eq!(read(text.as_bytes(), as_of()), Err(InventoryError::MissingColumn(column)), "{column}");
    }
}

#[test]
fn what_cannot_be_read_is_named_by_line_and_the_rest_goes_in() {
    let bad_date = CI.replace("2026-06-01T08:00:00+00:00", "01/06/2026").replace("user/ci,", "user/ci2,");
    let bad_flag = CI.replace("s3,false", "s3,perhaps").replace("user/ci,", "user/ci3,");
    let bad_arn = CI.replace("arn:aws:iam::123456789012:user/ci", "ci");
    let day = OPS.replace("2025-03-01T00:00:00Z", "2025-03-01").replace("user/team/ops", "user/team/two");
    let found = read(report(&[ROOT, &bad_date, &bad_flag, &bad_arn, "a,b", CI, CI, &day]).as_bytes(), as_of()).unwrap();
    let refused: Vec<(u64, &str)> = found.refused.iter().map(|r| (r.line, r.why.as_str())).collect();
    let want = [
        (3, "access_key_1: \"01/06/2026\" is not a date"),
        (4, "access_key_2: neither true nor false"),
        (5, "user and arn do not name an IAM user"),
        (6, "the row has 2 cells"),
        (8, "the same arn is on line 7"),
        (9, "password: \"2025-03-01\" has no time of day"),
    ];
    assert_eq!(refused.len(), want.len(), "{refused:?}");
    for ((line, why), (want_line, want_why)) in refused.iter().zip(want) {
        assert!(*line == want_line && why.starts_with(want_why), "{line}: {why}");
    }
    let read: Vec<&str> = found.rows.iter().filter(|r| !r.absent).map(|r| r.name.as_str()).collect();
    assert!(read.contains(&"ci/access-key-1") && read.contains(&"<root_account>/password"), "{read:?}");
    assert_eq!(found.lines, 8);
}

#[test]
fn accounts_come_from_arns() {
    assert_eq!(account_of("arn:aws-us-gov:iam::123456789012:user/a/b"), Some("123456789012"));
    for bad in [
        "",
        "arn:aws:iam",
        "arn:aws:s3::123456789012:x",
        "arn:aws:iam::12345:user/x",
        "arn:aws:iam::123456789012:",
        "arn:aws:iam::123456789012:user/x#y",
    ] {
        assert_eq!(account_of(bad), None, "{bad}");
    }
    assert_eq!(arn_of("arn:aws:iam::123456789012:user/ci#cert_1"), "arn:aws:iam::123456789012:user/ci");
}

#[test]
fn a_report_as_aws_delivers_it() {
    let content = data_encoding::BASE64.encode(report(&[CI]).as_bytes());
    let json = format!(
        "\n{{\"Content\": \"{content}\", \"ReportFormat\": \"text/csv\", \"GeneratedTime\": \"2026-11-20T08:00:00+00:00\"}}"
    );
    let Delivered { table: bytes, generated } = delivered(json.as_bytes()).unwrap().unwrap();
    assert_eq!((bytes, generated), (report(&[CI]).into_bytes(), Some(at("2026-11-20T08:00:00Z"))));
    assert_eq!(delivered(report(&[CI]).as_bytes()), Ok(None));
    for bad in
        ["{", "{}", "{\"Content\": 1}", "{\"Content\": \"%\"}", "{\"Content\": \"\", \"GeneratedTime\": \"now\"}"]
    {
        assert!(delivered(bad.as_bytes()).is_err(), "{bad}");
    }
}
