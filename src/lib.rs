//! aosctl: the operator's command-line tool for companies that run AI agents.
//!
//! The map of the rooms; dependencies point one way (`tests/rooms.rs` reads the `use` lines and keeps it so):
//!
//! | room | what it is | may enter |
//! |---|---|---|
//! | [`log`] | pure: canonical form, entry, signature, tree, checkpoint, verification of the format | nothing |
//! | [`domain`] | pure: words, decision, authority | log |
//! | [`sys`] | clock, environment, random bytes, files | nothing |
//! | [`identity`] | signing identities: create, seal, unlock, sign | log, sys |
//! | [`policy`] | policy.toml and the catalogue, to checked rules | domain, log |
//! | [`inventory`] | pure: files of other inventories to rows, and rows against what is known to a plan | domain, log |
//! | [`store`] | SQLite: schema, append, projection | domain, log, sys |
//! | [`workspace`] | where rooms meet: locate, transact, verify, pin | all above |
//! | [`secret`] | references to secrets and the sealed vault; fetched only at the moment of use | domain, log, identity, sys |
//! | [`review`] | the access review: rules, and the page as data | domain, log, store, workspace |
//! | [`evidence`] | what leaves for strangers: bundles, packs, receipts, and reading them back | domain, log, identity, store, sys, workspace, review |
//! | [`rotation`] | turning keys over: what is due, and what is done about a leaked key | domain, log, store, workspace, secret |
//! | [`cli`] | one file a command; the only room that prints or asks | all above |
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests beside the code make directories and files to test with")
)]

pub mod cli;
pub mod domain;
pub mod evidence;
pub mod identity;
pub mod inventory;
pub mod log;
pub mod policy;
pub mod review;
pub mod rotation;
pub mod secret;
pub mod store;
pub mod sys;
pub mod workspace;
