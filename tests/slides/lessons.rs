//! Each lesson: its own solution reaches the goal; doing nothing does not, and its wrong answer does not either.

use std::collections::BTreeMap;

use deck::{Deck, Lang, Slide, Task, lessons};

use crate::desk::Desk;
use crate::known;

/// Longer than any solution takes.
const LONG: sim::Micros = 10 * 60 * sim::SECOND;

/// Runs `check` over every task of every lesson; `what` is its name in the list of known failures.
fn each(what: &str, check: impl Fn(&Deck, &Slide, &Task) -> Result<(), String>) {
    let mut failed = BTreeMap::new();
    for file in lessons(Lang::En) {
        let deck = Deck::parse(&[*file]);
        for slide in deck.iter() {
            for task in Slide::tasks(slide) {
                if let Err(why) = check(&deck, slide, task) {
                    failed.insert(format!("{what} {}", task.id), why);
                }
            }
        }
    }
    known::compare(&format!("{what} "), &failed);
}

#[test]
fn every_solution_reaches_its_goal() {
    each("solution", |deck, slide, task| {
        let mut desk = Desk::new(deck, slide.scene.as_ref());
        desk.watch(task);
        for line in &task.solution {
            let outcome = desk.run(line);
            if outcome.status != 0 {
                return Err(format!(
                    "{line} ends with {}: {}",
                    outcome.status, outcome.said
                ));
            }
        }
        let progress = desk.progress();
        let pods = desk.run("kubectl get pods,deployments,nodes -o wide").said;
        if progress.met {
            Ok(())
        } else {
            Err(format!("{progress:?}\n{pods}"))
        }
    });
}

#[test]
fn doing_nothing_reaches_no_goal() {
    each("idle", |deck, slide, task| {
        let mut desk = Desk::new(deck, slide.scene.as_ref());
        desk.watch(task);
        desk.wait(LONG);
        if desk.progress().met {
            Err(String::from("met by waiting"))
        } else {
            Ok(())
        }
    });
}

#[test]
fn a_typical_wrong_answer_reaches_no_goal() {
    each("wrong", |deck, slide, task| {
        let mut desk = Desk::new(deck, slide.scene.as_ref());
        desk.watch(task);
        for line in &task.wrong {
            let outcome = desk.run(line);
            if outcome.status != 0 {
                return Err(format!(
                    "{line} ends with {}: {}",
                    outcome.status, outcome.said
                ));
            }
        }
        desk.wait(LONG);
        if desk.progress().met {
            Err(String::from("met by the wrong answer"))
        } else {
            Ok(())
        }
    });
}

#[test]
fn no_mistake_is_seen_before_anything_is_done() {
    each("mistake", |deck, slide, task| {
        let mut desk = Desk::new(deck, slide.scene.as_ref());
        desk.watch(task);
        match desk.mistake() {
            Some(said) => Err(format!("says at the start: {said}")),
            None => Ok(()),
        }
    });
}
