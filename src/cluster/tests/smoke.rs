//! A Deployment comes to life: every layer at once.

use api::{Arrival, Request, Value, apps, core, list, map};
use cluster::{Cluster, Options};

fn ask(cluster: &mut Cluster, request: Request) -> api::Response {
    let id = cluster.submit(1, request);
    for _ in 0..10_000 {
        cluster.step();
        for (_, found, arrival) in cluster.receive(1) {
            if let (true, Arrival::Response(response)) = (found == id, arrival) {
                return response;
            }
        }
    }
    panic!("no answer");
}

fn nginx(replicas: i64) -> Value {
    map! {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": map! { "name": "web" },
        "spec": map! {
            "replicas": replicas, "selector": map! { "matchLabels": map! { "app": "web" } },
            "template": map! {
                "metadata": map! { "labels": map! { "app": "web" } },
                "spec": map! { "containers": list![map! { "name": "nginx", "image": "nginx:1.27" }] },
            },
        },
    }
}

#[test]
fn three_pods_come_to_life_on_three_nodes() {
    let mut cluster = Cluster::new(Options::default());
    cluster.run_for(10 * sim::SECOND);
    let nodes = ask(&mut cluster, Request::list(&core::NODES, ""));
    assert_eq!(nodes.body.get("items").items().len(), 3);
    for node in nodes.body.get("items").items() {
        assert!(api::meta::is_true(node, "Ready"), "{node:?}");
    }
    let made = ask(
        &mut cluster,
        Request::create(&apps::DEPLOYMENTS, "default", nginx(3)),
    );
    assert_eq!(made.code, 201, "{:?}", made.body);
    cluster.run_for(30 * sim::SECOND);
    let pods = ask(&mut cluster, Request::list(&core::PODS, "default"));
    let running: Vec<&str> = pods
        .body
        .get("items")
        .items()
        .iter()
        .filter(|pod| core::Pod(pod).phase() == "Running")
        .map(|pod| core::Pod(pod).node_name())
        .collect();
    assert_eq!(running.len(), 3, "{:?}", pods.body);
    let mut nodes = running.clone();
    nodes.sort_unstable();
    nodes.dedup();
    assert_eq!(nodes.len(), 3, "spread over the nodes: {running:?}");
}

#[test]
fn the_audit_tells_who_asked_and_in_whose_name() {
    let mut cluster = Cluster::new(Options::default());
    cluster.run_for(10 * sim::SECOND);
    let mut request = Request::list(&core::PODS, "default");
    request.options.impersonate_user = "jane".into();
    assert_eq!(ask(&mut cluster, request).code, 403);
    let jack = apiserver::User {
        name: "jack".into(),
        ..apiserver::User::default()
    };
    cluster.submit_as(1, jack, Request::path("/version"));
    cluster.run_for(sim::SECOND);
    let told: Vec<String> = cluster
        .trace()
        .after(sim::NoteId(0))
        .filter_map(|traced| match &traced.note {
            api::Note::Audited {
                user,
                acting_as,
                verb,
                key,
                code,
                ..
            } => Some(format!(
                "{user} as {acting_as:?}: {verb:?} {} {} {code}",
                key.kind, key.name
            )),
            _ => None,
        })
        .collect();
    expect_test::expect![[r#"
        kubernetes-admin as "jane": List pods  403
        jack as "": GetPath  /version 403"#]]
    .assert_eq(&told.join("\n"));
}
