//! The one table of APIs: what the codec knows, what the broker serves, how each is coded.
//!
//! Served versions go from 0 to Kafka 2.8's highest; nothing that needs topic ids on the wire.
//! Produce and Fetch are advertised from 0 even where the oldest versions are answered with an
//! error, because librdkafka silently stops compressing otherwise (KAFKA-18659).

use std::fmt;

use crate::{Coding, DecodeError};

/// A range of API versions, both ends inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Lowest version.
    pub min: i16,
    /// Highest version.
    pub max: i16,
}

impl Versions {
    const fn new(min: i16, max: i16) -> Self {
        Self { min, max }
    }

    /// Whether the version lies in the range.
    #[must_use]
    pub const fn contains(self, api_version: i16) -> bool {
        self.min <= api_version && api_version <= self.max
    }

    /// Every version, lowest first.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = i16> {
        self.min..=self.max
    }

    /// The highest version in both ranges, if they meet: what two peers agree on.
    #[must_use]
    pub fn agree(self, other: Self) -> Option<i16> {
        let (min, max) = (self.min.max(other.min), self.max.min(other.max));
        (min <= max).then_some(max)
    }
}

/// Who calls an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Clients; brokers too for some.
    Client,
    /// Brokers only. Needs the right to `ClusterAction`; never throttled, and a broker answers it
    /// ahead of client traffic. Source: Kafka 2.8 `ApiKeys.clusterAction`.
    Broker,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api {
    /// The API's key.
    pub key: ApiKey,
    /// Kafka's name of it.
    pub name: &'static str,
    /// Versions that the codec reads and writes.
    pub codec: Versions,
    /// Versions that the broker advertises and answers; part of `codec`.
    pub served: Versions,
    /// First version with compact lengths and tagged fields. Source: KIP-482.
    pub flexible_from: i16,
    /// The version that brokers send each other at inter-broker protocol 2.6, for APIs whose
    /// version is pinned and not negotiated. Source: Kafka 2.8 `ControllerChannelManager`,
    /// `ReplicaFetcherThread`.
    pub between_brokers: Option<i16>,
    /// Who calls it.
    pub caller: Caller,
}

impl Api {
    /// How bodies are coded at this version.
    #[must_use]
    pub const fn coding(&self, api_version: i16) -> Coding {
        Coding {
            api_version,
            is_flexible: api_version >= self.flexible_from,
        }
    }

    /// Version of the request header: 0 without client id (`ControlledShutdown` 0 only), 1 with,
    /// 2 with tagged fields.
    #[must_use]
    pub const fn request_header_version(&self, api_version: i16) -> i16 {
        if matches!(self.key, ApiKey::ControlledShutdown) && api_version == 0 {
            0
        } else if api_version >= self.flexible_from {
            2
        } else {
            1
        }
    }

    /// Version of the response header: 1 has tagged fields. `ApiVersions` stays at 0, so that a
    /// client can read the answer before it knows what the broker speaks. Source: KIP-511.
    #[must_use]
    pub const fn response_header_version(&self, api_version: i16) -> i16 {
        if matches!(self.key, ApiKey::ApiVersions) || api_version < self.flexible_from {
            0
        } else {
            1
        }
    }
}

