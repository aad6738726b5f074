//! libFuzzer's way into the target of this name.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: vestibule_fuzz_run::end_with_whoever_started_us(),
    |input: &[u8]| vestibule_fuzz::targets::config(input)
);
