//! libFuzzer's door to [`kubenkyo_fuzz::decode`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| kubenkyo_fuzz::decode(data));
