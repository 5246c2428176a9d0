//! Envelopes: every class of bytes, every member of the header, other spellings. Nobody signs anything here.

use aosctl::log::canonical;
use aosctl::log::verdict::Check;
use data_encoding::BASE64;
use rusqlite::params;
use serde_json::{Value, json};

use crate::base::{Base, Row};
use crate::cases::{attacker, on_log};
use crate::rng::Rng;
use crate::run::Seq::{Any, At, Nowhere};
use crate::run::{Mutation, Want, mutation};
use crate::world::World;

const B64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8] = b"0123456789abcdef";
const PRINTABLE: &[u8] = b" !\"#$%&'()*+,-./0123456789:;<=>?@ABCXYZ[\\]^_`abcxyz{|}~\x00\n\xff\xc3";

pub fn put_envelope(w: &World, seq: u64, bytes: &[u8]) -> rusqlite::Result<()> {
    let seq = i64::try_from(seq).unwrap();
    on_log(&attacker(w), |c| {
        c.execute("UPDATE entries SET envelope = ?1 WHERE seq = ?2", params![bytes, seq]).map(|_| ())
    })
}

fn changed(base: &Base, class: &'static str, name: String, seq: u64, bytes: Vec<u8>, mut wants: Vec<Want>) -> Mutation {
    // Another envelope is another leaf, so another root than the one that was pinned, and another end of the log.
    wants.push(Want::Fails(Check::Authority, At(base.blamed(seq))));
    wants.push(Want::Fails(Check::TreeRoot, Nowhere));
    wants.push(Want::Fails(Check::PinAndWitnesses, Nowhere));
    wants.push(Want::Fails(Check::Projections, Any));
    mutation(class, name, wants, move |w| put_envelope(w, seq, &bytes))
}

/// Where the values stand in the one shape that an envelope has: payload, keyid, sig.
fn parts(bytes: &[u8]) -> [(usize, usize); 3] {
    let text = std::str::from_utf8(bytes).unwrap();
    ["\"payload\":\"", "\"keyid\":\"", "\"sig\":\""].map(|name| {
        let from = text.find(name).unwrap() + name.len();
        (from, from + text[from..].find('"').unwrap())
    })
}

/// The entry after it no longer follows, if there is one.
fn next_breaks(base: &Base, seq: u64) -> Want {
    if seq < base.last() { Want::Fails(Check::Chain, At(seq + 1)) } else { Want::Holds(Check::Chain) }
}

pub fn bytes(base: &Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    for n in 0..each {
        let row = rng.of(&base.rows);
        let (seq, old) = (row.seq, &row.envelope.bytes);
        let [payload, keyid, sig] = parts(old);
        let one = |at: usize, to: u8| {
            let mut bytes = old.clone();
            bytes[at] = to;
            (format!("entry {seq}, byte {at} to {to:#04x}"), bytes)
        };
        // The last character before the padding carries bits that must be zero: it is among the spellings.
        let at = sig.0 + rng.below(85);
        let (name, bytes) = one(at, rng.other(B64, old[at]));
        let wants =
            vec![Want::Fails(Check::Signatures, At(seq)), next_breaks(base, seq), Want::Holds(Check::CanonicalForm)];
        all.push(changed(base, "envelope: the signature", name, seq, bytes, wants));
        let at = keyid.0 + rng.below(64);
        let (name, bytes) = one(at, rng.other(HEX, old[at]));
        let wants = vec![Want::Fails(Check::Signatures, At(seq)), next_breaks(base, seq)];
        all.push(changed(base, "envelope: the key id", name, seq, bytes, wants));
        let at = payload.0 + rng.below(payload.1 - payload.0 - 2);
        let (name, bytes) = one(at, rng.other(B64, old[at]));
        let wants = vec![Want::OneOf(vec![(Check::CanonicalForm, seq), (Check::Signatures, seq)])];
        all.push(changed(base, "envelope: the header's base64", name, seq, bytes, wants));
        // Everything that is none of the values.
        let frame: Vec<usize> = (0..old.len())
            .filter(|i| ![payload, keyid, sig].iter().any(|(from, to)| (from..to).contains(&i)))
            .collect();
        let at = *rng.of(&frame);
        let (name, bytes) = one(at, rng.other(PRINTABLE, old[at]));
        let wants = vec![Want::Fails(Check::CanonicalForm, At(seq))];
        all.push(changed(base, "envelope: its frame", name, seq, bytes, wants));
        let at = rng.below(old.len());
        let either = || vec![Want::OneOf(vec![(Check::CanonicalForm, seq), (Check::Signatures, seq)])];
        let (what, bytes) = match n % 4 {
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
            2 => (format!("cut at {at}"), old[..at].to_vec()),
            _ => (format!("byte {at} inverted"), {
                let mut b = old.clone();
                b[at] = !b[at];
                b
            }),
        };
        all.push(changed(
            base,
            "envelope: put in, taken out, cut",
            format!("entry {seq}: {what}"),
            seq,
            bytes,
            either(),
        ));
    }
    all
}

