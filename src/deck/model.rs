//! What a deck is made of. Plain data without behaviour beyond looking things up.
//!
//! A deck is a row of columns; a column is slides from top to bottom. A slide is a tree of blocks, and a
//! block carries the fragment step at which it appears. Nothing here refers to HTML or to the cluster.

use std::collections::BTreeMap;

use crate::{Problem, Task};

/// The languages of the bundled deck and of everything said about a deck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    Ja,
    En,
}

impl Lang {
    /// The language that a front matter's `lang` names: `ja`, `ja-JP`, `en`, `en_US`, …
    pub fn named(tag: &str) -> Option<Lang> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        match primary.to_ascii_lowercase().as_str() {
            "ja" => Some(Lang::Ja),
            "en" => Some(Lang::En),
            _ => None,
        }
    }

    /// The language tag: `ja` or `en`.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::Ja => "ja",
            Lang::En => "en",
        }
    }
}

/// A sentence in both languages. A deck written in one language has the same text in both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    pub ja: String,
    pub en: String,
}

impl Words {
    /// A sentence with its translation.
    pub fn new(ja: impl Into<String>, en: impl Into<String>) -> Words {
        Words {
            ja: ja.into(),
            en: en.into(),
        }
    }

    /// A sentence of a deck, which has one language.
    pub fn same(text: impl Into<String>) -> Words {
        let text = text.into();
        Words {
            ja: text.clone(),
            en: text,
        }
    }

    /// The sentence in `lang`.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ja => &self.ja,
            Lang::En => &self.en,
        }
    }

    /// Whether neither language says anything.
    pub fn is_empty(&self) -> bool {
        self.ja.is_empty() && self.en.is_empty()
    }
}

/// A parsed deck: columns from left to right, slides from top to bottom, and what was wrong with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deck {
    /// The front matter's title, or the first heading.
    pub title: String,
    /// The front matter's language; `None` when the deck does not say.
    pub lang: Option<Lang>,
    pub front: FrontMatter,
    /// Never empty columns; an empty deck has no column.
    pub slides: Vec<Vec<Slide>>,
    pub problems: Vec<Problem>,
}

impl Deck {
    /// The slide at a place, counted from 0.
    pub fn slide(&self, column: usize, row: usize) -> Option<&Slide> {
        self.slides.get(column)?.get(row)
    }

    /// The slide with this id (given by the author, or `column.row` counted from 1).
    pub fn find(&self, id: &str) -> Option<&Slide> {
        self.iter().find(|slide| slide.id == id)
    }

    /// Every slide in reading order: down each column, then right.
    pub fn iter(&self) -> impl Iterator<Item = &Slide> {
        self.slides.iter().flatten()
    }

    /// The number of slides.
    pub fn len(&self) -> usize {
        self.slides.iter().map(Vec::len).sum()
    }

    /// Whether there is no slide at all.
    pub fn is_empty(&self) -> bool {
        self.slides.is_empty()
    }

    /// Gives every picture the address that `place` has for it; a picture without one becomes its description.
    pub fn map_images(&mut self, place: &dyn Fn(&str) -> Option<String>) {
        for slide in self.slides.iter_mut().flatten() {
            for blocks in [&mut slide.blocks, &mut slide.notes] {
                map_images(blocks, place);
            }
        }
    }

    /// The manifests of the deck's Apply cells by file name, for the terminal's file system, so that a
    /// scene or a reader can `kubectl apply -f` any of them. Of two with one name the first counts.
    pub fn files(&self) -> BTreeMap<&str, &str> {
        let mut files = BTreeMap::new();
        for cell in self.iter().flat_map(Slide::cells) {
            if let Cell::Apply(apply) = cell {
                files
                    .entry(apply.name.as_str())
                    .or_insert(apply.yaml.as_str());
            }
        }
        files
    }
}

/// What the deck says about itself at its top. Unknown keys are ignored: decks carry those of other tools.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrontMatter {
    pub author: String,
    pub theme: String,
    /// `16/9`, `4/3`, …
    pub aspect: String,
    pub header: String,
    pub footer: String,
    /// Written for Marp: `*` and `1)` lists appear item by item, and comments are notes.
    pub marp: bool,
    /// `*` and `1)` lists appear item by item.
    pub fragments: bool,
    /// Headings up to this level begin a slide.
    pub heading_divider: u8,
    /// Every other scalar key, as written.
    pub other: BTreeMap<String, String>,
}

/// One slide.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slide {
    /// From `id:`, or `column.row` counted from 1. Unique in the deck.
    pub id: String,
    /// Plain text of the first heading, or the `title` option; may be empty.
    pub title: String,
    /// Index into the files that were parsed, and the line (from 1) at which the slide begins there.
    pub file: usize,
    pub line: u32,
    /// Place in the deck, counted from 0.
    pub column: usize,
    pub row: usize,
    pub blocks: Vec<Block>,
    /// What only the speaker sees. Holds no live cells.
    pub notes: Vec<Block>,
    /// Per-slide options of any convention (`class`, `layout`, `data-background-color`, …), as written.
    pub options: BTreeMap<String, String>,
    /// The cluster's state that this slide starts from.
    pub scene: Option<Scene>,
    /// What the stage highlights: parts (`kube-scheduler`) or objects (`deployment/web`).
    pub focus: Vec<String>,
    /// The view of the stage that this slide is about.
    pub view: Option<View>,
    pub(crate) steps: u32,
}

