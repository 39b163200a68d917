//! ConfigMaps, Secrets, ServiceAccounts, quotas, limits, namespaces, priority classes and disruption budgets.

use api::{Request, Resource, Value, meta::Meta};

use super::{Text, pod::plain, workload::selector};
use crate::{Context, Failure};

/// Name, namespace, labels and annotations, as most descriptions begin.
pub(super) fn head(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    text.line(0, format!("Name:\t{}", meta.name()));
    if !meta.namespace().is_empty() {
        text.line(0, format!("Namespace:\t{}", meta.namespace()));
    }
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
}

pub(super) fn config_map(text: &mut Text, object: &Value) {
    head(text, object);
    text.line(0, "\nData\n====");
    for (key, value) in object.get("data").entries().iter() {
        text.line(
            0,
            format!("{key}:\n----\n{}\n", value.as_str().unwrap_or_default()),
        );
    }
    text.line(0, "\nBinaryData\n====");
    for (key, value) in object.get("binaryData").entries().iter() {
        let size = decoded_len(value.as_str().unwrap_or_default());
        text.line(0, format!("{key}: {size} bytes"));
    }
    text.line(0, "");
}

pub(super) fn secret(text: &mut Text, object: &Value) {
    head(text, object);
    text.line(0, format!("\nType:\t{}", object.str("type")));
    text.line(0, "\nData\n====");
    for (key, value) in object.get("data").entries().iter() {
        let size = decoded_len(value.as_str().unwrap_or_default());
        text.line(0, format!("{key}:\t{size} bytes"));
    }
}

/// How many bytes base64 text stands for.
fn decoded_len(text: &str) -> usize {
    text.trim_end_matches('=').len() * 3 / 4
}

pub(super) fn service_account(text: &mut Text, object: &Value) {
    head(text, object);
    let names: Vec<String> = object
        .get("imagePullSecrets")
        .items()
        .iter()
        .map(|secret| secret.str("name").to_owned())
        .collect();
    text.column(0, "Image pull secrets", &names);
}

pub(super) fn quota(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    let mut scopes: Vec<&str> = object
        .path("spec.scopes")
        .items()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    scopes.sort_unstable();
    if !scopes.is_empty() {
        text.line(0, format!("Scopes:\t{}", scopes.join(", ")));
        for scope in scopes {
            let means = match scope {
                "Terminating" => {
                    "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system."
                }
                "NotTerminating" => {
                    "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate."
                }
                "BestEffort" => {
                    "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service."
                }
                "NotBestEffort" => {
                    "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service."
                }
                _ => continue,
            };
            text.line(0, format!(" * {means}"));
        }
    }
    text.line(0, "Resource\tUsed\tHard\n--------\t----\t----");
    amounts(text, 0, object);
}

fn amounts(text: &mut Text, level: usize, object: &Value) {
    let status = object.get("status");
    for (resource, hard) in status.get("hard").entries().iter() {
        let used = status.get("used").get(resource);
        let used = if used.is_null() {
            "0".to_owned()
        } else {
            plain(used)
        };
        text.line(level, format!("{resource}\t{used}\t{}", plain(hard)));
    }
}

const LIMITS_HEAD: [&str; 2] = [
    "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio",
    "----\t--------\t---\t---\t---------------\t-------------\t-----------------------",
];

pub(super) fn limit_range(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    text.line(0, LIMITS_HEAD.join("\n"));
    limits(text, "", object);
}

fn limits(text: &mut Text, prefix: &str, object: &Value) {
    for limit in object.path("spec.limits").items() {
        const FIELDS: [&str; 5] = [
            "min",
            "max",
            "defaultRequest",
            "default",
            "maxLimitRequestRatio",
        ];
        let mut resources: Vec<&str> = FIELDS
            .iter()
            .flat_map(|field| limit.get(field).entries().keys().map(|key| key.as_str()))
            .collect();
        resources.sort_unstable();
        resources.dedup();
        for resource in resources {
            let cells: Vec<String> = FIELDS
                .iter()
                .map(|field| {
                    let amount = limit.get(field).get(resource);
                    if amount.is_null() {
                        "-".to_owned()
                    } else {
                        plain(amount)
                    }
                })
                .collect();
            text.line(
                0,
                format!(
                    "{prefix}{}\t{resource}\t{}",
                    limit.str("type"),
                    cells.join("\t")
                ),
            );
        }
    }
}

