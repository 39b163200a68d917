//! kube-rs, a client that knows nothing of us, discovers, lists, watches, patches and applies.
//!
//! `KUBENKYO` names the program whose `serve` is asked; `cargo xtask test oracles` builds and names it.

use std::fmt::Debug;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, ListParams, LogParams, Patch, PatchParams,
    PostParams, WatchEvent, WatchParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::discovery::Discovery;
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{reflector, watcher};
use kube::{Client, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; it ends with its handle.
struct Server {
    process: Child,
    kubeconfig: String,
}

impl Server {
    fn start(speed: &str) -> Server {
        let program = std::env::var_os("KUBENKYO").expect("KUBENKYO names the program");
        let mut process = Command::new(program)
            .args(["serve", "--port", "0", "--speed", speed])
            .stdout(Stdio::piped())
            .spawn()
            .expect("kubenkyo starts");
        let output = process.stdout.take().expect("it is piped");
        let line = BufReader::new(output).lines().next();
        let line = line.expect("a line").expect("text");
        let path = line.strip_prefix("KUBECONFIG=");
        Server {
            process,
            kubeconfig: path.expect("the path on a line of its own").to_owned(),
        }
    }

    async fn client(&self) -> Client {
        let kubeconfig = Kubeconfig::read_from(&self.kubeconfig).expect("kube-rs reads it");
        let options = KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
        Client::try_from(config.expect("a whole configuration")).expect("a client")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // With a signal, so that it takes its keys away.
        let _ = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let _ = self.process.wait();
    }
}

fn of<T: DeserializeOwned>(object: serde_json::Value) -> T {
    serde_json::from_value(object).expect("the type fits")
}

fn config(name: &str, data: serde_json::Value) -> ConfigMap {
    of(json!({ "metadata": { "name": name, "labels": { "app": "shop" } }, "data": data }))
}

/// What a request was refused with.
#[track_caller]
fn refusal<T: Debug>(outcome: Result<T, kube::Error>) -> (u16, String, String) {
    match outcome {
        Err(kube::Error::Api(status)) => (status.code, status.reason.clone(), status.message),
        other => panic!("not refused: {other:?}"),
    }
}

async fn next<T>(stream: &mut (impl Stream<Item = T> + Unpin)) -> T {
    let next = tokio::time::timeout(PATIENCE, stream.next()).await;
    next.expect("an event in time").expect("no end")
}

#[tokio::test]
async fn it_discovers_what_is_served() {
    let server = Server::start("10");
    let client = server.client().await;
    let version = client.apiserver_version().await.expect("a version");
    assert!(version.git_version.starts_with("v1.36"), "{version:?}");
    for discovery in [
        Discovery::new(client.clone()).run().await,
        Discovery::new(client.clone()).run_aggregated().await,
    ] {
        let discovery = discovery.expect("every group answers");
        for (group, kind, plural) in [
            ("apps", "Deployment", "deployments"),
            (
                "autoscaling",
                "HorizontalPodAutoscaler",
                "horizontalpodautoscalers",
            ),
            ("metrics.k8s.io", "PodMetrics", "pods"),
        ] {
            let group = discovery.get(group).expect("the group is served");
            let (resource, _) = group.recommended_kind(kind).expect("the kind is served");
            assert_eq!(resource.plural, plural);
        }
    }
}

#[tokio::test]
async fn it_reads_and_writes_in_every_way() {
    let server = Server::start("10");
    let client = server.client().await;
    let configs: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let post = PostParams::default();
    for name in ["a", "b", "c"] {
        let made = configs
            .create(&post, &config(name, json!({ "x": "1" })))
            .await;
        let made = made.expect("it is made");
        assert!(made.uid().is_some());
        // It does not tell its name.
        assert_eq!(made.managed_fields()[0].manager.as_deref(), Some("unknown"));
    }
    let again = configs.create(&post, &config("a", json!({}))).await;
    let (code, reason, message) = refusal(again);
    assert_eq!((code, reason.as_str()), (409, "AlreadyExists"));
    assert_eq!(message, "configmaps \"a\" already exists");
    assert!(
        configs
            .get_opt("nothing")
            .await
            .expect("an answer")
            .is_none()
    );

    // In pages.
    let params = ListParams::default().labels("app=shop").limit(2);
    let first = configs.list(&params).await.expect("a page");
    let token = first.metadata.continue_.clone().expect("there is more");
    let rest = configs.list(&params.clone().continue_token(&token)).await;
    let names = |page: &kube::core::ObjectList<ConfigMap>| {
        page.items.iter().map(|c| c.name_any()).collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(names(&rest.expect("the rest")), ["c"]);
    let bad = ListParams::default().fields("data.x=1");
    let (code, _, message) = refusal(configs.list(&bad).await);
    assert_eq!(code, 400, "{message}");
    let metadata = configs
        .list_metadata(&ListParams::default())
        .await
        .expect("metadata");
    assert!(
        metadata
            .items
            .iter()
            .any(|one| one.name_any() == "kube-root-ca.crt")
    );

    // An update of what has changed meanwhile.
    let old = configs.get("a").await.expect("it is there");
    let mut new = old.clone();
    new.data
        .get_or_insert_default()
        .insert("x".into(), "2".into());
    configs
        .replace("a", &post, &new)
        .await
        .expect("nobody was faster");
    let (code, reason, _) = refusal(configs.replace("a", &post, &old).await);
    assert_eq!((code, reason.as_str()), (409, "Conflict"));

    // Each sort of patch.
    let params = PatchParams::default();
    let merged = Patch::Merge(json!({ "data": { "y": "merged", "x": null } }));
    let merged = configs.patch("a", &params, &merged).await.expect("a merge");
    assert_eq!(
        merged.data.expect("data"),
        [("y".into(), "merged".into())].into()
    );
    let strategic = Patch::Strategic(json!({ "data": { "z": "1" } }));
    let strategic = configs
        .patch("a", &params, &strategic)
        .await
        .expect("a strategic merge");
    assert_eq!(strategic.data.expect("data").len(), 2);
    let steps: json_patch::Patch = of(json!([
        { "op": "test", "path": "/data/z", "value": "1" }, { "op": "remove", "path": "/data/y" },
    ]));
    let stepped = configs.patch("a", &params, &Patch::<()>::Json(steps)).await;
    assert_eq!(stepped.expect("steps").data.expect("data").len(), 1);

    // Apply, a conflict, and by force.
    let applied = |value: &str| {
        Patch::Apply(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "d" }, "data": { "owner": value },
        }))
    };
    let one = PatchParams::apply("one");
    let made = configs
        .patch("d", &one, &applied("one"))
        .await
        .expect("made");
    assert_eq!(made.managed_fields()[0].manager.as_deref(), Some("one"));
    let two = PatchParams::apply("two");
    let (code, reason, message) = refusal(configs.patch("d", &two, &applied("two")).await);
    assert_eq!((code, reason.as_str()), (409, "Conflict"));
    assert_eq!(
        message,
        "Apply failed with 1 conflict: conflict with \"one\": .data.owner"
    );
    let forced = configs
        .patch("d", &two.force(), &applied("two"))
        .await
        .expect("force");
    assert_eq!(forced.data.expect("data")["owner"], "two");

    // A dry run leaves nothing; a strict reader is told of fields that do not exist.
    let dry = PostParams {
        dry_run: true,
        ..post.clone()
    };
    configs
        .create(&dry, &config("e", json!({})))
        .await
        .expect("it could be");
    assert!(configs.get_opt("e").await.expect("an answer").is_none());
    let strict = PatchParams {
        field_validation: Some(kube::api::ValidationDirective::Strict),
        ..PatchParams::default()
    };
    let wrong = Patch::Merge(json!({ "dada": {} }));
    let (code, _, message) = refusal(configs.patch("a", &strict, &wrong).await);
    assert_eq!(
        (code, message.contains("unknown field \"dada\"")),
        (422, true),
        "{message}"
    );

    let (how, which) = (
        DeleteParams::default(),
        ListParams::default().labels("app=shop"),
    );
    configs
        .delete_collection(&how, &which)
        .await
        .expect("deleted");
    let left = configs.list(&which).await.expect("a list");
    assert!(left.items.is_empty());
}

