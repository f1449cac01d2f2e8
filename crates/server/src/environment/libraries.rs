//! The shared libraries that an interpreter and its extension modules need.
//!
//! The dynamic loader itself is asked, with `LD_TRACE_LOADED_OBJECTS` as `ldd` does: see ld.so(8).
//! So search paths in the files, `$ORIGIN` and the host's cache are all honoured. In this mode the
//! loader runs no code of the files it looks at.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{Attempt, BuildError};
use super::interpreter::Interpreter;
use super::{layout, tree};

/// Libraries that glibc opens only when it needs them: to end a thread, and, before version 2.34,
/// to look up a user.
const OPENED_LATE: &str = "libgcc_s.so.1:libnss_files.so.2";

/// What the dynamic loader says of a file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Trace {
    /// The loader's own path, as the file names it.
    loader: Option<PathBuf>,
    /// Each library by the name it is asked for, with the file that was found.
    libraries: BTreeMap<String, PathBuf>,
}

/// Copies the dynamic loader and every library that the interpreter, the extension modules of its
/// standard library or the packages in `root` need from outside it. Returns the copied loader, the second program of an environment.
///
/// All go to the directory of the C library itself, which the loader searches without being told.
pub(super) fn collect(interpreter: &Interpreter, root: &Path) -> Result<PathBuf, BuildError> {
    let unsupported = || BuildError::UnsupportedLibrary(interpreter.executable.clone());
    let mut needed = trace(&interpreter.executable, None)?;
    let loader = needed.loader.take().ok_or_else(unsupported)?;
    let c_library = needed.libraries.get("libc.so.6").ok_or_else(unsupported)?;
    let directory = c_library.parent().ok_or_else(unsupported)?.to_owned();
    for module in extension_modules(interpreter, root)? {
        // The first one found wins: the interpreter's before its modules', theirs before packages'.
        for (name, file) in trace(&module, Some(&loader))?.libraries {
            if !file.starts_with(root) {
                needed.libraries.entry(name).or_insert(file);
            }
        }
    }
    let directory = layout::inside(root, directory);
    fs::create_dir_all(&directory).attempt("create", &directory)?;
    for (name, file) in &needed.libraries {
        tree::copy_file(file, &directory.join(name))?;
    }
    let copied_loader = layout::inside(root, &loader);
    if let Some(parent) = copied_loader.parent() {
        fs::create_dir_all(parent).attempt("create", parent)?;
    }
    tree::copy_file(&loader, &copied_loader)?;
    Ok(copied_loader)
}

/// Every extension module and bundled library. Those of the standard library are looked at where
/// they were installed, since they may look for libraries relative to that place.
fn extension_modules(interpreter: &Interpreter, root: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let mut modules = Vec::new();
    if let Some(extensions) = &interpreter.extensions {
        let copied = tree::files(&layout::inside(root, layout::PREFIX))?;
        let names = copied.iter().filter(|path| parent_is(path, "lib-dynload"));
        modules.extend(names.filter_map(|path| Some(extensions.join(path.file_name()?))));
    }
    let packages = tree::files(&layout::inside(root, layout::PACKAGES))?;
    modules.extend(packages.into_iter().filter(|path| is_shared_library(path)));
    modules.sort_by_key(|path| path.starts_with(root));
    Ok(modules)
}

fn parent_is(path: &Path, name: &str) -> bool {
    path.parent().and_then(Path::file_name) == Some(OsStr::new(name))
}

fn is_shared_library(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let named_so = path.extension() == Some(OsStr::new("so")) || name.contains(".so.");
    named_so && is_elf(path)
}

/// Whether a file is a program or library of this system.
fn is_elf(path: &Path) -> bool {
    let mut magic = [0; 4];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut magic))
        .is_ok()
        && &magic == b"\x7fELF"
}

/// Asks the loader what a file needs: a program finds its own loader, a library is handed to one.
fn trace(file: &Path, loader: Option<&Path>) -> Result<Trace, BuildError> {
    let mut command = Command::new(loader.unwrap_or(file));
    if loader.is_some() {
        command.arg(file).env_remove("LD_PRELOAD");
    } else {
        command.env("LD_PRELOAD", OPENED_LATE);
    }
    let output = command
        .env("LD_TRACE_LOADED_OBJECTS", "1")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .attempt("run", file)?;
    Ok(parse_trace(&String::from_utf8_lossy(&output.stdout)))
}

/// Reads the loader's answer. Libraries that were not found are left out: the module that needs
/// them does not work on the host either.
fn parse_trace(answer: &str) -> Trace {
    let mut trace = Trace::default();
    for line in answer.lines().map(str::trim) {
        let line = line.rsplit_once(" (0x").map_or(line, |(line, _)| line);
        let (name, file) = line.split_once(" => ").unwrap_or((line, line));
        if !file.starts_with('/') {
            continue;
        }
        if name.starts_with('/') {
            trace.loader.get_or_insert_with(|| PathBuf::from(name));
        } else if !name.contains('/') {
            trace.libraries.insert(name.to_owned(), PathBuf::from(file));
        }
    }
    trace
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(name: &str, file: &str) -> (String, PathBuf) {
        (name.to_owned(), PathBuf::from(file))
    }

    #[test]
    fn reads_a_programs_trace() {
        let answer = "\tlinux-vdso.so.1 (0x00007f985f3ba000)\n\
            \tlibpython3.11.so.1.0 => /opt/my python/lib/libpython3.11.so.1.0 (0x00007f985ec00000)\n\
            \tlibmissing.so.2 => not found\n\
            \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f985ea1e000)\n\
            \t/lib64/ld-linux-x86-64.so.2 (0x00007f985f3bc000)\n";
        let trace = parse_trace(answer);
        assert_eq!(
            trace.loader,
            Some(PathBuf::from("/lib64/ld-linux-x86-64.so.2"))
        );
        let expected = [
            library("libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6"),
            library(
                "libpython3.11.so.1.0",
                "/opt/my python/lib/libpython3.11.so.1.0",
            ),
        ];
        assert_eq!(trace.libraries, BTreeMap::from(expected));
    }

    #[test]
    fn the_loader_may_be_a_link_elsewhere() {
        let trace = parse_trace(
            "\t/lib64/ld-linux-x86-64.so.2 => /usr/lib64/ld-linux-x86-64.so.2 (0x00007f0000000000)\n",
        );
        assert_eq!(
            trace.loader,
            Some(PathBuf::from("/lib64/ld-linux-x86-64.so.2"))
        );
        assert!(trace.libraries.is_empty());
    }

    #[test]
    fn nothing_is_made_of_other_answers() {
        for answer in [
            "",
            "\tstatically linked\n",
            "Python 3.11.7\n",
            "usage: => what (0x",
        ] {
            assert_eq!(parse_trace(answer), Trace::default(), "{answer:?}");
        }
    }
}
