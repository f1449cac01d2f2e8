//! A range of uids, as it is written.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

/// Uids one after another. None of them is root's, nor the two numbers that mean no user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UidRange {
    /// The first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl UidRange {
    /// Whether all of `other` are among these.
    pub fn holds(self, other: Self) -> bool {
        let end = |range: Self| u64::from(range.first) + u64::from(range.count);
        self.first <= other.first && end(other) <= end(self)
    }
}

/// Written as `FIRST:COUNT`.
impl FromStr for UidRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "is neither auto nor FIRST:COUNT, such as 2100000000:65536";
        let (first, count) = text.split_once(':').ok_or(FORM)?;
        let range = Self {
            first: first.parse().map_err(|_| FORM)?,
            count: count.parse().map_err(|_| FORM)?,
        };
        let every = Self {
            first: 1,
            count: u32::MAX - 2,
        };
        if range.count > 0 && every.holds(range) {
            Ok(range)
        } else {
            Err("goes beyond the uids from 1 to 4294967293")
        }
    }
}

impl Display for UidRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.first, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_it_is_shown() {
        for text in ["1:1", "2100000000:65536", "1:4294967293"] {
            assert_eq!(text.parse::<UidRange>().unwrap().to_string(), text);
        }
        for text in ["", "auto", "1", "1:", "1:-1", "0:5", "5:0", "1:4294967294"] {
            assert!(text.parse::<UidRange>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_range_that_sticks_out_is_not_held() {
        let range = |first, count| UidRange { first, count };
        assert!(range(0, 10).holds(range(0, 10)));
        assert!(!range(1, 10).holds(range(0, 5)));
        assert!(!range(0, u32::MAX).holds(range(u32::MAX, 1)));
    }
}