macro_rules! table {
    ($($key:literal $name:ident codec $codec_min:literal..=$codec_max:literal
       served $served_min:literal..=$served_max:literal flexible $flexible_from:literal
       between $between:tt caller $caller:ident;)*) => {
        /// The key of an API, as in a request header.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ApiKey {
            $(
                #[doc = concat!("`", stringify!($name), "`.")]
                $name = $key,
            )*
        }

        impl ApiKey {
            /// Every API of the table, by key.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The API with this key.
            #[must_use]
            pub const fn from_key(api_key: i16) -> Option<Self> {
                match api_key {
                    $($key => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The key as a number.
            #[must_use]
            pub const fn key(self) -> i16 {
                match self {
                    $(Self::$name => $key,)*
                }
            }

            /// The API's row.
            #[must_use]
            pub const fn row(self) -> &'static Api {
                match self {
                    $(Self::$name => {
                        const ROW: Api = Api {
                            key: ApiKey::$name,
                            name: stringify!($name),
                            codec: Versions::new($codec_min, $codec_max),
                            served: Versions::new($served_min, $served_max),
                            flexible_from: $flexible_from,
                            between_brokers: table!(@between $between),
                            caller: Caller::$caller,
                        };
                        &ROW
                    })*
                }
            }
        }
    };
    (@between -) => { None };
    (@between $version:literal) => { Some($version) };
}

table! {
     0 Produce              codec 0..=11 served 0..=9  flexible 9  between -  caller Client;
     1 Fetch                codec 0..=17 served 0..=12 flexible 12 between 11 caller Client;
     2 ListOffsets          codec 0..=9  served 0..=6  flexible 6  between 5  caller Client;
     3 Metadata             codec 0..=12 served 0..=11 flexible 9  between -  caller Client;
     4 LeaderAndIsr         codec 0..=7  served 0..=5  flexible 4  between 4  caller Broker;
     5 StopReplica          codec 0..=4  served 0..=3  flexible 2  between 3  caller Broker;
     6 UpdateMetadata       codec 0..=8  served 0..=7  flexible 6  between 6  caller Broker;
     7 ControlledShutdown   codec 0..=3  served 0..=3  flexible 3  between 3  caller Broker;
    10 FindCoordinator      codec 0..=6  served 0..=3  flexible 3  between -  caller Client;
    18 ApiVersions          codec 0..=4  served 0..=3  flexible 3  between -  caller Client;
    19 CreateTopics         codec 0..=7  served 0..=7  flexible 5  between -  caller Client;
    20 DeleteTopics         codec 0..=6  served 0..=6  flexible 4  between -  caller Client;
    22 InitProducerId       codec 0..=5  served 0..=4  flexible 2  between -  caller Client;
    23 OffsetForLeaderEpoch codec 0..=4  served 0..=4  flexible 4  between 3  caller Client;
    32 DescribeConfigs      codec 0..=4  served 0..=4  flexible 4  between -  caller Client;
    37 CreatePartitions     codec 0..=3  served 0..=3  flexible 2  between -  caller Client;
    60 DescribeCluster      codec 0..=1  served 0..=0  flexible 0  between -  caller Client;
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().name)
    }
}

impl TryFrom<i16> for ApiKey {
    type Error = DecodeError;

    fn try_from(api_key: i16) -> Result<Self, DecodeError> {
        Self::from_key(api_key).ok_or(DecodeError::UnknownApi { api_key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_by_key_and_serve_only_what_the_codec_knows() {
        assert!(ApiKey::ALL.is_sorted_by(|a, b| a.key() < b.key()));
        for &api in ApiKey::ALL {
            let row = api.row();
            assert_eq!((row.key, ApiKey::from_key(api.key())), (api, Some(api)));
            assert_eq!(row.codec.agree(row.served), Some(row.served.max), "{api}");
            assert!(row.served.min <= row.served.max, "{api}");
            assert!(row.codec.contains(row.flexible_from), "{api}");
            let pinned = row.between_brokers;
            assert!(
                pinned.is_none_or(|version| row.served.contains(version)),
                "{api}"
            );
        }
    }

    /// Else librdkafka stops compressing without a word (KAFKA-18659).
    #[test]
    fn produce_and_fetch_are_advertised_from_zero() {
        assert_eq!(ApiKey::Produce.row().served.min, 0);
        assert_eq!(ApiKey::Fetch.row().served.min, 0);
    }

    #[test]
    fn two_ranges_agree_on_the_highest_version_of_both() {
        let check = |ours: (i16, i16), theirs: (i16, i16), agreed| {
            let ours = Versions {
                min: ours.0,
                max: ours.1,
            };
            let theirs = Versions {
                min: theirs.0,
                max: theirs.1,
            };
            assert_eq!(ours.agree(theirs), agreed);
        };
        check((0, 9), (3, 13), Some(9));
        check((0, 9), (0, 7), Some(7));
        check((0, 2), (3, 13), None);
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        assert_eq!(
            ApiKey::try_from(999),
            Err(DecodeError::UnknownApi { api_key: 999 })
        );
    }
}
