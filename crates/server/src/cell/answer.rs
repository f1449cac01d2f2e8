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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: Token = Token([7; 16]);
    const BUDGET: Budget = Budget {
        result_bytes: 10,
        files_bytes: 10,
        files_count: 2,
    };

    fn packet(kind: Kind, payload: &[u8]) -> Vec<u8> {
        packet::encode(TOKEN, kind, payload)
    }

    #[test]
    fn parts_join_and_junk_is_dropped() {
        let mut answer = Answer::new(TOKEN, BUDGET);
        assert_eq!(
            answer.take(&packet(Kind::ResultPart, b"[1,")),
            Progress::More
        );
        assert_eq!(answer.take(b"junk"), Progress::More);
        assert_eq!(
            answer.take(&packet::encode(Token([8; 16]), Kind::ResultPart, b"9")),
            Progress::More
        );
        assert_eq!(
            answer.take(&packet(Kind::ResultPart, b"2]")),
            Progress::More
        );
        assert_eq!(answer.take(&packet(Kind::Done, b"")), Progress::Done);
        assert_eq!(answer.result().unwrap(), b"[1,2]");
        assert!(answer.error().is_none());
    }

    #[test]
    fn budgets_hold() {
        let mut answer = Answer::new(TOKEN, BUDGET);
        assert_eq!(
            answer.take(&packet(Kind::ResultPart, &[b'1'; 11])),
            Progress::Flooded
        );
        let head = |path: &str| {
            packet(
                Kind::FileHead,
                format!(r#"{{"path":"{path}","size":99}}"#).as_bytes(),
            )
        };
        assert_eq!(
            answer.take(&packet(Kind::FilePart, b"orphan")),
            Progress::More
        );
        assert_eq!(answer.take(&head("a")), Progress::More);
        assert_eq!(
            answer.take(&packet(Kind::FilePart, b"123456")),
            Progress::More
        );
        assert_eq!(answer.take(&head("b")), Progress::More);
        assert_eq!(
            answer.take(&packet(Kind::FilePart, b"12345")),
            Progress::Flooded
        );
        let files = answer.files();
        assert_eq!(
            files.iter().map(|file| file.size).collect::<Vec<_>>(),
            [6, 0]
        );
    }

    #[test]
    fn names_that_lead_out_are_dropped() {
        for path in ["a", "a/b", "..a", "a/...", "\\x"] {
            assert!(is_plain(path), "{path:?}");
        }
        for path in [
            "", ".", "..", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\0b",
        ] {
            assert!(!is_plain(path), "{path:?}");
        }
    }

    #[test]
    fn endless_junk_is_flooding() {
        let mut answer = Answer::new(TOKEN, BUDGET);
        let flooded = (0..=WASTE).find(|_| answer.take(b"junk") == Progress::Flooded);
        assert_eq!(flooded, Some(WASTE));
    }

    proptest! {
        #[test]
        fn nothing_grows_beyond_its_budget(
            packets in proptest::collection::vec((0u8..=0x20, proptest::collection::vec(any::<u8>(), 0..12)), 0..60)
        ) {
            let mut answer = Answer::new(TOKEN, BUDGET);
            for (kind, payload) in packets {
                let mut bytes = TOKEN.0.to_vec();
                bytes.push(kind);
                bytes.extend(payload);
                let _ = answer.take(&bytes);
            }
            prop_assert!(answer.result().unwrap_or_default().len() <= BUDGET.result_bytes);
            let files = answer.files();
            prop_assert!(files.len() <= 2 * BUDGET.files_count);
            prop_assert!(files.iter().map(|file| file.content.as_ref().map_or(0, Vec::len)).sum::<usize>() <= BUDGET.files_bytes);
        }
    }
}
