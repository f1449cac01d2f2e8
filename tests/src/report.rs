//! What went wrong, collected: a suite says all of it, not the first.

use std::fmt::Display;

/// The mismatches of a suite.
#[derive(Debug, Default)]
pub struct Report {
    context: String,
    passed: usize,
    mismatches: Vec<String>,
    said: usize,
}

impl Report {
    /// Says under which circumstances what follows is found.
    pub fn enter(&mut self, context: String) {
        self.context = context;
    }

    /// Takes the result of one check.
    pub fn add(&mut self, name: impl Display, result: Result<(), String>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(problem) => {
                let place = &self.context;
                self.mismatches.push(format!("[{place}] {name}: {problem}"));
            }
        }
    }

    /// Checks that something holds.
    pub fn check(&mut self, name: impl Display, holds: bool, problem: impl Display) {
        let result = if holds {
            Ok(())
        } else {
            Err(problem.to_string())
        };
        self.add(name, result);
    }

    /// Checks that failed so far.
    pub fn failed(&self) -> usize {
        self.mismatches.len()
    }

    /// Says how far a long suite is, and what failed since it last said so.
    #[allow(
        clippy::print_stdout,
        reason = "a test's output is shown where it is asked for"
    )]
    pub fn say(&mut self, text: impl Display) {
        println!("[{}] {text}", self.context);
        for problem in &self.mismatches[self.said..] {
            println!("{problem}");
        }
        self.said = self.mismatches.len();
    }

    /// Fails the test if anything was wrong.
    pub fn finish(self) {
        let (bad, good) = (self.mismatches.len(), self.passed);
        #[allow(
            clippy::print_stdout,
            reason = "a test's output is shown where it is asked for"
        )]
        {
            println!("{good} checks passed, {bad} failed");
        }
        assert!(
            bad == 0,
            "{bad} of {} checks failed:\n\n{}\n",
            bad + good,
            self.mismatches.join("\n\n")
        );
    }
}
