//! The decks one can open: the study group's, the lessons with how far one is, and one's own. And the dialog that offers them.

use std::collections::BTreeSet;
use std::rc::Rc;

use playground::deck::{Deck, Lang, Slide, bundled, lessons};
use yew::prelude::*;

use crate::action::Action;
use crate::env::{Env, use_env};
use crate::icons::{Icon, icon};
use crate::words::words;

words! { Words:
    Title: "デッキとレッスン" | "Decks and lessons";
    Study: "勉強会のスライド" | "The study group's slides";
    Lessons: "レッスン" | "Lessons";
    LessonsHint: "目標に着けば、どんな道でも達成です。進み具合はこのブラウザーにだけ残ります。" | "Any way to the goal counts. Progress stays in this browser only.";
    Minutes: "分" | "min";
    SlidesWord: "枚" | "slides";
    DoneWord: "達成" | "Done";
    Own: "自分のデッキ" | "A deck of your own";
    OwnHint: "Markdown のファイルを、このページにドロップしてください。reveal.js・GitPitch・Marp・Slidev のデッキがほぼそのまま読めます。" | "Drop a Markdown file onto this page. Decks for reveal.js, GitPitch, Marp and Slidev mostly work as they are.";
    Close: "閉じる" | "Close";
    Here: "表示中" | "Open now";
}

/// Where the slides come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Source {
    #[default]
    Study,
    /// By its number, from 0.
    Lesson(usize),
    Own(Rc<Own>),
}

/// A deck of the user's.
#[derive(Debug, PartialEq)]
pub(crate) struct Own {
    /// The file's name, or the address as it was asked for.
    pub(crate) name: String,
    pub(crate) text: String,
    /// The whole address, which its pictures stand beside; `None` for a file that was handed over.
    pub(crate) address: Option<String>,
}

impl Source {
    /// The bundled deck of this name: `lessons/01-first-pod.md`, or only `01-first-pod`.
    pub(crate) fn bundled(name: &str) -> Option<Source> {
        let stem = name.strip_prefix("lessons/").unwrap_or(name);
        let stem = stem.strip_suffix(".md").unwrap_or(stem);
        let number = lessons(Lang::En)
            .iter()
            .position(|(file, _)| file.strip_suffix(".md") == Some(stem));
        number.map(Source::Lesson)
    }

    /// What tells this deck from others, in the address and in what is kept; empty for the page's own.
    pub(crate) fn key(&self) -> String {
        match self {
            Source::Study => String::new(),
            Source::Lesson(number) => lessons(Lang::En)
                .get(*number)
                .map(|(file, _)| format!("lessons/{file}"))
                .unwrap_or_default(),
            Source::Own(own) => own.name.clone(),
        }
    }

    /// How an address names this deck; the page's own needs no name, and a file that was handed over has none.
    pub(crate) fn address(&self) -> Option<String> {
        match self {
            Source::Own(own) if own.address.is_none() => None,
            _ => Some(self.key()).filter(|key| !key.is_empty()),
        }
    }

    /// The slides in `lang`. A deck of the user's has one language.
    pub(crate) fn deck(&self, lang: Lang) -> Deck {
        match self {
            Source::Study => Deck::parse(bundled(lang)),
            Source::Lesson(number) => {
                let file = lessons(lang).get(*number).copied();
                Deck::parse(file.as_slice())
            }
            Source::Own(own) => {
                let mut deck = Deck::parse(&[(own.name.as_str(), own.text.as_str())]);
                deck.map_images(&|src| crate::dom::beside(src, own.address.as_deref()));
                deck
            }
        }
    }
}

/// What the dialog is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct LibraryProps {
    pub(crate) source: Source,
    /// Ids of the tasks that were reached.
    pub(crate) done: Rc<BTreeSet<String>>,
}

