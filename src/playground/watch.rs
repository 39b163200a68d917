//! Turns what happened in the cluster into updates: changes of the store into rows, notes into messages, marks and chains.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use api::note::Key;
use api::{Note, Part as ApiPart, Str, Value, Verb, WatchKind, core, meta};
use sim::{NoteId, Time, Traced};

use crate::desk::FIRST_CLIENT;
use crate::{
    Chain, ChainStep, Control, Controller, Fall, Mark, MarkKind, Message, Micros, NodeRow,
    ObjectRef, Part, Text, Update, rows,
};

/// Messages that one batch of updates carries; when more happened, the oldest are left out.
const MESSAGES_MAX: usize = 600;
/// Commands whose effects are followed.
const CHAINS_MAX: usize = 6;
/// Links of one chain.
const STEPS_MAX: usize = 16;
/// Notes whose root command is remembered.
const ROOTS_MAX: usize = 8_192;

/// What has been shown so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watcher {
    revision: u64,
    note: NoteId,
    control: Option<Control>,
    nodes: BTreeMap<String, NodeRow>,
    /// Objects of Node kind and requests of pods by node, for the sums.
    node_objects: BTreeMap<String, Value>,
    pods: BTreeMap<String, (String, (u64, u64))>,
    /// Message or command that a note descends from: note → (message, root command).
    roots: BTreeMap<u64, (Option<u64>, Option<u64>)>,
    chains: BTreeMap<u64, Chain>,
    /// Times of recent requests, for the rate.
    requests: VecDeque<Time>,
    /// Deployments and pods that were ready, for marks of what changed.
    ready: BTreeSet<String>,
}

impl Watcher {
    /// Everything that changed since the last call.
    pub(crate) fn look(&mut self, cluster: &cluster::Cluster, start: Time, out: &mut Vec<Update>) {
        self.objects(cluster, start, out);
        self.notes(cluster, start, out);
        self.control(cluster, out);
    }

