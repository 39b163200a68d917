//! What one can do to an object, as command lines: clicking teaches typing.

use playground::{Control, Fall, NodeRow, ObjectRef, ObjectRow, Part};

use crate::words::Msg;

/// A deed and the line that does it.
pub(crate) type Doing = (Msg, String);

/// What can be done to an object.
pub(crate) fn of(
    object: &ObjectRef,
    row: Option<&ObjectRow>,
    node: Option<&NodeRow>,
) -> Vec<Doing> {
    let name = &object.name;
    let space = if object.namespace.is_empty() || object.namespace == "default" {
        String::new()
    } else {
        format!(" -n {}", object.namespace)
    };
    let kubectl = |line: String| format!("kubectl {line}{space}");
    let kind = object.kind.to_lowercase();
    let mut out = Vec::new();
    if let Some(node) = node {
        out.push((Msg::Describe, kubectl(format!("describe node {name}"))));
        out.extend(machine(node));
        if node.fall.is_none() {
            out.extend(strain(node));
        }
        return out;
    }
    if row.is_none() {
        return out;
    }
    match object.kind.as_str() {
        "Pod" => {
            out.push((Msg::Describe, kubectl(format!("describe pod {name}"))));
            out.push((Msg::Logs, kubectl(format!("logs {name}"))));
            out.push((Msg::Delete, kubectl(format!("delete pod {name}"))));
            out.push((Msg::KillProcess, format!("kubenkyo kill pod/{name}{space}")));
        }
        "Deployment" | "ReplicaSet" | "StatefulSet" => {
            if let Some(replicas) = row
                .and_then(wanted)
                .filter(|_| row.is_some_and(|row| row.owners.is_empty()))
            {
                out.push((
                    Msg::ScaleUp,
                    kubectl(format!("scale {kind} {name} --replicas={}", replicas + 1)),
                ));
                if replicas > 0 {
                    out.push((
                        Msg::ScaleDown,
                        kubectl(format!("scale {kind} {name} --replicas={}", replicas - 1)),
                    ));
                }
            }
            if object.kind == "Deployment" {
                out.push((
                    Msg::RestartAll,
                    kubectl(format!("rollout restart deployment {name}")),
                ));
                out.push((
                    Msg::History,
                    kubectl(format!("rollout history deployment {name}")),
                ));
            }
            out.push((Msg::Describe, kubectl(format!("describe {kind} {name}"))));
        }
        _ => out.push((Msg::ShowYaml, kubectl(format!("get {kind} {name} -o yaml")))),
    }
    out
}

/// Breaking a machine, or mending it.
pub(crate) fn machine(node: &NodeRow) -> Vec<Doing> {
    let name = &node.name;
    match node.fall {
        Some(Fall::PoweredOff) => vec![(Msg::PowerOn, format!("kubenkyo power-on {name}"))],
        Some(Fall::CutOff) => vec![(Msg::Reconnect, format!("kubenkyo reconnect {name}"))],
        // The control plane cannot be cut off from itself.
        None if name == "control-plane" => {
            vec![(Msg::PowerOff, format!("kubenkyo power-off {name}"))]
        }
        None => vec![
            (Msg::PowerOff, format!("kubenkyo power-off {name}")),
            (Msg::CutItOff, format!("kubenkyo cut-off {name}")),
        ],
    }
}

/// Filling a machine, or freeing it once it complains.
fn strain(node: &NodeRow) -> [Doing; 2] {
    let name = &node.name;
    let is_short = |of: &str| node.pressure.iter().any(|condition| condition == of);
    [
        if is_short("MemoryPressure") {
            (Msg::FreeMemory, format!("kubenkyo free-memory {name}"))
        } else {
            (Msg::FillMemory, format!("kubenkyo fill-memory {name}"))
        },
        if is_short("DiskPressure") {
            (Msg::FreeDisk, format!("kubenkyo free-disk {name}"))
        } else {
            (Msg::FillDisk, format!("kubenkyo fill-disk {name}"))
        },
    ]
}

