//! The tree under construction: open containers, and the open line within the innermost one.

use super::steps::Pending;
use crate::Task;
use crate::model::{Block, BlockKind, Cell, Inline, Item, plain};

/// Blocks that hold blocks.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Container {
    Root,
    Quote,
    List {
        start: Option<u64>,
        stepwise: bool,
    },
    Item {
        checked: Option<bool>,
    },
    Columns,
    Div {
        class: String,
    },
    Details {
        summary: Vec<Inline>,
    },
    /// `<v-click>`: its content is one fragment.
    Click,
    /// `<v-clicks>`: each item of the lists within is a fragment.
    Clicks,
}

impl Container {
    fn same_kind(&self, other: &Container) -> bool {
        // `</div>` closes columns as well.
        let div =
            |container: &Container| matches!(container, Container::Columns | Container::Div { .. });
        std::mem::discriminant(self) == std::mem::discriminant(other) || div(self) && div(other)
    }

    /// The tag of those that raw HTML opens.
    fn tag(&self) -> Option<&'static str> {
        match self {
            Container::Columns | Container::Div { .. } => Some("div"),
            Container::Details { .. } => Some("details"),
            Container::Click => Some("v-click"),
            Container::Clicks => Some("v-clicks"),
            Container::Root
            | Container::Quote
            | Container::List { .. }
            | Container::Item { .. } => None,
        }
    }
}

/// Marks around text within a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wrap {
    Paragraph,
    Heading(u8),
    Cell,
    Summary,
    Emphasis,
    Strong,
    Strike,
    Link {
        href: Option<String>,
        title: String,
    },
    Image {
        src: String,
        title: String,
    },
    /// A mark that raw HTML opened.
    Html(&'static str),
}

#[derive(Debug)]
struct Frame {
    container: Container,
    line: u32,
    step: u32,
    blocks: Vec<Block>,
    items: Vec<Item>,
}

#[derive(Debug)]
struct Text {
    wrap: Wrap,
    line: u32,
    step: u32,
    content: Vec<Inline>,
}

/// See the file's head.
#[derive(Debug)]
pub(super) struct Builder {
    frames: Vec<Frame>,
    texts: Vec<Text>,
    pending: Vec<Pending>,
    line: u32,
    dropping: bool,
}

/// Deeper nesting than any slide has becomes flat, so that no text can exhaust the stack of who walks the tree.
const DEEPEST: usize = 40;

impl Builder {
    pub(super) fn new(line: u32) -> Builder {
        let root = Frame {
            container: Container::Root,
            line,
            step: 0,
            blocks: Vec::new(),
            items: Vec::new(),
        };
        Builder {
            frames: vec![root],
            texts: Vec::new(),
            pending: Vec::new(),
            line,
            dropping: false,
        }
    }

    fn top(&mut self) -> &mut Frame {
        self.frames
            .last_mut()
            .expect("the root frame is never closed before the end")
    }

    /// The line of what was last begun.
    pub(super) fn line(&self) -> u32 {
        self.line
    }

    // Lines of text

    pub(super) fn paragraph(&mut self, line: u32) {
        self.end_paragraph();
        self.push_text(Wrap::Paragraph, line);
    }

    pub(super) fn heading(&mut self, level: u8, line: u32) {
        self.end_paragraph();
        self.push_text(Wrap::Heading(level), line);
    }

    fn push_text(&mut self, wrap: Wrap, line: u32) {
        self.line = line;
        self.texts.push(Text {
            wrap,
            line,
            step: 0,
            content: Vec::new(),
        });
    }

