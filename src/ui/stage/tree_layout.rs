//! A tidy layout of the resource tree: five categories beneath each other, owners left of what they own, parents level with the middle of
//! their children. Numbers only; drawn by `tree`.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use playground::ObjectRow;

use crate::words::Msg;
use crate::world::Objects;

/// A category of the deck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Category {
    Discovery,
    Workloads,
    Config,
    Cluster,
    Metadata,
}

impl Category {
    /// Of a kind of the deck; kinds that it does not name are custom resources or objects of the cluster's own.
    pub(crate) fn of(kind: &str) -> Category {
        match kind {
            "Service" | "Endpoints" | "EndpointSlice" | "Ingress" | "IngressClass" => {
                Category::Discovery
            }
            "Pod"
            | "ReplicaSet"
            | "Deployment"
            | "DaemonSet"
            | "StatefulSet"
            | "Job"
            | "CronJob"
            | "ReplicationController"
            | "ControllerRevision" => Category::Workloads,
            "ConfigMap" | "Secret" | "PersistentVolumeClaim" => Category::Config,
            "HorizontalPodAutoscaler"
            | "PodDisruptionBudget"
            | "LimitRange"
            | "CustomResourceDefinition" => Category::Metadata,
            _ => Category::Cluster,
        }
    }

    pub(crate) fn title(self) -> Msg {
        match self {
            Category::Discovery => Msg::CatDiscovery,
            Category::Workloads => Msg::CatWorkloads,
            Category::Config => Msg::CatConfig,
            Category::Cluster => Msg::CatCluster,
            Category::Metadata => Msg::CatMetadata,
        }
    }
}

/// A placed object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Card {
    pub(crate) row: Rc<ObjectRow>,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) level: usize,
    /// Children that are not shown.
    pub(crate) hidden: usize,
    /// Whether all children are shown although they are many.
    pub(crate) is_spread: bool,
}

/// A line between two cards, by their indices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Link {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// A reference rather than ownership.
    pub(crate) is_reference: bool,
}

/// The whole layout.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Layout {
    pub(crate) cards: Vec<Card>,
    pub(crate) links: Vec<Link>,
    /// Title, left, top and width.
    pub(crate) titles: Vec<(Category, f64, f64, f64)>,
    /// Where "n more" stands: left, top, the parent's UID and how many.
    pub(crate) more: Vec<(f64, f64, Rc<str>, usize)>,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) card_width: f64,
}

pub(crate) const CARD_H: f64 = 46.0;
const ROW: f64 = 56.0;
/// Children shown before the rest is a number.
const FEW: usize = 8;

