//! Is this text, which came from a cell, standard JSON that any client can read?
//!
//! The scan is iterative and allocates only one bit of memory per open bracket up to the depth
//! limit, so no nesting can exhaust the stack. It checks what `serde_json` leaves open when it
//! keeps text unparsed: nesting depth and unpaired surrogates in escapes (RFC 8259, section 8.2).

use serde_json::value::RawValue;
use thiserror::Error;

/// Deepest nesting of arrays and objects that an answer or an input may have.
pub const MAX_DEPTH: usize = 200;

/// Why a text is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JsonError {
    /// Not UTF-8.
    #[error("not UTF-8")]
    Utf8,
    /// Not JSON by its grammar.
    #[error("not JSON: {0}")]
    Grammar(String),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    Depth,
    /// A `\ud800`–`\udfff` escape without its other half.
    #[error("an escape is half of a surrogate pair")]
    Surrogate,
}

/// Takes `bytes` as one JSON value, kept as text.
pub fn parse(bytes: Vec<u8>) -> Result<Box<RawValue>, JsonError> {
    let text = String::from_utf8(bytes).map_err(|_| JsonError::Utf8)?;
    check(&text)?;
    RawValue::from_string(text).map_err(|error| JsonError::Grammar(error.to_string()))
}

/// Checks depth and escapes of a text whose grammar is checked elsewhere.
pub fn check(text: &str) -> Result<(), JsonError> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(JsonError::Depth);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                at = string_end(bytes, at + 1)?;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// The index after the string that began before `at`.
fn string_end(bytes: &[u8], mut at: usize) -> Result<usize, JsonError> {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok(at + 1),
            b'\\' if bytes.get(at + 1) == Some(&b'u') => at = after_unicode_escape(bytes, at)?,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Ok(at)
}

/// The index after the `\uXXXX` at `at`, or after both where it is a surrogate pair.
fn after_unicode_escape(bytes: &[u8], at: usize) -> Result<usize, JsonError> {
    let unit = |at: usize| {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    match unit(at) {
        Some(0xd800..=0xdbff) => match unit(at + 6) {
            Some(0xdc00..=0xdfff) => Ok(at + 12),
            _ => Err(JsonError::Surrogate),
        },
        Some(0xdc00..=0xdfff) => Err(JsonError::Surrogate),
        _ => Ok(at + 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".*".prop_map(Into::into),
        ];
        leaf.prop_recursive(8, 64, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                proptest::collection::btree_map(".*", inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_is_taken(value in value()) {
            let text = serde_json::to_vec(&value).unwrap();
            let raw = parse(text.clone()).unwrap();
            prop_assert_eq!(raw.get().as_bytes(), &text[..]);
        }

        #[test]
        fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(raw) = parse(bytes) {
                prop_assert!(!raw.get().is_empty());
            }
        }

        #[test]
        fn text_of_json_letters_is_judged_as_a_strict_reader_would(text in "[\\[\\]{}\",:0-9a-fu\\\\dDtrn ]{0,60}") {
            let strict = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            prop_assert_eq!(parse(text.into_bytes()).is_ok(), strict);
        }
    }

    #[test]
    fn depth_is_bounded_and_brackets_in_strings_do_not_count() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n)).into_bytes();
        assert!(parse(nested(MAX_DEPTH)).is_ok());
        assert_eq!(parse(nested(MAX_DEPTH + 1)).unwrap_err(), JsonError::Depth);
        assert_eq!(parse(nested(1_000_000)).unwrap_err(), JsonError::Depth);
        assert!(parse(format!("\"{}\"", "[".repeat(1000)).into_bytes()).is_ok());
    }

    #[test]
    fn surrogates_go_in_pairs() {
        assert!(parse(br#""\ud83d\ude00""#.to_vec()).is_ok());
        for bad in [
            &br#""\ud83d""#[..],
            br#""\ude00""#,
            br#""\ud83dx""#,
            br#""\ud83d\n""#,
        ] {
            assert_eq!(parse(bad.to_vec()).unwrap_err(), JsonError::Surrogate);
        }
        assert!(parse(br#""\\ud83d""#.to_vec()).is_ok());
    }

    #[test]
    fn not_json_is_refused() {
        for bad in [
            &b""[..],
            b"NaN",
            b"{",
            b"[1,]",
            b"1 2",
            b"\xff",
            b"\"\x01\"",
        ] {
            assert!(parse(bad.to_vec()).is_err(), "{bad:?}");
        }
    }
}
