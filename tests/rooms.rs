//! The house: which room may enter which, and what each may touch (design section 5). Reads the sources, and fails
//! when a room reaches where it may not. It can fail: the tests at the end feed it bad sources.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, may print, and has files, a clock and an environment of its own"
)]

#[path = "rooms/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as FilePath;

use source::{END, Source, read};

/// Which rooms a room may enter, besides itself. The same table stands in src/lib.rs.
const ROOMS: &[(&str, &[&str])] = &[
    ("log", &[]),
    ("sys", &[]),
    ("domain", &["log"]),
    ("policy", &["domain", "log"]),
    ("identity", &["log", "sys"]),
    ("secret", &["domain", "log", "identity", "sys"]),
    ("inventory", &["domain", "log"]),
    ("store", &["domain", "log", "sys"]),
    ("workspace", &["domain", "policy", "log", "identity", "store", "sys"]),
    ("review", &["domain", "log", "store", "workspace"]),
    ("rotation", &["domain", "log", "store", "workspace", "secret"]),
    ("evidence", &["domain", "log", "identity", "store", "sys", "workspace", "review"]),
    (
        "cli",
        &[
            "domain",
            "policy",
            "log",
            "identity",
            "secret",
            "inventory",
            "store",
            "sys",
            "workspace",
            "review",
            "rotation",
            "evidence",
        ],
    ),
    ("main", &["cli"]),
];

/// Something that only some rooms may name.
struct Guard {
    name: &'static str,
    /// Any of these paths.
    patterns: &'static [&'static [&'static str]],
    rooms: &'static [&'static str],
    /// Files of other rooms, each with its reason.
    but: &'static [(&'static str, &'static str)],
    /// Modules for tests may, too.
    tests_may: bool,
}

const GUARDS: &[Guard] = &[
    Guard { name: "SQLite", patterns: &[&["rusqlite"]], rooms: &["store"], but: &[], tests_may: false },
    Guard {
        name: "the command line's parser",
        patterns: &[&["clap"], &["clap_complete"], &["clap_mangen"]],
        rooms: &["cli"],
        but: &[],
        tests_may: false,
    },
    Guard {
        name: "printing",
        patterns: &[
            &["println!"],
            &["eprintln!"],
            &["print!"],
            &["eprint!"],
            &["io", "stdout"],
            &["io", "stderr"],
            &["io", "Stdout"],
            &["io", "Stderr"],
        ],
        rooms: &["cli"],
        but: &[],
        tests_may: true,
    },
    Guard {
        name: "debug printing and ending the process",
        patterns: &[&["dbg!"], &["process", "exit"], &["process", "abort"]],
        rooms: &[],
        but: &[],
        tests_may: false,
    },
    Guard {
        name: "the clock",
        patterns: &[&["SystemTime"], &["Instant"], &["Timestamp", "now"], &["Zoned", "now"]],
        rooms: &["sys"],
        but: &[],
        tests_may: true,
    },
    Guard {
        name: "the environment",
        patterns: &[
            &["std", "env", END],
            &["std", "env", "args"],
            &["std", "env", "args_os"],
            &["std", "env", "current_dir"],
            &["std", "env", "current_exe"],
            &["std", "env", "home_dir"],
            &["std", "env", "set_current_dir"],
            &["std", "env", "temp_dir"],
            &["std", "env", "var"],
            &["std", "env", "var_os"],
            &["std", "env", "vars"],
            &["std", "env", "vars_os"],
        ],
        rooms: &["sys"],
        but: &[
            ("src/main.rs", "hands the arguments to cli, and reads nothing else"),
            (
                "src/cli/complete.rs",
                "a shell asks through the arguments, and file names complete from the working directory",
            ),
        ],
        tests_may: true,
    },
    Guard { name: "random bytes", patterns: &[&["getrandom"]], rooms: &["sys"], but: &[], tests_may: false },
    Guard {
        name: "writing files",
        patterns: &[
            &["fs", "write"],
            &["fs", "rename"],
            &["fs", "copy"],
            &["fs", "hard_link"],
            &["fs", "create_dir"],
            &["fs", "create_dir_all"],
            &["fs", "remove_file"],
            &["fs", "remove_dir"],
            &["fs", "remove_dir_all"],
            &["fs", "set_permissions"],
            &["File", "create"],
            &["File", "create_new"],
            &["File", "options"],
            &["OpenOptions"],
            &["DirBuilder"],
            &["tempfile"],
        ],
        rooms: &["sys"],
        but: &[],
        tests_may: true,
    },
    Guard {
        name: "the network",
        patterns: &[
            &["std", "net"],
            &["TcpStream"],
            &["TcpListener"],
            &["UdpSocket"],
            &["UnixStream"],
            &["UnixListener"],
        ],
        rooms: &[],
        but: &[],
        tests_may: false,
    },
    Guard {
        name: "starting programs",
        patterns: &[&["process", "Command"], &["CommandExt"]],
        rooms: &["sys"],
        but: &[
            ("src/cli/term.rs", "the pager is a program of the user's choice, started only on a terminal"),
            (
                "src/cli/commands/run/child.rs",
                "what `run` is for; it hands on what the program prints, which only cli may",
            ),
            ("src/cli/commands/run/secret.rs", "adds the secret to what `run` is about to start, and to nothing else"),
        ],
        tests_may: true,
    },
];