/// Stopping the parts of the control plane, or starting them again.
pub(crate) fn parts(control: &Control) -> Vec<Doing> {
    let is_paused = |box_name: &str| {
        let of_name = |part: &Part| matches!(part, Part::Controller(name) if name == box_name);
        control.stopped.iter().any(of_name)
    };
    let all_paused = control.controllers.iter().all(|c| is_paused(&c.name));
    let is_stopped = |name: &str| match name {
        "kube-scheduler" => control.stopped.contains(&Part::Scheduler),
        "kube-apiserver" => control.stopped.contains(&Part::ApiServer),
        _ => all_paused,
    };
    let stops = [
        "kube-scheduler",
        "kube-controller-manager",
        "kube-apiserver",
    ];
    let mut out: Vec<Doing> = Vec::new();
    for name in stops {
        out.push(if is_stopped(name) {
            (Msg::StartPart, format!("kubenkyo start {name}"))
        } else {
            (Msg::StopPart, format!("kubenkyo stop {name}"))
        });
    }
    let pauses = [
        ("Deployment", "deployment-controller"),
        ("ReplicaSet", "replicaset-controller"),
    ];
    for (box_name, name) in pauses.into_iter().filter(|_| !all_paused) {
        out.push(if is_paused(box_name) {
            (Msg::ResumeIt, format!("kubenkyo resume {name}"))
        } else {
            (Msg::PauseIt, format!("kubenkyo pause {name}"))
        });
    }
    out
}

/// The wanted replicas, from the row's note: `2 / 3`.
fn wanted(row: &ObjectRow) -> Option<u32> {
    row.note
        .en
        .split(['/', ' '])
        .rfind(|word| !word.is_empty())?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use playground::Text;

    use super::*;

    #[test]
    fn every_deed_is_a_whole_command_line() {
        let object = ObjectRef {
            kind: "Deployment".into(),
            namespace: "shop".into(),
            name: "web".into(),
        };
        let row = ObjectRow {
            note: Text::same("2 / 3"),
            ..ObjectRow::default()
        };
        let lines: Vec<String> = of(&object, Some(&row), None)
            .into_iter()
            .map(|(_, line)| line)
            .collect();
        assert_eq!(
            lines[..2],
            [
                "kubectl scale deployment web --replicas=4 -n shop",
                "kubectl scale deployment web --replicas=2 -n shop"
            ]
        );
        assert!(
            of(&object, None, None).is_empty(),
            "nothing can be done to what is gone"
        );
        let node = NodeRow {
            name: "node-1".into(),
            fall: Some(Fall::CutOff),
            ..NodeRow::default()
        };
        assert_eq!(
            machine(&node),
            [(Msg::Reconnect, "kubenkyo reconnect node-1".into())]
        );
        let full = NodeRow {
            pressure: vec!["MemoryPressure".into()],
            ..NodeRow { fall: None, ..node }
        };
        assert_eq!(
            strain(&full).map(|(_, line)| line),
            ["kubenkyo free-memory node-1", "kubenkyo fill-disk node-1"]
        );
    }

    #[test]
    fn one_paused_controller_is_not_the_whole_manager() {
        let controllers = ["Deployment", "ReplicaSet"].map(|name| playground::Controller {
            name: name.to_owned(),
        });
        let mut control = Control {
            controllers: controllers.to_vec(),
            stopped: vec![Part::Controller("Deployment".to_owned())],
            ..Control::default()
        };
        let lines = |control: &Control| {
            let lines: Vec<String> = parts(control).into_iter().map(|(_, line)| line).collect();
            lines.join(", ")
        };
        assert_eq!(
            lines(&control),
            "kubenkyo stop kube-scheduler, kubenkyo stop kube-controller-manager, kubenkyo stop kube-apiserver, \
             kubenkyo resume deployment-controller, kubenkyo pause replicaset-controller"
        );
        control
            .stopped
            .push(Part::Controller("ReplicaSet".to_owned()));
        assert_eq!(
            lines(&control),
            "kubenkyo stop kube-scheduler, kubenkyo start kube-controller-manager, kubenkyo stop kube-apiserver"
        );
    }
}
