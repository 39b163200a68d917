//! What every component may need: the language, the colours, a way to act and a way to ask. Changes rarely, so that a tick of time
//! redraws nothing because of it.

use std::cell::RefCell;
use std::rc::Rc;

use playground::deck::Lang;
use playground::{Playground, Text};
use yew::prelude::*;

use crate::action::Action;
use crate::words::{Msg, said};

/// The running cluster, shared by whoever asks it something. Only the application changes it.
#[derive(Clone)]
pub(crate) struct Engine(pub(crate) Rc<RefCell<Playground>>);

impl PartialEq for Engine {
    fn eq(&self, other: &Engine) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Engine")
    }
}

/// The context of every component.
#[derive(Clone, PartialEq)]
pub(crate) struct Env {
    pub(crate) lang: Lang,
    pub(crate) dark: bool,
    /// Set when the page may not move things.
    pub(crate) still: bool,
    /// Set when the page is a part of another one.
    pub(crate) is_embed: bool,
    /// Set when the user may look and go through time, but change nothing.
    pub(crate) is_readonly: bool,
    pub(crate) act: Callback<Action>,
    pub(crate) engine: Engine,
}

impl Env {
    /// A fixed text.
    pub(crate) fn t(&self, msg: Msg) -> &'static str {
        msg.text(self.lang)
    }

    /// A sentence of the cluster.
    pub(crate) fn said<'a>(&self, text: &'a Text) -> &'a str {
        said(text, self.lang)
    }

    /// Does something.
    pub(crate) fn act(&self, action: Action) {
        self.act.emit(action);
    }

    /// A callback that does something, whatever the event.
    pub(crate) fn on<E: 'static>(&self, action: Action) -> Callback<E> {
        let act = self.act.clone();
        Callback::from(move |_| act.emit(action.clone()))
    }
}

/// The context. Every component is drawn beneath its provider.
#[hook]
pub(crate) fn use_env() -> Env {
    use_context::<Env>().expect("the application provides the context")
}
