//! The study group's own deck and its pictures, compiled into the page.
//!
//! One file a horizontal section, in the order of the deck. A test holds these lists to the folders.

use crate::Lang;

/// A bundled file: name and text.
pub type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../slides/", $folder, "/", $name)))),*]
    };
}

/// The deck of the study group in one language.
pub fn bundled(lang: Lang) -> &'static [File] {
    match lang {
        Lang::Ja => {
            files!("ja": "01-kubernetes.md" "02-container.md" "03-docker.md" "05-architecture.md")
        }
        Lang::En => {
            files!("en": "01-kubernetes.md" "02-container.md" "03-docker.md" "05-architecture.md")
        }
    }
}

/// The lessons in one language, each a deck of its own.
pub fn lessons(lang: Lang) -> &'static [File] {
    match lang {
        Lang::Ja => &[],
        Lang::En => &[],
    }
}

macro_rules! figures {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../slides/figures/", $name, ".svg")))),*]
    };
}

/// In alphabetical order.
const FIGURES: &[File] = figures!("container-vm" "container" "image" "loop" "pod-server");

/// The SVG of one of our pictures. Drawn by us: safe to put into the page as it is, and coloured by it
/// through `currentColor` and the page's tokens.
pub fn figure(name: &str) -> Option<&'static str> {
    FIGURES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, svg)| *svg)
}

/// The names of all pictures.
pub fn figure_names() -> Vec<&'static str> {
    FIGURES.iter().map(|(name, _)| *name).collect()
}
