//! Money: whatever the order in which a crowd asks, no cap is exceeded.

use aosctl::domain::access::Access;
use aosctl::domain::facets::DataClass;

use crate::lab::{Lab, REFUND, parse};
use crate::support::code;
use crate::{alone, assert_calm, assert_whole, crowd, log, soak};

/// Caps in cents.
const MOVE: u64 = 10_000;
const WEEK: u64 = 250_000;

#[test]
fn a_thousand_requests_never_get_more_than_the_caps() {
    let _alone = alone();
    let lab = Lab::with_caps("100USD", "2500USD");
    lab.bench.add_agent("other-bot");
    lab.grant("other-bot", "payments", "account:acct_1", Access::Write, DataClass::Customer, None);
    let count = 1000 * soak();
    // From 1 to 130 dollars: some are over the cap of one move.
    let cents = |n: usize| (u64::try_from(n).unwrap() * 37 % 130 + 1) * 100;
    let out = crowd(count, 64, |n| {
        let agent = if n % 2 == 0 { "build-bot" } else { "other-bot" };
        let parameters = format!(r#"{{"amount":{},"currency":"usd"}}"#, cents(n));
        lab.bench.agent(agent, &[&["--json", "request", "new"], REFUND, &["--parameters", &parameters]].concat())
    });
    let (mut spent, mut asked, mut ids) = (0, 0, std::collections::BTreeSet::new());
    for (n, out) in out.iter().enumerate() {
        assert_calm(out);
        let v = parse(out);
        assert!(ids.insert(v["id"].as_str().unwrap().to_string()), "{} was given out twice", v["id"]);
        match code(out) {
            0 => {
                assert!(cents(n) <= MOVE, "{} cents were allowed", cents(n));
                spent += cents(n);
            }
            5 => asked += 1,
            other => panic!("exit {other}: {v:#}"),
        }
    }
    assert!(spent <= WEEK, "{spent} cents were handed out");
    // The smallest is a dollar, and many of them asked: the cap was used up to the last dollar.
    assert!(spent > WEEK - 100 && asked > count / 2, "{spent} cents, {asked} asked");
    // The log says the same, by itself.
    let made: Vec<_> = log(&lab).into_iter().filter(|e| e["type"] == "request.made/1").collect();
    assert_eq!(made.len(), count);
    let logged: u64 = made
        .iter()
        .filter(|e| e["payload"]["decision"] == "allow")
        .map(|e| e["payload"]["facets"]["amount"]["minor"].as_u64().unwrap())
        .sum();
    assert_eq!(logged, spent);
    assert!(made.iter().all(|e| ids.contains(e["subject"].as_str().unwrap())), "an entry that nobody was told of");
    assert_whole(&lab);
}
