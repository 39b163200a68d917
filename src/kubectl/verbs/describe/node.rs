//! Nodes.

use api::quantity::Quantity;
use api::{Map, Request, Value, core, meta::Meta};

use super::pod::{plain, totals};
use super::{Text, long_time};
use crate::{Context, Failure};

pub(crate) fn describe(
    ctx: &mut Context<'_>,
    text: &mut Text,
    object: &Value,
) -> Result<(), Failure> {
    let node = core::Node(object);
    let (meta, status) = (node.meta(), object.get("status"));
    text.line(0, format!("Name:\t{}", meta.name()));
    let roles: Vec<&str> = meta
        .labels()
        .keys()
        .filter_map(|key| key.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    text.line(
        0,
        format!(
            "Roles:\t{}",
            if roles.is_empty() {
                "<none>".to_owned()
            } else {
                roles.join(",")
            }
        ),
    );
    text.labels(0, "Labels", meta.labels());
    text.annotations(0, "Annotations", meta.annotations());
    text.line(
        0,
        format!(
            "CreationTimestamp:\t{}",
            long_time(meta.0.get("creationTimestamp"))
        ),
    );
    let mut taints: Vec<String> = node.taints().iter().map(taint).collect();
    taints.sort();
    text.column(0, "Taints", &taints);
    text.line(0, format!("Unschedulable:\t{}", node.unschedulable()));
    let lease = ctx.call(Request::get(
        &core::LEASES,
        "kube-node-lease",
        meta.shared_name(),
    ))?;
    if lease.is_success() {
        let spec = lease.body.get("spec");
        text.line(0, "Lease:");
        text.line(
            1,
            format!(
                "HolderIdentity:\t{}",
                spec.get("holderIdentity").as_str().unwrap_or("<unset>")
            ),
        );
        text.line(
            1,
            format!("AcquireTime:\t{}", long_time(spec.get("acquireTime"))),
        );
        text.line(
            1,
            format!("RenewTime:\t{}", long_time(spec.get("renewTime"))),
        );
    }
    let conditions = status.get("conditions").items();
    if !conditions.is_empty() {
        text.line(
            0,
            "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage",
        );
        text.line(
            1,
            "----\t------\t-----------------\t------------------\t------\t-------",
        );
        for c in conditions {
            text.line(
                1,
                format!(
                    "{} \t{} \t{} \t{} \t{} \t{}",
                    c.str("type"),
                    c.str("status"),
                    long_time(c.get("lastHeartbeatTime")),
                    long_time(c.get("lastTransitionTime")),
                    c.str("reason"),
                    c.str("message")
                ),
            );
        }
    }
    text.line(0, "Addresses:");
    for address in status.get("addresses").items() {
        text.line(
            1,
            format!("{}:\t{}", address.str("type"), address.str("address")),
        );
    }
    for (title, amounts) in [
        ("Capacity", node.capacity()),
        ("Allocatable", node.allocatable()),
    ] {
        text.line(0, format!("{title}:"));
        for (name, amount) in amounts.iter() {
            text.line(1, format!("{name}:\t{}", plain(amount)));
        }
    }
    let info = status.get("nodeInfo");
    text.line(0, "System Info:");
    for (title, key) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
        ("Kube-Proxy Version", "kubeProxyVersion"),
    ] {
        text.line(1, format!("{title}:\t{}", info.str(key)));
    }
    if !node.pod_cidr().is_empty() {
        text.line(0, format!("PodCIDR:\t{}", node.pod_cidr()));
    }
    let cidrs: Vec<&str> = object
        .path("spec.podCIDRs")
        .items()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if !cidrs.is_empty() {
        text.line(0, format!("PodCIDRs:\t{}", cidrs.join(",")));
    }
    if let Some(provider) = object.path("spec.providerID").as_str() {
        text.line(0, format!("ProviderID:\t{provider}"));
    }
    let fields = format!(
        "spec.nodeName={},status.phase!=Failed,status.phase!=Succeeded",
        meta.name()
    );
    let pods = ctx.object(Request::list(&core::PODS, "").fields(fields))?;
    pods_and_totals(ctx, text, node.allocatable(), pods.get("items").items());
    Ok(())
}

fn taint(taint: &Value) -> String {
    let (key, value, effect) = (taint.str("key"), taint.str("value"), taint.str("effect"));
    if value.is_empty() {
        format!("{key}:{effect}")
    } else {
        format!("{key}={value}:{effect}")
    }
}

fn pods_and_totals(ctx: &mut Context<'_>, text: &mut Text, allocatable: &Map, pods: &[Value]) {
    text.line(
        0,
        format!("Non-terminated Pods:\t({} in total)", pods.len()),
    );
    text.line(
        1,
        "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge",
    );
    text.line(
        1,
        "---------\t----\t\t------------\t----------\t---------------\t-------------\t---",
    );
    let amount = |map: &Map, name: &str| {
        Quantity::parse(&map.get(name).map(plain).unwrap_or_default()).unwrap_or_default()
    };
    let share = |quantity: &Quantity, name: &str| {
        let whole = amount(allocatable, name).millis();
        let percent = if whole == 0 {
            0
        } else {
            quantity.millis() * 100 / whole
        };
        format!("{quantity} ({percent}%)")
    };
    let mut sums: Vec<(String, Quantity, Quantity)> = ["cpu", "memory", "ephemeral-storage"]
        .iter()
        .map(|name| ((*name).to_owned(), Quantity::default(), Quantity::default()))
        .collect();
    for name in allocatable
        .keys()
        .filter(|name| name.starts_with("hugepages-"))
    {
        sums.push((name.to_string(), Quantity::default(), Quantity::default()));
    }
    let now = ctx.now();
    for pod in pods {
        let meta = Meta::of(pod);
        let (requests, limits) = totals(pod);
        text.line(
            1,
            format!(
                "{}\t{}\t\t{}\t{}\t{}\t{}\t{}",
                meta.namespace(),
                meta.name(),
                share(&amount(&requests, "cpu"), "cpu"),
                share(&amount(&limits, "cpu"), "cpu"),
                share(&amount(&requests, "memory"), "memory"),
                share(&amount(&limits, "memory"), "memory"),
                meta.creation_time()
                    .map_or("<unknown>".to_owned(), |created| super::age(now, created))
            ),
        );
        for (name, requested, limited) in &mut sums {
            *requested += amount(&requests, name);
            *limited += amount(&limits, name);
        }
    }
    text.line(
        0,
        "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)",
    );
    text.line(1, "Resource\tRequests\tLimits");
    text.line(1, "--------\t--------\t------");
    for (name, requested, limited) in &sums {
        text.line(
            1,
            format!(
                "{name}\t{}\t{}",
                share(requested, name),
                share(limited, name)
            ),
        );
    }
}
