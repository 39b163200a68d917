//! The `kubenkyo` command line (native) and the page's entry (wasm32).

fn main() {}
