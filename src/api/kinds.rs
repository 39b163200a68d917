//! The registry: which kinds the API server serves, under which names, with which verbs.
//!
//! One line of [`TABLE`] is one resource, in the order that discovery lists them (groups by priority). The facts
//! are those of Kubernetes v1.36's discovery document; `metrics.k8s.io` is what metrics-server adds to it. Custom
//! resources are no rows: whoever knows them makes [`Kind`]s of their own and searches with [`find`].
//! Models `kubectl api-resources` and the REST mapper's names at v1.36; entry points are [`by_resource`],
//! [`by_gvk`] and [`by_name`].

use std::sync::LazyLock;

use crate::{Resource, Str, Verb};

/// A kind of object and the resource under which it is served.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kind {
    /// Empty for core.
    pub group: Str,
    pub version: Str,
    pub kind: Str,
    pub plural: Str,
    pub singular: Str,
    pub namespaced: bool,
    pub verbs: Verbs,
    pub short_names: Vec<Str>,
    pub categories: Vec<Str>,
    pub subresources: Vec<Subresource>,
    /// What a definition lets field selectors name besides names and namespaces (`spec.color`).
    pub selectable: Vec<Str>,
}

/// `pods/log`, `deployments/scale`, …
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subresource {
    pub name: Str,
    /// What it speaks; group and version are empty where they are those of the resource.
    pub group: Str,
    pub version: Str,
    pub kind: Str,
    pub verbs: Verbs,
}

/// A set of the eight verbs that discovery names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verbs(u8);

/// The group that metrics-server adds; not served without one.
pub const METRICS_GROUP: &str = "metrics.k8s.io";

const VERBS: [(&str, char); 8] = [
    ("create", 'c'),
    ("delete", 'd'),
    ("deletecollection", 'D'),
    ("get", 'g'),
    ("list", 'l'),
    ("patch", 'p'),
    ("update", 'u'),
    ("watch", 'w'),
];

/// `group/version`, then its resources: `plural Kind N|C verbs short,names categories subresource[:[group/version.]Kind]=verbs …`.
/// `N` is namespaced, `C` cluster-wide; `*` is every verb, `-` is none.
const TABLE: &str = "\
v1
  bindings Binding N c - -
  componentstatuses ComponentStatus C gl cs -
  configmaps ConfigMap N * cm -
  endpoints Endpoints N * ep -
  events Event N * ev -
  limitranges LimitRange N * limits -
  namespaces Namespace C cdglpuw ns - finalize=u status=gpu
  nodes Node C * no - proxy:NodeProxyOptions=cdgpu status=gpu
  persistentvolumeclaims PersistentVolumeClaim N * pvc - status=gpu
  persistentvolumes PersistentVolume C * pv - status=gpu
  pods Pod N * po all attach:PodAttachOptions=cg binding:Binding=c ephemeralcontainers=gpu eviction:policy/v1.Eviction=c exec:PodExecOptions=cg log=g portforward:PodPortForwardOptions=cg proxy:PodProxyOptions=cdgpu resize=gpu status=gpu
  podtemplates PodTemplate N * - -
  replicationcontrollers ReplicationController N * rc all scale:autoscaling/v1.Scale=gpu status=gpu
  resourcequotas ResourceQuota N * quota - status=gpu
  secrets Secret N * - -
  serviceaccounts ServiceAccount N * sa - token:authentication.k8s.io/v1.TokenRequest=c
  services Service N * svc all proxy:ServiceProxyOptions=cdgpu status=gpu
apiregistration.k8s.io/v1
  apiservices APIService C * - api-extensions status=gpu
apps/v1
  controllerrevisions ControllerRevision N * - -
  daemonsets DaemonSet N * ds all status=gpu
  deployments Deployment N * deploy all scale:autoscaling/v1.Scale=gpu status=gpu
  replicasets ReplicaSet N * rs all scale:autoscaling/v1.Scale=gpu status=gpu
  statefulsets StatefulSet N * sts all scale:autoscaling/v1.Scale=gpu status=gpu
events.k8s.io/v1
  events Event N * ev -
authentication.k8s.io/v1
  selfsubjectreviews SelfSubjectReview C c - -
  tokenreviews TokenReview C c - -
authorization.k8s.io/v1
  localsubjectaccessreviews LocalSubjectAccessReview N c - -
  selfsubjectaccessreviews SelfSubjectAccessReview C c - -
  selfsubjectrulesreviews SelfSubjectRulesReview C c - -
  subjectaccessreviews SubjectAccessReview C c - -
autoscaling/v2
  horizontalpodautoscalers HorizontalPodAutoscaler N * hpa all status=gpu
