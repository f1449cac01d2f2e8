use super::*;
use cellblock_wire::status::{InitReport, WaitStatus};

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(1),
    cpu: Duration::from_secs(1),
    memory_bytes: 256 << 20,
};

fn observed(stop: Stop) -> Observed {
    Observed {
        stop,
        result: None,
        error: None,
        started: true,
        out_of_memory: false,
        peak: None,
        cpu: None,
    }
}

fn ended(status: i32) -> Stop {
    let report = InitReport {
        script: WaitStatus(status),
        cpu_us: 0,
        max_rss_kib: 0,
    };
    Stop::Ended(Ended::Reported(report))
}

fn kind(observed: Observed) -> ErrorType {
    verdict(observed, &LIMITS, 10).unwrap().unwrap_err().kind
}

#[test]
fn ends_are_told_apart() {
    assert_eq!(kind(observed(ended(0x0300))), ErrorType::Exited);
    assert_eq!(kind(observed(ended(11))), ErrorType::Crashed);
    assert_eq!(kind(observed(ended(24))), ErrorType::CpuLimit);
    assert_eq!(kind(observed(ended(9))), ErrorType::Crashed);
    assert_eq!(
        kind(Observed {
            out_of_memory: true,
            ..observed(ended(9))
        }),
        ErrorType::MemoryLimit
    );
    let used = Some(Duration::from_secs(2));
    assert_eq!(
        kind(Observed {
            cpu: used,
            ..observed(ended(9))
        }),
        ErrorType::CpuLimit
    );
    assert_eq!(kind(observed(Stop::Timeout)), ErrorType::Timeout);
    assert_eq!(kind(observed(Stop::Flooded)), ErrorType::ResultTooLarge);
}

#[test]
fn whose_memory_ran_out_is_told() {
    let message = |peak: u64| {
        let killed = Observed {
            out_of_memory: true,
            peak: Some(peak << 20),
            ..observed(Stop::Memory)
        };
        let failure = verdict(killed, &LIMITS, 10).unwrap().unwrap_err();
        assert_eq!(failure.kind, ErrorType::MemoryLimit);
        failure.message
    };
    assert!(message(250).contains("more than its limit of 256 MB"));
    let above = "the server's memory ran out; it used 100 MB of its limit of 256 MB";
    assert!(message(100).contains(above));
}

#[test]
fn an_exit_after_a_result_was_begun_is_still_an_exit() {
    let begun = Observed {
        result: Some(b"1".to_vec()),
        ..observed(ended(0))
    };
    assert_eq!(kind(begun), ErrorType::Exited);
}

#[test]
fn a_forged_result_is_json_or_no_result() {
    let forged = |bytes: &[u8]| {
        verdict(
            Observed {
                result: Some(bytes.to_vec()),
                ..observed(Stop::Done)
            },
            &LIMITS,
            10,
        )
        .unwrap()
    };
    assert_eq!(forged(b"[1]").unwrap().get(), "[1]");
    assert_eq!(forged(b"NaN").unwrap_err().kind, ErrorType::ResultNotJson);
    assert_eq!(
        forged(b"1,\"x\":2").unwrap_err().kind,
        ErrorType::ResultNotJson
    );
}

#[test]
fn a_failure_of_the_runner_is_believed_until_the_script_has_started() {
    let error: CellError = serde_json::from_str(r#"{"type":"internal","message":"x"}"#).unwrap();
    let failed = |started| Observed {
        error: Some(error.clone()),
        started,
        ..observed(Stop::Done)
    };
    assert!(verdict(failed(false), &LIMITS, 10).is_err());
    assert_eq!(kind(failed(true)), ErrorType::Exited);
}

#[test]
fn what_is_ours_is_no_verdict() {
    assert!(verdict(observed(Stop::Ended(Ended::Lost)), &LIMITS, 10).is_err());
}

#[test]
fn signals_have_their_names() {
    assert_eq!(signal_name(11), "SIGSEGV");
    assert_eq!(signal_name(31), "SIGSYS");
    assert_eq!(signal_name(40), "signal 40");
}
