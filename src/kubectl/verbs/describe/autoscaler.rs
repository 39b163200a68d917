//! HorizontalPodAutoscalers.

use api::{Value, meta::Meta};

use super::{Text, long_time, pod::plain};

pub(super) fn describe(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    let (spec, status) = (object.get("spec"), object.get("status"));
    super::config::head(text, object);
    text.line(
        0,
        format!(
            "CreationTimestamp:\t{}",
            long_time(meta.0.get("creationTimestamp"))
        ),
    );
    let target = spec.get("scaleTargetRef");
    text.line(
        0,
        format!("Reference:\t{}/{}", target.str("kind"), target.str("name")),
    );
    text.line(0, "Metrics:\t( current / target )");
    let current = status.get("currentMetrics").items();
    for (at, metric) in spec.get("metrics").items().iter().enumerate() {
        let (title, now, wanted) = shown(metric, current.get(at));
        text.line(1, format!("{title}:\t{now} / {wanted}"));
    }
    let least = spec
        .int("minReplicas")
        .map_or("<unset>".to_owned(), |n| n.to_string());
    text.line(0, format!("Min replicas:\t{least}"));
    text.line(
        0,
        format!("Max replicas:\t{}", spec.int("maxReplicas").unwrap_or(0)),
    );
    let behavior = spec.get("behavior");
    if !behavior.is_null() {
        text.line(0, "Behavior:");
        for (field, title) in [("scaleUp", "Scale Up"), ("scaleDown", "Scale Down")] {
            rules(text, title, behavior.get(field));
        }
    }
    text.line(
        0,
        format!(
            "{} pods:\t{} current / {} desired",
            target.str("kind"),
            status.int("currentReplicas").unwrap_or(0),
            status.int("desiredReplicas").unwrap_or(0)
        ),
    );
    let conditions = status.get("conditions").items();
    if !conditions.is_empty() {
        text.line(
            0,
            "Conditions:\n  Type\tStatus\tReason\tMessage\n  ----\t------\t------\t-------",
        );
        for condition in conditions {
            text.line(
                1,
                format!(
                    "{}\t{}\t{}\t{}",
                    condition.str("type"),
                    condition.str("status"),
                    condition.str("reason"),
                    condition.str("message")
                ),
            );
        }
    }
}

/// Title, current value and target of a metric.
fn shown(metric: &Value, current: Option<&Value>) -> (String, String, String) {
    let unknown = || "<unknown>".to_owned();
    let read = |path: &str| {
        current
            .map(|metric| metric.path(path))
            .filter(|value| !value.is_null())
            .map(plain)
    };
    let value_of = |target: &Value| {
        ["averageValue", "value"]
            .iter()
            .map(|field| target.get(field))
            .find(|value| !value.is_null())
            .map_or_else(|| "<auto>".to_owned(), plain)
    };
    match metric.str("type") {
        "Resource" | "ContainerResource" => {
            let field = if metric.str("type") == "Resource" {
                "resource"
            } else {
                "containerResource"
            };
            let inner = metric.get(field);
            let target = inner.get("target");
            let place = if field == "resource" {
                "on pods".to_owned()
            } else {
                format!("of container {:?} on pods", inner.str("container"))
            };
            if let Some(percent) = target.int("averageUtilization") {
                let utilization = read(&format!("{field}.current.averageUtilization"));
                let average = read(&format!("{field}.current.averageValue"));
                let now = match (utilization, average) {
                    (Some(percent), Some(average)) => format!("{percent}% ({average})"),
                    (Some(percent), None) => format!("{percent}%"),
                    _ => unknown(),
                };
                return (
                    format!(
                        "resource {} {place}  (as a percentage of request)",
                        inner.str("name")
                    ),
                    now,
                    format!("{percent}%"),
                );
            }
            (
                format!("resource {} {place}", inner.str("name")),
                read(&format!("{field}.current.averageValue")).unwrap_or_else(unknown),
                value_of(target),
            )
        }
        "Pods" => (
            format!(
                "{:?} on pods",
                metric.path("pods.metric.name").as_str().unwrap_or_default()
            ),
            read("pods.current.averageValue").unwrap_or_else(unknown),
            value_of(metric.path("pods.target")),
        ),
        "Object" => {
            let inner = metric.get("object");
            let described = inner.get("describedObject");
            (
                format!(
                    "{:?} on {}/{} (target value)",
                    inner.path("metric.name").as_str().unwrap_or_default(),
                    described.str("kind"),
                    described.str("name")
                ),
                read("object.current.value").unwrap_or_else(unknown),
                value_of(inner.get("target")),
            )
        }
        _ => (
            format!(
                "{:?} (target average value)",
                metric
                    .path("external.metric.name")
                    .as_str()
                    .unwrap_or_default()
            ),
            read("external.current.averageValue").unwrap_or_else(unknown),
            value_of(metric.path("external.target")),
        ),
    }
}

fn rules(text: &mut Text, title: &str, rules: &Value) {
    if rules.is_null() {
        return;
    }
    text.line(1, format!("{title}:"));
    if let Some(secs) = rules.int("stabilizationWindowSeconds") {
        text.line(2, format!("Stabilization Window: {secs} seconds"));
    }
    let policies = rules.get("policies").items();
    if policies.is_empty() {
        return;
    }
    let select = match rules.str("selectPolicy") {
        "" => "Max",
        known => known,
    };
    text.line(2, format!("Select Policy: {select}"));
    text.line(2, "Policies:");
    for policy in policies {
        text.line(
            3,
            format!(
                "- Type: {}\tValue: {}\tPeriod: {} seconds",
                policy.str("type"),
                policy.int("value").unwrap_or(0),
                policy.int("periodSeconds").unwrap_or(0)
            ),
        );
    }
}
