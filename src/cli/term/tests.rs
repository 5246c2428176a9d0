use super::*;
use portable_pty::{PtyPair, PtySize, native_pty_system};
use rustix::termios::{LocalModes, Termios, tcgetattr, tcsetattr};
use std::fs;

/// A terminal with a person who types each answer once its question is on the screen.
struct Desk {
    pair: PtyPair,
    prompter: Prompter,
}

impl Desk {
    fn new() -> Self {
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let tty = pair.master.tty_name().unwrap();
        Self { pair, prompter: Prompter { no_input: false, tty } }
    }

    fn tty(&self) -> File {
        self.prompter.open("", "").unwrap()
    }

    /// What `ask` gives, and what was on the screen.
    fn run<T: Send>(&self, answers: &[(&str, &str)], ask: impl FnOnce(&Prompter) -> T + Send) -> (T, String) {
        let before = tcgetattr(self.tty()).unwrap();
        let mut screen = self.pair.master.try_clone_reader().unwrap();
        let mut keyboard = self.pair.master.take_writer().unwrap();
        let (prompter, mut tty) = (&self.prompter, self.tty());
        let (result, seen) = std::thread::scope(|scope| {
            let asked = scope.spawn(move || {
                let result = ask(prompter);
                write!(tty, "[end]").unwrap();
                result
            });
            // A character can arrive in two reads, so bytes are collected.
            let (mut seen, mut from) = (Vec::new(), 0);
            for (question, answer) in answers.iter().chain([&("[end]", "")]) {
                while !String::from_utf8_lossy(&seen[from..]).contains(question) {
                    let mut bytes = [0; 1024];
                    let count = screen.read(&mut bytes).unwrap();
                    seen.extend(&bytes[..count]);
                }
                from = seen.len();
                keyboard.write_all(answer.as_bytes()).unwrap();
            }
            (asked.join().unwrap(), String::from_utf8(seen).unwrap())
        });
        assert_same(&before, &tcgetattr(self.tty()).unwrap());
        (result, seen)
    }
}

fn assert_same(before: &Termios, after: &Termios) {
    assert_eq!(after.local_modes, before.local_modes);
    assert_eq!(after.input_modes, before.input_modes);
    assert_eq!(after.output_modes, before.output_modes);
}

#[test]
fn lines_and_confirmations() {
    let ask = |p: &Prompter| p.ask_line("Name", "--name").unwrap();
    assert_eq!(Desk::new().run(&[("Name: ", " crm-bot \n")], ask).0, "crm-bot");
    let confirm = |p: &Prompter| p.confirm_typed("Freeze all?", "yes", "--yes").unwrap();
    for (typed, agreed) in [("yes\n", true), ("y\n", false), ("YES\n", false), ("\n", false)] {
        assert_eq!(Desk::new().run(&[("to go on: ", typed)], confirm).0, agreed, "{typed:?}");
    }
    let closed = Desk::new().run(&[("Name: ", "\x04")], |p| p.ask_line("Name", "--name"));
    assert!(matches!(closed.0, Err(TermError::Closed)));
}

#[test]
fn a_passphrase_is_not_echoed() {
    let desk = Desk::new();
    let answers = [("Passphrase: ", "open sesamx\x7fe\r")];
    let (passphrase, seen) = desk.run(&answers, |p| p.passphrase("Passphrase", "--passphrase-file").unwrap());
    assert!(passphrase.is_same(&Passphrase::given("open sesame".into()).unwrap()));
    assert!(!seen.contains("sesam"), "{seen}");
}

#[test]
fn a_secret_is_one_line_that_is_not_echoed() {
    let ask = |p: &Prompter| p.secret("Secret", "--secret-stdin");
    let (secret, seen) = Desk::new().run(&[("Secret: ", " sk_livx\x7fe_canary \r")], ask);
    assert_eq!(secret.unwrap().expose(), b" sk_live_canary ");
    assert!(!seen.contains("canary"), "{seen}");
    let (refused, seen) = Desk::new().run(&[("Secret: ", "-----BEGIN\nreboot\n-----END\n")], ask);
    assert!(refused.unwrap_err().to_string().contains("--secret-stdin"));
    assert!(!seen.contains("reboot"), "{seen}");
    assert!(matches!(Desk::new().run(&[("Secret: ", "\r")], ask).0, Err(TermError::Secret(SecretError::Empty))));
    assert!(matches!(Desk::new().run(&[("Secret: ", "ab\x03")], ask).0, Err(TermError::Interrupted)));
}