impl Slide {
    /// How many times *next* reveals something before it leaves the slide.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// The live cells in order, wherever they are nested.
    pub fn cells(&self) -> Vec<&Cell> {
        let mut cells = Vec::new();
        walk(&self.blocks, &mut |block| {
            if let BlockKind::Live(cell) = &block.kind {
                cells.push(cell);
            }
        });
        cells
    }

    /// The tasks in order.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.cells().into_iter().filter_map(|cell| match cell {
            Cell::Task(task) => Some(task),
            _ => None,
        })
    }
}

/// Visits every block of a tree, parents before children.
pub(crate) fn walk<'a>(blocks: &'a [Block], visit: &mut impl FnMut(&'a Block)) {
    for block in blocks {
        visit(block);
        match &block.kind {
            BlockKind::List { items, .. } => {
                for item in items {
                    walk(&item.blocks, visit);
                }
            }
            BlockKind::Columns(columns) => {
                for column in columns {
                    walk(column, visit);
                }
            }
            BlockKind::Quote(blocks)
            | BlockKind::Group { blocks, .. }
            | BlockKind::Details { blocks, .. } => {
                walk(blocks, visit);
            }
            _ => {}
        }
    }
}

fn map_images(blocks: &mut [Block], place: &dyn Fn(&str) -> Option<String>) {
    for block in blocks {
        match &mut block.kind {
            BlockKind::Image { src, alt, .. } => match place(src) {
                Some(found) => *src = found,
                None => {
                    let text = format!("{alt} ({src})");
                    block.kind = BlockKind::Paragraph(vec![Inline::Text(text)]);
                }
            },
            BlockKind::Heading { text, .. } | BlockKind::Paragraph(text) => map_inline(text, place),
            BlockKind::Table { head, rows, .. } => {
                for cell in rows.iter_mut().flatten().chain(head) {
                    map_inline(cell, place);
                }
            }
            BlockKind::List { items, .. } => {
                for item in items {
                    map_images(&mut item.blocks, place);
                }
            }
            BlockKind::Columns(columns) => {
                for column in columns {
                    map_images(column, place);
                }
            }
            BlockKind::Quote(blocks) | BlockKind::Group { blocks, .. } => map_images(blocks, place),
            BlockKind::Details { summary, blocks } => {
                map_inline(summary, place);
                map_images(blocks, place);
            }
            BlockKind::Code { .. }
            | BlockKind::Figure { .. }
            | BlockKind::Rule
            | BlockKind::Live(_) => {}
        }
    }
}

fn map_inline(inlines: &mut [Inline], place: &dyn Fn(&str) -> Option<String>) {
    for inline in inlines {
        match inline {
            Inline::Image { src, alt, .. } => match place(src) {
                Some(found) => *src = found,
                None => *inline = Inline::Text(format!("{alt} ({src})")),
            },
            Inline::Strong(inner)
            | Inline::Emphasis(inner)
            | Inline::Strike(inner)
            | Inline::Sub(inner)
            | Inline::Sup(inner)
            | Inline::Kbd(inner)
            | Inline::Link { text: inner, .. } => map_inline(inner, place),
            Inline::Text(_) | Inline::Code(_) | Inline::Break | Inline::SoftBreak => {}
        }
    }
}

/// A piece of a slide, with when it appears and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// 0: from the start; n: once the slide is at step n.
    pub step: u32,
    /// Line in the slide's file, from 1.
    pub line: u32,
    pub kind: BlockKind,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq)]
pub enum BlockKind {
    Heading {
        level: u8,
        text: Vec<Inline>,
    },
    Paragraph(Vec<Inline>),
    /// `start` is the first number of an ordered list.
    List {
        start: Option<u64>,
        items: Vec<Item>,
    },
    Code {
        lang: String,
        text: String,
        highlight: Highlight,
    },
    Table {
        align: Vec<Align>,
        head: Vec<Vec<Inline>>,
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// A picture of the author: a relative address or a `data:` image, never another host.
    Image {
        src: String,
        alt: String,
        title: String,
    },
    /// A picture of ours by name, see [`figure`](crate::figure).
    Figure {
        name: String,
        alt: String,
    },
    Columns(Vec<Vec<Block>>),
    Quote(Vec<Block>),
    /// `<div class="…">` and `<v-click>`.
    Group {
        class: String,
        blocks: Vec<Block>,
    },
    Details {
        summary: Vec<Inline>,
        blocks: Vec<Block>,
    },
    Rule,
    Live(Cell),
}

/// One item of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item {
    /// As [`Block::step`].
    pub step: u32,
    /// `- [ ]` and `- [x]`.
    pub checked: Option<bool>,
    pub blocks: Vec<Block>,
}

/// How a column of a table is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Start,
    Center,
    End,
}

