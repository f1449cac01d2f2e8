//! A request as a client writes it: the types are right, the values not yet checked.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use clap::ValueEnum;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// What to run, on what, and within which limits. A `null` is as good as an absent field, but for
/// `script` and `input`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExecutionRequest, example = json!({
    "script": "def main(input):\n    print('hello')\n    return {'sum': sum(input)}\n",
    "input": [1, 2, 3],
    "limits": {"timeout_ms": 2000},
}))]
pub struct Draft {
    /// Python source, at most 1 MiB unless configured otherwise. It runs as the module `script`, and
    /// then its `main` is called: with `input` where it takes an argument, or with `arguments`.
    #[schema(min_length = 1)]
    pub script: String,
    /// How the script is run. [default: `main`]
    #[schema(value_type = Option<ModeDraft>)]
    pub mode: Option<ModeDraft>,
    /// Any JSON value, `null` included, handed to `main` where it takes an argument. Numbers keep
    /// every digit. Where `main` requires more than one argument, an object's values are handed over
    /// by their names. Without `input`, an argument that has a default keeps it, and one that has none
    /// is `null`. Not together with `arguments`, nor in mode `script`.
    // Kept as text for the digits.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Value>)]
    pub input: Option<Box<RawValue>>,
    /// The arguments of `main` by their names, as in `main(**arguments)`. A name that is missing or
    /// unknown is `missing_main`. Not together with `input`, nor in mode `script`.
    #[schema(value_type = Option<BTreeMap<String, Value>>)]
    pub arguments: Option<Box<RawValue>>,
    /// What the script reads from standard input. Empty by default.
    pub stdin: Option<String>,
    /// Added to the script's own small environment.
    pub env: Option<BTreeMap<String, String>>,
    /// Laid down below `/tmp`, the working directory, before the script starts; at most 8 MiB in all
    /// unless configured otherwise.
    #[serde(default, deserialize_with = "objects")]
    pub files: Option<Vec<FileDraft>>,
    /// Globs below `/tmp` of files to return, such as `out/*.png`. Only `/v1/executions` shows them.
    #[schema(max_items = 64)]
    pub output_files: Option<Vec<String>>,
    /// What the run may use.
    #[serde(default, deserialize_with = "object")]
    pub limits: Option<LimitsDraft>,
    /// Name of a configured environment, of which `/v1/environments` has the list. [default:
    /// `default`]
    pub environment: Option<String>,
}

/// How a script is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[schema(as = Mode)]
pub enum ModeDraft {
    /// `main()` is called, and what it returns is the result.
    Main,
    /// There need be no `main()`: the script runs as `__main__`, as a file does that Python is started
    /// with. If its last statement is an expression, the value of that is the result, or `null` where
    /// JSON cannot hold it.
    Script,
}

/// A file to lay down: its path, and one of `text` and `content`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InputFile, example = json!({"path": "data/a.csv", "text": "x,y\n1,2\n"}))]
pub struct FileDraft {
    /// Relative to `/tmp`, without `..`.
    #[schema(min_length = 1, max_length = 4096)]
    pub path: String,
    /// The content as text.
    pub text: Option<String>,
    /// The content in base64, with padding.
    pub content: Option<String>,
}

/// What the run may use, within the maxima that `/v1/environments` shows.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Limits)]
pub struct LimitsDraft {
    /// Wall clock in milliseconds. [default: 10 000, maximum: 60 000, unless configured otherwise]
    #[schema(value_type = Option<u64>, minimum = 1)]
    pub timeout_ms: Option<Whole>,
    /// CPU time over all its processes, in milliseconds. [default: the wall clock's limit]
    #[schema(value_type = Option<u64>, minimum = 1)]
    pub cpu_ms: Option<Whole>,
    /// Memory in MiB that the run may add. [default: 256, maximum: 1024, unless configured
    /// otherwise]
    #[schema(value_type = Option<u64>, minimum = 1)]
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

/// What is there, `null` included.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(from).map(Some)
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
