//! One session: its partitions in the order in which they are read.

use std::collections::BTreeMap;

use barnabas_wire::id::TopicPartition;

/// A partition of a session.
pub type SessionKey = TopicPartition;

/// What a reader wants of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// First offset.
    pub fetch_offset: i64,
    /// Most bytes.
    pub max_bytes: i32,
    /// The leader epoch that the reader knows, or -1.
    pub current_leader_epoch: i32,
    /// Leader epoch of its last record, or -1.
    pub last_fetched_epoch: i32,
}

/// What an answer says of a partition, as far as it decides whether there are news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct News {
    /// The high watermark.
    pub high_watermark: i64,
    /// The log start.
    pub log_start_offset: i64,
    /// Whether there are records.
    pub has_records: bool,
    /// Whether there is an error, or another log that the reader must be told of.
    pub is_urgent: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    key: SessionKey,
    wanted: Wanted,
    /// What the reader was told last; -1 for nothing.
    high_watermark: i64,
    log_start_offset: i64,
}

/// What one reader reads.
#[derive(Debug)]
pub struct Session {
    epoch: i32,
    last_used_ms: i64,
    /// By place in the order of reading; one that gave records goes to the end, so that none is
    /// starved by those before it.
    entries: BTreeMap<u64, Entry>,
    places: BTreeMap<SessionKey, u64>,
    next_place: u64,
}

impl Session {
    pub(super) fn new(
        partitions: impl IntoIterator<Item = (SessionKey, Wanted, News)>,
        now_ms: i64,
    ) -> Self {
        let mut session = Self {
            epoch: 1,
            last_used_ms: now_ms,
            entries: BTreeMap::new(),
            places: BTreeMap::new(),
            next_place: 0,
        };
        for (key, wanted, news) in partitions {
            session.insert(Entry {
                key,
                wanted,
                high_watermark: told(&news, news.high_watermark),
                log_start_offset: news.log_start_offset,
            });
        }
        session
    }

    /// The epoch that the next request has to have.
    #[must_use]
    pub fn epoch(&self) -> i32 {
        self.epoch
    }

    /// What is read, in order.
    pub fn partitions(&self) -> impl Iterator<Item = (&SessionKey, &Wanted)> {
        self.entries
            .values()
            .map(|entry| (&entry.key, &entry.wanted))
    }

    /// Notes what an answer would say of a partition; returns whether it has to. A partition that is in
    /// the session no longer is not told of.
    pub fn tell(&mut self, key: &SessionKey, news: &News) -> bool {
        let Some(place) = self.places.get(key).copied() else {
            return false;
        };
        let Some(entry) = self.entries.get_mut(&place) else {
            return false;
        };
        let is_news = news.has_records
            || news.is_urgent
            || entry.high_watermark != news.high_watermark
            || entry.log_start_offset != news.log_start_offset;
        entry.high_watermark = told(news, news.high_watermark);
        entry.log_start_offset = news.log_start_offset;
        if news.has_records
            && let Some(entry) = self.entries.remove(&place)
        {
            self.insert(entry);
        }
        is_news
    }

    pub(super) fn partition_count(&self) -> usize {
        self.places.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn last_used_ms(&self) -> i64 {
        self.last_used_ms
    }

    pub(super) fn change(&mut self, named: &[(SessionKey, Wanted)], forgotten: &[SessionKey]) {
        for (key, wanted) in named {
            let known = self
                .places
                .get(key)
                .and_then(|place| self.entries.get_mut(place));
            if let Some(entry) = known {
                entry.wanted = *wanted;
            } else {
                let key = key.clone();
                self.insert(Entry {
                    key,
                    wanted: *wanted,
                    high_watermark: -1,
                    log_start_offset: -1,
                });
            }
        }
        for key in forgotten {
            if let Some(place) = self.places.remove(key) {
                self.entries.remove(&place);
            }
        }
    }

    /// Moves on to the next epoch; returns it.
    pub(super) fn advance(&mut self, now_ms: i64) -> i32 {
        self.epoch = self.epoch.checked_add(1).unwrap_or(1);
        self.last_used_ms = now_ms;
        self.epoch
    }

    fn insert(&mut self, entry: Entry) {
        let place = self.next_place;
        self.next_place += 1;
        if let Some(old) = self.places.insert(entry.key.clone(), place) {
            self.entries.remove(&old);
        }
        self.entries.insert(place, entry);
    }
}

/// After an error the same high watermark counts as news again.
fn told(news: &News, high_watermark: i64) -> i64 {
    if news.is_urgent { -1 } else { high_watermark }
}
