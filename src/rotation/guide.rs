//! What to do about a leaked key at its provider, step by step and kind by kind. Pure; nothing here is run by aosctl.
//!
//! Sources: the providers' own manuals, as of 2026-11, and what rotating them taught others (`iam update-access-key`,
//! GitHub's `POST /credentials/revoke`, Stripe's key rolling, PostgreSQL's `pg_terminate_backend`, Redis' ACL, OpenSSH).
//! No line has a secret in it: each program asks for it, or reads it from standard input. What is put into a line is only
//! what nobody's shell would read as more than a word; where something else was recorded, a word in capitals stands there.

use crate::domain::id::Id;
use crate::domain::key::LeakStep;

/// A line of a guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// To be read.
    Say(String),
    /// To be typed, by the operator.
    Type(String),
}

/// What kind of provider a key belongs to, as far as its steps differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// An IAM access key.
    Aws,
    /// A token of GitHub.
    GitHub,
    /// A secret or restricted key of Stripe.
    Stripe,
    /// A password of a PostgreSQL role.
    Postgres,
    /// A password of a Redis user.
    Redis,
    /// A key that `authorized_keys` names.
    Ssh,
    /// Anything else.
    Generic,
}

impl Family {
    /// By the kind of the credential, else by the kind of what it opens.
    pub fn of(kind: &str, integration: Option<&str>) -> Family {
        let by = |word: &str| match word {
            w if w.starts_with("aws") => Some(Family::Aws),
            w if w.starts_with("github") => Some(Family::GitHub),
            w if w.starts_with("stripe") => Some(Family::Stripe),
            w if w.starts_with("postgres") => Some(Family::Postgres),
            w if w.starts_with("redis") => Some(Family::Redis),
            w if w.starts_with("ssh") => Some(Family::Ssh),
            _ => None,
        };
        by(kind).or_else(|| integration.and_then(by)).unwrap_or(Family::Generic)
    }
}

/// That text where it is one plain word, else a word in capitals.
fn word<'a>(text: Option<&'a str>, instead: &'a str) -> &'a str {
    let plain = |t: &str| {
        (1..=128).contains(&t.len())
            && t.starts_with(|c: char| c.is_ascii_alphanumeric())
            && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:/@+-".contains(&b))
    };
    text.filter(|t| plain(t)).unwrap_or(instead)
}

fn say(text: impl Into<String>) -> Line {
    Line::Say(text.into())
}

fn enter(text: impl Into<String>) -> Line {
    Line::Type(text.into())
}

/// What to do in a step. `provider_id` is what the provider calls the leaked one.
pub fn lines(family: Family, step: LeakStep, key: Id, provider_id: Option<&str>) -> Vec<Line> {
    match step {
        LeakStep::Contain => vec![say("Every grant that carries it is revoked; run gives it to nobody.")],
        LeakStep::Revoke => revoke(family, provider_id),
        LeakStep::ProveDead => {
            let mut all = prove(family, provider_id);
            all.push(say("Only an answer that you saw counts. Without one say not_proven: it stays open."));
            all
        }
        LeakStep::Rotate => {
            let mut all = rotate(family, provider_id);
            all.push(enter(format!("aosctl rotation record {key} --secret-stdin")));
            all.push(say("Or, if nothing needs it any more, end it here too:"));
            all.push(enter(format!("aosctl key retire {key}")));
            all
        }
        LeakStep::Test => vec![
            say("Use the new one for what it is for, from where it is used, and see it work."),
            say("Doors that were closed stay closed until the leak is; then it says how to open them again."),
        ],
        LeakStep::Sweep => {
            let mut all = vec![
                say("Search where the old one may still be named; each PATH is a file or a directory:"),
                enter(format!("aosctl key leaked {key} --sweep PATH --sweep PATH")),
                say("With --secret-stdin it looks for the old secret itself, in the log too."),
            ];
            if family == Family::Aws {
                all.push(say("At most two access keys a user: an inactive one still takes a place. Delete it:"));
                let id = word(provider_id, "KEY_ID");
                all.push(enter(format!("aws iam delete-access-key --access-key-id {id} --user-name USER")));
            }
            all
        }
    }
}