autoscaling/v1
  horizontalpodautoscalers HorizontalPodAutoscaler N * hpa all status=gpu
batch/v1
  cronjobs CronJob N * cj all status=gpu
  jobs Job N * - all status=gpu
certificates.k8s.io/v1
  certificatesigningrequests CertificateSigningRequest C * csr - approval=gpu status=gpu
networking.k8s.io/v1
  ingressclasses IngressClass C * - -
  ingresses Ingress N * ing - status=gpu
  ipaddresses IPAddress C * ip -
  networkpolicies NetworkPolicy N * netpol -
  servicecidrs ServiceCIDR C * - - status=gpu
policy/v1
  poddisruptionbudgets PodDisruptionBudget N * pdb - status=gpu
rbac.authorization.k8s.io/v1
  clusterrolebindings ClusterRoleBinding C * - -
  clusterroles ClusterRole C * - -
  rolebindings RoleBinding N * - -
  roles Role N * - -
storage.k8s.io/v1
  csidrivers CSIDriver C * - -
  csinodes CSINode C * - -
  csistoragecapacities CSIStorageCapacity N * - -
  storageclasses StorageClass C * sc -
  volumeattachments VolumeAttachment C * - - status=gpu
  volumeattributesclasses VolumeAttributesClass C * vac -
admissionregistration.k8s.io/v1
  mutatingadmissionpolicies MutatingAdmissionPolicy C * - api-extensions
  mutatingadmissionpolicybindings MutatingAdmissionPolicyBinding C * - api-extensions
  mutatingwebhookconfigurations MutatingWebhookConfiguration C * - api-extensions
  validatingadmissionpolicies ValidatingAdmissionPolicy C * - api-extensions status=gpu
  validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding C * - api-extensions
  validatingwebhookconfigurations ValidatingWebhookConfiguration C * - api-extensions
apiextensions.k8s.io/v1
  customresourcedefinitions CustomResourceDefinition C * crd,crds api-extensions status=gpu
scheduling.k8s.io/v1
  priorityclasses PriorityClass C * pc -
coordination.k8s.io/v1
  leases Lease N * - -
node.k8s.io/v1
  runtimeclasses RuntimeClass C * - -
discovery.k8s.io/v1
  endpointslices EndpointSlice N * - -
resource.k8s.io/v1
  deviceclasses DeviceClass C * - -
  resourceclaims ResourceClaim N * - - status=gpu
  resourceclaimtemplates ResourceClaimTemplate N * - -
  resourceslices ResourceSlice C * - -
flowcontrol.apiserver.k8s.io/v1
  flowschemas FlowSchema C * - - status=gpu
  prioritylevelconfigurations PriorityLevelConfiguration C * - - status=gpu
metrics.k8s.io/v1beta1
  nodes NodeMetrics C gl - -
  pods PodMetrics N gl - -";

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| read(TABLE));

/// Every kind, in the order of discovery; `metrics.k8s.io` last.
pub fn all() -> &'static [Kind] {
    &KINDS
}

/// The kinds of one `group/version`.
pub fn of_version(group: &str, version: &str) -> impl Iterator<Item = &'static Kind> {
    let is_it = move |kind: &&Kind| kind.group == *group && kind.version == *version;
    all().iter().filter(is_it)
}

/// The kind of a plural in its preferred version: `by_resource("apps", "deployments")`.
pub fn by_resource(group: &str, plural: &str) -> Option<&'static Kind> {
    all()
        .iter()
        .find(|kind| kind.group == *group && kind.plural == *plural)
}

/// The kind behind a [`Resource`], in exactly that version.
pub fn of(resource: &Resource) -> Option<&'static Kind> {
    of_version(&resource.group, &resource.version).find(|kind| kind.plural == resource.plural)
}

pub fn by_gvk(group: &str, version: &str, kind: &str) -> Option<&'static Kind> {
    of_version(group, version).find(|k| k.kind == *kind)
}

/// The kind of an object's `apiVersion` and `kind`.
pub fn by_api_version(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = split_api_version(api_version);
    by_gvk(group, version, kind)
}

/// The built-in kind that kubectl understands under `name`; see [`find`].
pub fn by_name(name: &str) -> Option<&'static Kind> {
    find(all(), name)
}

