//! A slide's Markdown to blocks.
//!
//! pulldown-cmark's events drive a [`Builder`]; raw HTML is cut up in `html` and reaches the builder as a
//! few known tags or as text. Fragments get their steps at the end, when all of a slide's are known.

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};
use serde_yaml::Mapping;

use crate::Words;
use crate::fence::{self, Fence, Place};
use crate::html;
use crate::model::{Align, Block, BlockKind, Cell, FrontMatter, Highlight, Inline, Scene};
use crate::problems::Problems;
use crate::slide::comment_directives;

mod builder;
mod steps;

use builder::{Builder, Container, Wrap};

/// What a slide's text said.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) blocks: Vec<Block>,
    pub(crate) steps: u32,
    /// Directives of comments in order, with their lines.
    pub(crate) comments: Vec<(u32, Mapping)>,
    /// From `<!-- .slide: … -->`.
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) scene: Option<Scene>,
    /// Notes by Marp's or Slidev's convention.
    pub(crate) notes: Option<(u32, String)>,
}

/// Parses the body of a slide; `stem` names what its author did not name.
pub(crate) fn parse(
    text: &str,
    first_line: u32,
    front: &FrontMatter,
    stem: &str,
    problems: &mut Problems,
) -> Parsed {
    let text = with_tags_as_comments(text);
    let mut reader = Reader {
        text: &text,
        lines: line_starts(&text),
        first_line,
        front,
        stem,
        live: true,
        builder: Builder::new(first_line),
        out: Parsed::default(),
        notes: Vec::new(),
        last_content_end: 0,
        cells: 0,
        told_html: false,
        problems,
    };
    reader.read();
    reader.finish()
}

/// Parses speaker notes, in which nothing is live.
pub(crate) fn parse_notes(
    text: &str,
    first_line: u32,
    front: &FrontMatter,
    problems: &mut Problems,
) -> Vec<Block> {
    let mut quiet = Problems::default();
    let text = with_tags_as_comments(text);
    let mut reader = Reader {
        text: &text,
        lines: line_starts(&text),
        first_line,
        front,
        stem: "notes",
        live: false,
        builder: Builder::new(first_line),
        out: Parsed::default(),
        notes: Vec::new(),
        last_content_end: 0,
        cells: 0,
        told_html: true,
        problems: &mut quiet,
    };
    reader.read();
    let blocks = reader.finish().blocks;
    problems.found.extend(quiet.found);
    blocks
}

#[derive(Debug)]
struct Reader<'a> {
    text: &'a str,
    lines: Vec<usize>,
    first_line: u32,
    front: &'a FrontMatter,
    stem: &'a str,
    live: bool,
    builder: Builder,
    out: Parsed,
    /// Comments that are no directives: line, text, where they end.
    notes: Vec<(u32, String, usize)>,
    last_content_end: usize,
    cells: usize,
    told_html: bool,
    problems: &'a mut Problems,
}

/// What is open besides the builder's containers.
#[derive(Debug, Default)]
struct Table {
    align: Vec<Align>,
    head: Vec<Vec<Inline>>,
    rows: Vec<Vec<Vec<Inline>>>,
    in_head: bool,
}

impl<'a> Reader<'a> {
    fn line(&self, offset: usize) -> u32 {
        let index = self
            .lines
            .partition_point(|start| *start <= offset)
            .saturating_sub(1);
        self.first_line + index as u32
    }

