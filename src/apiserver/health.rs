//! Health checks and the list of paths: `/healthz`, `/livez`, `/readyz`, `/`.
//!
//! The simulated server is healthy whenever it answers; the names of the checks are those of kube-apiserver.
//! Models `apiserver/pkg/server/{healthz,routes/index.go}` at v1.36.

use api::{Status, Str, Value, map};

/// What kube-apiserver runs after its start, in the order in which it registers it.
const HOOKS: &[&str] = &[
    "start-apiserver-admission-initializer",
    "generic-apiserver-start-informers",
    "priority-and-fairness-config-consumer",
    "priority-and-fairness-filter",
    "storage-object-count-tracker-hook",
    "start-apiextensions-informers",
    "start-apiextensions-controllers",
    "crd-informer-synced",
    "start-system-namespaces-controller",
    "peer-endpoint-reconciler-controller",
    "start-cluster-authentication-info-controller",
    "start-kube-apiserver-identity-lease-controller",
    "start-kube-apiserver-identity-lease-garbage-collector",
    "storage-readiness",
    "start-legacy-token-tracking-controller",
    "start-service-ip-repair-controllers",
    "rbac/bootstrap-roles",
    "scheduling/bootstrap-system-priority-classes",
    "priority-and-fairness-config-producer",
    "bootstrap-controller",
    "start-kubernetes-service-cidr-controller",
    "aggregator-reload-proxy-client-cert",
    "start-kube-aggregator-informers",
    "apiservice-status-local-available-controller",
    "apiservice-status-remote-available-controller",
    "apiservice-registration-controller",
    "apiservice-wait-for-first-sync",
    "apiservice-discovery-controller",
    "kube-apiserver-autoregistration",
];

/// Hooks that register after the check of the registration itself.
const LATE_HOOKS: &[&str] = &[
    "apiservice-openapi-controller",
    "apiservice-openapiv3-controller",
];

pub(crate) const ENDPOINTS: [&str; 3] = ["healthz", "livez", "readyz"];

/// Paths that are no resources, besides those of health and discovery.
pub(crate) const OTHER_PATHS: &[&str] = &[
    "/.well-known/openid-configuration",
    "/flagz",
    "/metrics",
    "/metrics/slis",
    "/openapi/v2",
    "/openapi/v3",
    "/openapi/v3/",
    "/openid/v1/jwks",
    "/statusz",
    "/version",
];

/// `/readyz`, `/readyz?verbose`, `/readyz/etcd`; `rest` is what follows the endpoint.
pub(crate) fn answer(
    endpoint: &str,
    rest: &str,
    is_verbose: bool,
    excluded: &[Str],
) -> Result<Value, Status> {
    let checks = checks(endpoint);
    if !rest.is_empty() {
        if !checks.iter().any(|check| check == rest) {
            return Err(crate::call::no_such_page());
        }
        return Ok(Value::from("ok"));
    }
    if !is_verbose {
        return Ok(Value::from("ok"));
    }
    let mut text = String::new();
    for check in &checks {
        if excluded.iter().any(|name| *name == **check) {
            text += &format!("[+]{check} excluded: ok\n");
        } else {
            text += &format!("[+]{check} ok\n");
        }
    }
    text += &format!("{endpoint} check passed\n");
    Ok(Value::from(text))
}

/// The names of an endpoint's checks, in the order in which they are told.
pub(crate) fn checks(endpoint: &str) -> Vec<String> {
    let first: &[&str] = match endpoint {
        "readyz" => &["ping", "log", "informer-sync"],
        _ => &["ping", "log", "etcd", "loopback-serving-certificate"],
    };
    let mut checks: Vec<String> = first.iter().map(|name| (*name).to_owned()).collect();
    let hook = |name: &&str| format!("poststarthook/{name}");
    checks.extend(HOOKS.iter().map(hook));
    checks.push("autoregister-completion".to_owned());
    checks.extend(LATE_HOOKS.iter().map(hook));
    if endpoint == "readyz" {
        checks.push("shutdown".to_owned());
    }
    checks
}

/// Every path, sorted; `groups` are the served ones with their versions, without core.
pub(crate) fn index(groups: &[(Str, Vec<Str>)]) -> Value {
    let mut paths: Vec<String> = ["/api", "/api/v1", "/apis", "/apis/"]
        .iter()
        .chain(OTHER_PATHS)
        .map(|path| (*path).to_owned())
        .collect();
    for (group, versions) in groups {
        paths.push(format!("/apis/{group}"));
        paths.extend(versions.iter().map(|v| format!("/apis/{group}/{v}")));
    }
    for endpoint in ENDPOINTS {
        paths.push(format!("/{endpoint}"));
        paths.extend(checks(endpoint).iter().map(|c| format!("/{endpoint}/{c}")));
    }
    paths.sort();
    map! { "paths": paths.into_iter().map(Value::from).collect::<Vec<_>>() }
}
