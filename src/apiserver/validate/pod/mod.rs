//! Pods and pod templates (`ValidatePodSpec` of `pkg/apis/core/validation`), in the order of its checks.

mod container;
mod placement;
mod security;
mod update;
mod volume;

use api::Value;

use super::{Problems, labels, names};
use crate::path::Path;

pub(super) use placement::node_selector;
pub(crate) use update::on_update;
pub(super) use volume::host_path;

const DNS_POLICIES: [&str; 4] = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];

pub(crate) fn on_create(object: &Value, out: &mut Problems) {
    let path = Path::new("spec");
    spec(object.get("spec"), &path, out);
    if !object.path("spec.ephemeralContainers").items().is_empty() {
        out.push(
            path.child("ephemeralContainers")
                .forbidden("cannot be set on create"),
        );
    }
}

/// After a write to `resize` or `ephemeralcontainers`, which change nothing else.
pub(crate) fn on_part_update(object: &Value, out: &mut Problems) {
    spec(object.get("spec"), &Path::new("spec"), out);
}

/// A template: the labels and annotations of its metadata, and its spec.
pub(crate) fn template(template: &Value, path: &Path, out: &mut Problems) {
    template_with(template, &[], path, out);
}

/// A template whose pods get further volumes from outside (`volumeClaimTemplates`).
pub(crate) fn template_with(template: &Value, claims: &[Value], path: &Path, out: &mut Problems) {
    let meta = template.get("metadata");
    labels::labels(meta.get("labels").entries(), &path.child("labels"), out);
    labels::annotations(
        meta.get("annotations").entries(),
        &path.child("annotations"),
        out,
    );
    let spec_path = path.child("spec");
    spec_with(template.get("spec"), claims, &spec_path, out);
    if !template.path("spec.ephemeralContainers").items().is_empty() {
        out.push(
            spec_path
                .child("ephemeralContainers")
                .forbidden("ephemeral containers not allowed in pod template"),
        );
    }
}

pub(crate) fn spec(spec: &Value, path: &Path, out: &mut Problems) {
    spec_with(spec, &[], path, out);
}

fn spec_with(spec: &Value, claims: &[Value], path: &Path, out: &mut Problems) {
    let mut volumes = volume::volumes(spec.get("volumes").items(), &path.child("volumes"), out);
    volumes.extend(claims.iter().map(|claim| claim.get("metadata").str("name")));
    container::containers(spec, &volumes, path, out);
    restart_policy(spec, path, out);
    dns_policy(spec, path, out);
    labels::labels(
        spec.get("nodeSelector").entries(),
        &path.child("nodeSelector"),
        out,
    );
    security::of_pod(
        spec.get("securityContext"),
        &path.child("securityContext"),
        out,
    );
    placement::affinity(spec.get("affinity"), &path.child("affinity"), out);
    placement::gates(spec, path, out);
    placement::spread(
        spec.get("topologySpreadConstraints").items(),
        &path.child("topologySpreadConstraints"),
        out,
    );
    for field in ["serviceAccountName", "nodeName"] {
        if !spec.str(field).is_empty() {
            for message in names::subdomain(spec.str(field)) {
                out.push(path.child(field).invalid(spec.get(field), &message));
            }
        }
    }
    if let Some(secs) = spec.int("activeDeadlineSeconds")
        && !(1..=i64::from(i32::MAX)).contains(&secs)
    {
        out.push(
            path.child("activeDeadlineSeconds")
                .invalid(secs, "must be between 1 and 2147483647, inclusive"),
        );
    }
    for field in ["hostname", "subdomain"] {
        if !spec.str(field).is_empty() {
            for message in names::label(spec.str(field)) {
                out.push(path.child(field).invalid(spec.get(field), &message));
            }
        }
    }
    placement::tolerations(
        spec.get("tolerations").items(),
        &path.child("tolerations"),
        out,
    );
    host_aliases(
        spec.get("hostAliases").items(),
        &path.child("hostAliases"),
        out,
    );
    for field in ["priorityClassName", "runtimeClassName"] {
        if !spec.str(field).is_empty() {
            for message in names::subdomain(spec.str(field)) {
                out.push(path.child(field).invalid(spec.get(field), &message));
            }
        }
    }
    let policy = spec.get("preemptionPolicy");
    if !matches!(
        policy.as_str(),
        None | Some("Never" | "PreemptLowerPriority")
    ) {
        out.push(
            path.child("preemptionPolicy")
                .not_supported(policy, &["Never", "PreemptLowerPriority"]),
        );
    }
    let os = spec.path("os.name");
    if !matches!(os.as_str(), None | Some("linux" | "windows")) {
        out.push(
            path.child("os")
                .child("name")
                .not_supported(os, &["linux", "windows"]),
        );
    }
}

fn restart_policy(spec: &Value, path: &Path, out: &mut Problems) {
    let path = path.child("restartPolicy");
    match spec.str("restartPolicy") {
        "Always" | "OnFailure" | "Never" => {}
        "" => out.push(path.required("")),
        _ => out
            .push(path.not_supported(spec.get("restartPolicy"), &["Always", "OnFailure", "Never"])),
    }
}

fn dns_policy(spec: &Value, path: &Path, out: &mut Problems) {
    let policy = spec.str("dnsPolicy");
    let config = spec.get("dnsConfig");
    let config_path = path.child("dnsConfig");
    if policy.is_empty() {
        out.push(path.child("dnsPolicy").required(""));
    } else if !DNS_POLICIES.contains(&policy) {
        out.push(
            path.child("dnsPolicy")
                .not_supported(spec.get("dnsPolicy"), &DNS_POLICIES),
        );
    }
    if policy == "None" {
        if config.is_null() {
            out.push(config_path.required("must provide `dnsConfig` when `dnsPolicy` is None"));
            return;
        }
        if config.get("nameservers").items().is_empty() {
            out.push(
                config_path
                    .child("nameservers")
                    .required("must provide at least one DNS nameserver when `dnsPolicy` is None"),
            );
        }
    }
    let servers = config_path.child("nameservers");
    if config.get("nameservers").items().len() > 3 {
        out.push(servers.invalid(
            config.get("nameservers"),
            "must not have more than 3 nameservers",
        ));
    }
    for (at, server) in config.get("nameservers").items().iter().enumerate() {
        if !super::network::is_ip(server.as_str().unwrap_or_default()) {
            out.push(servers.index(at).invalid(
                server,
                "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            ));
        }
    }
    let options = config_path.child("options");
    for (at, option) in config.get("options").items().iter().enumerate() {
        if option.str("name").is_empty() {
            out.push(options.index(at).required("must not be empty"));
        }
    }
}

fn host_aliases(aliases: &[Value], path: &Path, out: &mut Problems) {
    for (at, alias) in aliases.iter().enumerate() {
        let path = path.index(at);
        if !super::network::is_ip(alias.str("ip")) {
            out.push(path.child("ip").invalid(
                alias.str("ip").to_owned(),
                "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            ));
        }
        let hostnames = path.child("hostnames");
        for (at, name) in alias.get("hostnames").items().iter().enumerate() {
            for message in names::subdomain(name.as_str().unwrap_or_default()) {
                out.push(hostnames.index(at).invalid(name, &message));
            }
        }
    }
}

/// Whether a mode fits a file.
fn file_mode(value: &Value, path: &Path, out: &mut Problems) {
    if value
        .as_int()
        .is_some_and(|mode| !(0..=0o777).contains(&mode))
    {
        out.push(path.invalid(
            value,
            "must be a number between 0 and 0777 (octal), both inclusive",
        ));
    }
}
