//! Fenced code, pictures and links of a slide: what is live, what is shown, and what is refused.

use pulldown_cmark::CowStr;

use super::Reader;
use crate::Words;
use crate::fence::{self, Fence, Place};
use crate::html;
use crate::model::{BlockKind, Cell, Highlight, Inline};

impl Reader<'_> {
    pub(super) fn link(&mut self, href: &CowStr<'_>, line: u32) -> Option<String> {
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

    pub(super) fn image(&mut self) {
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

    pub(super) fn place_image(&mut self, src: String, alt: String, title: String, line: u32) {
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

    pub(super) fn fence(&mut self, info: &str, text: &str, offset: usize) {
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
}
