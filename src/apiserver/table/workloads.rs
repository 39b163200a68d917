//! What keeps pods running, and what bounds or scales it.

use api::{Value, duration};
use sim::Time;

use super::Printer;
use super::cells::{
    NONE, UNKNOWN, age, containers, labels, name, number, or_none, selector, since, text,
};

pub(super) const DEPLOYMENT: Printer = Printer {
    columns: "Name|Ready|Up-to-date|Available|Age|+Containers|+Images|+Selector",
    cells: |object, now| {
        let (spec, status) = (object.get("spec"), object.get("status"));
        let [names, images] = containers(spec.path("template.spec"));
        vec![
            name(object),
            ready_of(status.get("readyReplicas"), spec.get("replicas")),
            number(status.get("updatedReplicas")),
            number(status.get("availableReplicas")),
            age(object, now),
            names,
            images,
            selector(spec.get("selector")),
        ]
    },
};

pub(super) const REPLICA_SET: Printer = Printer {
    columns: "Name|#Desired|#Current|#Ready|Age|+Containers|+Images|+Selector",
    cells: |object, now| replicas(object, now, selector(object.path("spec.selector"))),
};

pub(super) const REPLICATION_CONTROLLER: Printer = Printer {
    columns: "Name|#Desired|#Current|#Ready|Age|+Containers|+Images|+Selector",
    cells: |object, now| replicas(object, now, labels(object.path("spec.selector").entries())),
};

fn replicas(object: &Value, now: Time, selector: Value) -> Vec<Value> {
    let (spec, status) = (object.get("spec"), object.get("status"));
    let [names, images] = containers(spec.path("template.spec"));
    vec![
        name(object),
        number(spec.get("replicas")),
        number(status.get("replicas")),
        number(status.get("readyReplicas")),
        age(object, now),
        names,
        images,
        selector,
    ]
}

pub(super) const STATEFUL_SET: Printer = Printer {
    columns: "Name|Ready|Age|+Containers|+Images",
    cells: |object, now| {
        let (spec, status) = (object.get("spec"), object.get("status"));
        let [names, images] = containers(spec.path("template.spec"));
        vec![
            name(object),
            ready_of(status.get("readyReplicas"), spec.get("replicas")),
            age(object, now),
            names,
            images,
        ]
    },
};

pub(super) const DAEMON_SET: Printer = Printer {
    columns: "Name|#Desired|#Current|#Ready|#Up-to-date|#Available|Node Selector|Age|+Containers|+Images|+Selector",
    cells: |object, now| {
        let (spec, status) = (object.get("spec"), object.get("status"));
        let [names, images] = containers(spec.path("template.spec"));
        vec![
            name(object),
            number(status.get("desiredNumberScheduled")),
            number(status.get("currentNumberScheduled")),
            number(status.get("numberReady")),
            number(status.get("updatedNumberScheduled")),
            number(status.get("numberAvailable")),
            labels(spec.path("template.spec.nodeSelector").entries()),
            age(object, now),
            names,
            images,
            selector(spec.get("selector")),
        ]
    },
};

pub(super) const CONTROLLER_REVISION: Printer = Printer {
    columns: "Name|Controller|Revision|Age",
    cells: |object, now| {
        let owner = api::meta::Meta::of(object).controller().map(|owner| {
            let (group, _) = api::kinds::split_api_version(owner.api_version());
            let kind = owner.kind().to_ascii_lowercase();
            let dotted = if group.is_empty() {
                kind
            } else {
                format!("{kind}.{group}")
            };
            format!("{dotted}/{}", owner.name())
        });
        vec![
            name(object),
            or_none(&owner.unwrap_or_default()),
            number(object.get("revision")),
            age(object, now),
        ]
    },
};

pub(super) const POD_TEMPLATE: Printer = Printer {
    columns: "Name|Containers|Images|Pod Labels",
    cells: |object, _| {
        let [names, images] = containers(object.path("template.spec"));
        vec![
            name(object),
            names,
            images,
            labels(object.path("template.metadata.labels").entries()),
        ]
    },
};

pub(super) const JOB: Printer = Printer {
    columns: "Name|Status|Completions|Duration|Age|+Containers|+Images|+Selector",
    cells: |object, now| {
        let (spec, status) = (object.get("spec"), object.get("status"));
        let succeeded = status.int("succeeded").unwrap_or(0);
        let completions = match (
            spec.int("completions"),
            spec.int("parallelism").unwrap_or(0),
        ) {
            (Some(wanted), _) => format!("{succeeded}/{wanted}"),
            (None, parallel) if parallel > 1 => format!("{succeeded}/1 of {parallel}"),
            (None, _) => format!("{succeeded}/1"),
        };
        let time = |field: &str| status.get(field).as_str().and_then(Time::parse_rfc3339);
        let took = match (time("startTime"), time("completionTime")) {
            (None, _) => String::new(),
            (Some(start), end) => duration::human(end.unwrap_or(now).secs() - start.secs()),
        };
        let [names, images] = containers(spec.path("template.spec"));
        vec![
            name(object),
            Value::from(job_word(object)),
            Value::from(completions),
            Value::from(took),
            age(object, now),
            names,
            images,
            selector(spec.get("selector")),
        ]
    },
};

