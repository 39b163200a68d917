//! `scale`: the number of replicas of a workload, as `autoscaling/v1 Scale`.

use api::{Body, Request, Response, Status, Str, Value, Verb, map};

use crate::ApiServer;
use crate::call::Call;
use crate::path::Path;
use crate::write::check_version;

impl ApiServer {
    pub(crate) fn scale(&mut self, call: &mut Call, request: &Request) -> Result<Response, Status> {
        let old = self.current(call).ok_or_else(|| call.not_found())?;
        let paths = self.scale_paths(call);
        let before = scale_of(&old, paths.as_ref());
        let after = match (&request.body, request.verb) {
            (_, Verb::Get) => return Ok(Response::ok(before)),
            (Body::Object(scale), _) => scale.clone(),
            (Body::Patch(kind, patch), _) => {
                crate::patch::apply_patch(call, *kind, &before, patch)?
            }
            (Body::None | Body::Raw(..) | Body::Unreadable(_), _) => {
                return Err(Status::bad_request("a scale has a body"));
            }
        };
        check_version(call, &after, &old)?;
        let replicas = after.path("spec.replicas").as_int().unwrap_or(0);
        if replicas < 0 {
            let spec = Path::new("spec");
            let problem = spec
                .child("replicas")
                .invalid(replicas, "must be greater than or equal to 0");
            return Err(Status::invalid(
                "autoscaling",
                "Scale",
                &call.name,
                &[problem],
            ));
        }
        let mut object = old.clone();
        match &paths {
            Some(paths) => set_at(&mut object, paths.str("specReplicasPath"), replicas),
            None => object.set_path("spec.replicas", replicas),
        }
        let object = self.replace(call, object, &old)?;
        Ok(Response::ok(scale_of(&object, paths.as_ref())))
    }
}

/// Sets what a simple JSONPath (`.spec.replicas`) names.
fn set_at(object: &mut Value, path: &str, number: i64) {
    let place = path
        .split('.')
        .filter(|key| !key.is_empty())
        .fold(object, |at, key| at.entry(Str::new(key)));
    *place = number.into();
}

/// The scale of a workload; `paths` where a custom resource keeps its numbers.
fn scale_of(object: &Value, paths: Option<&Value>) -> Value {
    let find = |field: &str, default: &str| {
        let path = paths.map_or(default, |paths| paths.str(field));
        crate::structural::follow(object, path).clone()
    };
    let meta = object.get("metadata");
    let mut scale_meta = map! {};
    for field in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
    ] {
        scale_meta.set(field, meta.get(field));
    }
    let mut status =
        map! { "replicas": find("statusReplicasPath", ".status.replicas").as_int().unwrap_or(0) };
    let selector = match paths {
        Some(_) => find("labelSelectorPath", "")
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        None => selector_text(object.path("spec.selector")),
    };
    if !selector.is_empty() {
        status.set("selector", selector);
    }
    let replicas = find("specReplicasPath", ".spec.replicas")
        .as_int()
        .unwrap_or(0);
    let spec = if replicas == 0 {
        map! {}
    } else {
        map! { "replicas": replicas }
    };
    map! { "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": scale_meta, "spec": spec, "status": status }
}

/// A selector as text; plain maps (replication controllers) and label selectors.
pub(crate) fn selector_text(selector: &Value) -> String {
    let labels = if selector.has("matchLabels") || selector.has("matchExpressions") {
        selector.get("matchLabels")
    } else {
        selector
    };
    let mut terms: Vec<(String, String)> = labels
        .entries()
        .iter()
        .map(|(key, value)| {
            (
                key.to_string(),
                format!("{key}={}", value.as_str().unwrap_or_default()),
            )
        })
        .collect();
    for term in selector.get("matchExpressions").items() {
        let key = term.str("key");
        let mut values: Vec<&str> = term
            .get("values")
            .items()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        values.sort_unstable();
        let values = values.join(",");
        let text = match term.str("operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        terms.push((key.to_owned(), text));
    }
    terms.sort();
    let texts: Vec<String> = terms.into_iter().map(|(_, text)| text).collect();
    texts.join(",")
}
