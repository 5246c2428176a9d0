//! Cut off at any moment: it is erased or it is not, the log verifies, and what is left over is finished.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::approve_world::World;
use crate::support::{code, text};
use crate::{asked, found_in, json, verifies, with_canaries};

#[test]
fn killed_at_any_moment() {
    let w = World::new();
    let command = |seq: u64| {
        let n = seq.to_string();
        let mut c = w.bench.cmd(&["--json", "audit", "erase", &n, "--reason", "GDPR request 7", "--yes"]);
        c.stdout(Stdio::null()).stderr(Stdio::null());
        c
    };
    let (ask, _) = with_canaries(60, &[5_000]);
    let begin = Instant::now();
    assert!(command(asked(&w, &ask)).status().unwrap().success());
    let whole = begin.elapsed();
    // The passphrase takes most of the time; what is written comes after it.
    let from = whole.saturating_sub(Duration::from_millis(120));
    let (mut erased, mut kept, mut left) = (0, 0, 0);
    for n in 0..8 {
        let (ask, texts) = with_canaries(61 + n, &[5_000, 40]);
        let seq = asked(&w, &ask);
        let mut child = command(seq).spawn().unwrap();
        std::thread::sleep(from + (whole - from) * u32::try_from(n).unwrap() / 6);
        child.kill().unwrap();
        child.wait().unwrap();
        left += usize::from(w.bench.workspace().join("erasing").exists());
        let out = w.bench.run(&["--json", "audit", "show", &seq.to_string()]);
        let gone = json(&out)["entry"]["erased"].as_array().unwrap().len();
        assert!(gone == 0 || gone == 8, "{}", text(&out.stdout));
        let out = w.bench.run(&["audit", "erase", "--finish"]);
        assert_eq!(code(&out), 0, "{}{}", text(&out.stdout), text(&out.stderr));
        if gone > 0 {
            erased += 1;
            assert_eq!(found_in(&w, &texts), Vec::<String>::new());
        } else {
            kept += 1;
        }
        if n % 4 == 3 {
            verifies(&w);
        }
    }
    verifies(&w);
    println!("{erased} erased, {kept} not, {left} with something to finish");
}
