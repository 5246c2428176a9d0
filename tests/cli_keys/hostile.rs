use super::{assert_whole, bench, code, entries, fed, file, run, text};
use crate::support::Bench;
use proptest::prelude::*;

use super::import::moto;

/// What a hostile file comes to: its exit code, and a word on stderr.
struct Case {
    name: &'static str,
    format: &'static str,
    content: Vec<u8>,
    exit: i32,
    /// How many keys go in all the same.
    goes_in: usize,
    word: &'static str,
}

fn case(
    name: &'static str,
    format: &'static str,
    content: impl Into<Vec<u8>>,
    exit: i32,
    goes_in: usize,
    word: &'static str,
) -> Case {
    Case { name, format, content: content.into(), exit, goes_in, word }
}

fn long_line(length: usize) -> Vec<u8> {
    let mut bytes = b"name,scope\nfine,\nlong,".to_vec();
    bytes.extend(std::iter::repeat_n(b'x', length));
    bytes.extend_from_slice(b"\nfine too,\n");
    bytes
}

fn cases() -> Vec<Case> {
    let whole = moto();
    let header = whole.lines().next().unwrap();
    let robot = whole.lines().nth(1).unwrap();
    let aws = "aws-credential-report";
    vec![
        case("empty", "csv", "", 3, 0, "it is empty"),
        case("empty report", aws, "", 3, 0, "it is empty"),
        case("only a mark", "csv", "\u{feff}", 3, 0, "it is empty"),
        case("only line ends", "csv", "\r\n\r\n\n", 3, 0, "it is empty"),
        case("only a header", "csv", "name\n", 3, 0, "no rows"),
        case("only a header", aws, header, 3, 0, "no rows"),
        case("wrong columns", aws, "a,b\n1,2\n", 3, 0, "no column user"),
        case("a column too few", aws, whole.replace("cert_2_active", "x"), 3, 0, "no column cert_2_active"),
        case("our table as a report", aws, "name\nci\n", 3, 0, "no column user"),
        case("a report as our table", "csv", whole.as_str(), 3, 0, "no column name"),
        case("an unknown column", "csv", "name,last_roteted\nci,x\n", 3, 0, "last_roteted"),
        case("semicolons", "csv", "name;kind\nci;token\n", 3, 0, "separated by commas"),
        case("UTF-16", "csv", b"\xff\xfen\0a\0m\0e\0".to_vec(), 3, 0, "UTF-16"),
        case("a secret column", "csv", "name,Secret access key\nci,hunter2hunter2\n", 3, 0, "seems to hold secrets"),
        case("a password column", "csv", "name,password\nci,hunter2hunter2\n", 3, 0, "seems to hold secrets"),
        case("an open quote", "csv", "name,scope\nfine,\nbad,\"open\nfine too,\n", 3, 0, "never closed"),
        case("an open quote in a report", aws, whole.replacen("deploy-bot", "\"deploy-bot", 1), 3, 0, "never closed"),
        case("NUL bytes", "csv", b"\0\0\0\0\0\0".to_vec(), 3, 0, "header"),
        case("a picture", "csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0".to_vec(), 3, 0, "header"),
        case("a deep JSON", aws, "{".repeat(100_000), 3, 0, "it is JSON"),
        case("a JSON of another kind", aws, "{\"Users\": []}", 3, 0, "it is JSON"),
        case("a header with two names", "csv", "name,name\na,b\n", 3, 0, "same name"),
        case("many columns", "csv", ",".repeat(2_000_000), 3, 0, "columns"),
        case("NUL in a row", "csv", "name\nfine\nb\0d\nfine too\n", 1, 2, "line 3: name has a control character"),
        case(
            "broken UTF-8",
            "csv",
            b"name\nfine\n\xc3\x28\xff\nfine too\n".to_vec(),
            1,
            2,
            "line 3: name is not UTF-8",
        ),
        case("only broken UTF-8", "csv", b"name\n\xc3\x28\n".to_vec(), 3, 0, "line 2: name is not UTF-8"),
        case("a line of 20 MiB", "csv", long_line(20 * 1024 * 1024), 1, 2, "line 3: the row has 209715"),
        case("a field of 600 bytes", "csv", long_line(600), 1, 2, "line 3: scope has 600 bytes"),
        case(
            "escape sequences",
            "csv",
            "name\nfine\n\x1b[2J\x1b]0;x\x07\n",
            1,
            1,
            "line 3: name has a control character",
        ),
        case(
            "a line end in quotes",
            "csv",
            "name\nfine\n\"two\nlines\"\nfine too\n",
            1,
            2,
            "the row goes on to line 4",
        ),
        case(
            "ragged rows",
            "csv",
            "name,kind\nfine,token\nx\ny,token,z\nfine too,token\n",
            1,
            2,
            "line 4: the row has 3 cells",
        ),
        case("a name as an id", "csv", "name\nfine\nk-1\n", 1, 1, "line 3: the name reads as an id"),
        case(
            "dates in dialects",
            "csv",
            "name,created\na,03/04/2026\nb,1.2.2026\nc,45982\nd,1795251600\ne,2024-11-21 10:00\nf,0001-01-01\nfine,2024-11-01\n",
            1,
            1,
            "line 5: created: \"1795251600\"",
        ),
        case(
            "dates that are none",
            "csv",
            "name,created\na,2024-02-30\nb,2024-13-01\nc,2999-01-01\nfine,\n",
            1,
            1,
            "line 4: it was made in the future",
        ),
        case(
            "doubles",
            "csv",
            "name,provider_id\na,1\na,2\nb,1\nfine,\n",
            1,
            2,
            "line 4: the same provider_id is on line 2",
        ),
        case(
            "a secret in a cell",
            "csv",
            "name,scope\nfine,\nci,ghp_0123456789abcdefghij0123456789abcdef\n",
            1,
            1,
            "line 3: scope holds what looks like a secret",
        ),
        case(
            "a secret as a date",
            "csv",
            "name,created\nfine,\nci,hunter2hunter2\n",
            1,
            1,
            "line 3: created: not a date",
        ),
        case(
            "a plain secret as a reference",
            "csv",
            "name,reference\nfine,\nci,hunter2hunter2\n",
            1,
            1,
            "line 3: reference: ",
        ),
        case("formulas", "csv", "name,scope\n=1+1,@SUM(A1)\n+x,-y\n", 0, 2, ""),
        case("CRLF and a mark", "csv", "\u{feff}name,kind\r\nfine,token\r\n", 0, 1, ""),
        case("a user twice", aws, format!("{header}\n{robot}\n{robot}"), 1, 2, "line 3: the same arn is on line 2"),
        case(
            "a user of nobody",
            aws,
            format!("{header}\n{robot}\n{}", robot.replace("arn:aws:iam", "arn:x:y")),
            1,
            2,
            "line 3: user and arn",
        ),
        case(
            "a date of a report in a dialect",
            aws,
            whole.replacen("false,true,2024-11", "false,true,11/2026", 1),
            1,
            3,
            "line 2: access_key_1: ",
        ),
    ]
}

