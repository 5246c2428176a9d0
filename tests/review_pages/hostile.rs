//! A company in which every foreign word attacks: the terminal, the spreadsheet, the browser, the Markdown reader.

use aosctl::review::model::*;

use super::company::{Stage, company};

/// What every foreign text contains.
pub const ATTACK: &str = "\u{1b}[31mred\u{1b}[0m\u{7}\u{202e}evil\u{2066}\u{200b}\u{feff}<script>alert(1)</script><img src=x onerror=alert(1)>\
</td></tr></table><a href='javascript:alert(1)'>a</a>[link](https://evil.example/a) ![i](https://evil.example/i.png) \
| cell | `code` ``two`` **bold** _it_ ~~gone~~ $math$ <!-- \n# heading\n- list\r\n1. one\t\\&amp; &lt; \"q\" 'p' @everyone \
a@evil.example https://evil.example www.evil.example =cmd|'/c calc'!A0 \u{0}\u{85}\u{2028}\u{e0041}";

/// How a formula begins.
const FORMULAS: [&str; 10] = ["=1+1 ", "+1 ", "-1 ", "@SUM(1) ", "\t=1 ", "\r=1 ", "＝1 ", "    code ", "1. ", "- "];

struct Attacker(usize);

impl Attacker {
    fn text(&mut self) -> String {
        self.0 += 1;
        format!("{}{ATTACK}", FORMULAS[self.0 % FORMULAS.len()])
    }

    fn who(&mut self, who: &mut Who) {
        who.name = Some(self.text());
    }

    fn item(&mut self, i: &mut Item) {
        i.name = Some(self.text());
        for who in [&mut i.agent, &mut i.integration, &mut i.owner].into_iter().flatten() {
            self.who(who);
        }
        i.scope = Some(self.text());
        i.mission = Some(self.text());
        i.marks = vec![self.text()];
        match &mut i.last_use {
            LastUse::Used { by, .. } | LastUse::Never { by, .. } => *by = self.text(),
            LastUse::Unknown { why } => *why = self.text(),
            LastUse::None => {}
        }
        for f in &mut i.findings {
            f.fact = self.text();
            f.command = Some(self.text());
        }
        i.command = Some(self.text());
        if let Some(d) = &mut i.decided {
            self.who(&mut d.by);
            d.note = Some(self.text());
        }
    }
}

/// The company; every text in it that is not ours is an attack.
pub fn hostile(grants: usize) -> Review {
    let mut r = company(grants, Stage::Signed);
    let a = &mut Attacker(0);
    r.company = Some(a.text());
    r.tool = a.text();
    r.log.origin = a.text();
    r.log.leaf = a.text();
    for s in &mut r.population.sources {
        s.name = a.text();
        s.query = a.text();
        s.failed = s.failed.as_ref().map(|_| a.text());
    }
    r.duty.owner.iter_mut().for_each(|w| a.who(w));
    for list in [&mut r.since.enrolled, &mut r.since.retired, &mut r.since.leaked] {
        list.iter_mut().for_each(|w| a.who(w));
    }
    r.first.iter_mut().chain(&mut r.rest).for_each(|i| a.item(i));
    for c in &mut r.customer_data {
        a.who(&mut c.integration);
        c.residency = Some(a.text());
        c.reached_by.iter_mut().for_each(|x| a.who(&mut x.agent));
    }
    for k in &mut r.keys_due {
        a.who(&mut k.key);
        k.state = a.text();
        k.fact = a.text();
        k.command = a.text();
    }
    for n in &mut r.not_seen {
        n.what = a.text();
        n.why = a.text();
    }
    // Nothing in the margin: the attack begins the line.
    r.not_seen.push(NotSeen { what: String::new(), why: format!("- # {ATTACK}"), items: Vec::new() });
    let s = r.signature.as_mut().unwrap();
    a.who(&mut s.by);
    s.compensating = Some(a.text());
    s.rubber_stamp = Some(a.text());
    s.page = a.text();
    r.annex_sha256 = a.text();
    r
}
