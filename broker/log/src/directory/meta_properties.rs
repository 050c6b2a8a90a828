//! `meta.properties`: to which broker of which cluster a log directory belongs.
//!
//! The format is that of Java's `Properties`; version 0 is what ZooKeeper-mode brokers of Kafka up to
//! 3.9 write. Lines of others are kept when the file is written anew.

use std::path::{Path, PathBuf};

use barnabas_wire::id::BrokerId;

mod properties;

use properties::Properties;

/// The name of the file.
pub const META_PROPERTIES: &str = "meta.properties";

const FORMAT_VERSION: i32 = 0;
const BROKER_ID: &str = "broker.id";
const CLUSTER_ID: &str = "cluster.id";
const VERSION: &str = "version";

/// The file's contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetaProperties {
    /// The broker that the directory belongs to, if it says.
    pub broker_id: Option<BrokerId>,
    /// The cluster that it belongs to, if it says (since Kafka 0.10.1).
    pub cluster_id: Option<String>,
    others: Vec<(String, String)>,
}

/// Why a directory's file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetaPropertiesError {
    /// A number is none.
    #[error("`{key}` is `{value}`, which is no whole number; correct it by hand")]
    Number {
        /// The key.
        key: &'static str,
        /// What stands behind it.
        value: String,
    },
    /// The directory was formatted by another kind of broker.
    #[error(
        "format version {found} is not {FORMAT_VERSION}: the directory belongs to a KRaft broker; \
         give this broker another directory in log.dirs"
    )]
    FormatVersion {
        /// The version in the file.
        found: i32,
    },
}

impl MetaProperties {
    /// What a directory of this broker says.
    #[must_use]
    pub fn new(broker_id: BrokerId, cluster_id: &str) -> Self {
        Self {
            broker_id: Some(broker_id),
            cluster_id: Some(cluster_id.into()),
            others: Vec::new(),
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// A number that is none, or a format version that is not ours.
    pub fn parse(text: &str) -> Result<Self, MetaPropertiesError> {
        let mut meta = Self::default();
        for (key, value) in Properties::new(text) {
            match key.as_str() {
                BROKER_ID => meta.broker_id = Some(BrokerId(number(BROKER_ID, &value)?)),
                CLUSTER_ID => meta.cluster_id = Some(value),
                VERSION => {
                    let found = number(VERSION, &value)?;
                    if found != FORMAT_VERSION {
                        return Err(MetaPropertiesError::FormatVersion { found });
                    }
                }
                _ => meta.others.push((key, value)),
            }
        }
        Ok(meta)
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text =
            String::from("# The broker and the cluster that this directory belongs to\n");
        let mut line = |key: &str, value: &str| {
            text.push_str(&properties::line(key, value));
        };
        if let Some(broker_id) = self.broker_id {
            line(BROKER_ID, &broker_id.to_string());
        }
        if let Some(cluster_id) = &self.cluster_id {
            line(CLUSTER_ID, cluster_id);
        }
        for (key, value) in &self.others {
            line(key, value);
        }
        line(VERSION, &FORMAT_VERSION.to_string());
        text
    }
}

fn number(key: &'static str, value: &str) -> Result<i32, MetaPropertiesError> {
    value
        .trim()
        .parse()
        .ok()
        .ok_or_else(|| MetaPropertiesError::Number {
            key,
            value: value.to_owned(),
        })
}

/// Why the directories and the settings do not belong together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnerError {
    /// The directory belongs to another broker.
    #[error(
        "broker.id is {configured}, but {path} belongs to broker {stored}. If the data was moved \
         here on purpose, set broker.id={stored}; if this is a new broker, give it an empty \
         directory in log.dirs"
    )]
    Broker {
        /// The file that says so.
        path: PathBuf,
        /// The id in the settings.
        configured: BrokerId,
        /// The id in the file.
        stored: BrokerId,
    },
    /// The directory belongs to another cluster.
    #[error(
        "the ZooKeeper that zookeeper.connect names holds cluster `{actual}`, but {path} belongs \
         to cluster `{stored}`. Correct zookeeper.connect (host, port and chroot) if it names the \
         wrong one; if the data is no longer needed, empty that directory"
    )]
    Cluster {
        /// The file that says so.
        path: PathBuf,
        /// The id in ZooKeeper.
        actual: String,
        /// The id in the file.
        stored: String,
    },
    /// Two directories belong to two brokers.
    #[error(
        "{first} belongs to broker {first_id} and {second} to broker {second_id}: log.dirs names \
         directories of two brokers; leave out the one that is not this broker's"
    )]
    Disagreement {
        /// A file.
        first: PathBuf,
        /// The id in it.
        first_id: BrokerId,
        /// Another file.
        second: PathBuf,
        /// The id in it.
        second_id: BrokerId,
    },
}