#[tokio::test]
async fn it_watches_and_its_caches_follow() {
    let server = Server::start("10");
    let client = server.client().await;
    let configs: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let listed = configs.list(&ListParams::default()).await.expect("a list");
    let version = listed.metadata.resource_version.expect("a version");
    let params = WatchParams::default().labels("app=shop").timeout(200);
    let watch = configs.watch(&params, &version).await.expect("a watch");
    let mut watch = std::pin::pin!(watch);

    // The two ways to begin: list and watch, and a watch that lists.
    let begun = watcher::Config::default().labels("app=shop");
    let (reader, writer) = reflector::store();
    let cached = reflector(writer, watcher(configs.clone(), begun.clone()));
    let mut cached = std::pin::pin!(cached);
    let streamed = watcher(configs.clone(), begun.streaming_lists());
    let mut streamed = std::pin::pin!(streamed);
    for watcher in 0..2 {
        loop {
            let event = match watcher {
                0 => next(&mut cached).await,
                _ => next(&mut streamed).await,
            };
            if matches!(event.expect("no failure"), watcher::Event::InitDone) {
                break;
            }
        }
    }
    let post = PostParams::default();
    configs
        .create(&post, &config("a", json!({ "x": "1" })))
        .await
        .expect("made");
    let change = Patch::Merge(json!({ "data": { "x": "2" } }));
    configs
        .patch("a", &PatchParams::default(), &change)
        .await
        .expect("changed");
    let is_x = |of: &ConfigMap, x: &str| of.data.as_ref().is_some_and(|data| data["x"] == x);
    for x in ["1", "2"] {
        let event = next(&mut watch).await.expect("no failure");
        match (&event, x) {
            (WatchEvent::Added(of), "1") | (WatchEvent::Modified(of), "2") if is_x(of, x) => {}
            other => panic!("{other:?}"),
        }
        for event in [next(&mut cached).await, next(&mut streamed).await] {
            let event = event.expect("no failure");
            assert!(
                matches!(&event, watcher::Event::Apply(of) if is_x(of, x)),
                "{event:?}"
            );
        }
        let kept = reader.state();
        assert!(kept.len() == 1 && is_x(&kept[0], x), "{kept:?}");
    }
    configs
        .delete("a", &DeleteParams::default())
        .await
        .expect("deleted");
    assert!(matches!(next(&mut watch).await, Ok(WatchEvent::Deleted(_))));
    assert!(matches!(
        next(&mut cached).await,
        Ok(watcher::Event::Delete(_))
    ));
    assert!(matches!(
        next(&mut streamed).await,
        Ok(watcher::Event::Delete(_))
    ));
    assert!(reader.state().is_empty());
}

