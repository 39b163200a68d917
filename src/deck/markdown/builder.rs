//! The tree under construction: open containers, and the open line within the innermost one.

mod fragments;
mod text;

use super::steps::Pending;

use crate::model::{Block, BlockKind, Inline, Item};

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
    /// What follows one of Slidev's `::left::` and `::right::`, up to the next one.
    Slot,
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
            | Container::Slot
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

    /// `::left::` or `::right::`: the next column begins. What stands before the first `::right::` is the
    /// left column, but for the slide's heading.
    pub(super) fn slot(&mut self, line: u32) {
        self.end_paragraph();
        if self
            .frames
            .last()
            .is_some_and(|frame| frame.container == Container::Slot)
        {
            self.pop_frame();
        } else if self.frames.len() == 1 {
            let root = self.top();
            let titled = matches!(
                root.blocks.first(),
                Some(Block {
                    kind: BlockKind::Heading { .. },
                    ..
                })
            );
            let before = root.blocks.split_off(usize::from(titled));
            self.open(Container::Columns, line);
            if let Some(first) = before.first() {
                let line = first.line;
                self.put(Block {
                    step: 0,
                    line,
                    kind: BlockKind::Group {
                        class: String::new(),
                        blocks: before,
                    },
                });
            }
        } else {
            return;
        }
        self.open(Container::Slot, line);
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
            Container::Slot => BlockKind::Group {
                class: String::new(),
                blocks,
            },
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

    /// HTML containers that nothing closed: line and tag.
    pub(super) fn left_open(&self) -> Vec<(u32, &'static str)> {
        // The columns of slots are closed by the slide's end.
        let opened = self
            .frames
            .iter()
            .zip(self.frames.iter().skip(1).map(Some).chain([None]));
        opened
            .filter(|(_, next)| next.is_none_or(|next| next.container != Container::Slot))
            .filter_map(|(frame, _)| Some((frame.line, frame.container.tag()?)))
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
