//! The shape of `policy.toml`: texts and numbers as written, nothing checked but names and types.

use serde::Deserialize;

macro_rules! shape {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? })*) => {
        $($(#[$meta])* #[derive(Debug, Default, Deserialize)] #[serde(deny_unknown_fields, default)]
        pub(super) struct $name { $($(#[$field_meta])* pub(super) $field: $type,)* })*
    };
}

shape! {
    Shape {
        version: Option<i64>,
        cap: Cap,
        mailing: Mailing,
        boundary: Boundary,
        approvers: Approvers,
        action: Vec<Action>,
        requests: Requests,
        grants: Grants,
        rotation: Rotation,
        review: Review,
    }
    Cap {
        #[serde(rename = "move")] per_move: Option<String>,
        week: Option<String>,
    }
    Mailing { recipients: Option<i64> }
    Boundary { destinations: Option<Vec<String>> }
    Approvers {
        money: Option<i64>,
        public: Option<i64>,
        customer_data: Option<i64>,
        production: Option<i64>,
        audit: Option<i64>,
    }
    Action {
        integration: Option<String>,
        action: Option<String>,
        points: Vec<String>,
        tier: Option<String>,
        approvers: Option<i64>,
    }
    Requests { wait: Option<String>, use_within: Option<String> }
    Grants { expires: Option<String>, longest: Option<String> }
    Rotation { every: Option<String>, warn: Option<String> }
    Review { due_day: Option<i64>, owner: Option<String> }
}
