//! Payloads: every class of bytes, members and salts, other spellings, exchanged and missing ones. The log itself stays as
//! it was, and must not be blamed.

use aosctl::log::canonical;
use aosctl::log::payload::Record;
use aosctl::log::verdict::Check;
use rusqlite::params;
use serde_json::{Value, json};

use crate::base::{Base, Row};
use crate::cases::{attacker, on_log};
use crate::rng::Rng;
use crate::run::Seq::At;
use crate::run::{Mutation, Want, mutation};
use crate::world::World;

const PRINTABLE: &[u8] = b" !\"#$%&'()*+,-./0123456789:;<=>?@ABCXYZ[\\]^_`abcxyz{|}~\x00\n\xff\xc3";

fn put(w: &World, seq: u64, bytes: &[u8]) -> rusqlite::Result<()> {
    let seq = i64::try_from(seq).unwrap();
    on_log(&attacker(w), |c| {
        c.execute("UPDATE payloads SET record = ?1 WHERE seq = ?2", params![bytes, seq]).map(|_| ())
    })
}

/// The envelopes are untouched.
fn log_holds() -> Vec<Want> {
    [Check::Chain, Check::TreeRoot, Check::PinAndWitnesses].map(Want::Holds).into()
}

fn changed(class: &'static str, name: String, seq: u64, bytes: Vec<u8>, wants: Vec<Want>) -> Mutation {
    mutation(class, name, [wants, log_holds()].concat(), move |w| put(w, seq, &bytes))
}

pub fn bytes(base: &Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    for n in 0..each {
        let row = rng.of(&base.rows);
        let (seq, old) = (row.seq, &row.record);
        // Long payloads (the policy's catalogue) would draw most positions: half of them in the last 200 bytes, the salts.
        let at = if n % 2 == 0 { rng.below(old.len()) } else { old.len() - 1 - rng.below(old.len().min(200)) };
        let authority = || Want::Fails(Check::Authority, At(base.blamed(seq)));
        let mut bytes = old.clone();
        bytes[at] = rng.other(PRINTABLE, old[at]);
        let wants = vec![Want::Fails(Check::Commitments, At(base.uncommitted(seq))), authority()];
        let name = format!("payload {seq}, byte {at} to {:#04x}", bytes[at]);
        all.push(changed("payload: a byte", name, seq, bytes, wants));
        let either = vec![
            Want::OneOf(vec![(Check::CanonicalForm, seq), (Check::Commitments, base.uncommitted(seq))]),
            authority(),
        ];
        let (what, bytes) = match n % 3 {
            0 => (format!("a byte put in at {at}"), {
                let mut b = old.clone();
                b.insert(at, *rng.of(PRINTABLE));
                b
            }),
            1 => (format!("the byte at {at} taken out"), {
                let mut b = old.clone();
                b.remove(at);
                b
            }),
            _ => (format!("cut at {at}"), old[..at].to_vec()),
        };
        all.push(changed("payload: put in, taken out, cut", format!("payload {seq}: {what}"), seq, bytes, either));
    }
    all
}

fn object(row: &Row) -> Value {
    serde_json::from_slice(&row.record).unwrap()
}

