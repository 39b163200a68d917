//! The transformers but patches and replacements: namespace, prefix and suffix, labels, annotations, replicas, images.

use api::{Str, Value};

use super::{Item, fields};
use crate::Failure;

/// Kinds whose names are left alone.
const FIXED_NAMES: [&str; 3] = ["APIService", "CustomResourceDefinition", "Namespace"];

/// Label selectors that stand in pods: for labels that shall select.
const POD_SELECTORS: [&str; 5] = [
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "topologySpreadConstraints/labelSelector/matchLabels",
];

/// Runs all of them in kustomize's order.
pub(super) fn run(config: &Value, items: &mut [Item]) -> Result<(), Failure> {
    if !config.str("namespace").is_empty() {
        namespace(&config.shared_str("namespace"), items);
    }
    let (prefix, suffix) = (config.str("namePrefix"), config.str("nameSuffix"));
    if !(prefix.is_empty() && suffix.is_empty()) {
        for item in items
            .iter_mut()
            .filter(|item| !FIXED_NAMES.contains(&item.kind()))
        {
            let name = format!("{prefix}{}{suffix}", item.name());
            item.rename(name);
        }
    }
    labels(config, items);
    let annotations = config.get("commonAnnotations");
    if !annotations.is_empty() {
        for item in items.iter_mut() {
            add_pairs(&mut item.object, "metadata/annotations", true, annotations);
            for place in fields::template_metadata(item.kind()) {
                add_pairs(
                    &mut item.object,
                    &format!("{place}/annotations"),
                    true,
                    annotations,
                );
            }
        }
    }
    for entry in config.get("replicas").items() {
        replicas(entry, items)?;
    }
    for entry in config.get("images").items() {
        for item in items.iter_mut() {
            images(entry, &mut item.object);
        }
    }
    Ok(())
}

/// Adds the hash to the names of what was generated.
pub(super) fn add_hashes(items: &mut [Item]) {
    for item in items.iter_mut().filter(|item| item.needs_hash) {
        let name = format!("{}-{}", item.name(), crate::hash::of(&item.object, ""));
        item.rename(name);
        item.needs_hash = false;
    }
}

fn namespace(namespace: &Str, items: &mut [Item]) {
    let accounts: Vec<(Str, Str)> = items
        .iter()
        .filter(|item| item.kind() == "ServiceAccount")
        .map(|item| (item.name(), item.namespace()))
        .collect();
    for item in items {
        let (group, version) = item.group_version();
        let kind = api::kinds::by_gvk(group, version, item.kind());
        match item.kind() {
            "Namespace" => item.rename(namespace.clone()),
            _ if kind.is_some_and(|kind| !kind.namespaced) => {}
            _ => {
                let old = item.namespace();
                item.namespaces.push(old);
                item.object
                    .set_path("metadata.namespace", namespace.clone());
            }
        }
        if matches!(item.kind(), "RoleBinding" | "ClusterRoleBinding") {
            fields::at(&mut item.object, "subjects", false, &mut |subjects| {
                for subject in subjects.list_mut() {
                    let is_ours = subject.str("name") == "default"
                        || accounts.iter().any(|(name, place)| {
                            subject.str("name") == name.as_str()
                                && (subject.str("namespace").is_empty()
                                    || subject.str("namespace") == place.as_str())
                        });
                    if subject.str("kind") == "ServiceAccount" && is_ours {
                        subject.set("namespace", namespace.clone());
                    }
                }
            });
        }
    }
}

fn labels(config: &Value, items: &mut [Item]) {
    let common = config.get("commonLabels");
    if !common.is_empty() {
        for item in items.iter_mut() {
            add_labels(&mut item.object, common, true, true);
        }
    }
    for entry in config.get("labels").items() {
        let selects = entry.bool("includeSelectors");
        let in_templates = selects || entry.bool("includeTemplates");
        for item in items.iter_mut() {
            add_labels(&mut item.object, entry.get("pairs"), selects, in_templates);
            let (group, version) = item.group_version();
            let (group, version) = (group.to_owned(), version.to_owned());
            let kind = item.kind().to_owned();
            for field in entry.get("fields").items() {
                let fits =
                    |name: &str, own: &str| field.str(name).is_empty() || field.str(name) == own;
                if fits("group", &group) && fits("version", &version) && fits("kind", &kind) {
                    let create = field.bool("create");
                    add_pairs(
                        &mut item.object,
                        field.str("path"),
                        create,
                        entry.get("pairs"),
                    );
                }
            }
        }
    }
}

