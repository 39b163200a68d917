//! Questions about the cluster as it is now: one object in full, completions, the progress of tasks. They change nothing.

use api::{Note, Value, core, meta};
use cluster::Cluster;
use deck::{Scalar, Tree, World};
use sim::Time;

use crate::{
    Candidate, Command, Completion, Detail, EventRow, Fact, Fix, ObjectRef, PluginVerdict, Text,
    Verdict, Why, WhyNode, rows,
};

/// The object with this kind, namespace and name.
fn object<'a>(cluster: &'a Cluster, wanted: &ObjectRef) -> Option<&'a Value> {
    cluster
        .server()
        .everything()
        .map(|(_, object)| object)
        .find(|object| {
            let meta = meta::Meta::of(object);
            object.str("kind") == wanted.kind
                && meta.namespace() == wanted.namespace
                && meta.name() == wanted.name
        })
}

/// Everything about one object.
pub(crate) fn inspect(cluster: &Cluster, start: Time, wanted: &ObjectRef) -> Option<Detail> {
    let object = object(cluster, wanted)?;
    let mut plain = object.clone();
    plain.remove_path("metadata.managedFields");
    Some(Detail {
        object: wanted.clone(),
        facts: facts(object),
        yaml: api::yaml::emit(&plain),
        events: events(cluster, object, start),
        why: (wanted.kind == "Pod")
            .then(|| why_pending(cluster, object).or_else(|| why_unpulled(object)))
            .flatten(),
    })
}

fn facts(object: &Value) -> Vec<Fact> {
    let meta = meta::Meta::of(object);
    let (spec, status) = (object.get("spec"), object.get("status"));
    let mut facts: Vec<Fact> = Vec::new();
    let mut add = |ja: &str, en: &str, value: String, link: Option<ObjectRef>| {
        if !value.is_empty() {
            facts.push(Fact {
                name: Text::new(ja, en),
                value,
                link,
            });
        }
    };
    let node = |name: &str| ObjectRef {
        kind: "Node".into(),
        namespace: String::new(),
        name: name.to_owned(),
    };
    if let Some(owner) = meta.controller() {
        let link = ObjectRef {
            kind: owner.kind().to_owned(),
            namespace: meta.namespace().to_owned(),
            name: owner.name().to_owned(),
        };
        add(
            "管理元",
            "Controlled by",
            format!("{} {}", owner.kind(), owner.name()),
            Some(link),
        );
    }
    add(
        "作成",
        "Created",
        meta.0.str("creationTimestamp").to_owned(),
        None,
    );
    add("ラベル", "Labels", meta::labels_text(meta.labels()), None);
    match object.str("kind") {
        "Pod" => {
            let pod = core::Pod(object);
            add("フェーズ", "Phase", pod.phase().to_owned(), None);
            add(
                "ノード",
                "Node",
                pod.node_name().to_owned(),
                Some(node(pod.node_name())).filter(|n| !n.name.is_empty()),
            );
            add("IP", "IP", pod.pod_ip().to_owned(), None);
            let images: Vec<&str> = pod.containers().map(|c| c.image()).collect();
            add("イメージ", "Images", images.join(", "), None);
            add("QoS", "QoS", status.str("qosClass").to_owned(), None);
        }
        "Deployment" | "ReplicaSet" | "StatefulSet" => {
            add(
                "望む数",
                "Desired",
                spec.int("replicas").unwrap_or(1).to_string(),
                None,
            );
            add(
                "Ready",
                "Ready",
                status.int("readyReplicas").unwrap_or(0).to_string(),
                None,
            );
            add(
                "方式",
                "Strategy",
                spec.path("strategy.type")
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                None,
            );
        }
        "Node" => {
            let node = core::Node(object);
            let parts: Vec<String> = ["cpu", "memory", "pods"]
                .iter()
                .filter_map(|name| {
                    let amount = node.allocatable().get(name)?;
                    Some(format!(
                        "{name} {}",
                        amount
                            .as_str()
                            .map_or_else(|| amount.to_json(), str::to_owned)
                    ))
                })
                .collect();
            add("割り当て可能", "Allocatable", parts.join(", "), None);
            add(
                "kubelet",
                "kubelet",
                status
                    .path("nodeInfo.kubeletVersion")
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
                None,
            );
        }
        "Service" => {
            add("種類", "Type", spec.str("type").to_owned(), None);
            add(
                "ClusterIP",
                "ClusterIP",
                spec.str("clusterIP").to_owned(),
                None,
            );
            add(
                "セレクター",
                "Selector",
                meta::labels_text(spec.get("selector").entries()),
                None,
            );
        }
        _ => {}
    }
    for condition in status.get("conditions").items() {
        let mut value = condition.str("status").to_owned();
        if !condition.str("reason").is_empty() {
            value += &format!(" ({})", condition.str("reason"));
        }
        add(condition.str("type"), condition.str("type"), value, None);
    }
    facts
}

