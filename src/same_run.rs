//! One scripted run of a whole cluster, boiled down to a few digits that must be the same natively and in wasm.
//!
//! `cargo xtask test seeds` asks the command line and the built page for the same seeds and compares; the tests below hold what can be held
//! on one machine: twice the same, and a clone continues as its original. Starts at [`trace_hash`].

use api::{Arrival, PatchKind, Request, Response, Value, apps, core, list, map};
use cluster::{Cluster, Options};

/// Who asks.
const USER: u32 = 1;

/// Runs the script under `seed`: a Deployment comes, grows, changes its image, loses a pod. The digits are the digest of every note of the
/// trace, and that of the pods as they stand at the end.
// By itself, so that in the page it can come with the rest.
#[inline(never)]
pub fn trace_hash(seed: u64) -> String {
    let mut cluster = switched_on(seed);
    let pods = act(&mut cluster);
    print_of(&cluster, &pods)
}

fn switched_on(seed: u64) -> Cluster {
    let mut cluster = Cluster::new(Options {
        seed,
        ..Options::default()
    });
    cluster.run_for(10 * sim::SECOND);
    cluster
}

/// The script; answers with the list of pods at its end.
fn act(cluster: &mut Cluster) -> Value {
    ask(
        cluster,
        Request::create(&apps::DEPLOYMENTS, "default", web()),
    );
    cluster.run_for(20 * sim::SECOND);
    ask(cluster, change(map! { "spec": map! { "replicas": 5 } }));
    cluster.run_for(20 * sim::SECOND);
    let image = map! { "name": "nginx", "image": "nginx:1.16.1" };
    ask(
        cluster,
        change(
            map! { "spec": map! { "template": map! { "spec": map! { "containers": list![image] } } } },
        ),
    );
    cluster.run_for(40 * sim::SECOND);
    let pods = ask(cluster, Request::list(&core::PODS, "default"));
    if let Some(pod) = pods.body.get("items").items().first() {
        let name = pod.get("metadata").str("name").to_owned();
        ask(cluster, Request::delete(&core::PODS, "default", name));
    }
    cluster.run_for(60 * sim::SECOND);
    ask(cluster, Request::list(&core::PODS, "default")).body
}

fn web() -> Value {
    map! {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": map! { "name": "web" },
        "spec": map! {
            "replicas": 3, "selector": map! { "matchLabels": map! { "app": "web" } },
            "template": map! {
                "metadata": map! { "labels": map! { "app": "web" } },
                "spec": map! { "containers": list![map! { "name": "nginx", "image": "nginx:1.14.2" }] },
            },
        },
    }
}

fn change(patch: Value) -> Request {
    Request::patch(
        &apps::DEPLOYMENTS,
        "default",
        "web",
        PatchKind::Strategic,
        patch,
    )
}

/// Sends a request and runs until its answer is there.
fn ask(cluster: &mut Cluster, request: Request) -> Response {
    let id = cluster.submit(USER, request);
    loop {
        for (_, found, arrival) in cluster.receive(USER) {
            if let (true, Arrival::Response(response)) = (found == id, arrival) {
                return response;
            }
        }
        assert!(
            cluster.step(),
            "the answer to a request is always still to come"
        );
    }
}

fn print_of(cluster: &Cluster, pods: &Value) -> String {
    format!(
        "{:016x}.{:016x}",
        cluster.trace().digest(),
        digest(pods.to_json().as_bytes())
    )
}

/// FNV-1a over bytes: no word size, no order of a hash map.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_does_what_it_says() {
        let mut cluster = switched_on(1);
        let pods = act(&mut cluster);
        let images: Vec<&str> = pods
            .get("items")
            .items()
            .iter()
            .filter(|pod| core::Pod(pod).phase() == "Running")
            .map(|pod| pod.path("spec.containers").items()[0].str("image"))
            .collect();
        assert_eq!(images, ["nginx:1.16.1"; 5]);
    }

    #[test]
    fn the_same_seed_gives_the_same_run_and_another_seed_another() {
        assert_eq!(trace_hash(1), trace_hash(1));
        assert_ne!(trace_hash(1), trace_hash(2));
    }

    #[test]
    fn a_clone_continues_as_its_original() {
        let mut original = switched_on(3);
        let mut clone = original.clone();
        let pods = act(&mut original);
        assert_eq!(print_of(&original, &pods), trace_hash(3));
        let pods = act(&mut clone);
        assert_eq!(print_of(&original, &pods), print_of(&clone, &pods));
    }
}
