//! The text field of a manifest: CodeMirror where its script is there, a plain text area where it is not or is not wanted.
//!
//! The document belongs to the application; the editor is told when it changed elsewhere. CodeMirror counts in UTF-16, the cluster in bytes.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect};
use playground::Problem;
use playground::deck::Lang;
use wasm_bindgen::prelude::*;
use yew::prelude::*;

use crate::action::Action;
use crate::env::{Env, use_env};
use crate::words::{Msg, said};

/// A place to show. `nonce` makes the same place a new wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reveal {
    pub(crate) nonce: u32,
    /// In bytes.
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// What the editor is given.
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct EditorProps {
    pub(crate) name: Rc<str>,
    pub(crate) text: Rc<str>,
    pub(crate) problems: Rc<Vec<Problem>>,
    pub(crate) reveal: Option<Reveal>,
    pub(crate) against: Option<Rc<str>>,
    pub(crate) is_plain: bool,
}

#[component]
pub(crate) fn Editor(props: &EditorProps) -> Html {
    let env = use_env();
    let host = use_node_ref();
    let mirror = use_mut_ref(|| None::<Mirror>);
    let has_mirror = !props.is_plain && factory().is_some();
    // The closures of CodeMirror outlive a render: they look the newest environment up here.
    let newest = use_mut_ref(|| env.clone());
    *newest.borrow_mut() = env.clone();
    {
        let (mirror, host, newest) = (mirror.clone(), host.clone(), newest.clone());
        let text = props.text.clone();
        use_effect_with(has_mirror, move |has_mirror| {
            if *has_mirror {
                *mirror.borrow_mut() = host
                    .cast::<web_sys::Element>()
                    .and_then(|host| Mirror::new(&host, &text, newest));
            }
            move || {
                if let Some(mirror) = mirror.borrow_mut().take() {
                    mirror.call("destroy", &[]);
                }
            }
        });
    }
    {
        let mirror = mirror.clone();
        use_effect_with((props.text.clone(), has_mirror), move |(text, _)| {
            if let Some(mirror) = &*mirror.borrow() {
                mirror.call("setDoc", &[JsValue::from_str(text)]);
            }
        });
    }
    {
        let mirror = mirror.clone();
        let text = props.text.clone();
        use_effect_with(
            (props.problems.clone(), env.lang, has_mirror),
            move |(problems, lang, _)| {
                if let Some(mirror) = &*mirror.borrow() {
                    mirror.call(
                        "setDiagnostics",
                        &[diagnostics(&text, problems, *lang).into()],
                    );
                }
            },
        );
    }
    {
        let mirror = mirror.clone();
        use_effect_with((env.dark, env.lang, has_mirror), move |(dark, lang, _)| {
            if let Some(mirror) = &*mirror.borrow() {
                mirror.call("setTheme", &[(*dark).into()]);
                mirror.call("setLang", &[lang.tag().into()]);
                mirror.call("setLabel", &[Msg::EditorLabel.text(*lang).into()]);
            }
        });
    }
    {
        let mirror = mirror.clone();
        use_effect_with((env.is_readonly, has_mirror), move |(is_readonly, _)| {
            if let Some(mirror) = mirror.borrow().as_ref().filter(|_| *is_readonly) {
                mirror.call("setReadonly", &[true.into()]);
            }
        });
    }
    {
        let mirror = mirror.clone();
        use_effect_with((props.against.clone(), has_mirror), move |(against, _)| {
            if let Some(mirror) = &*mirror.borrow() {
                mirror.call(
                    "showDiff",
                    &[against.as_deref().map_or(JsValue::NULL, JsValue::from_str)],
                );
            }
        });
    }
    {
        let (mirror, host) = (mirror.clone(), host.clone());
        let text = props.text.clone();
        use_effect_with(props.reveal, move |reveal| {
            let Some(reveal) = reveal else { return };
            let (from, to) = (utf16(&text, reveal.from), utf16(&text, reveal.to));
            if let Some(mirror) = &*mirror.borrow() {
                mirror.call("reveal", &[from.into(), to.into()]);
                mirror.call("focus", &[]);
            } else if let Some(area) = host.cast::<web_sys::HtmlTextAreaElement>() {
                // The range lies within the text, so the field takes it.
                let _ = area.focus();
                let _ = area.set_selection_range(from, to);
            }
        });
    }
    if has_mirror {
        return html! { <div class="host" ref={host} key="mirror"></div> };
    }
    let act = env.act.clone();
    let typed = Callback::from(move |event: InputEvent| {
        if let Some(area) = event.target_dyn_into::<web_sys::HtmlTextAreaElement>() {
            act.emit(Action::Edit(area.value()));
        }
    });
    html! {
        <textarea ref={host} key="area" spellcheck="false" autocapitalize="off" autocomplete="off" lang="en" aria-label={env.t(Msg::EditorLabel)}
            readonly={env.is_readonly}
            value={props.text.to_string()} oninput={typed} />
    }
}

/// The constructor that CodeMirror's script left behind.
fn factory() -> Option<Function> {
    #[cfg(not(target_arch = "wasm32"))]
    return None;
    #[cfg(target_arch = "wasm32")]
    {
        let module = Reflect::get(&js_sys::global(), &"KP_CM".into()).ok()?;
        Reflect::get(&module, &"create".into())
            .ok()?
            .dyn_into()
            .ok()
    }
}

