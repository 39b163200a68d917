//! From files to a deck: front matter, per-slide options and directives, and the numbering of it all.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Mapping;

use crate::Words;
use crate::fence;
use crate::fields;
use crate::markdown::{self, Parsed};
use crate::model::{BlockKind, Deck, FrontMatter, Lang, Slide, View, plain, walk};
use crate::problems::{Problem, Problems};
use crate::split::{self, Raw};

impl Deck {
    /// Parses a deck of one or more files, `(name, Markdown)` in order; each file begins a column.
    pub fn parse(files: &[(&str, &str)]) -> Deck {
        let mut deck = Deck::default();
        let mut reader = Reader::default();
        for (index, (name, text)) in files.iter().enumerate() {
            reader.problems.file = index;
            reader.problems.file_name = String::from(*name);
            reader.problems.slide = None;
            reader.file(index, text, &mut deck);
        }
        if deck.title.is_empty() {
            let mut titles = deck.iter().map(|slide| slide.title.clone());
            let first = titles.find(|title| !title.is_empty()).unwrap_or_default();
            drop(titles);
            deck.title = first;
        }
        reader.unique_ids(files, &mut deck);
        deck.problems = reader.problems.found;
        deck
    }
}

/// Keys of a file's front matter that speak of the deck; the others belong to its first slide as well.
const DECK_KEYS: [&str; 14] = [
    "title",
    "author",
    "lang",
    "theme",
    "aspect",
    "aspectRatio",
    "size",
    "header",
    "footer",
    "marp",
    "fragments",
    "headingDivider",
    "math",
    "style",
];

/// Marp's directives, which hold from their slide on, or with a leading `_` for one slide.
const MARP: [&str; 10] = [
    "class",
    "backgroundColor",
    "backgroundImage",
    "backgroundPosition",
    "backgroundRepeat",
    "backgroundSize",
    "color",
    "paginate",
    "header",
    "footer",
];

/// Nobody shows more than this, and a hostile deck must end somewhere.
const LONGEST_FILE: usize = 4 * 1024 * 1024;
const LONGEST_SLIDE: usize = 128 * 1024;
const MOST_SLIDES: usize = 2_000;

#[derive(Debug, Default)]
struct Reader {
    problems: Problems,
    sticky: BTreeMap<String, String>,
}

impl Reader {
    fn file(&mut self, index: usize, text: &str, deck: &mut Deck) {
        let text = self.shortened(text, LONGEST_FILE, 1);
        let split = split::split(text, deck.front.heading_divider);
        if let Some((line, why)) = split.broken_front {
            self.broken_front(line, &why);
        }
        self.front(&split.front, index == 0, deck);
        for (number, mut raw) in split.slides.into_iter().enumerate() {
            if deck.len() >= MOST_SLIDES {
                let message = Words::new(
                    format!("{MOST_SLIDES} 枚を超えるスライドは読みません"),
                    format!("slides beyond {MOST_SLIDES} are not read"),
                );
                self.problems.add(
                    raw.line,
                    message,
                    Words::new("デッキを分けます", "split the deck"),
                );
                break;
            }
            let below = raw.below && number > 0 && !deck.slides.is_empty();
            if !below {
                deck.slides.push(Vec::new());
            }
            let column = deck.slides.len() - 1;
            let row = deck.slides[column].len();
            self.problems.slide = Some((column + 1, row + 1));
            if number == 0 {
                for (key, value) in &split.front {
                    let of_deck = key.as_str().is_some_and(|key| DECK_KEYS.contains(&key));
                    if !of_deck && !raw.front.contains_key(key) {
                        raw.front.insert(key.clone(), value.clone());
                    }
                }
            }
            let mut slide = self.slide(raw, &deck.front, column, row);
            slide.file = index;
            deck.slides[column].push(slide);
        }
    }