    fn objects(&mut self, cluster: &cluster::Cluster, start: Time, out: &mut Vec<Update>) {
        let server = cluster.server();
        if server.revision() == self.revision && !self.nodes.is_empty() {
            self.node_rows(cluster, out);
            return;
        }
        match server
            .changes_since(self.revision)
            .filter(|_| self.revision > 0)
        {
            Some(changes) => {
                // Only the newest state of each object is worth a row.
                let mut newest: BTreeMap<String, (WatchKind, Str, Value)> = BTreeMap::new();
                for (collection, kind, object) in changes {
                    let uid = meta::Meta::of(&object).uid().to_owned();
                    newest.insert(uid, (kind, collection, object));
                }
                for (uid, (kind, collection, object)) in newest {
                    self.object(
                        &collection,
                        &uid,
                        &object,
                        kind == WatchKind::Deleted,
                        start,
                        cluster.now(),
                        out,
                    );
                }
            }
            None => {
                for (collection, object) in server.everything() {
                    let uid = meta::Meta::of(object).uid().to_owned();
                    self.object(collection, &uid, object, false, start, cluster.now(), out);
                }
            }
        }
        self.revision = server.revision();
        self.node_rows(cluster, out);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one private call, each argument a different thing"
    )]
    fn object(
        &mut self,
        collection: &str,
        uid: &str,
        object: &Value,
        is_gone: bool,
        start: Time,
        now: Time,
        out: &mut Vec<Update>,
    ) {
        if !rows::is_shown(collection) {
            return;
        }
        match collection {
            "nodes" if is_gone => {
                let name = meta::Meta::of(object).name().to_owned();
                self.node_objects.remove(&name);
                self.nodes.remove(&name);
                out.push(Update::NodeGone { name });
            }
            "nodes" => {
                self.node_objects
                    .insert(meta::Meta::of(object).name().to_owned(), object.clone());
            }
            "pods" => {
                let phase = core::Pod(object).phase();
                if is_gone || phase == "Succeeded" || phase == "Failed" {
                    self.pods.remove(uid);
                } else {
                    self.pods.insert(
                        uid.to_owned(),
                        (
                            core::Pod(object).node_name().to_owned(),
                            rows::requests(object),
                        ),
                    );
                }
            }
            _ => {}
        }
        if is_gone {
            self.ready.remove(uid);
            out.push(Update::ObjectGone {
                uid: uid.to_owned(),
            });
            return;
        }
        let row = rows::object(object, start);
        if collection == "deployments.apps" {
            self.mark_deployment(uid, &row, now.since(start), out);
        }
        out.push(Update::Object(row));
    }

    /// A Deployment that became complete, or failed, is worth a mark on the time bar.
    fn mark_deployment(
        &mut self,
        uid: &str,
        row: &crate::ObjectRow,
        at: Micros,
        out: &mut Vec<Update>,
    ) {
        let was_ready = self.ready.contains(uid);
        let is_ready = row.state == crate::State::Ready;
        if is_ready && !was_ready {
            self.ready.insert(uid.to_owned());
            let label = Text::new(
                format!("Deployment {} がそろいました", row.name),
                format!("Deployment {} is complete", row.name),
            );
            out.push(Update::Mark(Mark {
                at,
                kind: MarkKind::Good,
                label,
            }));
        } else if !is_ready && was_ready {
            self.ready.remove(uid);
            let label = Text::new(
                format!("Deployment {} に不足", row.name),
                format!("Deployment {} lacks pods", row.name),
            );
            out.push(Update::Mark(Mark {
                at,
                kind: MarkKind::Bad,
                label,
            }));
        }
    }

    fn node_rows(&mut self, cluster: &cluster::Cluster, out: &mut Vec<Update>) {
        let mut sums: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for (node, (cpu, memory)) in self.pods.values() {
            let sum = sums.entry(node).or_default();
            *sum = (sum.0 + cpu, sum.1 + memory);
        }
        for (name, object) in &self.node_objects {
            let fall = cluster.machine_number(name).and_then(|number| {
                if cluster.is_down(ApiPart::Kubelet(number)) {
                    Some(Fall::PoweredOff)
                } else {
                    cluster.is_cut_off(number).then_some(Fall::CutOff)
                }
            });
            let row = rows::node(
                object,
                sums.get(name.as_str()).copied().unwrap_or_default(),
                fall,
            );
            if self.nodes.get(name) != Some(&row) {
                self.nodes.insert(name.clone(), row.clone());
                out.push(Update::Node(row));
            }
        }
    }

    fn notes(&mut self, cluster: &cluster::Cluster, start: Time, out: &mut Vec<Update>) {
        let mut messages = Vec::new();
        for traced in cluster
            .trace()
            .after(self.note)
            .cloned()
            .collect::<Vec<_>>()
        {
            self.note = traced.id;
            self.one(cluster, &traced, start, &mut messages, out);
        }
        let skip = messages.len().saturating_sub(MESSAGES_MAX);
        out.extend(messages.into_iter().skip(skip).map(Update::Message));
        while self.roots.len() > ROOTS_MAX {
            self.roots.pop_first();
        }
    }

    fn one(
        &mut self,
        cluster: &cluster::Cluster,
        traced: &Traced<Note>,
        start: Time,
        messages: &mut Vec<Message>,
        out: &mut Vec<Update>,
    ) {
        let (parent, root) = self.roots.get(&traced.cause.0).copied().unwrap_or_default();
        let id = traced.id.0;
        let at = traced.at.since(start);
        let base = |from: Part, to: Part, arrives: Time, key: &Key| Message {
            id,
            from,
            to,
            label: String::new(),
            raw: String::new(),
            sent_at: at,
            arrives_at: arrives.since(start),
            cause: parent,
            about: reference(key),
            is_routine: false,
            error: None,
        };
        let mut message = None;
        let mut own_root = root;
        match &traced.note {
            Note::Command { line, .. } => {
                own_root = Some(id);
                let label = Text::same(line.to_string());
                out.push(Update::Mark(Mark {
                    at,
                    kind: MarkKind::Command,
                    label,
                }));
            }
            Note::Fault { what, on } => {
                let label = if *on {
                    Text::new(format!("故障: {what}"), format!("broken: {what}"))
                } else {
                    Text::new(format!("復旧: {what}"), format!("mended: {what}"))
                };
                out.push(Update::Mark(Mark {
                    at,
                    kind: if *on { MarkKind::Bad } else { MarkKind::Good },
                    label,
                }));
            }
            Note::Sent {
                from,
                to,
                actor,
                verb,
                key,
                subresource,
                arrives,
                ..
            } => {
                let sender = part(cluster, *from, actor, &key.kind);
                let receiver = part(cluster, *to, "", &key.kind);
                self.requests.push_back(traced.at);
                let method = method(*verb);
                let short = if subresource.is_empty() {
                    key.kind.as_str()
                } else {
                    subresource.as_str()
                };
                let is_routine = is_routine(*from, *verb, key);
                message = Some(Message {
                    label: format!("{method} {short}"),
                    raw: format!("{method} {}", path(*verb, key, subresource)),
                    is_routine,
                    ..base(sender.clone(), receiver, *arrives, key)
                });
                if let (Some(root), false) = (root, is_routine) {
                    self.chain(
                        root,
                        ChainStep {
                            at,
                            says: says(&sender, *verb, key, subresource),
                            part: sender,
                            raw: format!("{method} {}", path(*verb, key, subresource)),
                            message: Some(id),
                        },
                        *verb,
                        key,
                        subresource,
                        out,
                    );
                }
            }
            Note::Watched {
                to,
                kind,
                key,
                arrives,
            } => {
                message = Some(Message {
                    label: format!("{} {}", kind.as_str(), kind_of(&key.kind)),
                    raw: format!("{} {}", kind.as_str(), path(Verb::Get, key, "")),
                    is_routine: *kind == WatchKind::Bookmark
                        || matches!(key.kind.as_str(), "leases" | "events"),
                    ..base(
                        Part::ApiServer,
                        part(cluster, *to, "", &key.kind),
                        *arrives,
                        key,
                    )
                });
            }
            Note::Answered {
                to, code, arrives, ..
            } if *code >= 400 => {
                let key = Key::default();
                message = Some(Message {
                    label: code.to_string(),
                    raw: format!("HTTP {code}"),
                    error: Some(*code),
                    ..base(Part::ApiServer, part(cluster, *to, "", ""), *arrives, &key)
                });
            }
            Note::Stored {
                revision,
                key,
                kind,
            } => {
                let verb = if *kind == WatchKind::Deleted {
                    "DELETE"
                } else {
                    "PUT"
                };
                message = Some(Message {
                    label: format!("{verb} {}", key.kind),
                    raw: format!(
                        "etcd {verb} /registry/{}/{}/{} @{revision}",
                        key.kind, key.namespace, key.name
                    ),
                    is_routine: matches!(key.kind.as_str(), "leases" | "events"),
                    ..base(Part::ApiServer, Part::Etcd, traced.at + sim::MILLI, key)
                });
            }
            _ => {}
        }
        let own_message = message.as_ref().map(|m| m.id).or(parent);
        messages.extend(message);
        if own_message.is_some() || own_root.is_some() {
            self.roots.insert(id, (own_message, own_root));
        }
    }

    /// Adds a link to the chain of command `root`, unless it repeats one that is there.
    fn chain(
        &mut self,
        root: u64,
        step: ChainStep,
        verb: Verb,
        key: &Key,
        subresource: &str,
        out: &mut Vec<Update>,
    ) {
        let is_read = matches!(verb, Verb::Get | Verb::List | Verb::Watch | Verb::GetPath);
        if is_read || key.kind == "events" {
            return;
        }
        if !self.chains.contains_key(&root) && !matches!(step.part, Part::User) {
            return;
        }
        let chain = self.chains.entry(root).or_insert_with(|| Chain {
            id: root,
            subject: reference(key).unwrap_or_default(),
            ..Chain::default()
        });
        let shape = |step: &ChainStep| {
            (
                std::mem::discriminant(&step.part),
                step.says
                    .en
                    .split(' ')
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                step.raw.split(' ').next().unwrap_or_default().to_owned(),
            )
        };
        let sub = if subresource.is_empty() {
            key.kind.as_str()
        } else {
            subresource
        };
        let repeats = chain
            .steps
            .iter()
            .any(|old| shape(old) == shape(&step) && old.raw.contains(sub));
        if repeats || chain.steps.len() >= STEPS_MAX {
            return;
        }
        chain.steps.push(step);
        out.push(Update::Chain(chain.clone()));
        while self.chains.len() > CHAINS_MAX {
            self.chains.pop_first();
        }
    }

    fn control(&mut self, cluster: &cluster::Cluster, out: &mut Vec<Update>) {
        let now = cluster.now();
        let second_ago = now - sim::SECOND;
        while self.requests.front().is_some_and(|at| *at <= second_ago) {
            self.requests.pop_front();
        }
        let mut stopped = Vec::new();
        if cluster.is_down(ApiPart::Scheduler) {
            stopped.push(Part::Scheduler);
        }
        if cluster.is_down(ApiPart::ApiServer) {
            stopped.push(Part::ApiServer);
        }
        let is_down = cluster.is_down(ApiPart::ControllerManager);
        for (name, flag) in CONTROLLERS {
            if is_down || !cluster.manager().is_enabled(flag) {
                stopped.push(Part::Controller((*name).to_owned()));
            }
        }
        let control = Control {
            is_up: !cluster.is_down(ApiPart::ApiServer),
            revision: cluster.server().revision(),
            requests_per_sec: self.requests.len() as u32,
            watches: cluster.server().watch_count() as u32,
            scheduler_queue: cluster.waiting_pods() as u32,
            controllers: CONTROLLERS
                .iter()
                .map(|(name, _)| Controller {
                    name: (*name).to_owned(),
                })
                .collect(),
            cloud: Vec::new(),
            stopped,
        };
        if self.control.as_ref() != Some(&control) {
            self.control = Some(control.clone());
            out.push(Update::Control(control));
        }
    }
}

