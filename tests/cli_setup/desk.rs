//! The real binary at a terminal, with a person who types each answer once its question is on the screen.

use std::io::{Read, Write};
use std::time::Duration;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use super::Bench;

/// Runs a command at a terminal; gives its exit code and everything that was on the screen.
pub fn at_terminal(b: &Bench, args: &[&str], answers: &[(&str, &str)]) -> (u32, String) {
    let size = PtySize { rows: 40, cols: 80, ..PtySize::default() };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_aosctl"));
    command.env_clear();
    command.env("PATH", "/usr/bin:/bin");
    command.env("HOME", b.dir.path());
    command.env("TERM", "xterm");
    command.env("NO_COLOR", "1");
    command.env("AOSCTL_PAGER", "");
    command.env("AOSCTL_WORKSPACE", b.workspace());
    command.env("AOSCTL_STATE_DIR", b.path("state"));
    command.cwd(b.dir.path());
    command.args(args);
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    // A question that never comes must not hang the tests.
    let mut killer = child.clone_killer();
    let (done, finished) = std::sync::mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        if finished.recv_timeout(Duration::from_secs(60)).is_err() {
            let _ = killer.kill();
        }
    });
    let mut screen = pair.master.try_clone_reader().unwrap();
    let mut keyboard = pair.master.take_writer().unwrap();
    let (mut seen, mut from) = (Vec::new(), 0);
    let mut waiting = answers.iter();
    let mut next = waiting.next();
    loop {
        let mut bytes = [0; 1024];
        // The terminal is gone when the child is.
        let Ok(count @ 1..) = screen.read(&mut bytes) else {
            break;
        };
        seen.extend_from_slice(&bytes[..count]);
        while let Some((question, answer)) = next {
            if !String::from_utf8_lossy(&seen[from..]).contains(question) {
                break;
            }
            from = seen.len();
            // The question is written before the terminal is ready for its answer (echo off, old input thrown away).
            std::thread::sleep(Duration::from_millis(80));
            keyboard.write_all(format!("{answer}\r").as_bytes()).unwrap();
            next = waiting.next();
        }
    }
    let status = child.wait().unwrap();
    drop(done);
    guard.join().unwrap();
    let seen = String::from_utf8_lossy(&seen).into_owned();
    assert!(next.is_none(), "never asked: {:?}\n{seen}", next.map(|(question, _)| question));
    (status.exit_code(), seen)
}
