//! The steps of a build, in order.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::error::{Attempt, BuildError};
use super::interpreter::Interpreter;
use super::progress::Progress;
use super::{
    Environment, EnvironmentSpec, Requirements, bytecode, filter, layout, libraries, packages,
    relocate, tree,
};

/// Fills an empty directory with an environment's files.
pub(super) fn fill(
    spec: &EnvironmentSpec,
    interpreter: &Interpreter,
    fingerprint: String,
    directory: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Environment, BuildError> {
    let root = directory.join("root");
    layout::lay_out(&root)?;

    progress(Progress::CopyingInterpreter {
        python: interpreter.version.clone(),
    });
    let standard_library = copy_interpreter(interpreter, &root)?;

    add_packages(spec, interpreter, directory, &root, progress)?;
    let package_dir = layout::inside(&root, layout::PACKAGES);
    let packages = packages::list(&package_dir)?;

    progress(Progress::CollectingLibraries);
    let loader = libraries::collect(interpreter, &root)?;
    relocate::relocate(
        &layout::inside(&root, &standard_library),
        &interpreter.prefix,
    )?;

    progress(Progress::Compiling);
    bytecode::compile(
        interpreter,
        &root,
        &[layout::inside(&root, &standard_library), package_dir],
    )?;

    let programs = [layout::inside(&root, layout::PYTHON), loader];
    let size_bytes = tree::seal(&root, &programs)?;
    Ok(Environment {
        name: spec.name.clone(),
        root,
        python: interpreter.version.clone(),
        implementation: interpreter.implementation.clone(),
        machine: interpreter.machine.clone(),
        standard_library,
        packages,
        fingerprint,
        size_bytes,
        built_at: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| time.as_secs()),
    })
}

/// Copies the interpreter and its standard library to where it finds them by itself: see
/// <https://docs.python.org/3/library/sys_path_init.html>. Returns the library's path inside.
fn copy_interpreter(interpreter: &Interpreter, root: &Path) -> Result<PathBuf, BuildError> {
    let program = layout::inside(root, layout::PYTHON);
    if let Some(parent) = program.parent() {
        fs::create_dir_all(parent).attempt("create", parent)?;
    }
    tree::copy_file(&interpreter.executable, &program)?;

    let name = interpreter.standard_library.file_name().unwrap_or_default();
    let inside = Path::new(layout::PREFIX)
        .join(&interpreter.library_dir)
        .join(name);
    let target = layout::inside(root, &inside);
    tree::copy(
        &interpreter.standard_library,
        &target,
        &filter::keep_standard,
    )?;
    // Usually below the standard library already; a landmark, so it must be there.
    let extensions = target.join("lib-dynload");
    fs::create_dir_all(&extensions).attempt("create", &extensions)?;
    if let Some(source) = &interpreter.extensions
        && !source.starts_with(&interpreter.standard_library)
    {
        let below = |path: &Path| filter::keep_standard(&Path::new("lib-dynload").join(path));
        tree::copy(source, &extensions, &below)?;
    }
    Ok(inside)
}

fn add_packages(
    spec: &EnvironmentSpec,
    interpreter: &Interpreter,
    directory: &Path,
    root: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), BuildError> {
    let target = layout::inside(root, layout::PACKAGES);
    match &spec.requirements {
        Requirements::None => Ok(()),
        Requirements::Installed => {
            progress(Progress::InstallingPackages);
            packages::copy_installed(interpreter, &target)
        }
        Requirements::Text(text) => {
            progress(Progress::InstallingPackages);
            let scratch = directory.join("scratch");
            fs::create_dir(&scratch).attempt("create", &scratch)?;
            packages::install(interpreter, text, &scratch, &target, progress)?;
            fs::remove_dir_all(&scratch).attempt("delete", &scratch)
        }
    }
}
