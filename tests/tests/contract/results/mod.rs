//! The result: strict JSON, or `result_not_json` with the place and the remedy.

mod encoded;
mod refused;

use cellblock_tests::{Report, Setup, matrix, run};

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    run(
        setup,
        report,
        encoded::cases().into_iter().chain(refused::cases()),
    );
}
