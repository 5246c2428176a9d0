//! Archives: what two readers could read in two ways is refused, and nothing makes the program fall over.

use std::path::PathBuf;

use crate::bundle::{Files, json, nowhere, status, text};

type Members = Vec<(String, Vec<u8>)>;

pub fn tar(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in members {
        out.extend(tar_header(name, bytes.len(), b'0'));
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn tar_header(name: &str, size: usize, kind: u8) -> [u8; 512] {
    let mut block = [0; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..107].copy_from_slice(b"0000644");
    block[108..115].copy_from_slice(b"0000000");
    block[116..123].copy_from_slice(b"0000000");
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[136..147].copy_from_slice(b"00000000000");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    checksum(&mut block);
    block
}

fn checksum(block: &mut [u8; 512]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xEDB8_8320 } else { c >> 1 })
    })
}

/// A stored zip, and where its list of members begins.
pub fn zip(members: &[(String, Vec<u8>)]) -> (Vec<u8>, usize) {
    let (mut out, mut list) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let offset = u32::try_from(out.len()).unwrap();
        let size = u32::try_from(bytes.len()).unwrap().to_le_bytes();
        let fields = [&[10, 0, 0, 8, 0, 0, 0, 0, 33, 0][..], &crc(bytes).to_le_bytes(), &size, &size].concat();
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        out.extend([b"PK\x03\x04", &fields[..], &length, &[0, 0], name.as_bytes(), bytes].concat());
        let rest = [&length[..], &[0; 12], &offset.to_le_bytes(), name.as_bytes()].concat();
        list.extend([b"PK\x01\x02\x0a\x03", &fields[..], &rest].concat());
    }
    let at = out.len();
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    let (size, offset) = (u32::try_from(list.len()).unwrap(), u32::try_from(at).unwrap());
    let end = [b"PK\x05\x06\0\0\0\0", &count[..], &count, &size.to_le_bytes(), &offset.to_le_bytes(), &[0, 0]].concat();
    out.extend(list);
    out.extend(end);
    (out, at)
}

fn members() -> Members {
    Files::base().files()
}

fn put(name: &str, bytes: &[u8]) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("archives");
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn packed() -> Members {
    let mut inner: Members = members().into_iter().map(|(n, b)| (format!("bundle/{n}"), b)).collect();
    inner.insert(0, ("index.html".into(), b"<p>".to_vec()));
    inner
}

#[test]
fn tars_and_zips_are_read_as_directories_are() {
    let f = Files::base();
    let dir = f.write("whole-for-archives");
    let vkey = f.vkey();
    let plain = nowhere(&["--bundle", dir.to_str().unwrap(), "--vkey", &vkey, "--json"]);
    assert_eq!(json(&plain).0, 0, "{}", text(&plain));
    let dotted: Members = members().into_iter().map(|(n, b)| (format!("./{n}"), b)).collect();
    for (name, bytes) in [
        ("b.tar", tar(&members())),
        ("dotted.tar", tar(&dotted)),
        ("b.zip", zip(&members()).0),
        ("pack.zip", zip(&packed()).0),
        // Its name says nothing.
        ("archive", zip(&packed()).0),
    ] {
        let path = put(name, &bytes);
        let out = nowhere(&["--bundle", path.to_str().unwrap(), "--vkey", &vkey, "--json"]);
        assert_eq!(out.stdout, plain.stdout, "{name}: {}", text(&out));
    }
    // GNU's own spelling of a tar, as its tar writes it.
    let path = put("gnu.tar", b"");
    let mut made = std::process::Command::new("tar");
    let made = made.arg("-C").arg(&dir).arg("-cf").arg(&path).args(["--format=gnu", "."]).status();
    if made.is_ok_and(|s| s.success()) {
        let out = nowhere(&["--bundle", path.to_str().unwrap(), "--vkey", &vkey, "--json"]);
        assert_eq!(out.stdout, plain.stdout, "{}", text(&out));
    }
}