    pub(super) fn wrap(&mut self, wrap: Wrap, line: u32) {
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

    pub(super) fn inline(&mut self, inline: Inline, line: u32) {
        if self.texts.is_empty() {
            self.push_text(Wrap::Paragraph, line);
        }
        let text = self.texts.last_mut().expect("a line was just opened");
        match (text.content.last_mut(), inline) {
            (Some(Inline::Text(last)), Inline::Text(more)) => last.push_str(&more),
            (_, inline) => text.content.push(inline),
        }
    }

    fn pop_text(&mut self) {
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
    fn end_text_block(&mut self, mut content: Vec<Inline>, line: u32, step: u32) {
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

    pub(super) fn end_paragraph(&mut self) {
        while !self.texts.is_empty() {
            self.pop_text();
        }
    }

    /// Ends a paragraph that raw HTML began, but none that Markdown is still in.
    pub(super) fn end_loose_paragraph(&mut self) {
        if self
            .texts
            .iter()
            .all(|text| matches!(text.wrap, Wrap::Paragraph | Wrap::Html(_)))
        {
            self.end_paragraph();
        }
    }

    /// Closes the innermost mark of Markdown's, and marks of HTML left open within it.
    pub(super) fn unwrap_markdown(&mut self) {
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
    pub(super) fn unwrap_html(&mut self, wrap: &Wrap) -> bool {
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
    pub(super) fn end_image(&mut self) -> Option<(String, String, String)> {
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

    pub(super) fn end_cell(&mut self) -> Vec<Inline> {
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

    pub(super) fn summary(&mut self, opening: bool, line: u32) {
        self.end_paragraph();
        if opening {
            self.push_text(Wrap::Summary, line);
        }
    }

    /// Whether the text of `<style>` is being thrown away.
    pub(super) fn in_dropped(&self) -> bool {
        self.dropping
    }

    pub(super) fn drop_text(&mut self, dropping: bool) {
        self.dropping = dropping;
    }

    // Blocks

    /// A block begins: whatever line was open ends.
    pub(super) fn block_begins(&mut self, line: u32) {
        self.end_paragraph();
        self.line = line;
    }

    pub(super) fn block(&mut self, kind: BlockKind) {
        let line = self.line;
        self.put(Block {
            step: 0,
            line,
            kind,
        });
    }

    fn put(&mut self, block: Block) {
        self.top().blocks.push(block);
    }

    pub(super) fn open(&mut self, container: Container, line: u32) {
        self.end_paragraph();
        self.line = line;
        let step = match &container {
            Container::Click => self.new_step(None),
            Container::Item { .. } if self.is_stepwise() => self.new_step(None),
            _ => 0,
        };
        self.frames.push(Frame {
            container,
            line,
            step,
            blocks: Vec::new(),
            items: Vec::new(),
        });
    }

    /// Whether the list that is open shows its items one by one.
    fn is_stepwise(&self) -> bool {
        let own = matches!(
            self.frames.last(),
            Some(Frame {
                container: Container::List { stepwise: true, .. },
                ..
            })
        );
        own || self
            .frames
            .iter()
            .any(|frame| frame.container == Container::Clicks)
    }

    fn new_step(&mut self, index: Option<u32>) -> u32 {
        self.pending.push(Pending { index, length: 1 });
        self.pending.len() as u32
    }

    /// Closes Markdown's innermost container of this kind, and HTML's that were left open within it.
    pub(super) fn close(&mut self, kind: &Container) {
        self.end_paragraph();
        if let Some(at) = self
            .frames
            .iter()
            .rposition(|frame| frame.container.same_kind(kind))
        {
            while self.frames.len() > at.max(1) {
                self.pop_frame();
            }
        }
    }

    /// Closes HTML's container if it is the innermost one; `false` when it is not.
    pub(super) fn close_html(&mut self, kind: &Container) -> bool {
        self.end_paragraph();
        let fits = self
            .frames
            .last()
            .is_some_and(|frame| frame.container.same_kind(kind));
        if fits {
            self.pop_frame();
        }
        fits
    }

    fn pop_frame(&mut self) {
        let depth = self.frames.len();
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let Frame {
            container,
            line,
            step,
            blocks,
            items,
        } = frame;
        let kind = match container {
            Container::Item { checked } => {
                self.top().items.push(Item {
                    step,
                    checked,
                    blocks,
                });
                return;
            }
            Container::Root | Container::Clicks => {
                self.top().blocks.extend(blocks);
                return;
            }
            _ if depth > DEEPEST => {
                let flat = items.into_iter().flat_map(|item| item.blocks);
                self.top().blocks.extend(blocks.into_iter().chain(flat));
                return;
            }
            Container::List { start, .. } => BlockKind::List { start, items },
            Container::Quote => BlockKind::Quote(blocks),
            Container::Columns => BlockKind::Columns(columns(blocks)),
            Container::Div { class } => BlockKind::Group { class, blocks },
            Container::Click => BlockKind::Group {
                class: String::new(),
                blocks,
            },
            Container::Details { summary } => BlockKind::Details { summary, blocks },
        };
        self.put(Block { step, line, kind });
    }

    pub(super) fn check(&mut self, done: bool) {
        if let Some(Frame {
            container: Container::Item { checked },
            ..
        }) = self.frames.last_mut()
        {
            *checked = Some(done);
        }
    }

    // Fragments

    /// `<!-- .element: class="fragment" -->`: dresses what it stands behind.
    pub(super) fn fragment(&mut self, index: Option<u32>, block: bool) {
        let in_item = matches!(self.top().container, Container::Item { .. });
        if in_item && (!block || self.top().blocks.is_empty()) {
            if self.top().step == 0 {
                let step = self.new_step(index);
                self.top().step = step;
            }
            return;
        }
        let step = self.new_step(index);
        if !block && let Some(text) = self.texts.first_mut() {
            text.step = step;
        } else if let Some(last) = self.top().blocks.last_mut() {
            last.step = step;
        } else {
            self.pending.pop();
        }
    }

    /// The block just put has this many stops: it takes one step fewer.
    pub(super) fn highlight_steps(&mut self, stops: u32) {
        if stops > 1 {
            self.pending.push(Pending {
                index: None,
                length: stops - 1,
            });
            let first = self.pending.len() as u32;
            if let Some(highlight) = self.last_highlight() {
                highlight.first_step = first;
            }
        }
    }

    /// GitPitch's `@[1-3]` after a code block: one stop more.
    pub(super) fn add_stop(&mut self, stops: Vec<Vec<(u32, u32)>>) {
        let Some(highlight) = self.last_highlight() else {
            return;
        };
        // GitPitch shows the whole code first.
        if highlight.stops.is_empty() {
            highlight.stops.push(Vec::new());
        }
        highlight.stops.extend(stops);
        let (length, first) = (highlight.stops.len() as u32 - 1, highlight.first_step);
        match self.pending.get_mut((first as usize).wrapping_sub(1)) {
            Some(pending) if first > 0 => pending.length = length,
            _ => self.highlight_steps(length + 1),
        }
    }

    fn last_highlight(&mut self) -> Option<&mut crate::Highlight> {
        let last = self
            .top()
            .blocks
            .iter_mut()
            .rev()
            .find(|block| !matches!(block.kind, BlockKind::Paragraph(_)));
        match last.map(|block| &mut block.kind) {
            Some(BlockKind::Code { highlight, .. }) => Some(highlight),
            Some(BlockKind::Live(Cell::Apply(apply))) => Some(&mut apply.highlight),
            _ => None,
        }
    }

    /// The task put last in the open container.
    pub(super) fn last_task(&mut self) -> Option<&mut Task> {
        self.top()
            .blocks
            .iter_mut()
            .rev()
            .find_map(|block| match &mut block.kind {
                BlockKind::Live(Cell::Task(task)) => Some(task),
                _ => None,
            })
    }

    // The end

    /// HTML containers that nothing closed: line and tag.
    pub(super) fn left_open(&self) -> Vec<(u32, &'static str)> {
        self.frames
            .iter()
            .filter_map(|frame| Some((frame.line, frame.container.tag()?)))
            .collect()
    }

    /// The blocks, and the fragments with their provisional numbers' meaning.
    pub(super) fn finish(mut self) -> (Vec<Block>, Vec<Pending>) {
        self.end_paragraph();
        while self.frames.len() > 1 {
            self.pop_frame();
        }
        let root = self
            .frames
            .pop()
            .map(|frame| frame.blocks)
            .unwrap_or_default();
        (root, self.pending)
    }
}

/// Each `<div>` is a column; blocks outside of any share one.
fn columns(blocks: Vec<Block>) -> Vec<Vec<Block>> {
    let mut out: Vec<Vec<Block>> = Vec::new();
    let mut loose = false;
    for block in blocks {
        match block.kind {
            BlockKind::Group { blocks, .. } => {
                out.push(blocks);
                loose = false;
            }
            kind => {
                let block = Block { kind, ..block };
                match out.last_mut() {
                    Some(column) if loose => column.push(block),
                    _ => out.push(vec![block]),
                }
                loose = true;
            }
        }
    }
    out
}
