//! Files to lay down before the script starts, and globs of those to return.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cellblock_wire::job::JobFile;

use super::{InvalidRequest, quoted};
use crate::{config::LimitsConfig, execution::FileDraft};

/// Longest path in bytes, as in Linux.
const MAX_PATH: usize = 4096;
/// Longest part of a path in bytes, as in Linux.
const MAX_PART: usize = 255;
/// Most globs of one request.
const MAX_GLOBS: usize = 64;

/// What a path stands for in the tree that the files make, and the index of the file it came from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    File(usize),
    Directory(usize),
}

/// Checks that the files can be laid down as asked, and how large they are in all.
pub(super) fn check_files(
    drafts: Vec<FileDraft>,
    rules: &LimitsConfig,
) -> Result<Vec<JobFile>, InvalidRequest> {
    let mut tree = BTreeMap::new();
    let mut total = 0;
    for (index, draft) in drafts.iter().enumerate() {
        let field = format!("files[{index}].path");
        check_path(&draft.path).map_err(|problem| InvalidRequest::field(&field, problem))?;
        plant(&mut tree, index, &draft.path)
            .map_err(|clash| InvalidRequest::field(&field, clash))?;
        total += content_len(index, draft)?;
        if total > rules.files_bytes {
            let most = rules.files_bytes;
            let problem = format!("more than this server's maximum of {most} bytes in all");
            return Err(InvalidRequest::field("files", problem));
        }
        if tree.len() as u64 > rules.files_count.into() {
            let most = rules.files_count;
            let problem =
                format!("more than this server's maximum of {most} files and directories");
            return Err(InvalidRequest::field("files", problem));
        }
    }
    let files = drafts.into_iter().map(|draft| JobFile {
        path: draft.path,
        text: draft.text,
        content: draft.content,
    });
    Ok(files.collect())
}

/// Checks that the globs cannot reach out of the directory.
pub(super) fn check_globs(globs: &[String]) -> Result<(), InvalidRequest> {
    if globs.len() > MAX_GLOBS {
        let problem = format!("{} globs, above the maximum of {MAX_GLOBS}", globs.len());
        return Err(InvalidRequest::field("output_files", problem));
    }
    for (index, glob) in globs.iter().enumerate() {
        check_path(glob)
            .map_err(|problem| InvalidRequest::field(format!("output_files[{index}]"), problem))?;
    }
    Ok(())
}

/// A relative path in its plain form, so that two paths are one file only if they are equal.
fn check_path(path: &str) -> Result<(), String> {
    let problem = if path.is_empty() {
        "is empty"
    } else if path.len() > MAX_PATH {
        return Err(format!("is longer than {MAX_PATH} bytes"));
    } else if path.contains('\0') {
        "holds a NUL character"
    } else if path.starts_with('/') {
        "is absolute; it has to be relative to /tmp"
    } else if path.split('/').any(str::is_empty) {
        "has an empty part; write it without '//' and without '/' at the end"
    } else if path.split('/').any(|part| part == "..") {
        "holds '..'"
    } else if path.split('/').any(|part| part == ".") {
        "holds '.' as a part; leave it out"
    } else if path.split('/').any(|part| part.len() > MAX_PART) {
        return Err(format!("has a part longer than {MAX_PART} bytes"));
    } else {
        return Ok(());
    };
    Err(problem.to_owned())
}

/// Adds a file and its directories to the tree, or says with which file it clashes.
fn plant<'a>(
    tree: &mut BTreeMap<&'a str, Node>,
    index: usize,
    path: &'a str,
) -> Result<(), String> {
    for (slash, _) in path.match_indices('/') {
        let directory = &path[..slash];
        if let Node::File(other) = *tree.entry(directory).or_insert(Node::Directory(index)) {
            return Err(format!(
                "{} is a directory here, but files[{other}] is a file of that name",
                quoted(directory)
            ));
        }
    }
    match tree.insert(path, Node::File(index)) {
        None => Ok(()),
        Some(Node::File(other)) => Err(format!("is the same as files[{other}].path")),
        Some(Node::Directory(other)) => Err(format!(
            "is a directory for files[{other}], so it cannot be a file"
        )),
    }
}

/// Length in bytes of the content, which is given in exactly one way.
fn content_len(index: usize, draft: &FileDraft) -> Result<u64, InvalidRequest> {
    let len = match (&draft.text, &draft.content) {
        (Some(text), None) => text.len(),
        (None, Some(content)) => decoded_len(content)
            .map_err(|problem| InvalidRequest::field(format!("files[{index}].content"), problem))?,
        (Some(_), Some(_)) => {
            let problem = "has both \"text\" and \"content\"; give one";
            return Err(InvalidRequest::field(format!("files[{index}]"), problem));
        }
        (None, None) => {
            let problem = "needs \"content\" (base64) or \"text\"";
            return Err(InvalidRequest::field(format!("files[{index}]"), problem));
        }
    };
    Ok(len as u64)
}

/// Length of what the base64 text decodes to: the standard alphabet, with its padding.
fn decoded_len(content: &str) -> Result<usize, String> {
    let decoded = STANDARD.decode(content);
    Ok(decoded
        .map_err(|error| format!("is not base64: {error}"))?
        .len())
}