/// Controllers in the order in which they are drawn, with their names in `--controllers`.
const CONTROLLERS: &[(&str, &str)] = &[
    ("Deployment", "deployment-controller"),
    ("ReplicaSet", "replicaset-controller"),
    ("Node", "node-lifecycle-controller"),
    ("Namespace", "namespace-controller"),
    ("GarbageCollector", "garbage-collector-controller"),
    ("ServiceAccount", "serviceaccount-controller"),
    ("TaintEviction", "taint-eviction-controller"),
    ("PodGC", "pod-garbage-collector-controller"),
];

/// The name of a controller's box, by the name of the controller or by the kind it watches.
fn controller_name(actor: &str, kind: &str) -> String {
    let name = match actor {
        "" => match kind {
            "deployments" => "Deployment",
            "replicasets" | "pods" => "ReplicaSet",
            "nodes" | "leases" => "Node",
            "namespaces" => "Namespace",
            "serviceaccounts" | "configmaps" => "ServiceAccount",
            _ => "GarbageCollector",
        },
        "deployment-controller" => "Deployment",
        "replicaset-controller" => "ReplicaSet",
        "replication-controller" => "ReplicationController",
        "node-controller" => "Node",
        "taint-eviction-controller" => "TaintEviction",
        "namespace-controller" => "Namespace",
        "garbage-collector-controller" => "GarbageCollector",
        "pod-garbage-collector-controller" => "PodGC",
        "service-account-controller" | "root-ca-certificate-publisher-controller" => {
            "ServiceAccount"
        }
        other => return title(other.strip_suffix("-controller").unwrap_or(other)),
    };
    name.to_owned()
}

