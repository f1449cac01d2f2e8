//! Scripts that mean harm: each ends in its named type, promptly, and the next request is answered
//! as if nothing had been.

mod bombs;
mod descriptors;
mod replaced;

use cellblock_tests::{Case, Report, Setup, matrix, run};

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let setup =
        setup
            .clone()
            .set("limits", "stdout_bytes", 1000)
            .set("limits", "stderr_bytes", 1000);
    let tables = [bombs::cases(), descriptors::cases(), replaced::cases()];
    let cases = tables.into_iter().flatten();
    run(
        &setup,
        report,
        cases.flat_map(|case| [case.or_within(15), after()]),
    );
}

/// The next request, on a machine that may still be clearing up.
fn after() -> Case {
    Case::new(
        "the next request",
        "import os\ndef main(x): return [x, os.listdir('/tmp')]",
    )
    .input("\"fine\"")
    .returns("[\"fine\",[]]")
    .within(10)
}
