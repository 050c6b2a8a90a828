//! Lenient reading of JSON: missing and unknown fields are the caller's choice, malformed ones are not.

use barnabas_wire::id::BrokerId;
use serde::Serialize;
use serde_json::{Map, Value};

/// Why a znode's data means nothing to us.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not an object.
    #[error("{znode} holds no JSON object: {reason}")]
    NotAnObject {
        /// Which kind of znode.
        znode: &'static str,
        /// What the parser says.
        reason: String,
    },
    /// A field that must be there is not.
    #[error("{znode} has no field {field:?}")]
    Missing {
        /// Which kind of znode.
        znode: &'static str,
        /// Which field.
        field: &'static str,
    },
    /// A field is there and makes no sense.
    #[error("{znode} has {got} as {field:?}")]
    Malformed {
        /// Which kind of znode.
        znode: &'static str,
        /// Which field.
        field: &'static str,
        /// What was found, shortened.
        got: String,
    },
}

/// Longest excerpt of foreign data that goes into an error, in characters.
const EXCERPT_CHARS_MAX: usize = 80;

/// A JSON object that remembers which znode it came from.
#[derive(Debug)]
pub(crate) struct Object {
    znode: &'static str,
    fields: Map<String, Value>,
}

impl Object {
    pub(crate) fn parse(znode: &'static str, data: &[u8]) -> Result<Self, DecodeError> {
        match serde_json::from_slice(data) {
            Ok(Value::Object(fields)) => Ok(Self { znode, fields }),
            Ok(other) => Err(DecodeError::NotAnObject {
                znode,
                reason: excerpt(&other),
            }),
            Err(error) => Err(DecodeError::NotAnObject {
                znode,
                reason: error.to_string(),
            }),
        }
    }

    pub(crate) fn malformed(&self, field: &'static str, got: &Value) -> DecodeError {
        DecodeError::Malformed {
            znode: self.znode,
            field,
            got: excerpt(got),
        }
    }

    /// The field, unless it is absent or null.
    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    pub(crate) fn require(&self, field: &'static str) -> Result<&Value, DecodeError> {
        self.get(field).ok_or(DecodeError::Missing {
            znode: self.znode,
            field,
        })
    }

    pub(crate) fn int(&self, field: &'static str) -> Result<i32, DecodeError> {
        let value = self.require(field)?;
        int(value).ok_or_else(|| self.malformed(field, value))
    }

    pub(crate) fn text(&self, field: &'static str) -> Result<&str, DecodeError> {
        let value = self.require(field)?;
        value.as_str().ok_or_else(|| self.malformed(field, value))
    }

    /// A 64-bit number that Kafka writes as text; a plain number is taken too.
    pub(crate) fn long_text(&self, field: &'static str) -> Result<i64, DecodeError> {
        let value = self.require(field)?;
        let parsed = value
            .as_str()
            .map_or_else(|| value.as_i64(), |text| text.parse().ok());
        parsed.ok_or_else(|| self.malformed(field, value))
    }

    pub(crate) fn array(&self, field: &'static str) -> Result<&[Value], DecodeError> {
        let value = self.require(field)?;
        value
            .as_array()
            .map(Vec::as_slice)
            .ok_or_else(|| self.malformed(field, value))
    }

    pub(crate) fn brokers(&self, field: &'static str) -> Result<Vec<BrokerId>, DecodeError> {
        let value = self.require(field)?;
        brokers(value).ok_or_else(|| self.malformed(field, value))
    }

    /// The field as an object; `None` if it is absent or null.
    pub(crate) fn object(
        &self,
        field: &'static str,
    ) -> Result<Option<&Map<String, Value>>, DecodeError> {
        let Some(value) = self.get(field) else {
            return Ok(None);
        };
        value
            .as_object()
            .map(Some)
            .ok_or_else(|| self.malformed(field, value))
    }

    /// The field as an array of objects of the same znode.
    pub(crate) fn objects(&self, field: &'static str) -> Result<Vec<Self>, DecodeError> {
        let mut objects = Vec::new();
        for value in self.array(field)? {
            let Value::Object(fields) = value else {
                return Err(self.malformed(field, value));
            };
            objects.push(Self {
                znode: self.znode,
                fields: fields.clone(),
            });
        }
        Ok(objects)
    }
}

/// A whole number that fits 32 bits.
pub(crate) fn int(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|number| i32::try_from(number).ok())
}

/// A list of broker ids.
pub(crate) fn brokers(value: &Value) -> Option<Vec<BrokerId>> {
    value
        .as_array()?
        .iter()
        .map(|id| int(id).map(BrokerId))
        .collect()
}

/// The ids as plain numbers.
pub(crate) fn numbers(brokers: &[BrokerId]) -> Vec<i32> {
    brokers.iter().map(|broker| broker.0).collect()
}

/// Compact JSON of a value made of maps with text keys, lists, text and numbers, fields in their
/// declared order.
pub(crate) fn encode(value: &impl Serialize) -> Vec<u8> {
    // Writing such a value into memory has no way to fail; an empty payload would be refused by readers.
    serde_json::to_vec(value).unwrap_or_default()
}

fn excerpt(value: &Value) -> String {
    value.to_string().chars().take(EXCERPT_CHARS_MAX).collect()
}
