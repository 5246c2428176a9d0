//! `index.html` of a pack: one file without scripts, to be read and printed.

use super::state;
use crate::cli::commands::review::render::{apart, escape, html_begin, minute};
use crate::cli::show;
use crate::cli::text::safe;
use crate::evidence::export::{Export, root_text};
use crate::evidence::pack::{Line, Mark, Pack, ReviewState, Table, source};
use crate::log::verdict::Status;

/// Lines of a table that the page shows; the samples have all.
const MOST: usize = 500;

/// The page.
pub(super) fn page(pack: &Pack, export: &Export<'_>) -> String {
    let company = pack.company.as_deref().map(safe);
    let title = company.as_deref().map_or_else(String::new, |c| format!(", {c}"));
    let days = format!("{} to {}", show::day(pack.period.since), show::day(before(pack)));
    let mut p = html_begin(&format!("Evidence {days}{title}"));
    p.push_str(&format!("<main>\n<header>\n<h1><span>Evidence</span> {days}</h1>\n<p>"));
    if let Some(company) = &company {
        p.push_str(&format!("<span class=\"company\">{}</span><br>", apart(company)));
    }
    p.push_str(&format!("to before {}</p>\n</header>\n", minute(pack.period.until)));
    log(&mut p, pack, export);
    verdicts(&mut p, pack);
    reviews(&mut p, pack);
    for table in &pack.tables {
        lines(&mut p, table, export.survey().may_be_signed());
    }
    population(&mut p, pack);
    limits(&mut p);
    p.push_str("</main>\n</body>\n</html>\n");
    p
}

/// The last day of the period.
fn before(pack: &Pack) -> crate::domain::time::Time {
    crate::domain::time::Time::from_millis(pack.period.until.millis() - 1)
}

