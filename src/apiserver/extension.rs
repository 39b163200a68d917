//! The aggregated part of the API: APIService objects, and `metrics.k8s.io`, which metrics-server answers.
//!
//! This server lets in and words the answer; what was measured comes from whoever asks the kubelets ([`Reply::Extension`],
//! then [`ApiServer::answer_measured`]). Models `kube-aggregator`'s registration of built-in groups at v1.36 and
//! metrics-server's `pkg/api`.

use api::kinds::{self, Kind};
use api::{Request, Response, Status, Str, Value, Verb, list, map};
use sim::{Rng, Time};
use store::Key;

use crate::read::{Form, check_list_options, partial_metadata};
use crate::select::Selection;
use crate::{ApiServer, Reply, call, table};

const SERVICES: &str = "apiservices.apiregistration.k8s.io";
const METRICS_SERVICE: &str = "v1beta1.metrics.k8s.io";

/// Groups by their place in discovery (`cmd/kube-apiserver/app/aggregator.go`). The aggregator's own group is no service.
const PRIORITIES: [(&str, i64); 20] = [
    ("", 18_000),
    ("apps", 17_800),
    ("events.k8s.io", 17_750),
    ("authentication.k8s.io", 17_700),
    ("authorization.k8s.io", 17_600),
    ("autoscaling", 17_500),
    ("batch", 17_400),
    ("certificates.k8s.io", 17_300),
    ("networking.k8s.io", 17_200),
    ("policy", 17_100),
    ("rbac.authorization.k8s.io", 17_000),
    ("storage.k8s.io", 16_800),
    ("apiextensions.k8s.io", 16_700),
    ("admissionregistration.k8s.io", 16_700),
    ("scheduling.k8s.io", 16_600),
    ("coordination.k8s.io", 16_500),
    ("node.k8s.io", 16_300),
    ("discovery.k8s.io", 16_200),
    ("resource.k8s.io", 16_200),
    ("flowcontrol.apiserver.k8s.io", 16_100),
];

impl ApiServer {
    /// One APIService for each version of each group that is built in.
    pub(crate) fn plant_services(&mut self) {
        for (group, versions) in kinds::groups() {
            let place = PRIORITIES.iter().find(|(name, _)| group == **name);
            let Some((_, priority)) = place else {
                continue;
            };
            for version in versions {
                let version_priority = match (group.as_str(), version.as_str()) {
                    ("", _) => 1,
                    ("autoscaling", "v2") => 30,
                    ("resource.k8s.io", _) => 20,
                    ("flowcontrol.apiserver.k8s.io", _) => 21,
                    _ => 15,
                };
                let mut spec = map! {
                    "groupPriorityMinimum": *priority, "version": &version, "versionPriority": version_priority,
                };
                if !group.is_empty() {
                    spec.set("group", &group);
                }
                let service = map! {
                    "metadata": map! {
                        "name": format!("{version}.{group}"),
                        "labels": map! { "kube-aggregator.kubernetes.io/automanaged": "onstart" },
                    },
                    "spec": spec,
                };
                self.plant_service(service, "Local", "Local APIServices are always available");
            }
        }
    }

    /// Installs metrics-server: from now on `metrics.k8s.io` is served, as long as its APIService exists.
    pub fn install_metrics_server(&mut self) {
        let service = map! {
            "metadata": map! { "name": METRICS_SERVICE, "labels": map! { "k8s-app": "metrics-server" } },
            "spec": map! {
                "group": kinds::METRICS_GROUP, "groupPriorityMinimum": 100, "insecureSkipTLSVerify": true,
                "service": map! { "name": "metrics-server", "namespace": "kube-system", "port": 443 },
                "version": "v1beta1", "versionPriority": 100,
            },
        };
        // What is installed must not shift the names of what follows.
        let uids = std::mem::replace(&mut self.uids, Rng::stream(self.token_key, "extensions"));
        self.plant_service(service, "Passed", "all checks passed");
        self.uids = uids;
        self.has_metrics_server = true;
        self.tell_watchers();
        self.notes.clear();
    }

    fn plant_service(&mut self, service: Value, reason: &'static str, message: &'static str) {
        let available = map! {
            "lastTransitionTime": self.now.rfc3339(), "message": message, "reason": reason, "status": "True",
            "type": "Available",
        };
        let (group, kind) = ("apiregistration.k8s.io", "APIService");
        let status = map! { "status": map! { "conditions": list![available] } };
        self.plant(group, "v1", "apiservices", kind, service, status);
    }

