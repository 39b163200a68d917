//! A slide's blocks as elements. No HTML of a deck reaches the page: only our own pictures are put in as markup.

use playground::deck::{Align, Block, BlockKind, Highlight, Inline, Item, figure};
use yew::prelude::*;

use super::outcome::Outcomes;
use super::{Tasks, cells};
use crate::env::Env;
use crate::words::Msg;

/// What drawing a slide needs to know.
pub(super) struct Drawing<'a> {
    pub(super) env: &'a Env,
    /// Fragments revealed.
    pub(super) step: u32,
    pub(super) tasks: &'a Tasks,
    /// The slide's id.
    pub(super) slide: &'a str,
    pub(super) cells: &'a Outcomes,
    /// To be looked at only: no buttons, nothing to focus.
    pub(super) is_picture: bool,
}

/// A slide's blocks taken apart for a wide sheet: its heading with what leads in, what is said and shown, and what one does. Without
/// anything to do, its pictures stand in that place.
pub(super) fn sides(blocks: &[Block]) -> (&[Block], Vec<&Block>, Vec<&Block>) {
    let lead = blocks
        .iter()
        .take_while(|block| {
            matches!(
                block.kind,
                BlockKind::Heading { .. } | BlockKind::Paragraph(_)
            )
        })
        .count();
    let (head, rest) = blocks.split_at(lead);
    let is_live =
        |block: &&Block| matches!(block.kind, BlockKind::Live(_) | BlockKind::Code { .. });
    let is_figure = |block: &&Block| {
        matches!(
            block.kind,
            BlockKind::Figure { .. } | BlockKind::Image { .. }
        )
    };
    let (done, said): (Vec<&Block>, Vec<&Block>) = if rest.iter().any(|block| is_live(&block)) {
        rest.iter().partition(is_live)
    } else {
        rest.iter().partition(is_figure)
    };
    (head, said, done)
}

impl Drawing<'_> {
    pub(super) fn blocks(&self, blocks: &[Block]) -> Html {
        html! { <>{ for blocks.iter().enumerate().map(|(index, block)| self.block(index, block)) }</> }
    }

    /// Some of a slide's blocks.
    pub(super) fn each(&self, blocks: &[&Block]) -> Html {
        html! { <>{ for blocks.iter().enumerate().map(|(index, block)| self.block(index, block)) }</> }
    }

    /// Not yet revealed things are faint rather than hidden: the reader of a page is no audience.
    fn ahead(&self, step: u32) -> Option<&'static str> {
        (step > self.step).then_some("ahead")
    }

    fn block(&self, key: usize, block: &Block) -> Html {
        let class = classes!(self.ahead(block.step));
        match &block.kind {
            BlockKind::Heading { level, text } => {
                let text = inlines(text);
                match level {
                    1 => html! { <h1 {key} {class}>{ text }</h1> },
                    2 => html! { <h2 {key} {class}>{ text }</h2> },
                    _ => html! { <h3 {key} {class}>{ text }</h3> },
                }
            }
            BlockKind::Paragraph(text) => html! { <p {key} {class}>{ inlines(text) }</p> },
            BlockKind::List { start, items } => {
                let items = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.item(index, item));
                match start {
                    Some(first) => {
                        html! { <ol {key} {class} style={format!("counter-reset:item {}", first.saturating_sub(1))}>{ for items }</ol> }
                    }
                    None => html! { <ul {key} {class}>{ for items }</ul> },
                }
            }
            BlockKind::Code {
                text, highlight, ..
            } => html! { <div {key} {class}>{ self.code(text, highlight) }</div> },
            BlockKind::Table { align, head, rows } => html! {
                <table {key} {class}>
                    <thead><tr>{ for head.iter().enumerate().map(|(index, text)| html! { <th key={index} scope="col" class={aligned(align, index)}>{ inlines(text) }</th> }) }</tr></thead>
                    <tbody>{ for rows.iter().enumerate().map(|(index, row)| html! {
                        <tr key={index}>{ for row.iter().enumerate().map(|(index, text)| html! { <td key={index} class={aligned(align, index)}>{ inlines(text) }</td> }) }</tr>
                    }) }</tbody>
                </table>
            },
            BlockKind::Image { src, alt, title } => html! {
                <figure {key} {class}><img src={src.clone()} alt={alt.clone()} /><figcaption>{ title.clone() }</figcaption></figure>
            },
            BlockKind::Figure { name, alt } => match figure(name) {
                Some(svg) => html! {
                    <figure {key} {class} role="img" aria-label={alt.clone()}>{ Html::from_html_unchecked(AttrValue::Static(svg)) }</figure>
                },
                None => {
                    html! { <p {key} class={classes!("missing", self.ahead(block.step))}>{ format!("{}: {alt}", self.env.t(Msg::NoFigure)) }</p> }
                }
            },
            BlockKind::Columns(columns) => html! {
                <div {key} class={classes!("columns", class)}>{ for columns.iter().enumerate().map(|(index, blocks)| html! { <div key={index}>{ self.blocks(blocks) }</div> }) }</div>
            },
            BlockKind::Quote(blocks) => {
                html! { <blockquote {key} {class}>{ self.blocks(blocks) }</blockquote> }
            }
            BlockKind::Group { blocks, .. } => {
                html! { <div {key} {class}>{ self.blocks(blocks) }</div> }
            }
            BlockKind::Details { summary, blocks } => {
                html! { <details {key} {class}><summary>{ inlines(summary) }</summary>{ self.blocks(blocks) }</details> }
            }
            BlockKind::Rule => html! { <hr {key} /> },
            BlockKind::Live(cell) => {
                html! { <div {key} {class}>{ cells::cell(self, cell, block.line) }</div> }
            }
        }
    }

    fn item(&self, key: usize, item: &Item) -> Html {
        let mark = item
            .checked
            .map(|is_done| if is_done { "☑ " } else { "☐ " })
            .unwrap_or_default();
        html! { <li {key} class={classes!(self.ahead(item.step))}>{ mark }{ self.blocks(&item.blocks) }</li> }
    }

    /// A text with some lines standing out.
    pub(super) fn code(&self, text: &str, highlight: &Highlight) -> Html {
        let marked = highlight.at(self.step);
        let is_marked = |line: u32| {
            marked
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&line))
        };
        html! {
            <pre lang="en" tabindex={(!self.is_picture).then_some("0")}><code>
                { for text.lines().enumerate().map(|(index, line)| {
                    let class = classes!("line", is_marked(index as u32 + 1).then_some("hl"));
                    html! { <span key={index} {class}>{ line.to_string() }</span> }
                }) }
            </code></pre>
        }
    }
}

