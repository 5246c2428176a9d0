//! `aosctl integration show`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::Context;
use crate::cli::commands::agent::reach::{Asks, Holder, reach};
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::cli::show;
use crate::cli::text::safe;
use crate::domain::access::Access;
use crate::domain::catalogue::Kind;
use crate::domain::facets::DataClass;
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::Identity;
use crate::domain::integration::Integration;
use crate::domain::point::Point;
use crate::domain::rules::Rules;
use crate::domain::scope::Scope;
use crate::domain::time::Time;

/// One tool: its scopes, permissions, actions and their approval points.
///
/// Everything is from the adopted catalogue, which is what decides.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An integration's name or id, or a kind of the catalogue that was not added yet
    #[arg(value_name = "NAME", add = complete::integrations())]
    name: String,
}

/// One integration, or one kind of the catalogue.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IntegrationView {
    /// Its id; absent for a kind that was not added.
    pub integration: Option<Id>,
    /// Its name; the kind's for a kind that was not added.
    pub name: String,
    /// The catalogue entry.
    pub kind: String,
    /// The product's name.
    pub title: Option<String>,
    /// Inside the company's boundary; absent for a kind that was not added.
    pub inside: Option<bool>,
    /// Where its data lives, as told.
    pub residency: Option<String>,
    /// What to do at the provider after a revoke here.
    pub close: Option<String>,
    /// Where the catalogue's facts were read.
    pub docs: Option<String>,
    /// Kinds of scope, narrowest first.
    pub scopes: Vec<ScopeLine>,
    /// The provider's own permissions.
    pub permissions: Vec<PermissionLine>,
    /// What can be done there. Anything else is a write that asks as a production change.
    pub actions: Vec<ActionLine>,
    /// The adopted catalogue does not know the kind any more: every action is a write that asks.
    pub kind_is_gone: bool,
}

/// A kind of scope.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ScopeLine {
    /// How it is written.
    pub form: String,
    /// It reaches the whole account.
    pub account_wide: bool,
    /// What it reaches.
    pub about: String,
}

/// A permission, as the provider names it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PermissionLine {
    /// The provider's spelling.
    pub name: String,
    /// The access that needs it.
    pub access: Access,
    /// It cannot be limited to a part of the account.
    pub account_wide: bool,
}

/// An action.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ActionLine {
    /// `noun.verb`
    pub name: String,
    /// The access that it takes.
    pub access: Access,
    /// The least data class that it reads or, for a write, carries.
    pub data: Option<DataClass>,
    /// Does it need a person?
    pub asks: Asks,
    /// The approval points that it may cross.
    pub points: BTreeSet<Point>,
}

impl View for IntegrationView {
    const SCHEMA: &'static str = "aosctl.integration/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut field = |name: &str, value: &str| out.push_str(&show::field(screen, name, value));
        let id = self.integration.map_or(" (not added)".into(), |id| format!(" ({id})"));
        field("integration", &format!("{}{id}", self.name));
        field("kind", &self.title.as_ref().map_or(self.kind.clone(), |t| format!("{} ({t})", self.kind)));
        if let Some(inside) = self.inside {
            field("boundary", if inside { "inside" } else { "outside" });
            field("data in", self.residency.as_deref().unwrap_or("not told"));
        }
        for (name, value) in [("to close", &self.close), ("read in", &self.docs)] {
            if let Some(value) = value {
                field(name, value);
            }
        }
        if self.kind_is_gone {
            out.push_str("\nThe adopted catalogue does not know this kind: every action is a write that asks.\n");
            return out;
        }
        let wide = |yes: bool| if yes { "account-wide" } else { "" }.to_string();
        out.push_str(&format!("\n{}\n", screen.style.bold("Scopes, narrowest first:")));
        let rows = self.scopes.iter().map(|s| vec![safe(&s.form), wide(s.account_wide), safe(&s.about)]).collect();
        out.push_str(&show::table(screen, &["scope", "", "reaches"], rows));
        if !self.permissions.is_empty() {
            out.push_str(&format!("\n{}\n", screen.style.bold("Permissions at the provider:")));
            let row = |p: &PermissionLine| vec![safe(&p.name), p.access.to_string(), wide(p.account_wide)];
            out.push_str(&show::table(screen, &["permission", "for", ""], self.permissions.iter().map(row).collect()));
        }
        out.push_str(&format!("\n{}\n", screen.style.bold("Actions:")));
        out.push_str(&show::table(
            screen,
            &["action", "access", "data", "asks a person"],
            self.actions.iter().map(action_row).collect(),
        ));
        out.push_str("Anything else there is a write, and asks as a production change.\n");
        out
    }
}

