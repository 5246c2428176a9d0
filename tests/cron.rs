//! docs/cron.md and docs/systemd, run: the crontab block by a real cron daemon, the units by a real `systemd --user`, each in
//! a mount namespace of its own, so that nothing of this machine is touched. What is changed for it: the five fields of
//! each crontab line to `* * * * *`, and the timers, by a drop-in, to one second from now.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, may print, and has files, a clock and an environment of its own"
)]

mod keys_world;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aosctl::workspace::{Place, Workspace};
use support::{PASSPHRASE, text};

/// What each unit is called, and the command that it runs.
const UNITS: [(&str, [&str; 2]); 3] = [
    ("rotation-check", ["rotation", "check"]),
    ("review-check", ["review", "check"]),
    ("audit-verify", ["audit", "verify"]),
];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// A test whose needs are absent says so; where everything has to be there it fails.
fn skip(why: &str) -> bool {
    assert!(std::env::var_os("AOSCTL_REQUIRE_ALL").is_none(), "cannot be run here, and must: {why}");
    eprintln!("SKIPPED: {why}");
    true
}

/// What keeps the test from running, if anything does.
fn lacks(program: &str) -> Option<String> {
    let works = |program: &str, args: &[&str]| {
        Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
    };
    if !Path::new(program).exists() {
        return Some(format!("there is no {program}"));
    }
    (!works("unshare", &["--mount", "--propagation", "private", "true"]))
        .then(|| "no mount namespace can be made: that needs root, or CAP_SYS_ADMIN".into())
}

/// Is that command in this build? `review check` comes with another part.
fn built(command: &[&str; 2]) -> bool {
    let mut c = Command::new(env!("CARGO_BIN_EXE_aosctl"));
    c.args(command).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

/// A home directory with a workspace where aosctl looks for it by itself, and with the keys that are named.
struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new(due: bool) -> Home {
        let h = Home { dir: tempfile::tempdir().unwrap() };
        for d in ["home", "spool", "mail", "sbin", "bin", "empty"] {
            std::fs::create_dir(h.path(d)).unwrap();
        }
        let pass = h.path("pass");
        std::fs::write(&pass, PASSPHRASE).unwrap();
        mode(&pass, 0o600);
        let out = h.aosctl().args(["--passphrase-file", pass.to_str().unwrap(), "init", "--name", "ACME"]).output();
        let out = out.unwrap();
        assert!(out.status.success(), "{}", text(&out.stderr));
        let base = h.path("home").join(".local");
        let place = Place { dir: base.join("share/aosctl"), state: base.join("state/aosctl") };
        let ws = Workspace::open(place).unwrap();
        let op = keys_world::operator(&ws);
        ws.transact(keys_world::now(), |tx| {
            let key = tx.next_id(aosctl::domain::id::IdKind::Key)?;
            let facts = keys_world::aged("stripe-live", if due { 200 } else { 1 });
            tx.append(op.by(), aosctl::domain::event::KeyAdded { key, facts, note: None })
        })
        .unwrap();
        h
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn aosctl(&self) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_aosctl"));
        c.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.path("home")).stdin(Stdio::null());
        c
    }

    /// Runs a script in a mount namespace in which this is root's home, /usr/local/bin has aosctl and /run is empty.
    fn inside(&self, script: &str) -> Inside {
        let file = self.path("script");
        let t = self.dir.path().display();
        let program = env!("CARGO_BIN_EXE_aosctl");
        let text = format!(
            "set -eu\ntouch {t}/bin/aosctl\nmount --bind '{program}' {t}/bin/aosctl\n\
             mkdir -p {t}/home/.local/bin\nln -sf /usr/local/bin/aosctl {t}/home/.local/bin/aosctl\n\
             mount --rbind {t}/bin /usr/local/bin\nmount --bind {t}/home /root\nmount -t tmpfs tmpfs /run\ncd /root\n{script}\n"
        );
        std::fs::write(&file, text).unwrap();
        let log = std::fs::File::create(self.path("log")).unwrap();
        let child = Command::new("unshare")
            // Whatever is started in it ends with it.
            .args(["--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc", "--kill-child", "sh"])
            .arg(&file)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Inside(child)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The bodies of all mails that were sent.
    fn mails(&self) -> Vec<String> {
        let all = std::fs::read_dir(self.path("mail")).unwrap();
        all.map(|e| text(&std::fs::read(e.unwrap().path()).unwrap())).collect()
    }
}

