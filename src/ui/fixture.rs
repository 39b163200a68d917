//! A small cluster as plain updates, for tests that draw: three nodes, a Deployment of three, one of its pods going and one coming.

use playground::{
    Chain, ChainStep, Container, ContainerState, Control, Controller, Mark, MarkKind, NodeRow,
    ObjectRef, ObjectRow, Part, PodRow, State, Text, Update,
};

pub(crate) fn updates() -> Vec<Update> {
    let mut out = vec![Update::Reset];
    out.push(Update::Control(Control {
        is_up: true,
        revision: 214,
        requests_per_sec: 12,
        watches: 9,
        scheduler_queue: 0,
        controllers: [
            "Deployment",
            "ReplicaSet",
            "Node",
            "Namespace",
            "GarbageCollector",
        ]
        .iter()
        .map(|name| Controller {
            name: (*name).into(),
        })
        .collect(),
        ..Control::default()
    }));
    for (index, zone) in ["zone-a", "zone-b", "zone-c"].iter().enumerate() {
        out.push(Update::Node(NodeRow {
            name: format!("node-{}", index + 1),
            uid: format!("node-{}", index + 1),
            zone: (*zone).into(),
            ready: Some(true),
            cpu_requested_milli: 800 - 200 * index as u64,
            cpu_allocatable_milli: 2_000,
            memory_requested: 300,
            memory_allocatable: 1_000,
            pods_allocatable: 110,
            ..NodeRow::default()
        }));
    }
    out.push(object(
        "d",
        "Deployment",
        "web",
        &[],
        State::Pending,
        "2 / 3",
    ));
    out.push(object(
        "r",
        "ReplicaSet",
        "web-7c5ddbdf54",
        &["d"],
        State::Pending,
        "2 / 3",
    ));
    out.push(pod("4htzr", "node-1", State::Ready));
    out.push(pod("mw6jc", "node-2", State::Ready));
    out.push(pod("x2k9p", "node-3", State::Terminating));
    out.push(pod("q8v4m", "", State::Pending));
    out.push(Update::Mark(Mark {
        at: 1_000_000,
        kind: MarkKind::Command,
        label: Text::same("kubectl delete pod"),
    }));
    out.push(Update::Chain(Chain {
        id: 1,
        subject: ObjectRef {
            kind: "Pod".into(),
            namespace: "default".into(),
            name: "web-7c5ddbdf54-q8v4m".into(),
        },
        steps: vec![ChainStep {
            at: 2_000_000,
            part: Part::Scheduler,
            says: Text::new("が node-3 を選びます", "picks node-3"),
            raw: "POST pods/web-7c5ddbdf54-q8v4m/binding".into(),
            message: None,
        }],
        is_done: false,
    }));
    out
}

fn object(uid: &str, kind: &str, name: &str, owners: &[&str], state: State, note: &str) -> Update {
    Update::Object(ObjectRow {
        uid: uid.into(),
        kind: kind.into(),
        namespace: "default".into(),
        name: name.into(),
        owners: owners.iter().map(|owner| (*owner).into()).collect(),
        state,
        note: Text::same(note),
        ..ObjectRow::default()
    })
}

fn pod(suffix: &str, node: &str, state: State) -> Update {
    let is_ready = state == State::Ready;
    let (phase, status) = match state {
        State::Ready => ("Running", "Running"),
        State::Terminating => ("Running", "Terminating"),
        _ => ("Pending", "Pending"),
    };
    let Update::Object(mut row) = object(
        suffix,
        "Pod",
        &format!("web-7c5ddbdf54-{suffix}"),
        &["r"],
        state,
        node,
    ) else {
        unreachable!("object() makes an Object");
    };
    row.pod = Some(PodRow {
        node: node.into(),
        phase: phase.into(),
        status: status.into(),
        ready: is_ready,
        containers: vec![Container {
            name: "web".into(),
            image: "nginx:1.27".into(),
            state: if is_ready {
                ContainerState::Running
            } else {
                ContainerState::Waiting
            },
            ready: is_ready,
            ..Container::default()
        }],
        ..PodRow::default()
    });
    Update::Object(row)
}
