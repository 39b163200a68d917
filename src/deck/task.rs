//! A task: a goal with a title, hints and the mistakes that people make on the way to it.

use serde_yaml::{Mapping, Value};

use crate::fields;
use crate::goal::{Goal, Progress, World};
use crate::problems::Problems;
use crate::{Lang, Words};

/// Something for the reader to reach. Turns green for any route that gets there.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Key under which progress is kept; unique in a deck.
    pub id: String,
    pub title: Words,
    /// What must become true, one after another; usually a single goal.
    pub goals: Vec<Goal>,
    /// From a nudge to nearly the answer.
    pub hints: Vec<Words>,
    pub mistakes: Vec<Mistake>,
    /// Said once it is reached.
    pub done: Words,
    /// Command lines that reach the goal from the slide's scene.
    pub solution: Vec<String>,
    /// Command lines of a typical wrong answer, which must not pass.
    pub wrong: Vec<String>,
}

/// A common mistake: recognised by a predicate, answered with a sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    pub when: Goal,
    pub say: Words,
}

/// How far the reader got. A goal that was met stays met, so that the next one can be the opposite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    passed: usize,
}

impl Attempt {
    /// Looks at the cluster, and says how far the whole task is.
    pub fn observe(&mut self, task: &Task, world: &impl World) -> Progress {
        let mut last = None;
        while let Some(goal) = task.goals.get(self.passed) {
            let progress = goal.progress(world);
            last = Some(progress);
            if !progress.met {
                break;
            }
            self.passed += 1;
        }
        let met = self.passed >= task.goals.len();
        match (task.goals.len(), last) {
            (1, Some(progress)) if !met => progress,
            (1, _) => Progress {
                met,
                done: 1,
                of: 1,
            },
            (goals, _) => Progress {
                met,
                done: self.passed.min(goals) as u32,
                of: goals as u32,
            },
        }
    }
}

impl Task {
    /// The first common mistake that the cluster shows now.
    pub fn mistake(&self, world: &impl World) -> Option<&Mistake> {
        self.mistakes
            .iter()
            .find(|mistake| mistake.when.progress(world).met)
    }

    /// The title in `lang`.
    pub fn title(&self, lang: Lang) -> &str {
        self.title.get(lang)
    }

    /// Reads a task fence. `id` is what it is called if its author names it not.
    pub(crate) fn parse(
        source: &str,
        id: String,
        line: u32,
        problems: &mut Problems,
    ) -> Option<Task> {
        let mapping = fields::mapping(source, line, "task", problems)?;
        let known = [
            "id", "title", "goal", "steps", "hint", "hints", "mistakes", "done", "solution",
            "wrong",
        ];
        fields::only(&mapping, &known, line, problems);
        let goals = match (mapping.get("goal"), mapping.get("steps")) {
            (Some(goal), None) => vec![Goal::parse(goal, line, problems)?],
            (None, Some(Value::Sequence(steps))) if !steps.is_empty() => {
                let goals: Option<Vec<Goal>> = steps
                    .iter()
                    .map(|step| Goal::parse(step, line, problems))
                    .collect();
                goals?
            }
            _ => {
                let message = Words::new("task に goal がありません", "the task has no goal");
                let hint = Words::new(
                    "例: goal: {kind: Pod, selector: app=web, ready: 3}",
                    "for example: goal: {kind: Pod, selector: app=web, ready: 3}",
                );
                problems.add(line, message, hint);
                return None;
            }
        };
        let sentence = |key: &str| mapping.get(key).and_then(fields::words).unwrap_or_default();
        let title = sentence("title");
        if title.is_empty() {
            let message = Words::new("task に title がありません", "the task has no title");
            let hint = Words::new(
                "何ができたら達成かを一文で書きます",
                "say in one sentence what is to be reached",
            );
            problems.add(line, message, hint);
        }
        Some(Task {
            id: mapping.get("id").and_then(fields::text).unwrap_or(id),
            title,
            goals,
            hints: hints(&mapping),
            mistakes: mistakes(&mapping, line, problems),
            done: sentence("done"),
            solution: mapping
                .get("solution")
                .and_then(fields::lines)
                .unwrap_or_default(),
            wrong: mapping
                .get("wrong")
                .and_then(fields::lines)
                .unwrap_or_default(),
        })
    }
}

fn hints(mapping: &Mapping) -> Vec<Words> {
    match mapping.get("hints").or_else(|| mapping.get("hint")) {
        Some(Value::Sequence(hints)) => hints.iter().filter_map(fields::words).collect(),
        Some(hint) => fields::words(hint).into_iter().collect(),
        None => Vec::new(),
    }
}

fn mistakes(mapping: &Mapping, line: u32, problems: &mut Problems) -> Vec<Mistake> {
    let Some(Value::Sequence(list)) = mapping.get("mistakes") else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for mistake in list {
        let say = mistake.get("say").and_then(fields::words);
        let (Some(when), Some(say)) = (mistake.get("when"), say) else {
            let message = Words::new(
                "mistakes には when と say が要ります",
                "a mistake needs when and say",
            );
            let hint = Words::new(
                "when は goal と同じ書き方、say は読者への一文です",
                "when is written like a goal, say is a sentence to the reader",
            );
            problems.add(line, message, hint);
            continue;
        };
        if let Some(when) = Goal::parse(when, line, problems) {
            out.push(Mistake { when, say });
        }
    }
    out
}