pub(super) fn namespace(
    ctx: &mut Context<'_>,
    text: &mut Text,
    object: &Value,
) -> Result<(), Failure> {
    head(text, object);
    let phase = object.path("status.phase").as_str().unwrap_or_default();
    text.line(0, format!("Status:\t{phase}"));
    let conditions = object.path("status.conditions").items();
    if !conditions.is_empty() {
        text.line(0, "Conditions:\n  Type\tStatus\tLastTransitionTime\tReason\tMessage\n  ----\t------\t------------------\t------\t-------");
        for condition in conditions {
            text.line(
                1,
                format!(
                    "{} \t{} \t{} \t{} \t{} ",
                    condition.str("type"),
                    condition.str("status"),
                    super::long_time(condition.get("lastTransitionTime")),
                    condition.str("reason"),
                    condition.str("message")
                ),
            );
        }
    }
    let name = Meta::of(object).shared_name();
    let quotas = ctx.object(Request::list(
        &Resource::of("", "v1", "resourcequotas"),
        name.clone(),
    ))?;
    let ranges = ctx.object(Request::list(&Resource::of("", "v1", "limitranges"), name))?;
    text.line(0, "");
    let quotas = quotas.get("items").items();
    if quotas.is_empty() {
        text.line(0, "No resource quota.");
    } else {
        text.line(0, "Resource Quotas");
        for quota in quotas {
            text.line(1, format!("Name:\t{}", Meta::of(quota).name()));
            text.line(1, "Resource\tUsed\tHard");
            text.line(1, "--------\t---\t---");
            amounts(text, 1, quota);
        }
    }
    text.line(0, "");
    let ranges = ranges.get("items").items();
    if ranges.is_empty() {
        text.line(0, "No LimitRange resource.");
    } else {
        text.line(0, "Resource Limits");
        for line in LIMITS_HEAD {
            text.line(0, format!(" {line}"));
        }
        for range in ranges {
            limits(text, " ", range);
        }
    }
    Ok(())
}

/// `a=b,c=d` as `labels.FormatLabels` shows a map in one cell.
pub(super) fn in_one(map: &Value) -> String {
    let text = api::meta::labels_text(map.entries());
    if text.is_empty() {
        "<none>".to_owned()
    } else {
        text
    }
}

pub(super) fn priority_class(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Value:\t{}", object.int("value").unwrap_or(0)));
    text.line(
        0,
        format!("GlobalDefault:\t{}", object.bool("globalDefault")),
    );
    text.line(
        0,
        format!("PreemptionPolicy:\t{}", object.str("preemptionPolicy")),
    );
    text.line(0, format!("Description:\t{}", object.str("description")));
    text.line(
        0,
        format!("Annotations:\t{}", in_one(meta.0.get("annotations"))),
    );
}

pub(super) fn disruption_budget(text: &mut Text, object: &Value) {
    let meta = Meta::of(object);
    let (spec, status) = (object.get("spec"), object.get("status"));
    text.line(0, format!("Name:\t{}", meta.name()));
    text.line(0, format!("Namespace:\t{}", meta.namespace()));
    for (field, title) in [
        ("minAvailable", "Min available"),
        ("maxUnavailable", "Max unavailable"),
    ] {
        if spec.has(field) {
            text.line(0, format!("{title}:\t{}", plain(spec.get(field))));
        }
    }
    let shown = if spec.has("selector") {
        selector(spec.get("selector"))
    } else {
        "<unset>".to_owned()
    };
    text.line(0, format!("Selector:\t{shown}"));
    text.line(0, "Status:");
    for (field, title) in [
        ("disruptionsAllowed", "Allowed disruptions"),
        ("currentHealthy", "Current"),
        ("desiredHealthy", "Desired"),
        ("expectedPods", "Total"),
    ] {
        text.line(2, format!("{title}:\t{}", status.int(field).unwrap_or(0)));
    }
}
