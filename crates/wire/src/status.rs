//! The report of a cell's init: how the script's process ended and what the cell used.
//!
//! Init is trusted code, pid 1 of the cell, which the script can neither trace nor signal. It is
//! written as fixed-size native-endian fields because init has no allocator and no library.

/// Size of the report in bytes.
pub const LEN: usize = 24;

/// What init writes once every process of the cell has been reaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitReport {
    /// The script process' wait status as wait(2) gives it.
    pub script: WaitStatus,
    /// User and system CPU time of every process the cell had, in microseconds.
    pub cpu_us: u64,
    /// Largest resident set of any process of the cell in KiB, as `ru_maxrss` counts: a forked
    /// process starts at its parent's size.
    pub max_rss_kib: u64,
}

/// A raw wait status and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitStatus(pub i32);

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this code, 0 to 255.
    Exited(u8),
    /// This signal killed it, 1 to 64.
    Signaled(u8),
}

impl WaitStatus {
    /// Decodes as wait(2) says: low seven bits the signal, next byte the exit code.
    pub fn ended(self) -> Ended {
        let [low, code, ..] = self.0.to_le_bytes();
        match low & 0x7f {
            0 => Ended::Exited(code),
            signal => Ended::Signaled(signal),
        }
    }
}

impl InitReport {
    /// Reads a report; `None` where `bytes` is not one whole report.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LEN] = bytes.try_into().ok()?;
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            word
        };
        let script = i32::try_from(i64::from_ne_bytes(word(0))).ok()?;
        Some(Self {
            script: WaitStatus(script),
            cpu_us: u64::from_ne_bytes(word(8)),
            max_rss_kib: u64::from_ne_bytes(word(16)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_statuses_decode() {
        assert_eq!(WaitStatus(0x0300).ended(), Ended::Exited(3));
        assert_eq!(WaitStatus(9).ended(), Ended::Signaled(9));
        assert_eq!(WaitStatus(0x8b).ended(), Ended::Signaled(11)); // with the core-dump bit
    }

    #[test]
    fn a_report_decodes_and_a_part_does_not() {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&0x0300_i64.to_ne_bytes());
        bytes.extend_from_slice(&1500_u64.to_ne_bytes());
        bytes.extend_from_slice(&4096_u64.to_ne_bytes());
        let report = InitReport::decode(&bytes).unwrap();
        assert_eq!(report.script.ended(), Ended::Exited(3));
        assert_eq!((report.cpu_us, report.max_rss_kib), (1500, 4096));
        assert_eq!(InitReport::decode(&bytes[..23]), None);
        assert_eq!(
            InitReport::decode(&[0xff; LEN]).unwrap().script,
            WaitStatus(-1)
        );
    }
}