/// The envelope with another header, and the signature that it had.
fn with_header(row: &Row, header: &[u8]) -> Vec<u8> {
    let keyid = serde_json::from_slice::<Value>(header).ok().and_then(|v| v["key"].as_str().map(str::to_owned));
    let keyid = keyid.unwrap_or_else(|| row.envelope.header.key.to_hex());
    envelope(header, &keyid, &row.envelope.sig)
}

pub fn envelope(header: &[u8], keyid: &str, sig: &[u8]) -> Vec<u8> {
    let value = json!({
        "payload": BASE64.encode(header),
        "payloadType": aosctl::log::envelope::PAYLOAD_TYPE,
        "signatures": [{"keyid": keyid, "sig": BASE64.encode(sig)}],
    });
    canonical::to_vec(&value).unwrap()
}

pub fn headers(base: &Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    for _ in 0..each {
        let row = rng.of(&base.rows);
        let seq = row.seq;
        let old: Value = serde_json::from_slice(&row.envelope.body).unwrap();
        let h = &row.envelope.header;
        let someone = ["op-1", "op-2", "ag-1", "ag-2", "log", "op-99"];
        let other = |all: &[&'static str], not: &str, rng: &mut Rng| {
            *all.iter().cycle().skip(rng.below(all.len())).find(|x| **x != not).unwrap()
        };
        let entries = || Want::Row("entries".into(), seq.to_string());
        let hex = |rng: &mut Rng| format!("{:016x}", rng.next()).repeat(4);
        let mut edits: Vec<(&str, Value, Vec<Want>)> = vec![
            ("log", json!(format!("aosctl/{:016x}{:016x}", rng.next(), rng.next())), vec![]),
            ("seq", json!(h.seq + 1 + rng.next() % 9), vec![Want::Fails(Check::Chain, At(seq))]),
            ("prev", json!(hex(rng)), vec![Want::Fails(Check::Chain, At(seq))]),
            ("actor", json!(other(&someone, &h.actor, rng)), vec![entries()]),
            ("key", json!(hex(rng)), vec![]),
            ("type", json!(other(&["grant.revoked/1", "policy.adopted/1", "x.y/7"], &h.kind, rng)), vec![entries()]),
            ("subject", json!(other(&["g-1", "op-1", "", "zz-77"], &h.subject, rng)), vec![entries()]),
            ("commit", json!(hex(rng)), vec![Want::Fails(Check::Commitments, At(base.uncommitted(seq)))]),
            ("v", json!(2), vec![Want::Fails(Check::CanonicalForm, At(seq))]),
        ];
        if seq > 0 {
            edits[0].2.push(Want::Fails(Check::Chain, At(seq)));
            edits.push(("at", json!("2026-11-20T09:59:00.000Z"), vec![Want::Fails(Check::Chain, At(seq)), entries()]));
        }
        for (member, value, mut wants) in edits {
            let mut header = old.clone();
            header[member] = value.clone();
            wants.push(Want::Fails(Check::Signatures, At(seq)));
            let bytes = with_header(row, &canonical::to_vec(&header).unwrap());
            let name = format!("entry {seq}: {member} to {value}");
            let class = "header: a member changed, not signed anew";
            // Another log's name leads to another pin, where there is none.
            if member == "log" && seq == 0 {
                all.push(mutation(class, name, wants, move |w| put_envelope(w, seq, &bytes)));
            } else {
                all.push(changed(base, class, name, seq, bytes, wants));
            }
        }
    }
    all
}