/// Each must be refused with a reason, and exit 3.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let all = members();
    let with = |name: &str, bytes: &[u8]| {
        let mut all = members();
        all.push((name.into(), bytes.to_vec()));
        all
    };
    let good = tar(&all);
    let (zipped, list) = zip(&all);
    let patch = |bytes: &[u8], at: usize, new: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[at..at + new.len()].copy_from_slice(new);
        bytes
    };
    let typed = |kind: u8| {
        let mut out = tar_header("more", 0, kind).to_vec();
        out.extend(&good);
        out
    };
    let mut found: Vec<(&'static str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("noise", vec![0x5a; 4_000]),
        ("one-block-of-zeros.tar", vec![0; 512]),
        ("a-tar-with-a-name-twice.tar", tar(&with("entries.jsonl", b""))),
        ("a-tar-with-a-dotted-double.tar", tar(&with("./entries.jsonl", b""))),
        ("a-tar-with-a-step-up.tar", tar(&with("../entries.jsonl", b""))),
        ("a-tar-with-an-absolute-name.tar", tar(&with("/entries.jsonl", b""))),
        ("a-tar-with-a-backslash.tar", tar(&with("a\\b", b""))),
        ("a-tar-with-a-control.tar", tar(&with("a\u{7}b", b""))),
        ("a-tar-with-an-empty-name.tar", tar(&with("", b""))),
        ("a-tar-with-a-symlink.tar", typed(b'2')),
        ("a-tar-with-a-hard-link.tar", typed(b'1')),
        ("a-tar-with-a-pipe.tar", typed(b'6')),
        ("a-tar-with-a-device.tar", typed(b'3')),
        ("a-tar-with-an-extended-header.tar", typed(b'x')),
        ("a-tar-with-a-long-name.tar", typed(b'L')),
        ("a-tar-without-its-end.tar", good[..good.len() - 1024].to_vec()),
        ("a-tar-with-half-its-end.tar", good[..good.len() - 512].to_vec()),
        ("a-tar-with-something-behind-it.tar", [&good[..], b"more"].concat()),
        ("two-tars.tar", [&good[..], &good].concat()),
        ("a-tar-that-was-cut-off.tar", good[..good.len() / 2].to_vec()),
        ("a-tar-with-a-wrong-checksum.tar", patch(&good, 0, b"d")),
        ("a-tar-without-entries.tar", tar(&all[..1])),
        ("a-zip-with-a-name-twice.zip", zip(&with("entries.jsonl", b"")).0),
        ("a-zip-with-a-step-up.zip", zip(&with("a/../../b", b"")).0),
        ("a-zip-with-a-comment.zip", [&patch(&zipped, zipped.len() - 2, &[4, 0]), &b"more"[..]].concat()),
        ("a-zip-with-something-behind-it.zip", [&zipped[..], b"more"].concat()),
        ("a-zip-that-was-cut-off.zip", zipped[..zipped.len() - 30].to_vec()),
        ("a-zip-of-four-bytes.zip", b"PK\x03\x04".to_vec()),
        ("a-zip-with-another-name-before-its-member.zip", patch(&zipped, 30, b"d")),
        ("a-zip-with-another-size-before-its-member.zip", patch(&zipped, 18, &[1])),
        ("a-compressed-zip.zip", patch(&patch(&zipped, 8, &[8]), list + 10, &[8])),
        ("an-encrypted-zip.zip", patch(&patch(&zipped, 6, &[1]), list + 8, &[1])),
        ("a-zip-with-a-wrong-crc.zip", {
            // The data itself changes, both headers agree.
            let at = zipped.windows(9).position(|w| w == b"{\"payload").unwrap();
            patch(&zipped, at + 2, b"q")
        }),
        ("a-zip-whose-list-lies-elsewhere.zip", patch(&zipped, zipped.len() - 6, &[1, 0, 0, 0])),
        ("a-zip-with-too-many-members.zip", {
            let end = zipped.len() - 22;
            patch(&patch(&zipped, end + 8, &[9, 0]), end + 10, &[9, 0])
        }),
        ("a-zip-with-a-gap.zip", {
            let mut bytes = zipped.clone();
            bytes.splice(list..list, *b"gap");
            let (end, at) = (bytes.len() - 22, u32::try_from(list + 3).unwrap());
            patch(&bytes, end + 16, &at.to_le_bytes())
        }),
        ("a-zip-without-entries.zip", zip(&all[..1]).0),
        ("two-bundles.zip", zip(&[members(), packed()].concat()).0),
        ("both-kinds-of-payloads.tar", tar(&with("payloads-some.jsonl", b""))),
        ("a-size-of-sixteen-exabytes.tar", {
            let mut bytes = good.clone();
            let mut block: [u8; 512] = bytes[..512].try_into().unwrap();
            block[124..136].fill(0xff);
            block[124] = 0x80;
            checksum(&mut block);
            bytes[..512].copy_from_slice(&block);
            bytes
        }),
    ];
    // A size that reaches beyond the end, and one that is no number.
    for (name, size) in
        [("a-tar-with-a-size-too-large.tar", &b"77777777777"[..]), ("a-tar-with-a-size-of-noise.tar", b"x7777777777")]
    {
        let mut bytes = good.clone();
        let mut block: [u8; 512] = bytes[..512].try_into().unwrap();
        block[124..135].copy_from_slice(size);
        checksum(&mut block);
        bytes[..512].copy_from_slice(&block);
        found.push((name, bytes));
    }
    found
}

