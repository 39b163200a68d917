//! Disruption budgets, autoscalers, quotas, limit ranges, priority classes.

use api::quantity::Quantity;
use api::{Str, Value};

use super::{IMMUTABLE, Problems, labels, names, numbers};
use crate::path::Path;

pub(crate) fn budget(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    let (least, most) = (spec.get("minAvailable"), spec.get("maxUnavailable"));
    if !least.is_null() && !most.is_null() {
        let mut problem = path.invalid(Value::Null, "");
        // The message shows the internal type.
        problem.message = format!(
            "Invalid value: {{\"MinAvailable\":{},\"Selector\":{},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":{}}}: minAvailable and maxUnavailable cannot be both set",
            least.to_json(),
            spec.get("selector").to_json(),
            most.to_json(),
            spec.get("unhealthyPodEvictionPolicy").to_json()
        );
        out.push(problem);
    }
    for (field, value) in [("minAvailable", least), ("maxUnavailable", most)] {
        if !value.is_null() {
            numbers::int_or_percent(value, &path.child(field), out);
            numbers::not_more_than_whole(value, &path.child(field), out);
        }
    }
    labels::selector(spec.get("selector"), &path.child("selector"), out);
    let policy = spec.get("unhealthyPodEvictionPolicy");
    if !matches!(
        policy.as_str(),
        None | Some("AlwaysAllow" | "IfHealthyBudget")
    ) {
        out.push(
            path.child("unhealthyPodEvictionPolicy")
                .not_supported(policy, &["AlwaysAllow", "IfHealthyBudget"]),
        );
    }
}

pub(crate) fn autoscaler(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    let least = spec.int("minReplicas");
    let most = spec.int("maxReplicas").unwrap_or(0);
    if least.is_some_and(|n| n < 1) {
        out.push(
            path.child("minReplicas")
                .invalid(least, "must be greater than or equal to 1"),
        );
    }
    if most < 1 {
        out.push(
            path.child("maxReplicas")
                .invalid(most, "must be greater than 0"),
        );
    }
    if least.is_some_and(|least| most < least) {
        out.push(
            path.child("maxReplicas")
                .invalid(most, "must be greater than or equal to `minReplicas`"),
        );
    }
    let target_path = path.child("scaleTargetRef");
    target(spec.get("scaleTargetRef"), &target_path, out);
    let metrics_path = path.child("metrics");
    for (at, metric) in spec.get("metrics").items().iter().enumerate() {
        let path = metrics_path.index(at);
        let kind = metric.str("type");
        if kind.is_empty() {
            out.push(
                path.child("type")
                    .required("must specify a metric source type"),
            );
        }
        let Some(field) = source_field(kind) else {
            if !kind.is_empty() {
                out.push(path.child("type").not_supported(
                    metric.get("type"),
                    &[
                        "ContainerResource",
                        "External",
                        "Object",
                        "Pods",
                        "Resource",
                    ],
                ));
            }
            continue;
        };
        if metric.get(field).is_null() {
            out.push(
                path.child(field)
                    .required("must populate information for the given metric source"),
            );
        }
    }
}

fn source_field(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Object" => "object",
        "Pods" => "pods",
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "External" => "external",
        _ => return None,
    })
}

fn target(target: &Value, path: &Path, out: &mut Problems) {
    for field in ["kind", "name"] {
        let text = target.str(field);
        if text.is_empty() {
            out.push(path.child(field).required(""));
        } else {
            for message in names::path_segment(text) {
                out.push(path.child(field).invalid(target.get(field), &message));
            }
        }
    }
    let version = target.str("apiVersion");
    let (group, _) = api::kinds::split_api_version(version);
    if group.is_empty() && target.str("kind") != "ReplicationController" {
        out.push(
            path.child("apiVersion")
                .invalid(version.to_owned(), "apiVersion must specify API group"),
        );
    }
}

/// Resources that a quota can bound without a prefix of a domain.
const QUOTA_RESOURCES: [&str; 20] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
    "storage",
];

const SCOPES: [&str; 7] = [
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
];

pub(crate) fn quota(object: &Value, out: &mut Problems) {
    let (spec, path) = (object.get("spec"), Path::new("spec"));
    let hard_path = path.child("hard");
    // Bounds are checked in the order in which they were first written, which a map does not keep: fine ones first.
    let mut hard: Vec<(&Str, &Value)> = spec.get("hard").entries().iter().collect();
    hard.sort_by_key(|(name, _)| !is_quota_resource(name));
    for (name, amount) in hard {
        let path = hard_path.key(name);
        if !is_quota_resource(name) {
            for message in names::qualified(name) {
                out.push(path.invalid(name, &message));
            }
            if !name.contains('/') {
                out.push(path.invalid(name, "must be a standard resource type or fully qualified"));
                out.push(path.invalid(name, "must be a standard resource for quota"));
            }
        }
        if Quantity::of(amount).is_negative() {
            out.push(path.invalid(amount, "must be greater than or equal to 0"));
        }
    }
    let scopes = spec.get("scopes");
    for scope in scopes.items() {
        if !SCOPES.contains(&scope.as_str().unwrap_or_default()) {
            out.push(path.child("scopes").invalid(scopes, "unsupported scope"));
        }
    }
}

