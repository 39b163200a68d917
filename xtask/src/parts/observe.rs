//! `cargo xtask first-load`: starts the page with every function marked, and writes `later.txt` anew from what did not run.

use super::module::Module;
use super::rules::{Rules, digest, own_path, plain};
use super::{page, trace};
use crate::report::{Failure, step};
use crate::tools::{root, target};
use std::collections::{BTreeMap, BTreeSet};

/// A rule for less than this many bytes is not worth its line.
const WORTH: usize = 200;

pub(crate) fn command() -> Result<(), Failure> {
    let folder = target().join("first-load");
    let tools = crate::tools::setup()?;
    crate::page::trunk(&tools, &folder)?;
    let failed = |why: String| Failure::new("mark the functions of the page").why(why);
    let name = page::wasm_of(&folder)?;
    let wasm = std::fs::read(folder.join(&name)).map_err(|error| failed(error.to_string()))?;
    let (marked, base) = trace::mark(&wasm).map_err(&failed)?;
    std::fs::write(folder.join(&name), marked).map_err(|error| failed(error.to_string()))?;
    let module = Module::read(&wasm).map_err(|error| failed(error.to_string()))?;
    let ran = step("watch the page start", || {
        let count = module.bodies.len();
        let mut script = crate::checks::browser_script(
            &folder,
            &["first_load.mjs", &base.to_string(), &count.to_string()],
        )?;
        let output = script.output().map_err(|error| failed(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let marks = text.lines().last().unwrap_or_default();
        if !output.status.success() || marks.len() != count {
            return Err(failed(format!(
                "the page did not start: {text}{}",
                String::from_utf8_lossy(&output.stderr)
            )));
        }
        Ok(marks
            .bytes()
            .map(|mark| mark == b'1')
            .collect::<Vec<bool>>())
    })?;
    let path = root().join("xtask/src/parts/later.txt");
    let old = std::fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    // What is above the mark is written by hand.
    let head = old.split_inclusive(MARK).next().unwrap_or_default();
    let by_hand = Rules::read(head).map_err(&failed)?;
    let rules = rules(&module, &ran, &by_hand);
    let all = Rules::read(&format!("{head}\n{rules}")).map_err(&failed)?;
    let (mut cold, mut hot) = (BTreeSet::new(), BTreeSet::new());
    for (at, did_run) in ran.iter().enumerate() {
        let name = module
            .names
            .get(&module.defined(at))
            .map_or("", String::as_str);
        if module.bodies[at].as_bytes().len() < super::SMALL {
            continue;
        }
        if *did_run && all.judge(name) == Some(true) {
            // The paths are wider than what was seen.
            hot.insert(digest(&plain(name)));
        } else if !did_run && all.may_be_listed(name) {
            cold.insert(digest(&plain(name)));
        }
    }
    // Functions of one name are one to the rules.
    for (at, _) in ran.iter().enumerate().filter(|(_, did_run)| **did_run) {
        if let Some(name) = module.names.get(&module.defined(at)) {
            cold.remove(&digest(&plain(name)));
        }
    }
    let rules = rules + &lines("first", &hot) + &lines("later", &cold);
    std::fs::write(&path, format!("{head}\n{rules}")).map_err(|error| failed(error.to_string()))?;
    println!("   {} rules in {}", rules.lines().count(), path.display());
    Ok(())
}

/// Digests, a few on each line.
fn lines(verdict: &str, digests: &BTreeSet<String>) -> String {
    let digests: Vec<&str> = digests.iter().map(String::as_str).collect();
    digests
        .chunks(8)
        .map(|digests| format!("{verdict} ={}\n", digests.join(" ")))
        .collect()
}

const MARK: &str = "# Written by `cargo xtask first-load`:";

/// Where functions stand, step by step.
#[derive(Default)]
struct Place {
    ran: bool,
    bytes: usize,
    inner: BTreeMap<String, Place>,
}

impl Place {
    fn add(&mut self, path: &str, bytes: usize, ran: bool) {
        self.ran |= ran;
        self.bytes += bytes;
        if !path.is_empty() {
            let (first, rest) = path.split_once("::").unwrap_or((path, ""));
            self.inner
                .entry(first.to_owned())
                .or_default()
                .add(rest, bytes, ran);
        }
    }

    /// The widest places in which nothing ran.
    fn cold(&self, path: &str, rules: &mut String) {
        for (name, place) in &self.inner {
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}::{name}")
            };
            if place.ran {
                place.cold(&path, rules);
            } else if place.bytes >= WORTH {
                rules.push_str(&format!("later {path}\n"));
            }
        }
    }
}

/// Rules for what did not run in the project's rooms.
fn rules(module: &Module<'_>, ran: &[bool], by_hand: &Rules) -> String {
    let rooms = std::fs::read_dir(root().join("src"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect::<Vec<String>>();
    let mut top = Place::default();
    for (at, body) in module.bodies.iter().enumerate() {
        let name = module
            .names
            .get(&module.defined(at))
            .map_or("", String::as_str);
        let bytes = body.as_bytes().len();
        // A small function may be several, and carry the name of any.
        let did_run = ran[at] && bytes >= super::SMALL;
        let path = own_path(&plain(name)).unwrap_or_default();
        if path
            .split("::")
            .next()
            .is_some_and(|room| room == "kubenkyo" || rooms.iter().any(|known| known == room))
            && by_hand.judge(name).is_none()
        {
            top.add(&path, bytes, did_run);
        }
    }
    let mut rules = String::new();
    top.cold("", &mut rules);
    rules
}
