//! The merged settings: every value with where it came from.

use std::collections::BTreeMap;

use crate::problem::{Problem, Problems};
use crate::setting::{Baseline, Setting};
use crate::source::Source;
use crate::value::{canonical, items};

/// One value somebody set, or a default.
#[derive(Clone, Debug, PartialEq)]
pub struct Assigned {
    /// The row of the table.
    pub setting: &'static Setting,
    /// The value in canonical form: numbers in the key's own unit, lists without blanks.
    pub value: String,
    /// Where it came from.
    pub source: Source,
}

impl Assigned {
    /// Validates `raw` as a value of `setting`.
    ///
    /// # Errors
    /// [`Problem::Invalid`] with what would have fitted.
    pub fn new(setting: &'static Setting, raw: &str, source: Source) -> Result<Self, Problem> {
        match canonical(setting, raw) {
            Ok(value) => Ok(Self {
                setting,
                value,
                source,
            }),
            Err(expected) => Err(Problem::Invalid {
                at: source,
                key: setting.key.to_owned(),
                expected,
                got: shown(setting, raw).to_owned(),
            }),
        }
    }

    /// The value, or asterisks where it must not be shown.
    #[must_use]
    pub fn shown(&self) -> &str {
        shown(self.setting, &self.value)
    }
}

fn shown<'a>(setting: &Setting, value: &'a str) -> &'a str {
    if setting.is_sensitive() {
        "********"
    } else {
        value
    }
}

/// Every value in force, and under it the weaker ones that it hides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effective {
    baseline: Baseline,
    /// Invariant: each list is sorted, the strongest source last, with one value per source.
    assigned: BTreeMap<&'static str, Vec<Assigned>>,
}

impl Effective {
    /// Nothing set yet: all defaults of `baseline`.
    #[must_use]
    pub const fn new(baseline: Baseline) -> Self {
        Self {
            baseline,
            assigned: BTreeMap::new(),
        }
    }

    /// Whose defaults apply.
    #[must_use]
    pub const fn baseline(&self) -> Baseline {
        self.baseline
    }

    /// Adds one value; it replaces what an equal source set before and hides weaker sources.
    pub fn assign(&mut self, assigned: Assigned) {
        let list = self.assigned.entry(assigned.setting.key).or_default();
        list.retain(|other| other.source != assigned.source);
        let place = list.partition_point(|other| other.source < assigned.source);
        list.insert(place, assigned);
    }

    /// Forgets every value that came from `source`, for dynamic configuration that was removed.
    pub fn forget(&mut self, source: &Source) {
        for list in self.assigned.values_mut() {
            list.retain(|assigned| assigned.source != *source);
        }
    }

    /// The values of `setting`, strongest first, its default last; empty where it has none and
    /// nobody set it.
    #[must_use]
    pub fn all(&self, setting: &'static Setting) -> Vec<Assigned> {
        let default = setting.default_under(self.baseline).map(|value| Assigned {
            setting,
            value: value.to_owned(),
            source: Source::Default,
        });
        let set = self
            .assigned
            .get(setting.key)
            .into_iter()
            .flatten()
            .rev()
            .cloned();
        set.chain(default).collect()
    }

    /// The value in force of `key`; `None` where it has no default and nobody set it, or where
    /// it was set to nothing.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Assigned> {
        let setting = crate::table::find(key)?;
        self.all(setting)
            .into_iter()
            .next()
            .filter(|assigned| !assigned.value.is_empty())
    }

    /// Whether somebody set `key`, be it to its default.
    #[must_use]
    pub fn is_set(&self, key: &str) -> bool {
        self.assigned.get(key).is_some_and(|list| !list.is_empty())
    }

    /// Where the value in force of `key` comes from.
    #[must_use]
    pub fn source(&self, key: &str) -> Source {
        self.get(key)
            .map_or(Source::Default, |assigned| assigned.source)
    }
}

/// Reads typed values and collects what is wrong with them, so that one run tells everything.
pub(crate) struct Reader<'a> {
    effective: &'a Effective,
    problems: Vec<Problem>,
    #[cfg(test)]
    pub(crate) read: std::collections::BTreeSet<&'static str>,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(effective: &'a Effective) -> Self {
        Self {
            effective,
            problems: Vec::new(),
            #[cfg(test)]
            read: std::collections::BTreeSet::new(),
        }
    }

    pub(crate) const fn effective(&self) -> &'a Effective {
        self.effective
    }

    /// The value in force; `None` where there is none.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<String> {
        #[cfg(test)]
        self.read.insert(key);
        self.effective.get(key).map(|assigned| assigned.value)
    }

    /// The value in force as a number, or `fallback` where there is none; both must fit `T`.
    pub(crate) fn number_or<T: std::str::FromStr>(&mut self, key: &'static str, fallback: T) -> T {
        match self.text(key) {
            None => fallback,
            Some(text) => text.parse().unwrap_or_else(|_| {
                self.invalid(key, "a number in range");
                fallback
            }),
        }
    }

    /// The value in force as a number; its row has a default, and a range that fits `T`.
    pub(crate) fn number<T: std::str::FromStr + Default>(&mut self, key: &'static str) -> T {
        self.number_or(key, T::default())
    }

    /// The value in force as a number; `None` where there is none or it is negative ("no limit").
    pub(crate) fn limit<T: TryFrom<i64>>(&mut self, key: &'static str) -> Option<T> {
        T::try_from(self.number_or(key, -1_i64)).ok()
    }

    pub(crate) fn boolean(&mut self, key: &'static str) -> bool {
        self.text(key).is_some_and(|text| text == "true")
    }

    pub(crate) fn list(&mut self, key: &'static str) -> Vec<String> {
        self.text(key)
            .map(|text| items(&text).map(str::to_owned).collect())
            .unwrap_or_default()
    }

    /// Notes that the value in force of `key` does not do.
    pub(crate) fn invalid(&mut self, key: &'static str, expected: impl Into<String>) {
        let (at, got) = match self.effective.get(key) {
            Some(assigned) => {
                let got = assigned.shown().to_owned();
                (assigned.source, got)
            }
            None => (Source::Default, String::new()),
        };
        let key = key.to_owned();
        self.problems.push(Problem::Invalid {
            at,
            key,
            expected: expected.into(),
            got,
        });
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// `value`, unless something was wrong.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, Problems> {
        if self.problems.is_empty() {
            Ok(value)
        } else {
            Err(Problems(self.problems))
        }
    }
}
