//! One situation: an entry that somebody signs at some moment, and what everybody must say of it.

use std::sync::OnceLock;

use aosctl::domain::authority::{Refusal, judge};
use aosctl::domain::event::Event;
use aosctl::domain::facts::Facts;
use aosctl::domain::time::Time;
use aosctl::log::verdict::{Check, Status};
use aosctl::workspace::Trusted;

use crate::world::{Cast, Forgery, Sealed, Stage, World, erase_member, now, project};

/// What must be said of an entry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Want {
    /// It counts, and the whole workspace verifies.
    Counts,
    /// It has no authority, by this word.
    Fault(&'static str),
    /// As `Fault`, but only a replay of the decision can tell: the hot path leaves the past to `audit verify`, and decides
    /// again itself where it matters (the claim).
    OnlyReplay(&'static str),
    /// Its signature is not that of its actor.
    BadSignature,
}

type Prepare = Box<dyn Fn(&World, &Cast)>;
type Make = Box<dyn Fn(&Trusted<'_>) -> Event>;

pub struct Situation {
    pub name: String,
    pub who: &'static str,
    pub at: Time,
    pub prepare: Prepare,
    pub make: Make,
    pub want: Want,
}

pub fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(Stage::new)
}

/// Somebody signs an event, nothing special before.
pub fn says(
    name: impl Into<String>,
    who: &'static str,
    want: Want,
    make: impl Fn(&Trusted<'_>) -> Event + 'static,
) -> Situation {
    Situation { name: name.into(), who, at: now(), prepare: Box::new(|_, _| {}), make: Box::new(make), want }
}

impl Situation {
    pub fn after(mut self, prepare: impl Fn(&World, &Cast) + 'static) -> Situation {
        self.prepare = Box::new(prepare);
        self
    }

    pub fn at(mut self, at: Time) -> Situation {
        self.at = at;
        self
    }

    fn run(&self) {
        let stage = stage();
        let w = stage.copy();
        (self.prepare)(&w, &stage.cast);
        let ws = w.open();
        let facts = ws.facts();
        let event = (self.make)(&facts);
        let named = match &event {
            Event::PayloadErased(b) => facts.entry(b.seq).unwrap().and_then(|e| e.subject),
            Event::EntryVoided(b) => facts.invalid(b.seq).unwrap().and_then(|e| e.subject),
            Event::EntryCorrected(b) => facts.entry(b.seq).unwrap().and_then(|e| e.subject),
            _ => None,
        };
        let sealed = Forgery::of(&stage.cast, self.who, &event, named, self.at).seal(&w);
        let judged = judge(&sealed.entry, &event, &facts);
        let context = format!("{}: {} signs {}", self.name, self.who, event.name());
        match (&self.want, &judged) {
            (Want::Counts, Ok(_)) | (Want::BadSignature, _) => {}
            (Want::Fault(kind) | Want::OnlyReplay(kind), Err(Refusal::Fault(f))) if f.kind == *kind => {}
            (want, judged) => panic!("{context}: {want:?}, but judge says {judged:?}"),
        }
        drop(facts);
        drop(ws);
        let believed = if matches!(self.want, Want::Counts | Want::OnlyReplay(_)) { None } else { Some(w.believed()) };
        sealed.append(&w, &stage.cast);
        if self.want == Want::Counts {
            let changes = judged.unwrap_or_else(|_| panic!("{context}"));
            project(&w, &changes);
            if let Event::PayloadErased(b) = &event {
                b.members.iter().for_each(|m| erase_member(&w.sql(), b.seq, m));
            }
        }
        must_say(&w, &sealed, self.want, &context);
        if let Some(before) = believed {
            must_still_believe(&w, &before, self.want, &context);
        }
    }
}

/// `audit verify` on the log with the entry in it.
pub fn must_say(w: &World, sealed: &Sealed, want: Want, context: &str) {
    let v = w.verify();
    let seq = Some(sealed.entry.seq);
    if want == Want::Counts {
        let listed = v.invalid.iter().all(|e| e.voided_seq.is_some());
        assert!(!v.report.failed() && listed && v.differences.is_empty(), "{context}: {v:#?}");
        return;
    }
    let kind = match want {
        Want::Fault(kind) | Want::OnlyReplay(kind) => kind,
        _ => "signature_not_valid",
    };
    let found = v.report.get(Check::Authority).unwrap();
    let first = v.invalid.iter().filter(|e| e.voided_seq.is_none()).map(|e| e.seq).min();
    assert_eq!((found.status, found.first_bad_seq), (Status::Failed, first), "{context}: {found:?} {:?}", v.invalid);
    let named: Vec<_> = v.invalid.iter().filter(|e| e.seq == sealed.entry.seq).collect();
    assert!(named.len() == 1 && named[0].fault == kind, "{context}: {:?}", v.invalid);
    assert_eq!(named[0].actor, sealed.entry.actor, "{context}");
    let signatures = v.report.get(Check::Signatures).unwrap();
    if want == Want::BadSignature {
        assert_eq!((signatures.status, signatures.first_bad_seq), (Status::Failed, seq), "{context}");
    } else {
        assert_eq!(signatures.status, Status::Ok, "{context}: the forger's signature is right");
    }
    for check in [Check::CanonicalForm, Check::Commitments, Check::TreeRoot, Check::PinAndWitnesses] {
        assert_eq!(v.report.status(check), Status::Ok, "{context}: {check:?}");
    }
    // Replay skips it: no table but the list of invalid entries is another one.
    assert!(v.differences.iter().all(|d| d.table == "invalid"), "{context}: {:?}", v.differences);
}

/// The hot path believes what it believed, or nothing at all about the subject (an integrity failure, which denies).
fn must_still_believe(w: &World, before: &str, want: Want, context: &str) {
    let after = w.believed();
    for (a, b) in before.lines().zip(after.lines()) {
        let closed = want == Want::BadSignature && b.starts_with("Err(Integrity");
        assert!(a == b || closed, "{context}: believed\n{a}\nand now\n{b}");
    }
}

/// Runs them; gives how many there were.
pub fn run_all(situations: Vec<Situation>) -> usize {
    stage();
    let count = situations.len();
    for s in &situations {
        s.run();
    }
    count
}
