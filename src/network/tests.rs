//! The room's rules, on tables made by hand.

use std::net::Ipv4Addr;

use api::{Value, list, map};
use posix::{HttpRequest, NetError, RecordKind, Reply, Request};
use sim::{Rng, Time};

use crate::policy::Peer;
use crate::{
    Affinity, Answer, Call, Dialog, Found, Kind, Next, Payload, Place, Protocol, Resolver, Route,
    Tables,
};

const A: Ipv4Addr = Ipv4Addr::new(10, 244, 0, 2);
const B: Ipv4Addr = Ipv4Addr::new(10, 244, 1, 2);
const CLUSTER: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 20);
const NODE: Ipv4Addr = Ipv4Addr::new(172, 18, 0, 11);

fn endpoint(address: Ipv4Addr, node: &'static str, hostname: &'static str, ready: bool) -> Value {
    map! {
        "addresses": list![address.to_string()], "nodeName": node, "hostname": hostname,
        "conditions": map! { "ready": ready, "serving": ready, "terminating": false },
    }
}

fn slice(service: &'static str, endpoints: Vec<Value>) -> Value {
    map! {
        "metadata": map! {
            "namespace": "default", "name": format!("{service}-abcde"),
            "labels": map! { "kubernetes.io/service-name": service },
        },
        "addressType": "IPv4", "endpoints": endpoints,
        "ports": list![map! { "name": "http", "port": 8080, "protocol": "TCP" }],
    }
}

fn service(name: &'static str, cluster_ip: &str, more: &[(&'static str, Value)]) -> Value {
    let mut spec = map! {
        "clusterIP": cluster_ip.to_owned(),
        "ports": list![map! { "name": "http", "port": 80, "nodePort": if cluster_ip == "None" { 0 } else { 30080 }, "protocol": "TCP" }],
    };
    for (field, value) in more {
        spec.set(*field, value.clone());
    }
    map! { "metadata": map! { "namespace": "default", "name": name }, "spec": spec }
}