/// Whole members, in canonical bytes.
pub fn members(base: &Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    for _ in 0..each {
        let row = rng.of(&base.rows);
        let seq = row.seq;
        let old = object(row);
        let names: Vec<String> = old["body"].as_object().unwrap().keys().cloned().collect();
        let name = rng.of(&names).clone();
        let mut push = |what: &str, value: &Value, wants: Vec<Want>| {
            let bytes = canonical::to_vec(value).unwrap();
            if bytes != row.record {
                let label = format!("payload {seq}: {what} {name}");
                all.push(changed("payload: members, salts, erasures", label, seq, bytes, wants));
            }
        };
        let commitments = || {
            vec![
                Want::Fails(Check::Commitments, At(base.uncommitted(seq))),
                Want::Fails(Check::Authority, At(base.blamed(seq))),
            ]
        };
        let mut v = old.clone();
        v["body"][&name] = match &v["body"][&name] {
            Value::String(s) => json!(format!("{s}x")),
            Value::Number(n) => json!(n.as_i64().unwrap() + 1),
            Value::Bool(b) => json!(!b),
            _ => json!("other"),
        };
        push("another value of", &v, [commitments(), vec![Want::Holds(Check::CanonicalForm)]].concat());
        let mut v = old.clone();
        v["salts"][&name] = json!(format!("{:016x}", rng.next()).repeat(4));
        push("another salt of", &v, [commitments(), vec![Want::Holds(Check::CanonicalForm)]].concat());
        let mut v = old.clone();
        v["body"].as_object_mut().unwrap().remove(&name);
        v["salts"].as_object_mut().unwrap().remove(&name);
        push("without", &v, commitments());
        let mut v = old.clone();
        v["salts"].as_object_mut().unwrap().remove(&name);
        push("no salt for", &v, commitments());
        let mut v = old.clone();
        v["body"]["zzz"] = json!(1);
        v["salts"]["zzz"] = json!("00".repeat(32));
        push("a member beside", &v, commitments());
        let mut v = old.clone();
        v["erased"] = json!({"summary": "00".repeat(32)});
        push("an erasure beside", &v, commitments());
        // As the format erases, only that no entry says so.
        let mut record = Record::parse(&row.record).unwrap();
        if record.erase(&name).is_ok_and(|done| done) {
            let bytes = record.to_jcs().unwrap();
            let wants = [
                vec![Want::Fails(Check::Commitments, At(base.uncommitted(seq)))],
                vec![Want::Holds(Check::CanonicalForm)],
            ]
            .concat();
            let label = format!("payload {seq}: {name} erased, and no entry says so");
            all.push(changed("payload: erased in silence", label, seq, bytes, wants));
        }
    }
    // What was erased is put back, or never was.
    for row in base.rows.iter().filter(|r| object(r).get("erased").is_some()) {
        let mut v = object(row);
        v.as_object_mut().unwrap().remove("erased");
        let bytes = canonical::to_vec(&v).unwrap();
        let wants = vec![Want::Fails(Check::Commitments, At(base.uncommitted(row.seq)))];
        all.push(changed(
            "payload: erased in silence",
            format!("payload {}: no trace left", row.seq),
            row.seq,
            bytes,
            wants,
        ));
        let mut v = object(row);
        v.as_object_mut().unwrap().remove("erased");
        v["body"]["summary"] = json!("something nicer");
        v["salts"]["summary"] = json!("11".repeat(32));
        let bytes = canonical::to_vec(&v).unwrap();
        let wants = vec![Want::Fails(Check::Commitments, At(base.uncommitted(row.seq)))];
        all.push(changed(
            "payload: erased in silence",
            format!("payload {}: put back", row.seq),
            row.seq,
            bytes,
            wants,
        ));
    }
    all
}