#[test]
fn ctrl_c_and_ctrl_d_end_it_and_leave_the_terminal_in_order() {
    let ask = |p: &Prompter| p.passphrase("Passphrase", "--passphrase-file");
    assert!(matches!(Desk::new().run(&[("Passphrase: ", "abc\x03")], ask).0, Err(TermError::Interrupted)));
    assert!(matches!(Desk::new().run(&[("Passphrase: ", "\x04")], ask).0, Err(TermError::Closed)));
    let key = |p: &Prompter| p.read_key("? ", "--yes");
    assert!(matches!(Desk::new().run(&[("? ", "\x03")], key).0, Err(TermError::Interrupted)));
    assert!(matches!(Desk::new().run(&[("? ", "\x04")], key).0, Err(TermError::Closed)));
}

#[test]
fn a_new_passphrase_is_asked_twice() {
    let ask = |p: &Prompter| p.new_passphrase("New passphrase", "--passphrase-file");
    let answers = [
        ("New passphrase: ", "short\r"),
        ("New passphrase: ", "long enough\r"),
        ("same again: ", "long enouhg\r"),
        ("New passphrase: ", "long enough\r"),
        ("same again: ", "long enough\r"),
    ];
    let (passphrase, seen) = Desk::new().run(&answers, ask);
    assert!(passphrase.unwrap().is_same(&Passphrase::given("long enough".into()).unwrap()));
    assert!(seen.contains("has 5 characters") && seen.contains("not the same"), "{seen}");
    let never = [("New passphrase: ", "short\r"); 3];
    assert!(matches!(Desk::new().run(&never, ask).0, Err(TermError::NoAnswer { .. })));
}

#[test]
fn a_list_is_chosen_from_by_number() {
    let items = ["first".to_owned(), "second".to_owned()];
    let ask = |p: &Prompter| p.select("Integration", &items, "--integration");
    let (chosen, seen) = Desk::new().run(&[("[1-2]: ", "3\n"), ("[1-2]: ", "2\n")], ask);
    assert_eq!(chosen.unwrap(), 1);
    assert!(seen.contains("  1  first\r\n  2  second\r\n"), "{seen}");
    assert!(matches!(Desk::new().prompter.select("x", &[], "--x"), Err(TermError::NoAnswer { .. })));
}

#[test]
fn one_key_and_nothing_typed_ahead() {
    let ask = |p: &Prompter| p.read_key("Approve? ", "--yes").unwrap();
    for (typed, key) in [
        ("a", Key::Char('a')),
        ("é", Key::Char('é')),
        ("\r", Key::Enter),
        ("\x1b", Key::Escape),
        ("\x7f", Key::Backspace),
        ("\x1b[A", Key::Other),
        ("aa", Key::Other),
        ("\x01", Key::Other),
    ] {
        let (read, seen) = Desk::new().run(&[("Approve? ", typed)], ask);
        assert_eq!(read, key, "{typed:?}");
        assert!(seen.starts_with("Approve? \r\n"), "{seen:?}");
    }
    let desk = Desk::new();
    let ahead = |p: &Prompter| {
        // As if typed before the question: the answer that counts comes after it.
        assert_eq!(p.ask_line("First", "--first").unwrap(), "one");
        std::thread::sleep(std::time::Duration::from_millis(50));
        p.read_key("Approve? ", "--yes").unwrap()
    };
    assert_eq!(desk.run(&[("First: ", "one\ny\n"), ("Approve? ", "n")], ahead).0, Key::Char('n'));
}

