//! The few things asked of the browser directly: sizes, focus, the clipboard, texts measured in columns.

use unicode_width::UnicodeWidthStr;
use wasm_bindgen::prelude::*;
use yew::prelude::*;

/// The size in pixels of the element behind `node`, kept up to date. Zero until it is known.
#[hook]
pub(crate) fn use_size(node: &NodeRef) -> (f64, f64) {
    let size = use_state_eq(|| (0.0, 0.0));
    let setter = size.setter();
    use_effect_with(node.clone(), move |node| {
        let element = node.cast::<web_sys::Element>();
        let watched = element.clone();
        let report = Closure::<dyn FnMut()>::new(move || {
            if let Some(element) = &watched {
                setter.set((
                    f64::from(element.client_width()),
                    f64::from(element.client_height()),
                ));
            }
        });
        let observer = element.and_then(|element| {
            let observer = web_sys::ResizeObserver::new(report.as_ref().unchecked_ref()).ok()?;
            observer.observe(&element);
            Some(observer)
        });
        move || {
            if let Some(observer) = observer {
                observer.disconnect();
            }
            drop(report);
        }
    });
    *size
}

/// Moves the focus to the first element that `selector` finds.
pub(crate) fn focus(selector: &str) {
    let found = document().and_then(|document| document.query_selector(selector).ok().flatten());
    if let Some(element) = found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok())
    {
        // An element that cannot take the focus leaves it where it is.
        let _ = element.focus();
    }
}

/// Copies a text; silently nothing where the browser does not allow it.
pub(crate) fn copy(text: &str) {
    if let Some(window) = web_sys::window() {
        let clipboard =
            js_sys::Reflect::get(&window.navigator(), &"clipboard".into()).unwrap_or_default();
        if !clipboard.is_undefined() {
            let _ = window.navigator().clipboard().write_text(text);
        }
    }
}

/// Makes an element fill the screen, or ends that.
pub(crate) fn toggle_full_screen(selector: &str) {
    let Some(document) = document() else { return };
    let call = |target: &JsValue, name: &str| {
        let method = js_sys::Reflect::get(target, &name.into()).unwrap_or_default();
        if let Some(method) = method.dyn_ref::<js_sys::Function>() {
            // Refused in frames without permission: the slide then stays as it is.
            let _ = method.call0(target);
        }
    };
    let current = js_sys::Reflect::get(&document, &"fullscreenElement".into()).unwrap_or_default();
    if current.is_object() {
        call(&document, "exitFullscreen");
    } else if let Ok(Some(element)) = document.query_selector(selector) {
        call(&element, "requestFullscreen");
    }
}

/// Sets an attribute of the root element.
pub(crate) fn set_root(name: &str, value: &str) {
    if let Some(root) = document().and_then(|document| document.document_element()) {
        // Only an invalid name could fail.
        let _ = root.set_attribute(name, value);
    }
}

/// Whether a media query holds.
pub(crate) fn media(query: &str) -> bool {
    web_sys::window()
        .and_then(|window| window.match_media(query).ok().flatten())
        .is_some_and(|list| list.matches())
}

pub(crate) fn document() -> Option<web_sys::Document> {
    web_sys::window()?.document()
}

/// The languages the browser prefers, and the fragment of the address.
pub(crate) fn preferred_languages() -> Vec<String> {
    let Some(window) = web_sys::window() else {
        return Vec::new();
    };
    window
        .navigator()
        .languages()
        .iter()
        .filter_map(|language| language.as_string())
        .collect()
}

/// The fragment of the address, with its `#`.
pub(crate) fn fragment() -> String {
    web_sys::window()
        .and_then(|window| window.location().hash().ok())
        .unwrap_or_default()
}

/// The query of the address, with its `?`.
pub(crate) fn query() -> String {
    web_sys::window()
        .and_then(|window| window.location().search().ok())
        .unwrap_or_default()
}

/// The last part of the address's path: nothing, or the name of the file.
pub(crate) fn file_name() -> String {
    let path = web_sys::window().and_then(|window| window.location().pathname().ok());
    path.and_then(|path| path.rsplit('/').next().map(String::from))
        .unwrap_or_default()
}

/// Whether the page is out of sight: scrolled away, or on a slide that is not shown. `static/boot.js` keeps watch.
pub(crate) fn is_away() -> bool {
    document()
        .and_then(|document| document.document_element())
        .is_some_and(|root| root.has_attribute("data-away"))
}

/// Replaces the fragment without a step of the history. A frame that forbids it keeps its address.
pub(crate) fn replace_fragment(fragment: &str) {
    if let Some(history) = web_sys::window().and_then(|window| window.history().ok()) {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(fragment));
    }
}

/// How many columns of a terminal a text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// Whether the user has selected text.
pub(crate) fn has_selection() -> bool {
    let selection = web_sys::window().and_then(|window| {
        js_sys::Reflect::get(&window, &"getSelection".into())
            .ok()
            .map(|get| (window, get))
    });
    let Some((window, get)) = selection else {
        return false;
    };
    let Some(get) = get.dyn_ref::<js_sys::Function>() else {
        return false;
    };
    get.call0(&window).is_ok_and(|selection| {
        js_sys::Reflect::get(&selection, &"isCollapsed".into()).is_ok_and(|is| is.is_falsy())
    })
}

/// The language the page is in now.
pub(crate) fn root_lang() -> playground::deck::Lang {
    let tag = document()
        .and_then(|document| document.document_element())
        .and_then(|root| root.get_attribute("lang"));
    tag.as_deref()
        .and_then(playground::deck::Lang::named)
        .unwrap_or(playground::deck::Lang::En)
}