#[tokio::test]
async fn it_runs_workloads_and_kinds_of_its_own() {
    let server = Server::start("20");
    let client = server.client().await;
    let post = PostParams::default();
    let deployments: Api<Deployment> = Api::default_namespaced(client.clone());
    let pods: Api<Pod> = Api::default_namespaced(client.clone());
    let web = of(json!({
        "metadata": { "name": "web" },
        "spec": {
            "replicas": 1, "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "nginx", "image": "nginx:1.27" }] },
            },
        },
    }));
    deployments.create(&post, &web).await.expect("made");
    let done = await_condition(
        deployments.clone(),
        "web",
        conditions::is_deployment_completed(),
    );
    let done = tokio::time::timeout(PATIENCE, done).await;
    done.expect("in time").expect("no failure");
    let list = pods
        .list(&ListParams::default().labels("app=web"))
        .await
        .expect("pods");
    let pod = list.items.first().expect("a pod").name_any();
    let log = pods.logs(&pod, &LogParams::default()).await.expect("a log");
    assert!(log.contains("docker-entrypoint.sh"), "{log}");
    let scaled = Patch::Merge(json!({ "spec": { "replicas": 2 } }));
    let scale = deployments
        .patch_scale("web", &PatchParams::default(), &scaled)
        .await;
    assert_eq!(
        scale.expect("scaled").spec.expect("a spec").replicas,
        Some(2)
    );

    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let definition = of(json!({
        "metadata": { "name": "boats.sea.example.com" },
        "spec": {
            "group": "sea.example.com", "scope": "Namespaced",
            "names": { "kind": "Boat", "plural": "boats" },
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "properties": { "spec": {
                        "type": "object", "properties": { "sails": { "type": "integer", "maximum": 9 } },
                    } },
                } },
            }],
        },
    }));
    definitions.create(&post, &definition).await.expect("made");
    let name = "boats.sea.example.com";
    let known = await_condition(definitions, name, conditions::is_crd_established());
    let known = tokio::time::timeout(PATIENCE, known).await;
    known.expect("in time").expect("no failure");
    let kind = GroupVersionKind::gvk("sea.example.com", "v1", "Boat");
    let boat = ApiResource::from_gvk_with_plural(&kind, "boats");
    let boats: Api<DynamicObject> = Api::default_namespaced_with(client, &boat);
    let sloop =
        |sails: i64| DynamicObject::new("sloop", &boat).data(json!({ "spec": { "sails": sails } }));
    let (code, _, message) = refusal(boats.create(&post, &sloop(12)).await);
    assert_eq!(code, 422, "{message}");
    let made = boats.create(&post, &sloop(2)).await.expect("made");
    assert_eq!(made.data["spec"]["sails"], 2);
}
