//! log, exec, attach, portforward: the API server only finds the node whose kubelet answers.
//!
//! Models `registry/core/pod/strategy.go` (`LogLocation`, `streamLocation`).

use api::{Status, Str, Value};

use crate::call::Call;
use crate::path::Path;
use crate::read::query;
use crate::{ApiServer, Reply};

impl ApiServer {
    pub(crate) fn stream(&mut self, call: &mut Call) -> Result<Reply, Status> {
        if call.subresource == *"log" {
            check_log_options(call)?;
        }
        let pod = self.current(call).ok_or_else(|| call.not_found())?;
        if call.subresource != *"portforward" {
            check_container(call, &pod)?;
        }
        let node: Str = pod.get("spec").shared_str("nodeName");
        if node.is_empty() {
            // Not scheduled yet: an empty log, and nothing to attach to.
            if call.subresource == *"log" {
                return Ok(Reply::Done(api::Response::ok(Value::from(""))));
            }
            return Err(Status::bad_request(format!(
                "pod {} does not have a host assigned",
                call.name
            )));
        }
        Ok(Reply::Proxy { node })
    }
}

fn check_log_options(call: &Call) -> Result<(), Status> {
    let mut problems = Vec::new();
    for (name, least) in [("tailLines", 0), ("limitBytes", 1), ("sinceSeconds", 1)] {
        let number: Option<i64> = query(call.options, name).and_then(|text| text.parse().ok());
        if let Some(number) = number.filter(|n| *n < least) {
            let detail = if least == 0 {
                "must be greater than or equal to 0"
            } else {
                "must be greater than 0"
            };
            problems.push(Path::new(name).invalid(number, detail));
        }
    }
    if query(call.options, "sinceSeconds").is_some() && query(call.options, "sinceTime").is_some() {
        problems.push(
            Path::ROOT.forbidden("at most one of `sinceTime` or `sinceSeconds` may be specified"),
        );
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Status::invalid("", "PodLogOptions", &call.name, &problems))
}

fn check_container(call: &Call, pod: &Value) -> Result<(), Status> {
    let spec = pod.get("spec");
    let names = |list: &str| -> Vec<&str> {
        spec.get(list)
            .items()
            .iter()
            .map(|c| c.str("name"))
            .collect()
    };
    let (containers, inits, ephemeral) = (
        names("containers"),
        names("initContainers"),
        names("ephemeralContainers"),
    );
    let wanted = query(call.options, "container")
        .map(Str::as_str)
        .unwrap_or_default();
    let pod_name = call.name.as_str();
    if wanted.is_empty() {
        if containers.len() == 1 {
            return Ok(());
        }
        let mut message = format!(
            "a container name must be specified for pod {pod_name}, choose one of: [{}]",
            containers.join(" ")
        );
        if !inits.is_empty() {
            message += &format!(" or one of the init containers: [{}]", inits.join(" "));
        }
        if !ephemeral.is_empty() {
            message += &format!(
                " or one of the ephemeral containers: [{}]",
                ephemeral.join(" ")
            );
        }
        return Err(Status::bad_request(message));
    }
    let is_there = [containers, inits, ephemeral]
        .iter()
        .any(|names| names.contains(&wanted));
    if is_there {
        return Ok(());
    }
    Err(Status::bad_request(format!(
        "container {wanted} is not valid for pod {pod_name}"
    )))
}