/// `stateful-set` → `StatefulSet`.
fn title(name: &str) -> String {
    name.split('-')
        .map(|word| {
            word.chars()
                .next()
                .map(|first| first.to_uppercase().collect::<String>() + &word[first.len_utf8()..])
                .unwrap_or_default()
        })
        .collect()
}

fn part(cluster: &cluster::Cluster, part: ApiPart, actor: &str, kind: &str) -> Part {
    let node = |number: u32| cluster.node_name(number).to_string();
    match part {
        ApiPart::Etcd => Part::Etcd,
        ApiPart::ApiServer => Part::ApiServer,
        ApiPart::Scheduler => Part::Scheduler,
        ApiPart::ControllerManager => Part::Controller(controller_name(actor, kind)),
        ApiPart::CloudControllerManager => Part::CloudController(title(actor)),
        ApiPart::Kubelet(number) => Part::Kubelet(node(number)),
        ApiPart::KubeProxy(number) => Part::KubeProxy(node(number)),
        ApiPart::Client(_) => Part::User,
    }
}

fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Get | Verb::GetPath | Verb::List => "GET",
        Verb::Watch => "WATCH",
        Verb::Create | Verb::Connect => "POST",
        Verb::Update => "PUT",
        Verb::Patch => "PATCH",
        Verb::Delete | Verb::DeleteCollection => "DELETE",
    }
}

