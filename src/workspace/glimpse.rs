//! A look at the projection for completions: read-only, without waiting, without verifying. What it shows is only offered
//! to somebody who types; whatever is then done with it is judged as usual.

use super::Place;
use crate::domain::facts::Facts;
use crate::domain::id::IdKind;
use crate::domain::time::Time;
use crate::store::{GrantFilter, RequestFilter, Store};

/// So many requests are looked at, newest first: more help nobody who types.
const REQUESTS: usize = 200;

/// A look at a workspace. Each answer is a list of (what to type, what it is); empty where anything is in the way.
pub struct Glimpse {
    store: Store,
    now: Time,
}

impl Glimpse {
    /// Looks at a workspace; `None` where there is none, or not one of this version.
    pub fn at(place: &Place, now: Time) -> Option<Glimpse> {
        Some(Glimpse { store: Store::glimpse(&place.database())?, now })
    }

    /// Agents that were not retired.
    pub fn agents(&self) -> Vec<(String, String)> {
        let all = self.store.identities(IdKind::Agent).unwrap_or_default();
        all.into_iter()
            .filter(|a| a.is_live())
            .map(|a| {
                let about = a.operator.map(|o| format!("{}, for {o}", a.id)).unwrap_or_default();
                (a.handle.unwrap_or_else(|| a.id.to_string()), about)
            })
            .collect()
    }

    /// Operators that were not retired.
    pub fn operators(&self) -> Vec<(String, String)> {
        let all = self.store.identities(IdKind::Operator).unwrap_or_default();
        all.into_iter().filter(|o| o.is_live()).map(|o| (o.id.to_string(), String::new())).collect()
    }

    /// Integrations.
    pub fn integrations(&self) -> Vec<(String, String)> {
        let all = self.store.integrations().unwrap_or_default();
        all.into_iter().map(|i| (i.handle, format!("{}, {}", i.id, i.kind))).collect()
    }

    /// Keys that were not retired.
    pub fn keys(&self) -> Vec<(String, String)> {
        let all = self.store.keys(false).unwrap_or_default();
        all.into_iter().map(|k| (k.id.to_string(), k.facts.name)).collect()
    }

    /// Live grants.
    pub fn grants(&self) -> Vec<(String, String)> {
        let names = |id| self.store.tables().identity(id).ok().flatten().and_then(|a| a.handle.clone());
        let tool = |id| self.store.tables().integration(id).ok().flatten().map(|i| i.handle.clone());
        let live = GrantFilter { live_at: Some(self.now), ..GrantFilter::default() };
        let all = self.store.grants(&live).unwrap_or_default();
        all.into_iter()
            .map(|g| {
                let (agent, tool) = (names(g.agent).unwrap_or_default(), tool(g.integration).unwrap_or_default());
                (g.id.to_string(), format!("{agent}: {tool} {} {}", g.access, g.scope))
            })
            .collect()
    }

    /// Requests that are not over, newest first.
    pub fn requests(&self) -> Vec<(String, String)> {
        let all = self.store.requests(RequestFilter::Newest(REQUESTS)).unwrap_or_default();
        all.into_iter()
            .filter(|r| r.denied_seq.is_none() && r.withdrawn_seq.is_none() && r.outcome.is_none())
            .filter(|r| r.claimed_seq.is_some() || self.now < r.until || r.counting(self.now).next().is_some())
            .map(|r| (r.id.to_string(), format!("{} on {}", r.action, r.resource)))
            .collect()
    }

    /// Kinds of the adopted catalogue.
    pub fn kinds(&self) -> Vec<(String, String)> {
        let policy = self.store.tables().policy().ok().flatten();
        policy.map(|p| p.rules.kinds.iter().map(|k| (k.kind.clone(), k.title.clone())).collect()).unwrap_or_default()
    }
}
