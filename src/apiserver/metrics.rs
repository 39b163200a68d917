//! `/metrics` and `/metrics/slis`: what the server counts of itself, as Prometheus reads it.
//!
//! Only what is real here is told: requests, open watches, stored objects, the build, health. Durations would be those of the
//! simulation's dice. Models `apiserver/pkg/endpoints/metrics` and `storage/etcd3/metrics` at v1.36.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use api::{Request, Str, Value, Verb};

use crate::{ApiServer, Reply, health};

/// Requests since the start, by what they asked for and what came of it; as many rows as there are kinds and verbs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters(BTreeMap<Row, u64>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    group: Str,
    resource: Str,
    subresource: Str,
    version: Str,
    verb: &'static str,
    scope: &'static str,
    is_dry_run: bool,
    code: u16,
}

impl Row {
    fn of(request: &Request, code: u16) -> Row {
        let resource = &request.resource;
        let is_path = request.verb == Verb::GetPath;
        Row {
            group: resource.group.clone(),
            resource: resource.plural.clone(),
            subresource: if is_path {
                request.name.clone()
            } else {
                request.subresource.clone()
            },
            version: resource.version.clone(),
            verb: match request.verb {
                Verb::List => "LIST",
                Verb::Watch => "WATCH",
                Verb::DeleteCollection => "DELETECOLLECTION",
                Verb::Connect => "CONNECT",
                Verb::Patch if crate::patch::body_is_apply(&request.body) => "APPLY",
                _ => request.method(),
            },
            scope: if is_path {
                ""
            } else if !request.name.is_empty() || request.verb == Verb::Create {
                "resource"
            } else if !request.namespace.is_empty() {
                "namespace"
            } else {
                "cluster"
            },
            is_dry_run: request.options.dry_run,
            code,
        }
    }
}

impl ApiServer {
    pub(crate) fn count(&mut self, request: &Request, reply: &Reply) {
        let code = match reply {
            Reply::Done(response) => response.code,
            Reply::Watching | Reply::Proxy { .. } | Reply::Extension { .. } => 200,
        };
        let row = Row::of(request, code);
        if let Some(count) = self.counters.0.get_mut(&row) {
            *count += 1;
        } else if self.is_served(request) {
            self.counters.0.insert(row, 1);
        }
    }

    /// What does not exist is not counted: there is no end to it.
    fn is_served(&self, request: &Request) -> bool {
        if request.verb == Verb::GetPath {
            let path = request.name.as_str();
            return health::OTHER_PATHS.contains(&path)
                || health::ENDPOINTS
                    .iter()
                    .any(|end| path.strip_prefix('/') == Some(end));
        }
        self.kind_of(&request.resource).is_some_and(|kind| {
            let sub = &request.subresource;
            sub.is_empty() || kind.subresource(sub).is_some()
        })
    }

    /// The text of `/metrics`.
    pub(crate) fn metrics(&self) -> Value {
        let mut text = Text::default();
        let objects = self.store.collections().map(|(name, collection)| {
            let (resource, group) = name.split_once('.').unwrap_or((name, ""));
            let labels = [("group", group), ("resource", resource)];
            (line(&labels), self.store.len(collection) as u64)
        });
        text.metric(
            "apiserver_resource_objects",
            "gauge",
            "Objects in the store.",
            objects,
        );
        let mut open: BTreeMap<String, u64> = BTreeMap::new();
        for (kind, scope) in self.watches.watched() {
            let labels = [
                ("component", "apiserver"),
                ("group", kind.group.as_str()),
                ("resource", &kind.plural),
                ("scope", scope),
                ("subresource", ""),
                ("verb", "WATCH"),
                ("version", &kind.version),
            ];
            *open.entry(line(&labels)).or_default() += 1;
        }
        let help = "Watches that are open.";
        text.metric("apiserver_longrunning_requests", "gauge", help, open);
        let requests = self.counters.0.iter().map(|(row, count)| {
            let code = row.code.to_string();
            let labels = [
                ("code", code.as_str()),
                ("component", "apiserver"),
                ("dry_run", if row.is_dry_run { "All" } else { "" }),
                ("group", &row.group),
                ("resource", &row.resource),
                ("scope", row.scope),
                ("subresource", &row.subresource),
                ("verb", row.verb),
                ("version", &row.version),
            ];
            (line(&labels), *count)
        });
        let help = "Requests that were answered.";
        text.metric("apiserver_request_total", "counter", help, requests);
        let [commit, built, compiler] = api::KUBERNETES_BUILD;
        let build = line(&[
            ("build_date", built),
            ("compiler", "gc"),
            ("git_commit", commit),
            ("git_tree_state", "clean"),
            ("git_version", api::KUBERNETES_VERSION),
            ("go_version", compiler),
            ("major", "1"),
            ("minor", "36"),
            ("platform", "linux/amd64"),
        ]);
        let help = "The release that is modelled.";
        text.metric("kubernetes_build_info", "gauge", help, [(build, 1)]);
        Value::from(text.0)
    }

    /// The text of `/metrics/slis`.
    pub(crate) fn health_metrics(&self) -> Value {
        let mut rows: Vec<(String, u64)> = Vec::new();
        for endpoint in health::ENDPOINTS {
            for check in health::checks(endpoint) {
                rows.push((line(&[("name", &check), ("type", endpoint)]), 1));
            }
        }
        let mut text = Text::default();
        let help = "Whether a check passes.";
        text.metric("kubernetes_healthcheck", "gauge", help, rows);
        Value::from(text.0)
    }
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn metric(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        rows: impl IntoIterator<Item = (String, u64)>,
    ) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, count) in rows {
            let _ = writeln!(self.0, "{name}{labels} {count}");
        }
    }
}

/// `{group="apps",resource="deployments"}`
fn line(labels: &[(&str, &str)]) -> String {
    let labels = labels.iter().map(|(name, value)| {
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    });
    format!("{{{}}}", labels.collect::<Vec<_>>().join(","))
}
