//! What is left out of an environment: what a script has no use for, and what would be a program.

use std::ffi::OsStr;
use std::path::{Component, Path};

/// What is left out of the top of the standard library. `site-packages` are copied by themselves,
/// the customisations are the host's own.
const NOT_STANDARD: [&str; 13] = [
    "EXTERNALLY-MANAGED",
    "dist-packages",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "site-packages",
    "sitecustomize.py",
    "test",
    "tkinter",
    "turtle.py",
    "turtledemo",
    "usercustomize.py",
    "venv",
];
/// What an installer needs, not a script.
const INSTALLERS: [&str; 6] = [
    "_distutils_hack",
    "distutils-precedence.pth",
    "pip",
    "pkg_resources",
    "setuptools",
    "wheel",
];
/// Sources and archives for a compiler, which is not there.
const FOR_COMPILERS: [&str; 12] = [
    "a", "c", "cpp", "exe", "h", "hpp", "la", "o", "pxd", "pxi", "pyx", "pyc",
];

/// Whether a path of the standard library, relative to it, is copied.
pub(super) fn keep_standard(path: &Path) -> bool {
    let top = first(path);
    let name = file_name(path);
    let test_module = path.starts_with("lib-dynload")
        && ["_test", "_ctypes_test", "_xxtest", "xxlimited", "_tkinter"]
            .iter()
            .any(|start| name.starts_with(start));
    !(NOT_STANDARD.contains(&top)
        || top.starts_with("config-")
        || matches!(name, "test" | "tests" | "__pycache__")
        || test_module
        || for_compilers(path))
}

/// Whether a path of the installed packages, relative to their directory, is copied.
///
/// Of tests only the test modules and their data go: some packages import helpers from theirs.
pub(super) fn keep_package(path: &Path) -> bool {
    let name = file_name(path);
    let commands = path == Path::new("bin");
    let of_tests = path
        .components()
        .rev()
        .skip(1)
        .any(|part| part.as_os_str() == "tests")
        && (name.starts_with("test_") || matches!(name, "conftest.py" | "data"));
    // Where a package was installed from may be a path of the host.
    let of_installer = name == "direct_url.json"
        && path
            .parent()
            .is_some_and(|parent| parent.extension() == Some(OsStr::new("dist-info")));
    !(commands || name == "__pycache__" || of_tests || of_installer || for_compilers(path))
}

/// Whether a path of the installed packages belongs to an installer, such as pip.
pub(super) fn is_installer(path: &Path) -> bool {
    let top = first(path);
    let distribution = top
        .strip_suffix(".dist-info")
        .and_then(|top| top.split('-').next());
    INSTALLERS.contains(&distribution.unwrap_or(top))
}

fn for_compilers(path: &Path) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|extension| FOR_COMPILERS.contains(&extension))
}

fn first(path: &Path) -> &str {
    path.components()
        .next()
        .map(Component::as_os_str)
        .and_then(OsStr::to_str)
        .unwrap_or_default()
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_library_without_its_tests_and_tools() {
        for kept in [
            "os.py",
            "json",
            "json/decoder.py",
            "lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so",
            "unittest/case.py",
            "_sysconfigdata__linux_x86_64-linux-gnu.py",
        ] {
            assert!(keep_standard(Path::new(kept)), "{kept}");
        }
        for dropped in [
            "test",
            "unittest/test",
            "site-packages",
            "sitecustomize.py",
            "config-3.11-x86_64-linux-gnu",
            "json/__pycache__",
            "lib-dynload/_testcapi.cpython-311-x86_64-linux-gnu.so",
            "distutils/command/wininst-10.0.exe",
        ] {
            assert!(!keep_standard(Path::new(dropped)), "{dropped}");
        }
    }

    #[test]
    fn packages_without_their_tests_and_sources() {
        for kept in [
            "numpy/__init__.py",
            "numpy/testing/__init__.py",
            "numpy/_core/tests",
            "numpy/_core/tests/_natype.py",
            "numpy.libs/libscipy_openblas64_-8fb3d286.so",
            "numpy-2.4.6.dist-info/METADATA",
            "astropy/tests/runner.py",
            "pkg/data/test_table.csv",
        ] {
            assert!(keep_package(Path::new(kept)), "{kept}");
        }
        for dropped in [
            "bin",
            "numpy/_core/tests/test_umath.py",
            "numpy/_core/tests/data",
            "pandas/tests/frame/test_api.py",
            "numpy/_core/include/numpy/arrayobject.h",
            "numpy/random/_common.pxd",
            "local-1.0.dist-info/direct_url.json",
        ] {
            assert!(!keep_package(Path::new(dropped)), "{dropped}");
        }
    }

    #[test]
    fn installers_are_known_by_directory_and_by_metadata() {
        for installer in [
            "pip",
            "pip/__main__.py",
            "pip-24.2.dist-info",
            "setuptools-65.5.0.dist-info",
        ] {
            assert!(is_installer(Path::new(installer)), "{installer}");
        }
        for other in ["numpy", "pipdeptree", "pip_api-1.0.dist-info", "wheelhouse"] {
            assert!(!is_installer(Path::new(other)), "{other}");
        }
    }
}
