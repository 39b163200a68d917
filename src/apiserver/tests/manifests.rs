//! Applies the official documentation's manifests and compares with what a real cluster said and stored.
//!
//! `KUBENKYO_MANIFESTS=word` prints what differs for the manifests whose name contains the word.

use api::kinds::{self, Kind};
use api::{Request, Response, Str, Value, map};

use super::slice::{done, server};
use crate::ApiServer;

/// Manifests with the verdict (and where refused, the words) of a real cluster; may only rise.
const VERDICT_FLOOR: usize = 501;
/// Stored objects with the same content, defaults and all; may only rise.
const DEFAULTS_FLOOR: usize = 510;

#[derive(Default)]
struct Score {
    verdicts: usize,
    manifests: usize,
    defaults: usize,
    objects: usize,
}

#[test]
fn manifests_get_the_verdict_and_the_defaults_of_a_real_cluster() {
    let Some(folder) = super::shared("golden/manifests") else {
        return;
    };
    let shown = std::env::var("KUBENKYO_MANIFESTS").ok();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the recordings can be listed")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    let mut score = Score::default();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a recording");
        let recording = Value::from_json(&text).expect("a recording is JSON");
        let name = recording.str("manifest");
        let show = shown
            .as_ref()
            .is_some_and(|word| name.contains(word.as_str()));
        compare(&recording, show, &mut score);
    }
    println!(
        "accepted/refused as real: {} of {}",
        score.verdicts, score.manifests
    );
    println!("defaults as real: {} of {}", score.defaults, score.objects);
    assert!(score.verdicts >= VERDICT_FLOOR);
    assert!(score.defaults >= DEFAULTS_FLOOR);
}

fn compare(recording: &Value, show: bool, score: &mut Score) {
    let name = recording.str("manifest");
    let Some(text) = ["yaml", "yml", "json"].iter().find_map(|ext| {
        std::fs::read_to_string(super::shared(&format!("corpus/{name}.{ext}"))?).ok()
    }) else {
        return;
    };
    let stderr = recording.path("apply.stderr").as_str().unwrap_or_default();
    let is_client_side = [
        "no matches for kind",
        "error parsing",
        "error validating",
        "unable to decode",
        "resource name may not be empty",
        "the namespace from the provided object",
    ];
    if is_client_side.iter().any(|text| stderr.contains(text)) {
        return;
    }
    score.manifests += 1;
    let mut server = server();
    prepare(&mut server, recording);
    let mut refusals: Vec<String> = Vec::new();
    let mut stored: Vec<(Kind, Value)> = Vec::new();
    let documents = api::yaml::load_documents(&text).unwrap_or_default();
    for document in documents.iter().flat_map(flattened) {
        let Some(kind) = kinds::by_api_version(document.str("apiVersion"), document.str("kind"))
        else {
            continue;
        };
        let response = create(&mut server, kind, document);
        if response.is_success() {
            stored.push((kind.clone(), response.body));
        } else {
            refusals.push(response.message().to_owned());
        }
    }
    let is_refused = recording.path("apply.rc").as_int() != Some(0);
    let words = plain(stderr);
    let agrees = is_refused != refusals.is_empty()
        && refusals.iter().all(|text| words.contains(&plain(text)));
    score.verdicts += usize::from(agrees);
    if show && !agrees {
        println!("{name}\n  ours {refusals:?}\n  real {stderr:?}");
    }
    for real in recording.get("objects").items() {
        let Some((_, ours)) = stored.iter().find(|(kind, object)| {
            kind.kind == *real.str("kind")
                && object.path("metadata.name") == real.path("metadata.name")
        }) else {
            continue;
        };
        let (a, b) = (content(ours), content(real));
        score.objects += 1;
        score.defaults += usize::from(a == b);
        if show && a != b {
            println!(
                "{name}: {} {}",
                real.str("kind"),
                real.path("metadata.name").to_json()
            );
            let mut lines = Vec::new();
            super::compare::differ("", &a, &b, &mut lines);
            for line in lines.iter().take(8) {
                println!("    {line}");
            }
        }
    }
}

fn flattened(document: &Value) -> Vec<Value> {
    if document.str("kind") == "List" {
        return document.get("items").items().to_vec();
    }
    vec![document.clone()]
}

