//! The open line: paragraphs and headings with the marks within them.

use super::{Builder, Container, DEEPEST, Text, Wrap};
use crate::model::{Block, BlockKind, Inline, plain};

impl Builder {
    pub(in crate::markdown) fn paragraph(&mut self, line: u32) {
        self.end_paragraph();
        self.push_text(Wrap::Paragraph, line);
    }

    pub(in crate::markdown) fn heading(&mut self, level: u8, line: u32) {
        self.end_paragraph();
        self.push_text(Wrap::Heading(level), line);
    }

    pub(super) fn push_text(&mut self, wrap: Wrap, line: u32) {
        self.line = line;
        self.texts.push(Text {
            wrap,
            line,
            step: 0,
            content: Vec::new(),
        });
    }

    pub(in crate::markdown) fn wrap(&mut self, wrap: Wrap, line: u32) {
        if self.texts.is_empty() && wrap != Wrap::Cell {
            self.push_text(Wrap::Paragraph, line);
        }
        if self.texts.len() < DEEPEST || wrap == Wrap::Cell {
            self.push_text(wrap, line);
        } else {
            // Keeps the count of openings and closings right.
            self.push_text(
                Wrap::Link {
                    href: None,
                    title: String::new(),
                },
                line,
            );
        }
    }

    pub(in crate::markdown) fn inline(&mut self, inline: Inline, line: u32) {
        if self.texts.is_empty() {
            self.push_text(Wrap::Paragraph, line);
        }
        let text = self.texts.last_mut().expect("a line was just opened");
        match (text.content.last_mut(), inline) {
            (Some(Inline::Text(last)), Inline::Text(more)) => last.push_str(&more),
            (_, inline) => text.content.push(inline),
        }
    }

    pub(super) fn pop_text(&mut self) {
        let Some(text) = self.texts.pop() else {
            return;
        };
        let Text {
            wrap,
            line,
            step,
            content,
        } = text;
        let put = match wrap {
            Wrap::Paragraph => {
                self.end_text_block(content, line, step);
                return;
            }
            Wrap::Heading(level) => {
                self.put(Block {
                    step,
                    line,
                    kind: BlockKind::Heading {
                        level,
                        text: content,
                    },
                });
                return;
            }
            Wrap::Summary => {
                if let Container::Details { summary } = &mut self.top().container {
                    summary.extend(content);
                } else {
                    self.end_text_block(content, line, step);
                }
                return;
            }
            Wrap::Cell => content,
            Wrap::Emphasis | Wrap::Html("i") => vec![Inline::Emphasis(content)],
            Wrap::Strong | Wrap::Html("b") => vec![Inline::Strong(content)],
            Wrap::Strike => vec![Inline::Strike(content)],
            Wrap::Html("kbd") => vec![Inline::Kbd(content)],
            Wrap::Html("sub") => vec![Inline::Sub(content)],
            Wrap::Html("sup") => vec![Inline::Sup(content)],
            Wrap::Html(_) => content,
            Wrap::Link {
                href: Some(href),
                title,
            } => vec![Inline::Link {
                href,
                title,
                text: content,
            }],
            Wrap::Link { href: None, .. } => content,
            Wrap::Image { src, title } => vec![Inline::Image {
                src,
                alt: plain(&content),
                title,
            }],
        };
        let line = self.line;
        for inline in put {
            self.inline(inline, line);
        }
    }

    /// A paragraph that is a single picture is a picture.
    pub(super) fn end_text_block(&mut self, mut content: Vec<Inline>, line: u32, step: u32) {
        while matches!(content.last(), Some(Inline::SoftBreak)) {
            content.pop();
        }
        if let Some(Inline::Text(last)) = content.last_mut() {
            last.truncate(last.trim_end().len());
        }
        let blank = |inline: &Inline| match inline {
            Inline::Text(text) => text.trim().is_empty(),
            Inline::SoftBreak => true,
            _ => false,
        };
        if content.iter().all(blank) {
            return;
        }
        let mut solid = content.iter().filter(|inline| !blank(inline));
        let kind = match (solid.next(), solid.next()) {
            (Some(Inline::Image { src, alt, title }), None) => match src.strip_prefix("figure:") {
                Some(name) => BlockKind::Figure {
                    name: String::from(name),
                    alt: alt.clone(),
                },
                None => BlockKind::Image {
                    src: src.clone(),
                    alt: alt.clone(),
                    title: title.clone(),
                },
            },
            _ => BlockKind::Paragraph(content),
        };
        self.put(Block { step, line, kind });
    }

    pub(in crate::markdown) fn end_paragraph(&mut self) {
        while !self.texts.is_empty() {
            self.pop_text();
        }
    }

    /// Ends a paragraph that raw HTML began, but none that Markdown is still in.
    pub(in crate::markdown) fn end_loose_paragraph(&mut self) {
        if self
            .texts
            .iter()
            .all(|text| matches!(text.wrap, Wrap::Paragraph | Wrap::Html(_)))
        {
            self.end_paragraph();
        }
    }

    /// Closes the innermost mark of Markdown's, and marks of HTML left open within it.
    pub(in crate::markdown) fn unwrap_markdown(&mut self) {
        let own = |wrap: &Wrap| {
            matches!(
                wrap,
                Wrap::Emphasis
                    | Wrap::Strong
                    | Wrap::Strike
                    | Wrap::Link { .. }
                    | Wrap::Image { .. }
            )
        };
        if let Some(at) = self.texts.iter().rposition(|text| own(&text.wrap)) {
            while self.texts.len() > at {
                self.pop_text();
            }
        }
    }

    /// Closes the innermost mark of this HTML tag; `false` when there is none.
    pub(in crate::markdown) fn unwrap_html(&mut self, wrap: &Wrap) -> bool {
        let within = self
            .texts
            .iter()
            .rposition(|text| !matches!(text.wrap, Wrap::Html(_)))
            .unwrap_or(0);
        let Some(at) = self
            .texts
            .iter()
            .rposition(|text| text.wrap == *wrap)
            .filter(|at| *at > within)
        else {
            return false;
        };
        while self.texts.len() > at {
            self.pop_text();
        }
        true
    }

    /// `(src, title, alt)` of the image that ends here.
    pub(in crate::markdown) fn end_image(&mut self) -> Option<(String, String, String)> {
        let at = self
            .texts
            .iter()
            .rposition(|text| matches!(text.wrap, Wrap::Image { .. }))?;
        while self.texts.len() > at + 1 {
            self.pop_text();
        }
        let text = self.texts.pop()?;
        match text.wrap {
            Wrap::Image { src, title } => Some((src, title, plain(&text.content))),
            _ => None,
        }
    }

    pub(in crate::markdown) fn end_cell(&mut self) -> Vec<Inline> {
        while self
            .texts
            .last()
            .is_some_and(|text| text.wrap != Wrap::Cell)
        {
            self.pop_text();
        }
        self.texts
            .pop()
            .map(|text| text.content)
            .unwrap_or_default()
    }

    pub(in crate::markdown) fn summary(&mut self, opening: bool, line: u32) {
        self.end_paragraph();
        if opening {
            self.push_text(Wrap::Summary, line);
        }
    }

    /// Whether the text of `<style>` is being thrown away.
    pub(in crate::markdown) fn in_dropped(&self) -> bool {
        self.dropping
    }

    pub(in crate::markdown) fn drop_text(&mut self, dropping: bool) {
        self.dropping = dropping;
    }
}
