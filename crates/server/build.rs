//! Lists the runner's files, so that the program carries them.
#![expect(
    clippy::expect_used,
    reason = "a build script ends with a message, as a panic does"
)]
use std::{
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let runner = manifest.join("../../runner/cellblock_runner");
    println!("cargo::rerun-if-changed={}", runner.display());
    let mut names: Vec<_> = fs::read_dir(&runner)
        .expect("runner/cellblock_runner is there")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "py")
        })
        .collect();
    names.sort();
    let mut code = String::from(
        "/// Every source file of the runner, by its name.\nconst RUNNER: &[(&str, &str)] = &[\n",
    );
    for name in names {
        let path = runner
            .join(&name)
            .canonicalize()
            .expect("it was just listed");
        writeln!(
            code,
            "    ({name:?}, include_str!({:?})),",
            path.to_string_lossy()
        )
        .expect("a String takes it");
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("runner.rs");
    fs::write(out, code).expect("OUT_DIR is writable");
}
