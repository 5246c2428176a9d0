//! What somebody can do who can sign: a lesser identity, a stolen agent, a stolen log identity. Tables, head and pin are
//! brought into line as far as the thief can.

use aosctl::domain::event::TYPES;
use aosctl::identity::Signer;
use aosctl::log::canonical;
use aosctl::log::envelope::{Envelope, PAYLOAD_TYPE, pae};
use aosctl::log::hash::Hash;
use aosctl::log::key::PublicKey;
use aosctl::log::payload::Record;
use aosctl::log::tree::{Frontier, leaf_hash};
use aosctl::log::verdict::Check;
use rusqlite::params;
use serde_json::{Value, json};

use crate::base::{Base, cast};
use crate::cases::{attacker, on_log};
use crate::envelopes::envelope;
use crate::rng::Rng;
use crate::run::Seq::{Any, At, Nowhere};
use crate::run::{Mutation, Want, mutation};
use crate::world::{Cast, World};

/// What goes into the tables for one entry.
#[derive(Clone)]
struct Line {
    envelope: Vec<u8>,
    record: Vec<u8>,
    /// kind, actor, subject
    columns: [String; 3],
}

/// Puts these lines from `from` on in the place of what was there; the head follows, and the pin if the log identity was
/// stolen.
fn rewrite(w: &World, base: &Base, from: u64, lines: &[Line], reseal: bool) -> rusqlite::Result<()> {
    let mut tree = Frontier::new();
    for row in base.rows.iter().take(usize::try_from(from).unwrap()) {
        tree.push(leaf_hash(&row.envelope.bytes));
    }
    let mut leaf = Hash::ZERO;
    on_log(&attacker(w), |c| {
        c.execute("DELETE FROM payloads WHERE seq >= ?1", [from])?;
        c.execute("DELETE FROM entries WHERE seq >= ?1", [from])?;
        let at: i64 = c.query_row("SELECT at FROM head", [], |r| r.get(0))?;
        for (seq, line) in (from..).zip(lines) {
            leaf = leaf_hash(&line.envelope);
            tree.push(leaf);
            let [kind, actor, subject] = &line.columns;
            c.execute(
                "INSERT INTO entries (seq, envelope, kind, actor, subject, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![seq, line.envelope, kind, actor, subject, at],
            )?;
            c.execute("INSERT INTO payloads (seq, record) VALUES (?1, ?2)", params![seq, line.record])?;
        }
        let size = i64::try_from(tree.size()).unwrap();
        c.execute("UPDATE head SET size = ?1, frontier = ?2, leaf = ?3", params![size, tree.to_bytes(), leaf.0])?;
        Ok(())
    })?;
    if reseal {
        w.pin(cast(), &base.rows[0].envelope.header.log, &tree);
    }
    Ok(())
}

/// A header as JSON, signed as it stands.
fn sign(header: &[u8], signer: &Signer) -> Vec<u8> {
    let sig = signer.sign(&pae(PAYLOAD_TYPE, header));
    envelope(header, &PublicKey(signer.public()).key_id().to_hex(), &sig)
}

/// The header of an entry at the end of the log.
fn header_at_end(base: &Base, like: usize, who: &str, signer: &Signer) -> Value {
    let row = &base.rows[like];
    let last = base.rows.last().unwrap();
    let mut header: Value = serde_json::from_slice(&row.envelope.body).unwrap();
    header["seq"] = json!(base.size());
    header["prev"] = json!(last.envelope.leaf_hash().to_hex());
    header["at"] = json!(last.envelope.header.at);
    header["actor"] = json!(who);
    header["key"] = json!(PublicKey(signer.public()).key_id().to_hex());
    header
}

fn line(base: &Base, like: usize, header: &Value, envelope: Vec<u8>) -> Line {
    let text = |name: &str| header[name].as_str().unwrap_or_default().to_owned();
    Line { envelope, record: base.rows[like].record.clone(), columns: [text("type"), text("actor"), text("subject")] }
}

fn appended(class: &'static str, name: String, base: &'static Base, line: Line, wants: Vec<Want>) -> Mutation {
    let wants = [wants, [Check::TreeRoot, Check::PinAndWitnesses].map(Want::Holds).into()].concat();
    mutation(class, name, wants, move |w| rewrite(w, base, base.size(), std::slice::from_ref(&line), true))
}

