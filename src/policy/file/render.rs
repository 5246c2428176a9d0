//! A policy as a text of ours, with the reason beside each value. [`super::parse`] reads back what was rendered.

use std::fmt::Write;

use crate::domain::money::Money;
use crate::domain::point::POINTS;
use crate::domain::rules::ActionRule;

use super::{PolicyFile, VERSION};

/// Writes a policy.
pub fn render(file: &PolicyFile) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(file, &mut out);
    out
}

fn write(file: &PolicyFile, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "# The policy of this workspace. It decides nothing until an operator adopts it: aosctl policy adopt policy.toml\n\
         # Every member is explained in docs/policy.md. No line here can switch an approval point off.\n\
         version = {VERSION}\n"
    )?;
    writeln!(
        out,
        "# Money that agents may move without a question, all together. One currency; any other asks.\n\
         [cap]\nmove = {}  # at once\nweek = {}  # in any 7 days\n",
        quoted(&amount(file.caps.per_move())),
        quoted(&amount(file.caps.per_week()))
    )?;
    writeln!(out, "# A mailing to more than so many people asks.\n[mailing]\nrecipients = {}\n", file.recipients)?;
    let destinations: Vec<String> = file.boundary.destinations.iter().map(|d| quoted(d)).collect();
    writeln!(
        out,
        "# Where customer data may go, besides integrations added with --inside: exact names, or *. and a domain.\n\
         [boundary]\ndestinations = [{}]\n",
        destinations.join(", ")
    )?;
    writeln!(
        out,
        "# How many operators must approve, by point: 1 to 9, and 1 where nothing is said. An audit edit needs 2 where two\n\
         # operators live, whatever stands here.\n[approvers]"
    )?;
    for point in POINTS {
        match file.approvers.get(&point) {
            Some(n) => writeln!(out, "{point} = {n}")?,
            None => writeln!(out, "# {point} = 1")?,
        }
    }
    writeln!(
        out,
        "\n# How long a question waits for an answer, and how long what was allowed may be begun.\n\
         [requests]\nwait = \"{}\"\nuse_within = \"{}\"\n",
        file.requests.wait, file.requests.use_within
    )?;
    let longest = file.grants.longest.map_or("never".to_owned(), |s| s.to_string());
    writeln!(
        out,
        "# The end of a grant that names none, and the longest that may be granted (\"never\": without an end).\n\
         [grants]\nexpires = \"{}\"\nlongest = \"{longest}\"\n",
        file.grants.expires
    )?;
    writeln!(
        out,
        "# How often keys are turned over where a key says nothing else, and how long before it is said.\n\
         [rotation]\nevery = \"{}\"\nwarn = \"{}\"\n",
        file.rotation.every, file.rotation.warn
    )?;
    let owner = file.review.owner.map_or("# owner = \"op-1\"".to_owned(), |id| format!("owner = \"{id}\""));
    writeln!(
        out,
        "# The day of the month by which last month is reviewed, and by whom (any operator where nobody is named).\n\
         [review]\ndue_day = {}\n{owner}\n",
        file.review.due_day
    )?;
    writeln!(
        out,
        "# Rules about actions add points, raise the tier or ask for more approvers; they take nothing away. For example:\n\
         # [[action]]\n# integration = \"github\"     # a name, a kind, or \"*\"\n# action = \"deployment.*\"   # a name, a prefix, or \"*\"\n\
         # points = [\"production\"]\n# tier = \"critical\"\n# approvers = 2"
    )?;
    file.actions.iter().try_for_each(|rule| action(rule, out))
}

fn action(rule: &ActionRule, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n[[action]]\nintegration = {}\naction = {}", quoted(&rule.integration), quoted(&rule.action))?;
    if !rule.points.is_empty() {
        let points: Vec<String> = rule.points.iter().map(|p| quoted(p.as_str())).collect();
        writeln!(out, "points = [{}]", points.join(", "))?;
    }
    if let Some(tier) = rule.tier {
        writeln!(out, "tier = \"{tier}\"")?;
    }
    if let Some(n) = rule.approvers {
        writeln!(out, "approvers = {n}")?;
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// As it is typed: `1000USD`, `12.50USD`.
pub(super) fn amount(money: Money) -> String {
    let digits = money.currency.digits();
    let unit = 10u64.pow(digits);
    let (whole, rest) = (money.minor / unit, money.minor % unit);
    if rest == 0 {
        format!("{whole}{}", money.currency)
    } else {
        format!("{whole}.{rest:0>width$}{}", money.currency, width = digits as usize)
    }
}
