//! What a zygote is told: requests on its control channel, and the policy of its cells, which is
//! either refused or made into a plan.
#![no_main]

use cellblock_sandbox::{CellPolicy, plan::Plan};
use cellblock_wire::control::{Event, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = serde_json::from_slice::<Event>(data);
    let policy = match serde_json::from_slice(data) {
        Ok(Request::Setup(setup)) => serde_json::from_value(setup.policy),
        Ok(Request::Fork { .. }) => return,
        Err(_) => serde_json::from_slice::<CellPolicy>(data),
    };
    let Ok(policy) = policy else { return };
    let text = serde_json::to_vec(&policy).expect("a policy is JSON");
    assert_eq!(
        serde_json::from_slice::<CellPolicy>(&text).expect("again"),
        policy
    );
    let fits = policy.hostname.len() <= 64;
    assert!(Plan::new(policy, 1000, 1000).is_err() || fits);
});
