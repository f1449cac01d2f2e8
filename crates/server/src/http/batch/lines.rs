//! How the results of a batch follow each other.

use tokio::sync::mpsc;

/// The form of a batch's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A JSON array, in the order of the request.
    Array,
    /// A line each, in the order of finishing.
    Lines,
}

/// The answer's text, piece by piece.
pub(super) struct Texts {
    form: Form,
    results: mpsc::Receiver<String>,
    sent: usize,
    ended: bool,
}

impl Form {
    pub(super) fn start(self, results: mpsc::Receiver<String>) -> Texts {
        Texts {
            form: self,
            results,
            sent: 0,
            ended: false,
        }
    }
}

impl Texts {
    /// The next piece; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<String> {
        if self.ended {
            return None;
        }
        let Some(result) = self.results.recv().await else {
            self.ended = true;
            return (self.form == Form::Array).then(|| "]".to_owned());
        };
        self.sent += 1;
        Some(match (self.form, self.sent) {
            (Form::Lines, _) => format!("{result}\n"),
            (Form::Array, 1) => format!("[{result}"),
            (Form::Array, _) => format!(",{result}"),
        })
    }
}
