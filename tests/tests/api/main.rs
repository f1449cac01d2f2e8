//! The full API over real HTTP: one module per area.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, that is how to fail"
)]

use std::sync::atomic::{AtomicU32, Ordering};

use cellblock_tests::Setup;

mod batch;
mod collector;
mod described;
mod events;
mod fair;
mod hostile;
mod http2;
mod keys;
mod metrics;
mod negotiated;
mod once;
mod streaming;
mod traces;
mod wire;

/// A name for a process, by which it can be seen from the host.
fn new_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    format!("api{process}-{count}")
}

/// A server whose scripts may import what [`sleeper`] needs.
fn unrestricted(setup: &Setup) -> Setup {
    setup
        .clone()
        .set("environments.default", "restricted", "[]")
}

/// A script that takes a name, says so, and then sleeps for long.
fn sleeper(name: &str) -> String {
    format!(
        "import ctypes, time\ndef main():\n    ctypes.CDLL(None).prctl(15, b'{name}')\n    \
         print('there', flush=True)\n    time.sleep(50)\n"
    )
}

/// Says what was found where it is not what it should be.
fn expect(holds: bool, found: impl std::fmt::Debug) -> Result<(), String> {
    if holds {
        return Ok(());
    }
    Err(format!("found {found:?}"))
}
