//! Promised behaviours: each that works is named, as `S10`, in the doc comment of a test that
//! shows it.

use std::collections::BTreeSet;

use crate::tree;

/// The numbers of the behaviours that work so far.
const SHOWN: [u8; 13] = [1, 4, 6, 7, 8, 10, 15, 16, 18, 19, 20, 21, 24];

/// Numbers named in the doc comments of tests: `///` lines that a `#[test]` follows.
fn named(text: &str) -> BTreeSet<u8> {
    let mut pending = BTreeSet::new();
    let mut found = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///") {
            let words = comment.split(|letter: char| !letter.is_ascii_alphanumeric());
            let numbers = words.filter_map(|word| word.strip_prefix('S')?.parse::<u8>().ok());
            pending.extend(numbers);
        } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            found.append(&mut pending);
        } else if !line.starts_with("#[") {
            pending.clear();
        }
    }
    found
}

#[test]
fn every_behaviour_that_works_is_named_in_a_test() {
    let named: BTreeSet<u8> = tree::files("rs")
        .iter()
        .flat_map(|(_, text)| named(text))
        .collect();
    let missing: Vec<u8> = SHOWN
        .into_iter()
        .filter(|number| !named.contains(number))
        .collect();
    assert_eq!(
        missing,
        Vec::<u8>::new(),
        "no test is named after these behaviours"
    );
}

/// The control: only a test's own comment counts.
#[test]
fn a_number_elsewhere_does_not_count() {
    assert_eq!(
        named("/// S4, S10: so it is.\n#[test]\nfn a() {}\n"),
        BTreeSet::from([4, 10])
    );
    assert_eq!(
        named("/// S4.\nfn a() {}\n#[test]\nfn b() {}\n"),
        BTreeSet::new()
    );
    assert_eq!(named("// S4.\n#[test]\nfn b() {}\n"), BTreeSet::new());
}