fn import(b: &Bench, c: &Case) -> std::process::Output {
    let path = file(b, "hostile", &c.content);
    b.run(&["key", "import", c.format, path.to_str().unwrap()])
}

fn keys(b: &Bench) -> i64 {
    let db = rusqlite::Connection::open(b.db()).unwrap();
    db.query_row("SELECT count(*) FROM keys", [], |r| r.get(0)).unwrap()
}

#[test]
fn hostile_files_are_errors_and_never_half_an_import() {
    // Files of which nothing goes in can share a workspace: each finds it as it was.
    let shared = bench();
    for c in cases() {
        let own = (c.goes_in > 0).then(bench);
        let b = own.as_ref().unwrap_or(&shared);
        let before = entries(b);
        let out = import(b, &c);
        let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
        assert_eq!(code(&out), c.exit, "{}: {stdout}{stderr}", c.name);
        assert!(stderr.contains(c.word), "{}: {stderr}", c.name);
        assert!(
            !stderr.contains("panicked") && !stderr.contains('\x1b') && !stdout.contains('\x1b'),
            "{}: {stderr}",
            c.name
        );
        assert!(!stderr.contains("hunter2") && !stderr.contains("ghp_"), "{}: {stderr}", c.name);
        assert_eq!(entries(b) - before, c.goes_in as i64, "{}: {stdout}{stderr}", c.name);
        assert_eq!(keys(b), c.goes_in as i64, "{}", c.name);
        if c.goes_in > 0 {
            let again = import(b, &c);
            assert_eq!(code(&again), c.exit, "{} again: {}", c.name, text(&again.stderr));
            assert_eq!(entries(b) - before, c.goes_in as i64, "{} again", c.name);
        }
    }
    assert_whole(&shared);
}

