//! The parameters of the page's address: read, checked and written in this one place. `EMBEDDING.md` documents them.
//!
//! They may stand in the query (`?embed&view=tree`) or after a `?` in the fragment (`#/pods?embed&view=tree`), where no server sees
//! them; the fragment wins. Anyone may have written an address: what is not understood is left out and remembered in `refused`, and
//! what is too long is cut off by refusal, never by guessing. Names that are not listed here belong to others and are passed over.

use playground::deck::{Lang, View};

use crate::action::Pane;
use crate::bars::Theme;
use crate::driver::SPEEDS;

/// A manifest in an address may be this long, in bytes; a browser takes longer addresses than any mail.
const MANIFEST: usize = 64 * 1024;
/// So many lines may run at the start, each so long.
const LINES: usize = 20;
const LINE: usize = 2_048;
/// An address may ask for so many machines; more are a terminal command away.
const NODES: u32 = 100;

/// How much of the page's frame an embedded page shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Controls {
    /// The hairline with the link to the full page.
    None,
    /// Besides: pause, clock and restart, and the tabs of the columns.
    #[default]
    Some,
    /// Besides: the time bar.
    All,
}

impl Controls {
    pub(crate) const ALL: [Controls; 3] = [Controls::None, Controls::Some, Controls::All];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Controls::None => "none",
            Controls::Some => "some",
            Controls::All => "all",
        }
    }
}

/// What happens of itself once the page is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Autoplay {
    /// Time stands still until somebody presses play.
    Off,
    #[default]
    Runs,
    /// Time runs, and the manifest is applied.
    Applies,
}

/// Which scene the cluster begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SceneOf {
    /// That of the slide that is shown.
    Here,
    /// That of the slide with this id.
    Slide(String),
}

/// What the address asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params {
    /// Whether the page is a part of another one.
    pub(crate) is_embed: bool,
    /// The columns to show, in the order they were named; empty: the standard.
    pub(crate) panes: Vec<Pane>,
    pub(crate) view: Option<View>,
    pub(crate) slide: Option<String>,
    pub(crate) deck: Option<String>,
    /// Pages for paper instead of the page, as reveal.js has it.
    pub(crate) prints: bool,
    pub(crate) scene: Option<SceneOf>,
    pub(crate) seed: Option<u64>,
    pub(crate) nodes: Option<u32>,
    pub(crate) lang: Option<Lang>,
    pub(crate) theme: Option<Theme>,
    pub(crate) controls: Controls,
    /// The text of a manifest, or the name of one that the page or the deck has.
    pub(crate) manifest: Option<String>,
    /// Lines that the terminal runs first.
    pub(crate) runs: Vec<String>,
    pub(crate) autoplay: Autoplay,
    pub(crate) is_readonly: bool,
    /// In thousandths of real time.
    pub(crate) speed: Option<u32>,
    /// Origins whose messages are heard, besides the page's own.
    pub(crate) origins: Vec<String>,
    pub(crate) is_plain: bool,
    /// A run, packed as links carry it.
    pub(crate) run: Option<String>,
    /// What could not be used, as `name=value`.
    pub(crate) refused: Vec<String>,
}

impl Params {
    /// Reads the query (`?…`) and the fragment (`#/slide?…`) of an address.
    pub(crate) fn read(query: &str, fragment: &str) -> Params {
        let mut params = Params::default();
        let fragment = fragment.trim_start_matches('#');
        let (path, inner) = fragment.split_once('?').unwrap_or((fragment, ""));
        for pairs in [query.trim_start_matches('?'), inner] {
            for pair in pairs.split('&').filter(|pair| !pair.is_empty()) {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let (name, value) = (decoded(name), decoded(value));
                if params.take(&name, &value).is_none() {
                    let shown: String = value.chars().take(60).collect();
                    params.refused.push(format!("{name}={shown}"));
                }
            }
        }
        if let Some(id) = path.strip_prefix('/').filter(|id| !id.is_empty()) {
            params.slide = Some(decoded(id));
        }
        params
    }

