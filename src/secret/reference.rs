use super::SecretError;
use crate::domain::key::check_text;
use std::fmt;
use std::path::PathBuf;

/// Where a secret lives, as people write it. Checked when it is read, so that nothing in it can become a flag, a second
/// argument or a line of its own of the program that fetches it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// `op://vault/item[/section]/field`: 1Password.
    Op(String),
    /// `vault:path#field`: HashiCorp Vault or OpenBao, the key-value store.
    Vault {
        /// With its mount: `secret/stripe`.
        path: String,
        /// Which field of it.
        field: String,
    },
    /// `aws-sm:name-or-arn[#stage]`: AWS Secrets Manager.
    AwsSm {
        /// Name or ARN.
        id: String,
        /// `AWSCURRENT`, where none is named.
        stage: String,
    },
    /// `env:NAME`. Recorded, and never read (law 7).
    Env(String),
    /// `file:PATH`, absolute: a file of this user that nobody else can read.
    File(PathBuf),
    /// `pass:path`: the password store; the first line.
    Pass(String),
    /// `keyring:service/user`: the desktop's keyring.
    Keyring {
        /// The attribute `service`.
        service: String,
        /// The attribute `username`.
        user: String,
    },
}

/// The forms, for messages.
const FORMS: &str = "op://vault/item/field, vault:path#field, aws-sm:name, file:/path, pass:path, keyring:service/user";
const CURRENT: &str = "AWSCURRENT";

impl Reference {
    /// Reads a reference.
    ///
    /// # Errors
    /// [`SecretError::BadReference`], which says what is wrong. It does not quote the text: somebody may have typed the
    /// secret itself.
    pub fn parse(text: &str) -> Result<Reference, SecretError> {
        let bad = |what: String| SecretError::BadReference(what);
        check_text("it", text).map_err(bad)?;
        if text.starts_with("op://") {
            return op(text).map_err(bad);
        }
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(bad(format!("it has the form of none of these: {FORMS}")));
        };
        match scheme {
            "vault" => vault(rest),
            "aws-sm" => aws(rest),
            "env" => name(rest).map(|()| Reference::Env(rest.into())),
            "file" => file(rest),
            "pass" => pass(rest),
            "keyring" => keyring(rest),
            "exec" => {
                Err("aosctl starts no command of your own to fetch a secret; let it write a file of mode 0600, and \
                           name that: file:/path"
                    .into())
            }
            _ => Err(format!("it has the form of none of these: {FORMS}")),
        }
        .map_err(bad)
    }

    /// Can it be fetched at all? `env:` cannot.
    ///
    /// # Errors
    /// [`SecretError::NeverFromEnvironment`].
    pub fn check_fetchable(&self) -> Result<(), SecretError> {
        match self {
            Reference::Env(name) => Err(SecretError::NeverFromEnvironment(name.clone())),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Op(text) => f.write_str(text),
            Reference::Vault { path, field } => write!(f, "vault:{path}#{field}"),
            Reference::AwsSm { id, stage } if stage == CURRENT => write!(f, "aws-sm:{id}"),
            Reference::AwsSm { id, stage } => write!(f, "aws-sm:{id}#{stage}"),
            Reference::Env(name) => write!(f, "env:{name}"),
            Reference::File(path) => write!(f, "file:{}", path.display()),
            Reference::Pass(path) => write!(f, "pass:{path}"),
            Reference::Keyring { service, user } => write!(f, "keyring:{service}/{user}"),
        }
    }
}

/// One argument of a program: of these characters, and no flag.
fn argument(what: &str, text: &str, also: &str) -> Result<(), String> {
    if text.is_empty() || text.starts_with('-') || text.trim() != text {
        return Err(format!("{what} is empty, or begins with a dash or a space, or ends with a space"));
    }
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || also.contains(*c))) {
        Some(c) => Err(format!("{what} has the character U+{:04X}, which does not belong there", u32::from(c))),
        None => Ok(()),
    }
}

/// A path with no empty part, and none that leads out of it.
fn parts(what: &str, path: &str) -> Result<(), String> {
    match path.split('/').find(|part| ["", ".", ".."].contains(part)) {
        Some(_) => Err(format!("{what} has an empty part, or one of dots")),
        None => Ok(()),
    }
}

/// 1Password, "Secret reference syntax": letters, digits, `-`, `_`, `.` and spaces; what has others in its name goes by its
/// id. A query names an attribute: `?attribute=otp`.
fn op(text: &str) -> Result<Reference, String> {
    let inner = text.strip_prefix("op://").unwrap_or(text);
    let (path, query) = inner.split_once('?').map_or((inner, None), |(p, q)| (p, Some(q)));
    argument("it", path, "-_./ ")?;
    parts("it", path)?;
    if !(3..=4).contains(&path.split('/').count()) {
        return Err("a reference of 1Password is op://vault/item/field or op://vault/item/section/field".into());
    }
    query.map_or(Ok(()), |q| argument("what follows the ?", q, "-_="))?;
    Ok(Reference::Op(text.into()))
}

