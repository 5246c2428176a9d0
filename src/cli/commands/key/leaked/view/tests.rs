use super::*;
use crate::cli::style::Style;
use crate::domain::id::IdKind;

#[test]
fn what_is_to_be_typed_stands_there_as_it_is_typed() {
    let key = Id::new(IdKind::Key, 3);
    let page = |family, step| {
        let guide = lines(family, step, key, Some("app"))
            .into_iter()
            .map(|l| match l {
                Line::Say(text) => GuideLine { text, typed: false },
                Line::Type(text) => GuideLine { text, typed: true },
            })
            .collect();
        let next = NextView { step, guide, command: String::new() };
        next_lines(&Screen { width: 80, style: Style::plain() }, &next)
    };
    assert!(page(Family::GitHub, LeakStep::ProveDead).contains("-w '%{http_code}\\n' -K"));
    let said = page(Family::Postgres, LeakStep::Rotate);
    assert!(said.contains("\n    \\password app\n") && said.contains("In psql. \\password computes"), "{said}");
}