    /// One pair. `None`: its name is ours, but the value is not one.
    fn take(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "embed" => self.is_embed = truth(value)?,
            "view" => self.take_views(value)?,
            "slide" => self.slide = Some(short(value)?),
            "deck" => self.deck = Some(short(value)?),
            "print-pdf" => self.prints = truth(value)?,
            "scene" if matches!(value, "" | "slide" | "1") => self.scene = Some(SceneOf::Here),
            "scene" => self.scene = Some(SceneOf::Slide(short(value)?)),
            "seed" => self.seed = Some(value.parse().ok()?),
            "nodes" => {
                self.nodes = Some(
                    value
                        .parse()
                        .ok()
                        .filter(|nodes| (1..=NODES).contains(nodes))?,
                );
            }
            "lang" => self.lang = Some(Lang::named(value)?),
            "theme" => {
                self.theme = Some(Theme::ALL.into_iter().find(|theme| theme.name() == value)?);
            }
            "controls" => {
                self.controls = Controls::ALL.into_iter().find(|one| one.name() == value)?;
            }
            "manifest" => {
                let fits = !value.is_empty() && value.len() <= MANIFEST;
                self.manifest = Some(fits.then(|| String::from(value))?);
            }
            "run" => {
                let lines: Vec<&str> = value
                    .lines()
                    .map(str::trim)
                    .filter(|line| !line.is_empty())
                    .collect();
                let fits = self.runs.len() + lines.len() <= LINES
                    && lines.iter().all(|line| line.len() <= LINE);
                let are_lines = !lines.is_empty() && !value.contains('\0');
                self.runs.extend(
                    (fits && are_lines)
                        .then_some(lines)?
                        .into_iter()
                        .map(String::from),
                );
            }
            "autoplay" if value == "apply" => self.autoplay = Autoplay::Applies,
            "autoplay" => {
                self.autoplay = if truth(value)? {
                    Autoplay::Runs
                } else {
                    Autoplay::Off
                };
            }
            "readonly" => self.is_readonly = truth(value)?,
            "speed" => {
                let speed: f64 = value.trim_end_matches('x').parse().ok()?;
                let known = |known: &u32| (f64::from(*known) - speed * 1000.0).abs() < 0.5;
                self.speed = Some(SPEEDS.into_iter().find(known)?);
            }
            "origin" => {
                let origins: Vec<String> = value.split(',').map(origin).collect::<Option<_>>()?;
                self.origins.extend(origins);
            }
            "s" => self.run = Some(String::from(value)),
            "editor" => self.is_plain = value == "plain",
            _ => {}
        }
        Some(())
    }

    /// `tree`, `slide,architecture,terminal`, …: names of columns and of views of the stage.
    fn take_views(&mut self, value: &str) -> Option<()> {
        let (mut panes, mut view) = (Vec::new(), None);
        for name in value.split(',') {
            let pane = match name {
                "slide" | "slides" => Pane::Slides,
                "editor" | "manifest" | "yaml" => Pane::Work,
                "terminal" | "kubectl" => Pane::Term,
                "stage" | "cluster" => Pane::Stage,
                _ => {
                    view = Some(View::named(name)?);
                    Pane::Stage
                }
            };
            if !panes.contains(&pane) {
                panes.push(pane);
            }
        }
        (self.panes, self.view) = (panes, view.or(self.view));
        Some(())
    }

    /// The columns an embedded page shows: as asked, else what fits the rest.
    pub(crate) fn shown(&self) -> Vec<Pane> {
        match (&self.panes[..], &self.slide, &self.manifest) {
            ([], _, Some(_)) => vec![Pane::Work, Pane::Stage],
            ([], Some(_), None) => vec![Pane::Slides],
            ([], None, None) => vec![Pane::Stage],
            (panes, _, _) => panes.to_vec(),
        }
    }

    /// The parameters as pairs, in a fixed order: what [`Params::read`] takes for the same.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut out = Vec::new();
        let mut add = |name: &'static str, value: Option<String>| {
            if let Some(value) = value {
                out.push((name, value));
            }
        };
        add("embed", self.is_embed.then(String::new));
        add("view", self.views());
        add("slide", self.slide.clone());
        add("deck", self.deck.clone());
        add(
            "scene",
            self.scene.as_ref().map(|scene| match scene {
                SceneOf::Here => String::from("slide"),
                SceneOf::Slide(id) => id.clone(),
            }),
        );
        add("seed", self.seed.map(|seed| seed.to_string()));
        add("nodes", self.nodes.map(|nodes| nodes.to_string()));
        add("lang", self.lang.map(|lang| lang.tag().into()));
        add("theme", self.theme.map(|theme| theme.name().into()));
        let is_usual = self.controls == Controls::default();
        add("controls", (!is_usual).then(|| self.controls.name().into()));
        add("readonly", self.is_readonly.then(String::new));
        add(
            "autoplay",
            match self.autoplay {
                Autoplay::Off => Some("0".into()),
                Autoplay::Runs => None,
                Autoplay::Applies => Some("apply".into()),
            },
        );
        add(
            "speed",
            self.speed
                .map(|speed| format!("{}", f64::from(speed) / 1000.0)),
        );
        add(
            "origin",
            (!self.origins.is_empty()).then(|| self.origins.join(",")),
        );
        add("editor", self.is_plain.then(|| "plain".into()));
        for line in &self.runs {
            add("run", Some(line.clone()));
        }
        add("manifest", self.manifest.clone());
        add("s", self.run.clone());
        out
    }

    fn views(&self) -> Option<String> {
        let stage = self.view.map_or("stage", View::name);
        let names: Vec<&str> = self
            .panes
            .iter()
            .map(|pane| match pane {
                Pane::Slides => "slide",
                Pane::Stage => stage,
                Pane::Work => "editor",
                Pane::Term => "terminal",
            })
            .collect();
        (!names.is_empty())
            .then(|| names.join(","))
            .or(self.view.map(|_| stage.into()))
    }

    /// The fragment that asks for the same: `#?embed&view=tree`.
    pub(crate) fn fragment(&self) -> String {
        let pairs: Vec<String> = self
            .pairs()
            .into_iter()
            .map(|(name, value)| match value.as_str() {
                "" => String::from(name),
                value => format!("{name}={}", encoded(value)),
            })
            .collect();
        if pairs.is_empty() {
            String::new()
        } else {
            format!("#?{}", pairs.join("&"))
        }
    }

    /// The same cluster on a page of its own.
    pub(crate) fn full(&self) -> Params {
        Params {
            is_embed: false,
            panes: Vec::new(),
            controls: Controls::default(),
            is_readonly: false,
            origins: Vec::new(),
            refused: Vec::new(),
            ..self.clone()
        }
    }
}

