//! The head of an output file, by which a client may write it: no name leads out of a directory.
#![no_main]

use std::path::{Component, Path};

use cellblock::cell::answer::{Answer, Budget};
use cellblock_wire::packet::{self, Kind, Token};
use libfuzzer_sys::fuzz_target;

const TOKEN: Token = Token([7; 16]);
const BUDGET: Budget = Budget {
    result_bytes: 64,
    files_bytes: 64,
    files_count: 4,
};

fuzz_target!(|data: &[u8]| {
    // Both as the whole document and as the path in one.
    let path = serde_json::json!({"path": String::from_utf8_lossy(data), "size": 1}).to_string();
    let mut answer = Answer::new(TOKEN, BUDGET);
    for document in [data, path.as_bytes()] {
        answer.take(&packet::encode(TOKEN, Kind::FileHead, document));
        answer.take(&packet::encode(TOKEN, Kind::FilePart, b"x"));
    }
    for file in answer.files() {
        let path = Path::new(&file.path);
        let plain = |component| matches!(component, Component::Normal(_));
        assert!(
            path.components().all(plain) && path.components().next().is_some(),
            "{path:?}"
        );
        assert!(
            !file.path.contains('\0') && !file.path.ends_with('/'),
            "{path:?}"
        );
        if let Some(content) = file.content {
            assert_eq!(file.size, content.len() as u64);
        }
    }
});
