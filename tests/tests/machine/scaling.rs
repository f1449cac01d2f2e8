//! The tables of `docs/scaling.md` are what the simulation makes of the figures beside it.

use std::{path::Path, process::Command};

use cellblock_tests::first_python;

const DOCUMENT: &str = include_str!("../../../docs/scaling.md");

#[test]
fn the_table_is_the_simulations() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bench/scaling.py");
    let made = Command::new(first_python())
        .arg(script)
        .output()
        .expect("Python runs");
    assert!(made.status.success(), "{made:?}");
    let table = String::from_utf8(made.stdout).expect("UTF-8");
    assert!(table.lines().count() > 4, "{table}");
    assert!(DOCUMENT.contains(&table), "docs/scaling.md lacks:\n{table}");
}
