//! A slide's Markdown to blocks.
//!
//! pulldown-cmark's events drive a [`Builder`]; raw HTML is cut up in `html` and reaches the builder as a
//! few known tags or as text. Fragments get their steps at the end, when all of a slide's are known.

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{Alignment, CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use serde_yaml::Mapping;

use crate::Words;
use crate::model::{Align, Block, BlockKind, FrontMatter, Inline, Scene};
use crate::problems::Problems;

mod builder;
mod cells;
mod prepare;
mod raw;
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
    let text = prepare::with_tags_as_comments(text);
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
    let text = prepare::with_tags_as_comments(text);
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