fn revoke(family: Family, provider_id: Option<&str>) -> Vec<Line> {
    match family {
        Family::Aws => {
            let id = word(provider_id, "KEY_ID");
            vec![
                say("Whose it is, and when and where it was used last:"),
                enter(format!("aws iam get-access-key-last-used --access-key-id {id}")),
                enter(format!("aws iam update-access-key --access-key-id {id} --status Inactive --user-name USER")),
                say(
                    "Sessions that were made with it (GetSessionToken, AssumeRole) go on for hours. End them with a deny",
                ),
                say("policy on aws:TokenIssueTime: AWS calls that \"revoke active sessions\"."),
            ]
        }
        Family::GitHub => vec![
            say("Anybody may revoke a leaked token; paste it, then Enter and Ctrl-D:"),
            enter(
                "jq -Rn '{credentials: [inputs]}' | curl -sS -d @- -H 'Accept: application/vnd.github+json' \
                 https://api.github.com/credentials/revoke",
            ),
            say("A deploy key or an app's key is deleted in the settings of its repository or app."),
        ],
        Family::Stripe => vec![
            say(
                "Dashboard, Developers, API keys: \"Roll key\" with expiration \"now\"; a restricted key: \"Delete key\".",
            ),
            say("A rolled key with a later expiration goes on working until then."),
        ],
        Family::Postgres => {
            let role = word(provider_id, "ROLE");
            vec![
                say("In psql, as an owner. Changing a password ends no session, so all three:"),
                enter(format!("ALTER ROLE \"{role}\" NOLOGIN;")),
                enter(format!("ALTER ROLE \"{role}\" PASSWORD NULL;")),
                enter(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}';")),
            ]
        }
        Family::Redis => {
            let user = word(provider_id, "USER");
            vec![
                say("In redis-cli, as an administrator. Changing a password ends no connection, so both:"),
                enter(format!("ACL SETUSER {user} off resetpass")),
                enter(format!("CLIENT KILL USER {user}")),
                say("Then ACL SAVE, or it is back after a restart; and the same on every replica."),
            ]
        }
        Family::Ssh => vec![
            say("On every host that trusts it, take its line out of ~/.ssh/authorized_keys. Which line it is:"),
            enter("ssh-keygen -lf ~/.ssh/authorized_keys"),
            say("Sessions that are open go on. Who is in, and out with them:"),
            enter("who; loginctl terminate-user USER"),
            say("Look at authorized_keys again: whoever was in may have put in a key of their own."),
        ],
        Family::Generic => vec![
            say("Tell the provider to refuse it: in its console, the page about API keys, tokens or sessions."),
            say("Then end what is open: a session outlives the credential that opened it at many providers."),
        ],
    }
}

fn prove(family: Family, provider_id: Option<&str>) -> Vec<Line> {
    match family {
        Family::Aws => {
            let id = word(provider_id, "KEY_ID");
            vec![
                say("Try the old one; the secret is asked for and stands in no command line:"),
                enter(format!(
                    "(read -rsp 'old secret: ' s; AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY=$s aws sts get-caller-identity)"
                )),
                say(
                    "Dead: InvalidClientTokenId. An account number: alive. What list-access-keys says is only a label.",
                ),
            ]
        }
        Family::GitHub => vec![
            say("Try the old one; type  header = \"Authorization: Bearer TOKEN\"  then Enter and Ctrl-D:"),
            enter("curl -sS -o /dev/null -w '%{http_code}\\n' -K - https://api.github.com/user"),
            say("Dead: 401. 200 or 403: alive."),
        ],
        Family::Stripe => vec![
            say("Try the old one; type  user = \"KEY:\"  then Enter and Ctrl-D:"),
            enter("curl -sS -o /dev/null -w '%{http_code}\\n' -K - https://api.stripe.com/v1/balance"),
            say("Dead: 401. 200 or 403: alive."),
        ],
        Family::Postgres => {
            let role = word(provider_id, "ROLE");
            vec![
                say("Try the old password; psql asks for it:"),
                enter(format!("psql -W -h HOST -d DATABASE -U {role} -c 'SELECT 1'")),
                say("Dead: password authentication failed, or not permitted to log in. And no session is left:"),
                enter(format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}';")),
            ]
        }
        Family::Redis => {
            let user = word(provider_id, "USER");
            vec![
                say("Try the old password; redis-cli asks for it:"),
                enter(format!("redis-cli -h HOST --user {user} --askpass PING")),
                say("Dead: WRONGPASS. And no connection is left:"),
                enter("CLIENT LIST"),
            ]
        }
        Family::Ssh => vec![
            say("Try the old one against every host that trusted it:"),
            enter("ssh -o IdentitiesOnly=yes -o PreferredAuthentications=publickey -i OLD_KEY_FILE USER@HOST true"),
            say("Dead: Permission denied (publickey). Anything else is not."),
        ],
        Family::Generic => {
            vec![say("Use the old one once, in the way that costs least, and see the provider refuse it.")]
        }
    }
}