fn action_row(a: &ActionLine) -> Vec<String> {
    let points = a.points.iter().map(|p| p.title()).collect::<Vec<_>>().join(", ");
    let asks = match a.asks {
        Asks::Never => "no".to_string(),
        Asks::OverLimits => format!("for {points}"),
        Asks::Always => format!("always ({points})"),
    };
    vec![safe(&a.name), a.access.to_string(), a.data.map(|d| d.as_str().to_string()).unwrap_or_default(), asks]
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let policy = ws.facts().policy()?.ok_or_else(|| CliError::could_not("no_policy", "no policy was ever adopted"))?;
    let rules = &policy.rules;
    let found = ws.find_integration(&args.name)?;
    let (integration, kind) = match &found {
        Some(i) => (Some(i.as_ref()), rules.kind(&i.kind)),
        None => (None, rules.kind(&args.name)),
    };
    if integration.is_none() && kind.is_none() {
        return Err(CliError::no(
            "no_such_integration",
            format!("there is no integration or kind {}", safe(&args.name)),
        )
        .hint("see which there are: aosctl integration list")
        .hint(format!("kinds in the catalogue: {}", super::kinds(rules))));
    }
    let view = view(&args.name, integration, kind, rules, ws.now(ctx.clock())?);
    let add = integration.is_none().then(|| format!("Add it: aosctl integration add {}", safe(&args.name)));
    let out = Outcome::of(Exit::Done, view).paged();
    Ok(match add {
        Some(line) => out.note(line),
        None => out,
    })
}

fn view(
    typed: &str,
    integration: Option<&Integration>,
    kind: Option<&Kind>,
    rules: &Rules,
    now: Time,
) -> IntegrationView {
    let scopes = kind.map(|k| k.scope.as_slice()).unwrap_or_default();
    let permissions = kind.map(|k| k.permission.as_slice()).unwrap_or_default();
    IntegrationView {
        integration: integration.map(|i| i.id),
        name: integration.map_or(typed, |i| &i.handle).to_string(),
        kind: integration.map(|i| i.kind.clone()).or(kind.map(|k| k.kind.clone())).unwrap_or_default(),
        title: kind.map(|k| k.title.clone()),
        inside: integration.map(|i| i.inside),
        residency: integration.and_then(|i| i.residency.clone()),
        close: kind.map(|k| k.close.clone()),
        docs: kind.map(|k| k.docs.clone()),
        scopes: scopes
            .iter()
            .map(|s| ScopeLine { form: s.form.clone(), account_wide: s.account_wide, about: s.about.clone() })
            .collect(),
        permissions: permissions
            .iter()
            .map(|p| PermissionLine { name: p.name.clone(), access: p.access, account_wide: p.account_wide })
            .collect(),
        actions: actions(integration, kind, rules, now),
        kind_is_gone: kind.is_none(),
    }
}

/// The actions as the decision itself sees them, for a grant that holds nothing back.
fn actions(integration: Option<&Integration>, kind: Option<&Kind>, rules: &Rules, now: Time) -> Vec<ActionLine> {
    let Some(kind) = kind else { return Vec::new() };
    let id = |kind| Id::new(kind, 1);
    let agent = Identity {
        id: id(IdKind::Agent),
        public_key: [0; 32],
        key_seq: 0,
        operator: Some(Id::FIRST_OPERATOR),
        handle: None,
        enrolled_seq: 0,
        enrolled_at: now,
        retired_seq: None,
        retired_at: None,
        disputed_from: None,
    };
    let stranger = Integration {
        id: id(IdKind::Integration),
        handle: String::new(),
        kind: kind.kind.clone(),
        inside: false,
        residency: None,
        added_seq: 0,
    };
    let integration = integration.unwrap_or(&stranger);
    let grant = Grant {
        id: id(IdKind::Grant),
        agent: agent.id,
        integration: integration.id,
        scope: Scope::everything(),
        access: Access::Admin,
        data: DataClass::Secret,
        owner: Id::FIRST_OPERATOR,
        mission: None,
        until: None,
        issued_seq: 0,
        issued_at: now,
        replaces: None,
        carries: None,
        changed_seq: 0,
        revoked_seq: None,
        revoked_at: None,
        revoked_by: None,
    };
    let reached = reach(&Holder { rules, agent: &agent, integration, grant: &grant }, now);
    kind.action
        .iter()
        .filter_map(|a| {
            let r = reached.iter().find(|r| r.action == a.name)?;
            Some(ActionLine {
                name: a.name.clone(),
                access: r.access,
                data: a.data,
                asks: r.asks,
                points: r.points.clone(),
            })
        })
        .collect()
}
