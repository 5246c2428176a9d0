//! The real binary in a real terminal, and what a person sees of it.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, PtyPair, PtySize, native_pty_system};

use crate::support::Bench;

/// A terminal with a running command.
pub struct Desk {
    pair: PtyPair,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    bytes: Arc<Mutex<Vec<u8>>>,
    /// From here on, what was not waited for yet.
    from: usize,
    rows: u16,
    columns: u16,
}

impl Desk {
    /// Starts `aosctl ARGS` in a terminal of that size. The pager is `cat`, unless told.
    pub fn start(bench: &Bench, columns: u16, rows: u16, args: &[&str], pager: &str) -> Desk {
        let pair =
            native_pty_system().openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_aosctl"));
        command.env_clear();
        command.env("PATH", "/usr/bin:/bin");
        command.env("HOME", bench.dir.path());
        command.env("TERM", "xterm");
        command.env("AOSCTL_PAGER", pager);
        command.env("AOSCTL_WORKSPACE", bench.workspace());
        command.env("AOSCTL_STATE_DIR", bench.path("state"));
        command.cwd(bench.dir.path());
        command.args(args);
        let child = pair.slave.spawn_command(command).unwrap();
        let keyboard = pair.master.take_writer().unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = bytes.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 {
                    break;
                }
                sink.lock().unwrap().extend_from_slice(&buffer[..n]);
            }
        });
        Desk { pair, child, keyboard, bytes, from: 0, rows, columns }
    }

    /// Waits until the terminal was sent that text, after what was waited for before.
    pub fn wait_for(&mut self, text: &str) {
        let begin = Instant::now();
        loop {
            let seen = self.bytes.lock().unwrap().clone();
            let tail = String::from_utf8_lossy(&seen[self.from..]).into_owned();
            if let Some(at) = tail.find(text) {
                // Lossy text can be longer than its bytes; then what follows is waited for from the end.
                self.from = (self.from + at + text.len()).min(seen.len());
                return;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "{text:?} never came; the screen:\n{}",
                self.rows().join("\n")
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn type_in(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits for a text, then types.
    pub fn at(&mut self, text: &str, keys: &str) {
        self.wait_for(text);
        self.type_in(keys);
    }

    /// Everything that was sent so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    /// The screen as a person sees it now, row by row, blanks at the ends cut.
    pub fn rows(&self) -> Vec<String> {
        let mut parser = self.parser();
        parser.process(&self.bytes());
        parser.screen().rows(0, self.columns).map(|r| r.trim_end().to_string()).collect()
    }

    /// Where the cursor stands: row and column, from 0.
    pub fn cursor(&self) -> (u16, u16) {
        let mut parser = self.parser();
        parser.process(&self.bytes());
        parser.screen().cursor_position()
    }

    fn parser(&self) -> vt100::Parser {
        let size = |n: u16| std::num::NonZero::new(n).unwrap();
        vt100::Parser::new(size(self.rows), size(self.columns), 0)
    }

    /// Waits for the end; gives the exit code.
    pub fn end(&mut self) -> u32 {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "it does not end; the screen:\n{}",
                self.rows().join("\n")
            );
            std::thread::sleep(Duration::from_millis(10));
        };
        // What it wrote last is still on its way.
        std::thread::sleep(Duration::from_millis(100));
        status.exit_code()
    }

    /// The number of the process in it.
    pub fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Closes the terminal, and waits for the end of what ran in it.
    pub fn hang_up(self) {
        let Desk { pair, mut child, keyboard, .. } = self;
        drop((keyboard, pair));
        let begin = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(begin.elapsed() < Duration::from_secs(60), "it lives on without a terminal");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Lines are echoed and edited, and Ctrl-C is a signal again: as a shell expects it.
    pub fn is_sane(&self) -> bool {
        use rustix::termios::{LocalModes, OutputModes, tcgetattr};
        let path = self.pair.master.tty_name().unwrap();
        let tty = std::fs::File::open(path).unwrap();
        let modes = tcgetattr(&tty).unwrap();
        modes.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN)
            && modes.output_modes.contains(OutputModes::OPOST | OutputModes::ONLCR)
    }
}

/// What the program itself may send besides text: its own styles, and line ends.
pub fn assert_only_our_control(bytes: &[u8]) {
    let text = String::from_utf8(bytes.to_vec()).expect("what is sent is UTF-8");
    let mut plain = text;
    for ours in ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\r\n"] {
        plain = plain.replace(ours, "");
    }
    let bad = plain.char_indices().find(|(_, c)| c.is_control() || aosctl::cli::text::is_hidden(*c));
    if let Some((at, c)) = bad {
        let from = plain.char_indices().map(|(i, _)| i).take_while(|i| *i < at.saturating_sub(40)).last().unwrap_or(0);
        panic!("a {c:?} was sent, after {:?}", &plain[from..at]);
    }
}

/// Compares rows with a committed file, moments replaced; with `UPDATE_SNAPSHOTS=1` writes it.
pub fn assert_snapshot(name: &str, rows: &[String]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(format!("{name}.txt"));
    let shown: String = rows.iter().map(|r| format!("{}\n", without_moments(r))).collect();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &shown).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(shown == known, "{name} differs from {}; it is now:\n{shown}", path.display());
}

/// Every digit of a date or a time of day as 0, so that a page is the same on every day.
pub fn without_moments(line: &str) -> String {
    let mut chars: Vec<char> = line.chars().collect();
    for pattern in ["0000-00-00", "00:00 UTC"] {
        let shape: Vec<char> = pattern.chars().collect();
        for at in 0..(chars.len() + 1).saturating_sub(shape.len()) {
            let fits = shape.iter().zip(&chars[at..]).all(|(p, c)| if *p == '0' { c.is_ascii_digit() } else { p == c });
            if fits {
                chars[at..at + shape.len()].copy_from_slice(&shape);
            }
        }
    }
    chars.into_iter().collect()
}
