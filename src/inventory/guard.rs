//! What must never get in: secrets that stand where none belong (law 7).

use crate::domain::identity::check_handle;

/// The longest name that is repeated: secrets are longer.
const MAX_NAME: usize = 24;

/// Names of columns whose cells are secrets, without case, spaces and punctuation; also as the end of a longer name, as in
/// `client_secret` or `Secret access key`.
const SECRET_ENDS: &[&str] = &[
    "secret",
    "secrets",
    "password",
    "passwd",
    "passphrase",
    "token",
    "value",
    "secretkey",
    "secretaccesskey",
    "privatekey",
    "apikey",
];

/// How secrets of well-known makers begin. Public ids of the same makers (`AKIA`) are no secrets.
///
/// Sources: the token formats that the makers document, as GitHub's and GitLab's prefixes, Slack's, Stripe's and OpenAI's
/// `sk`; PEM blocks of RFC 7468.
const SECRET_STARTS: &[&str] = &[
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xoxs-",
    "xapp-",
    "sk-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "rk_test_",
    "whsec_",
    "npm_",
    "pypi-AgE",
    "dop_v1_",
    "hf_",
    "AIza",
    "ya29.",
    "hvs.",
    "-----BEGIN",
];

/// Does a column of that name seem to hold secrets?
pub fn is_secret_column(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SECRET_ENDS.iter().any(|end| plain.ends_with(end))
}

/// Does a text look like a secret itself? Names and ids that happen to begin so are short or have a space.
pub fn looks_secret(text: &str) -> bool {
    let text = text.trim();
    let long = text.len() >= 16 && !text.contains(' ');
    SECRET_STARTS.iter().any(|start| text.starts_with(start) && (long || start.starts_with('-')))
}

/// May a cell that should have been a date be quoted in an error? Only where it is made of what dates are made of, so that
/// a secret in a column that slipped never shows.
pub fn quotable(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.chars().all(|c| c.is_ascii_digit() || "-/.: TZ+".contains(c))
}

/// May what stands in the column of integrations be repeated? A short name may; anything else may be a secret that slipped
/// into the wrong column.
pub fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME && check_handle(text).is_ok() && !looks_secret(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_hold_secrets() {
        for bad in
            ["secret", "Secret access key", "client_secret", "PASSWORD", "api token", "Value", "api_key", "privateKey"]
        {
            assert!(is_secret_column(bad), "{bad}");
        }
        for good in ["password_enabled", "token_id", "last_used", "reference", "access_key_1_active", "key", ""] {
            assert!(!is_secret_column(good), "{good}");
        }
    }

    #[test]
    fn texts_that_are_secrets() {
        for bad in
            ["ghp_0123456789abcdefghij0123456789abcdef", "sk-proj-0123456789abcdef", "-----BEGIN PRIVATE KEY-----"]
        {
            assert!(looks_secret(bad), "{bad}");
        }
        for good in ["AKIAIOSFODNN7EXAMPLE", "sk-bot", "hf_models", "the sk-0123456789abcdef one", "npm_ci"] {
            assert!(!looks_secret(good), "{good}");
        }
    }

    #[test]
    fn only_what_can_be_nothing_but_a_date_is_quoted() {
        assert!(quotable("03/04/2026") && quotable("1.2.2026") && quotable("45000"));
        for bad in ["", "hunter2", "Jan 3", "2026-01-01T00:00:00Z and more than that, far more"] {
            assert!(!quotable(bad), "{bad}");
        }
        assert!(is_name("aws-prod") && is_name("stripe"));
        for bad in ["", "Tr0ub4dor&3", "two words", "9f31c07b9f31c07b9f31c07b9f31c07b", "k-1"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
