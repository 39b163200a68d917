//! Where the parts of the architecture picture stand, and the lines between them. Numbers only; drawn by `arch`.
//!
//! Placed by hand, in the units of the picture's view box. Two plans: a wide one, and a narrow one for phones.

use crate::flights::Line;

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) w: f64,
    pub(crate) h: f64,
}

impl Rect {
    const fn at(x: f64, y: f64, w: f64, h: f64) -> Rect {
        Rect { x, y, w, h }
    }

    pub(crate) fn mid(self) -> f64 {
        self.x + self.w / 2.0
    }

    fn middle(self) -> f64 {
        self.y + self.h / 2.0
    }

    fn bottom(self) -> f64 {
        self.y + self.h
    }

    fn right(self) -> f64 {
        self.x + self.w
    }

    fn shifted(self, dx: f64) -> Rect {
        Rect {
            x: self.x + dx,
            ..self
        }
    }
}

/// The placed picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// Pixels per unit.
    pub(crate) scale: f64,
    pub(crate) user: Rect,
    pub(crate) plane: Rect,
    pub(crate) etcd: Rect,
    pub(crate) api: Rect,
    pub(crate) scheduler: Rect,
    pub(crate) controllers: Rect,
    pub(crate) cloud: Rect,
    pub(crate) nodes: Vec<Rect>,
    columns: usize,
    is_narrow: bool,
}

const NODE_W: f64 = 190.0;
/// From a box with two rows of named pods to one with a few shapes.
const NODE_HEIGHTS: [f64; 3] = [210.0, 172.0, 146.0];
const GAP: f64 = 14.0;
const WIDE_W: f64 = 644.0;
const NARROW: f64 = 360.0;
/// Below this, letters become hard to read: rather scroll.
const SMALLEST: f64 = 0.82;
/// In a box this low, as in a frame of an article, seeing all of it counts more.
const LOW: f64 = 460.0;
const SMALLEST_LOW: f64 = 0.62;
const LARGEST: f64 = 1.7;

impl Plan {
    /// The plan that shows `nodes` machines largest in a box of `width` x `height` pixels.
    pub(crate) fn fit(nodes: usize, width: f64, height: f64) -> Plan {
        let is_low = height < LOW && width >= WIDE_W * SMALLEST_LOW;
        if width > 0.0 && width < 520.0 && !is_low {
            let mut plan = Plan::narrow(nodes);
            plan.scale = (width / plan.width).clamp(0.7, LARGEST);
            return plan;
        }
        let (width, height) = if width > 0.0 {
            (width, height)
        } else {
            (WIDE_W, 540.0)
        };
        let smallest = if height < LOW { SMALLEST_LOW } else { SMALLEST };
        let scale = |plan: &Plan| (width / plan.width).min(height / plan.height);
        for node_h in NODE_HEIGHTS {
            let mut best: Option<Plan> = None;
            for columns in 3..=nodes.clamp(3, 12) {
                let plan = Plan::wide(nodes, columns, node_h);
                if best
                    .as_ref()
                    .is_none_or(|best| scale(&plan) > scale(best) + 0.001)
                {
                    best = Some(plan);
                }
            }
            if let Some(mut plan) = best.filter(|plan| scale(plan) >= smallest) {
                plan.scale = scale(&plan).min(LARGEST);
                return plan;
            }
        }
        // Not all of it can be seen at once: as many columns as fit, the rest below.
        let columns = ((width / SMALLEST - 40.0 + GAP) / (NODE_W + GAP)) as usize;
        let mut plan = Plan::wide(nodes, columns.clamp(3, 12), NODE_HEIGHTS[0]);
        plan.scale = (width / plan.width).min(1.0);
        plan
    }

    fn wide(nodes: usize, columns: usize, node_h: f64) -> Plan {
        let row = columns as f64 * (NODE_W + GAP) - GAP;
        let width = (row + 46.0).max(WIDE_W);
        let dx = (width - WIDE_W) / 2.0;
        let top = 298.0;
        let pitch = node_h + GAP + 4.0;
        let rows = nodes.div_ceil(columns).max(1);
        let place = |index: usize| {
            let in_row = columns.min(nodes);
            let used = in_row as f64 * (NODE_W + GAP) - GAP;
            let x = (width - used) / 2.0 + (index % columns) as f64 * (NODE_W + GAP);
            Rect::at(x, top + (index / columns) as f64 * pitch, NODE_W, node_h)
        };
        Plan {
            width,
            height: top + rows as f64 * pitch - 8.0,
            scale: 1.0,
            user: Rect::at(272.0, 6.0, 100.0, 24.0).shifted(dx),
            plane: Rect::at(20.0, 42.0, 604.0, 210.0).shifted(dx),
            etcd: Rect::at(40.0, 84.0, 100.0, 48.0).shifted(dx),
            api: Rect::at(250.0, 78.0, 144.0, 94.0).shifted(dx),
            scheduler: Rect::at(484.0, 84.0, 120.0, 48.0).shifted(dx),
            controllers: Rect::at(40.0, 174.0, 252.0, 64.0).shifted(dx),
            cloud: Rect::at(352.0, 174.0, 252.0, 64.0).shifted(dx),
            nodes: (0..nodes).map(place).collect(),
            columns,
            is_narrow: false,
        }
    }

