//! Endpoints of Services, and volumes of claims.

use api::core::{
    ENDPOINTS, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, RESOURCE_QUOTAS, SERVICES,
};
use api::meta::Meta;
use api::{Request, Str, Value, list, map};
use expect_test::expect;
use sim::SECOND;

use super::world::{Machine, World};
use crate::endpoint::slices::ENDPOINT_SLICES;
use crate::volume::STORAGE_CLASSES;

fn pod(name: &str) -> Value {
    let ports = list![map! { "name": "http", "containerPort": 8080, "protocol": "TCP" }];
    map! {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": map! { "name": Str::new(name), "namespace": "default", "labels": map! { "app": "web" } },
        "spec": map! { "containers": list![map! { "name": "c", "image": "nginx", "ports": ports }] },
    }
}

#[test]
fn endpoints_follow_ready_pods() {
    let mut world = World::new(Machine::Ready);
    let service = map! {
        "apiVersion": "v1", "kind": "Service",
        "metadata": map! { "name": "web", "namespace": "default" },
        "spec": map! {
            "selector": map! { "app": "web" },
            "ports": list![map! { "port": 80, "targetPort": "http" }],
        },
    };
    world.create(&SERVICES, service);
    world.run(SECOND);
    let slice = |world: &mut World| {
        let slices = world.list(&ENDPOINT_SLICES);
        let ours = slices
            .into_iter()
            .find(|s| Meta::of(s).name().starts_with("web-"));
        ours.expect("the service has a slice")
    };
    assert_eq!(*slice(&mut world).get("endpoints"), Value::Null);
    world.create(&PODS, pod("a"));
    world.run(2 * SECOND);
    let mut made = slice(&mut world);
    for endpoint in made.entry("endpoints").list_mut() {
        endpoint.entry("targetRef").remove("uid");
    }
    expect![[r#"[{"addresses":["10.244.0.9"],"conditions":{"ready":true,"serving":true,"terminating":false},"nodeName":"node-1","targetRef":{"kind":"Pod","name":"a","namespace":"default"}}] [{"name":"","port":8080,"protocol":"TCP"}]"#]].assert_eq(&format!(
        "{:?} {:?}",
        made.get("endpoints"),
        made.get("ports")
    ));
    let legacy = world.get(&ENDPOINTS, "web");
    assert_eq!(legacy.get("subsets").items().len(), 1);
    world.must(Request::delete(&PODS, "default", "a"));
    world.run(5 * SECOND);
    assert_eq!(*slice(&mut world).get("endpoints"), Value::Null);
}

