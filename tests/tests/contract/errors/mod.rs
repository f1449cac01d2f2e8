//! Each `error.type` of a script that was run: its message, place, traceback and other fields.

mod ends;
mod exceptions;
mod hints;
mod imports;
mod libraries;
mod limits;
mod syntax;

use cellblock_tests::{Report, Setup, matrix, run};

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let setup = setup
        .clone()
        .with_plain()
        .set("limits", "result_bytes", 100_000);
    let tables = [
        syntax::cases(),
        exceptions::cases(),
        libraries::cases(),
        imports::cases(),
        hints::cases(),
        ends::cases(),
        limits::cases(),
    ];
    run(&setup, report, tables.into_iter().flatten());
}
