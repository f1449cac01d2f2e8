//! The environment variables of a cell. A script's own are added per run.
//!
//! Scripts see them, and plain Python would not have them, so they are few.

/// One variable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) value: &'static str,
    /// For the documentation, whose table is made of this one.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the test of the page"))]
    pub(super) why: &'static str,
}

const fn variable(name: &'static str, value: &'static str, why: &'static str) -> Variable {
    Variable { name, value, why }
}

const THREADS: &str = "a thread that is started by an import could not be forked with a zygote";

/// What every cell has.
const ALWAYS: &[Variable] = &[
    variable("HOME", "/tmp", "the only directory that can be written"),
    variable("TMPDIR", "/tmp", "the same, for temporary files"),
    variable("LANG", "C.UTF-8", "texts and file names are UTF-8"),
    variable("LC_ALL", "C.UTF-8", "the same"),
    variable("PATH", "/python/bin", "where the interpreter is"),
    variable("TZ", "UTC", "the machine's time zone is its own affair"),
    variable("USER", "cell", "what `getpass.getuser()` says"),
    variable(
        "PYTHONDONTWRITEBYTECODE",
        "1",
        "no `__pycache__` among the output files",
    ),
    variable("OPENBLAS_NUM_THREADS", "1", THREADS),
    variable("OMP_NUM_THREADS", "1", THREADS),
    variable("MKL_NUM_THREADS", "1", THREADS),
    variable("NUMEXPR_NUM_THREADS", "1", THREADS),
    variable(
        "JE_ARROW_MALLOC_CONF",
        "background_thread:false",
        "the same, of pyarrow's allocator",
    ),
    variable(
        "_RJEM_MALLOC_CONF",
        "background_thread:false",
        "the same, of polars and other programs in Rust that have jemalloc",
    ),
    variable(
        "MPLBACKEND",
        "Agg",
        "there is no display; figures are drawn into files",
    ),
    variable(
        "POLARS_SKIP_CPU_CHECK",
        "1",
        "the check runs machine code of its own making, and polars does not import without it",
    ),
];

/// What cells have besides where memory cannot become executable, so that libraries do without.
const WITHOUT_EXECUTABLE_MEMORY: &[Variable] = &[
    variable(
        "NUMBA_DISABLE_JIT",
        "1",
        "functions run as plain Python, instead of ending the process when they are compiled",
    ),
    variable(
        "TORCHDYNAMO_DISABLE",
        "1",
        "`torch.compile` returns what it is given, instead of starting a compiler",
    ),
];

/// Those of a cell; `jit`: its memory may become executable.
pub(super) fn of_cell(jit: bool) -> impl Iterator<Item = &'static Variable> {
    let without = if jit { &[] } else { WITHOUT_EXECUTABLE_MEMORY };
    ALWAYS.iter().chain(without)
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write, fs, path::Path};

    use super::*;

    const BEGIN: &str = "<!-- Variables: made of crates/server/src/wall/variables.rs. -->\n";
    const END: &str = "<!-- end of variables -->";

    #[test]
    fn the_page_has_every_variable_and_its_reason() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
        let page = fs::read_to_string(&path).unwrap();
        let (head, rest) = page.split_once(BEGIN).unwrap();
        let (shown, tail) = rest.split_once(END).unwrap();
        let mut table = "\n| variable | value | why |\n|---|---|---|\n".to_owned();
        for Variable { name, value, why } in of_cell(false) {
            writeln!(table, "| `{name}` | `{value}` | {why} |").unwrap();
        }
        table.push('\n');
        if std::env::var_os("CELLBLOCK_UPDATE_DOCS").is_some() {
            fs::write(&path, format!("{head}{BEGIN}{table}{END}{tail}")).unwrap();
            return;
        }
        assert!(
            shown == table,
            "docs/configuration.md is not what the variables are: renew it with \
             CELLBLOCK_UPDATE_DOCS=1 cargo test -p cellblock variable"
        );
    }
}
