//! The nearest name to a mistyped one.

/// The candidate nearest to `word`, or `None` where nothing is near: at most one edit for every
/// four characters may separate them, at least one and at most four.
pub(crate) fn nearest(
    word: &str,
    candidates: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    let allowed = (word.len() / 4).clamp(1, 4);
    candidates
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, candidate)| (*edits, *candidate))
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `from` into `to`
/// (Damerau's restricted distance). `-` and `_` count as `.`, and case does not count.
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().map(fold).collect();
    let to: Vec<char> = to.chars().map(fold).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let at = |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(i + j + 2);
            let replaced = at(&last, j) + usize::from(a != b);
            let mut cost = replaced.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let is_swap = i > 0 && j > 0 && from.get(i - 1) == Some(b) && to.get(j - 1) == Some(a);
            if is_swap {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(from.len())
}

fn fold(character: char) -> char {
    match character {
        '-' | '_' => '.',
        other => other.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, expected: Option<&'static str>) {
        let names = [
            "broker.id",
            "log.dirs",
            "log.dir",
            "num.partitions",
            "listeners",
        ];
        assert_eq!(nearest(word, names.into_iter()), expected, "{word}");
    }

    #[test]
    fn one_slip_is_recognised_and_a_different_word_is_not() {
        check("borker.id", Some("broker.id"));
        check("log.dirz", Some("log.dir"));
        check("log_dirs", Some("log.dirs"));
        check("num.partition", Some("num.partitions"));
        check("Listeners", Some("listeners"));
        check("zookeeper", None);
        check("", None);
    }
}
