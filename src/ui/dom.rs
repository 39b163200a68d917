//! The few things asked of the browser directly: sizes, focus, the clipboard, texts measured in columns.

use playground::Text;
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

/// Whether `static/boot.js` has all of the program.
pub(crate) fn has_rest() -> bool {
    js_sys::Reflect::get(&js_sys::global(), &"kubenkyoRest".into())
        .is_ok_and(|here| here.is_truthy())
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

/// Copies a text. Where the clipboard is out of reach or refused (a frame without that right), the old way; where that is forbidden too,
/// nothing.
pub(crate) fn copy(text: &str) {
    let Some(window) = web_sys::window() else {
        return;
    };
    let clipboard =
        js_sys::Reflect::get(&window.navigator(), &"clipboard".into()).unwrap_or_default();
    if clipboard.is_undefined() {
        copy_the_old_way(text);
    } else {
        let refused = String::from(text);
        let refused = Closure::once_into_js(move |_: JsValue| copy_the_old_way(&refused));
        let copied = window.navigator().clipboard().write_text(text);
        let catch = js_sys::Reflect::get(&copied, &"catch".into()).unwrap_or_default();
        if let Some(catch) = catch.dyn_ref::<js_sys::Function>() {
            // Every promise has it, and it takes a function.
            let _ = catch.call1(&copied, &refused);
        }
    }
}

/// Copies by way of a field that is selected for a moment.
fn copy_the_old_way(text: &str) {
    let field = document().and_then(|document| {
        let field = document.create_element("textarea").ok()?;
        let field = field.dyn_into::<web_sys::HtmlTextAreaElement>().ok()?;
        field.set_value(text);
        document.body()?.append_child(&field).ok()?;
        Some((document, field))
    });
    let Some((document, field)) = field else {
        return;
    };
    let active = document.active_element();
    field.select();
    let command = js_sys::Reflect::get(&document, &"execCommand".into()).unwrap_or_default();
    if let Some(command) = command.dyn_ref::<js_sys::Function>() {
        // Answers false where copying is forbidden; there is no third way.
        let _ = command.call1(&document, &"copy".into());
    }
    field.remove();
    if let Some(active) = active.and_then(|active| active.dyn_into::<web_sys::HtmlElement>().ok()) {
        // What had the focus takes it back.
        let _ = active.focus();
    }
}

/// What the field holds that an event comes from.
pub(crate) fn value_of(event: &web_sys::Event) -> String {
    let target = event.target().map(JsValue::from).unwrap_or_default();
    let value = js_sys::Reflect::get(&target, &"value".into()).unwrap_or_default();
    value.as_string().unwrap_or_default()
}

/// Selects what a text field holds.
pub(crate) fn select(selector: &str) {
    let found = document().and_then(|document| document.query_selector(selector).ok().flatten());
    if let Some(field) = found.and_then(|found| found.dyn_into::<web_sys::HtmlInputElement>().ok())
    {
        field.select();
    }
}

/// Keeps Tab within a dialog: after its last element comes its first.
pub(crate) fn keep_focus_within(selector: &str, event: &KeyboardEvent) {
    let inside = format!("{selector} :is(button, input, select, textarea, a[href]):not(:disabled)");
    let Some(found) = document().and_then(|document| document.query_selector_all(&inside).ok())
    else {
        return;
    };
    let at = |index: u32| {
        let node = found.get(index)?;
        node.dyn_into::<web_sys::HtmlElement>().ok()
    };
    let (Some(first), Some(last)) = (at(0), at(found.length().saturating_sub(1))) else {
        return;
    };
    let active = document().and_then(|document| document.active_element());
    let is_on = |end: &web_sys::HtmlElement| {
        active
            .as_ref()
            .is_some_and(|active| active.is_same_node(Some(end)))
    };
    let to = match event.shift_key() {
        true if is_on(&first) => last,
        false if is_on(&last) => first,
        _ => return,
    };
    event.prevent_default();
    // Buttons and fields take the focus.
    let _ = to.focus();
}

/// Makes the page fill the screen, or ends that. Refused in frames without permission: the page then stays as large as it is.
pub(crate) fn set_full_screen(is_full: bool) {
    let Some(document) = document() else { return };
    if is_full == is_full_screen() {
        return;
    }
    let (target, name) = match document.document_element() {
        Some(root) if is_full => (JsValue::from(root), "requestFullscreen"),
        _ => (JsValue::from(document), "exitFullscreen"),
    };
    let method = js_sys::Reflect::get(&target, &name.into()).unwrap_or_default();
    let asked = method
        .dyn_ref::<js_sys::Function>()
        .and_then(|method| method.call0(&target).ok());
    if let Some(promise) = asked.and_then(|asked| asked.dyn_into::<js_sys::Promise>().ok()) {
        // A promise that nobody catches would be told as an error of the page.
        let quiet = Closure::<dyn FnMut(JsValue)>::new(|_| {});
        let _ = promise.catch(&quiet);
        quiet.forget();
    }
}

/// Whether the page fills the screen.
pub(crate) fn is_full_screen() -> bool {
    document().is_some_and(|document| {
        js_sys::Reflect::get(&document, &"fullscreenElement".into())
            .is_ok_and(|element| element.is_object())
    })
}

/// Makes the text of `article` as much smaller as it takes to fit into `height`, down to a half.
pub(crate) fn fit(article: &web_sys::HtmlElement, height: f64) {
    const SHARES: [&str; 8] = ["1", "0.93", "0.86", "0.79", "0.72", "0.65", "0.58", "0.5"];
    for share in SHARES {
        // A custom property takes any value.
        let _ = article.style().set_property("--fit", share);
        if f64::from(article.scroll_height()) <= height {
            break;
        }
    }
}

/// Fits what `article` finds within each `sheet` to the sheet's height.
pub(crate) fn fit_all(sheet: &str, article: &str) {
    let Some(sheets) = document().and_then(|document| document.query_selector_all(sheet).ok())
    else {
        return;
    };
    for index in 0..sheets.length() {
        let sheet = sheets
            .get(index)
            .and_then(|node| node.dyn_into::<web_sys::Element>().ok());
        let found = sheet
            .as_ref()
            .and_then(|sheet| sheet.query_selector(article).ok().flatten());
        if let (Some(sheet), Some(article)) = (
            sheet,
            found.and_then(|found| found.dyn_into::<web_sys::HtmlElement>().ok()),
        ) {
            fit(&article, f64::from(sheet.client_height()));
        }
    }
}

/// Asks the browser to print what is on the page.
pub(crate) fn print() {
    if let Some(window) = web_sys::window() {
        // Refused in sandboxed frames, where there is no printer.
        let _ = window.print();
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

/// The address without its query and fragment.
pub(crate) fn address() -> String {
    let href = web_sys::window().and_then(|window| window.location().href().ok());
    let href = href.unwrap_or_default();
    href.split(['?', '#']).next().unwrap_or_default().into()
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

/// The whole address of `address`, if it leads to the page's own place: nothing else is ever asked for.
fn own_address(address: &str, base: &str) -> Option<String> {
    let url = web_sys::Url::new_with_base(address, base).ok()?;
    let here = web_sys::window()?.location().origin().ok()?;
    (url.origin() == here && here != "null").then(|| url.href())
}

/// Where a picture lies that stands beside the deck at `base`. A deck without a place has no pictures but those that it holds itself.
pub(crate) fn beside(src: &str, base: Option<&str>) -> Option<String> {
    if src.trim_start().starts_with("data:") {
        return Some(String::from(src));
    }
    own_address(src, base?)
}

/// Fetches a text from the page's own place. `came` gets the whole address with the text, or why there is none.
pub(crate) fn fetch_text(
    address: &str,
    came: impl FnOnce(Result<(String, String), Text>) + 'static,
) -> Result<(), Text> {
    let window = web_sys::window().ok_or_else(Text::default)?;
    let location = window.location();
    if location
        .protocol()
        .is_ok_and(|protocol| protocol == "file:")
    {
        return Err(Text::new(
            "ファイルから開いたページは、ほかのファイルを読めません。このページにドロップしてください。",
            "a page opened from a file cannot read other files. Drop it onto this page instead.",
        ));
    }
    let href = location.href().unwrap_or_default();
    let url = own_address(address, &href).ok_or_else(|| {
        Text::new(
            "このページと同じ場所にあるデッキだけを読みます。",
            "only decks from this page's own place are read.",
        )
    })?;
    let failed = || Text::new("取得できません。", "it cannot be fetched.");
    let fetch = js_sys::Reflect::get(&window, &"fetch".into()).unwrap_or_default();
    let asked = fetch
        .dyn_ref::<js_sys::Function>()
        .and_then(|fetch| fetch.call1(&window, &JsValue::from_str(&url)).ok())
        .and_then(|promise| promise.dyn_into::<js_sys::Promise>().ok())
        .ok_or_else(failed)?;
    // One closure for every ending, because only one of them comes.
    let came = std::rc::Rc::new(std::cell::RefCell::new(Some(came)));
    let end = move |outcome: Result<(String, String), Text>| {
        if let Some(came) = came.borrow_mut().take() {
            came(outcome);
        }
    };
    let get =
        |object: &JsValue, key: &str| js_sys::Reflect::get(object, &key.into()).unwrap_or_default();
    let on_error = {
        let end = end.clone();
        Closure::once_into_js(move |_: JsValue| end(Err(failed())))
    };
    let on_text = {
        let end = end.clone();
        Closure::once_into_js(move |text: JsValue| {
            end(text.as_string().map(|text| (url, text)).ok_or_else(failed))
        })
    };
    let answered = Closure::once_into_js(move |response: JsValue| -> JsValue {
        if get(&response, "ok").is_truthy() {
            let text = get(&response, "text");
            let text = text.dyn_ref::<js_sys::Function>();
            return text
                .and_then(|text| text.call0(&response).ok())
                .unwrap_or_default();
        }
        let status = get(&response, "status").as_f64().unwrap_or_default();
        end(Err(Text::new(
            format!("サーバーの答えは {status} です。"),
            format!("the server says {status}."),
        )));
        JsValue::NULL
    });
    let then = |promise: &JsValue, on: &JsValue, or: &JsValue| {
        let then = get(promise, "then");
        then.dyn_ref::<js_sys::Function>()
            .and_then(|then| then.call2(promise, on, or).ok())
            .unwrap_or_default()
    };
    let text = then(&asked, &answered, &on_error);
    then(&text, &on_text, &on_error);
    Ok(())
}
