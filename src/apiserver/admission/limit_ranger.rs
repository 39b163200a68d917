//! `LimitRanger`: containers get the namespace's defaults, and must stay within its bounds.

use api::quantity::Quantity;
use api::{Map, Status, Str, Value};

use super::Operation;
use crate::ApiServer;
use crate::call::Call;
use crate::kinds::fill::{edit, edit_each, edit_made};

impl ApiServer {
    /// Fills in requests and limits that containers leave out.
    pub(crate) fn admit_limits(&self, call: &Call, pod: &mut Value) {
        let (mut requests, mut limits) = (Map::default(), Map::default());
        for range in self.objects("limitranges", &call.namespace) {
            for item in range.path("spec.limits").items() {
                if item.str("type") == "Container" {
                    merge(&mut requests, item.get("defaultRequest"));
                    merge(&mut limits, item.get("default"));
                }
            }
        }
        if requests.is_empty() && limits.is_empty() {
            return;
        }
        let mut set: Vec<String> = Vec::new();
        edit(pod, "spec", |spec| {
            for (list, word) in [
                ("containers", "container"),
                ("initContainers", "init container"),
            ] {
                for container in spec.get(list).items() {
                    let resources = container.get("resources");
                    for (field, defaults) in [("requests", &requests), ("limits", &limits)] {
                        let missing: Vec<&str> = defaults
                            .keys()
                            .filter(|name| !resources.get(field).has(name))
                            .map(Str::as_str)
                            .collect();
                        if !missing.is_empty() {
                            let what = field.trim_end_matches('s');
                            set.push(format!(
                                "{} {what} for {word} {}",
                                missing.join(", "),
                                container.str("name")
                            ));
                        }
                    }
                }
                edit_each(spec, list, |container| {
                    edit_made(container, "resources", |resources| {
                        for (field, defaults) in [("requests", &requests), ("limits", &limits)] {
                            let given = resources.get(field);
                            let missing: Vec<(Str, Value)> = defaults
                                .iter()
                                .filter(|(name, _)| !given.has(name))
                                .map(|(name, amount)| (name.clone(), amount.clone()))
                                .collect();
                            for (name, amount) in missing {
                                resources.entry(field).set(name, amount);
                            }
                        }
                    });
                });
            }
        });
        if !set.is_empty() {
            let note = format!("LimitRanger plugin set: {}", set.join("; "));
            pod.entry("metadata")
                .entry("annotations")
                .set("kubernetes.io/limit-ranger", note);
        }
    }

    /// Refuses what is outside the bounds.
    pub(crate) fn check_limits(
        &self,
        call: &Call,
        operation: Operation,
        object: &Value,
    ) -> Result<(), Status> {
        if operation == Operation::Delete || !call.subresource.is_empty() {
            return Ok(());
        }
        let mut problems: Vec<String> = Vec::new();
        for range in self.objects("limitranges", &call.namespace) {
            for item in range.path("spec.limits").items() {
                match (item.str("type"), call.kind.plural.as_str()) {
                    ("Container", "pods") if operation == Operation::Create => {
                        for list in ["containers", "initContainers"] {
                            for container in object.get("spec").get(list).items() {
                                check(item, container.get("resources"), "Container", &mut problems);
                            }
                        }
                    }
                    ("Pod", "pods") if operation == Operation::Create => {
                        check(item, &of_pod(object), "Pod", &mut problems);
                    }
                    ("PersistentVolumeClaim", "persistentvolumeclaims") => {
                        check(
                            item,
                            object.path("spec.resources"),
                            "PersistentVolumeClaim",
                            &mut problems,
                        );
                    }
                    _ => {}
                }
            }
        }
        match &problems[..] {
            [] => Ok(()),
            [one] => Err(super::forbidden(call, one)),
            many => Err(super::forbidden(call, &format!("[{}]", many.join(", ")))),
        }
    }
}

fn merge(into: &mut Map, from: &Value) {
    for (name, amount) in from.entries().iter() {
        into.insert(name.clone(), amount.clone());
    }
}

/// The sums of all containers.
fn of_pod(pod: &Value) -> Value {
    let mut sums = api::map! {};
    for container in pod.path("spec.containers").items() {
        for field in ["requests", "limits"] {
            for (name, amount) in container.get("resources").get(field).entries().iter() {
                let sum = Quantity::of(sums.get(field).get(name)) + Quantity::of(amount);
                sums.entry(field).set(name.clone(), sum.to_string());
            }
        }
    }
    sums
}

fn check(item: &Value, resources: &Value, kind: &str, out: &mut Vec<String>) {
    let amount = |field: &str, name: &Str| resources.get(field).get(name).clone();
    for (name, least) in item.get("min").entries().iter() {
        let (request, limit) = (amount("requests", name), amount("limits", name));
        let shown = text(least);
        if request.is_null() {
            out.push(format!(
                "minimum {name} usage per {kind} is {shown}.  No request is specified"
            ));
        } else if Quantity::of(&request) < Quantity::of(least) {
            out.push(format!(
                "minimum {name} usage per {kind} is {shown}, but request is {}",
                text(&request)
            ));
        } else if !limit.is_null() && Quantity::of(&limit) < Quantity::of(least) {
            out.push(format!(
                "minimum {name} usage per {kind} is {shown}, but limit is {}",
                text(&limit)
            ));
        }
    }
    for (name, most) in item.get("max").entries().iter() {
        let (request, limit) = (amount("requests", name), amount("limits", name));
        let shown = text(most);
        // Claims have requests only.
        let bound = if kind == "PersistentVolumeClaim" {
            request.clone()
        } else {
            limit
        };
        if bound.is_null() {
            out.push(format!(
                "maximum {name} usage per {kind} is {shown}.  No limit is specified"
            ));
        } else if Quantity::of(&bound) > Quantity::of(most) {
            let word = if kind == "PersistentVolumeClaim" {
                "request"
            } else {
                "limit"
            };
            out.push(format!(
                "maximum {name} usage per {kind} is {shown}, but {word} is {}",
                text(&bound)
            ));
        } else if !request.is_null() && Quantity::of(&request) > Quantity::of(most) {
            out.push(format!(
                "maximum {name} usage per {kind} is {shown}, but request is {}",
                text(&request)
            ));
        }
    }
    for (name, ratio) in item.get("maxLimitRequestRatio").entries().iter() {
        let (request, limit) = (amount("requests", name), amount("limits", name));
        let (request, limit) = (Quantity::of(&request), Quantity::of(&limit));
        if request.is_zero() || limit.is_zero() {
            out.push(format!("{name} max limit to request ratio per {kind} is {}, but no request is specified or request is 0", text(ratio)));
            continue;
        }
        let found = limit.millis() as f64 / request.millis() as f64;
        if found * 1000.0 > Quantity::of(ratio).millis() as f64 {
            out.push(format!("{name} max limit to request ratio per {kind} is {}, but provided ratio is {found:.6}", text(ratio)));
        }
    }
}

fn text(amount: &Value) -> String {
    amount
        .as_str()
        .map_or_else(|| amount.to_json(), str::to_owned)
}
