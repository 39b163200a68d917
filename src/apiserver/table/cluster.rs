//! Nodes, namespaces, configuration and what else belongs to the cluster as a whole.

use super::Printer;
use super::cells::{UNKNOWN, age, name, number, or, or_none, since, text};
use api::quantity::Quantity;
use api::{Value, meta};

pub(super) const AGED: Printer = Printer {
    columns: "Name|Age",
    cells: |object, now| vec![name(object), age(object, now)],
};

pub(super) const NODE: Printer = Printer {
    columns: "Name|Status|Roles|Age|Version|+Internal-IP|+External-IP|+OS-Image|+Kernel-Version|+Container-Runtime",
    cells: |object, now| {
        let info = object.path("status.nodeInfo");
        let address = |kind: &str| {
            let addresses = object.path("status.addresses").items();
            let found = addresses.iter().find(|a| a.str("type") == kind);
            or_none(found.map_or("", |a| a.str("address")))
        };
        let kernel = match info.str("kernelVersion") {
            "" => Value::from(UNKNOWN),
            kernel => Value::from(format!("{kernel} ({})", info.str("architecture"))),
        };
        vec![
            name(object),
            Value::from(node_status(object)),
            or_none(&roles(object)),
            age(object, now),
            Value::from(info.shared_str("kubeletVersion")),
            address("InternalIP"),
            address("ExternalIP"),
            or(info.str("osImage"), UNKNOWN),
            kernel,
            or(info.str("containerRuntimeVersion"), UNKNOWN),
        ]
    },
};

fn node_status(node: &Value) -> String {
    let word = match meta::condition(node, "Ready") {
        Some(ready) if ready.status() == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let cordoned = if node.path("spec.unschedulable").as_bool() == Some(true) {
        ",SchedulingDisabled"
    } else {
        ""
    };
    format!("{word}{cordoned}")
}

fn roles(node: &Value) -> String {
    let mut roles: Vec<&str> = Vec::new();
    for (key, value) in node.path("metadata.labels").entries().iter() {
        let role = match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => role,
            None if key == "kubernetes.io/role" => value.as_str().unwrap_or_default(),
            None => "",
        };
        if !role.is_empty() && !roles.contains(&role) {
            roles.push(role);
        }
    }
    roles.sort_unstable();
    roles.join(",")
}

pub(super) const NAMESPACE: Printer = Printer {
    columns: "Name|Status|Age",
    cells: |object, now| {
        vec![
            name(object),
            object.path("status.phase").clone(),
            age(object, now),
        ]
    },
};

pub(super) const EVENT: Printer = Printer {
    columns: "Last Seen|Type|Reason|Object|+Subobject|+Source|Message|+First Seen|+#Count|+Name",
    cells: |object, now| {
        let involved = object.get("involvedObject");
        let target = match involved.str("name") {
            "" => involved.str("kind").to_ascii_lowercase(),
            name => format!("{}/{name}", involved.str("kind").to_ascii_lowercase()),
        };
        let series = object.get("series");
        let event_time = object.get("eventTime");
        let pick = |field: &str| {
            if object.get(field).is_null() {
                event_time
            } else {
                object.get(field)
            }
        };
        let (first, mut last) = (since(pick("firstTimestamp"), now), pick("lastTimestamp"));
        let mut count = object.int("count").unwrap_or(0);
        if !series.is_null() {
            last = series.get("lastObservedTime");
            count = series.int("count").unwrap_or(0);
        } else if count == 0 {
            count = 1;
        }
        vec![
            Value::from(since(last, now)),
            object.get("type").clone(),
            object.get("reason").clone(),
            Value::from(target),
            Value::from(involved.shared_str("fieldPath")),
            Value::from(event_source(object)),
            Value::from(object.str("message").trim().to_owned()),
            Value::from(first),
            Value::Int(count),
            name(object),
        ]
    },
};

fn event_source(event: &Value) -> String {
    let source = event.get("source");
    let component = match source.str("component") {
        "" => event.str("reportingComponent"),
        component => component,
    };
    let host = match source.str("host") {
        "" => event.str("reportingInstance"),
        host => host,
    };
    match (component, host) {
        (component, "") => component.to_owned(),
        (component, host) => format!("{component}, {host}"),
    }
}

pub(super) const CONFIG_MAP: Printer = Printer {
    columns: "Name|Data|Age",
    cells: |object, now| {
        let count = object.get("data").entries().len() + object.get("binaryData").entries().len();
        vec![name(object), Value::from(count), age(object, now)]
    },
};

pub(super) const SECRET: Printer = Printer {
    columns: "Name|Type|Data|Age",
    cells: |object, now| {
        vec![
            name(object),
            object.get("type").clone(),
            Value::from(object.get("data").entries().len()),
            age(object, now),
        ]
    },
};

