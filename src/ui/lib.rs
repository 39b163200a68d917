//! The page: slides, the stage, the workbench and the terminal, around one [`playground::Playground`].
//!
//! Everything the user can do is an `Action` (`action`), worked off by the application (`app`); everything the cluster does arrives as an
//! update and is folded into `world`. Only `driver` reads the wall clock. Components are functions of their properties, so that a tick of
//! virtual time redraws only what changed. Start at `mount`.

mod action;
mod app;
mod bars;
#[cfg(target_arch = "wasm32")]
mod crash;
mod dom;
mod driver;
mod embed;
mod env;
mod files;
mod flights;
mod help;
mod icons;
mod kept;
mod keys;
mod library;
mod notices;
mod palette;
mod paper;
mod parts;
mod sharing;
mod slides;
mod speaker;
mod split;
mod stage;
mod storage;
mod terminal;
mod words;
mod workbench;
mod world;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use app::App;

/// Puts the page into the document.
#[cfg(target_arch = "wasm32")]
pub fn mount() {
    crash::watch();
    let root = dom::document().and_then(|document| document.get_element_by_id("page"));
    match root {
        Some(root) => {
            root.set_text_content(None);
            yew::Renderer::<App>::with_root(root).render();
        }
        None => {
            yew::Renderer::<App>::new().render();
        }
    }
}
