//! The picture of the cluster, folded from updates.
//!
//! Rows are shared (`Rc`), and so is each collection: a component that is given the same `Rc` as before is not drawn again.

use std::collections::BTreeMap;
use std::rc::Rc;

use playground::{Chain, Control, Mark, MarkKind, NodeRow, ObjectRef, ObjectRow, State, Update};

/// The rows of the cluster's objects by UID.
pub(crate) type Objects = BTreeMap<Rc<str>, Rc<ObjectRow>>;

/// A node with the pods on it, in order of their age.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) node: Rc<NodeRow>,
    pub(crate) pods: Vec<Rc<ObjectRow>>,
}

/// Everything that is shown of the cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct World {
    pub(crate) control: Rc<Control>,
    pub(crate) objects: Rc<Objects>,
    pub(crate) machines: Rc<Vec<Rc<Machine>>>,
    /// Pods without a node.
    pub(crate) waiting: Rc<Vec<Rc<ObjectRow>>>,
    pub(crate) chain: Rc<Chain>,
    pub(crate) marks: Rc<Vec<Mark>>,
    nodes: BTreeMap<Rc<str>, Rc<NodeRow>>,
}

/// Marks kept for the time bar; older ones make room.
const MARKS: usize = 400;

impl World {
    /// Takes a batch of updates in. Terminal, file and message updates are not the world's.
    pub(crate) fn fold(&mut self, updates: &[Update]) {
        let mut are_machines_stale = false;
        for update in updates {
            match update {
                Update::Reset => {
                    let marks = self.marks.clone();
                    *self = World {
                        marks,
                        ..World::default()
                    };
                    are_machines_stale = true;
                }
                Update::Control(control) => self.control = Rc::new(control.clone()),
                Update::Node(node) => {
                    self.nodes
                        .insert(node.name.as_str().into(), Rc::new(node.clone()));
                    are_machines_stale = true;
                }
                Update::NodeGone { name } => {
                    self.nodes.remove(name.as_str());
                    are_machines_stale = true;
                }
                Update::Object(row) => {
                    are_machines_stale |= row.pod.is_some();
                    Rc::make_mut(&mut self.objects)
                        .insert(row.uid.as_str().into(), Rc::new(row.clone()));
                }
                Update::ObjectGone { uid } => {
                    let gone = Rc::make_mut(&mut self.objects).remove(uid.as_str());
                    are_machines_stale |= gone.is_some_and(|row| row.pod.is_some());
                }
                Update::Mark(mark) => self.mark(mark.clone()),
                Update::Chain(chain) => self.chain = Rc::new(chain.clone()),
                Update::Message(_) | Update::Terminal(_) | Update::File(_) | Update::Applied(_) => {
                }
            }
        }
        if are_machines_stale {
            self.place_pods();
        }
    }

    /// The row of an object by its name.
    pub(crate) fn find(&self, object: &ObjectRef) -> Option<&Rc<ObjectRow>> {
        self.objects.values().find(|row| {
            row.name == object.name && row.kind == object.kind && row.namespace == object.namespace
        })
    }

    /// Forgets the marks after a time: another future has begun there.
    pub(crate) fn forget_marks_after(&mut self, at: playground::Micros) {
        Rc::make_mut(&mut self.marks).retain(|mark| mark.at <= at);
    }

    fn mark(&mut self, mark: Mark) {
        let marks = Rc::make_mut(&mut self.marks);
        // After a seek the same moments are told again.
        if marks.contains(&mark) {
            return;
        }
        if marks.len() >= MARKS {
            let first_of_cluster = marks.iter().position(|mark| mark.kind != MarkKind::Command);
            marks.remove(first_of_cluster.unwrap_or(0));
        }
        marks.push(mark);
    }

    fn place_pods(&mut self) {
        let mut by_node: BTreeMap<&str, Vec<Rc<ObjectRow>>> = BTreeMap::new();
        for row in self.objects.values() {
            if let Some(pod) = &row.pod {
                by_node.entry(&pod.node).or_default().push(row.clone());
            }
        }
        for pods in by_node.values_mut() {
            pods.sort_by(|one, other| (one.created, &one.name).cmp(&(other.created, &other.name)));
        }
        let before: BTreeMap<&str, &Rc<Machine>> = self
            .machines
            .iter()
            .map(|machine| (machine.node.name.as_str(), machine))
            .collect();
        let mut machines = Vec::with_capacity(self.nodes.len());
        for node in self.nodes.values() {
            let pods = by_node.remove(node.name.as_str()).unwrap_or_default();
            let machine = Machine {
                node: node.clone(),
                pods,
            };
            // The same machine as before keeps its `Rc`, so that it is not drawn again.
            match before.get(node.name.as_str()) {
                Some(old) if ***old == machine => machines.push(Rc::clone(old)),
                _ => machines.push(Rc::new(machine)),
            }
        }
        machines.sort_by_key(|machine| natural(&machine.node.name));
        let waiting = by_node.remove("").unwrap_or_default();
        if waiting != *self.waiting {
            self.waiting = Rc::new(waiting);
        }
        self.machines = Rc::new(machines);
    }
}

/// Orders `node-2` before `node-10`.
fn natural(name: &str) -> (String, u64, String) {
    let digits = name.len()
        - name
            .trim_end_matches(|letter: char| letter.is_ascii_digit())
            .len();
    let (stem, number) = name.split_at(name.len() - digits);
    (
        String::from(stem),
        number.parse().unwrap_or(0),
        String::from(name),
    )
}

/// The class that gives a state its colour and its outline.
pub(crate) fn state_class(state: State) -> &'static str {
    match state {
        State::Plain => "st-plain",
        State::Running => "st-running",
        State::Ready => "st-ready",
        State::Succeeded => "st-succeeded",
        State::Pending => "st-pending",
        State::Failed => "st-failed",
        State::Terminating => "st-terminating",
        State::Unknown => "st-unknown",
    }
}

/// A virtual time as `00:03:42.180`.
pub(crate) fn clock(at: playground::Micros) -> String {
    let millis = at / 1_000;
    let (hours, minutes, seconds) = (
        millis / 3_600_000,
        millis / 60_000 % 60,
        millis / 1_000 % 60,
    );
    format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}", millis % 1_000)
}

/// An age as kubectl shortens it, to two units at most.
pub(crate) fn age(micros: playground::Micros) -> String {
    let secs = micros / 1_000_000;
    match secs {
        0..120 => format!("{secs}s"),
        120..600 if !secs.is_multiple_of(60) => format!("{}m{}s", secs / 60, secs % 60),
        120..10_800 => format!("{}m", secs / 60),
        10_800..28_800 if !(secs / 60).is_multiple_of(60) => {
            format!("{}h{}m", secs / 3600, secs / 60 % 60)
        }
        10_800..172_800 => format!("{}h", secs / 3600),
        _ => format!("{}d", secs / 86_400),
    }
}
