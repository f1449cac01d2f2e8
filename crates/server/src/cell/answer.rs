//! Puts a cell's packets together into an answer, within budgets.

use cellblock_wire::{
    packet::{self, Kind, Token},
    report::{CellError, FileHead, MAX_ERROR_DOCUMENT, MAX_FILE_HEAD},
};

use crate::execution::OutputFile;

/// How much an answer may hold.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Bytes of the encoded result.
    pub result_bytes: usize,
    /// Bytes of all files together.
    pub files_bytes: usize,
    /// Number of files.
    pub files_count: usize,
}

/// Packets that a run may waste, by sending what is not part of an answer, before it counts as
/// flooding the channel.
const WASTE: usize = 100_000;

/// What has come so far.
#[derive(Debug)]
pub struct Answer {
    token: Token,
    budget: Budget,
    result: Vec<u8>,
    error: Vec<u8>,
    files: Vec<OutputFile>,
    file_bytes: usize,
    /// More files were announced than are listed.
    unlisted: bool,
    wasted: usize,
    started: bool,
}

/// What to do after a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Wait for the next.
    More,
    /// The answer is complete.
    Done,
    /// More came than any honest answer holds.
    Flooded,
}

impl Answer {
    /// Waits for packets that carry `token`.
    pub fn new(token: Token, budget: Budget) -> Self {
        Self {
            token,
            budget,
            result: Vec::new(),
            error: Vec::new(),
            files: Vec::new(),
            file_bytes: 0,
            unlisted: false,
            wasted: 0,
            started: false,
        }
    }

    /// Takes one packet.
    pub fn take(&mut self, packet: &[u8]) -> Progress {
        let Ok((kind, payload)) = packet::decode(packet, self.token) else {
            return self.waste();
        };
        match kind {
            Kind::ResultPart => append(&mut self.result, payload, self.budget.result_bytes),
            Kind::Result => match append(&mut self.result, payload, self.budget.result_bytes) {
                Progress::More => Progress::Done,
                other => other,
            },
            Kind::ErrorPart => append(&mut self.error, payload, MAX_ERROR_DOCUMENT),
            Kind::FileHead => self.file_head(payload),
            Kind::FilePart => self.file_part(payload),
            Kind::Started if !self.started => {
                self.started = true;
                Progress::More
            }
            Kind::Done => Progress::Done,
            Kind::JobHead | Kind::JobPart | Kind::Ready | Kind::Started | Kind::SetupFailed => {
                self.waste()
            }
        }
    }

    fn waste(&mut self) -> Progress {
        self.wasted += 1;
        if self.wasted > WASTE {
            Progress::Flooded
        } else {
            Progress::More
        }
    }

    fn file_head(&mut self, payload: &[u8]) -> Progress {
        let head = (payload.len() <= MAX_FILE_HEAD)
            .then(|| serde_json::from_slice::<FileHead>(payload).ok())
            .flatten();
        // A client may write files by these names, so none may lead out of its directory.
        let Some(head) = head.filter(|head| is_plain(&head.path)) else {
            return self.waste();
        };
        // Omitted files are listed too, so their number needs a limit of its own.
        if self.files.len() >= self.budget.files_count.saturating_mul(2) {
            self.unlisted = true;
            return self.waste();
        }
        let content = (!head.omitted).then(Vec::new);
        self.files.push(OutputFile {
            path: head.path,
            size: head.size,
            content,
        });
        Progress::More
    }

    fn file_part(&mut self, payload: &[u8]) -> Progress {
        let Some(OutputFile {
            content: Some(content),
            ..
        }) = self.files.last_mut()
        else {
            return self.waste();
        };
        self.file_bytes += payload.len();
        if self.file_bytes > self.budget.files_bytes {
            return Progress::Flooded;
        }
        content.extend_from_slice(payload);
        Progress::More
    }

    /// The result's text, if any part of one came.
    pub fn result(&mut self) -> Option<Vec<u8>> {
        (!self.result.is_empty()).then(|| std::mem::take(&mut self.result))
    }

    /// Whether the script has started: before, all that came was the runner's own.
    pub fn started(&self) -> bool {
        self.started
    }

    /// The error, if a readable one came.
    pub fn error(&self) -> Option<CellError> {
        serde_json::from_slice(&self.error).ok()
    }

    /// Whether a file is not listed, or its content is not here.
    pub fn has_cut_files(&self) -> bool {
        self.unlisted || self.files.iter().any(|file| file.content.is_none())
    }

    /// Which of the files that were wanted by name did not come. Unknown, and so none, where not all
    /// are listed.
    pub fn missing(&self, wanted: &[String]) -> Vec<String> {
        let came = |name: &String| self.files.iter().any(|file| file.path == *name);
        let lacking = wanted.iter().filter(|name| !self.unlisted && !came(name));
        lacking.cloned().collect()
    }

    /// The files; each one's size is that of what came, whatever its head said.
    pub fn files(&mut self) -> Vec<OutputFile> {
        let mut files = std::mem::take(&mut self.files);
        for file in &mut files {
            if let Some(content) = &file.content {
                file.size = content.len() as u64;
            }
        }
        files
    }
}

/// Whether a path is relative and made of names alone, as the runner's always are.
fn is_plain(path: &str) -> bool {
    !path.contains('\0') && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
}

fn append(to: &mut Vec<u8>, payload: &[u8], limit: usize) -> Progress {
    if to.len() + payload.len() > limit {
        return Progress::Flooded;
    }
    to.extend_from_slice(payload);
    Progress::More
}

#[cfg(test)]
mod tests;
