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
        None => vec![
            (Msg::PowerOff, format!("kubenkyo power-off {name}")),
            (Msg::CutItOff, format!("kubenkyo cut-off {name}")),
        ],
    }
}

/// Stopping the parts of the control plane, or starting them again.
pub(crate) fn parts(control: &Control) -> Vec<Doing> {
    let is_stopped = |name: &str| {
        control.stopped.iter().any(|part| match part {
            Part::Scheduler => name == "kube-scheduler",
            Part::ApiServer => name == "kube-apiserver",
            Part::Controller(_) => name == "kube-controller-manager",
            _ => false,
        })
    };
    [
        "kube-scheduler",
        "kube-controller-manager",
        "kube-apiserver",
    ]
    .into_iter()
    .map(|name| {
        if is_stopped(name) {
            (Msg::StartPart, format!("kubenkyo start {name}"))
        } else {
            (Msg::StopPart, format!("kubenkyo stop {name}"))
        }
    })
    .collect()
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
    }
}
