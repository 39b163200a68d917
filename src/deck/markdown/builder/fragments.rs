//! What appears step by step, while it is being read.

use super::{Builder, Container};
use crate::Task;
use crate::markdown::steps::Pending;
use crate::model::{BlockKind, Cell};

impl Builder {
    /// `<!-- .element: class="fragment" -->`: dresses what it stands behind.
    pub(in crate::markdown) fn fragment(&mut self, index: Option<u32>, block: bool) {
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
    pub(in crate::markdown) fn highlight_steps(&mut self, stops: u32) {
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
    pub(in crate::markdown) fn add_stop(&mut self, stops: Vec<Vec<(u32, u32)>>) {
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

    pub(super) fn last_highlight(&mut self) -> Option<&mut crate::Highlight> {
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
    pub(in crate::markdown) fn last_task(&mut self) -> Option<&mut Task> {
        self.top()
            .blocks
            .iter_mut()
            .rev()
            .find_map(|block| match &mut block.kind {
                BlockKind::Live(Cell::Task(task)) => Some(task),
                _ => None,
            })
    }
}
