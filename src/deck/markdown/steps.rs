//! Numbers a slide's fragments.
//!
//! While a slide is read every fragment gets a provisional number, in order of appearance from 1. As in
//! reveal.js, those with an explicit index come first, grouped by it, and the others follow in order.

use std::collections::BTreeMap;

use crate::model::{Block, BlockKind, Cell};

/// A provisional fragment: its explicit index, and how many steps it takes (a code block with four stops takes three).
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) index: Option<u32>,
    pub(super) length: u32,
}

/// Replaces provisional numbers by steps; returns how many steps there are.
pub(super) fn number(blocks: &mut [Block], pending: &[Pending]) -> u32 {
    let mut groups: BTreeMap<u32, u32> = BTreeMap::new();
    for fragment in pending {
        if let Some(index) = fragment.index {
            let length = groups.entry(index).or_insert(0);
            *length = (*length).max(fragment.length);
        }
    }
    let mut next = 1;
    let mut first_of_group = BTreeMap::new();
    for (index, length) in groups {
        first_of_group.insert(index, next);
        next += length;
    }
    let steps: Vec<u32> = pending
        .iter()
        .map(|fragment| match fragment.index {
            Some(index) => first_of_group.get(&index).copied().unwrap_or(0),
            None => {
                let here = next;
                next += fragment.length;
                here
            }
        })
        .collect();
    let step_of = |provisional: u32| match provisional {
        0 => 0,
        number => steps.get(number as usize - 1).copied().unwrap_or(0),
    };
    renumber(blocks, &step_of);
    next - 1
}

fn renumber(blocks: &mut [Block], step_of: &impl Fn(u32) -> u32) {
    for block in blocks {
        block.step = step_of(block.step);
        match &mut block.kind {
            BlockKind::List { items, .. } => {
                for item in items {
                    item.step = step_of(item.step);
                    renumber(&mut item.blocks, step_of);
                }
            }
            BlockKind::Columns(columns) => {
                for column in columns {
                    renumber(column, step_of);
                }
            }
            BlockKind::Quote(blocks)
            | BlockKind::Group { blocks, .. }
            | BlockKind::Details { blocks, .. } => {
                renumber(blocks, step_of);
            }
            BlockKind::Code { highlight, .. } => {
                highlight.first_step = step_of(highlight.first_step)
            }
            BlockKind::Live(Cell::Apply(apply)) => {
                apply.highlight.first_step = step_of(apply.highlight.first_step);
            }
            _ => {}
        }
    }
}
