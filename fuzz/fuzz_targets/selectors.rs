//! libFuzzer's door to [`kubenkyo_fuzz::selectors`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubenkyo_fuzz::selectors(data));
