//! Nodes that fall silent, and namespaces that go.

use api::core::{CONFIG_MAPS, NAMESPACES, NODES, PODS};
use api::meta;
use api::{Request, Value, list, map};
use expect_test::expect;
use sim::SECOND;

use super::world::{Machine, World};

#[test]
fn a_silent_node_is_tainted_and_emptied_after_five_minutes() {
    let mut world = World::new(Machine::Ready);
    let ready =
        map! { "type": "Ready", "status": "True", "lastHeartbeatTime": "2026-09-21T14:13:22Z" };
    let node = map! {
        "apiVersion": "v1", "kind": "Node", "metadata": map! { "name": "node-1" },
        "status": map! { "conditions": list![ready] },
    };
    world.create(&NODES, node);
    let pod = map! {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": map! { "name": "web", "namespace": "default" },
        "spec": map! { "containers": list![map! { "name": "c", "image": "nginx" }] },
    };
    world.create(&PODS, pod);
    let mut story = Vec::new();
    for _ in 0..80 {
        world.run(5 * SECOND);
        let node = world.must(Request::get(&NODES, "", "node-1"));
        let ready = meta::condition(&node, "Ready").map_or("", |c| c.status());
        let mut taints: Vec<&str> = node
            .path("spec.taints")
            .items()
            .iter()
            .map(|t| t.str("effect"))
            .collect();
        taints.sort_unstable();
        let pods = world.list(&PODS);
        let pod = pods.first().map_or("gone", |pod| {
            if meta::is_true(pod, "Ready") {
                "ready"
            } else {
                "not ready"
            }
        });
        let line = format!("{ready} {taints:?} {pod}");
        if story.last().is_none_or(|(_, last)| *last != line) {
            story.push((story.len(), line));
        }
    }
    expect![[r#"
        [
            (
                0,
                "True [] ready",
            ),
            (
                1,
                "Unknown [\"NoSchedule\"] not ready",
            ),
            (
                2,
                "Unknown [\"NoExecute\", \"NoSchedule\"] not ready",
            ),
            (
                3,
                "Unknown [\"NoExecute\", \"NoSchedule\"] gone",
            ),
        ]
    "#]]
    .assert_debug_eq(&story);
    let events = world.events();
    let about: Vec<&String> = events
        .iter()
        .filter(|e| e.contains("Node") || e.contains("Taint"))
        .collect();
    expect![[r#"
        [
            "Normal RegisteredNode x1 Node node-1 event: Registered Node node-1 in Controller",
            "Normal NodeNotReady x1 Node node-1 status is now: NodeNotReady",
            "Warning NodeNotReady x1 Node is not ready",
            "Normal TaintManagerEviction x1 Marking for deletion Pod default/web",
        ]
    "#]]
    .assert_debug_eq(&about);
}

#[test]
fn a_namespace_goes_with_its_content_and_waits_for_finalizers() {
    let mut world = World::new(Machine::Ready);
    let namespace =
        map! { "apiVersion": "v1", "kind": "Namespace", "metadata": map! { "name": "team" } };
    world.must(Request::create(&NAMESPACES, "", namespace));
    world.run(SECOND);
    let held = map! {
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": map! { "name": "held", "namespace": "team", "finalizers": list!["example.com/keep"] },
    };
    world.must(Request::create(&CONFIG_MAPS, "team", held));
    let root = world.must(Request::get(&CONFIG_MAPS, "team", "kube-root-ca.crt"));
    assert!(root.path("data").has("ca.crt"));
    world.must(Request::delete(&NAMESPACES, "", "team"));
    world.run(8 * SECOND);
    let namespace = world.must(Request::get(&NAMESPACES, "", "team"));
    let told: Vec<String> = namespace
        .path("status.conditions")
        .items()
        .iter()
        .map(|c| format!("{}={} {}", c.str("type"), c.str("status"), c.str("message")))
        .collect();
    expect![[r#"
        [
            "NamespaceDeletionDiscoveryFailure=False All resources successfully discovered",
            "NamespaceDeletionGroupVersionParsingFailure=False All legacy kube types successfully parsed",
            "NamespaceDeletionContentFailure=False All content successfully deleted, may be waiting on finalization",
            "NamespaceContentRemaining=True Some resources are remaining: configmaps. has 1 resource instances",
            "NamespaceFinalizersRemaining=True Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances",
        ]
    "#]].assert_debug_eq(&told);
    let free = map! { "metadata": map! { "finalizers": Value::Null } };
    world.must(Request::patch(
        &CONFIG_MAPS,
        "team",
        "held",
        api::PatchKind::Merge,
        free,
    ));
    world.run(20 * SECOND);
    assert_eq!(world.ask(Request::get(&NAMESPACES, "", "team")).code, 404);
}
