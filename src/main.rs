//! The `kubenkyo` command line (native) and the page's entry (wasm32).

#[cfg(target_arch = "wasm32")]
#[expect(unreachable_pub, reason = "it is JavaScript that reaches them")]
mod page {
    //! What the page's scripts may call.

    use js_sys::Function;
    use kubenkyo::bench::Meter;
    use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

    /// Puts the page into the document (`static/boot.js`).
    #[wasm_bindgen]
    pub fn mount() {
        ui::mount();
    }

    /// [`kubenkyo::same_run::trace_hash`] for `cargo xtask test seeds`; the seed is text because JavaScript's numbers are too short.
    #[wasm_bindgen]
    pub fn trace_hash(seed: &str) -> Option<String> {
        seed.parse().ok().map(kubenkyo::same_run::trace_hash)
    }

    /// [`kubenkyo::bench::run`] for `cargo xtask bench-wasm`; `now` is `performance.now`.
    #[wasm_bindgen]
    pub fn bench(case: &str, now: Function) -> Option<String> {
        kubenkyo::bench::run(case, &Page { now })
    }

    /// The page's memory, which never shrinks, and a clock from outside.
    struct Page {
        now: Function,
    }

    impl Meter for Page {
        fn cpu_secs(&self) -> f64 {
            let now = self.now.call0(&JsValue::NULL);
            now.ok().and_then(|now| now.as_f64()).unwrap_or_default() / 1e3
        }

        fn memory(&self) -> u64 {
            core::arch::wasm32::memory_size(0) as u64 * 65_536
        }

        fn peak_memory(&self) -> u64 {
            self.memory()
        }
    }
}

/// Nothing yet: the page begins with [`page::mount`].
#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    kubenkyo::cli::main()
}
