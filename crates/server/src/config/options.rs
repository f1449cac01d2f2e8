//! How an option is defined: once, with its default, bounds, flag, variable and help.
//!
//! [`options!`] makes two structs of one table: the *options*, in which every field may be absent
//! and which is read alike from flags, environment and file, and the *configuration*, in which
//! every field has its value.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fmt::Display,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::ConfigError;

/// Looks up an environment variable. A parameter, so that tests need not touch the process' own.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where a layer of options was read, which decides how an error names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Flags of the command line.
    Flags,
    /// Variables of the environment.
    Environment,
    /// A configuration file.
    File(PathBuf),
}

/// The names one option goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) section: &'static str,
    pub(super) key: &'static str,
    pub(super) flag: &'static str,
    pub(super) variable: &'static str,
}

impl Origin {
    /// An error about the option that goes by `names`, as the user wrote it.
    pub(super) fn error(&self, names: Names, problem: String) -> ConfigError {
        match self {
            Self::Flags => ConfigError::Flag {
                flag: names.flag,
                problem,
            },
            Self::Environment => ConfigError::Variable {
                name: names.variable.to_owned(),
                problem,
            },
            Self::File(path) => ConfigError::file(path, &names.dotted(), problem),
        }
    }
}

impl Names {
    fn dotted(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }
}

impl ConfigError {
    /// The same error about a key that sits in `section` of the file.
    pub(super) fn within(mut self, section: &str) -> Self {
        if let Self::Key { key, .. } = &mut self {
            *key = format!("{section}.{key}");
        }
        self
    }

    /// An error about a key of a file.
    pub(super) fn file(path: &Path, key: &str, problem: String) -> Self {
        Self::Key {
            path: path.to_owned(),
            key: key.to_owned(),
            problem,
        }
    }
}

/// Reads the first of `names` that is set and not empty.
pub(super) fn variable<T: FromStr>(
    variables: Variables,
    names: &[&str],
    expected: &str,
) -> Result<Option<T>, ConfigError> {
    for name in names {
        let Some(value) = variables(name).filter(|value| !value.is_empty()) else {
            continue;
        };
        let parsed = value.to_str().and_then(|text| text.trim().parse().ok());
        return parsed.map(Some).ok_or_else(|| ConfigError::Variable {
            name: (*name).to_owned(),
            problem: format!(
                "{:?} does not fit; expected: {expected}",
                value.to_string_lossy()
            ),
        });
    }
    Ok(None)
}

/// A list names what there is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// What it names.
    pub name: String,
    /// What there is.
    pub known: String,
}

/// Which of `all` a list of names with commas between them names.
///
/// # Errors
/// The first that is none of theirs.
pub(super) fn named_in<T: Copy + Ord>(
    list: &str,
    all: &[T],
    name_of: fn(T) -> &'static str,
) -> Result<BTreeSet<T>, UnknownName> {
    let names = list.split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(|name| {
            let found = all.iter().copied().find(|one| name_of(*one) == name);
            found.ok_or_else(|| UnknownName {
                name: name.to_owned(),
                known: all
                    .iter()
                    .copied()
                    .map(name_of)
                    .collect::<Vec<_>>()
                    .join(", "),
            })
        })
        .collect()
}

/// Refuses a value outside its bounds.
pub(super) fn bounded<T: PartialOrd + Display>(
    origin: &Origin,
    names: Names,
    value: &T,
    (least, most): (T, T),
) -> Result<(), ConfigError> {
    if (&least..=&most).contains(&value) {
        return Ok(());
    }
    let problem = format!("{value} is out of bounds; set it to {least} to {most}");
    Err(origin.error(names, problem))
}

/// Defines the options of one concern; see the module's description.
macro_rules! options {
    (
        $(#[$attribute:meta])*
        $config:ident from $options:ident, [$section:literal], $heading:literal;
        $(
            $field:ident: $type:ty = $default:expr $(, in $least:literal..=$most:literal)?;
                $flag:literal, $variable:literal $(or $alias:literal)?, $help:literal;
        )+
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
        pub struct $config {
            $(#[doc = $help] pub $field: $type,)+
        }

        #[doc = concat!("What one layer says of [`", stringify!($config), "`].")]
        #[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $options {
            $(
                #[doc = $help]
                #[arg(
                    long = $flag,
                    help_heading = $heading,
                    help = concat!($help, $(" From ", $least, " to ", $most, ".",)?).to_owned()
                        + &format!(" [default: {}]", $config::default().$field)
                        + concat!(" [env: ", $variable, $(" or ", $alias,)? "]")
                )]
                pub $field: Option<$type>,
            )+
        }

        impl Default for $config {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $options {
            /// Reads the layer from environment variables.
            pub(super) fn from_variables(
                variables: $crate::config::options::Variables,
            ) -> Result<Self, $crate::config::ConfigError> {
                Ok(Self {
                    $($field: $crate::config::options::variable(
                        variables,
                        &[$variable, $($alias)?],
                        concat!($help, $(" From ", $least, " to ", $most, ".")?),
                    )?,)+
                })
            }

            /// Refuses values outside their bounds.
            pub(super) fn check(
                &self,
                origin: &$crate::config::options::Origin,
            ) -> Result<(), $crate::config::ConfigError> {
                $($(
                    if let Some(value) = &self.$field {
                        let names = $crate::config::options::Names {
                            section: $section,
                            key: stringify!($field),
                            flag: concat!("--", $flag),
                            variable: $variable,
                        };
                        $crate::config::options::bounded(origin, names, value, ($least, $most))?;
                    }
                )?)+
                let _ = origin;
                Ok(())
            }
        }

        impl $config {
            /// Overlays what a layer says.
            pub(super) fn overlay(&mut self, options: &$options) {
                $(if let Some(value) = &options.$field {
                    self.$field.clone_from(value);
                })+
            }
        }
    };
}

/// Lets an enumeration of options be parsed and printed under the names that clap lists.
macro_rules! named {
    ($type:ty) => {
        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                <Self as clap::ValueEnum>::from_str(text, false)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match clap::ValueEnum::to_possible_value(self) {
                    Some(value) => f.write_str(value.get_name()),
                    None => Err(std::fmt::Error),
                }
            }
        }
    };
}

pub(super) use {named, options};
