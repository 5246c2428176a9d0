//! A write that was torn: the end of the WAL is missing or garbage, as after a crash of the machine.

use std::path::PathBuf;

use crate::lab::{Lab, READ};
use crate::support::{Bench, code, text};
use crate::{copy_tree, ends, verify};

/// The files of a workspace as a crash leaves them: the WAL is not in the database yet.
struct Crashed {
    lab: Lab,
    wal: Vec<u8>,
    /// Entries in the database itself.
    settled: u64,
    entries: u64,
}

fn crashed() -> Crashed {
    let lab = Lab::new();
    // Everything so far is in the database: whoever closed it last put it there.
    let settled = lab.entries();
    // While somebody has it open, nobody does that.
    let open = lab.ws();
    let wal = lab.bench.workspace().join("aosctl.db-wal");
    for _ in 0..6 {
        lab.ask(READ, 0);
    }
    let entries = lab.entries();
    assert_eq!(entries, settled + 6);
    let bytes = std::fs::read(&wal).unwrap();
    let image = lab.bench.path("image");
    std::fs::create_dir(&image).unwrap();
    copy_tree(&lab.bench.workspace(), &image.join("ws"));
    copy_tree(&lab.bench.path("state"), &image.join("state"));
    let _ = std::fs::remove_file(image.join("ws/aosctl.db-shm"));
    drop(open);
    Crashed { lab, wal: bytes, settled, entries }
}

impl Crashed {
    /// A workspace with that WAL.
    fn with(&self, wal: &[u8]) -> (Bench, PathBuf) {
        let b = Bench::empty();
        let image = self.lab.bench.path("image");
        copy_tree(&image.join("ws"), &b.workspace());
        copy_tree(&image.join("state"), &b.path("state"));
        let path = b.workspace().join("aosctl.db-wal");
        std::fs::write(&path, wal).unwrap();
        (b, path)
    }

    /// Opens what is left: every entry up to some place, and if that is not the last one, the pin tells.
    fn check(&self, what: &str, b: &Bench) -> u64 {
        let c = rusqlite::Connection::open(b.db()).unwrap();
        let left: u64 =
            c.query_row("SELECT count(*) FROM entries", [], |r| r.get::<_, i64>(0)).unwrap().try_into().unwrap();
        drop(c);
        assert!((self.settled..=self.entries).contains(&left), "{what}: {left} entries");
        let (exit, said) = verify(b);
        let mut ask = b.bare();
        ask.arg("--identity").arg(self.lab.bench.identity("build-bot")).args(["request", "new"]).args(READ);
        let out = ends(&mut ask);
        if left == self.entries {
            assert_eq!(exit, 0, "{what}: {said}");
            assert_eq!(code(&out), 0, "{what}: {}", text(&out.stderr));
            assert_eq!(verify(b).0, 0, "{what}");
        } else {
            assert_eq!(exit, 4, "{what}: {} entries are gone, and nobody said so\n{said}", self.entries - left);
            assert!(said.contains("pin              failed"), "{what}: {said}");
            // Nobody builds on it, and the reason is said.
            assert_eq!(code(&out), 4, "{what}: {}", text(&out.stderr));
            let error = format!("the log has {left} entries, and its pin remembers {}", self.entries);
            assert!(text(&out.stderr).contains(&error), "{what}: {}", text(&out.stderr));
            let out = ends(b.bare().args(["status"]));
            assert_eq!(code(&out), 4, "{what}: {}{}", text(&out.stdout), text(&out.stderr));
            // What closes is stopped by nothing, and makes nothing whole.
            assert_eq!(code(&ends(b.bare().args(["freeze"]))), 0, "{what}");
            assert_eq!(code(&ends(&mut ask)), 4, "{what}");
            assert_eq!(verify(b).0, 4, "{what}");
        }
        left
    }
}

#[test]
fn a_cut_wal_keeps_what_was_whole_and_the_pin_tells_the_rest() {
    let c = crashed();
    let len = c.wal.len();
    // The header has 32 bytes, a frame a header of 24 and a page of 4096: at, before and after the edges, and in between.
    let frame = 24 + 4096;
    let frames = (len - 32) / frame;
    let mut cuts = vec![0, 1, 31, 32, 33, len - 1, len];
    for n in 1..=frames {
        cuts.push(32 + n * frame);
        if n % 7 == 0 {
            cuts.extend([32 + n * frame - 1, 32 + n * frame + 23, 32 + n * frame + 2000]);
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    // Each costs some processes; the edges of transactions are all among the edges of frames.
    let step = cuts.len().div_ceil(45);
    let mut seen = std::collections::BTreeMap::new();
    let mut last = 0;
    for cut in cuts.iter().copied().filter(|cut| cut % step == 0 || *cut < 64 || len - cut < frame + 2) {
        let (b, _) = c.with(&c.wal[..cut.min(len)]);
        let left = c.check(&format!("cut at {cut} of {len}"), &b);
        assert!(left >= last, "a longer WAL holds less");
        last = left;
        *seen.entry(left).or_insert(0) += 1;
    }
    println!("{frames} frames; entries left, and how often: {seen:?}");
    assert!(seen.len() > 2 && last == c.entries, "{seen:?}");
}

#[test]
fn garbage_at_the_end_of_the_wal_is_no_transaction() {
    let c = crashed();
    for (n, extra) in
        [vec![0; 5000], vec![0xff; 24], vec![0x5a; 40_000], c.wal[32..4152].to_vec()].into_iter().enumerate()
    {
        let (b, _) = c.with(&[&c.wal[..], &extra].concat());
        assert_eq!(c.check(&format!("garbage {n}"), &b), c.entries);
    }
}

#[test]
fn a_flipped_byte_in_the_wal_ends_it_there() {
    let c = crashed();
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..16 {
        let mut wal = c.wal.clone();
        let at = 32 + (wal.len() - 33) * n / 15;
        wal[at] ^= 0x10;
        let (b, _) = c.with(&wal);
        let left = c.check(&format!("byte {at}"), &b);
        assert!(left < c.entries, "byte {at} was changed in silence");
        seen.insert(left);
    }
    println!("entries left: {seen:?}");
}

/// Killed while somebody else has it open, then opened by everybody at once.
#[test]
fn recovery_is_done_once_while_many_open_it() {
    let c = crashed();
    let (b, _) = c.with(&c.wal);
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| assert_eq!(verify(&b).0, 0));
        }
    });
    assert_eq!(c.check("recovered", &b), c.entries);
}
