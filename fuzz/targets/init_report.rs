//! What init reports at the end of a cell.
#![no_main]

use cellblock_wire::status::{Ended, InitReport};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(report) = InitReport::decode(data) else {
        return;
    };
    assert_eq!(data.len(), 24);
    if let Ended::Signaled(signal) = report.script.ended() {
        assert!((1..=127).contains(&signal));
    }
});
