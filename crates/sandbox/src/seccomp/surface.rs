//! How many system calls a cell may make, and in how many forms, as docs/security.md tells it.

use std::{fs, path::Path};

use super::{cell_answers, cell_rules};

const BEGIN: &str = "<!-- surface: renewed by CELLBLOCK_UPDATE_DOCS=1 cargo test -p cellblock-sandbox surface -->\n";
const END: &str = "<!-- end of surface -->";
/// What the same count gave for revision 7a2d70c, before arguments were gone through.
const BEFORE: [usize; 4] = [135, 126, 24, 6];

/// Calls that are made; of these with any argument; forms of the arguments of the others; calls, or
/// arguments of calls, that are answered and not made.
fn figures() -> [usize; 4] {
    let forms = cell_rules().map(|rule| rule.when.alternatives().len());
    let (free, bound): (Vec<_>, Vec<_>) = forms.partition(|forms| *forms == 0);
    let answered = cell_answers()
        .iter()
        .map(|answer| answer.when.alternatives().len().max(1));
    [
        free.len() + bound.len(),
        free.len(),
        bound.iter().sum(),
        answered.sum(),
    ]
}

fn table() -> String {
    let [calls, free, forms, answered] = figures();
    let [calls_before, free_before, forms_before, answered_before] = BEFORE;
    format!(
        "| a cell on x86_64 | at 7a2d70c | now |\n|---|---|---|\n\
         | system calls that it may make | {calls_before} | {calls} |\n\
         | of these, with any argument | {free_before} | {free} |\n\
         | forms of arguments of the others | {forms_before} | {forms} |\n\
         | calls and forms that are answered and not made | {answered_before} | {answered} |\n"
    )
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_surface_in_the_documents_is_that_of_the_rules() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/security.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (shown, tail) = rest.split_once(END).unwrap();
    let expected = table();
    println!("{expected}");
    if std::env::var_os("CELLBLOCK_UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{head}{BEGIN}{expected}{END}{tail}")).unwrap();
        return;
    }
    assert!(
        shown == expected,
        "docs/security.md is not what the rules are: renew it with \
         CELLBLOCK_UPDATE_DOCS=1 cargo test -p cellblock-sandbox surface"
    );
}
