//! When the page cannot go on: a readable screen with a way on, made without the parts that failed.
//!
//! What the user wrote is in the storage by then, because every change is kept at once.

use wasm_bindgen::prelude::*;

use playground::deck::Lang;

use crate::words::words;
use crate::{dom, storage};

words! { Words:
    CrashTitle: "うまくいかないことが起きて、画面が止まりました" | "Something went wrong and the page stopped";
    CrashText: "エディターの内容は保存されています。再読み込みすると続きから使えます。" | "What you wrote in the editor is kept. Reload to go on.";
    Reload: "再読み込み" | "Reload";
    CopyReport: "報告をコピー" | "Copy report";
    CopyText: "エディターの内容をコピー" | "Copy the editor's text";
}

/// From now on a panic shows the screen.
pub(crate) fn watch() {
    std::panic::set_hook(Box::new(|info| show(&info.to_string())));
}

fn show(report: &str) {
    let Some(document) = dom::document() else {
        return;
    };
    // A second failure while the first is shown adds nothing.
    if document.query_selector(".crash").ok().flatten().is_some() {
        return;
    }
    let report = format!(
        "Kubenkyo {}\n{report}\n{}",
        env!("CARGO_PKG_VERSION"),
        agent()
    );
    let langs = match storage::get("lang").as_deref().and_then(Lang::named) {
        Some(Lang::En) => [Lang::En, Lang::Ja],
        _ => [Lang::Ja, Lang::En],
    };
    let element = |name: &str, text: &str| {
        let element = document.create_element(name).ok()?;
        element.set_text_content(Some(text));
        Some(element)
    };
    let Some(screen) = element("div", "") else {
        return;
    };
    screen.set_class_name("crash");
    // These attributes are valid on every element.
    let _ = screen.set_attribute("role", "alert");
    let add = |parent: &web_sys::Element, child: Option<web_sys::Element>| {
        if let Some(child) = child {
            let _ = parent.append_child(&child);
        }
    };
    for lang in langs {
        add(&screen, element("h1", Words::CrashTitle.text(lang)));
        add(&screen, element("p", Words::CrashText.text(lang)));
    }
    if let Some(row) = element("div", "") {
        row.set_class_name("row");
        let (files, open) = crate::kept::files("");
        let text = files.get(open).map(|file| file.text.clone());
        let text = text.unwrap_or_default();
        let button = |msg: Words, class: &str, act: Box<dyn FnMut()>| {
            let button = element(
                "button",
                &format!("{} / {}", msg.text(langs[0]), msg.text(langs[1])),
            )?;
            button.set_class_name(class);
            let act = Closure::wrap(act);
            let _ = button.add_event_listener_with_callback("click", act.as_ref().unchecked_ref());
            // The screen is the last thing this page shows: its buttons live as long as it does.
            act.forget();
            Some(button)
        };
        add(&row, button(Words::Reload, "btn", Box::new(reload)));
        let copied = report.clone();
        add(
            &row,
            button(
                Words::CopyReport,
                "btn ghost",
                Box::new(move || dom::copy(&copied)),
            ),
        );
        add(
            &row,
            button(
                Words::CopyText,
                "btn ghost",
                Box::new(move || dom::copy(&text)),
            ),
        );
        add(&screen, Some(row));
    }
    add(&screen, element("pre", &report));
    if let Some(body) = document.body() {
        let _ = body.append_child(&screen);
    }
}

/// Loads the page again.
fn reload() {
    if let Some(window) = web_sys::window() {
        // Refused only in a sandbox that forbids navigation.
        let _ = window.location().reload();
    }
}

/// What the browser calls itself, for reports.
fn agent() -> String {
    web_sys::window()
        .and_then(|window| window.navigator().user_agent().ok())
        .unwrap_or_default()
}