fn events(cluster: &Cluster, object: &Value, start: Time) -> Vec<EventRow> {
    let uid = meta::Meta::of(object).uid();
    let name = meta::Meta::of(object).name();
    let mut events: Vec<EventRow> = cluster
        .server()
        .everything()
        .filter(|(collection, _)| *collection == "events")
        .map(|(_, event)| event)
        .filter(|event| {
            let about = event.get("involvedObject");
            about.str("uid") == uid
                || object.str("kind") == "Node"
                    && about.str("kind") == "Node"
                    && about.str("name") == name
        })
        .map(|event| {
            let last = event
                .get("lastTimestamp")
                .as_str()
                .or(event.get("eventTime").as_str())
                .and_then(Time::parse_rfc3339);
            let source = event
                .path("source.component")
                .as_str()
                .filter(|s| !s.is_empty())
                .unwrap_or(event.str("reportingComponent"));
            EventRow {
                at: rows::since(last, start),
                count: event
                    .path("series.count")
                    .as_int()
                    .or(event.int("count"))
                    .unwrap_or(1)
                    .max(1) as u32,
                is_warning: event.str("type") == "Warning",
                reason: event.str("reason").to_owned(),
                from: source.to_owned(),
                message: event.str("message").to_owned(),
            }
        })
        .collect();
    events.sort_by_key(|event| event.at);
    events
}

/// Why an image of a pod cannot be pulled, with the name that was probably meant.
fn why_unpulled(object: &Value) -> Option<Why> {
    let status = object.get("status");
    let all = ["initContainerStatuses", "containerStatuses"];
    let mut waiting = all.iter().flat_map(|field| status.get(field).items());
    let stuck = waiting.find(|container| {
        let reason = container.path("state.waiting.reason").as_str();
        matches!(reason, Some("ErrImagePull" | "ImagePullBackOff"))
    })?;
    let image = stuck.str("image");
    let why = stuck.path("state.waiting.message").as_str();
    let mut fixes = Vec::new();
    if let Some(meant) = cluster::meant_image(image) {
        let meta = meta::Meta::of(object);
        let space = match meta.namespace() {
            "default" => String::new(),
            other => format!(" -n {other}"),
        };
        // A pod that something else made is made again from its owner's template.
        let command = meta.controller().is_none().then(|| {
            let (pod, container) = (meta.name(), stuck.str("name"));
            format!("kubectl set image pod/{pod} {container}={meant}{space}")
        });
        fixes.push(Fix {
            says: Text::new(
                format!("{meant} ではありませんか？"),
                format!("Did you mean {meant}?"),
            ),
            command,
            effect: Text::new("イメージを取得できる", "the image can be pulled"),
        });
    }
    if why.is_some_and(|why| why.contains("no match for platform")) {
        fixes.push(Fix {
            says: Text::new(
                "このイメージは別の OS 用です。nodeSelector の kubernetes.io/os でノードを選びます。",
                "This image is for another operating system: choose nodes by kubernetes.io/os in nodeSelector.",
            ),
            command: None,
            effect: Text::new("動かせるノードに入る", "it lands on a node that can run it"),
        });
    }
    Some(Why {
        lead: Text::new(
            format!("イメージ {image} を取得できません。"),
            format!("The image {image} cannot be pulled."),
        ),
        rest: Text::same(why.unwrap_or_default().to_owned()),
        fixes,
        ..Why::default()
    })
}