#[test]
fn what_is_no_file_or_too_large() {
    let b = bench();
    for (path, word) in [("/", "is not a file"), ("/dev/null", "is not a file"), ("nowhere.csv", "nowhere.csv")] {
        let (_, stderr) = run(&b, 3, &["key", "import", "csv", path]);
        assert!(stderr.contains(word), "{path}: {stderr}");
    }
    let path = b.path("huge");
    std::fs::File::create(&path).unwrap().set_len(65 * 1024 * 1024).unwrap();
    let (_, stderr) = run(&b, 3, &["key", "import", "csv", path.to_str().unwrap()]);
    assert!(stderr.contains("larger than 67108864 bytes"), "{stderr}");
    let mut many = String::from("name\n");
    for i in 0..100_001 {
        many.push_str(&format!("k {i}\n"));
    }
    let path = file(&b, "many", many);
    let (_, stderr) = run(&b, 3, &["key", "import", "csv", path.to_str().unwrap()]);
    assert!(stderr.contains("more than 100000 rows"), "{stderr}");
    assert_eq!(keys(&b), 0);
}

#[test]
fn many_refused_lines_are_counted() {
    let b = bench();
    let mut bad = String::from("name,created\nfine,\n");
    for i in 0..150 {
        bad.push_str(&format!("k {i},yesterday\n"));
    }
    let path = file(&b, "bad", bad);
    let (_, stderr) = run(&b, 1, &["key", "import", "csv", path.to_str().unwrap()]);
    assert!(stderr.contains("and 50 more"), "{stderr}");
    assert_eq!(stderr.lines().filter(|l| l.starts_with("warning: line ")).count(), 100);
}

/// Bytes that are nearly a file.
fn nearly() -> impl Strategy<Value = (bool, Vec<u8>)> {
    let cut = (any::<bool>(), any::<prop::sample::Index>(), proptest::collection::vec(any::<u8>(), 0..6));
    cut.prop_map(|(aws, at, noise)| {
        let whole = if aws { moto() } else { "name,kind,created\nci,token,2024-01-01\n\"a,b\",,\n".into() };
        let mut bytes = whole.into_bytes();
        let at = at.index(bytes.len());
        let end = (at + noise.len() / 2).min(bytes.len());
        bytes.splice(at..end, noise);
        (aws, bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_crashes_it((aws, bytes) in nearly()) {
        use std::sync::OnceLock;
        static BENCH: OnceLock<Bench> = OnceLock::new();
        let b = BENCH.get_or_init(bench);
        let format = if aws { "aws-credential-report" } else { "csv" };
        let out = fed(b.cmd(&["key", "import", format, "-", "-n", "--json"]), &bytes);
        prop_assert!(matches!(code(&out), 0 | 1 | 3), "{:?} {}", out.status, text(&out.stderr));
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&out.stdout).is_ok(), "{}", text(&out.stdout));
        prop_assert!(!text(&out.stderr).contains("panicked"));
    }
}