    /// Whether `metrics.k8s.io` is part of this API.
    pub(crate) fn serves_metrics(&self) -> bool {
        let name = Str::Static(METRICS_SERVICE);
        self.has_metrics_server && self.object(SERVICES, &Str::EMPTY, &name).is_some()
    }

    /// Lets a request for metrics pass to those who measure.
    pub(crate) fn ask_extension(&self, request: &Request) -> Result<Reply, Status> {
        let kind = self
            .kind_of(&request.resource)
            .ok_or_else(|| self.nothing_there(&request.resource.group))?;
        if !request.subresource.is_empty() || !request.namespace.is_empty() && !kind.namespaced {
            return Err(call::no_such_path());
        }
        let needs_namespace = kind.namespaced && request.namespace.is_empty();
        if !kind.verbs.allows(request.verb) || needs_namespace && request.verb != Verb::List {
            return Err(Status::method_not_allowed());
        }
        Ok(Reply::Extension {
            request: Box::new(request.clone()),
        })
    }

    /// The answer to a request for metrics; `samples` is what was measured of all pods or nodes, without labels.
    pub fn answer_measured(&self, now: Time, request: &Request, samples: Vec<Value>) -> Response {
        self.measured(now, request, samples)
            .map_or_else(Status::into_response, Response::ok)
    }

    fn measured(&self, now: Time, request: &Request, samples: Vec<Value>) -> Result<Value, Status> {
        let kind = self
            .kind_of(&request.resource)
            .ok_or_else(|| self.nothing_there(&request.resource.group))?;
        let form = Form::of(&request.options);
        let in_table = |items: &[Value]| {
            let include = &request.options.include_object;
            table::table(&kind, &Value::Null, include, items, map! {}, now)
        };
        if request.verb == Verb::Get {
            let sample = self.sample_of(&kind, request, samples)?;
            return Ok(match form {
                Form::Table => in_table(&[sample]),
                Form::PartialMetadata => partial_metadata(&sample),
                Form::Object => sample,
            });
        }
        check_list_options(&request.options, false)?;
        let selection = Selection::of(&kind, &request.options)?;
        let mut items: Vec<(Key, Value)> = samples
            .into_iter()
            .filter_map(|sample| self.labelled(&kind, sample))
            .filter(|(key, _)| request.namespace.is_empty() || key.namespace == request.namespace)
            .filter(|(_, sample)| selection.matches(&kind, sample))
            .collect();
        items.sort_by(|(a, _), (b, _)| a.cmp(b));
        let items: Vec<Value> = items.into_iter().map(|(_, sample)| sample).collect();
        Ok(match form {
            Form::Table => in_table(&items),
            Form::PartialMetadata => map! {
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": map! {},
                "items": items.iter().map(partial_metadata).collect::<Vec<_>>(),
            },
            Form::Object => map! {
                "kind": kind.list_kind(), "apiVersion": kind.api_version(), "metadata": map! {}, "items": items,
            },
        })
    }

    /// metrics-server knows pods and nodes by watching them, and what they use by asking the kubelets.
    fn sample_of(
        &self,
        kind: &Kind,
        request: &Request,
        samples: Vec<Value>,
    ) -> Result<Value, Status> {
        let (namespace, name) = (&request.namespace, &request.name);
        if self.object(&kind.plural, namespace, name).is_none() {
            return Err(Status::not_found("", &kind.plural, name));
        }
        let wanted = Key::new(namespace, name);
        let mut known = samples
            .into_iter()
            .filter_map(|sample| self.labelled(kind, sample));
        let found = known.find(|(key, _)| *key == wanted);
        found.map(|(_, sample)| sample).ok_or_else(|| {
            let path = if kind.namespaced {
                format!("{namespace}/{name}")
            } else {
                name.to_string()
            };
            Status::not_found(&kind.group, &kind.kind.to_lowercase(), &path)
        })
    }

    /// The sample with the labels of what was measured; `None` if that is gone.
    fn labelled(&self, kind: &Kind, mut sample: Value) -> Option<(Key, Value)> {
        let meta = sample.get("metadata");
        let key = Key::new(meta.shared_str("namespace"), meta.shared_str("name"));
        let measured = self.object(&kind.plural, &key.namespace, &key.name)?;
        let labels = measured.get("metadata").get("labels");
        if !labels.is_empty() {
            sample.entry("metadata").set("labels", labels);
        }
        Some((key, sample))
    }
}