/// The first of `kinds` that kubectl understands under `name`: a plural, singular or short name, or the kind's name
/// in any case, alone or as `name.group` or `name.version.group`; a group may be cut short. Short names count after
/// full names, as in kubectl's mapper.
pub fn find<'a>(kinds: &'a [Kind], name: &str) -> Option<&'a Kind> {
    let name = name.to_ascii_lowercase();
    if name.is_empty() {
        return None;
    }
    let search = |is_called: &dyn Fn(&Kind, &str) -> bool| {
        let first = |name: &str, is_there: &dyn Fn(&Kind) -> bool| {
            kinds
                .iter()
                .find(|kind| is_called(kind, name) && is_there(kind))
        };
        first(&name, &|_| true).or_else(|| {
            let (resource, qualifier) = name.split_once('.')?;
            let versioned = qualifier.split_once('.').and_then(|(version, group)| {
                first(resource, &|kind| {
                    kind.version == *version && kind.group == *group
                })
            });
            versioned
                .or_else(|| first(resource, &|kind| kind.group == *qualifier))
                .or_else(|| first(resource, &|kind| kind.group.starts_with(qualifier)))
        })
    };
    search(&|kind, name| kind.plural == *name || kind.singular == *name)
        .or_else(|| search(&|kind, name| kind.short_names.iter().any(|short| short == name)))
        .or_else(|| search(&|kind, name| kind.kind.eq_ignore_ascii_case(name)))
}

/// The kinds of a category (`all`, `api-extensions`).
pub fn in_category(category: &str) -> impl Iterator<Item = &'static Kind> {
    let is_in = move |kind: &&Kind| kind.categories.iter().any(|c| c == category);
    all().iter().filter(is_in)
}

/// The groups with their versions, the preferred one first, in the order of discovery. Core is the first, named "".
pub fn groups() -> Vec<(Str, Vec<Str>)> {
    let mut groups: Vec<(Str, Vec<Str>)> = Vec::new();
    for kind in all() {
        match groups.iter_mut().find(|(group, _)| *group == kind.group) {
            Some((_, versions)) if versions.contains(&kind.version) => {}
            Some((_, versions)) => versions.push(kind.version.clone()),
            None => groups.push((kind.group.clone(), vec![kind.version.clone()])),
        }
    }
    groups
}

/// `apps/v1` → (`apps`, `v1`); `v1` → ("", `v1`).
pub fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

impl Kind {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> Str {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version).into()
        }
    }

    pub fn resource(&self) -> Resource {
        Resource {
            group: self.group.clone(),
            version: self.version.clone(),
            plural: self.plural.clone(),
        }
    }

    /// `Pod` or `Deployment.apps`.
    pub fn group_kind(&self) -> String {
        if self.group.is_empty() {
            self.kind.to_string()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }

    /// `PodList`, `DeploymentList`, …
    pub fn list_kind(&self) -> Str {
        format!("{}List", self.kind).into()
    }

    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|sub| sub.name == *name)
    }
}

impl Verbs {
    /// Every verb of an ordinary resource.
    pub const ALL: Verbs = Verbs(0xff);

    pub fn has(self, name: &str) -> bool {
        self.iter().any(|verb| verb == name)
    }

    pub fn allows(self, verb: Verb) -> bool {
        self.has(match verb {
            Verb::Get | Verb::GetPath => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create | Verb::Connect => "create",
            Verb::Update => "update",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
            Verb::DeleteCollection => "deletecollection",
        })
    }

    /// The verbs' names, sorted.
    pub fn iter(self) -> impl Iterator<Item = &'static str> {
        let is_set = move |at: &usize| self.0 >> at & 1 == 1;
        (0..VERBS.len()).filter(is_set).map(|at| VERBS[at].0)
    }

    fn read(letters: &str) -> Verbs {
        if letters == "*" {
            return Verbs::ALL;
        }
        let bit = |at: usize| u8::from(letters.contains(VERBS[at].1)) << at;
        Verbs((0..VERBS.len()).map(bit).sum())
    }
}

fn read(table: &'static str) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let mut served = ("", "");
    for line in table.lines() {
        let Some(row) = line.strip_prefix("  ") else {
            served = split_api_version(line);
            continue;
        };
        let mut words = row.split(' ');
        let mut next = || words.next().expect("a row has six columns");
        let (plural, kind, scope, verbs) = (next(), next(), next(), next());
        let (short_names, categories) = (names(next()), names(next()));
        kinds.push(Kind {
            group: served.0.into(),
            version: served.1.into(),
            kind: kind.into(),
            plural: plural.into(),
            // Every built-in singular is the kind in lower case, except those of metrics-server, which has none.
            singular: if served.0 == METRICS_GROUP {
                Str::EMPTY
            } else {
                kind.to_ascii_lowercase().into()
            },
            namespaced: scope == "N",
            verbs: Verbs::read(verbs),
            short_names,
            categories,
            subresources: words.map(|word| subresource(kind, word)).collect(),
            selectable: Vec::new(),
        });
    }
    kinds
}

