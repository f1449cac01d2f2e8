//! A request as a client writes it: the types are right, the values not yet checked.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

/// The body of `POST /execute` and `POST /v1/executions`. A `null` is as good as an absent field,
/// but for `script`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// Python source.
    pub script: String,
    /// Handed to `main` where it takes an argument. Kept as text, so that numbers keep every digit.
    pub input: Option<Box<RawValue>>,
    /// What descriptor 0 reads.
    pub stdin: Option<String>,
    /// Added to the cell's environment.
    pub env: Option<BTreeMap<String, String>>,
    /// Laid down below `/tmp`.
    #[serde(default, deserialize_with = "objects")]
    pub files: Option<Vec<FileDraft>>,
    /// Globs below `/tmp` of files to return.
    pub output_files: Option<Vec<String>>,
    /// What the run may use.
    #[serde(default, deserialize_with = "object")]
    pub limits: Option<LimitsDraft>,
    /// Name of a configured environment.
    pub environment: Option<String>,
}

/// A file to lay down: its path, and one of the two contents.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDraft {
    /// Relative to `/tmp`.
    pub path: String,
    /// The content as text.
    pub text: Option<String>,
    /// The content in base64.
    pub content: Option<String>,
}

/// What the run may use.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsDraft {
    /// Wall clock in milliseconds.
    pub timeout_ms: Option<Whole>,
    /// CPU time in milliseconds.
    pub cpu_ms: Option<Whole>,
    /// Memory in MiB.
    pub memory_mb: Option<Whole>,
}

/// A whole number that is not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole(pub u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number above 0")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Whole, E> {
                Ok(Whole(value))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// A `T` written as an object: what `serde` derives would take an array of its fields as well.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Braces<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Braces<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Braces(PhantomData))
    }
}

fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(from)?.map(|object| object.0))
}

fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let list = Option::<Vec<Object<T>>>::deserialize(from)?;
    Ok(list.map(|list| list.into_iter().map(|object| object.0).collect()))
}
