//! How many scheduling decisions a second of CPU gives: `cargo run --profile fast -p kubenkyo-scheduler --example throughput`.

use api::{Str, Value, list, map};
use scheduler::cache::Cache;
use scheduler::cycle::{Verdict, World, decide};
use scheduler::objects::Objects;
use scheduler::pod::{Interner, Pod, Resident, Wishes};
use scheduler::queue::Nominated;
use sim::Rng;

fn main() {
    let number = |at: usize, default: usize| {
        std::env::args()
            .nth(at)
            .and_then(|a| a.parse().ok())
            .unwrap_or(default)
    };
    let (nodes, pods) = (number(1, 5_000), number(2, 10_000));
    let mut cache = Cache::default();
    for n in 0..nodes {
        cache.set_node(&node(n));
    }
    let mut objects = Objects::default();
    let selector = map! { "matchLabels": map! { "app": "web" } };
    objects.set_owner(
        "ReplicaSet",
        &map! { "metadata": map! { "namespace": "default", "name": "web-1" }, "spec": map! { "selector": selector } },
    );
    let (nominated, mut start, mut rng) = (Nominated::default(), 0, Rng::stream(1, "ties"));
    let mut wishes = Interner::default();
    let mut placed = 0;
    for n in 0..pods {
        let object = pod(n);
        let pod = Pod {
            key: ("default".into(), format!("web-1-{n}").into()),
            uid: Str::EMPTY,
            resident: cache.residents.take(Resident::read(&object)),
            wishes: wishes.take(Wishes::read(&object)),
            object,
        };
        let world = World {
            cache: &cache,
            objects: &objects,
            nominated: &nominated,
        };
        if let Verdict::Place(slot) = decide(world, &pod, &mut start, &mut rng).verdict {
            cache.assume(&pod, slot);
            placed += 1;
        }
    }
    let fullest = cache.nodes().map(|node| node.pod_count).max().unwrap_or(0);
    println!("{placed} of {pods} pods on {nodes} nodes, at most {fullest} on one");
}

fn node(n: usize) -> Value {
    let amounts = map! { "cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "100Gi" };
    map! {
        "metadata": map! { "name": format!("node-{n}"), "labels": map! {
            "kubernetes.io/hostname": format!("node-{n}"), "kubernetes.io/os": "linux",
            "topology.kubernetes.io/zone": format!("zone-{}", n % 3), "topology.kubernetes.io/region": "region-1",
        } },
        "status": map! { "allocatable": &amounts, "capacity": amounts },
    }
}

fn pod(n: usize) -> Value {
    let owner =
        map! { "kind": "ReplicaSet", "name": "web-1", "controller": true, "apiVersion": "apps/v1" };
    let requests = map! { "cpu": "100m", "memory": "64Mi" };
    map! {
        "metadata": map! {
            "name": format!("web-1-{n}"), "namespace": "default", "labels": map! { "app": "web" },
            "ownerReferences": list![owner],
        },
        "spec": map! { "containers": list![map! {
            "name": "web", "image": "nginx:1.27", "resources": map! { "requests": requests },
        }] },
    }
}
