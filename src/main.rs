//! The `kubenkyo` command line (native) and the page's entry (wasm32).

#[cfg(target_arch = "wasm32")]
#[expect(unreachable_pub, reason = "it is JavaScript that reaches them")]
mod page {
    //! What the page's scripts may call.

    use wasm_bindgen::prelude::wasm_bindgen;

    /// [`kubenkyo::same_run::trace_hash`] for `cargo xtask test seeds`; the seed is text because JavaScript's numbers are too short.
    #[wasm_bindgen]
    pub fn trace_hash(seed: &str) -> Option<String> {
        seed.parse().ok().map(kubenkyo::same_run::trace_hash)
    }
}

#[cfg(target_arch = "wasm32")]
fn main() {
    ui::mount();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    kubenkyo::cli::main()
}
