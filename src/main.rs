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
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["trace-hash", seeds] => trace_hashes(seeds),
        _ => {
            eprintln!("usage: kubenkyo trace-hash SEED | FIRST..LAST");
            std::process::ExitCode::FAILURE
        }
    }
}

/// Prints a line `SEED HASH` for each seed.
#[cfg(not(target_arch = "wasm32"))]
fn trace_hashes(seeds: &str) -> std::process::ExitCode {
    let (first, last) = seeds.split_once("..").unwrap_or((seeds, seeds));
    let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) else {
        eprintln!("`{seeds}` is neither a seed nor two with `..` between");
        return std::process::ExitCode::FAILURE;
    };
    for seed in first..=last {
        println!("{seed} {}", kubenkyo::same_run::trace_hash(seed));
    }
    std::process::ExitCode::SUCCESS
}