    fn narrow(nodes: usize) -> Plan {
        let width = NARROW;
        let top = 424.0;
        let node_h = NODE_HEIGHTS[0];
        let node_w = 160.0;
        let place = |index: usize| {
            Rect::at(
                16.0 + (index % 2) as f64 * (node_w + 8.0),
                top + (index / 2) as f64 * (node_h + 10.0),
                node_w,
                node_h,
            )
        };
        Plan {
            width,
            height: top + nodes.div_ceil(2).max(1) as f64 * (node_h + 10.0) + 4.0,
            scale: 1.0,
            user: Rect::at(130.0, 8.0, 100.0, 26.0),
            plane: Rect::at(16.0, 48.0, 328.0, 332.0),
            etcd: Rect::at(28.0, 180.0, 100.0, 48.0),
            api: Rect::at(102.0, 84.0, 156.0, 70.0),
            scheduler: Rect::at(212.0, 180.0, 120.0, 48.0),
            controllers: Rect::at(28.0, 244.0, 304.0, 62.0),
            cloud: Rect::at(28.0, 318.0, 304.0, 48.0),
            nodes: (0..nodes).map(place).collect(),
            columns: 2,
            is_narrow: true,
        }
    }

    /// The line from the API server to a part, as a path. `None` for a node that is not there.
    pub(crate) fn line(
        &self,
        line: &Line,
        node_index: impl Fn(&str) -> Option<usize>,
    ) -> Option<String> {
        let api = self.api;
        Some(match line {
            Line::User => format!("M{} {}V{}", api.mid(), api.y, self.user.bottom()),
            Line::Node(name) => self.node_line(node_index(name)?),
            Line::Etcd if self.is_narrow => {
                elbow_down(api.x + 26.0, api.bottom(), self.etcd.mid(), self.etcd.y)
            }
            Line::Scheduler if self.is_narrow => elbow_down(
                api.right() - 26.0,
                api.bottom(),
                self.scheduler.mid(),
                self.scheduler.y,
            ),
            Line::Controllers if self.is_narrow => format!(
                "M{} {}V{}",
                api.mid() - 8.0,
                api.bottom(),
                self.controllers.y
            ),
            Line::Cloud if self.is_narrow => {
                let x = self.scheduler.right() + 6.0;
                format!(
                    "M{} {}H{}Q{x} {} {x} {}V{}H{}",
                    api.right(),
                    api.y + 52.0,
                    x - 8.0,
                    api.y + 52.0,
                    api.y + 60.0,
                    self.cloud.middle(),
                    self.cloud.right()
                )
            }
            Line::Etcd => format!("M{} {}H{}", api.x, self.etcd.middle(), self.etcd.right()),
            Line::Scheduler => format!(
                "M{} {}H{}",
                api.right(),
                self.scheduler.middle(),
                self.scheduler.x
            ),
            Line::Controllers => {
                let (x, y) = (api.x - 60.0, api.y + 68.0);
                format!(
                    "M{} {y}H{}Q{x} {y} {x} {}V{}",
                    api.x,
                    x + 10.0,
                    y + 10.0,
                    self.controllers.y
                )
            }
            Line::Cloud => {
                let (x, y) = (api.right() + 60.0, api.y + 68.0);
                format!(
                    "M{} {y}H{}Q{x} {y} {x} {}V{}",
                    api.right(),
                    x - 10.0,
                    y + 10.0,
                    self.cloud.y
                )
            }
        })
    }

