//! Files to and from a run.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::CliError;
use crate::execution::{FileDraft, OutputFile};

/// Reads what is to be laid down, each with its path there.
pub(super) fn read(files: Vec<(String, PathBuf)>) -> Result<Vec<FileDraft>, CliError> {
    let read = |(path, file): (String, PathBuf)| {
        let content = fs::read(&file).map_err(|source| CliError::Read { path: file, source })?;
        Ok(FileDraft {
            path,
            text: None,
            content: Some(STANDARD.encode(content)),
        })
    };
    files.into_iter().map(read).collect()
}

/// Puts what came back below `directory`, and says what did not fit.
pub(super) fn write(files: &[OutputFile], directory: &Path) -> Result<(), CliError> {
    for file in files {
        let path = below(directory, &file.path)?;
        let Some(content) = &file.content else {
            let (name, size) = (&file.path, file.size);
            let text = format!("cellblock: {name}: its {size} bytes are more than is returned\n");
            crate::cli::terminal::print_error(&text)?;
            continue;
        };
        let parent = path.parent().map_or(Ok(()), fs::create_dir_all);
        let written = parent.and_then(|()| fs::write(&path, content));
        written.map_err(|source| CliError::Read { path, source })?;
    }
    Ok(())
}

/// The script chose the path: it may not lead out of the directory.
fn below(directory: &Path, path: &str) -> Result<PathBuf, CliError> {
    let mut parts = Path::new(path).components();
    if path.is_empty() || !parts.all(|part| matches!(part, Component::Normal(_))) {
        let problem = format!("{path:?} is no path for a returned file");
        return Err(CliError::Fault(problem));
    }
    Ok(directory.join(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returned_files_stay_below_their_directory() {
        let directory = tempfile::tempdir().unwrap();
        let file = |path: &str| OutputFile {
            path: path.to_owned(),
            size: 1,
            content: Some(vec![0]),
        };
        write(&[file("a/b")], directory.path()).unwrap();
        assert_eq!(fs::read(directory.path().join("a/b")).unwrap(), [0]);
        for bad in ["../x", "/x", "a/../../x", ""] {
            assert!(write(&[file(bad)], directory.path()).is_err(), "{bad}");
        }
    }
}