/// What runs in a namespace; killed with everything in it when dropped.
struct Inside(Child);

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn wait_for(what: &str, most: Duration, home: &Home, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < most, "{what}: never; mails {:?}; log:\n{}", home.mails(), home.log());
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The crontab block of the document, its times every minute.
fn crontab() -> String {
    let page = std::fs::read_to_string(docs().join("cron.md")).unwrap();
    let block = page.split_once("```crontab\n").unwrap().1.split_once("```").unwrap().0;
    let mut lines = Vec::new();
    let mut jobs = 0;
    for line in block.lines() {
        if line.starts_with(|c: char| c.is_ascii_digit()) {
            let fields: Vec<&str> = line.splitn(6, ' ').collect();
            lines.push(format!("* * * * * {}", fields[5]));
            jobs += 1;
        } else {
            lines.push(line.to_string());
        }
    }
    assert_eq!(jobs, UNITS.len(), "{block}");
    lines.join("\n") + "\n"
}

#[test]
fn the_crontab_runs_by_a_real_cron() {
    if let Some(why) = lacks("/usr/sbin/cron") {
        skip(&why);
        return;
    }
    // The same block at the same time over a workspace where a key is due, and over one where none is.
    let homes = [Home::new(true), Home::new(false)];
    let running: Vec<Inside> = homes
        .iter()
        .map(|h| {
            let spool = h.path("spool/root");
            std::fs::write(&spool, crontab()).unwrap();
            mode(&spool, 0o600);
            std::fs::copy("/usr/sbin/cron", h.path("sbin/cron")).unwrap();
            let mailer = h.path("sbin/sendmail");
            let t = h.dir.path().display();
            std::fs::write(&mailer, format!("#!/bin/sh\ncat > {t}/mail/.$$ && mv {t}/mail/.$$ {t}/mail/$$\n")).unwrap();
            mode(&mailer, 0o755);
            h.inside(&format!(
                "mount --bind {t}/spool /var/spool/cron/crontabs\nmount --bind {t}/empty /etc/cron.d\n\
                 mount --bind /dev/null /etc/crontab\nmount --bind {t}/sbin /usr/sbin\nexec /usr/sbin/cron -f -L 15"
            ))
        })
        .collect();
    let verified = |h: &Home| {
        let kept = std::fs::read_to_string(h.path("home/.aosctl-verify")).unwrap_or_default();
        kept.contains("verified: ")
    };
    let two_minutes = Duration::from_secs(130);
    wait_for("the mail", two_minutes, &homes[0], || homes[0].mails().iter().any(|m| m.contains("stripe-live")));
    for h in &homes {
        wait_for("audit verify", two_minutes, h, || verified(h));
    }
    // What cron mails is what was printed; where nothing is due nothing was, and no mail is sent.
    std::thread::sleep(Duration::from_secs(3));
    drop(running);
    let about = |h: &Home, command: &str| {
        let all = h.mails();
        all.into_iter().filter(|m| m.contains(&format!("> aosctl {command}"))).collect::<Vec<_>>()
    };
    let mail = about(&homes[0], "rotation check").pop().unwrap_or_else(|| panic!("{:?}", homes[0].mails()));
    assert!(mail.contains("To: ops\n"), "{mail}");
    let joined = mail.replace("\n  aosctl", " aosctl");
    let line =
        joined.lines().find(|l| l.starts_with("k-1 stripe-live overdue since ")).unwrap_or_else(|| panic!("{mail}"));
    assert!(line.ends_with("; rotated? aosctl rotation record k-1"), "{line}");
    assert_eq!(about(&homes[1], "rotation check"), Vec::<String>::new());
    for h in &homes {
        assert!(!h.mails().iter().any(|m| m.contains("audit verify")), "{:?}", h.mails());
        for m in h.mails() {
            assert!(!built(&["review", "check"]) || !m.contains("error:"), "{m}");
        }
    }
}

