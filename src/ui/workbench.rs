//! The right column: files, the editor, what is wrong with the text, Apply.

mod editor;
pub(crate) mod examples;

use std::rc::Rc;

use playground::Problem;
use yew::prelude::*;

use crate::action::{Action, Pane};
use crate::env::{Env, use_env};
use crate::icons::{Icon, icon};
use crate::parts::{Menu, PaneTools};
use crate::words::Msg;

pub(crate) use editor::Reveal;

/// A file of the editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) name: Rc<str>,
    pub(crate) text: Rc<str>,
}

/// How the last Apply of the shown file ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    #[default]
    None,
    Running,
    Applied,
    Refused,
}

/// What the column is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct WorkbenchProps {
    pub(crate) files: Rc<Vec<File>>,
    pub(crate) active: usize,
    pub(crate) problems: Rc<Vec<Problem>>,
    pub(crate) outcome: Outcome,
    pub(crate) reveal: Option<Reveal>,
    /// The live object to compare with, while the difference is shown.
    pub(crate) against: Option<Rc<str>>,
    pub(crate) is_alone: bool,
    pub(crate) is_plain: bool,
}

#[component]
pub(crate) fn Workbench(props: &WorkbenchProps) -> Html {
    let env = use_env();
    let lists = use_state_eq(|| props.is_plain);
    let file = props.files.get(props.active);
    let text = file.map(|file| file.text.clone()).unwrap_or_default();
    let examples: Vec<(AttrValue, AttrValue, Action)> = examples::EXAMPLES
        .iter()
        .map(|example| {
            let action = Action::Open {
                name: example.file.into(),
                text: example.text.into(),
                apply: false,
            };
            (
                AttrValue::from(example.title.get(env.lang).to_string()),
                AttrValue::Static(example.file),
                action,
            )
        })
        .collect();
    html! {
        <>
            <div class="tabs" key="tabs">
                <div role="tablist" aria-label={env.t(Msg::Workbench)} key="files">
                    { for props.files.iter().enumerate().map(|(index, file)| {
                        let is_active = index == props.active;
                        html! {
                            <span class="file-tab" key={index} role="presentation">
                                <button role="tab" aria-selected={is_active.to_string()} tabindex={if is_active { "0" } else { "-1" }} onclick={env.on(Action::OpenFile(index))} lang="en">{ file.name.to_string() }</button>
                                if props.files.len() > 1 {
                                    <button class="close" title={env.t(Msg::CloseFile)} aria-label={format!("{} {}", env.t(Msg::CloseFile), file.name)} onclick={env.on(Action::CloseFile(index))}>{ icon(Icon::Close) }</button>
                                }
                            </span>
                        }
                    }) }
                </div>
                <button key="new" class="tool icon" title={env.t(Msg::NewFile)} aria-label={env.t(Msg::NewFile)} onclick={env.on(Action::NewFile)}>{ icon(Icon::Plus) }</button>
                <span key="space" class="sp"></span>
                <PaneTools key="tools" pane={Pane::Work} is_alone={props.is_alone} />
                <Menu key="examples" label={env.t(Msg::Examples)} items={examples} />
            </div>
            <div class="editor" key="editor" data-testid="editor">
                <editor::Editor name={file.map(|file| file.name.clone()).unwrap_or_default()} text={text.clone()} problems={props.problems.clone()} reveal={props.reveal}
                    against={props.against.clone()} is_plain={props.is_plain} />
            </div>
            <ul class={classes!("problems", (!*lists).then_some("sr"))} key="problems" data-testid="problems" aria-label={env.t(Msg::Problems)}>
                { for props.problems.iter().enumerate().map(|(index, problem)| problem_row(&env, index, problem)) }
            </ul>
            <div class="apply-bar" key="bar">
                <button key="apply" class="btn" data-testid="apply" disabled={props.outcome == Outcome::Running || text.trim().is_empty()} onclick={env.on(Action::Apply)}>
                    { env.t(if props.outcome == Outcome::Running { Msg::Applying } else { Msg::Apply }) }
                </button>
                <kbd key="keys">{ "Ctrl ⏎" }</kbd>
                <button key="diff" class="btn ghost" aria-pressed={props.against.is_some().to_string()} onclick={env.on(Action::ToggleDiff)}>
                    { env.t(if props.against.is_some() { Msg::DiffEnd } else { Msg::Diff }) }
                </button>
                <span key="space" class="sp"></span>
                <span key="state" role="status">{ state(&env, props, &lists) }</span>
            </div>
        </>
    }
}

fn state(env: &Env, props: &WorkbenchProps, lists: &UseStateHandle<bool>) -> Html {
    let errors = props.problems.len();
    let toggle = {
        let lists = lists.clone();
        Callback::from(move |_: MouseEvent| lists.set(!*lists))
    };
    match props.outcome {
        _ if errors > 0 => {
            html! { <button class="tool bad" aria-expanded={lists.to_string()} onclick={toggle}>{ format!("{} {errors}", env.t(Msg::Problems)) }</button> }
        }
        Outcome::Refused => html! { <span class="bad">{ env.t(Msg::ApplyRefused) }</span> },
        Outcome::Applied => html! { <span class="good">{ env.t(Msg::Applied) }</span> },
        Outcome::None | Outcome::Running => html! { <span>{ env.t(Msg::NoProblems) }</span> },
    }
}

fn problem_row(env: &Env, index: usize, problem: &Problem) -> Html {
    html! {
        <li key={index} class={classes!(problem.is_warning.then_some("warn"))} data-line={problem.line.to_string()}>
            <button class="at" onclick={env.on(Action::Reveal(index))}>{ format!("{} {}", env.t(Msg::Line), problem.line) }</button>
            <p>
                if !problem.path.is_empty() { <code lang="en">{ problem.path.clone() }</code>{ " " } }
                { env.said(&problem.message).to_string() }
            </p>
            if problem.replacement.is_some() {
                <button class="mend" onclick={env.on(Action::Mend(index))}>{ env.t(Msg::ReplaceIt) }</button>
            } else {
                <span></span>
            }
            if let Some(hint) = &problem.hint {
                <span class="hint">{ env.said(hint).to_string() }</span>
            }
        </li>
    }
}
