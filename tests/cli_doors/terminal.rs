//! `aosctl connect` on a real terminal.

use super::*;

/// A person at a real terminal: types only after the question is on the screen.
struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn std::io::Write + Send>,
    bytes: std::sync::mpsc::Receiver<Vec<u8>>,
    screen: vt100::Parser,
    seen: usize,
    all: String,
    _pty: Box<dyn portable_pty::MasterPty + Send>,
}

impl Terminal {
    fn run(b: &Bench, args: &[&str]) -> Terminal {
        let size = portable_pty::PtySize { rows: 60, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pty = portable_pty::native_pty_system().openpty(size).unwrap();
        let mut c = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_aosctl"));
        c.args(args);
        c.env_clear();
        for (name, value) in [
            ("PATH", "/usr/bin:/bin".into()),
            ("TERM", "xterm".into()),
            ("HOME", b.path("")),
            ("AOSCTL_WORKSPACE", b.workspace()),
            ("AOSCTL_STATE_DIR", b.path("state")),
        ] {
            let value: std::path::PathBuf = value;
            c.env(name, value);
        }
        let child = pty.slave.spawn_command(c).unwrap();
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader().unwrap();
        let keys = pty.master.take_writer().unwrap();
        let (send, bytes) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n) = std::io::Read::read(&mut reader, &mut buffer) {
                if n == 0 || send.send(buffer[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal {
            child,
            keys,
            bytes,
            screen: vt100::Parser::new(60.try_into().unwrap(), 80.try_into().unwrap(), 1000),
            seen: 0,
            all: String::new(),
            _pty: pty.master,
        }
    }

    /// Waits until `what` comes after what was waited for before.
    fn wait(&mut self, what: &str) {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            if let Some(at) = self.all.get(self.seen..).and_then(|rest| rest.find(what)) {
                self.seen += at + what.len();
                return;
            }
            let left = end.saturating_duration_since(std::time::Instant::now());
            match self.bytes.recv_timeout(left) {
                Ok(bytes) => {
                    self.screen.process(&bytes);
                    self.all.push_str(&String::from_utf8_lossy(&bytes));
                }
                Err(e) => panic!("no {what:?} ({e}) in:\n{}", self.all),
            }
        }
    }

    fn answer(&mut self, what: &str, line: &str) {
        self.wait(what);
        self.keys.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The exit code, and everything that was on the screen.
    fn end(mut self) -> (u32, String) {
        let status = self.child.wait().unwrap();
        while let Ok(bytes) = self.bytes.recv_timeout(std::time::Duration::from_secs(5)) {
            self.screen.process(&bytes);
            self.all.push_str(&String::from_utf8_lossy(&bytes));
        }
        (status.exit_code(), self.screen.screen().contents())
    }
}

#[test]
fn on_a_terminal_it_asks_for_everything_and_shows_the_preflight_before_the_signature() {
    let b = bench();
    let mut t = Terminal::run(&b, &["connect"]);
    t.wait("github (GitHub, would be added)");
    t.wait("which integration [1-");
    let number = t
        .all
        .lines()
        .find(|l| l.contains("github (GitHub"))
        .and_then(|l| l.split_whitespace().next())
        .unwrap()
        .to_string();
    t.answer("]: ", &number);
    t.answer("which agent [1-1]: ", "1");
    t.wait("repo:OWNER/NAME");
    t.answer("scope: ", "rep:acme/app");
    t.answer("did you mean --scope repo:acme/app?", "repo:acme/app");
    t.answer("[read]: ", "wirte");
    t.answer("[read]: ", "");
    t.answer("[internal]: ", "");
    t.answer("mission (Enter for none): ", "ship 1.4");
    t.answer("[90d]: ", "30d");
    for line in [
        "acts for      build-bot acts for op-1 (ops)",
        "reaches       github repo:acme/app, read",
        "asks about    ",
        "leaves        ",
        "close it      aosctl revoke g-1",
    ] {
        t.wait(line);
    }
    t.answer("passphrase of op-1: ", PASSPHRASE);
    let (code, screen) = t.end();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("opened        g-1") && screen.contains("mission       ship 1.4"), "{screen}");
    assert!(!screen.contains(PASSPHRASE), "{screen}");
    assert!(
        matches!(&last(&b, 1)[0].1, Event::GrantIssued(g) if g.scope.as_str() == "repo:acme/app" && g.mission.as_deref() == Some("ship 1.4"))
    );
}

#[test]
fn on_a_terminal_a_warning_wants_a_typed_yes() {
    let b = bench();
    let wide = &["connect", "github", "--agent", "build-bot", "--scope", "org:acme"];
    for (typed, opens) in [("y", false), ("", false), ("yes", true)] {
        let before = size(&b);
        let mut t = Terminal::run(&b, wide);
        t.wait("org:acme is account-wide");
        t.wait("--scope repo:acme/NAME");
        t.answer("Type yes to go on: ", typed);
        if opens {
            t.answer("passphrase of op-1: ", PASSPHRASE);
        }
        let (code, screen) = t.end();
        assert_eq!((code == 0, size(&b) > before), (opens, opens), "{typed:?}: {screen}");
        assert_eq!(screen.contains("it has no mission, which a review asks about"), opens, "{screen}");
    }
    assert!(matches!(&last(&b, 1)[0].1, Event::GrantIssued(g) if g.accepted == ["scope.account-wide"]));
    // A wrong passphrase opens nothing.
    let before = size(&b);
    let mut t = Terminal::run(&b, DOOR);
    t.answer("passphrase of op-1: ", "wrong horse battery staple");
    let (code, screen) = t.end();
    assert_eq!((code, size(&b)), (1, before), "{screen}");
}

#[test]
fn on_a_terminal_nobody_signs_for_what_changed_meanwhile() {
    let b = bench();
    b.ok(DOOR);
    let mut t = Terminal::run(&b, &with(DOOR, &["--access", "write"]));
    t.wait("replaces      g-1");
    t.wait("passphrase of op-1: ");
    bare(&b, &["revoke", "g-1"], 0);
    let before = size(&b);
    t.keys.write_all(format!("{PASSPHRASE}\n").as_bytes()).unwrap();
    let (code, screen) = t.end();
    assert_eq!((code, size(&b)), (1, before), "{screen}");
    assert!(screen.contains("something changed while this was being decided"), "{screen}");
}
