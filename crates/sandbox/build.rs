//! Compiles `init/main.rs`, pid 1 of every cell, into a static executable of a few KiB.
//!
//! It is its own program without the standard library, because it has to replace the zygote's
//! memory by as little as possible; and it is built here, not as a workspace member, because such a
//! program needs `panic=abort`, which cargo can set per profile only.
#![expect(
    clippy::expect_used,
    reason = "a build script ends with a message, as a panic does"
)]
use std::{env, path::PathBuf, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=init/main.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("init");
    let status = Command::new(env::var_os("RUSTC").expect("cargo sets RUSTC"))
        .args([
            "--edition=2024",
            "--crate-type=bin",
            "--crate-name=init",
            "init/main.rs",
        ])
        .args(["--target", &env::var("TARGET").expect("cargo sets TARGET")])
        .args([
            "-Copt-level=s",
            "-Cpanic=abort",
            "-Cstrip=symbols",
            "-Crelocation-model=static",
        ])
        .args([
            "-Clink-arg=-nostartfiles",
            "-Clink-arg=-nostdlib",
            "-Clink-arg=-static",
        ])
        .args([
            "-Clink-arg=-Wl,--build-id=none",
            "-Clink-arg=-Wl,-z,noseparate-code",
        ])
        .arg("-o")
        .arg(&out)
        .status()
        .expect("rustc starts");
    assert!(status.success(), "init/main.rs does not compile");
}
