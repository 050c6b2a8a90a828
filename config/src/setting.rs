//! One row of the table: what a setting is called, holds, defaults to and means.

/// What a value must look like. Numbers carry their inclusive range.
///
/// The variants are Kafka's `ConfigDef.Type`, so that `DescribeConfigs` can answer with them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A 16-bit number between the two, inclusive.
    Short(i16, i16),
    /// A 32-bit number between the two, inclusive.
    Int(i32, i32),
    /// A 64-bit number between the two, inclusive.
    Long(i64, i64),
    /// A fraction between the two, inclusive.
    Double(f64, f64),
    /// Any text.
    Text,
    /// Text that must be one of these.
    Choice(&'static [&'static str]),
    /// Items separated by commas; where the slice is not empty, each must be one of it.
    List(&'static [&'static str]),
    /// The name of a Java class: only recognised, never loaded.
    Class,
    /// Text that is never shown.
    Password,
}

/// What a number counts. It decides which suffixes a quoted value may carry (`"7d"`, `"1GiB"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// No unit, or a plain count.
    None,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Bytes.
    Bytes,
    /// A share in percent.
    Percent,
}

/// Whether, and how widely, the value may change while the broker runs.
///
/// Source: KIP-226; kafka 2.8 `server/DynamicBrokerConfig.scala`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dynamic {
    /// Needs a restart.
    ReadOnly,
    /// May be changed for one broker.
    PerBroker,
    /// May be changed for one broker or for all of them.
    ClusterWide,
}

/// Whether this broker acts on the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Setting it changes what the broker does.
    Effective,
    /// Kafka knows it, this broker does not act on it. A warning in a `server.properties`,
    /// an error where somebody wrote it for us. Holds why.
    Ignored(&'static str),
    /// Ignoring it would be dangerous: any value but these stops the broker.
    Refused {
        /// Values that ask for nothing, so that the row may stay in the file.
        harmless: &'static [&'static str],
        /// What would go wrong, and what to do instead.
        reason: &'static str,
    },
}

/// How often an operator has a reason to touch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// Every cluster should decide about it.
    High,
    /// Some clusters need it.
    Medium,
    /// Rarely touched.
    Low,
}

/// Whose defaults apply to what is not set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Baseline {
    /// The classic defaults, as this project documents them: for TOML, or no file at all.
    #[default]
    Classic,
    /// Kafka 2.8's defaults: for a `server.properties` taken over as it lies.
    Kafka28,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Setting {
    /// Kafka's exact key, or ours where Kafka has none.
    pub key: &'static str,
    /// What a value must look like.
    pub kind: Kind,
    /// What the number counts.
    pub unit: Unit,
    /// The classic default; `None` where there is none.
    pub default: Option<&'static str>,
    /// Kafka 2.8's default, where it is another one. See [`Baseline::Kafka28`].
    pub default_kafka28: Option<&'static str>,
    /// The value in the shipped `server.toml`, where it is another one than the default.
    pub shipped: Option<&'static str>,
    /// Whether it may change while the broker runs.
    pub dynamic: Dynamic,
    /// Whether this broker acts on it.
    pub support: Support,
    /// How often an operator has a reason to touch it.
    pub importance: Importance,
    /// The topic configuration that overrides it for one topic.
    pub topic_key: Option<&'static str>,
    /// What changes when it changes.
    pub doc: &'static str,
}

impl Setting {
    /// A row with nothing decided but its name and kind: read-only, of medium importance.
    pub(crate) const fn new(key: &'static str, kind: Kind) -> Self {
        Self {
            key,
            kind,
            unit: Unit::None,
            default: None,
            default_kafka28: None,
            shipped: None,
            dynamic: Dynamic::ReadOnly,
            support: Support::Effective,
            importance: Importance::Medium,
            topic_key: None,
            doc: "",
        }
    }

    pub(crate) const fn boolean(key: &'static str) -> Self {
        Self::new(key, Kind::Boolean)
    }

    /// A 32-bit number from `min` upward.
    pub(crate) const fn int(key: &'static str, min: i32) -> Self {
        Self::new(key, Kind::Int(min, i32::MAX))
    }

    /// A 64-bit number from `min` upward.
    pub(crate) const fn long(key: &'static str, min: i64) -> Self {
        Self::new(key, Kind::Long(min, i64::MAX))
    }

    pub(crate) const fn text(key: &'static str) -> Self {
        Self::new(key, Kind::Text)
    }

    pub(crate) const fn list(key: &'static str) -> Self {
        Self::new(key, Kind::List(&[]))
    }

    /// A key that Kafka knows and this broker does not act on.
    pub(crate) const fn ignored(key: &'static str, reason: &'static str) -> Self {
        Self::text(key).ignored_because(reason)
    }

    pub(crate) const fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    pub(crate) const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    pub(crate) const fn kafka28(mut self, value: &'static str) -> Self {
        self.default_kafka28 = Some(value);
        self
    }

    pub(crate) const fn shipped(mut self, value: &'static str) -> Self {
        self.shipped = Some(value);
        self
    }

    pub(crate) const fn dynamic(mut self, dynamic: Dynamic) -> Self {
        self.dynamic = dynamic;
        self
    }

    pub(crate) const fn high(mut self) -> Self {
        self.importance = Importance::High;
        self
    }

    pub(crate) const fn low(mut self) -> Self {
        self.importance = Importance::Low;
        self
    }

    pub(crate) const fn topic(mut self, key: &'static str) -> Self {
        self.topic_key = Some(key);
        self
    }

    pub(crate) const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    pub(crate) const fn ignored_because(mut self, reason: &'static str) -> Self {
        self.support = Support::Ignored(reason);
        self
    }

    pub(crate) const fn refused(
        mut self,
        harmless: &'static [&'static str],
        reason: &'static str,
    ) -> Self {
        self.support = Support::Refused { harmless, reason };
        self
    }

    /// The default under `baseline`; `None` where the setting has none.
    #[must_use]
    pub const fn default_under(&self, baseline: Baseline) -> Option<&'static str> {
        match (baseline, self.default_kafka28) {
            (Baseline::Kafka28, Some(value)) => Some(value),
            (Baseline::Kafka28, None) | (Baseline::Classic, _) => self.default,
        }
    }

    /// Whether the broker acts on it.
    #[must_use]
    pub const fn is_effective(&self) -> bool {
        matches!(self.support, Support::Effective)
    }

    /// Whether its value must never be shown.
    #[must_use]
    pub const fn is_sensitive(&self) -> bool {
        matches!(self.kind, Kind::Password)
    }
}