/// Every type of event by everybody who may not sign it.
pub fn by_lesser_identities(base: &'static Base) -> Vec<Mutation> {
    let mut all = Vec::new();
    for kind in TYPES {
        let like = base.rows.iter().position(|r| r.envelope.header.kind == *kind).unwrap();
        for who in ["ag-1", "ag-2", "log", "op-3", "ag-3", "ag-4", "stranger", "impostor", "paper", "renewed"] {
            // What they may say, a second time too: the log closes doors, and a holder makes its own narrower.
            let may = match who {
                "log" => &["workspace.frozen/1", "key.leaked/1", "grant.narrowed/1"][..],
                "ag-1" => &["grant.narrowed/1"],
                _ => &[],
            };
            if may.contains(kind) {
                continue;
            }
            let signer = cast().signer(who);
            let header = header_at_end(base, like, Cast::actor(who), signer);
            let line = line(base, like, &header, sign(&canonical::to_vec(&header).unwrap(), signer));
            let n = base.size();
            let unknown = ["stranger", "impostor", "paper", "renewed"].contains(&who);
            let mut wants = vec![
                Want::Fails(Check::Authority, At(n)),
                Want::Table("invalid".into()),
                Want::Holds(Check::Chain),
                Want::Holds(Check::CanonicalForm),
            ];
            wants.push(match unknown {
                true => Want::Fails(Check::Signatures, At(n)),
                false => Want::Holds(Check::Signatures),
            });
            let name = format!("{kind} signed by {who}");
            all.push(appended("forged: by a lesser identity", name, base, line, wants));
        }
    }
    all
}

/// An entry under another's name, signed with one's own key; in the place of the true one, everything else as it was.
pub fn under_anothers_name(base: &'static Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let people = ["op-1", "op-2", "ag-1", "ag-2", "log"];
    let mut all = Vec::new();
    for _ in 0..each {
        let row = rng.of(&base.rows[1..]);
        let seq = row.seq;
        let (name, key) = (*rng.of(&people), *rng.of(&people));
        if name == key {
            continue;
        }
        let signer = cast().signer(key);
        let mut header: Value = serde_json::from_slice(&row.envelope.body).unwrap();
        header["actor"] = json!(name);
        header["key"] = json!(PublicKey(signer.public()).key_id().to_hex());
        let bytes = sign(&canonical::to_vec(&header).unwrap(), signer);
        let wants = vec![
            Want::Fails(Check::Signatures, At(seq)),
            Want::Fails(Check::Authority, At(base.blamed(seq))),
            Want::Fails(Check::TreeRoot, Nowhere),
            Want::Holds(Check::CanonicalForm),
        ];
        let label = format!("entry {seq} as {name}, signed by {key}");
        all.push(mutation("identities exchanged", label, wants, move |w| {
            crate::envelopes::put_envelope(w, seq, &bytes)
        }));
    }
    all
}