/// What of a fragment's parameters still holds while the page is used: not what has happened once, as a manifest that was opened.
pub(crate) fn lasting(pairs: &str) -> String {
    const ONCE: [&str; 8] = [
        "manifest", "run", "scene", "seed", "nodes", "autoplay", "view", "s",
    ];
    let name = |pair: &str| String::from(pair.split('=').next().unwrap_or(pair));
    let kept: Vec<&str> = pairs
        .split('&')
        .filter(|pair| !ONCE.contains(&name(pair).as_str()) && name(pair) != "slide")
        .collect();
    let kept = kept.join("&");
    if kept.is_empty() {
        kept
    } else {
        format!("?{kept}")
    }
}

fn truth(value: &str) -> Option<bool> {
    match value {
        "" | "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// A name or an address: not empty, not endless.
fn short(value: &str) -> Option<String> {
    (!value.is_empty() && value.len() <= LINE).then(|| String::from(value))
}

/// An origin as a browser writes it, `null` for pages without one, or `*` for any.
fn origin(value: &str) -> Option<String> {
    let value = value.trim();
    let host = value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"));
    let is_host = host.is_some_and(|host| {
        !host.is_empty()
            && host
                .chars()
                .all(|sign| sign.is_ascii_alphanumeric() || "-.:[]".contains(sign))
    });
    (is_host || value == "null" || value == "*").then(|| value.to_ascii_lowercase())
}

/// Text with its `%41` and `+` undone. A `%` that begins no byte stands for itself; bytes that are no text become U+FFFD.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = || {
            text.get(at + 1..at + 3)
                .filter(|pair| pair.bytes().all(|sign| sign.is_ascii_hexdigit()))
        };
        match bytes[at] {
            b'+' => out.push(b' '),
            b'%' if let Some(byte) = pair().and_then(|pair| u8::from_str_radix(pair, 16).ok()) => {
                out.push(byte);
                at += 2;
            }
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Text as a value in an address, with as few signs changed as stay themselves in mail, chat and HTML.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b','
            | b'/'
            | b':'
            | b'*' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests;
