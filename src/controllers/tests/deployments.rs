//! Deployments and ReplicaSets.

use api::apps::{DEPLOYMENTS, REPLICA_SETS};
use api::core::PODS;
use api::{Request, Str, Value, list, map};
use expect_test::{Expect, expect};
use sim::SECOND;

use super::world::{Machine, World};

fn deployment(name: &str, replicas: i64, image: &'static str) -> Value {
    map! {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": map! { "name": Str::new(name), "namespace": "default" },
        "spec": map! {
            "replicas": replicas,
            "selector": map! { "matchLabels": map! { "app": Str::new(name) } },
            "template": map! {
                "metadata": map! { "labels": map! { "app": Str::new(name) } },
                "spec": map! { "containers": list![map! { "name": "c", "image": image }] },
            },
        },
    }
}

fn check(lines: &[String], expect: Expect) {
    expect.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn a_deployment_makes_a_replica_set_and_its_pods() {
    let mut world = World::new(Machine::Ready);
    world.create(&DEPLOYMENTS, deployment("web", 2, "nginx:1.27"));
    world.run(5 * SECOND);
    check(
        &world.writes,
        expect![[r#"
            2.005 deployment-controller Create replicasets/web-bfb6488d7
            2.008 deployment-controller Update deployments/web/status
            2.009 replicaset-controller Create pods/web-bfb6488d7-*
            2.012 deployment-controller Update deployments/web/status Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again
            2.013 replicaset-controller Create pods/web-bfb6488d7-*
            2.014 deployment-controller retries web: Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again
            2.017 replicaset-controller Update replicasets/web-bfb6488d7/status
            2.017 deployment-controller Update deployments/web/status
            2.023 replicaset-controller Update replicasets/web-bfb6488d7/status
            2.028 deployment-controller Update deployments/web/status
            2.325 replicaset-controller Update replicasets/web-bfb6488d7/status
            2.330 deployment-controller Update deployments/web/status
            2.331 replicaset-controller Update replicasets/web-bfb6488d7/status
            2.335 deployment-controller Update deployments/web/status
        "#]],
    );
    check(
        &world.events(),
        expect![[r#"
            Normal ScalingReplicaSet x1 Scaled up replica set web-bfb6488d7 from 0 to 2
            Normal SuccessfulCreate x1 Created pod: web-bfb6488d7-kj5m6
            Normal SuccessfulCreate x1 Created pod: web-bfb6488d7-r5plr
        "#]],
    );
    let deployment = world.get(&DEPLOYMENTS, "web");
    expect![[r#"{"availableReplicas":2,"conditions":[{"lastTransitionTime":"2026-09-21T14:13:22Z","lastUpdateTime":"2026-09-21T14:13:22Z","message":"Deployment has minimum availability.","reason":"MinimumReplicasAvailable","status":"True","type":"Available"},{"lastTransitionTime":"2026-09-21T14:13:22Z","lastUpdateTime":"2026-09-21T14:13:22Z","message":"ReplicaSet \"web-bfb6488d7\" has successfully progressed.","reason":"NewReplicaSetAvailable","status":"True","type":"Progressing"}],"observedGeneration":1,"readyReplicas":2,"replicas":2,"terminatingReplicas":0,"updatedReplicas":2}"#]].assert_eq(&deployment.get("status").to_json());
}

#[test]
fn a_new_image_rolls_and_keeps_what_must_serve() {
    let mut world = World::new(Machine::Ready);
    world.create(&DEPLOYMENTS, deployment("web", 4, "nginx:1.27"));
    world.run(5 * SECOND);
    let image = map! { "spec": map! { "template": map! { "spec": map! { "containers": list![map! { "name": "c", "image": "nginx:1.28" }] } } } };
    world.patch(&DEPLOYMENTS, "web", image);
    world.run(10 * SECOND);
    let events = world.events();
    let scaled: Vec<String> = events
        .into_iter()
        .filter(|e| e.contains("Scaled"))
        .collect();
    check(
        &scaled,
        expect![[r#"
            Normal ScalingReplicaSet x1 Scaled up replica set web-bfb6488d7 from 0 to 4
            Normal ScalingReplicaSet x1 Scaled up replica set web-6f9546d86d from 0 to 1
            Normal ScalingReplicaSet x1 Scaled down replica set web-bfb6488d7 from 4 to 3
            Normal ScalingReplicaSet x1 Scaled up replica set web-6f9546d86d from 1 to 2
            Normal ScalingReplicaSet x1 Scaled down replica set web-bfb6488d7 from 3 to 2
            Normal ScalingReplicaSet x1 Scaled up replica set web-6f9546d86d from 2 to 3
            Normal ScalingReplicaSet x1 Scaled down replica set web-bfb6488d7 from 2 to 1
            Normal ScalingReplicaSet x1 Scaled up replica set web-6f9546d86d from 3 to 4
            Normal ScalingReplicaSet x1 Scaled down replica set web-bfb6488d7 from 1 to 0
        "#]],
    );
    assert_eq!(world.list(&PODS).len(), 4);
    assert_eq!(world.list(&REPLICA_SETS).len(), 2);
}

#[test]
fn a_deleted_deployment_takes_its_pods_along() {
    let mut world = World::new(Machine::Ready);
    world.create(&DEPLOYMENTS, deployment("web", 2, "nginx:1.27"));
    world.run(5 * SECOND);
    world.writes.clear();
    world.must(Request::delete(&DEPLOYMENTS, "default", "web"));
    world.run(5 * SECOND);
    check(
        &world.writes,
        expect![[r#"
            7.009 garbage-collector-controller Delete replicasets/web-bfb6488d7
            7.016 garbage-collector-controller Delete pods/web-bfb6488d7-kj5m6
            7.017 garbage-collector-controller Delete pods/web-bfb6488d7-r5plr
        "#]],
    );
    assert_eq!(world.list(&PODS), [Value::Null; 0]);
}

#[test]
fn a_budget_counts_what_its_pods_can_spare() {
    let budgets = api::Resource::of("policy", "v1", "poddisruptionbudgets");
    let mut world = World::new(Machine::Ready);
    world.create(&DEPLOYMENTS, deployment("web", 4, "nginx:1.27"));
    let budget = map! {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": map! { "name": "web", "namespace": "default" },
        "spec": map! {
            "selector": map! { "matchLabels": map! { "app": "web" } }, "maxUnavailable": "25%",
        },
    };
    world.create(&budgets, budget);
    world.run(5 * SECOND);
    let budget = world.get(&budgets, "web");
    let status = budget.get("status");
    let count = |field: &str| status.int(field).unwrap_or(-1);
    assert_eq!(
        [
            "expectedPods",
            "desiredHealthy",
            "currentHealthy",
            "disruptionsAllowed"
        ]
        .map(count),
        [4, 3, 4, 1]
    );
}

#[test]
fn many_replicas_cost_few_status_updates() {
    let mut world = World::new(Machine::Ready);
    world.create(&DEPLOYMENTS, deployment("web", 1000, "nginx:1.27"));
    world.run(30 * SECOND);
    let set = &world.list(&REPLICA_SETS)[0];
    assert_eq!(set.path("status.readyReplicas").as_int(), Some(1000));
    let of = |text: &str| world.writes.iter().filter(|w| w.contains(text)).count();
    assert_eq!(of("Create pods"), 1000);
    let updates = of("replicasets/") + of("deployments/");
    assert!(updates < 200, "{updates} updates");
}