#[test]
fn hostile_archives_are_refused() {
    let vkey = Files::base().vkey();
    let all = hostile();
    assert!(all.len() >= 40, "{}", all.len());
    let mut wrong = Vec::new();
    for (name, bytes) in &all {
        let path = put(name, bytes);
        let out = nowhere(&["--bundle", path.to_str().unwrap(), "--vkey", &vkey]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        if out.status.code() != Some(3)
            || !said.starts_with("error: ")
            || said.contains("panicked")
            || !out.stdout.is_empty()
        {
            wrong.push(format!("{name}: {:?} {said}", out.status.code()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What lies in a directory must be files, and must be there.
#[test]
fn hostile_directories_are_refused() {
    let f = Files::base();
    let vkey = f.vkey();
    let dir = tempfile::tempdir().unwrap();
    let bundle = |name: &str| {
        let dir = dir.path().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        for (name, bytes) in f.files() {
            std::fs::write(dir.join(name), bytes).unwrap();
        }
        dir
    };
    let linked = bundle("linked");
    std::fs::rename(linked.join("entries.jsonl"), dir.path().join("entries")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("entries"), linked.join("entries.jsonl")).unwrap();
    let endless = bundle("endless");
    std::fs::remove_file(endless.join("payloads.jsonl")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", endless.join("payloads.jsonl")).unwrap();
    let nested = bundle("nested");
    std::fs::remove_file(nested.join("checkpoint")).unwrap();
    std::fs::create_dir(nested.join("checkpoint")).unwrap();
    let none = bundle("none");
    std::fs::remove_file(none.join("entries.jsonl")).unwrap();
    let both = bundle("both");
    std::fs::write(both.join("payloads-some.jsonl"), b"").unwrap();
    for path in [linked, endless, nested, none, both, dir.path().join("nothing"), PathBuf::from("/dev/null")] {
        let out = nowhere(&["--bundle", path.to_str().unwrap(), "--vkey", &vkey]);
        assert_eq!(out.status.code(), Some(3), "{}: {}", path.display(), text(&out));
        assert!(String::from_utf8_lossy(&out.stderr).starts_with("error: "), "{}", text(&out));
    }
    // What nobody writes into is not waited for, and what can be unpacked or written down is called by its name.
    let said = |path: &str| {
        let out = nowhere(&["--bundle", path, "--vkey", &vkey]);
        assert_eq!(out.status.code(), Some(3), "{path}: {}", text(&out));
        String::from_utf8_lossy(&out.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let pipe = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(said(pipe.to_str().unwrap()).contains("it is not a file"));
    assert!(said("-").contains("write it into a file first"));
    let packed = put("bundle.tar.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\xff");
    assert!(said(packed.to_str().unwrap()).contains("it is compressed; unpack it first: gunzip"));
    let unpacked = dir.path().join("unpacked");
    std::fs::create_dir(&unpacked).unwrap();
    std::fs::rename(bundle("inner"), unpacked.join("bundle")).unwrap();
    let inner = said(unpacked.to_str().unwrap());
    assert!(inner.contains("that is a pack, unpacked; its bundle is") && inner.contains("unpacked/bundle"), "{inner}");
    // With --json the error is data; a monitoring system hears UNKNOWN.
    let out = nowhere(&["--bundle", "/dev/null", "--vkey", &vkey, "--json"]);
    assert_eq!(json(&out).1["exit"], 3);
    let out = nowhere(&["--bundle", "/dev/null", "--vkey", &vkey, "--monitor"]);
    assert_eq!(out.status.code(), Some(3));
    assert!(text(&out).starts_with("AOSCTL AUDIT UNKNOWN - "), "{}", text(&out));
    // Other files beside them change nothing: nobody reads them.
    let more = bundle("more");
    std::fs::write(more.join("PAYLOADS.JSONL"), b"noise").unwrap();
    let (code, v) = json(&nowhere(&["--bundle", more.to_str().unwrap(), "--vkey", &vkey, "--json"]));
    assert_eq!((code, status(&v, "authority").as_str()), (0, "ok"));
}
