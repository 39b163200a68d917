//! Search and commands: one field for views, slides, resources, examples and settings. What it does not know goes to the terminal.

use std::rc::Rc;

use playground::deck::Deck;
use yew::prelude::*;

use crate::action::{Action, Pane, Turn};
use crate::env::{Env, use_env};
use crate::stage::{VIEWS, refer};
use crate::words::Msg;
use crate::workbench::examples::EXAMPLES;
use crate::world::Objects;

/// What the palette is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct PaletteProps {
    pub(crate) deck: Rc<Deck>,
    pub(crate) objects: Rc<Objects>,
}

/// Rows shown at a time.
const MOST: usize = 40;

#[component]
pub(crate) fn Palette(props: &PaletteProps) -> Html {
    let env = use_env();
    let query = use_state_eq(String::new);
    let chosen = use_state_eq(|| 0_usize);
    let field = use_node_ref();
    {
        let field = field.clone();
        use_effect_with((), move |()| {
            if let Some(field) = field.cast::<web_sys::HtmlElement>() {
                // A text field always takes the focus.
                let _ = field.focus();
            }
        });
    }
    let entries = use_memo(
        (props.deck.clone(), props.objects.clone(), env.lang),
        |(deck, objects, _)| entries(&env, deck, objects),
    );
    let mut found: Vec<(i32, usize)> = entries
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| Some((score(&query, &entry.text)?, index)))
        .collect();
    found.sort_by_key(|(score, index)| (-score, *index));
    found.truncate(MOST);
    let choose = {
        let env = env.clone();
        move |action: Action| {
            env.act(Action::TogglePalette);
            env.act(action);
        }
    };
    let typed = {
        let (query, chosen) = (query.clone(), chosen.clone());
        Callback::from(move |event: InputEvent| {
            if let Some(field) = event.target_dyn_into::<web_sys::HtmlInputElement>() {
                query.set(field.value());
                chosen.set(0);
            }
        })
    };
    let keys = {
        let (env, query, chosen, choose) =
            (env.clone(), query.clone(), chosen.clone(), choose.clone());
        let actions: Vec<Action> = found
            .iter()
            .map(|(_, index)| entries[*index].action.clone())
            .collect();
        Callback::from(move |event: KeyboardEvent| {
            if event.is_composing() || event.key_code() == 229 {
                return;
            }
            let count = actions.len().max(1);
            match event.key().as_str() {
                "Escape" => env.act(Action::TogglePalette),
                "ArrowDown" => chosen.set((*chosen + 1) % count),
                "ArrowUp" => chosen.set((*chosen + count - 1) % count),
                "Enter" => match actions.get(*chosen) {
                    Some(action) => choose(action.clone()),
                    None if !query.trim().is_empty() => {
                        choose(Action::Run(vec![query.trim().to_string()]))
                    }
                    None => {}
                },
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
    };
    let close = env.on(Action::TogglePalette);
    html! {
        <div class="veil" onclick={close}>
            <div class="palette" role="dialog" aria-modal="true" aria-label={env.t(Msg::Search)} onclick={Callback::from(|event: MouseEvent| event.stop_propagation())}>
                <input ref={field} type="text" role="combobox" aria-expanded="true" aria-controls="found" aria-label={env.t(Msg::Search)} placeholder={env.t(Msg::SearchHint)}
                    autocomplete="off" spellcheck="false" aria-activedescendant={format!("found-{}", *chosen)} oninput={typed} onkeydown={keys} />
                <ul id="found" role="listbox">
                    { for found.iter().enumerate().map(|(row, (_, index))| {
                        let entry = &entries[*index];
                        let (choose, action) = (choose.clone(), entry.action.clone());
                        html! {
                            <li key={row} role="option" id={format!("found-{row}")} aria-selected={(row == *chosen).to_string()} onclick={Callback::from(move |_: MouseEvent| choose(action.clone()))}>
                                <span>{ entry.text.clone() }</span><small>{ entry.group }</small>
                            </li>
                        }
                    }) }
                    if found.is_empty() { <li key="none"><span>{ env.t(Msg::NothingFound) }</span></li> }
                </ul>
            </div>
        </div>
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    text: String,
    group: &'static str,
    action: Action,
}

fn entries(env: &Env, deck: &Deck, objects: &Objects) -> Vec<Entry> {
    let mut out = Vec::new();
    let mut add = |text: String, group: Msg, action: Action| {
        out.push(Entry {
            text,
            group: env.t(group),
            action,
        })
    };
    for (view, msg, _) in VIEWS {
        add(env.t(msg).into(), Msg::Views, Action::Show(view));
    }
    for (msg, action) in [
        (Msg::Apply, Action::Apply),
        (Msg::KeyPause, Action::TogglePause),
        (Msg::Step, Action::Step),
        (Msg::Restart, Action::Restart),
        (Msg::Overview, Action::ToggleOverview),
        (Msg::Decks, Action::ToggleLibrary),
        (Msg::AllLessons, Action::ToggleLibrary),
        (Msg::KeyFull, Action::TogglePresenting),
        (Msg::KeySpeaker, Action::ToggleSpeaker),
        (Msg::KeyPrint, Action::Print),
        (Msg::KeyTerminal, Action::FocusTerminal),
        (Msg::BringBack, Action::BringBack),
        (Msg::Projector, Action::ToggleProjector),
        (Msg::Theme, Action::NextTheme),
        (Msg::Embed, Action::ToggleGenerator),
        (Msg::Help, Action::ToggleHelp),
    ] {
        add(env.t(msg).into(), Msg::Run, action);
    }
    for pane in [Pane::Slides, Pane::Work, Pane::Term] {
        let name = match pane {
            Pane::Slides => Msg::Slides,
            Pane::Work => Msg::Workbench,
            _ => Msg::Terminal,
        };
        add(
            format!("{}: {}", env.t(Msg::PutAway), env.t(name)),
            Msg::Run,
            Action::PutAway(pane),
        );
    }
    for example in &EXAMPLES {
        let action = Action::Open {
            name: example.file.into(),
            text: example.text.into(),
            apply: false,
        };
        add(
            format!("{} ({})", example.title.get(env.lang), example.file),
            Msg::Examples,
            action,
        );
    }
    for row in objects.values().filter(|row| !row.is_system) {
        add(
            format!("{} {}", row.kind, row.name),
            Msg::Tree,
            Action::Select(Some(refer(row))),
        );
    }
    for slide in deck.iter().filter(|slide| !slide.title.is_empty()) {
        add(
            slide.title.clone(),
            Msg::Slides,
            Action::Turn(Turn::To(slide.column, slide.row)),
        );
    }
    out
}

/// How well the letters of `query` occur in `text` in their order: better when together and at the beginnings of words. `None`: not at all.
fn score(query: &str, text: &str) -> Option<i32> {
    if query.trim().is_empty() {
        return Some(0);
    }
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut points, mut last) = (0, 0, None::<usize>);
    for letter in query
        .to_lowercase()
        .chars()
        .filter(|letter| !letter.is_whitespace())
    {
        let found = at + text[at..].iter().position(|other| *other == letter)?;
        let is_start = found == 0 || !text[found - 1].is_alphanumeric();
        points += if last.is_some_and(|last| last + 1 == found) {
            6
        } else if is_start {
            5
        } else {
            1
        };
        last = Some(found);
        at = found + 1;
    }
    Some(points * 8 - text.len().min(60) as i32 / 8)
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn letters_in_order_are_found_and_words_together_come_first() {
        assert!(score("dpl", "Deployment web").is_some());
        assert!(score("xyz", "Deployment web").is_none());
        assert!(score("web", "Deployment web") > score("web", "workers existing behind"));
        assert!(score("ツリー", "リソースツリー").is_some());
    }
}
