//! Packets as a cell sends them: a length and bytes, one after the other, with the token or without.
#![no_main]

use cellblock::cell::answer::{Answer, Budget, Progress};
use cellblock_wire::packet::{self, Token};
use libfuzzer_sys::fuzz_target;

const TOKEN: Token = Token([7; 16]);
const BUDGET: Budget = Budget {
    result_bytes: 64,
    files_bytes: 64,
    files_count: 4,
};

fuzz_target!(|data: &[u8]| {
    let mut answer = Answer::new(TOKEN, BUDGET);
    let mut rest = data;
    while let Some((&length, after)) = rest.split_first() {
        let (bytes, after) = after.split_at(after.len().min(usize::from(length)));
        rest = after;
        // Forged without the token first: that must change nothing but the count of waste.
        assert_eq!(
            answer.take(&packet::encode(Token::NONE, packet::Kind::Done, bytes)),
            Progress::More
        );
        let mut packet = TOKEN.0.to_vec();
        packet.extend(bytes);
        if let Ok((kind, payload)) = packet::decode(&packet, TOKEN) {
            assert_eq!(packet::encode(TOKEN, kind, payload), packet);
        }
        let _ = packet::limits(&packet);
        let _ = packet::job_start(&packet);
        if answer.take(&packet) != Progress::More {
            break;
        }
    }
    assert!(answer.result().unwrap_or_default().len() <= BUDGET.result_bytes);
    let _ = answer.error();
    let files = answer.files();
    assert!(files.len() <= 2 * BUDGET.files_count);
    let bytes = files.iter().flat_map(|file| &file.content).map(Vec::len);
    assert!(bytes.sum::<usize>() <= BUDGET.files_bytes);
});