fn subresource(parent: &'static str, word: &'static str) -> Subresource {
    let (name, verbs) = word
        .split_once('=')
        .expect("a subresource has verbs after =");
    let (name, kind) = name.split_once(':').unwrap_or((name, parent));
    let (api_version, kind) = kind.rsplit_once('.').unwrap_or(("", kind));
    let (group, version) = split_api_version(api_version);
    Subresource {
        name: name.into(),
        group: group.into(),
        version: version.into(),
        kind: kind.into(),
        verbs: Verbs::read(verbs),
    }
}

fn names(column: &'static str) -> Vec<Str> {
    let names = column.split(',').filter(|name| *name != "-");
    names.map(Str::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use crate::golden;

    #[test]
    fn every_kind_is_as_the_real_discovery_says() {
        let Some(exchanges) = golden::wire("1-discovery") else {
            return;
        };
        let mut seen = Vec::new();
        for exchange in &exchanges {
            let response = exchange.get("response");
            if response.str("kind") != "APIGroupDiscoveryList" {
                continue;
            }
            for group in response.get("items").items() {
                for version in group.get("versions").items() {
                    for row in version.get("resources").items() {
                        seen.push(discovered(
                            group.path("metadata").str("name"),
                            version.str("version"),
                            row,
                        ));
                    }
                }
            }
        }
        let built_in = all().iter().filter(|kind| kind.group != *METRICS_GROUP);
        let ours: Vec<Kind> = built_in.cloned().collect();
        assert_eq!(ours, seen);
    }

    fn discovered(group: &str, version: &str, row: &Value) -> Kind {
        let texts = |value: &Value| -> Vec<Str> {
            let texts = value.items().iter().filter_map(Value::as_shared_str);
            texts.cloned().collect()
        };
        let verbs = |value: &Value| {
            let has = |name| value.items().iter().any(|v| v.as_str() == Some(name));
            Verbs((0..8).map(|at| u8::from(has(VERBS[at].0)) << at).sum())
        };
        let subresource = |row: &Value| Subresource {
            name: row.shared_str("subresource"),
            group: row.path("responseKind").shared_str("group"),
            version: row.path("responseKind").shared_str("version"),
            kind: row.path("responseKind").shared_str("kind"),
            verbs: verbs(row.get("verbs")),
        };
        Kind {
            group: Str::new(group),
            version: Str::new(version),
            kind: row.path("responseKind").shared_str("kind"),
            plural: row.shared_str("resource"),
            singular: row.shared_str("singularResource"),
            namespaced: row.str("scope") == "Namespaced",
            verbs: verbs(row.get("verbs")),
            short_names: texts(row.get("shortNames")),
            categories: texts(row.get("categories")),
            subresources: row
                .get("subresources")
                .items()
                .iter()
                .map(subresource)
                .collect(),
            selectable: Vec::new(),
        }
    }

    #[test]
    fn kubectl_finds_kinds_under_all_their_names() {
        for (name, found) in [
            ("po", "v1 Pod"),
            ("pods", "v1 Pod"),
            ("Pod", "v1 Pod"),
            ("PODS", "v1 Pod"),
            ("pods.v1.", "v1 Pod"),
            (
                "networkpolicies.networking",
                "networking.k8s.io/v1 NetworkPolicy",
            ),
            ("pods.v1", "none"),
            ("deployments.apps", "apps/v1 Deployment"),
            ("deploy.apps", "apps/v1 Deployment"),
            ("deployment.v1.apps", "apps/v1 Deployment"),
            ("hpa", "autoscaling/v2 HorizontalPodAutoscaler"),
            (
                "hpa.v1.autoscaling",
                "autoscaling/v1 HorizontalPodAutoscaler",
            ),
            ("events", "v1 Event"),
            ("ev", "v1 Event"),
            ("events.events.k8s.io", "events.k8s.io/v1 Event"),
            ("crds", "apiextensions.k8s.io/v1 CustomResourceDefinition"),
            ("podmetrics", "metrics.k8s.io/v1beta1 PodMetrics"),
            ("pods.metrics.k8s.io", "metrics.k8s.io/v1beta1 PodMetrics"),
            ("pods.v2.apps", "none"),
            ("podz", "none"),
            ("", "none"),
        ] {
            let kind = by_name(name);
            let text = kind.map_or("none".to_owned(), |k| {
                format!("{} {}", k.api_version(), k.kind)
            });
            assert_eq!(text, found, "{name}");
        }
    }

    #[test]
    fn groups_come_with_their_preferred_version_first() {
        let groups = groups();
        assert_eq!(groups[0], ("".into(), vec!["v1".into()]));
        assert!(groups.contains(&("autoscaling".into(), vec!["v2".into(), "v1".into()])));
    }
}