    /// The text up to a limit: a page must not hang on what somebody drops on it.
    fn shortened<'t>(&mut self, text: &'t str, limit: usize, line: u32) -> &'t str {
        if text.len() <= limit {
            return text;
        }
        let message = Words::new(
            format!("長すぎるため、{} KB から先は読みません", limit / 1024),
            format!("too long: nothing after {} KB is read", limit / 1024),
        );
        self.problems
            .add(line, message, Words::new("分けて書きます", "split it"));
        &text[..text.floor_char_boundary(limit)]
    }

    fn broken_front(&mut self, line: u32, why: &str) {
        let message = Words::new(
            format!("先頭の設定が YAML として読めません: {why}"),
            format!("this front matter is no valid YAML: {why}"),
        );
        let hint = Words::new(
            "「キー: 値」を一行ずつ書き、: や # を含む値は引用符で囲みます",
            "write one \"key: value\" a line, and quote values that contain : or #",
        );
        self.problems.add(line, message, hint);
    }

    fn front(&mut self, mapping: &Mapping, first: bool, deck: &mut Deck) {
        let text = |key: &str| mapping.get(key).and_then(fields::text);
        let flag = |key: &str| mapping.get(key).and_then(|value| value.as_bool());
        let front = &mut deck.front;
        if let Some(title) = text("title").filter(|_| deck.title.is_empty()) {
            deck.title = title;
        }
        deck.lang = deck
            .lang
            .or_else(|| text("lang").and_then(|lang| Lang::named(&lang)));
        for (key, field) in [
            ("author", &mut front.author),
            ("theme", &mut front.theme),
            ("aspect", &mut front.aspect),
            ("header", &mut front.header),
            ("footer", &mut front.footer),
        ] {
            if let Some(value) = text(key) {
                *field = value;
            }
        }
        if let Some(aspect) = text("aspectRatio") {
            front.aspect = aspect;
        }
        front.marp = flag("marp").unwrap_or(front.marp);
        front.fragments = flag("fragments").unwrap_or(front.fragments || front.marp);
        front.heading_divider = mapping
            .get("headingDivider")
            .and_then(split::divider_level)
            .unwrap_or(front.heading_divider);
        if first {
            let pairs = mapping
                .iter()
                .filter_map(|(key, value)| Some((fields::text(key)?, fields::text(value)?)));
            front.other = pairs
                .filter(|(key, _)| !DECK_KEYS.contains(&key.as_str()))
                .collect();
        }
    }

    fn slide(&mut self, raw: Raw, front: &FrontMatter, column: usize, row: usize) -> Slide {
        if let Some(line) = raw.open_fence {
            let message = Words::new(
                "コードブロックが閉じられていません",
                "this code block is never closed",
            );
            let hint = Words::new(
                "同じ数の ``` だけの行で閉じます",
                "close it with a line of as many backticks",
            );
            self.problems.add(line, message, hint);
        }
        if let Some((line, why)) = &raw.broken_front {
            self.broken_front(*line, why);
        }
        let mut slide = Slide {
            id: format!("{}.{}", column + 1, row + 1),
            line: raw.line,
            column,
            row,
            ..Slide::default()
        };
        let stem = format!("slide-{}-{}", column + 1, row + 1);
        let text = self.shortened(&raw.text, LONGEST_SLIDE, raw.line);
        let parsed = markdown::parse(text, raw.line, front, &stem, &mut self.problems);
        let Parsed {
            blocks,
            steps,
            comments,
            attributes,
            scene,
            notes,
        } = parsed;
        slide.blocks = blocks;
        slide.scene = scene;
        slide.steps = steps;
        slide.options.extend(attributes);
        self.directives(&raw.front, raw.line, false, &mut slide);
        let mut own = BTreeMap::new();
        for (line, comment) in &comments {
            let marp = self.directives(comment, *line, true, &mut slide);
            own.extend(marp);
        }
        for (key, value) in &self.sticky {
            slide
                .options
                .entry(key.clone())
                .or_insert_with(|| value.clone());
        }
        slide.options.extend(own);
        slide.title = slide.options.remove("title").unwrap_or_default();
        if slide.title.is_empty() {
            walk(&slide.blocks, &mut |block| {
                if let BlockKind::Heading { text, .. } = &block.kind
                    && slide.title.is_empty()
                {
                    slide.title = plain(text);
                }
            });
        }
        let notes = raw.notes.or(notes);
        if let Some((line, text)) = notes {
            let quiet = FrontMatter::default();
            let text = self.shortened(&text, LONGEST_SLIDE, line);
            slide.notes = markdown::parse_notes(text, line, &quiet, &mut self.problems);
        }
        slide
    }

    /// Takes the keys of a comment or of front matter; returns Marp's directives for this slide only.
    fn directives(
        &mut self,
        mapping: &Mapping,
        line: u32,
        sticky: bool,
        slide: &mut Slide,
    ) -> BTreeMap<String, String> {
        let mut own = BTreeMap::new();
        for (key, value) in mapping {
            let (Some(key), written) = (key.as_str(), fields::text(value)) else {
                continue;
            };
            match (key, written) {
                ("id", Some(id)) => slide.id = id,
                ("focus", Some(names)) => slide.focus = fence::focus(&names),
                ("view", Some(name)) => match View::named(&name) {
                    Some(view) => slide.view = Some(view),
                    None => fence::unknown_view(&name, line, &mut self.problems),
                },
                ("scene", _) => {
                    if let Some(mapping) = value.as_mapping() {
                        slide.scene = fence::scene(mapping, line, &mut self.problems);
                    }
                }
                (key, Some(text)) => {
                    if let Some(single) = key.strip_prefix('_').filter(|name| MARP.contains(name)) {
                        own.insert(String::from(single), text);
                    } else {
                        if sticky && MARP.contains(&key) {
                            self.sticky.insert(String::from(key), text.clone());
                        }
                        slide.options.insert(String::from(key), text);
                    }
                }
                _ => {}
            }
        }
        own
    }

    /// Two slides of one id would make links ambiguous: the later one gets its number.
    fn unique_ids(&mut self, files: &[(&str, &str)], deck: &mut Deck) {
        let mut seen = BTreeSet::new();
        for slide in deck.slides.iter_mut().flatten() {
            if !seen.insert(slide.id.clone()) {
                let id = &slide.id;
                self.problems.found.push(Problem {
                    file: slide.file,
                    file_name: files
                        .get(slide.file)
                        .map(|file| String::from(file.0))
                        .unwrap_or_default(),
                    slide: Some((slide.column + 1, slide.row + 1)),
                    line: slide.line,
                    message: Words::new(
                        format!("id「{id}」は前のスライドで使われています"),
                        format!("the id \"{id}\" is that of an earlier slide"),
                    ),
                    hint: Words::new("別の id にします", "choose another id"),
                });
                let mut fresh = format!("{}.{}", slide.column + 1, slide.row + 1);
                while !seen.insert(fresh.clone()) {
                    fresh.push('\'');
                }
                slide.id = fresh;
            }
        }
    }
}

/// Whether a comment's text is a set of directives: a mapping of which every key is known.
pub(crate) fn comment_directives(comment: &str) -> Option<Mapping> {
    let known = |key: &str| {
        matches!(
            key,
            "id" | "focus"
                | "view"
                | "scene"
                | "title"
                | "layout"
                | "theme"
                | "size"
                | "style"
                | "math"
                | "headingDivider"
                | "marp"
        ) || MARP.contains(&key.strip_prefix('_').unwrap_or(key))
    };
    if !comment.contains(':') || comment.len() > 4_000 {
        return None;
    }
    let value = fields::load(comment).ok()?;
    let mapping = value.as_mapping()?;
    (!mapping.is_empty() && mapping.keys().all(|key| key.as_str().is_some_and(known)))
        .then(|| mapping.clone())
}