fn path(verb: Verb, key: &Key, subresource: &str) -> String {
    if verb == Verb::GetPath {
        return key.name.to_string();
    }
    let mut path = String::new();
    if !key.namespace.is_empty() {
        path += &format!("/namespaces/{}", key.namespace);
    }
    path += &format!("/{}", key.kind);
    for part in [key.name.as_str(), subresource] {
        if !part.is_empty() {
            path += &format!("/{part}");
        }
    }
    path
}

/// Leases, heartbeats and events go on all the time.
fn is_routine(from: ApiPart, verb: Verb, key: &Key) -> bool {
    matches!(key.kind.as_str(), "leases" | "events")
        || matches!(from, ApiPart::Kubelet(_)) && key.kind == "nodes"
        || matches!(verb, Verb::Watch | Verb::List)
            && !matches!(from, ApiPart::Client(n) if n >= FIRST_CLIENT)
}

/// The kind of a collection: `Pod` for `pods`.
fn kind_of(plural: &str) -> String {
    api::kinds::all()
        .iter()
        .find(|kind| kind.plural == plural)
        .map_or_else(|| plural.to_owned(), |kind| kind.kind.to_string())
}

fn reference(key: &Key) -> Option<ObjectRef> {
    (!key.kind.is_empty() && !key.name.is_empty()).then(|| ObjectRef {
        kind: kind_of(&key.kind),
        namespace: key.namespace.to_string(),
        name: key.name.to_string(),
    })
}

/// What the sender does, as a sentence that goes on after its name.
fn says(sender: &Part, verb: Verb, key: &Key, subresource: &str) -> Text {
    let kind = kind_of(&key.kind);
    let name = key.name.trim_end_matches('-');
    let object = format!("{kind} {name}");
    match (sender, verb, subresource) {
        (Part::Scheduler, Verb::Create, "binding") => Text::new(
            format!("が {object} のノードを選び、書き込みます"),
            format!("picks a node for {object} and writes it down"),
        ),
        (Part::Kubelet(node), Verb::Patch, "status") => Text::new(
            format!("が {node} でコンテナを動かし、{object} の状態を報告します"),
            format!("runs the containers on {node} and reports the state of {object}"),
        ),
        (Part::Kubelet(_), Verb::Delete, _) => Text::new(
            format!("が止め終えた {object} を消します"),
            format!("removes {object} once it has stopped"),
        ),
        (_, _, "status") => Text::new(
            format!("が {object} の状態を書きます"),
            format!("writes the status of {object}"),
        ),
        (_, _, "scale") => Text::new(
            format!("が {object} の数を変えます"),
            format!("changes the scale of {object}"),
        ),
        (Part::User, Verb::Create, _) => Text::new(
            format!("が {object} を宣言します"),
            format!("declares {object}"),
        ),
        (_, Verb::Create, _) => Text::new(
            format!("が {object} を作ります"),
            format!("creates {object}"),
        ),
        (_, Verb::Delete | Verb::DeleteCollection, _) => Text::new(
            format!("が {object} を消します"),
            format!("deletes {object}"),
        ),
        _ => Text::new(
            format!("が {object} を書き換えます"),
            format!("updates {object}"),
        ),
    }
}
