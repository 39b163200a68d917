//! The variables of a container.

use api::Value;

use super::super::Text;
use super::plain;

pub(super) fn environment(text: &mut Text, container: &Value, pod: Option<&Value>) {
    let sources = container.get("envFrom").items();
    if !sources.is_empty() {
        text.line(2, "Environment Variables from:");
        for source in sources {
            let (kind, reference) = if source.has("configMapRef") {
                ("ConfigMap", source.get("configMapRef"))
            } else {
                ("Secret", source.get("secretRef"))
            };
            let prefix = match source.str("prefix") {
                "" => String::new(),
                prefix => format!(" with prefix '{prefix}'"),
            };
            text.line(
                3,
                format!(
                    "{}\t{kind}{prefix}\tOptional: {}",
                    reference.str("name"),
                    reference.bool("optional")
                ),
            );
        }
    }
    let variables = container.get("env").items();
    if variables.is_empty() {
        text.line(2, "Environment:\t<none>");
        return;
    }
    text.line(2, "Environment:");
    for variable in variables {
        let (name, from) = (variable.str("name"), variable.get("valueFrom"));
        if from.is_null() {
            for (at, line) in variable.str("value").split('\n').enumerate() {
                text.line(
                    3,
                    if at == 0 {
                        format!("{name}:\t{line}")
                    } else {
                        format!("\t{line}")
                    },
                );
            }
        } else if from.has("fieldRef") {
            let field = from.get("fieldRef");
            let path = field.str("fieldPath");
            let value = pod.map(|pod| field_value(pod, path)).unwrap_or_default();
            text.line(
                3,
                format!("{name}:\t{value} ({}:{path})", field.str("apiVersion")),
            );
        } else if from.has("resourceFieldRef") {
            let field = from.get("resourceFieldRef");
            text.line(
                3,
                format!(
                    "{name}:\t{} ({})",
                    resource_value(container, field),
                    field.str("resource")
                ),
            );
        } else if from.has("secretKeyRef") {
            let key = from.get("secretKeyRef");
            text.line(
                3,
                format!(
                    "{name}:\t<set to the key '{}' in secret '{}'>\tOptional: {}",
                    key.str("key"),
                    key.str("name"),
                    key.bool("optional")
                ),
            );
        } else if from.has("configMapKeyRef") {
            let key = from.get("configMapKeyRef");
            text.line(
                3,
                format!(
                    "{name}:\t<set to the key '{}' of config map '{}'>\tOptional: {}",
                    key.str("key"),
                    key.str("name"),
                    key.bool("optional")
                ),
            );
        } else if from.has("fileKeyRef") {
            let key = from.get("fileKeyRef");
            text.line(
                3,
                format!(
                    "{name}:\t<set to the key '{}' in volume '{}'>\tOptional: {}",
                    key.str("key"),
                    key.str("volumeName"),
                    key.bool("optional")
                ),
            );
        }
    }
}

/// What kubectl can resolve by itself: names, labels, annotations.
fn field_value(pod: &Value, path: &str) -> String {
    if let Some((map, key)) = path.split_once("['") {
        return pod
            .path(map)
            .get(key.trim_end_matches("']"))
            .as_str()
            .unwrap_or_default()
            .to_owned();
    }
    match path {
        "metadata.name" | "metadata.namespace" | "metadata.uid" => {
            pod.path(path).as_str().unwrap_or_default().to_owned()
        }
        "metadata.labels" | "metadata.annotations" => {
            let pairs: Vec<String> = pod
                .path(path)
                .entries()
                .iter()
                .map(|(k, v)| format!("{k}={:?}", v.as_str().unwrap_or_default()))
                .collect();
            pairs.join("\n")
        }
        _ => String::new(),
    }
}

fn resource_value(container: &Value, field: &Value) -> String {
    let (kind, resource) = field.str("resource").split_once('.').unwrap_or(("", ""));
    let amount = container.get("resources").get(kind).get(resource);
    let Ok(quantity) = api::quantity::Quantity::parse(&plain(amount)) else {
        return "0".to_owned();
    };
    let divisor = api::quantity::Quantity::parse(&plain(field.get("divisor")))
        .map_or(1000, |d| d.millis())
        .max(1);
    // Rounded up to whole divisors, as the downward API does.
    (quantity.millis().saturating_add(divisor - 1) / divisor).to_string()
}
