//! Replays recorded decisions of a real kube-scheduler v1.36: same node among the best, same message, same scores.

use std::collections::BTreeMap;
use std::path::PathBuf;

use api::{Str, Value};
use scheduler::cache::Cache;
use scheduler::cycle::{Verdict, World, decide};
use scheduler::objects::Objects;
use scheduler::pod::{Pod, Resident, Wishes};
use scheduler::queue::Nominated;
use sim::Rng;

/// How many of the recorded decisions come out the same. Only ever raised.
const FLOOR: usize = 240;

#[test]
fn decisions_are_those_of_the_real_scheduler() {
    let Some(cases) = recorded() else { return };
    let mut same = 0;
    for case in cases.items() {
        match compare(case) {
            Ok(()) => same += 1,
            Err(why) => println!("seed {}: {why}", case.int("seed").unwrap_or(0)),
        }
    }
    println!("scheduling: {same} of {}", cases.items().len());
    assert!(
        same >= FLOOR,
        "scheduling: {same} of {}, was {FLOOR}",
        cases.items().len()
    );
}

/// The recordings, where they are at hand.
fn recorded() -> Option<Value> {
    let shared = std::env::var("KUBENKYO_SHARED").map_or_else(
        |_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = ["golden/scheduling/cases.json"]
        .iter()
        .map(|p| shared.join(p))
        .find(|p| p.exists());
    let Some(path) = path else {
        println!("scheduling: no recordings at {}", shared.display());
        return None;
    };
    let text = std::fs::read_to_string(path).expect("a readable file");
    Some(Value::from_json(&text).expect("the recordings are JSON"))
}

fn compare(case: &Value) -> Result<(), String> {
    let mut cache = Cache::default();
    for node in case.get("nodes").items() {
        cache.set_node(node);
    }
    for pod in case.get("pods").items() {
        cache.set_pod(pod);
    }
    let object = case.get("pod");
    let pod = Pod {
        key: (
            object.get("metadata").shared_str("namespace"),
            object.get("metadata").shared_str("name"),
        ),
        uid: Str::EMPTY,
        object: object.clone(),
        resident: Resident::read(object).into(),
        wishes: Wishes::read(object).into(),
    };
    let (objects, nominated) = (Objects::default(), Nominated::default());
    let world = World {
        cache: &cache,
        objects: &objects,
        nominated: &nominated,
    };
    let outcome = decide(world, &pod, &mut 0, &mut Rng::stream(1, "ties"));
    let result = case.get("result");
    let scores: BTreeMap<Str, BTreeMap<&str, i64>> = outcome
        .scores
        .iter()
        .map(|s| {
            (
                cache.node(s.slot).name.clone(),
                s.parts.iter().copied().collect(),
            )
        })
        .collect();
    for (node, parts) in result.get("scores").entries().iter() {
        let ours = scores.get(node).ok_or(format!("{node} was not scored"))?;
        for (plugin, score) in parts.entries().iter() {
            // Dynamic resources have a say of 0 for pods without claims.
            let known = ours.get(plugin.as_str()).copied();
            if known != score.as_int() && plugin != "DynamicResources" {
                return Err(format!("{plugin} gives {node} {known:?}, not {score:?}"));
            }
        }
        if parts.entries().len() != ours.len() + 1 {
            return Err(format!("{node} is scored by {ours:?}, not {parts:?}"));
        }
    }
    match &outcome.verdict {
        Verdict::Fail(failure) if failure.message == result.str("message") => Ok(()),
        Verdict::Fail(failure) => Err(format!("{:?}, not {result:?}", failure.message)),
        Verdict::Place(slot) => {
            let name = &cache.node(*slot).name;
            let best = result
                .get("final")
                .entries()
                .values()
                .filter_map(Value::as_int)
                .max();
            let is_best = match best {
                Some(best) => result.get("final").int(name) == Some(best),
                None => result.str("node") == name.as_str(),
            };
            if is_best {
                Ok(())
            } else {
                Err(format!("chose {name}, not {result:?}"))
            }
        }
    }
}