fn begin(p: &mut String, id: &str, title: &str, aside: &str) {
    let aside = if aside.is_empty() { String::new() } else { format!(" <small>{}</small>", escape(aside)) };
    p.push_str(&format!("<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">"));
    p.push_str(&format!("{}{aside}</h2>\n", escape(title)));
}

fn log(p: &mut String, pack: &Pack, export: &Export<'_>) {
    let s = export.survey();
    begin(p, "log", "What this rests on", "");
    let mut facts: Vec<(&str, String)> = vec![
        ("log", format!("<code>{}</code>", escape(&export.vkey().name))),
        ("entries", format!("0 to {}; those signed in the period begin with {}", s.end.saturating_sub(1), pack.first)),
        ("began", format!("{}; nothing is known of the time before", minute(pack.began))),
        ("root", format!("<code>{}</code>", escape(&root_text(&s.root)))),
        ("log's key", format!("<code>{}</code>", show::fingerprint(&export.vkey().key.key_id().to_hex()))),
    ];
    facts.push(match (export.checkpoint(), s.may_be_signed()) {
        (Some(sha), true) => ("checkpoint", format!("of exactly these entries, SHA-256 <code>{}</code>", escape(sha))),
        _ => {
            ("checkpoint", "<span class=\"bad\">none for these entries: the end of the log is not sound</span>".into())
        }
    });
    let erased = format!("{} members of {} payloads", s.payloads.erased_members, s.payloads.erased);
    facts.push(("payloads", format!("all {}, of which erased: {erased}", s.payloads.out)));
    p.push_str("<dl>\n");
    for (name, value) in facts {
        p.push_str(&format!("<dt>{name}</dt><dd>{value}</dd>\n"));
    }
    p.push_str("</dl>\n</section>\n");
}

fn verdicts(p: &mut String, pack: &Pack) {
    begin(p, "verified", "What aosctl verified when this was made", "the whole workspace, later entries too");
    p.push_str("<table>\n<thead><tr><th scope=\"col\">Check</th><th scope=\"col\">Verdict</th>");
    p.push_str("<th scope=\"col\">First bad entry</th></tr></thead>\n<tbody>\n");
    for v in &pack.verdicts {
        let class = match v.status {
            Status::Ok => "good",
            Status::Failed => "bad",
            Status::NotChecked | Status::Reported => "quiet",
        };
        let seq = v.first_bad_seq.map(|n| n.to_string()).unwrap_or_default();
        let name = v.check.name().replace('_', " ");
        p.push_str(&format!(
            "<tr><th scope=\"row\">{name}</th><td><span class=\"{class}\">{}</span></td>",
            v.status.words()
        ));
        p.push_str(&format!("<td>{seq}</td></tr>\n"));
    }
    p.push_str("</tbody>\n</table>\n");
    for (seq, why) in &pack.unreadable {
        p.push_str(&format!(
            "<p class=\"bad\">Entry {seq} does not verify, and no line rests on it: {}</p>\n",
            apart(&safe(why))
        ));
    }
    p.push_str("<p class=\"quiet\">Nobody has to believe this: the bundle verifies without aosctl.</p>\n</section>\n");
}

fn reviews(p: &mut String, pack: &Pack) {
    begin(p, "reviews", "Access reviews", "of each month of the period, as they stood at its end");
    p.push_str("<table>\n<thead><tr><th scope=\"col\">Month</th><th scope=\"col\">Last day</th>");
    p.push_str("<th scope=\"col\">How it stood</th><th scope=\"col\">Signed</th><th scope=\"col\">Decisions</th>");
    p.push_str("<th scope=\"col\">Entries</th></tr></thead>\n<tbody>\n");
    for r in &pack.reviews {
        let (class, words) = match r.state {
            ReviewState::Nothing => ("quiet", "nothing to review: the log began later".to_string()),
            ReviewState::NotOver => ("quiet", "the month was not over".into()),
            ReviewState::NotDue => ("quiet", "not signed, and not due yet".into()),
            ReviewState::Missing(days) => ("bad", format!("MISSING, {days} days late at the end of the period")),
            ReviewState::InTime => ("good", "signed in time".into()),
            ReviewState::Late(days) => ("warn", format!("signed {days} days late")),
        };
        let signed = r.signed.as_ref().map(|(_, at, by)| format!("{} {}", minute(*at), apart(&safe(by))));
        let entries: Vec<String> =
            r.signed.iter().map(|(seq, ..)| *seq).chain(r.last_decision).map(|n| n.to_string()).collect();
        let open = if r.open > 0 { format!(", {} with something left to do", r.open) } else { String::new() };
        let last = crate::domain::time::Time::from_millis(r.due.millis() - 1);
        p.push_str(&format!(
            "<tr id=\"review-{0}\"><th scope=\"row\">{0}</th><td>{1}</td><td data-state=\"{2}\"><span class=\"{class}\">{words}</span></td>\
             <td>{3}</td><td>{4}{open}</td><td>{5}</td></tr>\n",
            r.month,
            show::day(last),
            state(r.state).0,
            signed.unwrap_or_default(),
            r.decided,
            entries.join(", "),
        ));
    }
    p.push_str("</tbody>\n</table>\n<p class=\"quiet\">The last day is the policy's at the end of the period; days are counted in UTC.</p>\n</section>\n");
}

fn lines(p: &mut String, table: &Table, receipts: bool) {
    let n = table.lines.len();
    let aside = match n {
        0 => "none in the period".to_string(),
        1 => "1 line".into(),
        n => format!("{n} lines"),
    };
    begin(p, table.id, table.title, &aside);
    if n > 0 {
        p.push_str("<div class=\"wide\">\n<table>\n<thead><tr><th scope=\"col\">Entry</th>");
        p.push_str("<th scope=\"col\">Signed</th><th scope=\"col\">By</th>");
        for column in table.columns {
            p.push_str(&format!("<th scope=\"col\">{}</th>", escape(column)));
        }
        p.push_str("</tr></thead>\n<tbody>\n");
        for line in table.lines.iter().take(MOST) {
            row(p, line, receipts && table.sample);
        }
        p.push_str("</tbody>\n</table>\n</div>\n");
    }
    if n > MOST {
        let file = format!("samples/{}.csv", table.id);
        p.push_str(&format!(
            "<p class=\"quiet\">The first {MOST} of {n}; all are in <a href=\"{file}\">{file}</a>.</p>\n"
        ));
    }
    p.push_str("</section>\n");
}

fn row(p: &mut String, line: &Line, receipt: bool) {
    let class = match line.mark {
        Mark::None => "",
        Mark::Note => " class=\"warn\"",
        Mark::Bad => " class=\"bad\"",
    };
    let entry = match receipt {
        true => format!("<a href=\"receipts/{0}.tlog-proof\">{0}</a>", line.seq),
        false => line.seq.to_string(),
    };
    let at = line.at.map(minute).unwrap_or_else(|| "unreadable".into());
    p.push_str(&format!("<tr><th scope=\"row\">{entry}</th><td>{at}</td><td>{}</td>", apart(&safe(&line.by))));
    for (n, cell) in line.cells.iter().enumerate() {
        let said = apart(&safe(cell));
        match n {
            0 => p.push_str(&format!("<td><span{class}>{said}</span></td>")),
            _ => p.push_str(&format!("<td>{said}</td>")),
        }
    }
    p.push_str("</tr>\n");
}

fn population(p: &mut String, pack: &Pack) {
    begin(p, "population", "Population at the end of the period", "");
    match &pack.population {
        Err(why) => p.push_str(&format!("<p class=\"bad\">Not counted: {}</p>\n", apart(&safe(why)))),
        Ok(n) => {
            p.push_str("<dl>\n");
            let counts = [
                ("open grants", n.grants),
                ("of those with write or admin", n.writing),
                ("of those with admin", n.admin),
                ("expired, not revoked", n.expired),
                ("live agents", n.agents),
                ("of those frozen", n.frozen),
                ("live operators", n.operators),
                ("keys not retired", n.keys),
                ("of those switched off", n.inactive_keys),
                ("integrations", n.integrations),
                ("of those outside the boundary", n.third_parties),
                ("without a live owner, or agents without a grant", n.orphans),
            ];
            for (name, count) in counts {
                p.push_str(&format!("<dt>{name}</dt><dd>{count}</dd>\n"));
            }
            p.push_str("</dl>\n<h3>Where these come from</h3>\n<ul>\n");
            for s in &n.sources {
                p.push_str(&format!("<li>{}</li>\n", apart(&safe(&source(s)))));
            }
            p.push_str("</ul>\n");
        }
    }
    p.push_str("</section>\n");
}

fn limits(p: &mut String) {
    begin(p, "limits", "What this does not cover", "");
    p.push_str("<ul>\n");
    for text in [
        "What agents did without asking aosctl. The log holds what was asked, decided and told, and nothing of what went past it.",
        "Whether an outcome is true: what an agent or a program reported is a claim, and so is that a key was turned over.",
        "What happened before the log began, and after the end of the period: a review that was signed later counts as missing here.",
        "Texts that were erased, which the lines leave empty. Names and reasons are whatever their authors wrote.",
        "Requests that rules allowed or denied by themselves: they are in the bundle, and have no line here.",
        "That nothing was removed at the end of the log before this pack was made: that shows only against a checkpoint kept \
         elsewhere, or one that a witness signed.",
    ] {
        p.push_str(&format!("<li>{text}</li>\n"));
    }
    p.push_str("</ul>\n</section>\n");
}
