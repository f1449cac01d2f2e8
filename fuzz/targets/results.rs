//! A result as a cell sends it: what is taken is JSON, to the letter, and goes into an answer whole.
#![no_main]

use std::collections::BTreeMap;

use cellblock_wire::json;
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

fuzz_target!(|data: &[u8]| {
    let Ok(result) = json::parse(data.to_vec()) else {
        return;
    };
    let answer = format!("{{\"result\":{}}}", result.get());
    // Kept as text, as clients may: the depth that is allowed is more than serde_json's own.
    let read: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(&answer).expect("the answer is JSON");
    assert_eq!(read.len(), 1);
    assert_eq!(read["result"].get(), result.get().trim());
});