/// A file longer than this is a smell.
const LONGEST: usize = 500;

/// Files that may be longer, each with its reason.
const LONG: &[(&str, &str)] = &[];

/// `src/store/open.rs` is `["store", "open"]`; the crate's root is empty.
fn module_of(path: &str) -> Vec<String> {
    let inner = path.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
    let mut parts: Vec<String> = inner.split('/').map(String::from).collect();
    if parts.last().is_some_and(|p| p == "mod") || parts == ["lib"] {
        parts.pop();
    }
    parts
}

/// What is wrong in one file, which may be one for tests only.
fn faults(path: &str, source: &Source, for_tests: bool, used: &mut BTreeSet<(String, String)>) -> Vec<String> {
    let module = module_of(path);
    let Some(room) = module.first() else {
        // The map itself: declares the rooms and names none.
        return Vec::new();
    };
    let mut found = Vec::new();
    let Some((_, may)) = ROOMS.iter().find(|(r, _)| r == room) else {
        return vec![format!("{path}: the room {room} is in no table (tests/rooms.rs, src/lib.rs)")];
    };
    for p in &source.paths {
        let what = p.parts.join("::");
        let known = |r: &str| ROOMS.iter().any(|(k, _)| *k == r);
        if let Some(other) = p.room()
            && known(other)
            && other != room
            && !may.contains(&other)
        {
            found.push(format!("{path}:{}: {room} may not enter {other}: {what}", p.line));
        }
        for guard in GUARDS {
            if !guard.patterns.iter().any(|pattern| p.holds(pattern)) || guard.rooms.contains(&room.as_str()) {
                continue;
            }
            if (p.test || for_tests) && guard.tests_may {
                continue;
            }
            if guard.but.iter().any(|(file, _)| *file == path) {
                used.insert((guard.name.into(), path.into()));
                continue;
            }
            found.push(format!("{path}:{}: {} is not for {room}: {what}", p.line, guard.name));
        }
    }
    found
}