/// Lays the objects out for a box `width` pixels wide. `spread` holds the UIDs whose children are all shown.
pub(crate) fn lay_out(
    objects: &Objects,
    width: f64,
    shows_system: bool,
    spread: &BTreeSet<Rc<str>>,
) -> Layout {
    let shown: BTreeMap<&str, &Rc<ObjectRow>> = objects
        .iter()
        .filter(|(_, row)| shows_system || !row.is_system)
        .map(|(uid, row)| (&**uid, row))
        .collect();
    let by_name: BTreeMap<(&str, &str, &str), &str> = shown
        .iter()
        .map(|(uid, row)| {
            (
                (row.kind.as_str(), row.namespace.as_str(), row.name.as_str()),
                *uid,
            )
        })
        .collect();
    let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut parent: BTreeMap<&str, &str> = BTreeMap::new();
    for (uid, row) in &shown {
        if let Some(owner) = row
            .owners
            .iter()
            .find(|owner| shown.contains_key(owner.as_str()))
        {
            parent.insert(uid, owner);
        }
    }
    // A reference draws like ownership where its target has no owner: HPA → Deployment, Ingress → Service, PVC → PV.
    for (uid, row) in &shown {
        for relation in &row.relations {
            let to = (
                relation.to.kind.as_str(),
                relation.to.namespace.as_str(),
                relation.to.name.as_str(),
            );
            let Some(target) = by_name.get(&to) else {
                continue;
            };
            let is_near = Category::of(&row.kind) == Category::of(shown[target].kind.as_str())
                || relation.verb == "scales";
            if is_near
                && target != uid
                && !parent.contains_key(target)
                && !reaches(&parent, uid, target)
            {
                parent.insert(target, uid);
            }
        }
    }
    for (uid, parent) in &parent {
        children.entry(parent).or_default().push(uid);
    }
    for list in children.values_mut() {
        list.sort_by_key(|uid| (shown[uid].created, shown[uid].name.as_str()));
    }
    let mut roots: Vec<&str> = shown
        .keys()
        .copied()
        .filter(|uid| !parent.contains_key(uid))
        .collect();
    let section = |uid: &str| -> Category {
        // An HPA stands with what it scales.
        let mut kind = shown[uid].kind.as_str();
        if let Some(first) = children.get(uid).and_then(|list| list.first()) {
            let child = Category::of(&shown[first].kind);
            if child == Category::Workloads {
                kind = shown[first].kind.as_str();
            }
        }
        Category::of(kind)
    };
    roots.sort_by_key(|uid| {
        (
            section(uid),
            shown[uid].kind.as_str() == "Pod",
            shown[uid].namespace.as_str(),
            shown[uid].created,
            shown[uid].name.as_str(),
        )
    });

    let depth = |root: &str| deepest(root, &children);
    let columns = roots
        .iter()
        .map(|root| depth(root))
        .max()
        .unwrap_or(1)
        .max(2);
    let pad = if width < 720.0 { 16.0 } else { 28.0 };
    let room = (width - 2.0 * pad).max(300.0);
    let gap = (room / columns as f64 * 0.2).clamp(18.0, 48.0);
    let card = ((room - gap * (columns as f64 - 1.0)) / columns as f64).clamp(126.0, 208.0);
    let mut layout = Layout {
        card_width: card,
        ..Layout::default()
    };
    let step = card + gap;
    let mut place = Place {
        layout: &mut layout,
        shown: &shown,
        children: &children,
        spread,
        step,
        pad,
    };
    let mut y = 20.0;
    for category in [
        Category::Discovery,
        Category::Workloads,
        Category::Config,
        Category::Cluster,
        Category::Metadata,
    ] {
        let mine: Vec<&str> = roots
            .iter()
            .copied()
            .filter(|uid| section(uid) == category)
            .collect();
        if mine.is_empty() {
            continue;
        }
        place
            .layout
            .titles
            .push((category, pad, y, room.max(step * columns as f64 - gap)));
        y += 34.0;
        // Single objects stand side by side, trees beneath each other.
        let (trees, singles): (Vec<&str>, Vec<&str>) =
            mine.into_iter().partition(|uid| children.contains_key(uid));
        for root in trees {
            let bottom = place.subtree(root, 0, y);
            y = bottom
                + if children.get(root).is_some_and(|list| list.len() > 1) {
                    12.0
                } else {
                    4.0
                };
        }
        let per_row = (((room + gap) / step) as usize).max(1);
        for (index, uid) in singles.iter().enumerate() {
            place.card(
                uid,
                pad + (index % per_row) as f64 * step,
                y + (index / per_row) as f64 * ROW,
                0,
            );
        }
        y += singles.len().div_ceil(per_row) as f64 * ROW + 16.0;
    }
    let index: BTreeMap<Rc<str>, usize> = layout
        .cards
        .iter()
        .enumerate()
        .map(|(index, card)| (Rc::from(card.row.uid.as_str()), index))
        .collect();
    for (child, owner) in &parent {
        if let (Some(from), Some(to)) = (index.get(*owner), index.get(*child)) {
            layout.links.push(Link {
                from: *from,
                to: *to,
                is_reference: false,
            });
        }
    }
    for (uid, row) in &shown {
        for relation in &row.relations {
            let to = (
                relation.to.kind.as_str(),
                relation.to.namespace.as_str(),
                relation.to.name.as_str(),
            );
            let Some(target) = by_name
                .get(&to)
                .filter(|target| parent.get(**target) != Some(uid))
            else {
                continue;
            };
            if let (Some(from), Some(to)) = (index.get(*uid), index.get(*target)) {
                layout.links.push(Link {
                    from: *from,
                    to: *to,
                    is_reference: true,
                });
            }
        }
    }
    let right = layout
        .cards
        .iter()
        .map(|card| card.x + layout.card_width)
        .fold(0.0, f64::max);
    layout.width = (right + pad).max(width);
    layout.height = y + 12.0;
    layout
}

/// Whether following parents from `from` comes to `to`.
fn reaches(parent: &BTreeMap<&str, &str>, from: &str, to: &str) -> bool {
    let mut at = from;
    for _ in 0..16 {
        match parent.get(at) {
            Some(next) if *next == to => return true,
            Some(next) => at = next,
            None => return false,
        }
    }
    true
}

fn deepest(root: &str, children: &BTreeMap<&str, Vec<&str>>) -> usize {
    fn walk(at: &str, children: &BTreeMap<&str, Vec<&str>>, left: usize) -> usize {
        if left == 0 {
            return 0;
        }
        1 + children
            .get(at)
            .into_iter()
            .flatten()
            .map(|child| walk(child, children, left - 1))
            .max()
            .unwrap_or(0)
    }
    walk(root, children, 8)
}

