use super::*;
use proptest::prelude::*;

const TOKEN: Token = Token([7; 16]);
const BUDGET: Budget = Budget {
    result_bytes: 10,
    files_bytes: 10,
    files_count: 2,
};

fn packet(kind: Kind, payload: &[u8]) -> Vec<u8> {
    packet::encode(TOKEN, kind, payload)
}

#[test]
fn parts_join_and_junk_is_dropped() {
    let mut answer = Answer::new(TOKEN, BUDGET);
    assert_eq!(
        answer.take(&packet(Kind::ResultPart, b"[1,")),
        Progress::More
    );
    assert_eq!(answer.take(b"junk"), Progress::More);
    assert_eq!(
        answer.take(&packet::encode(Token([8; 16]), Kind::ResultPart, b"9")),
        Progress::More
    );
    assert_eq!(
        answer.take(&packet(Kind::ResultPart, b"2]")),
        Progress::More
    );
    assert_eq!(answer.take(&packet(Kind::Done, b"")), Progress::Done);
    assert_eq!(answer.result().unwrap(), b"[1,2]");
    assert!(answer.error().is_none());
}

#[test]
fn budgets_hold() {
    let mut answer = Answer::new(TOKEN, BUDGET);
    assert_eq!(
        answer.take(&packet(Kind::ResultPart, &[b'1'; 11])),
        Progress::Flooded
    );
    let head = |path: &str| {
        packet(
            Kind::FileHead,
            format!(r#"{{"path":"{path}","size":99}}"#).as_bytes(),
        )
    };
    assert_eq!(
        answer.take(&packet(Kind::FilePart, b"orphan")),
        Progress::More
    );
    assert_eq!(answer.take(&head("a")), Progress::More);
    assert_eq!(
        answer.take(&packet(Kind::FilePart, b"123456")),
        Progress::More
    );
    assert_eq!(answer.take(&head("b")), Progress::More);
    assert_eq!(
        answer.take(&packet(Kind::FilePart, b"12345")),
        Progress::Flooded
    );
    let files = answer.files();
    assert_eq!(
        files.iter().map(|file| file.size).collect::<Vec<_>>(),
        [6, 0]
    );
}

#[test]
fn what_did_not_come_is_known() {
    let head = |path: &str, omitted: bool| {
        let head = format!(r#"{{"path":"{path}","size":1,"omitted":{omitted}}}"#);
        packet(Kind::FileHead, head.as_bytes())
    };
    let wanted = ["a", "d/b", "c"].map(str::to_owned);
    let mut answer = Answer::new(TOKEN, BUDGET);
    answer.take(&head("a", false));
    answer.take(&head("d/b", false));
    assert_eq!(answer.missing(&wanted), ["c"]);
    assert!(!answer.has_cut_files());
    answer.take(&head("e", true));
    assert!(answer.has_cut_files());
    answer.take(&head("f", true));
    answer.take(&head("g", true));
    // One of those that are not listed may be it.
    assert!(answer.missing(&wanted).is_empty());
}

#[test]
fn names_that_lead_out_are_dropped() {
    for path in ["a", "a/b", "..a", "a/...", "\\x"] {
        assert!(is_plain(path), "{path:?}");
    }
    for path in [
        "", ".", "..", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\0b",
    ] {
        assert!(!is_plain(path), "{path:?}");
    }
}

#[test]
fn endless_junk_is_flooding() {
    let mut answer = Answer::new(TOKEN, BUDGET);
    let flooded = (0..=WASTE).find(|_| answer.take(b"junk") == Progress::Flooded);
    assert_eq!(flooded, Some(WASTE));
}

proptest! {
    #[test]
    fn nothing_grows_beyond_its_budget(
        packets in proptest::collection::vec((0u8..=0x20, proptest::collection::vec(any::<u8>(), 0..12)), 0..60)
    ) {
        let mut answer = Answer::new(TOKEN, BUDGET);
        for (kind, payload) in packets {
            let mut bytes = TOKEN.0.to_vec();
            bytes.push(kind);
            bytes.extend(payload);
            let _ = answer.take(&bytes);
        }
        prop_assert!(answer.result().unwrap_or_default().len() <= BUDGET.result_bytes);
        let files = answer.files();
        prop_assert!(files.len() <= 2 * BUDGET.files_count);
        prop_assert!(files.iter().map(|file| file.content.as_ref().map_or(0, Vec::len)).sum::<usize>() <= BUDGET.files_bytes);
    }
}