fn rotate(family: Family, provider_id: Option<&str>) -> Vec<Line> {
    match family {
        Family::Aws => {
            vec![say("Make another one (at most two a user):"), enter("aws iam create-access-key --user-name USER")]
        }
        Family::GitHub => vec![
            say("Make another one with the same repositories and permissions, or fewer, and an end:"),
            say("https://github.com/settings/personal-access-tokens/new"),
        ],
        Family::Stripe => vec![say("Rolling it made another one. A restricted key that can do less would do too.")],
        Family::Postgres => {
            let role = word(provider_id, "ROLE");
            vec![
                say(
                    "In psql. \\password computes the verifier itself; ALTER ROLE ... PASSWORD 'plain' may land in the log:",
                ),
                enter(format!("\\password {role}")),
                enter(format!("ALTER ROLE \"{role}\" LOGIN;")),
            ]
        }
        Family::Redis => {
            let user = word(provider_id, "USER");
            vec![
                say("In redis-cli. The SHA-256 of the new password, so that the password itself is not sent:"),
                enter(format!("ACL SETUSER {user} on #SHA256_OF_THE_NEW_PASSWORD")),
            ]
        }
        Family::Ssh => vec![
            enter("ssh-keygen -t ed25519 -f NEW_KEY_FILE"),
            say("Put its public half into authorized_keys with what it may do: restrict, command=, expiry-time=."),
        ],
        Family::Generic => vec![say("Make another one at the provider, with the same rights or fewer, and an end.")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::IdKind;

    const FAMILIES: [Family; 7] =
        [Family::Aws, Family::GitHub, Family::Stripe, Family::Postgres, Family::Redis, Family::Ssh, Family::Generic];

    #[test]
    fn the_family_follows_from_the_kind_and_else_from_what_it_opens() {
        for (kind, integration, family) in [
            ("aws-access-key", None, Family::Aws),
            ("token", Some("github"), Family::GitHub),
            ("password", Some("postgres"), Family::Postgres),
            ("redis-password", Some("postgres"), Family::Redis),
            ("ssh-key", Some("github"), Family::Ssh),
            ("token", Some("stripe"), Family::Stripe),
            ("token", None, Family::Generic),
        ] {
            assert_eq!(Family::of(kind, integration), family, "{kind} {integration:?}");
        }
    }

    #[test]
    fn every_step_of_every_family_has_something_to_read_and_every_line_stays_one() {
        let key = Id::new(IdKind::Key, 3);
        for family in FAMILIES {
            for step in LeakStep::ALL {
                let lines = lines(family, step, key, Some("AKIA1"));
                assert!(!lines.is_empty(), "{family:?} {step:?}");
                for line in lines {
                    let (Line::Say(text) | Line::Type(text)) = line;
                    assert!(!text.contains('\n') && !text.is_empty(), "{text}");
                }
            }
        }
        let postgres = format!("{:?}", lines(Family::Postgres, LeakStep::Revoke, key, Some("app")));
        assert!(postgres.contains("pg_terminate_backend") && postgres.contains("NOLOGIN"), "{postgres}");
    }

    #[test]
    fn what_a_provider_calls_it_is_never_more_than_a_word_of_the_shell() {
        let key = Id::new(IdKind::Key, 3);
        for evil in ["x; rm -rf ~", "$(reboot)", "`id`", "a'b", "a\"b", "-oProxyCommand=x", "a b", "é", "", "\u{202e}x"]
        {
            for family in FAMILIES {
                for step in LeakStep::ALL {
                    let with = lines(family, step, key, Some(evil));
                    assert_eq!(with, lines(family, step, key, None), "{evil:?}");
                }
            }
        }
    }
}
