//! StatefulSets and DaemonSets.

use api::apps::{DAEMON_SETS, STATEFUL_SETS};
use api::core::{NODES, PODS};
use api::meta::Meta;
use api::{Request, Str, Value, list, map};
use expect_test::{Expect, expect};
use sim::SECOND;

use super::world::{Machine, World};

fn check(lines: &[String], expect: Expect) {
    expect.assert_eq(&(lines.join("\n") + "\n"));
}

fn workload(kind: &'static str, spec: Value) -> Value {
    let mut object = map! {
        "apiVersion": "apps/v1", "kind": kind,
        "metadata": map! { "name": "web", "namespace": "default" },
        "spec": map! {
            "selector": map! { "matchLabels": map! { "app": "web" } },
            "template": map! {
                "metadata": map! { "labels": map! { "app": "web" } },
                "spec": map! { "containers": list![map! { "name": "c", "image": "nginx:1.27" }] },
            },
        },
    };
    for (key, value) in spec.entries().iter() {
        object.at_mut(&["spec"]).set(key.clone(), value);
    }
    object
}

fn with_image(image: &'static str) -> Value {
    let containers = list![map! { "name": "c", "image": image }];
    map! { "spec": map! { "template": map! { "spec": map! { "containers": containers } } } }
}

fn node(name: &str, taints: Value) -> Value {
    map! {
        "apiVersion": "v1", "kind": "Node", "metadata": map! { "name": Str::new(name) },
        "spec": map! { "taints": taints },
        "status": map! { "conditions": list![map! { "type": "Ready", "status": "True" }] },
    }
}

fn pods(world: &mut World) -> Vec<String> {
    let mut pods: Vec<String> = world
        .list(&PODS)
        .iter()
        .map(|pod| {
            let image = pod.path("spec.containers").items()[0].str("image");
            format!("{} {image}", Meta::of(pod).name())
        })
        .collect();
    pods.sort();
    pods
}

#[test]
fn a_stateful_set_starts_in_order_and_rolls_in_reverse() {
    let mut world = World::new(Machine::Ready);
    let set = workload("StatefulSet", map! { "replicas": 3, "serviceName": "web" });
    world.create(&STATEFUL_SETS, set);
    world.run(5 * SECOND);
    world.patch(&STATEFUL_SETS, "web", with_image("nginx:1.28"));
    world.run(10 * SECOND);
    check(
        &world.events(),
        expect![[r#"
        Normal SuccessfulCreate x2 Create Pod web-0 in StatefulSet web successful
        Normal SuccessfulCreate x2 Create Pod web-1 in StatefulSet web successful
        Normal SuccessfulCreate x2 Create Pod web-2 in StatefulSet web successful
        Normal SuccessfulDelete x1 Delete Pod web-2 in StatefulSet web successful
        Normal SuccessfulDelete x1 Delete Pod web-1 in StatefulSet web successful
        Normal SuccessfulDelete x1 Delete Pod web-0 in StatefulSet web successful
    "#]],
    );
    check(
        &pods(&mut world),
        expect![[r#"
        web-0 nginx:1.28
        web-1 nginx:1.28
        web-2 nginx:1.28
    "#]],
    );
    let set = world.get(&STATEFUL_SETS, "web");
    let mut status = set.get("status").clone();
    assert_eq!(
        status.remove("currentRevision"),
        status.remove("updateRevision")
    );
    expect![[r#"{"availableReplicas":3,"collisionCount":0,"currentReplicas":3,"observedGeneration":2,"readyReplicas":3,"replicas":3,"updatedReplicas":3}"#]].assert_eq(&status.to_json());
}

#[test]
fn claims_stay_when_a_stateful_set_shrinks_unless_told_otherwise() {
    let claims = api::core::PERSISTENT_VOLUME_CLAIMS;
    for (policy, left) in [("Retain", 3), ("Delete", 1)] {
        let mut world = World::new(Machine::Ready);
        let template = map! {
            "metadata": map! { "name": "data" },
            "spec": map! { "accessModes": list!["ReadWriteOnce"], "resources": map! { "requests": map! { "storage": "1Gi" } } },
        };
        let spec = map! {
            "replicas": 3, "serviceName": "web", "volumeClaimTemplates": list![template],
            "persistentVolumeClaimRetentionPolicy": map! { "whenScaled": policy, "whenDeleted": "Retain" },
        };
        world.create(&STATEFUL_SETS, workload("StatefulSet", spec));
        world.run(5 * SECOND);
        assert_eq!(world.list(&claims).len(), 3);
        let shrink = map! { "spec": map! { "replicas": 1 } };
        world.patch(&STATEFUL_SETS, "web", shrink);
        world.run(10 * SECOND);
        let living = world.list(&claims);
        let living = living.iter().filter(|c| !Meta::of(c).is_deleting()).count();
        assert_eq!((pods(&mut world).len(), living), (1, left), "{policy}");
    }
}

#[test]
fn a_daemon_set_follows_nodes_and_rolls_one_by_one() {
    let mut world = World::new(Machine::Ready);
    for name in ["node-1", "node-2", "node-3"] {
        world.create(&NODES, node(name, list![]));
    }
    let tainted = list![map! { "key": "x", "effect": "NoSchedule" }];
    world.create(&NODES, node("node-4", tainted));
    world.create(&DAEMON_SETS, workload("DaemonSet", map! {}));
    world.run(5 * SECOND);
    assert_eq!(pods(&mut world).len(), 3);
    world.create(&NODES, node("node-5", list![]));
    world.run(5 * SECOND);
    assert_eq!(pods(&mut world).len(), 4);
    world.must(Request::delete(&NODES, "", "node-5"));
    world.patch(&DAEMON_SETS, "web", with_image("nginx:1.28"));
    world.run(10 * SECOND);
    check(
        &world.events(),
        expect![[r#"
            Normal SuccessfulCreate x1 Created pod: web-kj5m6
            Normal SuccessfulCreate x1 Created pod: web-d5b6h
            Normal SuccessfulCreate x1 Created pod: web-r5plr
            Normal RegisteredNode x1 Node node-4 event: Registered Node node-4 in Controller
            Normal RegisteredNode x1 Node node-2 event: Registered Node node-2 in Controller
            Normal RegisteredNode x1 Node node-1 event: Registered Node node-1 in Controller
            Normal RegisteredNode x1 Node node-3 event: Registered Node node-3 in Controller
            Normal SuccessfulCreate x1 Created pod: web-clhw2
            Normal RegisteredNode x1 Node node-5 event: Registered Node node-5 in Controller
            Normal SuccessfulDelete x1 Deleted pod: web-kj5m6
            Normal SuccessfulCreate x1 Created pod: web-9q2lt
            Normal SuccessfulDelete x1 Deleted pod: web-r5plr
            Normal SuccessfulCreate x1 Created pod: web-m2wsj
            Normal SuccessfulDelete x1 Deleted pod: web-d5b6h
            Normal SuccessfulCreate x1 Created pod: web-kxtmw
        "#]],
    );
    let set = world.get(&DAEMON_SETS, "web");
    expect![[r#"{"currentNumberScheduled":3,"desiredNumberScheduled":3,"numberAvailable":3,"numberMisscheduled":0,"numberReady":3,"observedGeneration":2,"updatedNumberScheduled":3}"#]].assert_eq(&set.get("status").to_json());
}
