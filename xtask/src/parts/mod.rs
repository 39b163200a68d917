//! The page's wasm in two parts: what the first slide and a running cluster need, and the rest, which arrives while the reader reads.
//!
//! It is one program, compiled and optimised as one. Here its finished module is cut by function: the first part keeps the memory and the
//! table of functions and exports what the second needs; the second takes both as imports and, when it is started, puts its functions into
//! the table and its data into the memory. A call from the first part into the second goes through the table, so it works as soon as the
//! second part is there, and traps before. Which functions wait is said by paths, in `later.txt` ([`rules`]); what only they call waits with
//! them. Starts at [`cut`].

mod data;
mod module;
pub(crate) mod observe;
pub(crate) mod page;
mod rules;
mod trace;
mod write;

use module::Module;
use rules::Rules;

/// The two modules, and what the cut did.
pub(crate) struct Parts {
    pub(crate) first: Vec<u8>,
    pub(crate) rest: Vec<u8>,
    /// Functions in each.
    pub(crate) functions: [usize; 2],
}

/// Cuts `wasm` (with its names) by `rules`; `linked` is what the linker made it from. Data goes where the functions are that reach it, and
/// each of `texts` that stands in it to the second part.
pub(crate) fn cut(
    wasm: &[u8],
    linked: &[u8],
    rules: &Rules,
    texts: &[Vec<u8>],
) -> Result<Parts, String> {
    let module = Module::read(wasm).map_err(|error| error.to_string())?;
    let is_later = waiting(&module, rules)?;
    let later = is_later.iter().filter(|is_later| **is_later).count();
    let (first, second) = write::write(
        &module,
        &is_later,
        data::waiting(linked, &module, &is_later)?,
        texts,
    )?;
    Ok(Parts {
        first,
        rest: second,
        functions: [module.bodies.len() - later, later],
    })
}

/// Below this many bytes a function's name says little: the tools make one of many that are alike, under any of their names.
const SMALL: usize = 128;

/// Per defined function, whether it waits: what a rule says, and what only waiting functions call.
fn waiting(module: &Module<'_>, rules: &Rules) -> Result<Vec<bool>, String> {
    let mut is_later = vec![false; module.bodies.len()];
    // Whether its callers decide.
    let mut is_open = vec![true; module.bodies.len()];
    for function in module.pinned() {
        if let Some(at) = module.body_of(function) {
            is_open[at] = false;
        }
    }
    let pinned: Vec<bool> = is_open.iter().map(|is_open| !is_open).collect();
    for function in module.in_table() {
        if let Some(at) = module.body_of(function) {
            is_open[at] = false;
        }
    }
    for (at, body) in module.bodies.iter().enumerate() {
        // The tools write a few functions of their own, without a name.
        let name = module
            .names
            .get(&module.defined(at))
            .map_or("", String::as_str);
        let verdict = rules.judge(name).filter(|_| !pinned[at]);
        if let Some(verdict) =
            verdict.filter(|is_later| !is_later || body.as_bytes().len() >= SMALL)
        {
            is_later[at] = verdict;
            is_open[at] = false;
        }
    }
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); module.bodies.len()];
    for (at, callees) in module
        .calls()
        .map_err(|error| error.to_string())?
        .into_iter()
        .enumerate()
    {
        for callee in callees {
            if let Some(callee) = module.body_of(callee) {
                callers[callee].push(at);
            }
        }
    }
    // Supposing that all of them wait, then taking back what somebody in the first part calls, also finds those that call each other.
    for (at, is_open) in is_open.iter().enumerate() {
        is_later[at] |= *is_open && !callers[at].is_empty();
    }
    loop {
        let mut is_done = true;
        for at in 0..is_later.len() {
            if is_open[at] && is_later[at] && callers[at].iter().any(|caller| !is_later[*caller]) {
                is_later[at] = false;
                is_done = false;
            }
        }
        if is_done {
            return Ok(is_later);
        }
    }
}
