//! Drives a real `cellblock serve` with a real nsjail through real HTTP, and says in one report
//! what did not come out as the contract has it.
//!
//! A suite is a table of [`Case`]s. [`matrix!`] runs it for each engine, and within that for each
//! interpreter, with one server for all cases of the table.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "in a test, that is how to fail"
)]

mod answer;
mod case;
mod confined;
mod expect;
mod http;
mod process;
mod program;
mod report;
mod script;
mod server;
mod setting;

pub use answer::Answer;
pub use case::Case;
pub use confined::built as built_environment;
pub use expect::{Failure, Text, is_error};
pub use http::{Client, raw};
pub use process::{children, eventually, named, now_within};
pub use program::{Finished, Program};
pub use report::Report;
pub use script::{dedent, quoted};
pub use server::{Server, Setup};
pub use setting::{Engine, first_python, pythons, slowness, state_dir};

/// Runs a suite for each engine: makes the tests `warm` and `cold` of a function that takes a
/// server's [`Setup`] and the [`Report`].
#[macro_export]
macro_rules! matrix {
    ($suite:path) => {
        #[test]
        fn warm() {
            $crate::each_python($crate::Engine::Warm, $suite);
        }

        #[test]
        fn cold() {
            $crate::each_python($crate::Engine::Cold, $suite);
        }
    };
}

/// Runs a suite with each interpreter, and fails with all that was reported.
pub fn each_python(engine: Engine, suite: fn(&Setup, &mut Report)) {
    let mut report = Report::default();
    for python in pythons() {
        report.enter(format!("{engine}, {}", python.display()));
        suite(&Setup::new(engine, &python), &mut report);
    }
    report.finish();
}

/// Runs a table of cases on one server.
pub fn run(setup: &Setup, report: &mut Report, cases: impl IntoIterator<Item = Case>) {
    let server = setup.start();
    for case in cases {
        case.run(&server, report);
    }
    server.stop(report);
}