#[test]
fn endpoints_written_by_hand_are_mirrored_while_the_service_has_no_selector() {
    let mut world = World::new(Machine::Off);
    let service = map! {
        "apiVersion": "v1", "kind": "Service",
        "metadata": map! { "name": "db", "namespace": "default" },
        "spec": map! { "ports": list![map! { "port": 5432 }] },
    };
    let endpoints = map! {
        "apiVersion": "v1", "kind": "Endpoints",
        "metadata": map! {
            "name": "db", "namespace": "default",
            "labels": map! { "team": "data" }, "annotations": map! { "note": "outside" },
        },
        "subsets": list![map! {
            "addresses": list![map! { "ip": "192.0.2.7" }, map! { "ip": "2001:db8::7" }],
            "notReadyAddresses": list![map! { "ip": "192.0.2.8", "hostname": "standby" }],
            "ports": list![map! { "port": 5432 }],
        }],
    };
    world.create(&SERVICES, service);
    world.create(&ENDPOINTS, endpoints);
    world.run(SECOND);
    let slices = |world: &mut World| {
        let mut lines: Vec<String> = world
            .list(&ENDPOINT_SLICES)
            .iter()
            .filter(|slice| Meta::of(slice).name() != "kubernetes")
            .map(|slice| {
                let meta = Meta::of(slice);
                format!(
                    "{} {} {} {} {}",
                    slice.str("addressType"),
                    slice.get("ports").to_json(),
                    slice.get("endpoints").to_json(),
                    meta.0.get("labels").to_json(),
                    meta.0.path("ownerReferences").items()[0].str("kind"),
                )
            })
            .collect();
        lines.sort();
        lines.join("\n")
    };
    expect![[r#"
        IPv4 [{"name":"","port":5432,"protocol":"TCP"}] [{"addresses":["192.0.2.7"],"conditions":{"ready":true}},{"addresses":["192.0.2.8"],"conditions":{"ready":false},"hostname":"standby"}] {"endpointslice.kubernetes.io/managed-by":"endpointslicemirroring-controller.k8s.io","kubernetes.io/service-name":"db","team":"data"} Endpoints
        IPv6 [{"name":"","port":5432,"protocol":"TCP"}] [{"addresses":["2001:db8::7"],"conditions":{"ready":true}}] {"endpointslice.kubernetes.io/managed-by":"endpointslicemirroring-controller.k8s.io","kubernetes.io/service-name":"db","team":"data"} Endpoints"#]].assert_eq(&slices(&mut world));
    world.patch(
        &ENDPOINTS,
        "db",
        map! { "subsets": list![map! {
            "addresses": list![map! { "ip": "192.0.2.9" }], "ports": list![map! { "port": 5432 }],
        }] },
    );
    world.run(SECOND);
    expect![[r#"IPv4 [{"name":"","port":5432,"protocol":"TCP"}] [{"addresses":["192.0.2.9"],"conditions":{"ready":true}}] {"endpointslice.kubernetes.io/managed-by":"endpointslicemirroring-controller.k8s.io","kubernetes.io/service-name":"db","team":"data"} Endpoints"#]].assert_eq(&slices(&mut world));
    // With a selector the pods decide, and ours go.
    world.patch(
        &SERVICES,
        "db",
        map! { "spec": map! { "selector": map! { "app": "db" } } },
    );
    world.run(SECOND);
    expect![[r#"IPv4 null null {"endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io","kubernetes.io/service-name":"db"} Service"#]].assert_eq(&slices(&mut world));
}

#[test]
fn the_api_servers_own_endpoints_are_not_mirrored() {
    let mut world = World::new(Machine::Off);
    world.run(SECOND);
    let names: Vec<String> = world
        .list(&ENDPOINT_SLICES)
        .iter()
        .map(|slice| Meta::of(slice).name().to_owned())
        .collect();
    assert_eq!(names, ["kubernetes"]);
    let own = world.get(&ENDPOINTS, "kubernetes");
    expect![[r#"[{"addresses":[{"ip":"172.18.0.1"}],"ports":[{"name":"https","port":6443,"protocol":"TCP"}]}]"#]]
        .assert_eq(&own.get("subsets").to_json());
}

fn claim(class: Option<&'static str>) -> Value {
    let mut claim = map! {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": map! { "name": "data", "namespace": "default" },
        "spec": map! {
            "accessModes": list!["ReadWriteOnce"],
            "resources": map! { "requests": map! { "storage": "3Gi" } },
        },
    };
    if let Some(class) = class {
        claim.set_path("spec.storageClassName", class);
    }
    claim
}

#[test]
fn a_claim_takes_the_smallest_volume_that_fits() {
    let mut world = World::new(Machine::Off);
    for (name, size) in [("big", "20Gi"), ("fit", "5Gi"), ("small", "1Gi")] {
        let volume = map! {
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": map! { "name": name },
            "spec": map! {
                "capacity": map! { "storage": size }, "accessModes": list!["ReadWriteOnce"],
                "storageClassName": "manual", "hostPath": map! { "path": "/mnt" },
                "persistentVolumeReclaimPolicy": "Retain",
            },
        };
        world.create(&PERSISTENT_VOLUMES, volume);
    }
    world.run(SECOND);
    world.create(&PERSISTENT_VOLUME_CLAIMS, claim(Some("manual")));
    world.run(2 * SECOND);
    let bound = world.get(&PERSISTENT_VOLUME_CLAIMS, "data");
    expect![[
        r#""fit" {"accessModes":["ReadWriteOnce"],"capacity":{"storage":"5Gi"},"phase":"Bound"}"#
    ]]
    .assert_eq(&format!(
        "{:?} {:?}",
        bound.path("spec.volumeName"),
        bound.get("status")
    ));
    world.must(Request::delete(
        &PERSISTENT_VOLUME_CLAIMS,
        "default",
        "data",
    ));
    world.run(2 * SECOND);
    let volume = world.must(Request::get(&PERSISTENT_VOLUMES, "", "fit"));
    assert_eq!(volume.path("status.phase").as_str(), Some("Released"));
}

#[test]
fn a_claim_is_provisioned_by_its_class_and_its_volume_goes_with_it() {
    let mut world = World::new(Machine::Off);
    world.create(&PERSISTENT_VOLUME_CLAIMS, claim(Some("standard")));
    world.run(2 * SECOND);
    let class = map! {
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": map! { "name": "standard" },
        "provisioner": "kubernetes.io/host-path",
    };
    world.create(&STORAGE_CLASSES, class);
    world.run(20 * SECOND);
    let bound = world.get(&PERSISTENT_VOLUME_CLAIMS, "data");
    assert_eq!(bound.path("status.phase").as_str(), Some("Bound"));
    let events = world.events().join("\n");
    let uid = Meta::of(&bound).uid();
    expect![[r#"
        Warning ProvisioningFailed x1 storageclass.storage.k8s.io "standard" not found
        Normal ProvisioningSucceeded x1 Successfully provisioned volume pvc-UID using kubernetes.io/host-path"#]].assert_eq(&events.replace(uid, "UID"));
    world.must(Request::delete(
        &PERSISTENT_VOLUME_CLAIMS,
        "default",
        "data",
    ));
    world.run(2 * SECOND);
    let volumes = world.must(Request::list(&PERSISTENT_VOLUMES, ""));
    assert_eq!(volumes.get("items").items().len(), 0);
}

#[test]
fn a_quota_tells_what_is_used() {
    let mut world = World::new(Machine::Ready);
    let quota = map! {
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": map! { "name": "q", "namespace": "default" },
        "spec": map! { "hard": map! { "pods": "3", "services": "2", "count/deployments.apps": "1" } },
    };
    world.create(&RESOURCE_QUOTAS, quota);
    world.create(&PODS, pod("a"));
    world.create(&PODS, pod("b"));
    world.run(2 * SECOND);
    let used = |world: &mut World| {
        world
            .get(&RESOURCE_QUOTAS, "q")
            .path("status.used")
            .to_json()
    };
    assert_eq!(
        used(&mut world),
        r#"{"count/deployments.apps":"0","pods":"2","services":"1"}"#
    );
    world.must(Request::delete(&PODS, "default", "a"));
    world.run(5 * SECOND);
    assert_eq!(
        used(&mut world),
        r#"{"count/deployments.apps":"0","pods":"1","services":"1"}"#
    );
}
