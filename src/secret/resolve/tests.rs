use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

/// A directory of fake programs: each says what it was asked and prints what the test wants.
struct Bin(tempfile::TempDir);

impl Bin {
    fn new() -> Bin {
        Bin(tempfile::tempdir().unwrap())
    }

    fn add(&self, name: &str, script: &str) -> &Bin {
        let path = self.0.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        self
    }

    fn how(&self) -> How {
        let mut environment: BTreeMap<String, OsString> =
            [("PATH".to_string(), format!("{}:/usr/bin:/bin", self.0.path().display()).into())].into();
        for name in
            ["HOME", "OP_SESSION_abc", "VAULT_TOKEN", "AWS_PROFILE", "PASSWORD_STORE_DIR", "LD_PRELOAD", "CANARY"]
        {
            environment.insert(name.into(), format!("value-of-{name}").into());
        }
        How::with(environment, Duration::from_secs(20))
    }

    fn resolve(&self, reference: &str) -> Result<String, SecretError> {
        let secret = resolve(&Reference::parse(reference).unwrap(), &self.how())?;
        Ok(String::from_utf8(secret.expose().to_vec()).unwrap())
    }
}

/// Prints its arguments, one in brackets after the other.
const SAY: &str = "for a in \"$@\"; do printf '[%s]' \"$a\"; done";

#[test]
fn each_program_is_asked_in_its_own_words() {
    let bin = Bin::new();
    for (reference, program, asked) in [
        ("op://Ops Team/Stripe/credential", "op", "[read][op://Ops Team/Stripe/credential]"),
        ("vault:secret/stripe#live", "vault", "[kv][get][-field=live][secret/stripe]"),
        (
            "aws-sm:prod/stripe",
            "aws",
            "[secretsmanager][get-secret-value][--secret-id][prod/stripe][--version-stage][AWSCURRENT][--query]\
             [SecretString][--output][text]",
        ),
        (
            "aws-sm:x#AWSPENDING",
            "aws",
            "[secretsmanager][get-secret-value][--secret-id][x][--version-stage][AWSPENDING][--query][SecretString]\
             [--output][text]",
        ),
        ("pass:acme/stripe live", "pass", "[show][acme/stripe live]"),
        ("keyring:github.com/ada", "secret-tool", "[lookup][service][github.com][username][ada]"),
    ] {
        assert!(matches!(bin.resolve(reference), Err(SecretError::NoProgram(p)) if p == program), "{reference}");
        assert_eq!(bin.add(program, SAY).resolve(reference).unwrap(), asked);
        std::fs::remove_file(bin.0.path().join(program)).unwrap();
    }
}

#[test]
fn each_program_gets_its_own_variables_only() {
    let bin = Bin::new();
    let names = "env | sed 's/=.*//' | grep -v -e '^PWD$' -e '^OLDPWD$' -e '^SHLVL$' -e '^_$' | sort | tr '\\n' ' '";
    for (reference, program, seen) in [
        ("op://a/b/c", "op", "HOME OP_SESSION_abc PATH "),
        ("vault:a#b", "vault", "HOME PATH VAULT_TOKEN "),
        ("aws-sm:a", "aws", "AWS_PROFILE HOME PATH "),
        ("pass:a", "pass", "HOME PASSWORD_STORE_DIR PATH "),
        ("keyring:a/b", "secret-tool", "HOME PATH "),
    ] {
        assert_eq!(bin.add(program, names).resolve(reference).unwrap(), seen, "{program}");
    }
}

#[test]
fn the_end_is_the_one_that_was_stored() {
    let bin = Bin::new();
    bin.add("op", "printf 'a\\nb\\n\\n'").add("pass", "printf 'pw\\nuser: ada\\n'").add("vault", "printf 'tok\\n'");
    bin.add("secret-tool", "printf 'a\\nb\\n'").add("aws", "printf 'tok\\n'");
    assert_eq!(bin.resolve("op://a/b/c").unwrap(), "a\nb\n");
    assert_eq!(bin.resolve("pass:a").unwrap(), "pw");
    assert_eq!(bin.resolve("vault:a#b").unwrap(), "tok");
    assert_eq!(bin.resolve("keyring:a/b").unwrap(), "a\nb\n");
    assert_eq!(bin.resolve("aws-sm:a").unwrap(), "tok");
}

#[test]
fn failures_are_told_without_what_the_program_said() {
    let bin = Bin::new();
    for (script, told) in [
        ("echo CANARY; echo CANARY >&2; exit 7", "op ended with exit status 7, and said 7 bytes that are not shown"),
        ("kill -9 $$", "op was killed by signal 9"),
        ("head -c 70000 /dev/zero", "op printed more than 65536 bytes"),
        ("exit 0", "op gave an empty secret"),
        ("echo", "op gave an empty secret"),
        ("head -c 65538 /dev/zero", "the secret is longer than 65536 bytes"),
    ] {
        let error = bin.add("op", script).resolve("op://a/b/c").unwrap_err();
        assert!(error.to_string().starts_with(told), "{script}: {error}");
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{error:?}");
    }
    bin.add("op", "sleep 100");
    let how = How::with(bin.how().environment, Duration::from_secs(1));
    let error = resolve(&Reference::parse("op://a/b/c").unwrap(), &how).unwrap_err();
    assert!(error.to_string().starts_with("op took longer than 1 seconds"), "{error}");
}

#[test]
fn a_file_is_read_if_it_is_this_users_alone() {
    let bin = Bin::new();
    let path = bin.0.path().canonicalize().unwrap().join("token");
    let reference = format!("file:{}", path.display());
    assert!(bin.resolve(&reference).unwrap_err().to_string().contains("No such file"));
    std::fs::write(&path, "tok\n").unwrap();
    for bad in [0o644, 0o640, 0o604, 0o660] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(bad)).unwrap();
        let error = bin.resolve(&reference).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(bin.resolve(&reference).unwrap(), "tok");
    let link = bin.0.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(bin.resolve(&format!("file:{}", link.display())).unwrap(), "tok");
    std::fs::write(&path, vec![b'x'; MAX_SECRET + 3]).unwrap();
    assert!(bin.resolve(&reference).is_err());
    assert!(bin.resolve(&format!("file:{}", bin.0.path().display())).is_err());
}

#[test]
fn the_environment_is_never_read() {
    let error = resolve(&Reference::parse("env:PATH").unwrap(), &How::usual()).unwrap_err();
    assert!(error.to_string().contains("is never read"), "{error}");
}
