//! What the scheduler reads out of a pod, once, and shares between pods that are alike.
//!
//! [`Resident`] is what other pods can notice of a pod that sits on a node; [`Wishes`] is what only matters while it
//! looks for one. Siblings of one controller have equal ones, which [`Interner`] keeps once: that makes a node's
//! pods a short list of (resident, count), and counting pods for a selector a handful of comparisons.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::core::Pod as PodView;
use api::{Str, Value};

use crate::amount::{Amounts, DEFAULT_MEMORY, DEFAULT_MILLI_CPU};
use crate::selector::{Labels, NodeTerm, Requirement, Selector, read_labels};

/// `namespace`, `name`.
pub type PodKey = (Str, Str);

/// A pod that waits for a node.
#[derive(Clone, Debug)]
pub struct Pod {
    pub key: PodKey,
    pub uid: Str,
    pub object: Value,
    pub resident: Arc<Resident>,
    pub wishes: Arc<Wishes>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resident {
    pub namespace: Str,
    pub labels: Labels,
    pub priority: i64,
    pub requests: Amounts,
    /// CPU and memory with defaults for containers that ask for none; used by scores only.
    pub non_zero: (i64, i64),
    pub ports: Vec<HostPort>,
    pub affinity: Vec<Term>,
    pub anti_affinity: Vec<Term>,
    pub likes: Vec<(i64, Term)>,
    pub dislikes: Vec<(i64, Term)>,
    /// Names of the claims it mounts.
    pub claims: Vec<Str>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wishes {
    /// `spec.nodeName` of a pod that still is in the queue is empty; kept for what-ifs.
    pub node_name: Str,
    pub node_selector: Vec<Requirement>,
    pub required_nodes: Option<Vec<NodeTerm>>,
    pub preferred_nodes: Vec<(i64, NodeTerm)>,
    pub tolerations: Vec<Toleration>,
    pub spread: Vec<Spread>,
    pub images: Vec<Str>,
    pub container_count: i64,
    /// The kind and name of the controller, for the default spreading.
    pub owner: Option<(Str, Str)>,
    pub never_preempts: bool,
    /// `spec.schedulingGates`.
    /// Also the devices it claims: nothing here hands out devices, so that it waits for them for ever.
    pub gates: Vec<Str>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    pub ip: Str,
    pub protocol: Str,
    pub port: i64,
}

/// A term of pod affinity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    pub selector: Option<Selector>,
    pub namespaces: Vec<Str>,
    pub namespace_selector: Option<Selector>,
    pub topology_key: Str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Toleration {
    pub key: Str,
    pub is_exists: bool,
    pub value: Str,
    pub effect: Str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taint {
    pub key: Str,
    pub value: Str,
    pub effect: Str,
}

/// A topology spread constraint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spread {
    pub max_skew: i64,
    pub topology_key: Str,
    pub is_required: bool,
    pub selector: Option<Selector>,
    pub min_domains: i64,
    pub honors_affinity: bool,
    pub honors_taints: bool,
}

/// Keeps equal values once.
#[derive(Clone, Debug)]
pub struct Interner<T>(BTreeMap<Arc<T>, u32>);

impl<T: Ord> Default for Interner<T> {
    fn default() -> Self {
        Interner(BTreeMap::new())
    }
}

impl<T: Ord> Interner<T> {
    pub fn take(&mut self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        if let Some((known, _)) = self.0.get_key_value(&value) {
            let known = known.clone();
            if let Some(uses) = self.0.get_mut(&known) {
                *uses += 1;
            }
            return known;
        }
        self.0.insert(value.clone(), 1);
        value
    }

    /// One use fewer of what [`Interner::take`] gave.
    pub fn release(&mut self, value: &Arc<T>) {
        if let Some(uses) = self.0.get_mut(value) {
            *uses -= 1;
            if *uses == 0 {
                self.0.remove(value);
            }
        }
    }
}

impl Toleration {
    pub fn tolerates(&self, taint: &Taint) -> bool {
        (self.effect.is_empty() || self.effect == taint.effect)
            && (self.key.is_empty() || self.key == taint.key)
            && (self.is_exists || !self.key.is_empty() && self.value == taint.value)
    }

    fn read(value: &Value) -> Toleration {
        Toleration {
            key: value.shared_str("key"),
            is_exists: value.str("operator") == "Exists",
            value: value.shared_str("value"),
            effect: value.shared_str("effect"),
        }
    }
}

impl Taint {
    pub fn read(value: &Value) -> Taint {
        Taint {
            key: value.shared_str("key"),
            value: value.shared_str("value"),
            effect: value.shared_str("effect"),
        }
    }
}

impl Term {
    /// Whether a pod with these labels in this namespace is meant.
    pub fn matches(&self, namespace: &Str, namespace_labels: &Labels, labels: &Labels) -> bool {
        let in_namespace = self.namespaces.contains(namespace)
            || self
                .namespace_selector
                .as_ref()
                .is_some_and(|s| s.matches(namespace_labels));
        in_namespace && self.selector.as_ref().is_some_and(|s| s.matches(labels))
    }

    fn read(value: &Value, namespace: &Str) -> Term {
        let mut namespaces: Vec<Str> = strings(value.get("namespaces"));
        let namespace_selector = Selector::read(value.get("namespaceSelector"));
        if namespaces.is_empty() && namespace_selector.is_none() {
            namespaces.push(namespace.clone());
        }
        Term {
            selector: Selector::read(value.get("labelSelector")),
            namespaces,
            namespace_selector,
            topology_key: value.shared_str("topologyKey"),
        }
    }
}

impl Spread {
    fn read(value: &Value, labels: &Labels) -> Spread {
        let mut selector = Selector::read(value.get("labelSelector"));
        for key in value.get("matchLabelKeys").items() {
            // The API server merges these into the selector; a pod made without it still means them.
            let Some(key) = key.as_shared_str() else {
                continue;
            };
            let Some(own) = crate::selector::label(labels, key) else {
                continue;
            };
            if let Some(selector) = &mut selector
                && selector.requirements.iter().all(|r| r.key != *key)
            {
                selector
                    .requirements
                    .push(Requirement::equals(key.clone(), own.clone()));
            }
        }
        Spread {
            max_skew: value.int("maxSkew").unwrap_or(1),
            topology_key: value.shared_str("topologyKey"),
            is_required: value.str("whenUnsatisfiable") != "ScheduleAnyway",
            selector,
            min_domains: value.int("minDomains").unwrap_or(1),
            honors_affinity: value.str("nodeAffinityPolicy") != "Ignore",
            honors_taints: value.str("nodeTaintsPolicy") == "Honor",
        }
    }
}

impl Resident {
    pub fn read(object: &Value) -> Resident {
        let spec = object.get("spec");
        let meta = object.get("metadata");
        let namespace = meta.shared_str("namespace");
        let affinity = spec.get("affinity");
        let required = |kind| -> Vec<Term> {
            affinity
                .at(&[kind, "requiredDuringSchedulingIgnoredDuringExecution"])
                .items()
                .iter()
                .map(|term| Term::read(term, &namespace))
                .collect()
        };
        let preferred = |kind| -> Vec<(i64, Term)> {
            affinity
                .at(&[kind, "preferredDuringSchedulingIgnoredDuringExecution"])
                .items()
                .iter()
                .map(|term| {
                    let weight = term.int("weight").unwrap_or(0);
                    (weight, Term::read(term.get("podAffinityTerm"), &namespace))
                })
                .collect()
        };
        let (requests, non_zero) = requests(spec);
        Resident {
            labels: read_labels(meta.get("labels").entries()),
            priority: spec.int("priority").unwrap_or(0),
            requests,
            non_zero,
            ports: host_ports(spec),
            affinity: required("podAffinity"),
            anti_affinity: required("podAntiAffinity"),
            likes: preferred("podAffinity"),
            dislikes: preferred("podAntiAffinity"),
            claims: claims(object),
            namespace,
        }
    }

    pub fn has_affinity(&self) -> bool {
        !(self.affinity.is_empty()
            && self.anti_affinity.is_empty()
            && self.likes.is_empty()
            && self.dislikes.is_empty())
    }
}

impl Wishes {
    pub fn read(object: &Value) -> Wishes {
        let spec = object.get("spec");
        let labels = read_labels(object.path("metadata.labels").entries());
        let node_affinity = spec.path("affinity.nodeAffinity");
        let required = node_affinity.get("requiredDuringSchedulingIgnoredDuringExecution");
        Wishes {
            node_name: spec.shared_str("nodeName"),
            node_selector: Selector::of_map(spec.get("nodeSelector").entries()).requirements,
            required_nodes: required.is_map().then(|| {
                required
                    .get("nodeSelectorTerms")
                    .items()
                    .iter()
                    .map(NodeTerm::read)
                    .collect()
            }),
            preferred_nodes: node_affinity
                .get("preferredDuringSchedulingIgnoredDuringExecution")
                .items()
                .iter()
                .map(|term| {
                    (
                        term.int("weight").unwrap_or(0),
                        NodeTerm::read(term.get("preference")),
                    )
                })
                .collect(),
            tolerations: spec
                .get("tolerations")
                .items()
                .iter()
                .map(Toleration::read)
                .collect(),
            spread: spec
                .get("topologySpreadConstraints")
                .items()
                .iter()
                .map(|constraint| Spread::read(constraint, &labels))
                .collect(),
            images: spec
                .get("initContainers")
                .items()
                .iter()
                .chain(spec.get("containers").items())
                .map(|container| normal_image(container.str("image")))
                .collect(),
            container_count: (spec.get("containers").items().len()
                + spec.get("initContainers").items().len()) as i64,
            owner: PodView(object)
                .meta()
                .controller()
                .map(|owner| (Str::new(owner.kind()), Str::new(owner.name()))),
            never_preempts: spec.str("preemptionPolicy") == "Never",
            gates: spec
                .get("schedulingGates")
                .items()
                .iter()
                .chain(spec.get("resourceClaims").items())
                .map(|gate| gate.shared_str("name"))
                .collect(),
        }
    }

    /// Whether `spec.nodeSelector` and the required node affinity accept a node.
    pub fn accepts_labels(&self, name: &Str, labels: &Labels) -> bool {
        let selected = self
            .node_selector
            .iter()
            .all(|r| crate::selector::label(labels, &r.key).is_some_and(|v| r.values.contains(v)));
        selected
            && self
                .required_nodes
                .as_ref()
                .is_none_or(|terms| terms.iter().any(|term| term.matches(name, labels)))
    }

    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.tolerations.iter().any(|t| t.tolerates(taint))
    }
}

/// The image's name as node statuses have it: with a tag.
fn normal_image(image: &str) -> Str {
    let after_slash = image.rfind('/').map_or(0, |at| at + 1);
    if image[after_slash..].contains([':', '@']) {
        Str::new(image)
    } else {
        format!("{image}:latest").into()
    }
}

fn strings(list: &Value) -> Vec<Str> {
    list.items()
        .iter()
        .filter_map(|v| v.as_shared_str().cloned())
        .collect()
}

fn host_ports(spec: &Value) -> Vec<HostPort> {
    // Sidecars keep their ports for the pod's whole life; other init containers' ports do not count.
    let sidecars = spec
        .get("initContainers")
        .items()
        .iter()
        .filter(|container| container.str("restartPolicy") == "Always");
    let mut ports: Vec<HostPort> = spec
        .get("containers")
        .items()
        .iter()
        .chain(sidecars)
        .flat_map(|container| container.get("ports").items())
        .filter(|port| port.int("hostPort").unwrap_or(0) > 0)
        .map(|port| HostPort {
            ip: match port.str("hostIP") {
                "" => Str::from("0.0.0.0"),
                ip => Str::new(ip),
            },
            protocol: match port.str("protocol") {
                "" => Str::from("TCP"),
                protocol => Str::new(protocol),
            },
            port: port.int("hostPort").unwrap_or(0),
        })
        .collect();
    ports.sort();
    ports.dedup();
    ports
}

fn claims(object: &Value) -> Vec<Str> {
    object
        .path("spec.volumes")
        .items()
        .iter()
        .filter_map(|volume| {
            if volume.has("ephemeral") {
                let pod = object.path("metadata.name").as_str().unwrap_or_default();
                return Some(format!("{pod}-{}", volume.str("name")).into());
            }
            volume
                .path("persistentVolumeClaim.claimName")
                .as_shared_str()
                .cloned()
        })
        .collect()
}

/// The effective requests of a pod, and the same with defaults (`component-helpers/resource/helpers.go`).
fn requests(spec: &Value) -> (Amounts, (i64, i64)) {
    let read = |container: &Value| {
        let asked = container.path("resources.requests").entries();
        let amounts = Amounts::read(asked);
        let mut padded = amounts.clone();
        if !asked.contains("cpu") {
            padded.milli_cpu = DEFAULT_MILLI_CPU;
        }
        if !asked.contains("memory") {
            padded.memory = DEFAULT_MEMORY;
        }
        [amounts, padded]
    };
    let mut totals = [Amounts::default(), Amounts::default()];
    for container in spec.get("containers").items() {
        for (total, amounts) in totals.iter_mut().zip(read(container)) {
            total.add(&amounts);
        }
    }
    // Sidecars run on beside what comes after them; other init containers run alone, beside the sidecars so far.
    let mut sidecars = [Amounts::default(), Amounts::default()];
    let mut peaks = [Amounts::default(), Amounts::default()];
    for container in spec.get("initContainers").items() {
        let is_sidecar = container.str("restartPolicy") == "Always";
        for (at, amounts) in read(container).into_iter().enumerate() {
            let mut peak = sidecars[at].clone();
            peak.add(&amounts);
            if is_sidecar {
                totals[at].add(&amounts);
                sidecars[at].add(&amounts);
            }
            peaks[at].raise_to(&peak);
        }
    }
    let whole_pod = spec.path("resources.requests").entries();
    let overhead = Amounts::read(spec.get("overhead").entries());
    for (total, peak) in totals.iter_mut().zip(&peaks) {
        total.raise_to(peak);
        let pod_level = Amounts::read(whole_pod);
        if whole_pod.contains("cpu") {
            total.milli_cpu = pod_level.milli_cpu;
        }
        if whole_pod.contains("memory") {
            total.memory = pod_level.memory;
        }
        total.add(&overhead);
    }
    let [requests, padded] = totals;
    (requests, (padded.milli_cpu, padded.memory))
}
