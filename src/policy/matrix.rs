//! What always needs a person, as one table.

use std::collections::BTreeMap;

use crate::domain::catalogue::Action;
use crate::domain::facets::{DataClass, HARMLESS_ENVIRONMENTS};
use crate::domain::point::{POINTS, Point};
use crate::domain::rules::Rules;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MatrixRow {
    /// The point; none for a rule that only changes what happens where something else asks.
    pub point: Option<Point>,
    /// What asks.
    pub what: String,
    /// When it does.
    pub when: String,
    /// How many operators must approve; for audit edits at least 2 where two operators live.
    pub approvers: u8,
    /// Where that comes from: `law 3`, `catalogue github`, `policy`.
    pub from: String,
}

/// The five points with their thresholds, then the actions of the catalogue by point and kind, then the policy's rules.
/// What a grant does not cover is not here: it is denied, and nobody is asked.
pub fn matrix(rules: &Rules) -> Vec<MatrixRow> {
    let mut rows = points(rules);
    rows.extend(catalogue(rules));
    rows.extend(policy(rules));
    rows
}

fn by_point(rules: &Rules, point: Point) -> u8 {
    rules.approvers.get(&point).copied().unwrap_or(1).max(1)
}

fn points(rules: &Rules) -> Vec<MatrixRow> {
    let row = |point, what: &str, when: String| MatrixRow {
        point: Some(point),
        what: what.into(),
        when,
        approvers: by_point(rules, point),
        from: "law 3".into(),
    };
    let destinations = if rules.boundary.destinations.is_empty() {
        "any destination".into()
    } else {
        format!("a destination other than {}", rules.boundary.destinations.join(", "))
    };
    vec![
        row(Point::Money, "money that moves", format!("over {} at once", rules.caps.per_move())),
        row(Point::Money, "money that moves", format!("over {} in 7 days, all agents together", rules.caps.per_week())),
        row(Point::Money, "money that moves", format!("not in {}, or nobody said how much", rules.caps.currency)),
        row(Point::Public, "a public claim", "always".into()),
        row(
            Point::Public,
            "a mailing",
            format!("to more than {} people, or to nobody knows how many", rules.recipients),
        ),
        row(
            Point::CustomerData,
            "customer or secret data",
            format!("written or sent to an integration outside the boundary, or to {destinations}"),
        ),
        row(Point::CustomerData, "data of no stated class", "sent to an integration outside the boundary".into()),
        row(
            Point::Production,
            "a change",
            format!("where the environment is not {}", HARMLESS_ENVIRONMENTS.join(", ")),
        ),
        row(Point::Production, "a change that nothing classifies", "always".into()),
        row(Point::Audit, "an edit of the audit trail", "always; 2 approvers where two operators live".into()),
    ]
}

fn catalogue(rules: &Rules) -> Vec<MatrixRow> {
    let mut rows = Vec::new();
    for point in POINTS {
        for kind in &rules.kinds {
            // By when it asks, in the order in which the catalogue first says so.
            let mut groups: BTreeMap<(usize, &str), Vec<&str>> = BTreeMap::new();
            for a in &kind.action {
                if let Some((order, when)) = asks(a, point) {
                    groups.entry((order, when)).or_default().push(&a.name);
                }
            }
            rows.extend(groups.into_iter().map(|((_, when), names)| MatrixRow {
                point: Some(point),
                what: names.join(", "),
                when: when.into(),
                approvers: by_point(rules, point),
                from: format!("catalogue {}", kind.kind),
            }));
        }
    }
    rows
}

/// When an action crosses a point by what the catalogue says of it, with the order of the answer.
fn asks(a: &Action, point: Point) -> Option<(usize, &'static str)> {
    if a.points.contains(&point) {
        return Some((0, "always"));
    }
    let delicate = a.data.is_some_and(|d| d >= DataClass::Customer);
    match point {
        Point::Money => a.amount.is_some().then_some((1, "over a cap")),
        Point::Public if a.public => Some((0, "always")),
        Point::Public => a.recipients.is_some().then_some((1, "over the recipient limit")),
        Point::CustomerData if delicate && (a.sends || a.access > crate::domain::access::Access::Read) => {
            Some((1, "where the integration is outside the boundary"))
        }
        Point::CustomerData => a.sends.then_some((2, "with customer or secret data")),
        Point::Production => a.environment.is_some().then_some((1, "in production")),
        Point::Audit => None,
    }
}

fn policy(rules: &Rules) -> Vec<MatrixRow> {
    let mut rows = Vec::new();
    for rule in &rules.actions {
        let what = format!("{} of {}", rule.action, rule.integration);
        let least = rule.approvers.unwrap_or(1);
        let row = |point: Option<Point>, when: &str| MatrixRow {
            point,
            what: what.clone(),
            when: rule.tier.map_or(when.into(), |t| format!("{when} (tier {t})")),
            approvers: point.map_or(1, |p| by_point(rules, p)).max(least),
            from: "policy".into(),
        };
        if rule.points.is_empty() {
            rows.push(row(None, "where it asks anyway"));
        }
        rows.extend(rule.points.iter().map(|p| row(Some(*p), "always")));
    }
    rows
}
