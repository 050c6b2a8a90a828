//! The name that was probably meant.

/// The name that is most like `wanted`, if any is like it at all: at most a third of its letters
/// may have to be added, dropped or changed, at least one may always.
pub(crate) fn nearest<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let changes_max = (wanted.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (changes(&wanted.to_lowercase(), &name.to_lowercase()), name))
        .min()
        .filter(|&(changes, _)| changes <= changes_max)
        .map(|(_, name)| name)
}

/// How many letters have to be added, dropped, changed or swapped with their neighbour to make one
/// text of the other (optimal string alignment).
fn changes(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
    let mut rows = [Vec::new(), (0..=right.len()).collect::<Vec<usize>>()];
    let mut before: Option<char> = None;
    for (line, letter) in left.chars().enumerate() {
        let [older, last] = &rows;
        let mut row = vec![line + 1];
        for (column, other) in right.iter().enumerate() {
            let changed = at(last, column) + usize::from(letter != *other);
            let mut best = changed
                .min(at(last, column + 1) + 1)
                .min(at(&row, column) + 1);
            let previous = column.checked_sub(1).and_then(|index| right.get(index));
            if previous == Some(&letter) && before == Some(*other) {
                best = best.min(at(older, column - 1) + 1);
            }
            row.push(best);
        }
        before = Some(letter);
        let [_, last] = rows;
        rows = [last, row];
    }
    let [_, last] = rows;
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &str, expected: Option<&str>) {
        let names = ["orders", "payments", "Audit", "x"];
        assert_eq!(nearest(wanted, names), expected, "{wanted}");
    }

    #[test]
    fn a_slip_of_the_finger_is_understood_and_another_word_is_not() {
        check("ordrs", Some("orders"));
        check("odrers", Some("orders"));
        check("ORDERS", Some("orders"));
        check("audits", Some("Audit"));
        check("payment", Some("payments"));
        check("invoices", None);
        check("y", Some("x"));
        check("abc", None);
        assert_eq!(nearest("orders", []), None);
    }

    #[test]
    fn changes_are_counted_alike_from_both_sides() {
        for (left, right, expected) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("kitten", "sitting", 3),
            ("", "ab", 2),
            ("ab", "ba", 1),
        ] {
            assert_eq!(changes(left, right), expected, "{left} {right}");
            assert_eq!(changes(right, left), expected, "{right} {left}");
        }
    }
}