/// What the scheduler said about a pod that has no node, as far as the trace remembers it.
fn why_pending(cluster: &Cluster, object: &Value) -> Option<Why> {
    let pod = core::Pod(object);
    if !pod.node_name().is_empty() || pod.phase() != "Pending" {
        return None;
    }
    let is_this = |key: &api::note::Key| {
        key.name == pod.meta().name() && key.namespace == pod.meta().namespace()
    };
    let notes: Vec<&Note> = cluster
        .trace()
        .after(sim::NoteId(0))
        .map(|traced| &traced.note)
        .collect();
    let decided = notes
        .iter()
        .rposition(|note| matches!(note, Note::Decided { pod, .. } if is_this(pod)));
    let Some(decided) = decided else {
        let lead = Text::new("まだ調べられていません。", "Not looked at yet.");
        let rest = if cluster.is_down(api::Part::Scheduler) {
            Text::new(
                "kube-scheduler が止まっています。",
                "kube-scheduler is stopped.",
            )
        } else {
            Text::new(
                "kube-scheduler の順番待ちです。",
                "It waits for its turn at kube-scheduler.",
            )
        };
        return Some(Why {
            lead,
            rest,
            ..Why::default()
        });
    };
    let Note::Decided { reason, .. } = notes[decided] else {
        return None;
    };
    let mut plugins: Vec<String> = Vec::new();
    let mut refusals: Vec<(String, &'static str, String)> = Vec::new();
    for note in notes[..decided].iter().rev() {
        match note {
            Note::Filtered {
                pod,
                node,
                plugin,
                reason,
            } if is_this(pod) => {
                if refusals.iter().any(|(seen, ..)| seen == node.as_str()) {
                    break;
                }
                refusals.push((node.to_string(), plugin, reason.to_string()));
            }
            Note::Decided { pod, .. } if is_this(pod) => break,
            _ => {}
        }
    }
    refusals.sort();
    for plugin in FILTERS {
        if refusals.iter().any(|(_, p, _)| p == plugin)
            || [
                "NodeUnschedulable",
                "TaintToleration",
                "NodeAffinity",
                "NodeResourcesFit",
            ]
            .contains(plugin)
        {
            plugins.push((*plugin).to_owned());
        }
    }
    let nodes = refusals
        .iter()
        .map(|(node, refusing, reason)| {
            let at = plugins.iter().position(|p| p == refusing);
            let verdicts = (0..plugins.len())
                .map(|i| PluginVerdict {
                    verdict: match at {
                        Some(at) if i < at => Verdict::Passed,
                        Some(at) if i == at => Verdict::Refused,
                        _ => Verdict::NotAsked,
                    },
                    score: None,
                })
                .collect();
            WhyNode {
                node: node.clone(),
                verdicts,
                reason: reason.clone(),
            }
        })
        .collect();
    Some(Why {
        lead: Text::new("入れるノードがありません。", "No node fits."),
        rest: Text::same(reason.to_string()),
        plugins,
        nodes,
        fixes: fixes(cluster, &refusals),
        history: Vec::new(),
    })
}

/// The order in which the scheduler asks its filters.
const FILTERS: &[&str] = &[
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
];

fn fixes(cluster: &Cluster, refusals: &[(String, &'static str, String)]) -> Vec<Fix> {
    let mut fixes: Vec<Fix> = Vec::new();
    for (node, plugin, reason) in refusals {
        if *plugin == "NodeUnschedulable" {
            fixes.push(Fix {
                says: Text::new(
                    format!("{node} へのスケジュールを再開する"),
                    format!("Let pods onto {node} again"),
                ),
                command: Some(format!("kubectl uncordon {node}")),
                effect: Text::new(format!("{node} に入れる"), format!("fits {node}")),
            });
        }
        if *plugin == "TaintToleration" {
            let taints = cluster
                .server()
                .everything()
                .find(|(collection, object)| {
                    *collection == "nodes" && meta::Meta::of(object).name() == node
                })
                .map(|(_, object)| object.path("spec.taints").clone())
                .unwrap_or_default();
            if let Some(key) = taints
                .items()
                .first()
                .map(|taint| taint.str("key").to_owned())
                .filter(|key| !key.is_empty())
            {
                fixes.push(Fix {
                    says: Text::new(
                        format!("{node} から taint {key} を外す"),
                        format!("Take the taint {key} off {node}"),
                    ),
                    command: Some(format!("kubectl taint nodes {node} {key}-")),
                    effect: Text::new(format!("{node} に入れる"), format!("fits {node}")),
                });
            }
        }
        if *plugin == "NodeResourcesFit" && fixes.iter().all(|fix| fix.command.is_some()) {
            fixes.push(Fix {
                says: Text::new(
                    format!("要求を減らすか、他の Pod を減らす ({reason})"),
                    format!("Request less, or make room ({reason})"),
                ),
                command: None,
                effect: Text::new(format!("{node} に入れる"), format!("fits {node}")),
            });
        }
    }
    fixes.truncate(4);
    fixes
}

/// The live object of a manifest without what the server filled in, for the diff against the editor's text.
pub(crate) fn live(cluster: &Cluster, text: &str) -> Option<String> {
    let wanted = api::yaml::load(text).ok()?;
    let meta = wanted.get("metadata");
    let kind = api::kinds::by_api_version(wanted.str("apiVersion"), wanted.str("kind"))?;
    let namespace = match meta.str("namespace") {
        _ if !kind.namespaced => "",
        "" => "default",
        own => own,
    };
    let reference = ObjectRef {
        kind: wanted.str("kind").to_owned(),
        namespace: namespace.to_owned(),
        name: meta.str("name").to_owned(),
    };
    let mut live = object(cluster, &reference)?.clone();
    live.remove("status");
    for field in [
        "managedFields",
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "selfLink",
    ] {
        live.remove_path(&format!("metadata.{field}"));
    }
    if meta.str("namespace").is_empty() {
        live.remove_path("metadata.namespace");
    }
    let annotations: Vec<String> = live
        .path("metadata.annotations")
        .entries()
        .keys()
        .map(|key| key.to_string())
        .collect();
    for key in annotations.iter().filter(|key| {
        key.starts_with("kubectl.kubernetes.io/last-applied")
            || key.starts_with("deployment.kubernetes.io/")
    }) {
        live.entry("metadata").entry("annotations").remove(key);
    }
    if live.path("metadata.annotations").entries().is_empty() {
        live.remove_path("metadata.annotations");
    }
    // Only what the manifest speaks of: defaults would drown it.
    Some(api::yaml::emit(&common(&live, &wanted)))
}

/// The part of `live` whose fields `wanted` also has.
fn common(live: &Value, wanted: &Value) -> Value {
    match (live, wanted) {
        (Value::Map(live), Value::Map(wanted)) => {
            let kept = wanted.iter().filter_map(|(key, inner)| {
                live.get(key)
                    .map(|value| (key.clone(), common(value, inner)))
            });
            Value::from(kept.collect::<api::Map>())
        }
        (Value::List(live), Value::List(wanted)) => {
            let kept = live.iter().enumerate().map(|(at, item)| {
                wanted
                    .get(at)
                    .map_or_else(|| item.clone(), |inner| common(item, inner))
            });
            Value::from(kept.collect::<Vec<_>>())
        }
        (live, _) => live.clone(),
    }
}

/// Words that can follow on a command line: commands, resource types, names of objects, flags.
pub(crate) fn complete_line(cluster: &Cluster, line: &str, cursor: usize) -> Completion {
    let before = line.get(..cursor).unwrap_or(line);
    // Only the command after the last pipe or separator counts.
    let command = before.rsplit(['|', ';', '&']).next().unwrap_or_default();
    let word = command
        .rsplit(char::is_whitespace)
        .next()
        .unwrap_or_default();
    let from = before.len() - word.len();
    let words: Vec<&str> = command[..command.len() - word.len()]
        .split_whitespace()
        .collect();
    let options: Vec<(String, String)> = match words.as_slice() {
        [] => [
            "kubectl", "kubenkyo", "cat", "ls", "echo", "grep", "curl", "clear", "sleep", "watch",
        ]
        .iter()
        .map(|name| ((*name).to_owned(), String::new()))
        .collect(),
        ["kubenkyo"] => shell::breaking_commands()
            .map(|(name, takes)| (name.to_owned(), takes.to_owned()))
            .collect(),
        ["kubenkyo", verb] => breakable(cluster, verb),
        ["kubectl" | "k"] => kubectl::commands()
            .map(|name| (name.to_owned(), String::new()))
            .collect(),
        ["kubectl" | "k", rest @ ..] if word.starts_with('-') => help(rest).1,
        [
            "kubectl" | "k",
            group @ ("auth" | "certificate" | "config" | "plugin" | "rollout" | "set" | "top"),
        ]
        | ["kubectl" | "k", "create", group @ ("secret" | "service")] => {
            let words = if words.len() == 3 {
                vec!["create", group]
            } else {
                vec![*group]
            };
            help(&words).0
        }
        ["kubectl" | "k", "create"] => kubectl::generators()
            .chain(["-f"])
            .map(|name| (name.to_owned(), String::new()))
            .collect(),
        ["kubectl" | "k", .., "-n" | "--namespace"] => names(cluster, "Namespace"),
        ["kubectl" | "k", .., "-o" | "--output"] => ["wide", "yaml", "json", "name"]
            .iter()
            .map(|name| ((*name).to_owned(), String::new()))
            .collect(),
        [
            "kubectl" | "k",
            "logs" | "exec" | "attach" | "port-forward",
            ..,
        ] => names(cluster, "Pod"),
        ["kubectl" | "k", "cordon" | "uncordon" | "drain", ..] => names(cluster, "Node"),
        ["kubectl" | "k", "rollout", _, rest @ ..] | ["kubectl" | "k", _, rest @ ..] => {
            let plain: Vec<&&str> = rest.iter().filter(|word| !word.starts_with('-')).collect();
            match (plain.first(), word.split_once('/')) {
                (None, Some((kind, _))) => of_type(cluster, kind)
                    .into_iter()
                    .map(|(name, detail)| (format!("{kind}/{name}"), detail))
                    .collect(),
                (None, None) => api::kinds::all()
                    .iter()
                    .filter(|kind| kind.verbs.has("list"))
                    .map(|kind| {
                        (
                            kind.plural.to_string(),
                            kind.short_names
                                .first()
                                .map(|s| s.to_string())
                                .unwrap_or_default(),
                        )
                    })
                    .collect(),
                (Some(kind), _) => of_type(cluster, kind),
            }
        }
        _ => Vec::new(),
    };
    let mut candidates: Vec<Candidate> = options
        .into_iter()
        .filter(|(text, _)| text.starts_with(word))
        .map(|(text, detail)| Candidate { text, detail })
        .collect();
    candidates.sort_by(|a, b| a.text.cmp(&b.text));
    candidates.dedup_by(|a, b| a.text == b.text);
    Completion { from, candidates }
}

/// Words, each with what is said about it.
type Explained = Vec<(String, String)>;

/// The subcommands of a kubectl command, and its flags: what its `--help` says.
fn help(words: &[&str]) -> (Explained, Explained) {
    let plain = words
        .iter()
        .take_while(|word| !word.starts_with('-'))
        .take(3);
    let args = plain
        .map(|word| api::Str::new(word))
        .chain(["--help".into()])
        .collect();
    let mut command = kubectl::Invocation::new(args, None, Time::default());
    let progress = command.poll(&mut Nowhere);
    let (mut commands, mut flags) = (Vec::new(), Vec::new());
    let mut is_list = false;
    for line in progress.output.iter().flat_map(|(_, text)| text.lines()) {
        if let Some(flag) = line
            .strip_prefix("    ")
            .filter(|rest| rest.starts_with('-'))
        {
            let (names, _) = flag.split_once('=').unwrap_or((flag, ""));
            let long = names.rsplit(", ").next().unwrap_or(names);
            flags.push((long.to_owned(), String::new()));
        } else if line.ends_with(':') && !line.starts_with(' ') {
            is_list = line == "Available Commands:";
        } else if is_list && let Some((name, what)) = line.trim().split_once("  ") {
            commands.push((name.to_owned(), what.trim().to_owned()));
        }
    }
    (commands, flags)
}

/// A machine with nothing on it, for commands that only talk about themselves.
struct Nowhere;

impl kubectl::Host for Nowhere {
    fn now(&self) -> Time {
        Time::default()
    }

    fn send(&mut self, _: api::Request) -> api::RequestId {
        api::RequestId(0)
    }

    fn cancel(&mut self, _: api::RequestId) {}

    fn read_file(&mut self, path: &str) -> Result<api::Str, String> {
        Err(format!("{path}: no such file or directory"))
    }

    fn list_dir(&mut self, path: &str) -> Result<Vec<api::Str>, String> {
        Err(format!("{path}: no such file or directory"))
    }

    fn write_file(&mut self, path: &str, _: &str) -> Result<(), String> {
        Err(format!("{path}: no such file or directory"))
    }

    fn env(&self, _: &str) -> Option<api::Str> {
        None
    }

    fn start(&mut self, _: Vec<api::Str>) {}
}

/// What a subcommand of `kubenkyo` may break or mend.
fn breakable(cluster: &Cluster, verb: &str) -> Vec<(String, String)> {
    let all = shell::breaking_commands().filter(|(name, _)| *name == verb);
    let takes = all.flat_map(|(_, takes)| takes.split(" | "));
    let of_word = |word: &str| match word {
        "NODE" => names(cluster, "Node"),
        "pod/POD" => names(cluster, "Pod")
            .into_iter()
            .map(|(name, detail)| (format!("pod/{name}"), detail))
            .collect(),
        "CONTROLLER" => plain(Cluster::controllers()),
        "PART" | "[PART] TIMES" => plain(&[
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
        ]),
        "FILE" | "" => Vec::new(),
        word => plain(&[word]),
    };
    takes.flat_map(of_word).collect()
}

fn plain(words: &[&str]) -> Vec<(String, String)> {
    words
        .iter()
        .map(|word| ((*word).to_owned(), String::new()))
        .collect()
}

fn of_type(cluster: &Cluster, name: &str) -> Vec<(String, String)> {
    api::kinds::by_name(name)
        .map(|kind| names(cluster, &kind.kind))
        .unwrap_or_default()
}

fn names(cluster: &Cluster, kind: &str) -> Vec<(String, String)> {
    cluster
        .server()
        .everything()
        .filter(|(_, object)| object.str("kind") == kind)
        .map(|(_, object)| {
            (
                meta::Meta::of(object).name().to_owned(),
                meta::Meta::of(object).namespace().to_owned(),
            )
        })
        .collect()
}

/// The cluster as tasks look at it.
pub(crate) struct Live<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) commands: &'a [(Time, Command)],
}

/// A value as tasks look at it.
#[derive(Clone)]
pub(crate) struct Branch(Value);

impl World for Live<'_> {
    type Object = Branch;

    fn objects(&self, kind: &str, namespace: Option<&str>) -> Vec<Branch> {
        self.cluster
            .server()
            .everything()
            .map(|(_, object)| object)
            .filter(|object| object.str("kind") == kind)
            .filter(|object| {
                let own = meta::Meta::of(object).namespace();
                own.is_empty() || namespace.is_none_or(|wanted| wanted == own)
            })
            .map(|object| Branch(object.clone()))
            .collect()
    }

    fn ran(&self) -> Vec<String> {
        self.commands
            .iter()
            .filter_map(|(_, command)| match command {
                Command::Terminal { line, .. } => Some(line.clone()),
                Command::Apply { file, .. } => Some(crate::desk::apply_line(file)),
                _ => None,
            })
            .collect()
    }
}

impl Tree for Branch {
    fn key(&self, key: &str) -> Option<Branch> {
        self.0.as_map()?.get(key).cloned().map(Branch)
    }

    fn items(&self) -> Vec<Branch> {
        self.0.items().iter().cloned().map(Branch).collect()
    }

    fn scalar(&self) -> Option<Scalar> {
        match &self.0 {
            Value::Str(text) => Some(Scalar::Text(text.to_string())),
            Value::Int(n) => Some(Scalar::Number(*n)),
            Value::Bool(b) => Some(Scalar::Bool(*b)),
            _ => None,
        }
    }
}
