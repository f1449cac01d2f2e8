//! A client's body: parsed and validated, or refused in words. What is taken holds what the engine
//! relies on.
#![no_main]

use std::sync::LazyLock;

use cellblock::{config::Config, execution::parse};
use libfuzzer_sys::fuzz_target;

static CONFIG: LazyLock<Config> = LazyLock::new(|| Config::defaults().expect("the defaults"));

fuzz_target!(|data: &[u8]| {
    let request = match parse(data).and_then(|draft| draft.validate(&CONFIG)) {
        Ok(request) => request,
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            return;
        }
    };
    assert!(!request.script.is_empty() && !request.script.contains('\0'));
    for path in request.files.iter().map(|file| &file.path) {
        assert!(!path.contains('\0') && path.len() <= 4096, "{path:?}");
        for name in path.split('/') {
            assert!(!matches!(name, "" | "." | ".."), "{path:?}");
        }
    }
    for (name, value) in &request.env {
        assert!(!name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0'));
    }
    assert!(!request.limits.timeout.is_zero() && request.limits.memory_bytes > 0);
    assert!(request.input.is_none() || request.arguments.is_none());
    for value in [&request.input, &request.arguments].into_iter().flatten() {
        assert!(cellblock_wire::json::check(value.get()).is_ok());
    }
});
