//! Caps: handed out when allowed, and spent whatever becomes of it.

use crate::lab::{Lab, REFUND};

fn refund(lab: &Lab, cents: u64, currency: &str, exit: i32) -> String {
    let parameters = format!(r#"{{"amount":{cents},"currency":"{currency}"}}"#);
    lab.ask(&[REFUND, &["--parameters", &parameters]].concat(), exit)
}

#[test]
fn over_a_cap_or_in_another_currency_asks() {
    let lab = Lab::with_caps("100USD", "250USD");
    refund(&lab, 10_000, "usd", 0);
    refund(&lab, 10_001, "usd", 5);
    refund(&lab, 10_000, "usd", 0);
    refund(&lab, 5_000, "usd", 0);
    // The week is full.
    refund(&lab, 1, "usd", 5);
    refund(&lab, 1, "eur", 5);
    // Nothing moves, nothing is asked.
    refund(&lab, 0, "usd", 0);
    // What is not said asks.
    lab.ask(REFUND, 5);
    lab.ask(&[REFUND, &["--parameters", r#"{"amount":"ten","currency":"usd"}"#]].concat(), 5);
    lab.ask(&[REFUND, &["--parameters", r#"{"amount":-5,"currency":"usd"}"#]].concat(), 5);
    lab.ask(&[REFUND, &["--parameters", r#"{"amount":18446744073709551616,"currency":"usd"}"#]].concat(), 5);
    lab.verified();
}

#[test]
fn declaring_less_or_another_currency_does_not_help() {
    let lab = Lab::with_caps("100USD", "1000USD");
    let over = r#"{"amount":20000,"currency":"usd"}"#;
    lab.ask(&[REFUND, &["--parameters", over, "--amount", "1USD"]].concat(), 5);
    lab.ask(&[REFUND, &["--parameters", r#"{"amount":100,"currency":"usd"}"#, "--amount", "1EUR"]].concat(), 5);
    lab.ask(&[REFUND, &["--parameters", r#"{"amount":100,"currency":"usd"}"#, "--amount", "500USD"]].concat(), 5);
    lab.ask(&[REFUND, &["--parameters", r#"{"amount":100,"currency":"usd"}"#, "--amount", "0.50USD"]].concat(), 0);
    lab.verified();
}

#[test]
fn money_stays_spent_after_failing_and_withdrawing_until_it_is_released() {
    let lab = Lab::with_caps("100USD", "200USD");
    let failed = refund(&lab, 10_000, "usd", 0);
    let withdrawn = refund(&lab, 10_000, "usd", 0);
    refund(&lab, 100, "usd", 5);
    assert_eq!(lab.json(&["request", "begin", &failed]).0, 0);
    let out = lab.bot(&["request", "fail", &failed, "--note", "declined"]);
    assert!(String::from_utf8_lossy(&out.stderr).contains("stays counted"), "{out:?}");
    assert_eq!(lab.json(&["request", "withdraw", &withdrawn]).0, 0);
    refund(&lab, 100, "usd", 5);
    // An operator found out that nothing was moved.
    let out = lab.bench.ok(&[
        "--json",
        "request",
        "resolve",
        &failed,
        "--outcome",
        "failed",
        "--release",
        "--reason",
        "seen at Stripe",
    ]);
    let v: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&v["standing"], &v["released"]), (&"failed".into(), &true.into()));
    refund(&lab, 10_000, "usd", 0);
    refund(&lab, 100, "usd", 5);
    lab.verified();
}

#[test]
fn the_claim_counts_again_but_not_its_own_money() {
    let lab = Lab::with_caps("100USD", "100USD");
    let r = refund(&lab, 10_000, "usd", 0);
    // The week is full with its own money, and that does not stop it.
    assert_eq!(lab.json(&["request", "begin", &r]).0, 0);
    lab.verified();
}
