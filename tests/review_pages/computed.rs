//! Companies whose pages the rules computed: the words on them are those that people will read.

use aosctl::domain::access::Access;
use aosctl::domain::facets::DataClass;
use aosctl::domain::id::{Id, IdKind};
use aosctl::domain::integration::Integration;
use aosctl::review::facts::{IntegrationState, Uses};
use aosctl::review::model::Review;

use super::scene::{OP, OP2, Scene, ago, id, usage};

const KINDS: &[&str] =
    &["github", "stripe", "postgres", "hubspot", "slack", "aws", "zendesk", "linear", "sentry", "notion"];

/// A company with so many grants, and a fault at about every sixth: one of each kind in turn.
pub fn computed(grants: u64) -> Review {
    let mut s = Scene::new();
    let agents = (grants / 4).clamp(1, 250);
    let places = (grants / 5).clamp(2, 40);
    for n in 2..=agents {
        s.person(Id::new(IdKind::Agent, n), Some(if n % 5 == 0 { OP2 } else { OP }), Some(ago(300)));
        s.certify(Id::new(IdKind::Agent, n));
    }
    for n in 3..=places {
        let kind = KINDS[usize::try_from(n - 1).unwrap() % KINDS.len()];
        let handle = if n <= 10 { kind.to_string() } else { format!("{kind}-{n}") };
        let (integration, added_seq) = (Id::new(IdKind::Integration, n), s.seq());
        let integration =
            Integration { id: integration, handle, kind: kind.into(), inside: n % 4 == 3, residency: None, added_seq };
        s.s.integrations.insert(integration.id, IntegrationState { integration, added_at: ago(390) });
        s.certify(Id::new(IdKind::Integration, n));
    }
    for n in 1..=grants {
        s.grant(n, |g| {
            g.grant.agent = Id::new(IdKind::Agent, n * 7 % agents + 1);
            g.grant.integration = Id::new(IdKind::Integration, n % places + 1);
            g.grant.data =
                [DataClass::Internal, DataClass::Customer, DataClass::Public][usize::try_from(n % 3).unwrap()];
            if n % 4 == 0 {
                g.grant.access = Access::Write;
                g.uses.write = Some(usage(u32::try_from(n % 20 + 1).unwrap()));
            }
            if n % 6 != 2 {
                return;
            }
            match n / 6 % 6 {
                0 => g.uses = Uses::default(),
                1 => (g.grant.access, g.grant.until, g.uses.write) = (Access::Write, None, Some(usage(2))),
                2 => g.uses = Uses { read: Some(usage(120)), ..Uses::default() },
                3 => g.grant.mission = None,
                4 => (g.grant.access, g.uses.write) = (Access::Write, None),
                _ => g.grant.scope = "*".parse().unwrap(),
            }
        });
    }
    for n in 1..=(grants / 3).max(1) {
        s.key(n, |k| {
            k.key.facts.integration = Some(Id::new(IdKind::Integration, n % places + 1));
            if n % 5 == 1 {
                k.key.facts.rotated = Some(ago(80 + u32::try_from(n).unwrap()));
            }
        });
    }
    if grants > 10 {
        s.decided(id("g-9"), aosctl::domain::review::Advice::Revoke, None, 20, true);
        s.s.frozen.insert(id("ag-2"));
    }
    let mut page = s.page();
    page.annex_sha256 = aosctl::review::annex_digest(&page);
    page
}