fn is_quota_resource(name: &str) -> bool {
    QUOTA_RESOURCES.contains(&name)
        || name.contains('/')
        || name.starts_with("count/")
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
}

pub(crate) fn limit_range(object: &Value, out: &mut Problems) {
    let spec = Path::new("spec");
    let limits = spec.child("limits");
    for (at, item) in object.path("spec.limits").items().iter().enumerate() {
        limit_item(item, &limits.index(at), out);
    }
}

fn limit_item(item: &Value, path: &Path, out: &mut Problems) {
    let kind = item.str("type");
    if !kind.contains('/') && !matches!(kind, "Container" | "Pod" | "PersistentVolumeClaim") {
        out.push(path.child("type").invalid(
            item.get("type"),
            "must be a standard limit type or fully qualified",
        ));
    }
    if kind == "Pod" {
        for field in ["default", "defaultRequest"] {
            if !item.get(field).is_empty() {
                out.push(
                    path.child(field)
                        .forbidden("may not be specified when `type` is 'Pod'"),
                );
            }
        }
    }
    let mut resources: Vec<&Str> = Vec::new();
    for field in ["max", "min", "default", "defaultRequest"] {
        for name in item.get(field).entries().keys() {
            if !resources.contains(&name) {
                resources.push(name);
            }
        }
    }
    for name in resources {
        let amount = |field: &str| item.get(field).get(name);
        let over = |a: &Value, b: &Value| {
            !a.is_null() && !b.is_null() && Quantity::of(a) > Quantity::of(b)
        };
        let shown = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (max, min) = (amount("max"), amount("min"));
        let (default, request) = (amount("default"), amount("defaultRequest"));
        let ratio = amount("maxLimitRequestRatio");
        let mut complain = |field: &str, value: &Value, text: String| {
            out.push(path.child(field).key(name).invalid(value, &text));
        };
        if over(min, max) {
            complain(
                "min",
                min,
                format!(
                    "min value {} is greater than max value {}",
                    shown(min),
                    shown(max)
                ),
            );
        }
        if over(min, request) {
            complain(
                "defaultRequest",
                request,
                format!(
                    "min value {} is greater than default request value {}",
                    shown(min),
                    shown(request)
                ),
            );
        }
        if over(request, max) {
            complain(
                "defaultRequest",
                request,
                format!(
                    "default request value {} is greater than max value {}",
                    shown(request),
                    shown(max)
                ),
            );
        }
        if over(request, default) {
            complain(
                "defaultRequest",
                request,
                format!(
                    "default request value {} is greater than default limit value {}",
                    shown(request),
                    shown(default)
                ),
            );
        }
        if over(min, default) {
            complain(
                "default",
                min,
                format!(
                    "min value {} is greater than default value {}",
                    shown(min),
                    shown(default)
                ),
            );
        }
        if over(default, max) {
            complain(
                "default",
                max,
                format!(
                    "default value {} is greater than max value {}",
                    shown(default),
                    shown(max)
                ),
            );
        }
        if !ratio.is_null() && Quantity::of(ratio).millis() < 1000 {
            complain(
                "maxLimitRequestRatio",
                ratio,
                format!("ratio {} is less than 1", shown(ratio)),
            );
        }
    }
}

/// The classes that the system itself makes.
const SYSTEM_CLASSES: [&str; 2] = ["system-node-critical", "system-cluster-critical"];
const HIGHEST: i64 = 1_000_000_000;

pub(crate) fn priority_class(object: &Value, out: &mut Problems) {
    let name = object.path("metadata.name").as_str().unwrap_or_default();
    let meta = Path::new("metadata");
    if name.starts_with("system-") {
        if !SYSTEM_CLASSES.contains(&name) {
            out.push(meta.child("name").forbidden(&format!(
                "priority class names with 'system-' prefix are reserved for system use only. error: {name} is not a known system priority class"
            )));
        }
    } else if object.int("value").unwrap_or(0) > HIGHEST {
        out.push(
            Path::new("value")
                .forbidden("maximum allowed value of a user defined priority is 1000000000"),
        );
    }
    if !matches!(
        object.str("preemptionPolicy"),
        "" | "Never" | "PreemptLowerPriority"
    ) {
        out.push(Path::new("preemptionPolicy").not_supported(
            object.get("preemptionPolicy"),
            &["Never", "PreemptLowerPriority"],
        ));
    }
}

pub(crate) fn priority_class_update(new: &Value, old: &Value, out: &mut Problems) {
    if new.get("value") != old.get("value") {
        out.push(Path::new("value").forbidden("may not be changed in an update."));
    }
    let policy = new.get("preemptionPolicy");
    if policy != old.get("preemptionPolicy") {
        out.push(Path::new("preemptionPolicy").invalid(policy, IMMUTABLE));
    }
}
