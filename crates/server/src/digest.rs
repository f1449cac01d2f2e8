//! Short names for content.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The first sixteen hexadecimal digits of what was hashed.
pub(crate) fn short(hash: Sha256) -> String {
    let digest = hash.finalize();
    digest.iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
