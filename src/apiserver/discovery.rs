//! What the server serves: discovery documents, version, health.

use api::kinds::{self, Kind};
use api::{Request, Response, Status, Str, Value, list, map};
use sha2::{Digest as _, Sha256};

use crate::read::query;
use crate::{ApiServer, health};

impl ApiServer {
    pub(crate) fn get_path(&mut self, request: &Request) -> Result<Response, Status> {
        let path = request.name.as_str();
        let is_aggregated =
            query(&request.options, "as").is_some_and(|kind| *kind == *"APIGroupDiscoveryList");
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let body = match parts[..] {
            ["version"] => version(),
            ["metrics"] => self.metrics(),
            ["metrics", "slis"] => self.health_metrics(),
            [] => health::index(&self.served_groups()),
            [endpoint, ..] if health::ENDPOINTS.contains(&endpoint) => {
                let rest = path.trim_matches('/')[endpoint.len()..].trim_start_matches('/');
                let is_verbose = query(&request.options, "verbose").is_some();
                let excluded: Vec<Str> = request
                    .options
                    .query
                    .iter()
                    .filter(|(key, _)| key == "exclude")
                    .map(|(_, value)| value.clone())
                    .collect();
                health::answer(endpoint, rest, is_verbose, &excluded)?
            }
            ["openapi", ref rest @ ..] => {
                self.openapi(rest).ok_or_else(crate::call::no_such_page)?
            }
            ["api"] if is_aggregated => self.aggregated(true),
            ["apis"] if is_aggregated => self.aggregated(false),
            ["api"] => map! {
                "kind": "APIVersions", "versions": list!["v1"],
                "serverAddressByClientCIDRs": list![map! { "clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443" }],
            },
            ["apis"] => {
                let groups: Vec<Value> = self
                    .served_groups()
                    .iter()
                    .map(|(name, versions)| group(name, versions))
                    .collect();
                map! { "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }
            }
            ["apis", name] => {
                let groups = self.served_groups();
                let (name, versions) = groups
                    .iter()
                    .find(|(group, _)| *group == *name)
                    .ok_or_else(crate::call::no_such_page)?;
                let mut body = group(name, versions);
                body.set("kind", "APIGroup");
                body.set("apiVersion", "v1");
                body
            }
            ["api", version] => self.resources("", version)?,
            ["apis", group, version] => self.resources(group, version)?,
            _ => return Err(crate::call::no_such_page()),
        };
        Ok(Response::ok(body))
    }
}

impl ApiServer {
    /// The named groups with their versions: built-in, custom, and what a metrics server adds, in the order of their priorities.
    pub(crate) fn served_groups(&self) -> Vec<(Str, Vec<Str>)> {
        let mut groups = kinds::groups();
        groups.retain(|(name, _)| !name.is_empty() && *name != *kinds::METRICS_GROUP);
        for kind in self.custom_kinds() {
            match groups.iter_mut().find(|(group, _)| *group == kind.group) {
                Some((_, versions)) if versions.contains(&kind.version) => {}
                Some((_, versions)) => versions.push(kind.version.clone()),
                None => groups.push((kind.group.clone(), vec![kind.version.clone()])),
            }
        }
        if self.serves_metrics() {
            groups.push((kinds::METRICS_GROUP.into(), vec!["v1beta1".into()]));
        }
        groups
    }

    pub(crate) fn kinds_of_version(&self, group: &str, version: &str) -> Vec<&Kind> {
        let mut found: Vec<&Kind> = Vec::new();
        let is_served = group != kinds::METRICS_GROUP || self.serves_metrics();
        for kind in kinds::all().iter().filter(|_| is_served) {
            if kind.group == *group && kind.version == *version {
                found.push(kind);
            }
        }
        for kind in self.custom_kinds() {
            if kind.group == *group && kind.version == *version {
                found.push(kind);
            }
        }
        found
    }

    fn resources(&self, group: &str, version: &str) -> Result<Value, Status> {
        let mut rows: Vec<(String, Value)> = Vec::new();
        for kind in self.kinds_of_version(group, version) {
            rows.push((kind.plural.to_string(), resource(kind)));
            for sub in &kind.subresources {
                let name = format!("{}/{}", kind.plural, sub.name);
                let verbs: Vec<Value> = sub.verbs.iter().map(Value::from).collect();
                let mut row = map! {
                    "name": name.clone(), "singularName": "", "namespaced": kind.namespaced, "kind": sub.kind.clone(), "verbs": verbs,
                };
                if !sub.version.is_empty() {
                    row.set("group", sub.group.clone());
                    row.set("version", sub.version.clone());
                }
                rows.push((name, row));
            }
        }
        if rows.is_empty() {
            return Err(self.nothing_there(group));
        }
        if kinds::of_version(group, version).next().is_some() {
            rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        let rows: Vec<Value> = rows.into_iter().map(|(_, row)| row).collect();
        let group_version = if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        };
        let mut body =
            map! { "kind": "APIResourceList", "groupVersion": group_version, "resources": rows };
        if !group.is_empty() {
            body.set("apiVersion", "v1");
        }
        Ok(body)
    }