/// Every source file, with its text.
fn sources() -> BTreeMap<String, String> {
    fn walk(dir: &FilePath, root: &FilePath, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else if path.extension().is_some_and(|x| x == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_string();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let root = FilePath::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeMap::new();
    walk(&root.join("src"), root, &mut found);
    assert!(found.len() > 50, "the sources were not found");
    found
}

/// The files that hold modules for tests only.
fn test_files(read: &BTreeMap<&String, Source>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, source) in read {
        let dir = module_of(path).join("/");
        for module in &source.test_modules {
            found.insert(format!("src/{dir}/{module}.rs"));
            found.insert(format!("src/{dir}/{module}/mod.rs"));
        }
    }
    found
}

#[test]
fn every_room_stays_in_its_place() {
    let texts = sources();
    let read: BTreeMap<&String, Source> =
        texts.iter().map(|(path, text)| (path, read(text, &module_of(path)))).collect();
    let for_tests = test_files(&read);
    let mut used = BTreeSet::new();
    let found: Vec<String> =
        read.iter().flat_map(|(path, source)| faults(path, source, for_tests.contains(*path), &mut used)).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    for guard in GUARDS {
        for (file, reason) in guard.but {
            assert!(reason.len() > 20, "{file}: an exception needs a reason");
            let needed = used.contains(&(guard.name.to_string(), (*file).to_string()));
            assert!(needed, "{file} needs no exception for {} any more", guard.name);
        }
    }
}

#[test]
fn no_file_is_too_long() {
    let texts = sources();
    let long: BTreeMap<&str, usize> =
        texts.iter().map(|(p, t)| (p.as_str(), t.lines().count())).filter(|(_, n)| *n > LONGEST).collect();
    for (path, lines) in &long {
        assert!(LONG.iter().any(|(p, _)| p == path), "{path} has {lines} lines; {LONGEST} is a smell: split it");
    }
    for (path, reason) in LONG {
        assert!(reason.len() > 20 && long.contains_key(path), "{path} is not too long any more: take it off the list");
    }
}

#[test]
fn the_map_in_lib_says_the_same() {
    let texts = sources();
    let lib = &texts["src/lib.rs"];
    assert!(lib.contains("#![forbid(unsafe_code)]"));
    for (room, may) in ROOMS.iter().filter(|(r, _)| *r != "main") {
        assert!(lib.contains(&format!("pub mod {room};")), "{room} is not in src/lib.rs");
        let row = lib.lines().find(|l| l.starts_with(&format!("//! | [`{room}`]"))).expect(room);
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let said: BTreeSet<&str> = match cell {
            "nothing" => BTreeSet::new(),
            "all above" => ROOMS.iter().map(|(r, _)| *r).filter(|r| may.contains(r)).collect(),
            list => list.split(", ").collect(),
        };
        assert_eq!(said, may.iter().copied().collect(), "the row of {room} in src/lib.rs");
    }
    for line in lib.lines().filter_map(|l| l.strip_prefix("pub mod ")) {
        let room = line.trim_end_matches(';');
        assert!(ROOMS.iter().any(|(r, _)| *r == room), "{room} is in no table");
    }
}

/// Faults of a bad source.
fn bad(path: &str, text: &str) -> Vec<String> {
    faults(path, &read(text, &module_of(path)), false, &mut BTreeSet::new())
}

#[test]
fn it_finds_a_room_that_reaches_too_far() {
    for (path, text) in [
        ("src/domain/decide.rs", "use crate::store::Store;"),
        ("src/domain/decide.rs", "use crate::{log::hash, store::{Head}};"),
        ("src/domain/decide.rs", "use {crate::sys};"),
        ("src/domain/decide.rs", "fn f() { let x = crate::policy::file::read(); }"),
        ("src/domain/decide.rs", "use super::super::store::Store;"),
        ("src/domain/authority/mod.rs", "use super::super::workspace;"),
        ("src/domain/decide.rs", "mod inner { use super::super::super::cli; }"),
        ("src/domain/decide.rs", "fn f(x: &'static str) -> crate::cli::Exit { '\\'' }"),
        ("src/domain/decide.rs", "#[cfg(test)] mod tests { use crate::workspace::Workspace; }"),
        ("src/log/hash.rs", "use crate::domain::id::Id;"),
        ("src/sys/files.rs", "pub use crate::log::hash as h;"),
        ("src/identity/mod.rs", "use crate::domain::id::Id;"),
        ("src/policy/mod.rs", "use crate::sys::files;"),
        ("src/store/mod.rs", "use crate::workspace::Workspace;"),
        ("src/workspace/mod.rs", "use crate::cli::text::safe;"),
        ("src/main.rs", "fn main() { aosctl::store::Store::open(); }"),
        ("src/cellar/mod.rs", "use crate::log::hash;"),
    ] {
        let found = bad(path, text);
        assert_eq!(found.len(), 1, "{path}: {text}: {found:?}");
    }
}

#[test]
fn it_finds_what_a_room_may_not_touch() {
    for (path, text) in [
        ("src/workspace/mod.rs", "use rusqlite::Connection;"),
        ("src/cli/mod.rs", "fn f() -> Result<(), rusqlite::Error> { Ok(()) }"),
        ("src/domain/id.rs", "#[derive(clap::ValueEnum)] enum E {}"),
        ("src/store/mod.rs", "fn f() { println!(\"{}\", 1); }"),
        ("src/store/mod.rs", "fn f() { std::eprintln!(\"x\"); }"),
        ("src/store/mod.rs", "fn f() { write!(std::io::stdout(), \"x\"); }"),
        ("src/store/mod.rs", "use std::io::{self, Write}; fn f() { io::stderr().lock(); }"),
        ("src/cli/mod.rs", "fn f() { std::process::exit(1) }"),
        ("src/cli/mod.rs", "fn f() { dbg!(1); }"),
        ("src/cli/mod.rs", "fn f() { let t = Instant::now(); }"),
        ("src/cli/mod.rs", "use jiff::Timestamp; fn f() { Timestamp::now(); }"),
        ("src/cli/mod.rs", "fn f() { std::time::SystemTime::now(); }"),
        ("src/cli/mod.rs", "use std::{env, path::PathBuf};"),
        ("src/cli/mod.rs", "fn f() { let x = std::env::var(\"X\"); }"),
        ("src/identity/mod.rs", "fn f() { getrandom::fill(&mut b); }"),
        ("src/cli/mod.rs", "fn f() { std::fs::write(p, b) }"),
        ("src/cli/mod.rs", "use std::fs; fn f() { fs::rename(a, b) }"),
        ("src/cli/mod.rs", "use std::fs::{File, remove_file};"),
        ("src/cli/mod.rs", "fn f() { File::create(p) }"),
        ("src/cli/mod.rs", "fn f() { std::fs::OpenOptions::new() }"),
        ("src/sys/mod.rs", "use std::net::TcpStream;"),
        ("src/cli/mod.rs", "fn f() { std::process::Command::new(\"sh\") }"),
    ] {
        assert_eq!(bad(path, text).len(), 1, "{path}: {text}: {:?}", bad(path, text));
    }
}

#[test]
fn it_leaves_alone_what_is_in_order() {
    for (path, text) in [
        (
            "src/store/mod.rs",
            "use rusqlite::Connection; use crate::{domain::id::Id, log::hash::Hash, sys::lock::Lock};",
        ),
        ("src/domain/decide.rs", "use super::id::Id; use super::super::log::hash; use crate::domain::money;"),
        (
            "src/domain/decide.rs",
            "// use crate::store::Store;\n/* crate::cli /* nested */ crate::sys */ const X: &str = \"crate::store\";",
        ),
        (
            "src/domain/decide.rs",
            "const X: &str = r#\"println!(\"crate::store\")\"#; const C: char = '\"'; const D: &[u8] = b\"std::env\";",
        ),
        ("src/domain/decide.rs", "mod inner { use super::super::id; use crate::log; }"),
        ("src/store/mod.rs", "#[cfg(test)] mod tests { fn f() { println!(\"x\"); std::fs::write(p, b); } }"),
        ("src/cli/mod.rs", "fn f() { println!(\"x\"); let f = File::open(p); row.env(1); my::println(1); }"),
        (
            "src/cli/mod.rs",
            "use crate::sys::env; fn f() { std::env::split_paths(path); env::current_dir(); std::env::consts::OS; }",
        ),
        ("src/main.rs", "fn main() { aosctl::cli::main(std::env::args_os()); }"),
        ("src/lib.rs", "pub mod store; pub mod cli;"),
    ] {
        assert_eq!(bad(path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn a_module_for_tests_ends_where_it_ends() {
    let found = bad("src/store/mod.rs", "#[cfg(test)]\nmod tests { fn f() {} }\nfn g() { println!(\"x\"); }");
    assert_eq!(found, ["src/store/mod.rs:3: printing is not for store: println!"]);
}