    fn read(&mut self) {
        let options =
            Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
        let mut code: Option<(String, String, usize)> = None;
        let mut raw: Option<(String, usize)> = None;
        let mut table = Table::default();
        for (event, range) in Parser::new_ext(self.text, options).into_offset_iter() {
            if let Some((_, text, _)) = &mut code {
                match event {
                    Event::Text(part) => text.push_str(&part),
                    Event::End(TagEnd::CodeBlock) => {
                        if let Some((info, text, at)) = code.take() {
                            self.fence(&info, &text, at);
                            self.last_content_end = range.end;
                        }
                    }
                    _ => {}
                }
                continue;
            }
            if let Some((text, _)) = &mut raw {
                match event {
                    Event::Html(part) => text.push_str(&part),
                    Event::End(TagEnd::HtmlBlock) => {
                        if let Some((text, at)) = raw.take() {
                            self.html_block(&text, at);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let info = match kind {
                        CodeBlockKind::Fenced(info) => info.into_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    code = Some((info, String::new(), range.start));
                }
                Event::Start(Tag::HtmlBlock) => raw = Some((String::new(), range.start)),
                Event::Start(tag) => self.start(tag, &range, &mut table),
                Event::End(tag) => {
                    self.end(tag, &mut table);
                    self.last_content_end = self.last_content_end.max(range.end);
                }
                other => self.leaf(other, &range),
            }
        }
        // The parser always closes what it opened; this is for safety, not for any known text.
        if let Some((info, text, at)) = code {
            self.fence(&info, &text, at);
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: &Range<usize>, table: &mut Table) {
        let line = self.line(range.start);
        match tag {
            Tag::Paragraph => self.builder.paragraph(line),
            Tag::Heading { level, .. } => self.builder.heading(level as u8, line),
            Tag::BlockQuote(_) => self.builder.open(Container::Quote, line),
            Tag::List(start) => {
                let mark = self.text[range.start..].chars().next();
                let marp_number = start.is_some()
                    && self.text[range.start..]
                        .trim_start_matches(|c: char| c.is_ascii_digit())
                        .starts_with(')');
                let stepwise = self.front.fragments && (mark == Some('*') || marp_number);
                self.builder.open(Container::List { start, stepwise }, line);
            }
            Tag::Item => self.builder.open(Container::Item { checked: None }, line),
            Tag::Emphasis => self.builder.wrap(Wrap::Emphasis, line),
            Tag::Strong => self.builder.wrap(Wrap::Strong, line),
            Tag::Strikethrough => self.builder.wrap(Wrap::Strike, line),
            Tag::Link {
                dest_url, title, ..
            } => {
                let href = self.link(&dest_url, line);
                self.builder.wrap(
                    Wrap::Link {
                        href,
                        title: title.into_string(),
                    },
                    line,
                );
            }
            Tag::Image {
                dest_url, title, ..
            } => {
                self.builder.wrap(
                    Wrap::Image {
                        src: dest_url.into_string(),
                        title: title.into_string(),
                    },
                    line,
                );
            }
            Tag::Table(align) => {
                *table = Table {
                    align: align.into_iter().map(alignment).collect(),
                    ..Table::default()
                };
                self.builder.block_begins(line);
            }
            Tag::TableHead => table.in_head = true,
            Tag::TableRow => table.rows.push(Vec::new()),
            Tag::TableCell => self.builder.wrap(Wrap::Cell, line),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, table: &mut Table) {
        match tag {
            TagEnd::Paragraph => self.builder.end_paragraph(),
            TagEnd::Heading(_) => self.builder.end_paragraph(),
            TagEnd::BlockQuote(_) => self.builder.close(&Container::Quote),
            TagEnd::List(_) => self.builder.close(&Container::List {
                start: None,
                stepwise: false,
            }),
            TagEnd::Item => self.builder.close(&Container::Item { checked: None }),
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => {
                self.builder.unwrap_markdown()
            }
            TagEnd::Link => self.builder.unwrap_markdown(),
            TagEnd::Image => self.image(),
            TagEnd::Table => {
                let Table {
                    align, head, rows, ..
                } = std::mem::take(table);
                self.builder.block(BlockKind::Table { align, head, rows });
            }
            TagEnd::TableHead => table.in_head = false,
            TagEnd::TableCell => {
                let cell = self.builder.end_cell();
                if table.in_head {
                    table.head.push(cell);
                } else if let Some(row) = table.rows.last_mut() {
                    row.push(cell);
                }
            }
            _ => {}
        }
    }

    fn leaf(&mut self, event: Event<'_>, range: &Range<usize>) {
        let line = self.line(range.start);
        match event {
            Event::Text(text) => self.builder.inline(Inline::Text(text.into_string()), line),
            Event::Code(text) => self.builder.inline(Inline::Code(text.into_string()), line),
            Event::SoftBreak => self.builder.inline(Inline::SoftBreak, line),
            Event::HardBreak => self.builder.inline(Inline::Break, line),
            Event::InlineHtml(source) => self.inline_html(&source, range, line),
            Event::Html(source) => self.html_block(&source, range.start),
            Event::Rule => {
                self.builder.block_begins(line);
                self.builder.block(BlockKind::Rule);
            }
            Event::TaskListMarker(checked) => self.builder.check(checked),
            Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.builder.inline(Inline::Code(text.into_string()), line);
            }
            Event::FootnoteReference(name) => {
                self.builder.inline(Inline::Text(format!("[{name}]")), line)
            }
            Event::Start(_) | Event::End(_) => {}
        }
    }

    fn link(&mut self, href: &CowStr<'_>, line: u32) -> Option<String> {
        if html::is_safe_link(href) {
            return Some(href.to_string());
        }
        let message = Words::new(
            "このリンク先は開けません",
            "this link leads nowhere that a deck may lead",
        );
        let hint = Words::new(
            "http(s)、mailto、または相対アドレスにします",
            "use http(s), mailto or a relative address",
        );
        self.problems.add(line, message, hint);
        None
    }

    fn image(&mut self) {
        let Some((src, title, alt)) = self.builder.end_image() else {
            return;
        };
        let line = self.builder.line();
        if let Some(background) = alt
            .strip_prefix("bg")
            .filter(|rest| rest.is_empty() || rest.starts_with(' '))
        {
            // Marp's background image.
            if html::is_safe_image(&src) {
                self.out
                    .attributes
                    .insert(String::from("backgroundImage"), src);
                self.out.attributes.insert(
                    String::from("backgroundFit"),
                    String::from(background.trim()),
                );
                return;
            }
        }
        self.place_image(src, alt, title, line);
    }

    fn place_image(&mut self, src: String, alt: String, title: String, line: u32) {
        if let Some(name) = src.strip_prefix("figure:") {
            if crate::figure(name).is_none() {
                let message = Words::new(
                    format!("「{name}」という図はありません"),
                    format!("there is no figure \"{name}\""),
                );
                self.problems.add(
                    line,
                    message,
                    crate::problems::suggest(name, &crate::figure_names()),
                );
            }
            self.builder.inline(Inline::Image { src, alt, title }, line);
        } else if html::is_safe_image(&src) {
            self.builder.inline(Inline::Image { src, alt, title }, line);
        } else {
            let message = Words::new(
                "ほかのホストの画像は表示しません。ページの外へ通信しないためです",
                "an image of another host is not shown: no request leaves the page",
            );
            let hint = Words::new(
                "デッキの隣に置くか、data: で埋め込みます",
                "put it beside the deck, or embed it as data:",
            );
            self.problems.add(line, message, hint);
            let href = html::is_safe_link(&src).then_some(src);
            let text = if alt.is_empty() {
                href.clone().unwrap_or_default()
            } else {
                alt
            };
            match href {
                Some(href) => {
                    self.builder.inline(
                        Inline::Link {
                            href,
                            title,
                            text: vec![Inline::Text(text)],
                        },
                        line,
                    );
                }
                None => self.builder.inline(Inline::Text(text), line),
            }
        }
    }

    fn fence(&mut self, info: &str, text: &str, offset: usize) {
        let line = self.line(offset);
        self.builder.block_begins(line);
        if !self.live {
            self.builder.block(BlockKind::Code {
                lang: info.split_whitespace().next().unwrap_or("").to_string(),
                text: String::from(text),
                highlight: Highlight::default(),
            });
            return;
        }
        let place = Place {
            stem: self.stem,
            cells: self.cells,
            line,
        };
        match fence::parse(info, text, &place, self.problems) {
            Fence::Code { lang, highlight } => {
                let stops = highlight.stops.len() as u32;
                self.builder.block(BlockKind::Code {
                    lang,
                    text: String::from(text),
                    highlight,
                });
                self.builder.highlight_steps(stops);
            }
            Fence::Live(cell) => {
                self.cells += 1;
                let stops = match &cell {
                    Cell::Apply(apply) => apply.highlight.stops.len() as u32,
                    _ => 0,
                };
                self.builder.block(BlockKind::Live(cell));
                self.builder.highlight_steps(stops);
            }
            Fence::Scene(scene) => self.out.scene = Some(scene),
            Fence::Figure { name, alt } => {
                self.place_image(format!("figure:{name}"), alt, String::new(), line)
            }
            Fence::Solution(lines) => self.answer(lines, line, |task, lines| task.solution = lines),
            Fence::Wrong(lines) => self.answer(lines, line, |task, lines| task.wrong = lines),
            Fence::Nothing => {}
        }
    }

    fn answer(&mut self, lines: Vec<String>, line: u32, put: fn(&mut crate::Task, Vec<String>)) {
        match self.builder.last_task() {
            Some(task) => put(task, lines),
            None => {
                let message =
                    Words::new("この前に task がありません", "there is no task before this");
                let hint = Words::new(
                    "```yaml task のすぐ後に書きます",
                    "write it right after ```yaml task",
                );
                self.problems.add(line, message, hint);
            }
        }
    }

    fn html_block(&mut self, source: &str, offset: usize) {
        let line = self.line(offset);
        for piece in html::pieces(source) {
            match piece {
                html::Piece::Comment(comment) => match comment.strip_prefix('@') {
                    Some(inner) => self.own_comment(inner, line),
                    None => self.comment(comment, line, offset + source.len(), true),
                },
                html::Piece::Text(text) => {
                    if !text.trim().is_empty() && !self.builder.in_dropped() {
                        self.builder
                            .inline(Inline::Text(String::from(text.trim())), line);
                    }
                }
                html::Piece::Tag(tag) => self.tag(&tag, true, line),
            }
        }
        self.builder.end_loose_paragraph();
    }

    /// A comment that stands for a tag on a line of its own, or for GitPitch's line steps.
    fn own_comment(&mut self, inner: &str, line: u32) {
        if let Some(range) = inner.strip_prefix("lines ") {
            if let Some(stops) = fence::stops(range) {
                self.builder.add_stop(stops);
            }
            return;
        }
        for piece in html::pieces(inner) {
            match piece {
                html::Piece::Tag(tag) => self.tag(&tag, true, line),
                html::Piece::Text(text)
                    if !text.trim().is_empty() && !self.builder.in_dropped() =>
                {
                    self.builder.inline(Inline::Text(String::from(text)), line);
                }
                _ => {}
            }
        }
    }

    fn inline_html(&mut self, source: &str, range: &Range<usize>, line: u32) {
        for piece in html::pieces(source) {
            match piece {
                html::Piece::Comment(comment) => self.comment(comment, line, range.end, false),
                html::Piece::Text(text) => {
                    self.builder.inline(Inline::Text(String::from(text)), line)
                }
                html::Piece::Tag(tag) => self.tag(&tag, false, line),
            }
        }
    }

    fn comment(&mut self, comment: &str, line: u32, end: usize, block: bool) {
        if let Some(attributes) = comment.strip_prefix(".slide:") {
            self.out.attributes.extend(html::attributes(attributes));
        } else if let Some(attributes) = comment.strip_prefix(".element:") {
            let attributes = html::attributes(attributes);
            let get = |name: &str| {
                attributes
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.as_str())
            };
            if get("class")
                .is_some_and(|class| class.split_whitespace().any(|word| word == "fragment"))
            {
                let index = get("data-fragment-index").and_then(|index| index.parse().ok());
                self.builder.fragment(index, block);
            }
        } else if let Some(mapping) = comment_directives(comment) {
            self.out.comments.push((line, mapping));
        } else if !comment.is_empty() && !comment.starts_with("prettier-ignore") {
            self.notes.push((line, String::from(comment), end));
        }
    }

    fn tag(&mut self, tag: &html::Tag<'_>, block: bool, line: u32) {
        let wrap = match tag.name.as_str() {
            "b" | "strong" => Some(Wrap::Html("b")),
            "i" | "em" => Some(Wrap::Html("i")),
            "kbd" => Some(Wrap::Html("kbd")),
            "sub" => Some(Wrap::Html("sub")),
            "sup" => Some(Wrap::Html("sup")),
            _ => None,
        };
        if let Some(wrap) = wrap {
            if !tag.closing {
                self.builder.wrap(wrap, line);
            } else if !self.builder.unwrap_html(&wrap) {
                self.as_text(tag.source, line);
            }
            return;
        }
        let container = match tag.name.as_str() {
            "details" => Some(Container::Details {
                summary: Vec::new(),
            }),
            "v-click" => Some(Container::Click),
            "v-clicks" => Some(Container::Clicks),
            "div" => {
                let class = tag.attribute("class").unwrap_or("");
                let columns = ["columns", "grid", "row"]
                    .iter()
                    .any(|name| class.split_whitespace().any(|word| word == *name));
                Some(if columns {
                    Container::Columns
                } else {
                    Container::Div {
                        class: String::from(class),
                    }
                })
            }
            _ => None,
        };
        match (tag.name.as_str(), container) {
            ("br", _) => self.builder.inline(Inline::Break, line),
            ("img", _) if tag.attribute("src").is_some() => {
                let get = |name: &str| String::from(tag.attribute(name).unwrap_or(""));
                self.place_image(get("src"), get("alt"), get("title"), line);
            }
            ("style", _) if block => self.builder.drop_text(!tag.closing),
            ("summary", _) => self.builder.summary(!tag.closing, line),
            (_, Some(container)) if block => {
                if !tag.closing {
                    self.builder.open(container, line);
                } else if !self.builder.close_html(&container) {
                    let message = Words::new(
                        format!("{} に対応する開始タグがありません", tag.source),
                        format!("nothing is open that {} could close", tag.source),
                    );
                    let hint =
                        Words::new("開始タグと数を合わせます", "match it with an opening tag");
                    self.problems.add(line, message, hint);
                }
            }
            _ => self.as_text(tag.source, line),
        }
    }

    fn as_text(&mut self, source: &str, line: u32) {
        if !self.told_html {
            self.told_html = true;
            let message = Words::new(
                "この HTML は実行せず、文字として表示します",
                "this HTML is shown as text and never executed",
            );
            let hint = Words::new(
                "使えるのは br, b, i, kbd, sub, sup, img, details, summary, div class=\"columns\" です",
                "usable: br, b, i, kbd, sub, sup, img, details, summary, div class=\"columns\"",
            );
            self.problems.add(line, message, hint);
        }
        self.builder
            .inline(Inline::Text(String::from(source)), line);
    }

    fn finish(mut self) -> Parsed {
        for (line, name) in self.builder.left_open() {
            let message = Words::new(
                format!("<{name}> が閉じられていません"),
                format!("<{name}> is never closed"),
            );
            let hint = Words::new(
                format!("</{name}> を書きます"),
                format!("close it with </{name}>"),
            );
            self.problems.add(line, message, hint);
        }
        let (blocks, explicit) = self.builder.finish();
        self.out.blocks = blocks;
        self.out.steps = steps::number(&mut self.out.blocks, &explicit);
        if self.front.marp {
            let texts: Vec<&str> = self
                .notes
                .iter()
                .map(|(_, text, _)| text.as_str())
                .collect();
            if let Some((line, _, _)) = self.notes.first() {
                self.out.notes = Some((*line, texts.join("\n\n")));
            }
        } else if let Some((line, text, end)) = self.notes.pop()
            && end >= self.last_content_end
            && self
                .text
                .get(end..)
                .is_some_and(|rest| rest.trim().is_empty())
        {
            self.out.notes = Some((line, text));
        }
        self.out
    }
}

fn alignment(align: Alignment) -> Align {
    match align {
        Alignment::Center => Align::Center,
        Alignment::Right => Align::End,
        Alignment::None | Alignment::Left => Align::Start,
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at + 1))
        .collect()
}

/// Block tags on lines of their own become comments, which end on their line: so Markdown works right
/// beneath `<div class="columns">` and `<v-click>`, without the blank lines that HTML blocks ask for.
fn with_tags_as_comments(text: &str) -> String {
    const TAGS: [&str; 5] = ["div", "details", "summary", "v-click", "v-clicks"];
    const MARKS: [&str; 7] = ["b", "strong", "i", "em", "kbd", "sub", "sup"];
    let mut fence: Option<(char, usize)> = None;
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        let body = line.trim_end();
        let trimmed = body.trim_start();
        let indent = body.len() - trimmed.len();
        match fence {
            Some((mark, length)) => {
                let run = trimmed.chars().take_while(|c| *c == mark).count();
                if run >= length && trimmed[run..].trim().is_empty() {
                    fence = None;
                }
            }
            None => {
                for mark in ['`', '~'] {
                    let length = trimmed.chars().take_while(|c| *c == mark).count();
                    if length >= 3 && (mark == '~' || !trimmed[length..].contains('`')) {
                        fence = Some((mark, length));
                    }
                }
            }
        }
        let only_tags = || {
            let pieces = html::pieces(trimmed);
            let named = |name: &str| {
                pieces
                    .iter()
                    .any(|piece| matches!(piece, html::Piece::Tag(tag) if tag.name == name))
            };
            let summary = named("summary");
            let ours = |tag: &html::Tag<'_>| {
                TAGS.contains(&tag.name.as_str()) || summary && MARKS.contains(&tag.name.as_str())
            };
            pieces.iter().all(|piece| match piece {
                html::Piece::Tag(tag) => ours(tag),
                html::Piece::Text(text) => summary || text.trim().is_empty(),
                html::Piece::Comment(_) => false,
            })
        };
        if fence.is_none()
            && trimmed.starts_with('<')
            && indent < 4
            && !trimmed.contains("--")
            && only_tags()
        {
            out.push_str("<!--@");
            out.push_str(trimmed);
            out.push_str("-->");
            out.push_str(&line[body.len()..]);
        } else {
            out.push_str(line);
        }
    }
    out
}
