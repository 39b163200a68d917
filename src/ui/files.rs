//! Files in and out: dropped onto the page, chosen in the browser's dialog, saved. And what else the window tells: that the page is being
//! left, that a new version of it is ready.

use std::cell::RefCell;
use std::rc::Rc;

use playground::TEXT_MAX;
use playground::share::FILE_MAX;
use wasm_bindgen::prelude::*;
use yew::Callback;

use crate::action::{Action, Taken};
use crate::dom;

/// More files at a time are not looked at.
const MOST: u32 = 20;

type Heard = (&'static str, Closure<dyn FnMut(web_sys::Event)>);

/// Ears of the page; as long as this is kept, they hear.
pub(crate) struct Listeners {
    _ears: Vec<Heard>,
}

thread_local! {
    /// What a newer version of the page gave us to call, once the user wants it.
    static UPDATE: RefCell<Option<js_sys::Function>> = const { RefCell::new(None) };
}

/// Hears of drops, of the page being left, and of new versions.
pub(crate) fn listen(act: Callback<Action>) -> Listeners {
    let mut ears: Vec<Heard> = Vec::new();
    let mut hear = |name: &'static str, ear: Box<dyn FnMut(web_sys::Event)>| {
        let ear = Closure::wrap(ear);
        if let Some(window) = web_sys::window() {
            // Only a name that is no event's could fail.
            // Before whoever it is meant for: what is too much goes no further.
            let _ = window.add_event_listener_with_callback_and_bool(
                name,
                ear.as_ref().unchecked_ref(),
                true,
            );
        }
        ears.push((name, ear));
    };
    hear(
        "dragover",
        Box::new(|event| {
            if carried(&event).is_some_and(|files| has_files(&files)) {
                // Otherwise the browser opens the file in the place of the page.
                event.prevent_default();
            }
        }),
    );
    let dropped = act.clone();
    hear(
        "drop",
        Box::new(move |event| {
            let Some(carried) = carried(&event).filter(has_files) else {
                return;
            };
            event.prevent_default();
            if let Some(files) = carried.files() {
                read(&files, dropped.clone());
            }
        }),
    );
    let pasted = act.clone();
    hear(
        "paste",
        Box::new(move |event| {
            let carried = event
                .dyn_ref::<web_sys::ClipboardEvent>()
                .and_then(web_sys::ClipboardEvent::clipboard_data);
            let text = carried.and_then(|carried| carried.get_data("text").ok());
            let bytes = text.map_or(0, |text| text.len());
            if bytes > TEXT_MAX {
                // Neither the editor nor the terminal gets to see it.
                event.prevent_default();
                event.stop_propagation();
                pasted.emit(Action::TooMuch(bytes));
            }
        }),
    );
    let left = act.clone();
    hear("pagehide", Box::new(move |_| left.emit(Action::KeepAll)));
    hear(
        "kubenkyo-update",
        Box::new(move |event| {
            let change = event
                .dyn_ref::<web_sys::CustomEvent>()
                .map(web_sys::CustomEvent::detail);
            UPDATE.set(change.and_then(|change| change.dyn_into().ok()));
            act.emit(Action::OfferUpdate);
        }),
    );
    Listeners { _ears: ears }
}

/// Changes over to the newer version of the page.
pub(crate) fn take_update() {
    if let Some(change) = UPDATE.take() {
        // It reloads the page; if it cannot, the change comes with the next visit.
        let _ = change.call0(&JsValue::NULL);
    }
}

/// Shows the browser's dialog for files to open.
pub(crate) fn choose(act: Callback<Action>) {
    let Some(input) =
        element("input").and_then(|input| input.dyn_into::<web_sys::HtmlInputElement>().ok())
    else {
        return;
    };
    input.set_type("file");
    input.set_multiple(true);
    input.set_accept(".kubenkyo,.yaml,.yml,.json,.md");
    let chosen = input.clone();
    let heard = Closure::once_into_js(move || {
        if let Some(files) = chosen.files() {
            read(&files, act);
        }
    });
    input.set_onchange(Some(heard.unchecked_ref()));
    input.click();
}

/// Hands a file to the user.
pub(crate) fn save(name: &str, bytes: &[u8]) {
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let kind = web_sys::BlobPropertyBag::new();
    kind.set_type("application/octet-stream");
    let blob = web_sys::Blob::new_with_u8_array_sequence_and_options(&parts, &kind);
    let address = blob.and_then(|blob| web_sys::Url::create_object_url_with_blob(&blob));
    let (Ok(address), Some(link)) = (address, element("a")) else {
        return;
    };
    // Valid attributes of a link. A frame that allows no downloads ignores the click.
    let _ = link.set_attribute("href", &address);
    let _ = link.set_attribute("download", name);
    if let Some(link) = link.dyn_ref::<web_sys::HtmlElement>() {
        link.click();
    }
    let _ = web_sys::Url::revoke_object_url(&address);
}

fn element(name: &str) -> Option<web_sys::Element> {
    dom::document()?.create_element(name).ok()
}

fn carried(event: &web_sys::Event) -> Option<web_sys::DataTransfer> {
    event.dyn_ref::<web_sys::DragEvent>()?.data_transfer()
}

/// Text that is dragged is none of ours: the editor takes it.
fn has_files(carried: &web_sys::DataTransfer) -> bool {
    carried.types().includes(&"Files".into(), 0)
}

/// Reads all of them, then tells of all at once, in their order.
fn read(files: &web_sys::FileList, act: Callback<Action>) {
    let count = files.length().min(MOST);
    let taken: Rc<RefCell<Vec<Option<Taken>>>> = Rc::new(RefCell::new(vec![None; count as usize]));
    let tell = Rc::new(move |index: usize, file: Taken| {
        let mut all = taken.borrow_mut();
        all[index] = Some(file);
        if all.iter().all(Option::is_some) {
            act.emit(Action::Take(all.drain(..).flatten().collect()));
        }
    });
    for index in 0..count {
        let Some(file) = files.get(index) else {
            continue;
        };
        let (tell, index, name) = (tell.clone(), index as usize, file.name());
        if file.size() > FILE_MAX as f64 {
            tell(index, Taken { name, bytes: None });
            continue;
        }
        let told = {
            let (tell, name) = (tell.clone(), name.clone());
            Closure::once_into_js(move |buffer: JsValue| {
                let bytes = Rc::from(js_sys::Uint8Array::new(&buffer).to_vec());
                tell(
                    index,
                    Taken {
                        name,
                        bytes: Some(bytes),
                    },
                );
            })
        };
        // A folder, or a file that is gone.
        let failed =
            Closure::once_into_js(move |_: JsValue| tell(index, Taken { name, bytes: None }));
        let then = |promise: &JsValue| -> Option<()> {
            let method = js_sys::Reflect::get(promise, &"then".into()).ok()?;
            method
                .dyn_ref::<js_sys::Function>()?
                .call2(promise, &told, &failed)
                .ok()?;
            Some(())
        };
        // Every browser with WebAssembly's present features has promises.
        let _ = then(&file.array_buffer());
    }
}
