//! The `traceparent` header: W3C Trace Context, level 1, section 3.2.

use std::fmt;

/// Length of a header of version 00 in bytes, and the least of any later one.
const LENGTH: usize = 55;
/// The bit of the flags that says that the caller records this trace.
const SAMPLED: u128 = 1;
const DIGITS: &[u8] = b"0123456789abcdef";

/// The trace that a request is part of, as its caller says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// Names the trace; not zero.
    pub trace_id: u128,
    /// Names the caller's own part of it; not zero.
    pub parent_id: u64,
    /// Whether the caller records the trace.
    pub sampled: bool,
}

impl TraceParent {
    /// Reads a header's value; `None` where it is not one, which means that there is no caller to
    /// speak of. A version that is not known yet is read as far as version 00 goes, as section 4.3
    /// wants it.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (known, rest) = value.split_at_checked(LENGTH)?;
        let mut fields = known.split(|byte| *byte == b'-');
        let mut next = |digits| number(fields.next()?, digits);
        let (version, trace_id) = (next(2)?, next(32)?);
        let (parent_id, flags) = (u64::try_from(next(16)?).ok()?, next(2)?);
        let whole = match version {
            0x00 => rest.is_empty(),
            0xff => false,
            _ => matches!(rest.first(), None | Some(b'-')),
        };
        let fine = whole && trace_id != 0 && parent_id != 0;
        fine.then_some(Self {
            trace_id,
            parent_id,
            sampled: flags & SAMPLED != 0,
        })
    }
}

/// As this version writes it.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, parent, flags) = (self.trace_id, self.parent_id, u8::from(self.sampled));
        write!(f, "00-{trace:032x}-{parent:016x}-{flags:02x}")
    }
}

/// A number of exactly so many digits. Capital letters and signs are none.
fn number(text: &[u8], digits: usize) -> Option<u128> {
    let fine = text.len() == digits && text.iter().all(|byte| DIGITS.contains(byte));
    let text = fine.then(|| str::from_utf8(text).ok())??;
    u128::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    fn parse(text: &str) -> Option<TraceParent> {
        TraceParent::parse(text.as_bytes())
    }

    #[test]
    fn headers_of_this_version() {
        for (flags, sampled) in [("00", false), ("01", true), ("fe", false), ("ff", true)] {
            let found = parse(&format!("00-{TRACE}-{PARENT}-{flags}")).unwrap();
            assert_eq!(format!("{:032x}", found.trace_id), TRACE);
            assert_eq!(format!("{:016x}", found.parent_id), PARENT);
            assert_eq!(found.sampled, sampled, "{flags}");
        }
    }

    #[test]
    fn later_versions_may_say_more() {
        for end in ["", "-", "-what-ever \u{e9}"] {
            let found = parse(&format!("cc-{TRACE}-{PARENT}-01{end}"));
            assert!(found.is_some_and(|found| found.sampled), "{end:?}");
        }
        for end in ["1", " ", ".-", "x"] {
            let found = parse(&format!("cc-{TRACE}-{PARENT}-01{end}"));
            assert_eq!(found, None, "{end:?}");
        }
    }

    #[test]
    fn what_is_no_header() {
        let (zeros, upper) = ("0".repeat(32), TRACE.to_uppercase());
        for text in [
            String::new(),
            "00".to_owned(),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-01-"),
            format!("00-{TRACE}-{PARENT}-01-x"),
            format!("00-{TRACE}-{PARENT}-1"),
            format!("00-{TRACE}-{PARENT}-0g"),
            format!("00-{TRACE}-{PARENT}-+1"),
            format!("00-{TRACE}-{PARENT}"),
            format!("0-{TRACE}-{PARENT}-01"),
            format!("0G-{TRACE}-{PARENT}-01"),
            format!("00_{TRACE}_{PARENT}_01"),
            format!("00-{zeros}-{PARENT}-01"),
            format!("00-{TRACE}-{}-01", &zeros[..16]),
            format!("00-{upper}-{PARENT}-01"),
            format!("00-{}-{PARENT}-01", &TRACE[1..]),
            format!("00-{TRACE}0-{PARENT}-01"),
            format!(" 00-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-01 "),
            format!("00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01"),
        ] {
            assert_eq!(parse(&text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            trace_id in 1u128.., parent_id in 1u64.., sampled: bool
        ) {
            let parent = TraceParent { trace_id, parent_id, sampled };
            prop_assert_eq!(parse(&parent.to_string()), Some(parent));
        }

        /// Whatever is read of this version is what the grammar has, and nothing else.
        #[test]
        fn nothing_else_is_read(
            text in "0[0-2]-[0-9a-g]{31,33}-[0-9a-fA]{15,17}-[0-9a-f]{1,3}-{0,1}"
        ) {
            if let Some(found) = parse(&text) {
                let same = text[3..53] == found.to_string()[3..53];
                prop_assert!(same && (text.len() == 55 || &text[..2] != "00"), "{}", text);
            } else {
                let shape = |len: usize, byte: u8| match len {
                    2 | 35 | 52 => byte == b'-',
                    _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
                };
                let shaped = text.len() == 55
                    && text.bytes().enumerate().all(|(at, byte)| shape(at, byte));
                let zero = |part: &str| part.bytes().all(|byte| byte == b'0');
                prop_assert!(!shaped || zero(&text[3..35]) || zero(&text[36..52]), "{}", text);
            }
        }

        #[test]
        fn no_bytes_make_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = TraceParent::parse(&bytes);
        }
    }
}