fn aligned(align: &[Align], index: usize) -> &'static str {
    match align.get(index) {
        Some(Align::Center) => "centre",
        Some(Align::End) => "end",
        _ => "",
    }
}

/// The text of a line.
pub(super) fn inlines(text: &[Inline]) -> Html {
    let mut before_ascii = true;
    let mut out = Vec::new();
    for inline in text {
        if let Inline::SoftBreak = inline {
            // Japanese lines join without a space.
            out.push(if before_ascii {
                html! { { " " } }
            } else {
                html! { { "" } }
            });
            continue;
        }
        let plain = playground::deck::plain(std::slice::from_ref(inline));
        before_ascii = plain.chars().next_back().is_none_or(|last| last.is_ascii());
        out.push(match inline {
            Inline::Text(text) => html! { { text.clone() } },
            Inline::Code(text) => html! { <code lang="en">{ text.clone() }</code> },
            Inline::Strong(inner) => html! { <b>{ inlines(inner) }</b> },
            Inline::Emphasis(inner) => html! { <em>{ inlines(inner) }</em> },
            Inline::Strike(inner) => html! { <s>{ inlines(inner) }</s> },
            Inline::Sub(inner) => html! { <sub>{ inlines(inner) }</sub> },
            Inline::Sup(inner) => html! { <sup>{ inlines(inner) }</sup> },
            Inline::Kbd(inner) => html! { <kbd>{ inlines(inner) }</kbd> },
            Inline::Link { href, title, text } if href.starts_with('#') => html! {
                <a href={href.clone()} title={title.clone()}>{ inlines(text) }</a>
            },
            Inline::Link { href, title, text } => html! {
                <a href={href.clone()} title={title.clone()} target="_blank" rel="noopener noreferrer">{ inlines(text) }</a>
            },
            Inline::Image { src, alt, .. } => html! { <img src={src.clone()} alt={alt.clone()} /> },
            Inline::Break => html! { <br /> },
            Inline::SoftBreak => html! { { "" } },
        });
    }
    html! { <>{ for out }</> }
}
