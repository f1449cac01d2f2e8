//! How an environment's interpreter is started where its root is not the root directory.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The dynamic loader and the directory of the libraries, both in the image. The loader's path is
/// part of the architecture's ABI; all libraries lie beside the C library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loader {
    /// `ld.so`: a program that takes the program to start.
    pub program: PathBuf,
    /// What it is to search.
    pub libraries: PathBuf,
}

#[cfg(target_arch = "x86_64")]
const LOADER: &str = "lib64/ld-linux-x86-64.so.2";
#[cfg(target_arch = "aarch64")]
const LOADER: &str = "lib/ld-linux-aarch64.so.1";
/// Where distributions have the C library, below `lib`, `lib64`, and the same in `usr`.
const C_LIBRARY: &str = "libc.so.6";

/// Finds them in a root image.
pub fn loader(root: &Path) -> Option<Loader> {
    let program = root.join(LOADER);
    let places = ["lib", "lib64", "usr/lib", "usr/lib64"].map(|place| root.join(place));
    let inner = places.iter().flat_map(fs::read_dir).flatten().flatten();
    let inner: Vec<_> = inner.map(|entry| entry.path()).collect();
    let mut all = places.iter().chain(&inner);
    let libraries = all.find(|place| place.join(C_LIBRARY).is_file())?.clone();
    program.is_file().then_some(Loader { program, libraries })
}
