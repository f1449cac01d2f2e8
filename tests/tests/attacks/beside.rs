//! A run that goes on beside another.

use std::io::{BufRead, BufReader};

use cellblock_tests::Client;

/// Starts a run, and waits until its output has had the word so many times. It ends when what is
/// returned is dropped; `None` where it ended before.
pub(crate) fn hold(
    client: &Client,
    body: &str,
    word: &str,
    times: usize,
) -> Option<impl BufRead + use<>> {
    let stream = client.begin_stream("/v1/executions", body);
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let mut said = 0;
    while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
        said += line.matches(word).count();
        if said >= times {
            return Some(reader);
        }
        line.clear();
    }
    None
}
