//! Every live cell of the deck, slide by slide from a fresh scene: none fails but those that are meant to.
//!
//! What the cluster does not do yet stands in `tests/known_failures.txt`, one `slide cell: reason` a line, and
//! has to leave it once it works.

use std::collections::BTreeMap;

use deck::{Cell, Deck, Lang, Slide, bundled};

use crate::desk::Desk;
use crate::known;

#[test]
fn every_live_cell_runs_from_a_fresh_scene() {
    let deck = Deck::parse(bundled(Lang::En));
    let mut failed = BTreeMap::new();
    for slide in deck.iter().filter(|slide| !slide.cells().is_empty()) {
        failed.extend(run(&deck, slide));
    }
    known::compare("slide ", &failed);
}

#[test]
fn the_cells_of_a_slide_reach_its_task_and_waiting_does_not() {
    let deck = Deck::parse(bundled(Lang::En));
    let mut failed = BTreeMap::new();
    for slide in deck.iter() {
        for task in slide.tasks() {
            let mut desk = Desk::new(&deck, slide.scene.as_ref());
            desk.watch(task);
            desk.wait(60 * sim::SECOND);
            if desk.progress().met {
                failed.insert(format!("task {}", task.id), String::from("met by waiting"));
                continue;
            }
            for cell in slide.cells() {
                for line in lines(cell) {
                    desk.run(&line);
                }
                desk.wait(60 * sim::SECOND);
            }
            let progress = desk.progress();
            if !progress.met {
                failed.insert(format!("task {}", task.id), format!("{progress:?}"));
            }
        }
    }
    known::compare("task ", &failed);
}

/// What pressing the cell's button runs.
fn lines(cell: &Cell) -> Vec<String> {
    match cell {
        Cell::Apply(apply) => vec![format!("kubectl apply -f {}", apply.name)],
        Cell::Run(run) => run.lines.clone(),
        Cell::Task(_) | Cell::Stage(_) => Vec::new(),
    }
}

/// Whether the exit code says no more than "there are differences" or "no".
fn is_answer(line: &str, status: i32) -> bool {
    status == 1
        && ["kubectl diff ", "kubectl auth can-i "]
            .iter()
            .any(|command| line.starts_with(command))
}

/// The kind that the cell makes and the cluster keeps and shows, but does nothing about. The page says so beside the cell.
fn idle(cell: &Cell) -> Option<&str> {
    let Cell::Apply(apply) = cell else {
        return None;
    };
    apply.kinds.iter().find_map(|(version, kind)| {
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let known = api::kinds::all().iter();
        let mut named = known.filter(|known| known.group == *group && known.kind == *kind.as_str());
        let acts = named
            .next()
            .is_none_or(|known| cluster::acts_on(group, &known.plural));
        (!acts).then_some(kind.as_str())
    })
}

/// The slide's cells that did not do as they should, with what was said.
fn run(deck: &Deck, slide: &Slide) -> BTreeMap<String, String> {
    let mut failed = BTreeMap::new();
    let mut desk = Desk::new(deck, slide.scene.as_ref());
    for (number, cell) in slide.cells().into_iter().enumerate() {
        let fails = match cell {
            Cell::Apply(apply) => apply.fails,
            Cell::Run(run) => run.fails,
            Cell::Task(_) | Cell::Stage(_) => continue,
        };
        let name = format!("slide {} cell {}", slide.id, number + 1);
        if let Some(kind) = idle(cell) {
            failed.insert(name.clone(), format!("nothing acts on {kind} yet"));
        }
        let mut last = 0;
        for line in lines(cell) {
            let outcome = desk.run(&line);
            last = outcome.status;
            if last != 0 && !fails && !is_answer(&line, last) {
                let first = outcome.said.lines().next().unwrap_or("").to_owned();
                failed
                    .entry(name.clone())
                    .or_insert(format!("{line} ends with {last}: {first}"));
            }
        }
        if fails && last == 0 {
            failed.insert(name, String::from("is meant to fail, and does not"));
        }
        desk.wait(5 * sim::SECOND);
    }
    failed
}
