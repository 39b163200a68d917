//! libFuzzer's door to [`kubenkyo_fuzz::patch`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubenkyo_fuzz::patch(data));