#[test]
fn a_panic_leaves_the_terminal_in_order() {
    let desk = Desk::new();
    let tty = desk.tty();
    let before = tcgetattr(&tty).unwrap();
    let result = std::panic::catch_unwind(|| {
        let _guard = Unbuffered::enter(&tty, OptionalActions::Now).unwrap();
        assert!(!tcgetattr(&tty).unwrap().local_modes.contains(LocalModes::ECHO));
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(result.is_err());
    assert_same(&before, &tcgetattr(&tty).unwrap());
}

/// As a release build does, which does not unwind.
#[test]
fn a_panic_that_drops_nothing_leaves_the_terminal_in_order() {
    let desk = Desk::new();
    let tty = desk.tty();
    let before = tcgetattr(&tty).unwrap();
    // Another test of this process may use the only terminal that is remembered; then this one has nothing to say.
    for _ in 0..200 {
        let guard = Unbuffered::enter(&tty, OptionalActions::Now).unwrap();
        assert!(!tcgetattr(&tty).unwrap().local_modes.contains(LocalModes::ECHO));
        std::mem::forget(guard);
        unbuffered::put_back();
        if tcgetattr(&tty).unwrap().local_modes == before.local_modes {
            return assert_same(&before, &tcgetattr(&tty).unwrap());
        }
        tcsetattr(&tty, OptionalActions::Now, &before).unwrap();
    }
    panic!("it was never put back");
}

/// A code that is to be written down does not stay on the screen, whatever ends this.
#[test]
fn the_second_screen_is_left_on_every_way_out() {
    let code = "AAAA-BBBB-CCCC";
    let show = |p: &Prompter| p.show_code(code, "--recovery-out FILE");
    let question = "Type its last group to go on: ";
    let left = |seen: &str| {
        let (shown, after) = (seen.find("AAAA").unwrap(), seen.rfind("\x1b[2J\x1b[?1049l").expect("it was left"));
        assert!(seen.contains("\x1b[?1049h") && shown < after && !seen[after..].contains("AAAA"), "{seen:?}");
    };
    let (done, seen) = Desk::new().run(&[(question, "nope\n"), (question, "cccc\n")], show);
    done.unwrap();
    left(&seen);
    for typed in ["\x03", "cc\x03"] {
        let (done, seen) = Desk::new().run(&[(question, typed)], show);
        assert!(matches!(done, Err(TermError::Interrupted)), "{typed:?}: {done:?}");
        left(&seen);
    }
    let (done, seen) = Desk::new().run(&[(question, "\x04")], show);
    assert!(matches!(done, Err(TermError::Closed)));
    left(&seen);
    // A panic that drops nothing; as above, another test may be the one that is remembered.
    let was_left = (0..200).any(|_| {
        let (entered, seen) = Desk::new().run(&[], |p| {
            let tty = p.open("", "").unwrap();
            let before = tcgetattr(&tty).unwrap();
            std::mem::forget(Unbuffered::second_screen(&tty).unwrap());
            let entered = tcgetattr(&tty).unwrap().local_modes;
            unbuffered::put_back();
            tcsetattr(&tty, OptionalActions::Now, &before).unwrap();
            entered
        });
        assert!(!entered.contains(LocalModes::ISIG) && seen.contains("\x1b[?1049h"));
        seen.ends_with("\x1b[2J\x1b[?1049l[end]")
    });
    assert!(was_left);
}

#[test]
fn without_a_person_the_error_names_the_flag() {
    let silent = Prompter::new(true);
    assert!(!silent.can_ask());
    let error = silent.passphrase("the passphrase", "--passphrase-file FILE").unwrap_err();
    assert!(matches!(&error, TermError::WouldAsk { what, .. } if what == "the passphrase"));
    assert!(error.to_string().ends_with("answer it with --passphrase-file FILE"), "{error}");
    for tty in ["/nowhere/tty", "/dev/null"] {
        let nobody = Prompter { no_input: false, tty: tty.into() };
        assert!(matches!(nobody.read_key("? ", "--yes"), Err(TermError::NoTerminal { .. })));
        assert!(matches!(nobody.confirm_typed("?", "yes", "--yes"), Err(TermError::NoTerminal { .. })));
    }
}

#[test]
fn the_pager_gets_long_text_only_and_in_safe_mode() {
    let env = |pager: Option<&str>| Env {
        pager: pager.map(str::to_owned),
        term: Some("xterm".into()),
        columns: Some(20),
        ..Env::default()
    };
    assert_eq!(Pager::new(&env(None)).command, ["less", "-FRXK"]);
    for none in [Some(""), Some(" cat ")] {
        assert!(Pager::new(&env(none)).command.is_empty());
    }
    assert!(Pager::new(&Env::default()).command.is_empty(), "no TERM");
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("pager");
    fs::write(&script, "echo \"$LESSSECURE $1\"; cat; exit $2").unwrap();
    let mut pager = Pager::new(&env(Some(&format!("sh {} -x 0", script.display()))));
    pager.size.rows = 3;
    assert!(!pager.is_long("one\ntwo\n") && pager.is_long("one\ntwo\nthree\n"));
    assert!(pager.is_long(&"x".repeat(41)));
    let out = dir.path().join("out");
    assert!(pager.page("text\n", File::create(&out).unwrap().into()));
    assert_eq!(fs::read_to_string(&out).unwrap(), "1 -x\ntext\n");
    pager.command = vec!["sh".into(), script.display().to_string(), "-x".into(), "3".into()];
    assert!(!pager.page("text\n", Stdio::null()), "a pager that fails");
    pager.command = vec!["true".into()];
    assert!(pager.page(&"text\n".repeat(100_000), Stdio::null()), "a pager that is left early");
    pager.command = vec![dir.path().join("no-such-pager").display().to_string()];
    assert!(!pager.page("text\n", Stdio::null()));
}

#[test]
fn a_closed_pipe_is_no_error() {
    struct Closed(io::ErrorKind);
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    write_all(&mut Closed(io::ErrorKind::BrokenPipe), "x").unwrap();
    write_all(&mut Closed(io::ErrorKind::StorageFull), "x").unwrap_err();
    let mut out = Vec::new();
    write_all(&mut out, "x").unwrap();
    assert_eq!(out, b"x");
}