/// What the recorded cluster had before: its nodes' storage class and the namespaces made for the manifest.
fn prepare(server: &mut ApiServer, recording: &Value) {
    let class = map! {
        "metadata": map! { "name": "standard", "annotations": map! { "storageclass.kubernetes.io/is-default-class": "true" } },
        "provisioner": "rancher.io/local-path", "volumeBindingMode": "WaitForFirstConsumer",
    };
    let classes = kinds::by_resource("storage.k8s.io", "storageclasses").expect("a kind");
    done(server, &Request::create(&classes.resource(), "", class));
    let namespaces = kinds::by_resource("", "namespaces").expect("a kind");
    for name in recording.get("made_namespaces").items() {
        let namespace = map! { "metadata": map! { "name": name } };
        done(
            server,
            &Request::create(&namespaces.resource(), "", namespace),
        );
        let account = map! { "metadata": map! { "name": "default" } };
        let name = name.as_shared_str().cloned().unwrap_or_default();
        done(
            server,
            &Request::create(&api::core::SERVICE_ACCOUNTS, name, account),
        );
    }
}

fn create(server: &mut ApiServer, kind: &Kind, mut document: Value) -> Response {
    let mut namespace = Str::EMPTY;
    if kind.namespaced {
        namespace = document.get("metadata").shared_str("namespace");
        if namespace.is_empty() {
            namespace = "default".into();
        }
    }
    if document.get("metadata").is_null() {
        document.set("metadata", map! {});
    }
    let name = document.get("metadata").shared_str("name");
    let is_there = !name.is_empty()
        && done(
            server,
            &Request::get(&kind.resource(), namespace.clone(), name.clone()),
        )
        .is_success();
    if !is_there {
        // kubectl leaves the version out of what it creates.
        document.remove_path("metadata.resourceVersion");
    }
    let mut request = if is_there {
        Request::patch(
            &kind.resource(),
            namespace,
            name,
            api::PatchKind::Strategic,
            document,
        )
    } else {
        Request::create(&kind.resource(), namespace, document)
    };
    request.options.field_validation = "Strict".into();
    done(server, &request)
}

/// A message without what kubectl does to its layout.
fn plain(text: &str) -> String {
    let tail = text
        .split_once(" is invalid: ")
        .map_or(text, |(_, tail)| tail);
    tail.replace("\n* ", ", ")
        .trim_start_matches("[")
        .trim_start_matches(", ")
        .trim_end_matches(']')
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .trim_start_matches(", ")
        .trim_start_matches("* ")
        .to_owned()
}

const OTHERS_ANNOTATIONS: [&str; 8] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    "deprecated.daemonset.template.generation",
];

/// An object without status, times, and what controllers, scheduler and kubectl wrote later.
fn content(object: &Value) -> Value {
    let mut object = object.clone();
    object.remove("status");
    let meta = object.entry("metadata");
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
        "generation",
        "namespace",
    ] {
        meta.remove(field);
    }
    if let Some(notes) = meta.map_mut().get_mut("annotations") {
        notes
            .map_mut()
            .retain(|key, _| !OTHERS_ANNOTATIONS.contains(&key));
    }
    if meta.get("annotations").is_empty() {
        meta.remove("annotations");
    }
    match object.str("kind") {
        "Pod" => {
            object.remove_path("spec.nodeName");
            let labels = object.entry("metadata").entry("labels").map_mut();
            labels.retain(|key, _| !key.starts_with("topology.kubernetes.io/"));
            if object.path("metadata.labels").is_empty() {
                object.entry("metadata").remove("labels");
            }
        }
        "PersistentVolumeClaim" => {
            object.remove_path("spec.volumeName");
        }
        "PersistentVolume" => {
            object.remove_path("spec.claimRef");
        }
        "Service" => {
            super::super::kinds::fill::edit(&mut object, "spec", |spec| {
                super::super::kinds::fill::edit_each(spec, "ports", |port| {
                    if port.has("nodePort") {
                        port.set("nodePort", "…");
                    }
                });
            });
        }
        _ => {}
    }
    super::compare::mask(&object)
}