pub(super) const QUOTA: Printer = Printer {
    columns: "Name|Request|Limit|Age",
    cells: |object, now| {
        let (hard, used) = (object.path("status.hard"), object.path("status.used"));
        let (mut requests, mut limits) = (Vec::new(), Vec::new());
        for (resource, bound) in hard.entries().iter() {
            let amount = match used.get(resource) {
                Value::Null => "0".to_owned(),
                value => text(value),
            };
            let shown = format!("{resource}: {amount}/{}", text(bound));
            if resource.starts_with("limits") {
                limits.push(shown);
            } else {
                requests.push(shown);
            }
        }
        vec![
            name(object),
            Value::from(requests.join(", ")),
            Value::from(limits.join(", ")),
            age(object, now),
        ]
    },
};

pub(super) const COMPONENT_STATUS: Printer = Printer {
    columns: "Name|Status|Message|Error",
    cells: |object, _| {
        let healthy = object
            .get("conditions")
            .items()
            .iter()
            .find(|c| c.str("type") == "Healthy");
        let field =
            |name: &str| Value::from(healthy.map(|c| c.shared_str(name)).unwrap_or_default());
        let word = match healthy.map(|c| c.str("status")) {
            Some("True") => "Healthy",
            Some(_) => "Unhealthy",
            None => "Unknown",
        };
        vec![
            name(object),
            Value::from(word),
            field("message"),
            field("error"),
        ]
    },
};

pub(super) const LEASE: Printer = Printer {
    columns: "Name|Holder|Age",
    cells: |object, now| {
        vec![
            name(object),
            Value::from(object.get("spec").shared_str("holderIdentity")),
            age(object, now),
        ]
    },
};

pub(super) const PRIORITY_CLASS: Printer = Printer {
    columns: "Name|Value|Global-Default|Age|PreemptionPolicy",
    cells: |object, now| {
        vec![
            name(object),
            number(object.get("value")),
            Value::from(object.bool("globalDefault")),
            age(object, now),
            object.get("preemptionPolicy").clone(),
        ]
    },
};

pub(super) const RUNTIME_CLASS: Printer = Printer {
    columns: "Name|Handler|Age",
    cells: |object, now| {
        vec![
            name(object),
            object.get("handler").clone(),
            age(object, now),
        ]
    },
};

pub(super) const METRICS: Printer = Printer {
    columns: "Name|cpu|memory|Window",
    cells: |object, _| {
        let containers = object.get("containers").items();
        let parts = if containers.is_empty() {
            std::slice::from_ref(object)
        } else {
            containers
        };
        let sum = |resource: &str| {
            let amounts = parts.iter().map(|part| part.get("usage").get(resource));
            let amounts = amounts.filter(|amount| !amount.is_null()).map(Quantity::of);
            let sum = amounts.reduce(|a, b| a + b);
            Value::from(sum.map(|sum| sum.to_string()).unwrap_or_default())
        };
        vec![
            name(object),
            sum("cpu"),
            sum("memory"),
            object.get("window").clone(),
        ]
    },
};

pub(super) const API_SERVICE: Printer = Printer {
    columns: "Name|Service|Available|Age",
    cells: |object, now| {
        let service = object.path("spec.service");
        let backend = if service.is_null() {
            "Local".to_owned()
        } else {
            format!("{}/{}", service.str("namespace"), service.str("name"))
        };
        let available = match meta::condition(object, "Available") {
            Some(c) if c.status() == "True" => "True".to_owned(),
            Some(c) => format!("{} ({})", c.status(), c.reason()),
            None => "Unknown".to_owned(),
        };
        vec![
            name(object),
            Value::from(backend),
            Value::from(available),
            age(object, now),
        ]
    },
};

pub(super) const RESOURCE_CLAIM: Printer = Printer {
    columns: "Name|State|Age",
    cells: |object, now| {
        let status = object.get("status");
        let mut words: Vec<&str> = Vec::new();
        if object.get("metadata").has("deletionTimestamp") {
            words.push("deleted");
        }
        if status.get("allocation").is_null() {
            if words.is_empty() {
                words.push("pending");
            }
        } else {
            words.push("allocated");
            if !status.get("reservedFor").items().is_empty() {
                words.push("reserved");
            }
        }
        vec![name(object), Value::from(words.join(",")), age(object, now)]
    },
};

pub(super) const RESOURCE_SLICE: Printer = Printer {
    columns: "Name|Node|Driver|Pool|Age",
    cells: |object, now| {
        let spec = object.get("spec");
        vec![
            name(object),
            or_none(spec.str("nodeName")),
            spec.get("driver").clone(),
            spec.path("pool.name").clone(),
            age(object, now),
        ]
    },
};
