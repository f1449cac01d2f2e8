//! What a build tells while it goes on.

use std::fmt;

/// A step of a build, as it starts. `Display` gives a line for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Another process builds the same environment.
    Waiting,
    /// The interpreter and its standard library are being copied.
    CopyingInterpreter {
        /// The interpreter's version.
        python: String,
    },
    /// Packages are being installed or copied.
    InstallingPackages,
    /// What the installer reports.
    Installer(String),
    /// The shared libraries that everything needs are being looked up and copied.
    CollectingLibraries,
    /// Everything is being compiled to bytecode.
    Compiling,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => f.write_str("waiting for another build of this environment"),
            Self::CopyingInterpreter { python } => write!(f, "copying Python {python}"),
            Self::InstallingPackages => f.write_str("installing packages"),
            Self::Installer(line) => write!(f, "  {line}"),
            Self::CollectingLibraries => f.write_str("collecting shared libraries"),
            Self::Compiling => f.write_str("compiling modules"),
        }
    }
}