    /// Where a message's label stands: beside the middle of its line.
    pub(crate) fn label(
        &self,
        line: &Line,
        node_index: impl Fn(&str) -> Option<usize>,
    ) -> (f64, f64) {
        let api = self.api;
        let between = |one: Rect, other: Rect| (one.mid() + other.mid()) / 2.0;
        match line {
            Line::User => (self.user.right() + 64.0, self.user.middle()),
            Line::Etcd if self.is_narrow => (self.etcd.mid() - 4.0, self.etcd.y - 16.0),
            Line::Scheduler if self.is_narrow => {
                (self.scheduler.mid() + 10.0, self.scheduler.y - 16.0)
            }
            Line::Etcd => ((self.etcd.right() + api.x) / 2.0, self.etcd.y - 8.0),
            Line::Scheduler => (
                (self.scheduler.x + api.right()) / 2.0,
                self.scheduler.y - 12.0,
            ),
            Line::Controllers => (
                between(self.controllers, api) - if self.is_narrow { 30.0 } else { 10.0 },
                self.controllers.y - 12.0,
            ),
            Line::Cloud => (between(self.cloud, api) + 10.0, self.cloud.y - 12.0),
            Line::Node(name) => node_index(name)
                .and_then(|index| self.nodes.get(index))
                .map_or((api.mid(), api.bottom()), |node| {
                    (node.mid(), node.y - 13.0)
                }),
        }
    }

    fn node_line(&self, index: usize) -> String {
        let api = self.api;
        let node = self.nodes[index];
        if self.is_narrow {
            let x = if index.is_multiple_of(2) {
                7.0
            } else {
                self.width - 7.0
            };
            let (start, bend, end) = if index.is_multiple_of(2) {
                (api.x, x + 8.0, node.x)
            } else {
                (api.right(), x - 8.0, node.right())
            };
            let y = api.y + 20.0;
            return format!(
                "M{start} {y}H{bend}Q{x} {y} {x} {}V{}H{end}",
                y + 8.0,
                node.y + 18.0
            );
        }
        let column = index % self.columns;
        let shown = self.columns.min(self.nodes.len()) as f64;
        let spread = (10.0_f64).min(96.0 / shown);
        let x = api.mid() + (column as f64 - (shown - 1.0) / 2.0) * spread;
        // Outer lines turn higher than inner ones, so that they never cross.
        let from_middle = (column as f64 - (shown - 1.0) / 2.0).abs();
        let bus = self.plane.bottom() + 26.0 - (from_middle * 4.0).min(18.0);
        if index < self.columns {
            return elbow(x, api.bottom(), node.mid(), node.y, bus);
        }
        let gutter = node.x - GAP / 2.0;
        let side = if gutter > x { 1.0 } else { -1.0 };
        let y = node.y + 18.0;
        format!(
            "M{x} {}V{}Q{x} {bus} {} {bus}H{}Q{gutter} {bus} {gutter} {}V{}Q{gutter} {y} {} {y}H{}",
            api.bottom(),
            bus - 10.0,
            x + side * 10.0,
            gutter - side * 10.0,
            bus + 10.0,
            y - 6.0,
            gutter + 6.0,
            node.x
        )
    }
}

/// Down, across at `bus`, down, with rounded corners.
fn elbow(x1: f64, y1: f64, x2: f64, y2: f64, bus: f64) -> String {
    let reach = x2 - x1;
    if reach.abs() < 1.0 {
        return format!("M{x1} {y1}V{y2}");
    }
    let corner = (reach.abs() / 2.0).min(10.0);
    let side = reach.signum();
    format!(
        "M{x1} {y1}V{}Q{x1} {bus} {} {bus}H{}Q{x2} {bus} {x2} {}V{y2}",
        bus - corner,
        x1 + side * corner,
        x2 - side * corner,
        bus + corner
    )
}

fn elbow_down(x1: f64, y1: f64, x2: f64, y2: f64) -> String {
    elbow(x1, y1, x2, y2, (y1 + y2) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_nodes_lies_within_the_picture_and_none_overlaps_another() {
        for (width, height) in [
            (644.0, 500.0),
            (1400.0, 800.0),
            (360.0, 640.0),
            (430.0, 200.0),
            (700.0, 300.0),
            (0.0, 0.0),
            (3000.0, 1500.0),
        ] {
            for nodes in [0, 1, 2, 3, 4, 7, 10, 50] {
                let plan = Plan::fit(nodes, width, height);
                assert_eq!(plan.nodes.len(), nodes);
                for (index, node) in plan.nodes.iter().enumerate() {
                    assert!(
                        node.x >= 0.0 && node.right() <= plan.width && node.bottom() <= plan.height,
                        "{nodes} {width}"
                    );
                    let free = plan.nodes[..index].iter().all(|other| {
                        other.right() <= node.x
                            || node.right() <= other.x
                            || other.bottom() <= node.y
                            || node.bottom() <= other.y
                    });
                    assert!(free, "node {index} of {nodes} overlaps");
                    let line = plan
                        .line(&Line::Node(String::new()), |_| Some(index))
                        .unwrap();
                    assert!(line.starts_with('M') && !line.contains("NaN"));
                }
            }
        }
    }
}