/// Checks all directories of a broker against its settings and its cluster; returns the broker id
/// that they carry, if any of them carries one. `configured` is `None` where the id is to be
/// generated.
///
/// # Errors
/// [`OwnerError`], whose text says how to mend it. The broker must not start then.
pub fn check_owner<'a>(
    directories: impl IntoIterator<Item = (&'a Path, &'a MetaProperties)>,
    configured: Option<BrokerId>,
    cluster_id: &str,
) -> Result<Option<BrokerId>, OwnerError> {
    let mut known: Option<(&Path, BrokerId)> = None;
    for (directory, meta) in directories {
        if let Some(stored) = meta.cluster_id.as_deref()
            && stored != cluster_id
        {
            return Err(OwnerError::Cluster {
                path: directory.join(META_PROPERTIES),
                actual: cluster_id.into(),
                stored: stored.into(),
            });
        }
        let Some(stored) = meta.broker_id else {
            continue;
        };
        if let Some(configured) = configured
            && configured != stored
        {
            let path = directory.join(META_PROPERTIES);
            return Err(OwnerError::Broker {
                path,
                configured,
                stored,
            });
        }
        match known {
            Some((first, first_id)) if first_id != stored => {
                return Err(OwnerError::Disagreement {
                    first: first.join(META_PROPERTIES),
                    first_id,
                    second: directory.join(META_PROPERTIES),
                    second_id: stored,
                });
            }
            _ => known = Some((directory, stored)),
        }
    }
    Ok(known.map(|(_, broker_id)| broker_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Kafka 2.8 writes it.
    const KAFKA: &str = "#\n#Mon Sep 18 03:30:00 UTC 2023\ncluster.id=Kd-3fH_sQtWq\\=\\=\n\
                         version=0\nbroker.id=3\n";

    #[test]
    fn kafkas_file_is_read() {
        let expected = MetaProperties::new(BrokerId(3), "Kd-3fH_sQtWq==");
        assert_eq!(MetaProperties::parse(KAFKA), Ok(expected));
    }

    #[test]
    fn our_file_is_what_javas_properties_read() {
        let meta = MetaProperties::parse(&format!("{KAFKA}directory.id=x y\n")).unwrap();
        assert_eq!(
            meta.to_text(),
            "# The broker and the cluster that this directory belongs to\n\
             broker.id=3\ncluster.id=Kd-3fH_sQtWq\\=\\=\ndirectory.id=x y\nversion=0\n"
        );
        assert_eq!(MetaProperties::parse(&meta.to_text()), Ok(meta));
    }

    #[test]
    fn another_version_and_a_damaged_number_are_refused() {
        assert_eq!(
            MetaProperties::parse("version=1\nnode.id=3"),
            Err(MetaPropertiesError::FormatVersion { found: 1 })
        );
        assert_eq!(
            MetaProperties::parse("broker.id=three").map_err(|error| error.to_string()),
            Err("`broker.id` is `three`, which is no whole number; correct it by hand".into())
        );
    }

    fn check(
        directories: &[(&str, Option<i32>, Option<&str>)],
        expected: Result<Option<i32>, &str>,
    ) {
        let directories: Vec<_> = directories
            .iter()
            .map(|&(path, broker_id, cluster_id)| {
                let meta = MetaProperties {
                    broker_id: broker_id.map(BrokerId),
                    cluster_id: cluster_id.map(str::to_owned),
                    others: Vec::new(),
                };
                (Path::new(path), meta)
            })
            .collect();
        let given = directories.iter().map(|(path, meta)| (*path, meta));
        let found = check_owner(given.clone(), Some(BrokerId(3)), "C")
            .map(|found| found.map(|id| id.0))
            .map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
        if expected.is_ok() {
            assert!(check_owner(given, None, "C").is_ok());
        }
    }

    #[test]
    fn a_directory_of_this_broker_or_of_nobody_is_accepted() {
        check(&[("/a", None, None)], Ok(None));
        check(
            &[("/a", Some(3), None), ("/b", None, Some("C"))],
            Ok(Some(3)),
        );
    }

    #[test]
    fn a_foreign_directory_is_refused_and_the_text_says_what_to_do() {
        check(
            &[("/a", Some(4), Some("C"))],
            Err(
                "broker.id is 3, but /a/meta.properties belongs to broker 4. If the data was moved \
                 here on purpose, set broker.id=4; if this is a new broker, give it an empty \
                 directory in log.dirs",
            ),
        );
        check(
            &[("/a", Some(3), Some("D"))],
            Err(
                "the ZooKeeper that zookeeper.connect names holds cluster `C`, but \
                 /a/meta.properties belongs to cluster `D`. Correct zookeeper.connect (host, port \
                 and chroot) if it names the wrong one; if the data is no longer needed, empty \
                 that directory",
            ),
        );
        let (a, b) = (
            MetaProperties::new(BrokerId(1), "C"),
            MetaProperties::new(BrokerId(2), "C"),
        );
        let both = [(Path::new("/a"), &a), (Path::new("/b"), &b)];
        assert!(matches!(
            check_owner(both, None, "C"),
            Err(OwnerError::Disagreement { .. })
        ));
    }
}