fn job_word(job: &Value) -> &'static str {
    let is = |kind: &str| api::meta::is_true(job, kind);
    if is("Complete") {
        "Complete"
    } else if is("Failed") {
        "Failed"
    } else if job.get("metadata").has("deletionTimestamp") {
        "Terminating"
    } else if is("Suspended") {
        "Suspended"
    } else if is("FailureTarget") {
        "FailureTarget"
    } else if is("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

pub(super) const CRON_JOB: Printer = Printer {
    columns: "Name|Schedule|Timezone|Suspend|#Active|Last Schedule|Age|+Containers|+Images|+Selector",
    cells: |object, now| {
        let (spec, status) = (object.get("spec"), object.get("status"));
        let last = status.get("lastScheduleTime");
        let last = if last.is_null() {
            NONE.to_owned()
        } else {
            since(last, now)
        };
        let [names, images] = containers(spec.path("jobTemplate.spec.template.spec"));
        let suspend = match spec.get("suspend").as_bool() {
            Some(true) => "True",
            Some(false) => "False",
            None => "<unset>",
        };
        vec![
            name(object),
            Value::from(spec.shared_str("schedule")),
            or_none(spec.str("timeZone")),
            Value::from(suspend),
            Value::from(status.get("active").items().len()),
            Value::from(last),
            age(object, now),
            names,
            images,
            selector(spec.path("jobTemplate.spec.selector")),
        ]
    },
};

pub(super) const BUDGET: Printer = Printer {
    columns: "Name|Min Available|Max Unavailable|#Allowed Disruptions|Age",
    cells: |object, now| {
        let spec = object.get("spec");
        let bound = |field: &str| match spec.get(field) {
            Value::Null => Value::from("N/A"),
            value => Value::from(text(value)),
        };
        vec![
            name(object),
            bound("minAvailable"),
            bound("maxUnavailable"),
            number(object.path("status.disruptionsAllowed")),
            age(object, now),
        ]
    },
};

pub(super) const AUTOSCALER: Printer = Printer {
    columns: "Name|Reference|Targets|MinPods|#MaxPods|#Replicas|Age",
    cells: |object, now| {
        let (spec, status) = (object.get("spec"), object.get("status"));
        let target = spec.get("scaleTargetRef");
        let least = spec
            .int("minReplicas")
            .map_or("<unset>".to_owned(), |n| n.to_string());
        vec![
            name(object),
            Value::from(format!("{}/{}", target.str("kind"), target.str("name"))),
            Value::from(metrics(spec, status)),
            Value::from(least),
            number(spec.get("maxReplicas")),
            number(status.get("currentReplicas")),
            age(object, now),
        ]
    },
};

/// `cpu: 12%/50%, …`: current over target of each metric, three at most.
fn metrics(spec: &Value, status: &Value) -> String {
    let wanted = spec.get("metrics").items();
    if wanted.is_empty() {
        return NONE.to_owned();
    }
    let current = status.get("currentMetrics").items();
    let mut shown: Vec<String> = Vec::new();
    for (at, metric) in wanted.iter().enumerate() {
        let now = current.get(at).unwrap_or(&Value::Null);
        shown.push(match metric.str("type") {
            "Resource" => source(metric.get("resource"), now.get("resource"), "name"),
            "ContainerResource" => source(
                metric.get("containerResource"),
                now.get("containerResource"),
                "name",
            ),
            "Pods" => plain(
                metric.path("pods.target"),
                now.path("pods.current"),
                "averageValue",
            ),
            "Object" => plain(
                metric.path("object.target"),
                now.path("object.current"),
                "value",
            ),
            "External" => {
                let target = metric.path("external.target");
                let field = if target.has("averageValue") {
                    "averageValue"
                } else {
                    "value"
                };
                let suffix = if field == "averageValue" {
                    " (avg)"
                } else {
                    ""
                };
                format!(
                    "{}{suffix}",
                    plain(target, now.path("external.current"), field)
                )
            }
            _ => "<unknown type>".to_owned(),
        });
    }
    let more = shown.len().saturating_sub(2);
    if shown.len() > 2 {
        shown.truncate(2);
        return format!("{} + {more} more...", shown.join(", "));
    }
    shown.join(", ")
}

fn source(metric: &Value, now: &Value, name_field: &str) -> String {
    let (target, current) = (metric.get("target"), now.get("current"));
    let label = metric.str(name_field);
    let body = if target.has("averageValue") {
        plain(target, current, "averageValue")
    } else {
        let used = current
            .int("averageUtilization")
            .map_or(UNKNOWN.to_owned(), |n| format!("{n}%"));
        let goal = target
            .int("averageUtilization")
            .map_or("<auto>".to_owned(), |n| format!("{n}%"));
        format!("{used}/{goal}")
    };
    format!("{label}: {body}")
}

fn plain(target: &Value, current: &Value, field: &str) -> String {
    let now = match current.get(field) {
        Value::Null => UNKNOWN.to_owned(),
        value => text(value),
    };
    format!("{now}/{}", text(target.get(field)))
}

fn ready_of(ready: &Value, wanted: &Value) -> Value {
    let number = |value: &Value| value.as_int().unwrap_or(0);
    Value::from(format!("{}/{}", number(ready), number(wanted)))
}
