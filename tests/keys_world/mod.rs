//! A workspace with keys, put in through the library: of any age, leaked or not, carried by grants or used by runs.
#![allow(dead_code, reason = "each test file uses its part")]

use aosctl::domain::access::Access;
use aosctl::domain::event::*;
use aosctl::domain::facets::DataClass;
use aosctl::domain::facts::Facts;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::key::{Carries, Delivery, Key, KeyFacts, Place as KeyPlace, Recipient};
use aosctl::domain::time::{Span, Time};
use aosctl::identity::Passphrase;
use aosctl::workspace::{OperatorIdentity, Place, Tx, Workspace, WorkspaceError};

use aosctl::secret::{Circle, Secret, Vault};

use std::process::{Command, Output, Stdio};

use crate::support::{Bench, PASSPHRASE};

pub fn now() -> Time {
    Time::from(aosctl::sys::clock::now())
}

pub fn days_ago(n: u32) -> Time {
    now().minus(Span::days(n))
}

/// The library's view of a bench.
pub fn open(b: &Bench) -> Workspace {
    Workspace::open(Place { dir: b.workspace(), state: b.path("state") }).unwrap()
}

pub fn operator(ws: &Workspace) -> OperatorIdentity {
    let (path, sealed) = ws.sealed_operator(None).unwrap();
    ws.unlock_operator(&path, &sealed, &Passphrase::chosen(PASSPHRASE.into()).unwrap()).unwrap()
}

/// Appends as the operator.
pub fn append<T>(b: &Bench, change: impl FnOnce(&mut Tx<'_>, &OperatorIdentity) -> Result<T, WorkspaceError>) -> T {
    let ws = open(b);
    let op = operator(&ws);
    ws.transact(now(), |tx| change(tx, &op)).unwrap().0
}

/// A key of which little is known.
pub fn facts(name: &str) -> KeyFacts {
    KeyFacts {
        owner: Some(Id::FIRST_OPERATOR),
        place: KeyPlace::Reference(format!("op://prod/{name}/token")),
        ..KeyFacts::named(name, "token")
    }
}

/// Turned over so many days ago.
pub fn aged(name: &str, days: u32) -> KeyFacts {
    KeyFacts { rotated: Some(days_ago(days)), ..facts(name) }
}

/// Puts keys in; gives their ids.
pub fn add(b: &Bench, all: Vec<KeyFacts>) -> Vec<Id> {
    append(b, |tx, op| {
        let mut ids = Vec::new();
        for facts in all {
            let key = tx.next_id(IdKind::Key)?;
            tx.append(op.by(), KeyAdded { key, facts, note: None })?;
            ids.push(key);
        }
        Ok(ids)
    })
}

/// A key whose secret is sealed in the vault and fingerprinted.
pub fn add_sealed(b: &Bench, name: &str, secret: &str, attended: bool) -> Id {
    let ws = open(b);
    let op = operator(&ws);
    let vault = vault(b);
    ws.transact(now(), |tx| -> Result<_, WorkspaceError> {
        let key = tx.next_id(IdKind::Key)?;
        let circle = Circle::of(&tx.facts().operators()?);
        let secret = Secret::new(secret.as_bytes().to_vec().into()).unwrap();
        let fingerprint = vault.fingerprint_key(op.signer(), &circle).unwrap().fingerprint(&secret).unwrap();
        let place = vault.seal(key, attended, &secret, &circle).unwrap().place();
        let facts = KeyFacts { place, fingerprint: Some(fingerprint), last4: secret.last4(), ..aged(name, 200) };
        tx.append(op.by(), KeyAdded { key, facts, note: None })?;
        Ok(key)
    })
    .unwrap()
    .0
}

/// The vault of a bench.
pub fn vault(b: &Bench) -> Vault {
    let ws = open(b);
    Vault::new(&b.workspace(), &ws.state_dir(), &ws.origin().name)
}

/// The secret that the vault gives for a key.
pub fn sealed_secret(b: &Bench, id: Id) -> String {
    let op = operator(&open(b));
    let secret = vault(b).open(id, &key(b, id).facts.place, Some(op.signer())).unwrap();
    String::from_utf8(secret.expose().to_vec()).unwrap()
}

/// Runs a command with something on standard input.
pub fn fed(mut command: Command, input: &str) -> Output {
    use std::io::Write;
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Who refuses before it reads closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// An integration of that kind.
pub fn integrate(b: &Bench, kind: &str) -> Id {
    append(b, |tx, op| {
        let id = tx.next_id(IdKind::Integration)?;
        tx.append(
            op.by(),
            IntegrationAdded { id, handle: kind.into(), kind: kind.into(), inside: false, residency: None },
        )?;
        Ok(id)
    })
}

/// A grant of an agent that carries a key.
pub fn carry(b: &Bench, agent: Id, integration: Id, key: Id) -> Id {
    append(b, |tx, op| {
        let grant = tx.next_id(IdKind::Grant)?;
        tx.append(
            op.by(),
            GrantIssued {
                grant,
                agent,
                integration,
                scope: "*".parse().unwrap(),
                access: Access::Read,
                data: DataClass::Internal,
                owner: Id::FIRST_OPERATOR,
                mission: None,
                until: Some(tx.now().plus(Span::days(30))),
                replaces: None,
                carries: Some(Carries {
                    key,
                    delivery: Delivery::Env("TOKEN".into()),
                    programs: vec![Recipient { path: "/usr/bin/true".into(), sha256: "0".repeat(64) }],
                }),
                again: None,
                accepted: vec![],
                reason: None,
            },
        )?;
        Ok(grant)
    })
}

/// The key as its verified entries have it.
pub fn key(b: &Bench, id: Id) -> Key {
    (*open(b).facts().key(id).unwrap().unwrap()).clone()
}

/// Names of the entries from a place on.
pub fn entries_from(b: &Bench, from: u64) -> Vec<String> {
    open(b).store().range(from, 1000).unwrap().into_iter().map(|s| s.columns.0).collect()
}

/// How many entries there are.
pub fn size(b: &Bench) -> u64 {
    open(b).store().last_seq().unwrap().unwrap() + 1
}

/// Agents by name.
pub fn agent(b: &Bench, name: &str) -> Id {
    open(b).find_agent(name).unwrap().unwrap().id
}