    /// `apidiscovery.k8s.io/v2`: everything in one document.
    fn aggregated(&self, is_core: bool) -> Value {
        let mut items = Vec::new();
        let groups = if is_core {
            vec![(Str::EMPTY, vec![Str::from("v1")])]
        } else {
            self.served_groups()
        };
        for (group, versions) in groups {
            let versions: Vec<Value> = versions
                .iter()
                .map(|version| self.aggregated_version(&group, version))
                .collect();
            let meta = if is_core {
                map! {}
            } else {
                map! { "name": &group }
            };
            items.push(map! { "metadata": meta, "versions": versions });
        }
        map! { "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": map! {}, "items": items }
    }

    fn aggregated_version(&self, group: &str, version: &str) -> Value {
        let kinds = self.kinds_of_version(group, version);
        let resources: Vec<Value> = kinds.into_iter().map(aggregated_resource).collect();
        map! { "version": version.to_owned(), "resources": resources, "freshness": "Current" }
    }
}

fn group(name: &Str, versions: &[Str]) -> Value {
    let entry =
        |version: &Str| map! { "groupVersion": format!("{name}/{version}"), "version": version };
    let versions: Vec<Value> = versions.iter().map(entry).collect();
    let preferred = versions.first().cloned().unwrap_or_default();
    map! { "name": name, "versions": versions, "preferredVersion": preferred }
}

/// The order in which the server of custom resources lists the verbs.
const CUSTOM_VERBS: [&str; 8] = [
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];

fn resource(kind: &Kind) -> Value {
    let is_built_in = kinds::by_gvk(&kind.group, &kind.version, &kind.kind).is_some();
    let verbs: Vec<Value> = if is_built_in {
        kind.verbs.iter().map(Value::from).collect()
    } else {
        CUSTOM_VERBS.iter().copied().map(Value::from).collect()
    };
    let mut row = map! {
        "name": kind.plural.clone(), "singularName": kind.singular.clone(), "namespaced": kind.namespaced,
        "kind": kind.kind.clone(), "verbs": verbs,
    };
    for (field, names) in [
        ("shortNames", &kind.short_names),
        ("categories", &kind.categories),
    ] {
        if !names.is_empty() {
            row.set(field, names.iter().map(Value::from).collect::<Vec<_>>());
        }
    }
    if kind.verbs.has("watch") {
        row.set("storageVersionHash", storage_version_hash(kind));
    }
    row
}

/// By which clients see that objects are stored in another version than before.
fn storage_version_hash(kind: &Kind) -> String {
    let (group, version) = match (kind.group.as_str(), kind.kind.as_str()) {
        // Two views of one collection.
        ("events.k8s.io", "Event") => ("", "v1"),
        ("autoscaling", "HorizontalPodAutoscaler") => ("autoscaling", "v2"),
        (group, _) => (group, kind.version.as_str()),
    };
    let digest = Sha256::digest(format!("{group}/{version}/{}", kind.kind).as_bytes());
    api::base64::encode(&digest[..8])
}

fn aggregated_resource(kind: &Kind) -> Value {
    let verbs = |verbs: kinds::Verbs| -> Vec<Value> { verbs.iter().map(Value::from).collect() };
    let response_kind = |group: &Str, version: &Str, name: &Str| map! { "group": group, "version": version, "kind": name };
    let mut row = map! {
        "resource": kind.plural.clone(), "responseKind": response_kind(&Str::EMPTY, &Str::EMPTY, &kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular.clone(), "verbs": verbs(kind.verbs),
    };
    for (field, names) in [
        ("shortNames", &kind.short_names),
        ("categories", &kind.categories),
    ] {
        if !names.is_empty() {
            row.set(field, names.iter().map(Value::from).collect::<Vec<_>>());
        }
    }
    if !kind.subresources.is_empty() {
        let subs: Vec<Value> = kind
            .subresources
            .iter()
            .map(|sub| {
                map! {
                    "subresource": sub.name.clone(), "responseKind": response_kind(&sub.group, &sub.version, &sub.kind),
                    "verbs": verbs(sub.verbs),
                }
            })
            .collect();
        row.set("subresources", subs);
    }
    row
}

fn version() -> Value {
    let [commit, built, compiler] = api::KUBERNETES_BUILD;
    map! {
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1", "minCompatibilityMinor": "35",
        "gitVersion": api::KUBERNETES_VERSION, "gitCommit": commit, "gitTreeState": "clean", "buildDate": built,
        "goVersion": compiler, "compiler": "gc", "platform": "linux/amd64",
    }
}