pub fn spellings(base: &Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    for _ in 0..each {
        let row = rng.of(&base.rows);
        let seq = row.seq;
        let text = std::str::from_utf8(&row.record).unwrap();
        let old = object(row);
        let form =
            || vec![Want::Fails(Check::CanonicalForm, At(seq)), Want::Fails(Check::Authority, At(base.blamed(seq)))];
        let unreadable = || [form(), vec![Want::Fails(Check::Commitments, At(base.uncommitted(seq)))]].concat();
        let (body, salts) = (&old["body"], &old["salts"]);
        let jcs = |v: &Value| String::from_utf8(canonical::to_vec(v).unwrap()).unwrap();
        let erased = old.get("erased").map(|e| format!("\"erased\":{},", jcs(e))).unwrap_or_default();
        let (first, value) = body.as_object().unwrap().iter().next().unwrap();
        let member = format!("{}:{}", jcs(&json!(first)), jcs(value));
        let first_char = first.chars().next().unwrap();
        let escaped = format!("\"\\u{:04x}{}\":", u32::from(first_char), &first[first_char.len_utf8()..]);
        let digit = text
            .char_indices()
            .find(|(i, c)| c.is_ascii_digit() && text[..*i].ends_with(':') && text[*i + 1..].starts_with([',', '}']))
            .map(|(i, _)| i + 1);
        let mut variants = vec![
            ("a space", text.replacen(':', ": ", 1), form()),
            ("a line end", format!("{text}\n"), form()),
            ("another order", format!("{{\"salts\":{},{erased}\"body\":{}}}", jcs(salts), jcs(body)), form()),
            ("an escape", text.replacen(&format!("{}:", jcs(&json!(first))), &escaped, 1), form()),
            ("a member twice", text.replacen(&member, &format!("{member},{member}"), 1), unreadable()),
            ("body twice", text.replacen('{', &format!("{{\"body\":{},", jcs(body)), 1), unreadable()),
            ("salts twice", format!("{},\"salts\":{}}}", &text[..text.len() - 1], jcs(salts)), unreadable()),
            ("a member beside body and salts", format!("{},\"zz\":1}}", &text[..text.len() - 1]), unreadable()),
            ("an empty erasure", text.replacen(",\"salts\"", ",\"erased\":{},\"salts\"", 1), form()),
        ];
        if let Some(at) = digit {
            variants.push(("1.0 for 1", format!("{}.0{}", &text[..at], &text[at..]), unreadable()));
            variants.push(("1e0 for 1", format!("{}e0{}", &text[..at], &text[at..]), unreadable()));
        }
        for (what, bytes, wants) in variants {
            // Where something was erased, "erased" would stand twice.
            let twice = what == "an empty erasure" && !erased.is_empty();
            if bytes != text && !twice {
                let name = format!("payload {seq}: {what}");
                all.push(changed("payload: other spellings", name, seq, bytes.into_bytes(), wants));
            }
        }
    }
    all
}

/// Exchanged, missing, of nobody.
pub fn rows(base: &Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    let class = "payload: exchanged, missing, of nobody";
    for _ in 0..each {
        let (a, b) = (rng.of(&base.rows), rng.of(&base.rows));
        if a.record != b.record {
            let (low, high) = (a.seq.min(b.seq), a.seq.max(b.seq));
            let (first, second) = (a.record.clone(), b.record.clone());
            let (a, b) = (a.seq, b.seq);
            let wants = [
                vec![
                    Want::Fails(Check::Commitments, At(base.uncommitted(low).min(base.uncommitted(high)))),
                    Want::Fails(Check::Authority, At(base.blamed(low).min(base.blamed(high)))),
                ],
                log_holds(),
            ]
            .concat();
            all.push(mutation(class, format!("payloads {low} and {high} exchanged"), wants, move |w| {
                put(w, a, &second)?;
                put(w, b, &first)
            }));
            let copy = base.rows[usize::try_from(low).unwrap()].record.clone();
            let wants = [vec![Want::Fails(Check::Commitments, At(base.uncommitted(high)))], log_holds()].concat();
            all.push(mutation(class, format!("payload {low} also at {high}"), wants, move |w| put(w, high, &copy)));
        }
        let seq = rng.of(&base.rows).seq;
        let wants = [
            vec![
                Want::Fails(Check::Commitments, At(base.uncommitted(seq))),
                Want::Fails(Check::Authority, At(base.blamed(seq))),
            ],
            log_holds(),
        ]
        .concat();
        all.push(mutation(class, format!("payload {seq} taken out"), wants, move |w| {
            on_log(&attacker(w), |c| c.execute_batch(&format!("DELETE FROM payloads WHERE seq = {seq}")))
        }));
        let nobody = base.size() + rng.next() % 1000;
        let wants = [vec![Want::Fails(Check::Commitments, crate::run::Seq::Nowhere)], log_holds()].concat();
        all.push(mutation(class, format!("a payload for entry {nobody}"), wants, move |w| {
            on_log(&attacker(w), |c| {
                c.execute_batch(&format!(
                    "INSERT INTO payloads SELECT {nobody}, record FROM payloads WHERE seq = {seq}"
                ))
            })
        }));
    }
    all
}