/// From one of its entries on, a thief writes the log anew: what the stolen identities signed is signed again, and for the
/// rest the thief has only the stolen keys.
pub fn suffixes(base: &'static Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    let n = base.size();
    for round in 0..each {
        let stolen_log = round % 2 == 0;
        let thief = if round % 4 < 2 { "ag-1" } else { "log" };
        let own: Vec<u64> =
            base.rows.iter().filter(|r| r.envelope.header.actor == thief && r.seq + 6 < n).map(|r| r.seq).collect();
        let from = *rng.of(&own);
        let mut prev = base.rows[usize::try_from(from).unwrap() - 1].envelope.leaf_hash();
        let mut first_foreign = None;
        let keep_names = round % 3 != 0;
        let mut lines = Vec::new();
        for row in &base.rows[usize::try_from(from).unwrap()..] {
            let h = &row.envelope.header;
            let is_own = h.actor == thief || (stolen_log && h.actor == "log");
            let signer = cast().signer(if is_own { h.actor.as_str() } else { thief });
            let mut header: Value = serde_json::from_slice(&row.envelope.body).unwrap();
            header["prev"] = json!(prev.to_hex());
            if !is_own {
                first_foreign.get_or_insert(row.seq);
                // Their name with the thief's key, or the key id of theirs over the thief's signature.
                if !keep_names {
                    header["key"] = json!(PublicKey(signer.public()).key_id().to_hex());
                }
            }
            let body = canonical::to_vec(&header).unwrap();
            let keyid = header["key"].as_str().unwrap().to_owned();
            let bytes = envelope(&body, &keyid, &signer.sign(&pae(PAYLOAD_TYPE, &body)));
            let mut line = Line {
                envelope: bytes,
                record: row.record.clone(),
                columns: [h.kind.clone(), h.actor.clone(), h.subject.clone()],
            };
            if row.seq == from {
                // Why it is done: the first entry says something else now, and its commitment with it.
                let mut record = Record::parse(&row.record).unwrap();
                let summary = record.body.keys().find(|k| ["summary", "reason", "note"].contains(&k.as_str())).cloned();
                if let Some(name) = summary {
                    record.body.insert(name, json!("as I would have it"));
                }
                header["commit"] = json!(record.commit().unwrap().to_hex());
                let body = canonical::to_vec(&header).unwrap();
                line.envelope = envelope(&body, &keyid, &signer.sign(&pae(PAYLOAD_TYPE, &body)));
                line.record = record.to_jcs().unwrap();
            }
            prev = leaf_hash(&line.envelope);
            lines.push(line);
        }
        let Some(foreign) = first_foreign else { continue };
        let mut wants = vec![
            Want::Fails(Check::Signatures, At(foreign)),
            Want::Fails(Check::Authority, At(foreign)),
            Want::Holds(Check::Chain),
            Want::Holds(Check::CanonicalForm),
        ];
        match stolen_log {
            true => wants.extend([Check::TreeRoot, Check::PinAndWitnesses].map(Want::Holds)),
            false => wants.extend([Check::TreeRoot, Check::PinAndWitnesses].map(|c| Want::Fails(c, Nowhere))),
        }
        let label = format!("from {from} on by {thief}{}", if stolen_log { ", with the log identity" } else { "" });
        all.push(mutation("a suffix signed anew by a thief", label, wants, move |w| {
            rewrite(w, base, from, &lines, stolen_log)
        }));
        // Instead of the others' entries, none: the log ends with what the thief can sign.
        let lines = all_own(base, from, thief);
        let size = from + u64::try_from(lines.len()).unwrap();
        let wants = vec![
            Want::Fails(Check::TreeRoot, At(size)),
            Want::Fails(Check::PinAndWitnesses, At(size)),
            Want::Holds(Check::Signatures),
            Want::Holds(Check::Chain),
            Want::Fails(Check::Projections, Any),
        ];
        let label = format!("from {from} on only {thief}'s own");
        all.push(mutation("a suffix signed anew by a thief", label, wants, move |w| {
            rewrite(w, base, from, &lines, false)
        }));
    }
    all
}

fn all_own(base: &Base, from: u64, thief: &str) -> Vec<Line> {
    let mut prev = base.rows[usize::try_from(from).unwrap() - 1].envelope.leaf_hash();
    let mut lines = Vec::new();
    for (seq, row) in
        (from..).zip(base.rows[usize::try_from(from).unwrap()..].iter().filter(|r| r.envelope.header.actor == thief))
    {
        let mut header = row.envelope.header.clone();
        (header.seq, header.prev) = (seq, prev);
        let sealed = Envelope::seal(&header, |m| cast().signer(thief).sign(m)).unwrap();
        prev = sealed.leaf_hash();
        let columns = [header.kind, header.actor, header.subject];
        lines.push(Line { envelope: sealed.bytes, record: row.record.clone(), columns });
    }
    lines
}