fn vault(rest: &str) -> Result<Reference, String> {
    let (path, field) = rest.rsplit_once('#').ok_or("a reference of Vault is vault:path#field")?;
    argument("the path", path, "-_./@+=~")?;
    parts("the path", path)?;
    argument("the field", field, "-_.")?;
    Ok(Reference::Vault { path: path.into(), field: field.into() })
}

fn aws(rest: &str) -> Result<Reference, String> {
    let (id, stage) = rest.rsplit_once('#').unwrap_or((rest, CURRENT));
    argument("the name", id, "/_+=.@:-")?;
    // The AWS CLI reads a file, or asks a server, where an argument begins with file:// or https://.
    if id.contains("://") {
        return Err("the name has :// in it, which the AWS CLI takes for a file or a server".into());
    }
    argument("the stage", stage, "/_+=.@-")?;
    Ok(Reference::AwsSm { id: id.into(), stage: stage.into() })
}

fn name(text: &str) -> Result<(), String> {
    let ok = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if ok { Ok(()) } else { Err("that is not the name of a variable".into()) }
}

fn file(rest: &str) -> Result<Reference, String> {
    let path = rest.strip_prefix('/').ok_or("the path of a file is absolute: file:/run/secrets/token")?;
    parts("the path", path)?;
    Ok(Reference::File(PathBuf::from(rest)))
}

fn pass(rest: &str) -> Result<Reference, String> {
    argument("the path", rest, "-_./@+=~ ")?;
    parts("the path", rest)?;
    Ok(Reference::Pass(rest.into()))
}

fn keyring(rest: &str) -> Result<Reference, String> {
    let (service, user) = rest.rsplit_once('/').ok_or("a reference of the keyring is keyring:service/user")?;
    argument("the service", service, "-_./:@+=~ ")?;
    argument("the user", user, "-_.@+=~ ")?;
    Ok(Reference::Keyring { service: service.into(), user: user.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_people_write_is_read_and_written_again() {
        for text in [
            "op://Private/Stripe/credential",
            "op://Ops Team/Stripe live/api keys/secret key",
            "op://Private/GitHub/one-time password?attribute=otp",
            "vault:secret/data/stripe#live_key",
            "vault:kv/ada@acme#token",
            "aws-sm:prod/stripe/key",
            "aws-sm:arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/stripe-AbCdEf#AWSPREVIOUS",
            "env:GITHUB_TOKEN",
            "file:/run/secrets/token",
            "file:/home/ada/.config/my app/token",
            "pass:acme/stripe live",
            "keyring:github.com/ada",
            "keyring:https://api.example.com/ada@acme",
        ] {
            assert_eq!(Reference::parse(text).unwrap().to_string(), text);
        }
        let aws = Reference::parse("aws-sm:x#AWSCURRENT").unwrap();
        assert_eq!(aws.to_string(), "aws-sm:x");
        assert!(matches!(
            Reference::parse("env:A").unwrap().check_fetchable(),
            Err(SecretError::NeverFromEnvironment(name)) if name == "A"
        ));
    }

    #[test]
    fn what_is_hostile_or_none_is_refused_and_not_quoted() {
        for bad in [
            "",
            " op://a/b/c",
            "sk_live_0123456789",
            "https://example.com/x",
            "exec:cat /etc/passwd",
            "op://a/b",
            "op://a/b/c/d/e",
            "op:///b/c",
            "op://a/../c",
            "op://-a/b/c",
            "op://a/b/c\n",
            "op://a/b/c;rm",
            "op://a/b/c?x=y&z",
            "op://a/b/$(id)",
            "op://a/b/c\u{202e}",
            "vault:secret/x",
            "vault:-address=http://evil#x",
            "vault:secret/x#-y",
            "vault:secret/x#a b",
            "vault:#x",
            "vault:../x#y",
            "aws-sm:",
            "aws-sm:-x",
            "aws-sm:file:///etc/passwd",
            "aws-sm:https://evil",
            "aws-sm:x#",
            "aws-sm:x#--query",
            "env:",
            "env:A=B",
            "env:1A",
            "file:token",
            "file:",
            "file:/",
            "file:/run/../etc/shadow",
            "file:/run//x",
            "file:/run/x\0",
            "pass:-x",
            "pass:/etc/x",
            "pass:a/../../b",
            "keyring:github",
            "keyring:/x",
            "keyring:-s/x",
            "keyring:s/--all",
            "keyring:s/a\u{0}b",
        ] {
            let error = Reference::parse(bad).expect_err(bad);
            assert!(matches!(error, SecretError::BadReference(_)));
            assert!(bad.len() < 8 || !error.to_string().contains(bad), "{error}");
        }
        Reference::parse(&format!("pass:{}", "x".repeat(600))).unwrap_err();
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_read_is_one_clean_line(
            scheme in "(op://|vault:|aws-sm:|env:|file:/|pass:|keyring:|)",
            rest in "\\PC{0,40}|[a-z/#?:. -]{0,40}",
        ) {
            if let Ok(reference) = Reference::parse(&format!("{scheme}{rest}")) {
                let text = reference.to_string();
                prop_assert!(!text.chars().any(char::is_control));
                prop_assert_eq!(Reference::parse(&text).unwrap(), reference);
            }
        }
    }
}