struct Place<'a> {
    layout: &'a mut Layout,
    shown: &'a BTreeMap<&'a str, &'a Rc<ObjectRow>>,
    children: &'a BTreeMap<&'a str, Vec<&'a str>>,
    spread: &'a BTreeSet<Rc<str>>,
    step: f64,
    pad: f64,
}

impl Place<'_> {
    /// Places a tree whose top is at `y`; answers where its bottom is.
    fn subtree(&mut self, uid: &str, level: usize, y: f64) -> f64 {
        let x = self.pad + level as f64 * self.step;
        let children = self.children.get(uid).map_or(&[][..], Vec::as_slice);
        if children.is_empty() || level >= 7 {
            self.card(uid, x, y, level);
            return y + ROW;
        }
        let is_spread = self.spread.contains(uid);
        let most = if is_spread || children.len() <= FEW + 1 {
            children.len()
        } else {
            FEW
        };
        let index = self.card(uid, x, y, level);
        let mut bottom = y;
        let mut first = None;
        let mut last = y;
        for child in &children[..most] {
            let at = self.layout.cards.len();
            bottom = self.subtree(child, level + 1, bottom);
            last = self.layout.cards[at].y;
            first.get_or_insert(last);
        }
        let hidden = children.len() - most;
        if hidden > 0 || (is_spread && children.len() > FEW + 1) {
            self.layout
                .more
                .push((x + self.step, bottom, Rc::from(uid), hidden));
            bottom += 40.0;
        }
        let card = &mut self.layout.cards[index];
        card.y = (first.unwrap_or(y) + last) / 2.0;
        card.hidden = hidden;
        card.is_spread = is_spread;
        bottom
    }

    fn card(&mut self, uid: &str, x: f64, y: f64, level: usize) -> usize {
        self.layout.cards.push(Card {
            row: Rc::clone(self.shown[uid]),
            x,
            y,
            level,
            hidden: 0,
            is_spread: false,
        });
        self.layout.cards.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use playground::{ObjectRef, Relation};

    use super::*;

    fn row(uid: &str, kind: &str, owners: &[&str]) -> (Rc<str>, Rc<ObjectRow>) {
        let row = ObjectRow {
            uid: uid.into(),
            kind: kind.into(),
            namespace: "default".into(),
            name: uid.into(),
            owners: owners.iter().map(|owner| String::from(*owner)).collect(),
            ..ObjectRow::default()
        };
        (uid.into(), Rc::new(row))
    }

    #[test]
    fn a_parent_stands_level_with_the_middle_of_its_children_and_no_card_covers_another() {
        let mut objects = Objects::from([
            row("web", "Deployment", &[]),
            row("rs", "ReplicaSet", &["web"]),
            row("conf", "ConfigMap", &[]),
        ]);
        objects.extend((0..30).map(|index| row(&format!("pod-{index:02}"), "Pod", &["rs"])));
        let layout = lay_out(&objects, 640.0, false, &BTreeSet::new());
        assert_eq!(layout.more[0].3, 22, "eight of thirty are shown");
        for (index, card) in layout.cards.iter().enumerate() {
            for other in &layout.cards[..index] {
                let apart = (card.x - other.x).abs() >= layout.card_width
                    || (card.y - other.y).abs() >= CARD_H;
                assert!(apart, "{} covers {}", card.row.name, other.row.name);
            }
        }
        let y = |name: &str| {
            layout
                .cards
                .iter()
                .find(|card| card.row.name == name)
                .unwrap()
                .y
        };
        assert_eq!(y("rs"), (y("pod-00") + y("pod-07")) / 2.0);
        assert_eq!(layout.links.len(), 1 + 8);
    }

    #[test]
    fn a_circle_of_references_is_still_laid_out() {
        let relation = |to: &str| Relation {
            verb: "scales".into(),
            to: ObjectRef {
                kind: "Service".into(),
                namespace: "default".into(),
                name: to.into(),
            },
        };
        let mut objects = Objects::from([row("a", "Service", &[]), row("b", "Service", &[])]);
        for (uid, to) in [("a", "b"), ("b", "a")] {
            let mut changed = (*objects[uid]).clone();
            changed.relations.push(relation(to));
            objects.insert(uid.into(), Rc::new(changed));
        }
        assert_eq!(
            lay_out(&objects, 640.0, false, &BTreeSet::new())
                .cards
                .len(),
            2
        );
    }
}
