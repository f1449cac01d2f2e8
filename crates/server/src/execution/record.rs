//! The full record of an execution: what `POST /v1/executions` answers and `cellblock run --json`
//! prints.

use std::time::Duration;

use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Failure, Outcome, OutputFile, Truncated, Usage};
use crate::engine::{LayerMode, LayerState};

/// The full record. Its fields are in the order in which they are shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Record)]
pub struct Record<'a> {
    /// Unique, and ordered by time: a UUID of version 7.
    pub id: Uuid,
    /// Whether there is a result.
    pub status: Status,
    /// What `main()` returned, or the value of a program's last expression; `null` where it failed.
    #[schema(value_type = Value)]
    pub result: Option<&'a RawValue>,
    /// What was written to descriptor 1.
    pub stdout: &'a str,
    /// What was written to descriptor 2.
    pub stderr: &'a str,
    /// What is not all here, since it went beyond its limit.
    pub truncated: &'a [Truncated],
    /// Why there is no result; `null` where there is one.
    pub error: Option<&'a Failure>,
    /// The files asked for.
    pub files: Vec<FileRecord<'a>>,
    /// The names in `output_files`, those without wildcards, that the run left no file of. Empty where
    /// the run was ended from outside, since nobody looked then.
    pub missing: &'a [String],
    /// What the run used.
    pub usage: UsageRecord,
    /// Name of the environment.
    pub environment: &'a str,
    /// The isolation layers, each `on`, `degraded` or `off`.
    #[serde(serialize_with = "by_name")]
    #[schema(value_type = BTreeMap<String, LayerMode>)]
    pub isolation: &'a [LayerState],
}

/// Whether there is a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// `main()` returned JSON.
    Succeeded,
    /// It did not, and `error.type` says why.
    Failed,
}

/// A file that the run left.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OutputFile)]
pub struct FileRecord<'a> {
    /// Relative to `/tmp`.
    pub path: &'a str,
    /// Size in bytes.
    pub size: u64,
    /// Guessed from the name's extension.
    pub media_type: String,
    /// The content in base64; `null` where it did not fit the budget.
    #[schema(value_type = Option<String>, content_encoding = "base64")]
    pub content: Option<Base64<'a>>,
}

/// Bytes that are shown in base64, with padding.
#[derive(Debug, Clone, Copy)]
pub struct Base64<'a>(pub &'a [u8]);

/// What the run used, in units for a person. `null` where nothing could tell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = Usage)]
pub struct UsageRecord {
    /// From the job's start to its answer, in milliseconds.
    pub wall_ms: f64,
    /// CPU time of all the cell's processes, in milliseconds.
    pub cpu_ms: Option<f64>,
    /// Peak of the memory that the run added, in bytes.
    pub peak_memory_bytes: Option<u64>,
    /// From the request's arrival to the job's start, in milliseconds.
    pub queue_ms: f64,
}

impl<'a> Record<'a> {
    /// The record of `outcome`, with a new id.
    pub fn new(outcome: &'a Outcome, environment: &'a str, isolation: &'a [LayerState]) -> Self {
        let result = outcome.result.as_ref();
        Self {
            id: Uuid::now_v7(),
            status: match result {
                Ok(_) => Status::Succeeded,
                Err(_) => Status::Failed,
            },
            result: result.ok().map(|value| &**value),
            stdout: &outcome.stdout,
            stderr: &outcome.stderr,
            truncated: &outcome.truncated,
            error: result.err(),
            files: outcome.files.iter().map(FileRecord::from).collect(),
            missing: &outcome.missing,
            usage: outcome.usage.into(),
            environment,
            isolation,
        }
    }
}

impl<'a> From<&'a OutputFile> for FileRecord<'a> {
    fn from(file: &'a OutputFile) -> Self {
        let media_type = mime_guess::from_path(&file.path).first_or_octet_stream();
        Self {
            path: &file.path,
            size: file.size,
            media_type: media_type.essence_str().to_owned(),
            content: file.content.as_deref().map(Base64),
        }
    }
}

