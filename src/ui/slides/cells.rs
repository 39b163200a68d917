//! The parts of a slide that live: a manifest with Apply, lines with Run, a task that turns green.

use playground::deck::{Cell, Task, sentence};
use yew::prelude::*;

use super::blocks::{Drawing, inlines};
use super::outcome::Outcome;
use crate::action::Action;
use crate::env::use_env;
use crate::icons::{Icon, icon};
use crate::words::Msg;

/// A manifest with more lines than this is folded to so many.
const LINES: usize = 12;
const FOLDED: usize = 9;

pub(super) fn cell(drawing: &Drawing, cell: &Cell, line: u32) -> Html {
    let env = drawing.env;
    let key = format!("{}:{line}", drawing.slide);
    match cell {
        Cell::Apply(apply) => {
            let open = env.on(Action::Open {
                name: apply.name.clone(),
                text: apply.yaml.clone(),
                apply: false,
            });
            let press = env.on(Action::ApplyCell {
                key: key.clone(),
                name: apply.name.clone(),
                text: apply.yaml.clone(),
            });
            let idle: Vec<&str> = apply
                .kinds
                .iter()
                .filter(|(version, kind)| !playground::acts_on(version, kind))
                .map(|(_, kind)| kind.as_str())
                .collect();
            html! {
                <div class="cell">
                    <div class="row">
                        <span class="mono" lang="en">{ apply.name.clone() }</span>
                        if apply.fails { <span class="chip">{ env.t(Msg::MeantToFail) }</span> }
                        if !drawing.is_picture {
                            <span class="does">
                                <button class="tool" onclick={open}>{ env.t(Msg::ToEditor) }</button>
                                <button class="btn" onclick={press}>{ env.t(Msg::Apply) }</button>
                            </span>
                        }
                    </div>
                    <Fold lines={apply.yaml.lines().count()} is_picture={drawing.is_picture}>{ drawing.code(&apply.yaml, &apply.highlight) }</Fold>
                    if !idle.is_empty() { <p class="result idle">{ format!("{}: {}", idle.join(", "), env.t(Msg::NotActedOn)) }</p> }
                    { outcome(drawing, &key, apply.fails, Msg::CellApplied) }
                </div>
            }
        }
        Cell::Run(run) => {
            let press = env.on(Action::RunCell {
                key: key.clone(),
                lines: run.lines.clone(),
            });
            html! {
                <div class="cell">
                    <div class="row">
                        <span class="mono" lang="en">{ run.lines.join("\n") }</span>
                        if run.fails { <span class="chip">{ env.t(Msg::MeantToFail) }</span> }
                        if !drawing.is_picture {
                            <button class="btn" onclick={press}>{ icon(Icon::Run) }{ env.t(Msg::Run) }</button>
                        }
                    </div>
                    { outcome(drawing, &key, run.fails, Msg::CellDone) }
                </div>
            }
        }
        Cell::Task(task) => html! { <div class="cell">{ task_row(drawing, task) }</div> },
        Cell::Stage(stage) => html! {
            if !drawing.is_picture {
                <p class="to-stage"><button class="btn ghost" onclick={env.on(Action::Show(stage.view))}>{ env.t(Msg::ShowStage) }</button></p>
            }
        },
    }
}