/// Which lines of a code block stand out, step by step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Highlight {
    /// Each entry is a list of line ranges (from 1, both ends included); an empty entry means every line.
    pub stops: Vec<Vec<(u32, u32)>>,
    /// The slide's step at which the second entry is shown; the following ones come one step later each.
    pub first_step: u32,
}

impl Highlight {
    /// What stands out when the slide is at `step`.
    pub fn at(&self, step: u32) -> &[(u32, u32)] {
        let passed = if step >= self.first_step {
            (step - self.first_step) as usize + 1
        } else {
            0
        };
        let last = self.stops.len().saturating_sub(1);
        self.stops.get(passed.min(last)).map_or(&[], Vec::as_slice)
    }
}

/// Text within a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Inline {
    Text(String),
    Code(String),
    Strong(Vec<Inline>),
    Emphasis(Vec<Inline>),
    Strike(Vec<Inline>),
    Sub(Vec<Inline>),
    Sup(Vec<Inline>),
    Kbd(Vec<Inline>),
    /// `href` is http(s), mailto, a fragment or relative; never a script.
    Link {
        href: String,
        title: String,
        text: Vec<Inline>,
    },
    Image {
        src: String,
        alt: String,
        title: String,
    },
    /// A line break that the author asked for.
    Break,
    /// The end of a source line within a paragraph: a space, or nothing between Japanese characters.
    SoftBreak,
}

/// The text of a line without its mark-up.
pub fn plain(inlines: &[Inline]) -> String {
    let mut out = String::new();
    push_plain(inlines, &mut out);
    out
}

/// A sentence of a task or a problem: text with `code` between backticks, and nothing else.
pub fn sentence(text: &str) -> Vec<Inline> {
    let parts: Vec<&str> = text.split('`').collect();
    // A backtick without its partner is a backtick.
    if parts.len().is_multiple_of(2) {
        return vec![Inline::Text(String::from(text))];
    }
    let inlines = parts
        .into_iter()
        .enumerate()
        .filter(|(_, part)| !part.is_empty());
    inlines
        .map(|(index, part)| match index % 2 {
            0 => Inline::Text(String::from(part)),
            _ => Inline::Code(String::from(part)),
        })
        .collect()
}

fn push_plain(inlines: &[Inline], out: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text(text) | Inline::Code(text) => out.push_str(text),
            Inline::Strong(inner)
            | Inline::Emphasis(inner)
            | Inline::Strike(inner)
            | Inline::Sub(inner)
            | Inline::Sup(inner)
            | Inline::Kbd(inner)
            | Inline::Link { text: inner, .. } => push_plain(inner, out),
            Inline::Image { alt, .. } => out.push_str(alt),
            Inline::Break => out.push('\n'),
            Inline::SoftBreak => {
                if out.chars().next_back().is_some_and(|last| last.is_ascii()) {
                    out.push(' ');
                }
            }
        }
    }
}

/// A part of a slide that lives.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Apply(Apply),
    Run(Run),
    Task(Task),
    Stage(Stage),
}

/// A manifest with *Apply*.
#[derive(Clone, Debug, PartialEq)]
pub struct Apply {
    /// File name in the editor and in the terminal, such as `web.yaml`.
    pub name: String,
    pub yaml: String,
    pub highlight: Highlight,
    /// `(apiVersion, kind)` of each document, read without judging the manifest, so that the page can say
    /// which of them the cluster does not simulate.
    pub kinds: Vec<(String, String)>,
    /// Meant to be refused: the lesson is in the error.
    pub fails: bool,
}

/// Command lines with *Run*, in order; a line may hold a heredoc.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub lines: Vec<String>,
    /// The last line is meant to fail: the lesson is in the error.
    pub fails: bool,
}

/// A live picture of the cluster inside the slide.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub view: View,
    pub focus: Vec<String>,
    /// Share of the slide's height in percent, when given.
    pub height: Option<u32>,
}

/// The stage's views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Architecture,
    Nodes,
    Tree,
    Traffic,
    Timeline,
}

impl View {
    /// Every view with the name that decks use for it.
    pub const ALL: [(View, &'static str); 5] = [
        (View::Architecture, "architecture"),
        (View::Nodes, "nodes"),
        (View::Tree, "tree"),
        (View::Traffic, "traffic"),
        (View::Timeline, "timeline"),
    ];

    /// The name that decks use.
    pub fn name(self) -> &'static str {
        View::ALL
            .iter()
            .find(|(view, _)| *view == self)
            .map_or("architecture", |(_, name)| name)
    }

    /// The view of this name.
    pub fn named(name: &str) -> Option<View> {
        View::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(view, _)| *view)
    }
}

/// The state that a slide starts from: a fresh cluster of this seed and these options, after these commands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    pub seed: Option<u64>,
    /// Number of nodes.
    pub nodes: Option<u32>,
    /// Other options of the cluster by name, as written.
    pub options: BTreeMap<String, String>,
    /// Lines of the terminal, run one after another; `sleep 30s` lets virtual time pass.
    pub commands: Vec<String>,
}