impl From<Usage> for UsageRecord {
    fn from(usage: Usage) -> Self {
        Self {
            wall_ms: milliseconds(usage.wall),
            cpu_ms: usage.cpu.map(milliseconds),
            peak_memory_bytes: usage.peak_memory_bytes,
            queue_ms: milliseconds(usage.queue + usage.start),
        }
    }
}

/// Milliseconds with one decimal: what is measured is not more exact.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&Base64Display::new(self.0, &STANDARD))
    }
}

fn by_name<S: Serializer>(layers: &[LayerState], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(layers.iter().map(|layer| (&layer.name, layer.state)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::LayerMode, execution::ErrorType};

    fn shown(outcome: &Outcome) -> String {
        let isolation = ["namespaces", "seccomp"].map(|name| LayerState {
            name: name.to_owned(),
            state: LayerMode::On,
            reason: None,
        });
        let mut record = Record::new(outcome, "default", &isolation);
        record.id = Uuid::nil();
        serde_json::to_string_pretty(&record).unwrap()
    }

    #[test]
    fn a_success_is_shown_in_full() {
        let outcome = Outcome {
            result: Ok(
                RawValue::from_string("{\"b\":123456789012345678901234567890}".into()).unwrap(),
            ),
            stdout: "hi\n".into(),
            stderr: String::new(),
            truncated: vec![Truncated::Stdout, Truncated::Files],
            files: vec![
                OutputFile {
                    path: "a/plot.png".into(),
                    size: 2,
                    content: Some(vec![0, 255]),
                },
                OutputFile {
                    path: "big".into(),
                    size: 9_000_000,
                    content: None,
                },
            ],
            missing: vec!["report.pdf".into()],
            usage: Usage {
                wall: Duration::from_micros(3_149),
                cpu: Some(Duration::from_millis(2)),
                peak_memory_bytes: Some(5_242_880),
                queue: Duration::from_micros(40),
                start: Duration::from_micros(20),
                collect: Duration::from_millis(1),
            },
        };
        let expected = r#"{
  "id": "00000000-0000-0000-0000-000000000000",
  "status": "succeeded",
  "result": {"b":123456789012345678901234567890},
  "stdout": "hi\n",
  "stderr": "",
  "truncated": [
    "stdout",
    "files"
  ],
  "error": null,
  "files": [
    {
      "path": "a/plot.png",
      "size": 2,
      "media_type": "image/png",
      "content": "AP8="
    },
    {
      "path": "big",
      "size": 9000000,
      "media_type": "application/octet-stream",
      "content": null
    }
  ],
  "missing": [
    "report.pdf"
  ],
  "usage": {
    "wall_ms": 3.1,
    "cpu_ms": 2.0,
    "peak_memory_bytes": 5242880,
    "queue_ms": 0.1
  },
  "environment": "default",
  "isolation": {
    "namespaces": "on",
    "seccomp": "on"
  }
}"#;
        assert_eq!(shown(&outcome), expected);
    }

    #[test]
    fn a_failure_is_a_record_too() {
        let mut failure = Failure::new(ErrorType::Exited, "the script exited with code 3");
        failure.exit_code = Some(3);
        let outcome = Outcome {
            result: Err(failure),
            stdout: String::new(),
            stderr: String::new(),
            truncated: Vec::new(),
            files: Vec::new(),
            missing: Vec::new(),
            usage: Usage::default(),
        };
        let shown: serde_json::Value = serde_json::from_str(&shown(&outcome)).unwrap();
        assert_eq!(shown["status"], "failed");
        assert_eq!(shown["result"], serde_json::Value::Null);
        assert_eq!(
            shown["error"],
            serde_json::json!({"type": "exited", "message": "the script exited with code 3", "exit_code": 3})
        );
    }
}
