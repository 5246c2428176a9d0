//! The readers of tar and zip. What they give lies in the archive as it stands, in one piece, and is the same each time; so
//! there is no second way to read it. Nothing is unpacked.
#![no_main]

use std::io::Read;
use std::path::PathBuf;
use std::sync::OnceLock;

use aosctl::evidence::bundle;
use libfuzzer_sys::fuzz_target;

/// A file of this process, in memory where that is possible.
fn place() -> &'static PathBuf {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let shared = PathBuf::from("/dev/shm");
        let dir = if shared.is_dir() { shared } else { std::env::temp_dir() };
        dir.join(format!("aosctl-fuzz-archive-{}", std::process::id()))
    })
}

/// Everything that the reader gives of one archive; `None` where it refuses it.
fn read(path: &std::path::Path) -> Option<Vec<Vec<u8>>> {
    let files = bundle::open(path).ok()?;
    let mut found = Vec::new();
    for mut file in [Some(files.entries), files.payloads].into_iter().flatten() {
        let mut bytes = Vec::new();
        // A checksum that does not fit is found when the end is reached.
        file.read_to_end(&mut bytes).ok()?;
        found.push(bytes);
    }
    found.extend(files.checkpoint);
    Some(found)
}

fuzz_target!(|data: &[u8]| {
    std::fs::write(place(), data).expect("room for a file");
    let found = read(place());
    assert_eq!(found, read(place()));
    for bytes in found.into_iter().flatten().filter(|bytes| !bytes.is_empty()) {
        assert!(data.windows(bytes.len()).any(|window| window == bytes), "bytes that are not in the archive");
    }
    std::fs::remove_file(place()).expect("it is ours");
});