/// How the cell ended, with the first line of the error.
fn outcome(drawing: &Drawing, key: &str, fails: bool, done: Msg) -> Html {
    let env = drawing.env;
    let (class, text, said) = match drawing.cells.get(key) {
        _ if drawing.is_picture => return Html::default(),
        None => return html! { <p key="end" role="status" hidden={true}></p> },
        Some(Outcome::Running) => ("result", env.t(Msg::CellRuns), None),
        Some(Outcome::Done) if fails => ("result bad", env.t(Msg::CellNotRefused), None),
        Some(Outcome::Done) => ("result good", env.t(done), None),
        Some(Outcome::Failed(_, said)) if fails => {
            ("result good", env.t(Msg::CellAsMeant), Some(said.clone()))
        }
        Some(Outcome::Failed(code, said)) if said.is_empty() => (
            "result bad",
            env.t(Msg::CellRefused),
            Some(format!("exit {code}")),
        ),
        Some(Outcome::Failed(_, said)) => {
            ("result bad", env.t(Msg::CellRefused), Some(said.clone()))
        }
    };
    html! {
        <p key="end" role="status" {class} data-testid="cell-end">{ text }if let Some(said) = said { <code lang="en">{ said }</code> }</p>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct FoldProps {
    lines: usize,
    is_picture: bool,
    children: Html,
}

/// A manifest that is long shows its beginning, until somebody wants the rest.
#[component]
fn Fold(props: &FoldProps) -> Html {
    let env = use_env();
    let is_open = use_state_eq(|| false);
    let is_long = props.lines > LINES;
    let toggle = {
        let is_open = is_open.clone();
        Callback::from(move |_: MouseEvent| is_open.set(!*is_open))
    };
    let folds = is_long && !*is_open;
    html! {
        <div class={classes!("fold", folds.then_some("folded"))} style={folds.then(|| format!("--lines:{FOLDED}"))}>
            { props.children.clone() }
            if is_long && !props.is_picture {
                <button class="unfold" aria-expanded={is_open.to_string()} onclick={toggle}>
                    { if *is_open { String::from(env.t(Msg::FewerLines)) } else { format!("{} {}", props.lines, env.t(Msg::AllLines)) } }
                </button>
            }
        </div>
    }
}

fn task_row(drawing: &Drawing, task: &Task) -> Html {
    let env = drawing.env;
    let (met, done, of, mistake) = match drawing.tasks.get(&task.id) {
        Some((progress, mistake)) => (progress.met, progress.done, progress.of, mistake.clone()),
        None => (false, 0, task.goals.len() as u32, None),
    };
    let share = if of == 0 {
        0.0
    } else {
        f64::from(done) / f64::from(of)
    };
    let share = if met { 1.0 } else { share };
    const AROUND: f64 = 47.1;
    html! {
        <div class="task" data-testid="task" data-met={met.to_string()} role="group" aria-label={task.title(env.lang).to_string()}>
            if met {
                <svg key="done" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true"><circle cx="9" cy="9" r="8" fill="var(--state-ready)" /><path d="M5 9.2l2.800 2.800L13 6.400" stroke="var(--panel)" stroke-width="1.8" fill="none" /></svg>
            } else {
                <svg key="open" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
                    <circle cx="9" cy="9" r="7.5" fill="none" stroke="var(--line)" stroke-width="1.6" />
                    <circle cx="9" cy="9" r="7.5" fill="none" stroke="var(--state-ready)" stroke-width="1.6" stroke-dasharray={format!("{:.1} 99", AROUND * share)} transform="rotate(-90 9 9)" />
                </svg>
            }
            <span key="title">{ task.title(env.lang).to_string() }</span>
            <b key="count" role="status">{ if met { String::from(env.t(Msg::Done)) } else { format!("{done} / {of}") } }</b>
            <span key="track" class="track"><i style={format!("width:{:.0}%", share * 100.0)}></i></span>
            if met && !task.done.is_empty() {
                <small key="after">{ inlines(&sentence(task.done.get(env.lang))) }</small>
            } else if let Some(mistake) = mistake {
                <small key="mistake" class="mistake">{ env.said(&mistake).to_string() }</small>
            } else if let Some((first, rest)) = task.hints.split_first() {
                <small key="hint">
                    <details><summary>{ env.t(Msg::Hint) }</summary>
                        <p>{ inlines(&sentence(first.get(env.lang))) }</p>
                        { for rest.iter().enumerate().map(|(index, hint)| html! { <details key={index}><summary>{ format!("{} {}", env.t(Msg::Hint), index + 2) }</summary>{ inlines(&sentence(hint.get(env.lang))) }</details> }) }
                    </details>
                </small>
            }
        </div>
    }
}
