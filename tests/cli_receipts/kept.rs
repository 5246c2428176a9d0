//! What a witness remembers is on disk before it signs, and is believed only as it was written.

use crate::*;

fn seen_file(b: &Bench) -> PathBuf {
    let all = std::fs::read_dir(b.path("w/state/witness")).unwrap().map(|f| f.unwrap().path());
    let is_seen = |p: &PathBuf| p.extension().is_some_and(|x| x == "json") && !p.ends_with("identity.json");
    all.into_iter().find(is_seen).unwrap()
}

/// A log, a witness that saw it, and a newer checkpoint with its proof.
fn witnessed() -> (Bench, String) {
    let b = bench();
    let vkey = vkey(&b);
    checkpoint_of(&b, "first");
    let args = ["audit", "witness", "first", "--name", "w.example", "--log", &vkey];
    expect(&run(stranger(&b, "w", &args)), 0, "first sight");
    grow(&b, "bot");
    b.ok(&["audit", "prove", "--consistency", "first", "-o", "proof", "-q"]);
    (b, vkey)
}

#[test]
fn what_cannot_be_remembered_is_not_signed() {
    let (b, _) = witnessed();
    let path = seen_file(&b);
    let kept = read(&path);
    // Something in its place that no file can replace, and nothing can be read from.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir_all(path.join("x")).unwrap();
    let out = run(stranger(&b, "w", &["audit", "witness", "proof", "-o", "signed"]));
    assert_eq!(code(&out), 3, "{}", text(&out.stderr));
    assert!(!b.path("signed").exists() && out.stdout.is_empty());
    std::fs::remove_dir_all(&path).unwrap();
    // First sight where nothing can be written: another file's name is taken.
    std::fs::write(&path, &kept).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let out = run(stranger(&b, "w", &["audit", "witness", "proof"]));
    expect(&out, 3, "is open to other users");
    assert!(out.stdout.is_empty());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    expect(&run(stranger(&b, "w", &["audit", "witness", "proof"])), 0, "continues the 2 entries");
}

#[test]
fn a_changed_memory_is_an_integrity_failure_and_never_a_first_sight() {
    let (b, vkey) = witnessed();
    let path = seen_file(&b);
    let kept = read(&path);
    let mut tried = 0;
    for (from, to) in [
        ("\"first_seen\"", "\"first\""),
        ("witness-seen/v1", "witness-seen/v2"),
        ("\\n2\\n", "\\n1\\n"),
        ("\"vkey\":\"aosctl/", "\"vkey\":\"bosctl/"),
        ("{\"aosctl\"", "{\"more\":1,\"aosctl\""),
        ("{", ""),
    ] {
        std::fs::write(&path, kept.replacen(from, to, 1)).unwrap();
        for file in ["first", "proof"] {
            let out = run(stranger(&b, "w", &["audit", "witness", file, "--log", &vkey]));
            expect(&out, 4, "is not what this witness wrote");
            expect(&out, 4, "hint: or move the directory away, and begin as another witness");
            assert!(out.stdout.is_empty(), "{from}");
            tried += 1;
        }
    }
    assert_eq!(tried, 12);
    // Another log's memory under this log's name.
    let other = Bench::new();
    let foreign = checkpoint_of(&other, "c");
    let args = ["audit", "witness", foreign.to_str().unwrap(), "--log", &crate::vkey(&other)];
    std::fs::write(&path, &kept).unwrap();
    expect(&run(stranger(&b, "w", &args)), 0, "first sight");
    let dir = path.parent().unwrap();
    let theirs = std::fs::read_dir(dir)
        .unwrap()
        .map(|f| f.unwrap().path())
        .find(|p| read(p).contains("witness-seen") && *p != path)
        .unwrap();
    std::fs::write(&path, read(&theirs)).unwrap();
    expect(&run(stranger(&b, "w", &["audit", "witness", "first", "--log", &vkey])), 4, "it is of another log");
    // Its own identity.
    std::fs::write(&path, &kept).unwrap();
    let identity = dir.join("identity.json");
    let good = read(&identity);
    std::fs::write(&identity, good.replacen("w.example", "v.example ", 1)).unwrap();
    let out = run(stranger(&b, "w", &["audit", "witness", "first"]));
    assert_eq!(code(&out), 3, "{}", text(&out.stderr));
    assert!(!text(&out.stderr).contains(good.split("\"seed\":\"").nth(1).unwrap().split('"').next().unwrap()));
}

#[test]
fn the_time_never_goes_back() {
    let (b, _) = witnessed();
    let path = seen_file(&b);
    let kept = read(&path);
    let time = kept.split("\"time\":").nth(1).unwrap().split(',').next().unwrap().to_string();
    // As if the clock had stood far ahead when it signed last.
    let ahead = time.parse::<u64>().unwrap() + 1_000_000;
    std::fs::write(&path, kept.replacen(&format!("\"time\":{time}"), &format!("\"time\":{ahead}"), 1)).unwrap();
    let out = run(stranger(&b, "w", &["audit", "witness", "first", "--json"]));
    let note = json(&out)["checkpoint"].as_str().unwrap().to_string();
    let line = note.lines().last().unwrap().rsplit(' ').next().unwrap();
    let bytes = data_encoding::BASE64.decode(line.as_bytes()).unwrap();
    assert_eq!(u64::from_be_bytes(bytes[4..12].try_into().unwrap()), ahead);
    assert!(read(&path).contains(&format!("\"time\":{ahead}")));
}