/// A living CodeMirror with the closures that it calls.
struct Mirror {
    handle: JsValue,
    _change: Closure<dyn FnMut(String)>,
    _submit: Closure<dyn FnMut()>,
    _complete: Closure<dyn FnMut(u32, String) -> JsValue>,
    _hover: Closure<dyn FnMut(u32, String) -> JsValue>,
}

impl Mirror {
    fn new(host: &web_sys::Element, text: &str, env: Rc<RefCell<Env>>) -> Option<Mirror> {
        let change = {
            let env = env.clone();
            Closure::<dyn FnMut(String)>::new(move |text| {
                let act = env.borrow().act.clone();
                act.emit(Action::Edit(text));
            })
        };
        let submit = {
            let env = env.clone();
            Closure::<dyn FnMut()>::new(move || {
                let act = env.borrow().act.clone();
                act.emit(Action::Apply);
            })
        };
        let complete = {
            let env = env.clone();
            Closure::<dyn FnMut(u32, String) -> JsValue>::new(move |at, text: String| {
                completions(&env.borrow(), at, &text)
            })
        };
        let hover = {
            let env = env.clone();
            Closure::<dyn FnMut(u32, String) -> JsValue>::new(move |at, text: String| {
                let env = env.borrow();
                let found = env
                    .engine
                    .0
                    .try_borrow()
                    .ok()
                    .and_then(|playground| playground.hover(&text, bytes(&text, at)));
                found.map_or(JsValue::NULL, |text| {
                    JsValue::from_str(said(&text, env.lang))
                })
            })
        };
        let options = {
            let env = env.borrow();
            object(&[
                ("doc", text.into()),
                ("lang", env.lang.tag().into()),
                ("dark", env.dark.into()),
                ("ariaLabel", env.t(Msg::EditorLabel).into()),
                ("onChange", change.as_ref().clone()),
                ("onSubmit", submit.as_ref().clone()),
                ("complete", complete.as_ref().clone()),
                ("hover", hover.as_ref().clone()),
            ])
        };
        let handle = factory()?.call2(&JsValue::UNDEFINED, host, &options).ok()?;
        Some(Mirror {
            handle,
            _change: change,
            _submit: submit,
            _complete: complete,
            _hover: hover,
        })
    }

    fn call(&self, name: &str, arguments: &[JsValue]) {
        let method = Reflect::get(&self.handle, &name.into()).unwrap_or_default();
        if let Some(method) = method.dyn_ref::<Function>() {
            let list: Array = arguments.iter().collect();
            // The handle's methods refuse nothing that is passed here.
            let _ = method.apply(&self.handle, &list);
        }
    }
}

fn completions(env: &Env, at: u32, text: &str) -> JsValue {
    let Ok(playground) = env.engine.0.try_borrow() else {
        return JsValue::NULL;
    };
    let found = playground.complete_manifest(text, bytes(text, at));
    if found.candidates.is_empty() {
        return JsValue::NULL;
    }
    let options: Array = found
        .candidates
        .iter()
        .map(|candidate| {
            JsValue::from(object(&[
                ("label", candidate.text.as_str().into()),
                ("detail", candidate.detail.as_str().into()),
            ]))
        })
        .collect();
    object(&[
        ("from", utf16(text, found.from).into()),
        ("options", options.into()),
    ])
    .into()
}

fn diagnostics(text: &str, problems: &[Problem], lang: Lang) -> Array {
    problems
        .iter()
        .map(|problem| {
            let actions = Array::new();
            if let Some(replacement) = &problem.replacement {
                actions.push(&object(&[
                    ("name", Msg::ReplaceIt.text(lang).into()),
                    ("insert", replacement.as_str().into()),
                ]));
            }
            JsValue::from(object(&[
                ("from", utf16(text, problem.from).into()),
                ("to", utf16(text, problem.to).into()),
                (
                    "severity",
                    if problem.is_warning {
                        "warning"
                    } else {
                        "error"
                    }
                    .into(),
                ),
                ("message", said(&problem.message, lang).into()),
                ("path", problem.path.as_str().into()),
                (
                    "hint",
                    problem
                        .hint
                        .as_ref()
                        .map_or("", |hint| said(hint, lang))
                        .into(),
                ),
                ("actions", actions.into()),
            ]))
        })
        .collect()
}

fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a field of a fresh object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

/// The UTF-16 offset of a byte offset; one inside a letter or past the end goes to the next boundary before it.
pub(crate) fn utf16(text: &str, byte: usize) -> u32 {
    text.char_indices()
        .take_while(|(at, letter)| at + letter.len_utf8() <= byte)
        .map(|(_, letter)| letter.len_utf16() as u32)
        .sum()
}

/// The byte offset of a UTF-16 offset.
pub(crate) fn bytes(text: &str, utf16: u32) -> usize {
    let mut units = 0;
    for (at, letter) in text.char_indices() {
        if units >= utf16 {
            return at;
        }
        units += letter.len_utf16() as u32;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_agree_for_letters_of_every_width() {
        let text = "a: あ𠮷b";
        for (byte, units) in [(0, 0), (3, 3), (6, 4), (10, 6), (11, 7)] {
            assert_eq!(utf16(text, byte), units);
            assert_eq!(bytes(text, units), byte);
        }
        assert_eq!(utf16(text, 4), 3, "inside a letter");
        assert_eq!(utf16(text, 99), 7);
        assert_eq!(bytes(text, 99), text.len());
    }
}
