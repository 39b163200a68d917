//! Who has to go when room is made, and what volumes ask of a node.

use api::{Str, Value, list, map};
use expect_test::{Expect, expect};
use scheduler::cache::Cache;
use scheduler::cycle::{Verdict, World, decide};
use scheduler::objects::Objects;
use scheduler::pod::{Pod, Resident, Wishes};
use scheduler::queue::Nominated;
use sim::Rng;

fn node(name: &'static str, cpu: &'static str) -> Value {
    let labels = map! { "topology.kubernetes.io/zone": name.replace("node", "zone") };
    let amounts = map! { "cpu": cpu, "memory": "64Gi", "pods": "110" };
    map! { "metadata": map! { "name": name, "labels": labels }, "status": map! { "allocatable": amounts } }
}

/// A pod that asks for a core; `node` is empty if it waits.
fn pod(name: &'static str, app: &'static str, priority: i64, node: &'static str) -> Value {
    let requests = map! { "requests": map! { "cpu": "1" } };
    map! {
        "metadata": map! { "name": name, "namespace": "default", "labels": map! { "app": app } },
        "spec": map! {
            "priority": priority, "nodeName": node,
            "containers": list![map! { "name": "c", "image": "nginx", "resources": requests }],
        },
    }
}

fn budget(app: &'static str, allowed: i64) -> Value {
    map! {
        "metadata": map! { "name": app, "namespace": "default" },
        "spec": map! { "selector": map! { "matchLabels": map! { "app": app } } },
        "status": map! { "disruptionsAllowed": allowed },
    }
}

fn check(nodes: &[Value], pods: &[Value], objects: &Objects, new: &Value, expected: &Expect) {
    let mut cache = Cache::default();
    nodes.iter().for_each(|node| {
        cache.set_node(node);
    });
    pods.iter().for_each(|pod| cache.set_pod(pod));
    let nominated = Nominated::default();
    let world = World {
        cache: &cache,
        objects,
        nominated: &nominated,
    };
    let name = new.get("metadata").shared_str("name");
    let pod = Pod {
        key: ("default".into(), name),
        uid: Str::EMPTY,
        object: new.clone(),
        resident: Resident::read(new).into(),
        wishes: Wishes::read(new).into(),
    };
    let outcome = decide(world, &pod, &mut 0, &mut Rng::stream(1, "ties"));
    let text = match outcome.verdict {
        Verdict::Place(slot) => format!("on {}", cache.node(slot).name),
        Verdict::Fail(failure) => match failure.preemption {
            Some(preemption) => {
                let names = preemption.victims.iter().map(|(_, name)| name.to_string());
                let victims: Vec<String> = names.collect();
                format!("{} after {} left", preemption.node, victims.join(" and "))
            }
            None => failure.message,
        },
    };
    expected.assert_eq(&text);
}

#[test]
fn a_node_is_emptied_where_no_budget_is_broken() {
    let nodes = [node("node-1", "1"), node("node-2", "1")];
    let pods = [
        pod("kept", "web", 0, "node-1"),
        pod("other", "batch", 5, "node-2"),
    ];
    let new = pod("new", "new", 10, "");
    let mut objects = Objects::default();
    let goes = |objects: &Objects, expected: Expect| check(&nodes, &pods, objects, &new, &expected);
    // Without a budget the less important pod goes.
    goes(&objects, expect!["node-1 after kept left"]);
    objects.set_budget(&budget("web", 0));
    goes(&objects, expect!["node-2 after other left"]);
    // A budget is a wish: if nothing else helps, it is broken.
    objects.set_budget(&budget("batch", 0));
    goes(&objects, expect!["node-1 after kept left"]);
}

#[test]
fn on_one_node_those_without_a_broken_budget_go_first() {
    let nodes = [node("node-1", "2")];
    let pods = [
        pod("web", "web", 0, "node-1"),
        pod("batch", "batch", 5, "node-1"),
    ];
    let new = pod("new", "new", 10, "");
    let mut objects = Objects::default();
    let goes = |objects: &Objects, expected: Expect| check(&nodes, &pods, objects, &new, &expected);
    goes(&objects, expect!["node-1 after web left"]);
    objects.set_budget(&budget("web", 0));
    goes(&objects, expect!["node-1 after batch left"]);
    objects.set_budget(&budget("web", 1));
    goes(&objects, expect!["node-1 after web left"]);
}

fn with_claim(name: &'static str, claim: &'static str, node: &'static str) -> Value {
    let mut pod = pod(name, "db", 0, node);
    let volume = map! { "name": "v", "persistentVolumeClaim": map! { "claimName": claim } };
    pod.set_path("spec.volumes", list![volume]);
    pod
}

/// A bound claim and its volume.
fn bound(objects: &mut Objects, name: &'static str, labels: Value) {
    let csi = map! { "driver": "disk.example.com", "volumeHandle": name };
    objects.set_volume(&map! {
        "metadata": map! { "name": name, "labels": labels }, "spec": map! { "csi": csi },
        "status": map! { "phase": "Bound" },
    });
    objects.set_claim(&map! {
        "metadata": map! { "name": name, "namespace": "default" },
        "spec": map! { "volumeName": name }, "status": map! { "phase": "Bound" },
    });
}

#[test]
fn a_volume_of_a_zone_is_used_there() {
    let nodes = [node("node-1", "4"), node("node-2", "4")];
    let new = with_claim("new", "data", "");
    let mut objects = Objects::default();
    bound(
        &mut objects,
        "data",
        map! { "topology.kubernetes.io/zone": "zone-2" },
    );
    check(&nodes, &[], &objects, &new, &expect!["on node-2"]);
    bound(
        &mut objects,
        "data",
        map! { "failure-domain.beta.kubernetes.io/zone": "zone-1__zone-7" },
    );
    check(&nodes, &[], &objects, &new, &expect!["on node-1"]);
    bound(
        &mut objects,
        "data",
        map! { "topology.kubernetes.io/zone": "zone-9" },
    );
    check(
        &nodes,
        &[],
        &objects,
        &new,
        &expect![
            "0/2 nodes are available: 2 node(s) had no available volume zone. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
        ],
    );
}

#[test]
fn a_node_takes_as_many_volumes_as_its_driver_says() {
    let nodes = [node("node-1", "4")];
    let new = with_claim("new", "data", "");
    let mut objects = Objects::default();
    bound(&mut objects, "data", map! {});
    bound(&mut objects, "old", map! {});
    let driver = map! { "name": "disk.example.com", "allocatable": map! { "count": 1 } };
    objects.set_csi_node(
        &map! { "metadata": map! { "name": "node-1" }, "spec": map! { "drivers": list![driver] } },
    );
    check(&nodes, &[], &objects, &new, &expect!["on node-1"]);
    let there = [with_claim("there", "old", "node-1")];
    check(
        &nodes,
        &there,
        &objects,
        &new,
        &expect![
            "0/1 nodes are available: 1 node(s) exceed max volume count. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
        ],
    );
    // A volume that is there already does not count twice.
    let same = [with_claim("there", "data", "node-1")];
    check(&nodes, &same, &objects, &new, &expect!["on node-1"]);
}
