use super::{MAX_SECRET, Reference, Secret, SecretError};
use crate::sys::tool::{self, End, Tool};
use crate::sys::{env, files};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// So long a program may take that fetches a secret.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where programs are looked for when `PATH` is not set.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What every such program gets of the environment.
const BASE: &[&str] =
    &["HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "TMPDIR", "USER", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"];

/// A program that fetches secrets.
struct Fetcher {
    program: &'static str,
    /// What it gets of the environment beyond [`BASE`].
    also: &'static [&'static str],
    /// And every variable that begins so.
    beginning: &'static str,
    ending: Ending,
}

/// What a program does to the end of what it prints.
#[derive(Clone, Copy)]
enum Ending {
    /// It adds one line end, whatever it prints.
    Added,
    /// It prints what was stored; one line may have been stored with its line end.
    Stored,
    /// The secret is the first line, by that program's own convention.
    FirstLine,
}

const OP: Fetcher = Fetcher {
    program: "op",
    also: &["OP_ACCOUNT", "OP_CONFIG_DIR", "OP_CONNECT_HOST", "OP_CONNECT_TOKEN", "OP_SERVICE_ACCOUNT_TOKEN"],
    beginning: "OP_SESSION",
    ending: Ending::Added,
};
const VAULT: Fetcher = Fetcher {
    program: "vault",
    also: &[
        "VAULT_ADDR",
        "VAULT_AGENT_ADDR",
        "VAULT_CACERT",
        "VAULT_CAPATH",
        "VAULT_CLIENT_CERT",
        "VAULT_CLIENT_KEY",
        "VAULT_NAMESPACE",
        "VAULT_TLS_SERVER_NAME",
        "VAULT_TOKEN",
    ],
    beginning: "",
    ending: Ending::Stored,
};
const AWS: Fetcher = Fetcher {
    program: "aws",
    also: &[
        "AWS_ACCESS_KEY_ID",
        "AWS_CA_BUNDLE",
        "AWS_CONFIG_FILE",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_ROLE_ARN",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ],
    beginning: "",
    ending: Ending::Added,
};
const PASS: Fetcher = Fetcher {
    program: "pass",
    also: &["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "GNUPGHOME", "GPG_TTY", "PASSWORD_STORE_DIR", "WAYLAND_DISPLAY"],
    beginning: "",
    ending: Ending::FirstLine,
};
const KEYRING: Fetcher = Fetcher {
    program: "secret-tool",
    also: &["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"],
    beginning: "",
    ending: Ending::Stored,
};

/// How secrets are fetched: with which environment, and how long it may take.
#[derive(Debug, Clone)]
pub struct How {
    environment: BTreeMap<String, OsString>,
    patience: Duration,
}

impl How {
    /// With the variables of this process that the program may have, and 30 seconds.
    pub fn usual() -> How {
        let all = [&OP, &VAULT, &AWS, &PASS, &KEYRING];
        let named = all.iter().flat_map(|f| f.also.iter()).chain(BASE).copied();
        let mut environment = env::for_child(named);
        for f in all.into_iter().filter(|f| !f.beginning.is_empty()) {
            let names = env::names_beginning(f.beginning);
            environment.extend(env::for_child(names.iter().map(String::as_str)));
        }
        How { environment, patience: PATIENCE }
    }

    /// With other variables, and another patience: for tests.
    pub fn with(environment: BTreeMap<String, OsString>, patience: Duration) -> How {
        How { environment, patience }
    }

    fn of(&self, fetcher: &Fetcher) -> BTreeMap<String, OsString> {
        let may = |name: &str| {
            BASE.contains(&name)
                || fetcher.also.contains(&name)
                || (!fetcher.beginning.is_empty() && name.starts_with(fetcher.beginning))
        };
        self.environment.iter().filter(|(name, _)| may(name)).map(|(n, v)| (n.clone(), v.clone())).collect()
    }
}

/// Fetches a secret from where it lives, now: call it at the moment of use, and keep what it gives no longer than that.
///
/// A program is found in the absolute directories of `PATH`, and started without a shell, with nothing on standard input,
/// in an empty environment plus a list of its own. What it says on standard error is thrown away, because it may hold the
/// secret.
///
/// # Errors
/// [`SecretError::NeverFromEnvironment`]; [`SecretError::NoProgram`], [`SecretError::Resolver`], [`SecretError::Nothing`]
/// of programs; of files, what [`files::read_private_kept`] gives: others must not be able to read it.
pub fn resolve(reference: &Reference, how: &How) -> Result<Secret, SecretError> {
    match reference {
        Reference::Env(name) => Err(SecretError::NeverFromEnvironment(name.clone())),
        Reference::File(path) => from_file(path),
        Reference::Op(text) => ask(&OP, how, &["read", text]),
        Reference::Vault { path, field } => ask(&VAULT, how, &["kv", "get", &format!("-field={field}"), path]),
        Reference::AwsSm { id, stage } => {
            let query = ["--query", "SecretString", "--output", "text"];
            let what = ["secretsmanager", "get-secret-value", "--secret-id", id, "--version-stage", stage];
            ask(&AWS, how, &[&what[..], &query].concat())
        }
        Reference::Pass(path) => ask(&PASS, how, &["show", path]),
        Reference::Keyring { service, user } => ask(&KEYRING, how, &["lookup", "service", service, "username", user]),
    }
}

fn from_file(path: &Path) -> Result<Secret, SecretError> {
    // A line end may follow the longest secret.
    Secret::from_text(files::read_private_kept(path, MAX_SECRET + 2)?)
}

fn ask(fetcher: &Fetcher, how: &How, args: &[&str]) -> Result<Secret, SecretError> {
    let program = fetcher.program;
    let environment = how.of(fetcher);
    let path = environment.get("PATH").cloned().unwrap_or_else(|| DEFAULT_PATH.into());
    let found = tool::find(program, &path).ok_or(SecretError::NoProgram(program))?;
    let answer = Tool::new(found, environment).ask(args, MAX_SECRET + 2, how.patience)?;
    let failed = |how: String| Err(SecretError::Resolver { program, how, stderr_bytes: answer.stderr_bytes });
    match answer.end {
        End::Status(0) => {}
        End::Status(n) => return failed(format!("ended with exit status {n}")),
        End::Signal(n) => return failed(format!("was killed by signal {n}")),
        End::TimedOut => return failed(format!("took longer than {} seconds", how.patience.as_secs())),
        End::TooMuch => return failed(format!("printed more than {MAX_SECRET} bytes")),
    }
    let secret = match fetcher.ending {
        Ending::Added => Secret::without_end(answer.stdout),
        Ending::Stored => Secret::from_text(answer.stdout),
        Ending::FirstLine => Secret::first_line(answer.stdout),
    };
    secret.map_err(|e| if matches!(e, SecretError::Empty) { SecretError::Nothing(program) } else { e })
}

#[cfg(test)]
mod tests;