/// At the end of the log, truly signed by an operator, sealed and pinned, and yet not of the format or not a continuation.
pub fn by_the_true_signer(base: &'static Base, rng: &mut Rng, each: usize) -> Vec<Mutation> {
    let mut all = Vec::new();
    let n = base.size();
    for _ in 0..each {
        let who = *rng.of(&["op-1", "op-2"]);
        let signer = cast().signer(who);
        let like = rng.below(base.rows.len());
        let header = header_at_end(base, like, who, signer);
        let jcs = |v: &Value| String::from_utf8(canonical::to_vec(v).unwrap()).unwrap();
        let text = jcs(&header);
        let with = |member: &str, value: Value| {
            let mut h = header.clone();
            h[member] = value;
            jcs(&h)
        };
        let without = |member: &str| {
            let mut h = header.clone();
            h.as_object_mut().unwrap().remove(member);
            jcs(&h)
        };
        let form = vec![Want::Fails(Check::CanonicalForm, At(n))];
        let chain =
            vec![Want::Fails(Check::Chain, At(n)), Want::Holds(Check::CanonicalForm), Want::Holds(Check::Signatures)];
        let twice =
            [form.clone(), vec![Want::Fails(Check::Chain, At(n)), Want::Fails(Check::Signatures, At(n))]].concat();
        let kind = header["type"].as_str().unwrap().to_owned();
        let spellings: Vec<(&str, String, &Vec<Want>)> = vec![
            ("a space", text.replacen(':', ": ", 1), &form),
            ("a line end", format!("{text}\n"), &form),
            ("an escape", text.replacen("\"actor\"", "\"\\u0061ctor\"", 1), &form),
            ("another order", text.replacen("{\"actor\":", "{\"v\":1,\"actor\":", 1).replace(",\"v\":1}", "}"), &form),
            ("v as 1.0", text.replacen("\"v\":1", "\"v\":1.0", 1), &twice),
            ("v twice", text.replacen("\"v\":1", "\"v\":1,\"v\":1", 1), &twice),
            ("seq twice", text.replacen("\"seq\":", "\"seq\":0,\"seq\":", 1), &twice),
            ("version 2", with("v", json!(2)), &form),
            ("a member more", with("zz", json!(1)), &form),
            ("no subject", without("subject"), &form),
            ("no commit", without("commit"), &form),
            ("seq as text", with("seq", json!(n.to_string())), &form),
            ("prev in capitals", with("prev", json!("AB".repeat(32))), &form),
            ("a time without milliseconds", with("at", json!("2026-11-21T10:00:00Z")), &form),
            ("a time that is none", with("at", json!("2026-02-30T10:00:00.000Z")), &form),
            ("a time with a zone", with("at", json!("2026-11-21T10:00:00.000+00:00")), &form),
            ("a type without a version", with("type", json!("grant.issued")), &form),
            ("a type of version 0", with("type", json!("grant.issued/0")), &form),
            ("a subject that is none", with("subject", json!("G-1")), &form),
            ("another seq", with("seq", json!(n + 1 + rng.next() % 50)), &chain),
            ("a seq that was", with("seq", json!(rng.next() % n)), &chain),
            ("another prev", with("prev", json!(base.rows[like].envelope.leaf_hash().to_hex())), &chain),
            ("an earlier time", with("at", json!("2020-01-01T00:00:00.000Z")), &chain),
            ("another log", with("log", json!(format!("aosctl/{:016x}{:016x}", rng.next(), rng.next()))), &chain),
        ];
        for (what, header_text, wants) in spellings {
            let last = like + 1 == base.rows.len();
            if header_text == text || (what == "another prev" && last) {
                continue;
            }
            let bytes = sign(header_text.as_bytes(), signer);
            let mut wants = wants.clone();
            // A continuation that is none may still be what its signer had the right to say.
            if !wants.iter().any(|w| matches!(w, Want::Holds(Check::Signatures))) {
                wants.push(Want::Fails(Check::Authority, At(n)));
            }
            let name = format!("{kind} by {who}: {what}");
            let line = line(base, like, &header, bytes);
            all.push(appended("signed rightly, written wrongly", name, base, line, wants));
        }
        let version = with("type", json!(kind.replace("/1", "/2")));
        let bytes = sign(version.as_bytes(), signer);
        let wants = vec![
            Want::Fails(Check::Authority, At(n)),
            Want::Fault(n, "unknown_type"),
            Want::Holds(Check::CanonicalForm),
            Want::Holds(Check::Signatures),
            Want::Holds(Check::Chain),
        ];
        let name = format!("{kind} by {who}: of a version that nobody knows");
        all.push(appended("signed rightly, written wrongly", name, base, line(base, like, &header, bytes), wants));
        let bytes = sign(text.as_bytes(), signer);
        let mut other = line(base, like, &header, bytes);
        let another = (like + 1 + rng.below(base.rows.len() - 1)) % base.rows.len();
        other.record = base.rows[another].record.clone();
        let wants = vec![
            Want::Fails(Check::Commitments, At(n)),
            Want::Fails(Check::Authority, At(n)),
            Want::Holds(Check::Signatures),
            Want::Holds(Check::Chain),
        ];
        let name = format!("{kind} by {who}: with the payload of entry {another}");
        all.push(appended("signed rightly, written wrongly", name, base, other, wants));
    }
    all
}
