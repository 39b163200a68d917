//! Pods are counted per zone as they come and go; that must give what counting them all anew gives.

use api::{Str, Value, list, map};
use scheduler::cache::Cache;
use scheduler::cycle::{World, decide};
use scheduler::objects::Objects;
use scheduler::pod::{Pod, Resident, Wishes};
use scheduler::queue::Nominated;
use sim::Rng;

fn node(n: u64, zone: u64) -> Value {
    let mut labels =
        map! { "kubernetes.io/hostname": format!("n{n}"), "kubernetes.io/os": "linux" };
    if zone > 0 {
        labels.set("topology.kubernetes.io/zone", format!("z{zone}"));
    }
    let amounts = map! { "cpu": "64", "memory": "256Gi", "pods": "110" };
    map! { "metadata": map! { "name": format!("n{n}"), "labels": labels }, "status": map! { "allocatable": amounts } }
}

fn pod(name: u64, app: u64, node: Option<u64>, is_deleting: bool) -> Value {
    let mut meta = map! {
        "name": format!("p{name}"), "namespace": "default", "labels": map! { "app": format!("a{app}") },
    };
    if is_deleting {
        meta.set("deletionTimestamp", "2026-01-01T00:00:00Z");
    }
    let mut spec = map! { "containers": list![map! { "name": "c", "image": "nginx" }] };
    if let Some(node) = node {
        spec.set("nodeName", format!("n{node}"));
    }
    map! { "metadata": meta, "spec": spec }
}

/// The scores of the spreading plugin by node. `picky` makes the pod ask for a label that all nodes have, for which
/// nothing is counted in advance.
fn scores(cache: &Cache, objects: &Objects, picky: bool) -> Vec<(Str, i64)> {
    let mut object = pod(9_999, 1, None, false);
    if picky {
        object.set_path("spec.nodeSelector", map! { "kubernetes.io/os": "linux" });
    }
    let pod = Pod {
        key: ("default".into(), "p9999".into()),
        uid: Str::EMPTY,
        resident: Resident::read(&object).into(),
        wishes: Wishes::read(&object).into(),
        object,
    };
    let nominated = Nominated::default();
    let world = World {
        cache,
        objects,
        nominated: &nominated,
    };
    let outcome = decide(world, &pod, &mut 0, &mut Rng::stream(1, "ties"));
    let of_plugin = |parts: &[(&str, i64)]| {
        parts
            .iter()
            .find(|(name, _)| *name == "PodTopologySpread")
            .map_or(-1, |(_, score)| *score)
    };
    outcome
        .scores
        .iter()
        .map(|s| (cache.node(s.slot).name.clone(), of_plugin(&s.parts)))
        .collect()
}

#[test]
fn counts_kept_and_counts_made_agree_whatever_happens() {
    for seed in 0..60 {
        let mut rng = Rng::stream(seed, "spreading");
        let (mut cache, mut objects) = (Cache::default(), Objects::default());
        objects.set_service(&map! {
            "metadata": map! { "namespace": "default", "name": "s" }, "spec": map! { "selector": map! { "app": "a1" } },
        });
        for _ in 0..80 {
            let (name, place) = (rng.below(30), rng.below(6));
            match rng.below(8) {
                0 | 1 => {
                    cache.set_node(&node(place, rng.below(4)));
                }
                2 => cache.remove_node(&format!("n{place}")),
                3 => {
                    cache.remove_pod(&("default".into(), format!("p{name}").into()));
                }
                _ => {
                    // The same pod has the same labels for ever, as siblings of one template have.
                    let is_deleting = rng.chance(200);
                    cache.set_pod(&pod(name, name % 3, Some(place), is_deleting));
                }
            }
        }
        let (kept, made) = (
            scores(&cache, &objects, false),
            scores(&cache, &objects, true),
        );
        assert_eq!(kept, made, "seed {seed}");
        assert!(
            kept.iter().all(|(_, score)| *score >= 0),
            "seed {seed}: nothing was scored"
        );
    }
}
