//! Raw HTML and comments in a slide's Markdown: a few tags do something, comments direct, the rest is text.

use std::ops::Range;

use super::Reader;
use super::builder::{Container, Wrap};
use crate::Words;
use crate::fence;
use crate::html;
use crate::model::Inline;
use crate::slide::comment_directives;

impl Reader<'_> {
    pub(super) fn html_block(&mut self, source: &str, offset: usize) {
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

    /// A comment that stands for a tag on a line of its own, for Slidev's `::right::`, or for GitPitch's
    /// line steps.
    fn own_comment(&mut self, inner: &str, line: u32) {
        if let Some(range) = inner.strip_prefix("lines ") {
            if let Some(stops) = fence::stops(range) {
                self.builder.add_stop(stops);
            }
            return;
        }
        if inner == "slot" {
            self.builder.slot(line);
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

    pub(super) fn inline_html(&mut self, source: &str, range: &Range<usize>, line: u32) {
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
            // Within a line there is nothing to reveal step by step; the words stay.
            ("v-click" | "v-clicks" | "v-after" | "v-mark", _) => {}
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
}