#[test]
fn the_units_run_by_a_real_systemd() {
    if let Some(why) = lacks("/usr/lib/systemd/systemd").or_else(|| lacks("/usr/bin/systemctl")) {
        skip(&why);
        return;
    }
    let homes = [Home::new(true), Home::new(false)];
    let running: Vec<Inside> = homes
        .iter()
        .map(|h| {
            let units = h.path("home/.config/systemd/user");
            std::fs::create_dir_all(&units).unwrap();
            let mut timers = Vec::new();
            for (unit, _) in UNITS {
                for kind in ["service", "timer"] {
                    let name = format!("aosctl-{unit}.{kind}");
                    std::fs::copy(docs().join("systemd").join(&name), units.join(&name)).unwrap();
                }
                let drop_in = units.join(format!("aosctl-{unit}.timer.d"));
                std::fs::create_dir(&drop_in).unwrap();
                let soon = "[Timer]\nOnCalendar=\nOnActiveSec=1s\nAccuracySec=1ms\nRandomizedDelaySec=0\nPersistent=no\n";
                std::fs::write(drop_in.join("now.conf"), soon).unwrap();
                timers.push(format!("aosctl-{unit}.timer"));
            }
            let services = timers.iter().map(|t| t.replace(".timer", ".service")).collect::<Vec<_>>().join(" ");
            let timers = timers.join(" ");
            // sd_booted(3) asks for that directory; without it no manager of a user starts.
            h.inside(&format!(
                "mkdir -p /run/systemd/system /run/user/0\nexport XDG_RUNTIME_DIR=/run/user/0\n\
                 systemd-analyze --user --man=no verify /root/.config/systemd/user/aosctl-*.service /root/.config/systemd/user/aosctl-*.timer > /root/analyzed 2>&1 && echo 0 >> /root/analyzed || echo failed >> /root/analyzed\n\
                 /usr/lib/systemd/systemd --user --log-target=console &\n\
                 n=0; until systemctl --user is-system-running --quiet 2>/dev/null; do n=$((n+1)); [ $n -lt 100 ]; sleep 0.2; done\n\
                 systemctl --user enable --now {timers}\n\
                 n=0; until [ \"$(systemctl --user show --property ExecMainExitTimestampMonotonic --value {services} | grep -c '^[1-9]')\" = 3 ]; do\n\
                   n=$((n+1)); [ $n -lt 300 ]; sleep 0.2; done\n\
                 for s in {services}; do\n\
                   echo \"$s $(systemctl --user show --property Result --value $s) $(systemctl --user show --property ExecMainStatus --value $s)\"\n\
                 done > /root/results.new\nmv /root/results.new /root/results\nsleep 1000"
            ))
        })
        .collect();
    for (h, due) in homes.iter().zip([true, false]) {
        let file = h.path("home/results");
        wait_for("the services", Duration::from_secs(100), h, || file.exists());
        let results = std::fs::read_to_string(&file).unwrap();
        let rotation =
            if due { "aosctl-rotation-check.service exit-code 1" } else { "aosctl-rotation-check.service success 0" };
        assert!(results.contains(rotation), "{results}{}", h.log());
        assert!(results.contains("aosctl-audit-verify.service success 0"), "{results}{}", h.log());
        if built(&["review", "check"]) {
            assert!(!results.contains("aosctl-review-check.service exit-code 2"), "{results}");
            assert!(!results.contains("aosctl-review-check.service exit-code 3"), "{results}");
        } else {
            eprintln!("review check is not in this build: its unit was read and started, and ends with wrong usage");
        }
        let analyzed = std::fs::read_to_string(h.path("home/analyzed")).unwrap();
        assert_eq!(analyzed.trim_end(), "0", "systemd-analyze verify");
    }
    drop(running);
}

#[test]
fn the_document_names_the_units_that_there_are() {
    let page = std::fs::read_to_string(docs().join("cron.md")).unwrap();
    for (unit, command) in UNITS {
        let service = std::fs::read_to_string(docs().join(format!("systemd/aosctl-{unit}.service"))).unwrap();
        assert!(service.contains(&format!("\nExecStart=%h/.local/bin/aosctl {}", command.join(" "))), "{service}");
        assert!(page.contains(&format!("aosctl-{unit}.timer")), "{unit}");
        assert!(page.contains(&format!("`aosctl {}", command.join(" "))), "{unit}");
    }
    assert_eq!(std::fs::read_dir(docs().join("systemd")).unwrap().count(), 2 * UNITS.len());
}