#[component]
pub(crate) fn Library(props: &LibraryProps) -> Html {
    let env = use_env();
    let close = env.on(Action::ToggleLibrary);
    let t = |words: Words| words.text(env.lang);
    let decks = use_memo(env.lang, |lang| {
        let count = lessons(*lang).len();
        let lessons: Vec<Deck> = (0..count)
            .map(|number| Source::Lesson(number).deck(*lang))
            .collect();
        (Source::Study.deck(*lang), lessons)
    });
    let (study, lessons) = &*decks;
    use_effect_with((), |()| {
        crate::dom::focus(".library [aria-current], .library button")
    });
    let reached: usize = lessons
        .iter()
        .filter(|deck| is_reached(deck, &props.done))
        .count();
    html! {
        <div class="veil" onclick={close.clone()}>
            <div class="palette library" role="dialog" aria-modal="true" aria-label={t(Words::Title)} data-testid="library" onclick={Callback::from(|event: MouseEvent| event.stop_propagation())}>
                <div class="head" key="head"><h2>{ t(Words::Title) }</h2><span class="sp"></span>
                    <button class="tool icon" title={t(Words::Close)} aria-label={t(Words::Close)} onclick={close}>{ icon(Icon::Close) }</button></div>
                <h3 key="study">{ t(Words::Study) }</h3>
                { entry(&env, Source::Study, &props.source, None, &study.title, format!("{} {}", study.len(), t(Words::SlidesWord)), false) }
                <h3 key="lessons">{ t(Words::Lessons) }<small class="num">{ format!("{reached} / {}", lessons.len()) }</small></h3>
                <p key="how">{ t(Words::LessonsHint) }</p>
                <ol key="list">{ for lessons.iter().enumerate().map(|(number, deck)| html! {
                    <li key={number}>{ entry(&env, Source::Lesson(number), &props.source, Some(number + 1), &deck.title, minutes(&env, deck), is_reached(deck, &props.done)) }</li>
                }) }</ol>
                <h3 key="own">{ t(Words::Own) }</h3>
                <p key="drop">{ t(Words::OwnHint) }</p>
                if let Source::Own(own) = &props.source {
                    { entry(&env, props.source.clone(), &props.source, None, &own.name, String::new(), false) }
                }
            </div>
        </div>
    }
}

fn entry(
    env: &Env,
    source: Source,
    shown: &Source,
    number: Option<usize>,
    title: &str,
    more: String,
    is_done: bool,
) -> Html {
    let is_here = source == *shown;
    let mark = if is_done {
        html! { <svg width="20" height="20" viewBox="0 0 18 18" aria-hidden="true"><circle cx="9" cy="9" r="8" fill="var(--state-ready)" /><path d="M5 9.2l2.8 2.8L13 6.4" stroke="var(--panel)" stroke-width="1.8" fill="none" /></svg> }
    } else if let Some(number) = number {
        html! { <span class="ring num" aria-hidden="true">{ number }</span> }
    } else {
        html! { <span class="ring" aria-hidden="true">{ icon(Icon::Slides) }</span> }
    };
    html! {
        <button key={source.key()} class="entry" data-testid="library-entry" data-done={is_done.to_string()} aria-current={is_here.then_some("true")} onclick={env.on(Action::OpenDeck(source))}>
            { mark }
            <span class="title">{ title.to_string() }</span>
            if is_done { <small class="done">{ Words::DoneWord.text(env.lang) }</small> }
            if is_here { <small>{ Words::Here.text(env.lang) }</small> }
            <small class="num">{ more }</small>
        </button>
    }
}

fn minutes(env: &Env, deck: &Deck) -> String {
    deck.front
        .other
        .get("minutes")
        .map(|minutes| format!("{minutes} {}", Words::Minutes.text(env.lang)))
        .unwrap_or_default()
}

/// Whether every task of a deck was reached.
pub(crate) fn is_reached(deck: &Deck, done: &BTreeSet<String>) -> bool {
    let mut tasks = deck.iter().flat_map(Slide::tasks).peekable();
    tasks.peek().is_some() && tasks.all(|task| done.contains(&task.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_is_found_by_its_name_and_has_both_languages() {
        let lesson = Source::bundled("lessons/01-first-pod.md").expect("the first lesson is there");
        assert_eq!(Source::bundled("01-first-pod"), Some(lesson.clone()));
        assert_eq!(Source::bundled(&lesson.key()), Some(lesson.clone()));
        assert_eq!(Source::bundled("lessons/none.md"), None);
        let (ja, en) = (lesson.deck(Lang::Ja), lesson.deck(Lang::En));
        assert_ne!(ja.title, en.title);
        let mut done = BTreeSet::new();
        assert!(!is_reached(&en, &done));
        done.insert(String::from("lesson-01-first-pod"));
        assert!(is_reached(&en, &done) && is_reached(&ja, &done));
    }

    #[test]
    fn a_deck_without_tasks_is_never_reached() {
        assert!(!is_reached(
            &Deck::parse(&[("a.md", "# One")]),
            &BTreeSet::new()
        ));
    }
}
