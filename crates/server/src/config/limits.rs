//! What one execution may use.

use super::{ConfigError, options::options};

options! {
    /// What one execution may use: defaults and maxima of what a request may set, and caps that
    /// hold for all. An environment may have its own.
    LimitsConfig from LimitsOptions, ["limits"], "Limits of one execution";
    default_timeout_ms: u64 = 10_000, in 1..=86_400_000;
        "default-timeout-ms", "CELLBLOCK_DEFAULT_TIMEOUT_MS",
        "Wall clock in milliseconds where a request sets none; CPU time follows it.";
    max_timeout_ms: u64 = 60_000, in 1..=86_400_000;
        "max-timeout-ms", "CELLBLOCK_MAX_TIMEOUT_MS",
        "Largest wall clock, and largest CPU time, in milliseconds that a request may set.";
    default_memory_mb: u64 = 256, in 1..=1_048_576;
        "default-memory-mb", "CELLBLOCK_DEFAULT_MEMORY_MB",
        "Memory in MiB that a run may add where a request sets none.";
    max_memory_mb: u64 = 1024, in 1..=1_048_576;
        "max-memory-mb", "CELLBLOCK_MAX_MEMORY_MB",
        "Largest memory in MiB that a request may set.";
    processes: u32 = 64, in 1..=32_768;
        "processes", "CELLBLOCK_PROCESSES", "Processes and threads of one run.";
    script_bytes: u64 = 1_048_576, in 1..=67_108_864;
        "script-bytes", "CELLBLOCK_SCRIPT_BYTES", "Longest script in bytes.";
    files_bytes: u64 = 8_388_608, in 0..=1_073_741_824;
        "files-bytes", "CELLBLOCK_FILES_BYTES", "Bytes of all files of a request together, decoded.";
    files_count: u32 = 1024, in 0..=1_000_000;
        "files-count", "CELLBLOCK_FILES_COUNT",
        "Files of a request and the directories they need, counted together.";
    stdout_bytes: u64 = 4_194_304, in 0..=1_073_741_824;
        "stdout-bytes", "CELLBLOCK_STDOUT_BYTES", "Bytes kept of standard output; more is dropped.";
    stderr_bytes: u64 = 4_194_304, in 0..=1_073_741_824;
        "stderr-bytes", "CELLBLOCK_STDERR_BYTES", "Bytes kept of standard error; more is dropped.";
    result_bytes: u64 = 8_388_608, in 2..=1_073_741_824;
        "result-bytes", "CELLBLOCK_RESULT_BYTES", "Longest encoded result in bytes.";
    output_files_bytes: u64 = 16_777_216, in 0..=1_073_741_824;
        "output-files-bytes", "CELLBLOCK_OUTPUT_FILES_BYTES", "Bytes of all returned files together.";
    output_files_count: u32 = 64, in 0..=10_000;
        "output-files-count", "CELLBLOCK_OUTPUT_FILES_COUNT", "Number of returned files.";
    tmp_bytes: u64 = 67_108_864, in 65_536..=68_719_476_736;
        "tmp-bytes", "CELLBLOCK_TMP_BYTES", "Size in bytes of a run's /tmp.";
    tmp_inodes: u32 = 8192, in 16..=10_000_000;
        "tmp-inodes", "CELLBLOCK_TMP_INODES", "Files and directories that a run's /tmp can hold.";
}

/// Maxima for one caller, where they are below those for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ceilings {
    /// Of wall clock and CPU time, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// Of memory, in MiB.
    pub memory_mb: Option<u64>,
}

impl LimitsConfig {
    /// These limits for a caller with ceilings: defaults come down with their maxima.
    #[must_use]
    pub fn below(&self, ceilings: Ceilings) -> Self {
        let mut limits = self.clone();
        let lower =
            |value: &mut u64, most: Option<u64>| *value = (*value).min(most.unwrap_or(*value));
        lower(&mut limits.max_timeout_ms, ceilings.timeout_ms);
        lower(&mut limits.default_timeout_ms, ceilings.timeout_ms);
        lower(&mut limits.max_memory_mb, ceilings.memory_mb);
        lower(&mut limits.default_memory_mb, ceilings.memory_mb);
        limits
    }

    /// Refuses limits that contradict each other; `section` is where they were read.
    pub(super) fn check(&self, section: &str) -> Result<(), ConfigError> {
        let pairs = [
            (
                "default_timeout_ms",
                self.default_timeout_ms,
                "max_timeout_ms",
                self.max_timeout_ms,
            ),
            (
                "default_memory_mb",
                self.default_memory_mb,
                "max_memory_mb",
                self.max_memory_mb,
            ),
            ("files_bytes", self.files_bytes, "tmp_bytes", self.tmp_bytes),
            (
                "files_count",
                self.files_count.into(),
                "tmp_inodes",
                self.tmp_inodes.into(),
            ),
        ];
        for (low, low_value, high, high_value) in pairs {
            if low_value > high_value {
                return Err(ConfigError::Conflict {
                    key: format!("{section}.{low}"),
                    problem: format!(
                        "{low_value} is above {section}.{high}, which is {high_value}; lower it or raise {high}"
                    ),
                });
            }
        }
        Ok(())
    }
}