/// Other bytes that say the same, or the same twice.
pub fn spellings(base: &Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    for _ in 0..each {
        let row = rng.of(&base.rows);
        let seq = row.seq;
        let text = std::str::from_utf8(&row.envelope.bytes).unwrap();
        let [payload, keyid, sig] = parts(text.as_bytes());
        let (b64, key, sig) = (&text[payload.0..payload.1], &text[keyid.0..keyid.1], &text[sig.0..sig.1]);
        let kind = "\"payloadType\":\"application/vnd.aosctl.entry.v1+json\"";
        let one = format!("{{\"keyid\":\"{key}\",\"sig\":\"{sig}\"}}");
        let form = || vec![Want::Fails(Check::CanonicalForm, At(seq))];
        let signatures = || vec![Want::Fails(Check::Signatures, At(seq))];
        let both = || [form(), signatures()].concat();
        // What cannot be parsed fails everything that needs what it says.
        let unreadable = || {
            [
                both(),
                vec![Want::Fails(Check::Chain, At(seq)), Want::Fails(Check::Commitments, At(base.uncommitted(seq)))],
            ]
            .concat()
        };
        let upper = key.to_uppercase();
        // 0x41 'A' stands for six zero bits; the last character before the padding has four bits that must be zero.
        let mut loose = sig.as_bytes().to_vec();
        let end = loose.iter().rposition(|b| *b != b'=').unwrap();
        loose[end] = B64[B64.iter().position(|b| *b == loose[end]).unwrap() ^ 1];
        let loose = String::from_utf8(loose).unwrap();
        let space = 1 + rng.below(text.len() - 1);
        let spaced = text.char_indices().filter(|(_, c)| ",:[]{".contains(*c)).map(|(i, _)| i + 1).collect::<Vec<_>>();
        let space_at = *rng.of(&spaced);
        let in_string = |at: usize| text[..at].matches('"').count() % 2 == 1;
        let variants: Vec<(&str, String, Vec<Want>)> = vec![
            ("a space", format!("{} {}", &text[..space_at], &text[space_at..]), form()),
            ("a line end", format!("{text}\n"), form()),
            ("a byte order mark", format!("\u{feff}{text}"), unreadable()),
            ("an escape", text.replacen("\"payload\"", "\"\\u0070ayload\"", 1), form()),
            ("a slash escaped", text.replacen("application/vnd", "application\\/vnd", 1), form()),
            ("another order", format!("{{{kind},\"payload\":\"{b64}\",\"signatures\":[{one}]}}"), form()),
            (
                "keyid and sig the other way round",
                text.replacen(&one, &format!("{{\"sig\":\"{sig}\",\"keyid\":\"{key}\"}}"), 1),
                form(),
            ),
            ("payload twice", text.replacen("{", &format!("{{\"payload\":\"{b64}\","), 1), unreadable()),
            ("payloadType twice", text.replacen(kind, &format!("{kind},{kind}"), 1), unreadable()),
            (
                "signatures twice",
                text.replacen("\"signatures\"", &format!("\"signatures\":[{one}],\"signatures\""), 1),
                unreadable(),
            ),
            ("keyid twice", text.replacen("{\"keyid\"", &format!("{{\"keyid\":\"{key}\",\"keyid\""), 1), unreadable()),
            ("sig twice", text.replacen(",\"sig\"", &format!(",\"sig\":\"{sig}\",\"sig\""), 1), unreadable()),
            ("a member more", text.replacen("\"signatures\"", "\"q\":null,\"signatures\"", 1), form()),
            ("a member of the signature more", text.replacen(",\"sig\"", ",\"q\":1,\"sig\"", 1), both()),
            ("two signatures", text.replacen(&one, &format!("{one},{one}"), 1), signatures()),
            ("no signature", text.replacen(&one, "", 1), signatures()),
            ("no keyid", text.replacen(&format!("\"keyid\":\"{key}\","), "", 1), both()),
            ("no payload type", text.replacen(&format!("{kind},"), "", 1), form()),
            ("another payload type", text.replacen("entry.v1", "entry.v2", 1), form()),
            ("the keyid in capitals", text.replacen(key, &upper, 1), signatures()),
            ("trailing bits in the signature", text.replacen(sig, &loose, 1), both()),
            ("a signature without padding", text.replacen(sig, sig.trim_end_matches('='), 1), both()),
            ("a line end in the base64", text.replacen(b64, &format!("{}\\n{}", &b64[..8], &b64[8..]), 1), form()),
            ("a signature of 63 bytes", text.replacen(sig, &format!("{}==", &sig[..82]), 1), signatures()),
            ("an array around it", format!("[{text}]"), form()),
            ("a second envelope behind it", format!("{text}{text}"), unreadable()),
        ];
        for (what, bytes, wants) in variants {
            // A key id of digits only has no capitals, and some bytes may happen to be the same.
            if bytes != text {
                let name = format!("entry {seq}: {what}");
                all.push(changed(base, "envelope: other spellings", name, seq, bytes.into_bytes(), wants));
            }
        }
        if !in_string(space) {
            let bytes = format!("{}\t{}", &text[..space], &text[space..]).into_bytes();
            let name = format!("entry {seq}: a tab at {space}");
            all.push(changed(base, "envelope: other spellings", name, seq, bytes, form()));
        }
    }
    all
}
