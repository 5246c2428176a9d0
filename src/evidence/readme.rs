//! README.txt of a bundle: one page for somebody who has no aosctl. Lines that begin with four spaces are commands, and a
//! test runs each of them as it stands.

use super::export::{Payloads, Survey, Wanted, root_text};
use crate::log::envelope::PAYLOAD_TYPE;
use crate::log::sshsig::NAMESPACE;

/// What the page is about.
pub(super) struct About<'a> {
    pub origin: &'a str,
    pub survey: &'a Survey,
    pub wanted: &'a Wanted,
    pub payload_file: Option<&'static str>,
}

/// The page: 80 columns, nothing of now.
pub(super) fn page(a: &About<'_>) -> String {
    let s = a.survey;
    let mut page = String::from("A LOG OF AOSCTL, TO VERIFY WITHOUT AOSCTL\n\n");
    let mut fact = |name: &str, value: &str| page.push_str(&format!("{name:<10}{value}\n"));
    fact("log", a.origin);
    let until = a.wanted.until.map(|t| format!(", those before {t}")).unwrap_or_default();
    fact("entries", &format!("0 to {}{until}", s.end.saturating_sub(1)));
    if let Some((first, last)) = s.signed {
        fact("signed", &format!("{first} to {last}"));
    }
    fact("root", &root_text(&s.root));
    fact("payloads", &payloads(a));
    if let Payloads::Types(types) = &a.wanted.payloads {
        types.iter().for_each(|t| fact("", &format!("of type {t}")));
    }
    let erased = match (s.payloads.erased_members, s.payloads.erased) {
        (0, _) => "nothing".into(),
        (members, of) => format!("{} of {}", many(members, "member"), many(of, "payload")),
    };
    fact("erased", &erased);
    page.push_str(&files(a));
    page.push_str(&format!(
        "
The keys in here prove nothing by themselves: who forges a log forges its keys,
too. Get the log's verifier key from its operator in another way, and compare:

    test \"$(cat log.vkey)\" = \"$VKEY\" && echo the same key || echo ANOTHER KEY
    cut -d+ -f3- log.vkey | base64 -d | tail -c 32 | sha256sum
    openssl pkey -pubin -in log.pem -outform DER | tail -c 32 | sha256sum

The checkpoint (size and root), signed by that key. Compare its three lines with
one that you kept, or that a witness signed:

    ssh-keygen -Y verify -f allowed_signers -n {NAMESPACE} \\
      -I {origin} -s checkpoint.sig < checkpoint

Everything else in one go, in Python (verify.py: docs/verify of the project), or
with aosctl; both take the key from you, not from here:

    python3 \"$VERIFY_PY\" . --vkey \"$VKEY\"
    aosctl audit verify --bundle . --vkey \"$VKEY\"

One entry by hand. Its signature is DSSE, over \"DSSEv1 SP {length} SP type SP size SP\"
and the body that \"payload\" holds in base64. The body's \"key\" is the SHA-256 of
its signer's public key; the file with that key must be that of its \"actor\":

    N=0; T=$(mktemp -d); sed -n $((N+1))p entries.jsonl > $T/line
    cut -d'\"' -f4 $T/line | base64 -d > $T/body
    cut -d'\"' -f18 $T/line | base64 -d > $T/sig
    {{ printf 'DSSEv1 {length} {PAYLOAD_TYPE} %d ' \\
      $(wc -c < $T/body); cat $T/body; }} > $T/pae
    for K in log.pem identities/*; do
      H=$(openssl pkey -pubin -in $K -outform DER | tail -c 32 | sha256sum)
      grep -q \"\\\"key\\\":\\\"${{H%% *}}\\\"\" $T/body && echo $K && break; done
    openssl pkeyutl -verify -rawin -pubin -inkey $K -in $T/pae -sigfile $T/sig

The chain: SHA-256 of a zero byte and an entry's line, without its end, is the
\"prev\" of the next entry, and a leaf of the tree (RFC 6962) of that root:

    N=0; L=$(sed -n $((N+1))p entries.jsonl); printf '\\0%s' \"$L\" | sha256sum
    sed -n $((N+2))p entries.jsonl | cut -d'\"' -f4 | base64 -d; echo
",
        origin = a.origin,
        length = PAYLOAD_TYPE.len(),
    ));
    page.push_str(if a.payload_file.is_some() {
        "\nA payload line's members hash, each with its salt, to the entry's \"commit\".\n"
    } else {
        "\nWithout payloads nobody can check what the entries commit to, nor authority.\n"
    });
    page.push_str("The format: docs/log-format.md of the project.\n");
    page
}

fn payloads(a: &About<'_>) -> String {
    let s = a.survey;
    let since = a.wanted.since.map(|t| format!(", of entries signed from {t} on")).unwrap_or_default();
    match a.payload_file {
        None => format!("none of {}", s.payloads.there),
        Some("payloads.jsonl") => format!("all {}", s.payloads.out),
        _ => format!("{} of {}{since}", s.payloads.out, s.payloads.there),
    }
}

fn files(a: &About<'_>) -> String {
    let mut text = String::from(
        "
entries.jsonl    every entry from the first on, a line each: a signed envelope
",
    );
    if let Some(file) = a.payload_file {
        text.push_str(&format!("{file:<16} what entries commit to, a line each, by \"seq\"\n"));
    }
    text.push_str(
        "checkpoint       size and root, signed by the log; checkpoint.sig for ssh-keygen
log.vkey         the log's key; log.pem and allowed_signers are the same key
identities/      the other signers' keys; op-1.before-17.pem is one from before

Not in here: the operators' and agents' secret keys, what erased members said,
secrets (the log never holds any), and whatever was appended later.
",
    );
    text
}

fn many(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