fn tables(more: &[(&'static str, Value)], endpoints: Vec<Value>) -> Tables {
    let mut tables = Tables::default();
    tables.learn(
        Kind::Namespace,
        map! { "metadata": map! { "name": "default", "labels": map! { "team": "a" } } },
    );
    tables.learn(Kind::Service, service("web", &CLUSTER.to_string(), more));
    tables.learn(Kind::EndpointSlice, slice("web", endpoints.clone()));
    tables.learn(Kind::Service, service("db", "None", &[]));
    tables.learn(Kind::EndpointSlice, slice("db", endpoints));
    tables
}

fn both() -> Vec<Value> {
    vec![
        endpoint(A, "node-1", "db-0", true),
        endpoint(B, "node-2", "", true),
    ]
}

fn call(to: Ipv4Addr, port: u16) -> Call {
    Call {
        to,
        port,
        protocol: Protocol::Tcp,
        payload: Payload::Bytes(Vec::new()),
        patience: 1,
    }
}

/// Where twenty calls go, without repetition.
fn destinations(tables: &Tables, to: Ipv4Addr, port: u16) -> Vec<String> {
    let (mut affinity, mut rng) = (Affinity::default(), Rng::stream(1, "test"));
    let place = Place {
        source: Ipv4Addr::new(10, 244, 0, 9),
        node: "node-1".into(),
        is_node_address: to == NODE,
    };
    let mut seen = Vec::new();
    for _ in 0..20 {
        let word = match tables.route(&call(to, port), &place, &mut affinity, Time(0), &mut rng) {
            Route::Direct => "direct".to_owned(),
            Route::To { address, port, .. } => format!("{address}:{port}"),
            Route::Refused { .. } => "refused".to_owned(),
            Route::Dropped { .. } => "dropped".to_owned(),
        };
        if !seen.contains(&word) {
            seen.push(word);
        }
    }
    seen.sort();
    seen
}

#[test]
fn a_service_sends_calls_to_its_ready_endpoints() {
    let (a, b) = ("10.244.0.2:8080", "10.244.1.2:8080");
    let open = tables(&[], both());
    assert_eq!(destinations(&open, CLUSTER, 80), [a, b], "by chance");
    assert_eq!(destinations(&open, NODE, 30080), [a, b], "through any node");
    assert_eq!(
        destinations(&open, CLUSTER, 81),
        ["dropped"],
        "a port it does not have"
    );
    assert_eq!(
        destinations(&open, NODE, 8080),
        ["direct"],
        "a node's own port"
    );
    assert_eq!(destinations(&open, A, 8080), ["direct"], "a pod's address");
    let none = tables(&[], vec![endpoint(A, "node-1", "", false)]);
    assert_eq!(
        destinations(&none, CLUSTER, 80),
        ["refused"],
        "nobody is ready"
    );
    let local = tables(&[("externalTrafficPolicy", "Local".into())], both());
    assert_eq!(destinations(&local, NODE, 30080), [a], "only this node's");
    assert_eq!(destinations(&local, CLUSTER, 80), [a, b], "from inside any");
    let sticky = tables(&[("sessionAffinity", "ClientIP".into())], both());
    assert_eq!(
        destinations(&sticky, CLUSTER, 80).len(),
        1,
        "the same client, the same pod"
    );
}

#[test]
fn the_zone_answers_as_the_specification_says() {
    let tables = tables(&[], both());
    let ask = |name: &str, kind| match tables.look_up(name, kind) {
        Found::Records(records) => records
            .into_iter()
            .map(|r| r.value)
            .collect::<Vec<_>>()
            .join(" "),
        Found::NoName => "no name".to_owned(),
        Found::Outside => "outside".to_owned(),
    };
    for (name, kind, expected) in [
        (
            "web.default.svc.cluster.local",
            RecordKind::Address,
            "10.96.0.20",
        ),
        (
            "web.default.svc.cluster.local.",
            RecordKind::Address,
            "10.96.0.20",
        ),
        (
            "WEB.default.svc.cluster.local",
            RecordKind::Address,
            "10.96.0.20",
        ),
        ("web.default.svc.cluster.local", RecordKind::Address6, ""),
        (
            "web.other.svc.cluster.local",
            RecordKind::Address,
            "no name",
        ),
        (
            "db.default.svc.cluster.local",
            RecordKind::Address,
            "10.244.0.2 10.244.1.2",
        ),
        (
            "db-0.db.default.svc.cluster.local",
            RecordKind::Address,
            "10.244.0.2",
        ),
        (
            "10-244-1-2.db.default.svc.cluster.local",
            RecordKind::Address,
            "10.244.1.2",
        ),
        (
            "db-1.db.default.svc.cluster.local",
            RecordKind::Address,
            "no name",
        ),
        (
            "10-1-2-3.default.pod.cluster.local",
            RecordKind::Address,
            "10.1.2.3",
        ),
        (
            "_http._tcp.web.default.svc.cluster.local",
            RecordKind::Service,
            "0 100 80 web.default.svc.cluster.local.",
        ),
        (
            "_http._tcp.db.default.svc.cluster.local",
            RecordKind::Service,
            "0 50 8080 db-0.db.default.svc.cluster.local. 0 50 8080 10-244-1-2.db.default.svc.cluster.local.",
        ),
        (
            "20.0.96.10.in-addr.arpa",
            RecordKind::Pointer,
            "web.default.svc.cluster.local.",
        ),
        (
            "2.0.244.10.in-addr.arpa",
            RecordKind::Pointer,
            "db-0.db.default.svc.cluster.local. db-0.web.default.svc.cluster.local.",
        ),
        ("example.com", RecordKind::Address, "outside"),
    ] {
        assert_eq!(ask(name, kind), expected, "{name}");
    }
}

#[test]
fn names_are_searched_in_the_resolvers_order() {
    let resolver = Resolver::read(
        "127.0.0.1 localhost # this machine\n10.1.2.3 foo.local foo\n",
        "search default.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:2\n",
    );
    assert_eq!(resolver.host("foo"), Some(Ipv4Addr::new(10, 1, 2, 3)));
    assert_eq!(
        resolver.candidates("web"),
        [
            "web.default.svc.cluster.local",
            "web.svc.cluster.local",
            "web"
        ]
    );
    assert_eq!(resolver.candidates("a.b.c")[0], "a.b.c", "enough dots");
    assert_eq!(resolver.candidates("web."), ["web"], "absolute");
}

#[test]
fn a_question_goes_from_the_name_to_the_wire() {
    let resolver = Resolver::read(
        "",
        "search x.local\nnameserver 10.96.0.10\nnameserver 10.96.0.11\n",
    );
    let http = HttpRequest {
        method: "GET".into(),
        url: "http://web:8080/a".into(),
        headers: Vec::new(),
        body: Vec::new(),
        insecure: false,
        timeout_micros: None,
        connect_timeout_micros: Some(2_000_000),
        extra: Vec::new(),
    };
    let (mut dialog, next) = Dialog::begin(Request::Http(http), resolver.clone());
    let asked = |next: &Next| match next {
        Next::Send(call) => match &call.payload {
            Payload::Dns { name, .. } => format!("{} asks {name}", call.to),
            _ => format!("{}:{} within {}", call.to, call.port, call.patience),
        },
        Next::Done(reply) => format!("{reply:?}"),
    };
    assert_eq!(asked(&next), "10.96.0.10 asks web.x.local");
    let next = dialog.answer(Answer::NoName);
    assert_eq!(asked(&next), "10.96.0.10 asks web");
    let next = dialog.answer(Answer::Dropped);
    assert_eq!(asked(&next), "10.96.0.11 asks web", "the next server");
    let record = posix::Record {
        name: "web".into(),
        kind: RecordKind::Address,
        value: "10.1.1.1".into(),
    };
    let next = dialog.answer(Answer::Records {
        name: "web".into(),
        records: vec![record],
    });
    assert_eq!(asked(&next), "10.1.1.1:8080 within 2000000");
    let done = dialog.answer(Answer::Refused);
    assert_eq!(
        done,
        Next::Done(Reply::Failed(NetError::Refused {
            peer: "10.1.1.1".into()
        }))
    );
}

#[test]
fn policies_let_through_what_one_of_them_allows() {
    let pod = |name: &'static str, app: &'static str| {
        map! {
            "metadata": map! { "namespace": "default", "name": name, "labels": map! { "app": app } },
            "spec": map! { "containers": list![map! { "ports": list![map! { "name": "http", "containerPort": 8080 }] }] },
        }
    };
    let (web, shop, stranger) = (pod("web", "web"), pod("shop", "shop"), pod("x", "x"));
    let mut tables = tables(&[], both());
    let passes = |tables: &Tables, from: &Value, port: u16| {
        let from = Peer {
            address: A,
            pod: Some(from),
        };
        let to = Peer {
            address: B,
            pod: Some(&web),
        };
        tables.allows(&from, &to, port, Protocol::Tcp)
    };
    assert!(
        passes(&tables, &stranger, 1),
        "without a policy all is open"
    );
    let policy = |spec: Value| map! { "metadata": map! { "namespace": "default", "name": "p" }, "spec": spec };
    tables.learn(Kind::NetworkPolicy, policy(map! {
        "podSelector": map! { "matchLabels": map! { "app": "web" } }, "policyTypes": list!["Ingress"],
        "ingress": list![map! {
            "from": list![map! { "podSelector": map! { "matchLabels": map! { "app": "shop" } } }],
            "ports": list![map! { "port": "http", "protocol": "TCP" }],
        }],
    }));
    assert!(
        passes(&tables, &shop, 8080),
        "the named port of the allowed peer"
    );
    assert!(!passes(&tables, &shop, 81), "another port");
    assert!(!passes(&tables, &stranger, 8080), "another peer");
    tables.learn(Kind::NetworkPolicy, policy(map! {
        "podSelector": Value::empty_map(), "policyTypes": list!["Egress"],
        "egress": list![map! { "to": list![map! { "ipBlock": map! { "cidr": "10.244.0.0/16", "except": list!["10.244.1.0/24"] } }] }],
    }));
    assert!(
        !passes(&tables, &shop, 8080),
        "the excepted block is not let out to"
    );
    tables.learn(Kind::NetworkPolicy, policy(map! {
        "podSelector": Value::empty_map(), "policyTypes": list!["Ingress"],
        "ingress": list![map! { "from": list![map! { "namespaceSelector": map! { "matchLabels": map! { "team": "a" } } }] }],
    }));
    assert!(
        passes(&tables, &stranger, 8080),
        "a namespace by its labels"
    );
}
