//! `POST /execute`: what runs, with what, and what of it is answered.

mod arguments;
mod ending;
mod given;
mod main_function;
mod module;
mod program;
mod streams;

use cellblock_tests::{Report, Setup, matrix, run};

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let setup = setup
        .clone()
        .with_plain()
        .set("limits", "stdout_bytes", 1000);
    let tables = [
        main_function::cases(),
        arguments::cases(),
        program::cases(),
        ending::cases(),
        module::cases(),
        streams::cases(),
        given::cases(),
    ];
    run(&setup, report, tables.into_iter().flatten());
}