fn add_labels(object: &mut Value, pairs: &Value, selects: bool, in_templates: bool) {
    let kind = object.str("kind").to_owned();
    add_pairs(object, "metadata/labels", true, pairs);
    if in_templates {
        for place in fields::template_metadata(&kind) {
            add_pairs(object, &format!("{place}/labels"), true, pairs);
        }
        if kind == "StatefulSet" {
            add_pairs(
                object,
                "spec/volumeClaimTemplates/metadata/labels",
                true,
                pairs,
            );
        }
    }
    if !selects {
        return;
    }
    match kind.as_str() {
        "Service" | "ReplicationController" => add_pairs(object, "spec/selector", true, pairs),
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" => {
            add_pairs(object, "spec/selector/matchLabels", true, pairs);
        }
        "Job" | "PodDisruptionBudget" => {
            add_pairs(object, "spec/selector/matchLabels", false, pairs);
        }
        "CronJob" => {
            add_pairs(
                object,
                "spec/jobTemplate/spec/selector/matchLabels",
                false,
                pairs,
            );
        }
        "NetworkPolicy" => {
            for path in [
                "spec/podSelector/matchLabels",
                "spec/ingress/from/podSelector/matchLabels",
                "spec/egress/to/podSelector/matchLabels",
            ] {
                add_pairs(object, path, false, pairs);
            }
        }
        _ => {}
    }
    if let Some(place) = fields::pod_spec(&kind).filter(|_| kind != "Pod") {
        for path in POD_SELECTORS {
            add_pairs(object, &format!("{place}/{path}"), false, pairs);
        }
    }
}

fn add_pairs(object: &mut Value, path: &str, create: bool, pairs: &Value) {
    fields::at(object, path, create, &mut |found| {
        for (key, value) in pairs.entries().iter() {
            let text = match value.as_str() {
                Some(text) => Str::new(text),
                None => Str::from(crate::print::jsonpath::shown(value)),
            };
            found.set(key.clone(), text);
        }
    });
}

fn replicas(entry: &Value, items: &mut [Item]) -> Result<(), Failure> {
    let name = entry.str("name");
    let mut has_any = false;
    for item in items.iter_mut() {
        let is_scaled = matches!(
            item.kind(),
            "Deployment" | "ReplicationController" | "ReplicaSet" | "StatefulSet"
        );
        if is_scaled && item.is_called(name) {
            item.object
                .set_path("spec.replicas", entry.get("count").clone());
            has_any = true;
        }
    }
    if has_any {
        return Ok(());
    }
    Err(Failure::error(format!(
        "resource with name {name} does not match a config with the following GVK [Deployment.[noVer].[noGrp] ReplicationController.[noVer].[noGrp] ReplicaSet.[noVer].[noGrp] StatefulSet.[noVer].[noGrp]]"
    )))
}

/// Wherever `containers` and `initContainers` stand.
fn images(entry: &Value, value: &mut Value) {
    if value.as_list().is_some() {
        for element in value.list_mut() {
            images(entry, element);
        }
        return;
    }
    if !value.is_map() {
        return;
    }
    for (key, inner) in value.map_mut().iter_mut() {
        if matches!(key.as_str(), "containers" | "initContainers") && inner.as_list().is_some() {
            for container in inner.list_mut() {
                if let Some(image) = renamed(entry, container.str("image")) {
                    container.set("image", image);
                }
            }
        } else {
            images(entry, inner);
        }
    }
}

/// The image with the name, tag and digest that `entry` asks for; `None` if it is not meant.
fn renamed(entry: &Value, image: &str) -> Option<String> {
    let (rest, digest) = match image.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (image, None),
    };
    // A colon before a slash belongs to the registry's port.
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (rest, None),
    };
    if name != entry.str("name") {
        return None;
    }
    let text = |field: &str| match entry.get(field) {
        Value::Str(text) => text.to_string(),
        Value::Null => String::new(),
        other => crate::print::jsonpath::shown(other),
    };
    let mut made = match entry.str("newName") {
        "" => name.to_owned(),
        new => new.to_owned(),
    };
    let (new_tag, new_digest, suffix) = (text("newTag"), text("digest"), text("tagSuffix"));
    if !new_tag.is_empty() || !new_digest.is_empty() {
        if !new_tag.is_empty() {
            made += &format!(":{new_tag}{suffix}");
        }
        if !new_digest.is_empty() {
            made += &format!("@{new_digest}");
        }
    } else {
        if let Some(tag) = tag {
            made += &format!(":{tag}{suffix}");
        }
        if let Some(digest) = digest {
            made += &format!("@{digest}");
        }
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::map;

    #[test]
    fn an_image_changes_name_tag_or_digest() {
        let entry = map! { "name": "nginx", "newName": "my.host:5000/nginx", "newTag": "1.4" };
        let cases = [
            ("nginx", Some("my.host:5000/nginx:1.4")),
            ("nginx:1.25", Some("my.host:5000/nginx:1.4")),
            ("nginx@sha256:abc", Some("my.host:5000/nginx:1.4")),
            ("nginx-unprivileged:1", None),
            ("host:80/nginx", None),
        ];
        for (image, expected) in cases {
            assert_eq!(renamed(&entry, image).as_deref(), expected, "{image}");
        }
        let entry = map! { "name": "host:80/nginx", "digest": "sha256:1" };
        assert_eq!(
            renamed(&entry, "host:80/nginx:2").as_deref(),
            Some("host:80/nginx@sha256:1")
        );
    }
}
