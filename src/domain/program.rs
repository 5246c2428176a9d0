//! What a program may do with a secret that it is given, as far as its name and its first bytes tell. Pure, and advice
//! only: the list cannot be whole, because any program may print what it was given.

use super::key::Recipient;

/// Why a program should not be given a secret without a second thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// It is a script: its interpreter reads it by name after it was digested, and it is easily changed.
    Script,
    /// It runs whatever its arguments say.
    Interpreter,
    /// It prints or copies what it is given.
    Prints,
}

/// Every name that a warning about a secret may have, for documentation and tests.
pub const WARNINGS: &[&str] = &["secret.script", "secret.interpreter", "secret.prints", "secret.elsewhere"];

/// What runs other programs or programs of its own: shells, languages, and what starts what it is told to.
const RUNS: &[&str] = &[
    "ash",
    "awk",
    "bash",
    "bun",
    "busybox",
    "capsh",
    "chroot",
    "csh",
    "dash",
    "deno",
    "doas",
    "ed",
    "emacs",
    "env",
    "ex",
    "expect",
    "find",
    "fish",
    "flock",
    "gawk",
    "gdb",
    "gojq",
    "guile",
    "ionice",
    "java",
    "julia",
    "ksh",
    "less",
    "lldb",
    "ltrace",
    "lua",
    "luajit",
    "make",
    "man",
    "mawk",
    "mksh",
    "more",
    "nano",
    "nawk",
    "nice",
    "node",
    "nodejs",
    "nohup",
    "nsenter",
    "osascript",
    "parallel",
    "perl",
    "php",
    "powershell",
    "pwsh",
    "pypy",
    "python",
    "rbash",
    "ruby",
    "runuser",
    "script",
    "sed",
    "setarch",
    "setpriv",
    "setsid",
    "sh",
    "ssh",
    "stdbuf",
    "strace",
    "su",
    "sudo",
    "systemd-run",
    "taskset",
    "tclsh",
    "tcsh",
    "time",
    "timeout",
    "toybox",
    "tsx",
    "unshare",
    "vi",
    "vim",
    "watch",
    "wish",
    "xargs",
    "yash",
    "zsh",
];

/// What does nothing but hand on what it is given.
const PRINTS: &[&str] = &[
    "base32", "base64", "cat", "cp", "curl", "cut", "dd", "echo", "fold", "grep", "gzip", "hd", "head", "hexdump",
    "install", "mv", "nc", "ncat", "netcat", "nl", "od", "paste", "printenv", "printf", "rev", "rg", "rsync", "scp",
    "socat", "sort", "strings", "tac", "tail", "tar", "tee", "tr", "uniq", "wget", "xxd", "zip",
];

/// The risk of a program, by its file name without directories and by its first bytes.
pub fn risk(name: &str, head: &[u8]) -> Option<Risk> {
    let lower = name.to_ascii_lowercase();
    // python3.13, perl5.40.1, lua5.4, php8.3, node22: the version is no part of the name.
    let plain = lower.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    let is_in = |list: &[&str]| list.contains(&lower.as_str()) || list.contains(&plain);
    if is_in(RUNS) {
        Some(Risk::Interpreter)
    } else if !is_binary(head) {
        // Without `#!` too: the system hands such a file to a shell.
        Some(Risk::Script)
    } else if is_in(PRINTS) {
        Some(Risk::Prints)
    } else {
        None
    }
}

/// ELF, or Mach-O in one of its forms.
fn is_binary(head: &[u8]) -> bool {
    const MAGIC: [[u8; 4]; 4] =
        [*b"\x7fELF", [0xcf, 0xfa, 0xed, 0xfe], [0xce, 0xfa, 0xed, 0xfe], [0xca, 0xfe, 0xba, 0xbe]];
    MAGIC.iter().any(|magic| head.starts_with(magic))
}

impl Risk {
    /// The stable name of the warning, as recorded when an operator accepts it.
    pub fn name(self) -> &'static str {
        match self {
            Risk::Script => "secret.script",
            Risk::Interpreter => "secret.interpreter",
            Risk::Prints => "secret.prints",
        }
    }

    /// In one sentence.
    pub fn text(self, program: &Recipient) -> String {
        let path = &program.path;
        match self {
            Risk::Script => format!(
                "{path} is a script: its interpreter reads it again by name, so whoever can write it can have the secret"
            ),
            Risk::Interpreter => {
                format!(
                    "{path} runs whatever its arguments say, so the request's command alone decides who has the secret"
                )
            }
            Risk::Prints => format!("{path} hands on whatever it is given, so the agent can have the secret itself"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_interpreters_scripts_and_printers_are_known() {
        let elf = b"\x7fELF\x02";
        for name in
            ["sh", "bash", "dash", "zsh", "python3", "python3.13", "perl5.40.1", "node", "ruby", "env", "xargs", "Bash"]
        {
            assert_eq!(risk(name, elf), Some(Risk::Interpreter), "{name}");
        }
        // Whatever it is, by its name it is one; a script of that name too.
        assert_eq!(risk("python3", b"#!/bin/sh"), Some(Risk::Interpreter));
        for head in [&b"#!/bin/sh\n"[..], b"echo hi", b"", b"\x7fEL"] {
            assert_eq!(risk("deploy", head), Some(Risk::Script), "{head:?}");
        }
        for name in ["cat", "printenv", "curl", "base64"] {
            assert_eq!(risk(name, elf), Some(Risk::Prints), "{name}");
        }
        for name in ["psql", "stripe", "gh", "terraform", "pythonic", "shred", "2"] {
            assert_eq!(risk(name, elf), None, "{name}");
        }
    }

    #[test]
    fn every_name_is_listed() {
        for risk in [Risk::Script, Risk::Interpreter, Risk::Prints] {
            assert!(WARNINGS.contains(&risk.name()));
        }
    }
}
