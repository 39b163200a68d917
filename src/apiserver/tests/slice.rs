//! The first path through everything: create, bind, watch, status, delete.

use api::core::{PODS, SERVICE_ACCOUNTS};
use api::{Body, Part, PatchKind, Request, RequestId, Response, Value, Verb, WatchKind, list, map};
use sim::Time;

use crate::{ApiServer, Caller, Reply};

pub(super) fn server() -> ApiServer {
    let now = Time::parse_rfc3339("2026-11-23T00:00:00Z").expect("a date");
    let mut server = ApiServer::new(1, now);
    let account = map! { "metadata": map! { "name": "default" } };
    done(
        &mut server,
        &Request::create(&SERVICE_ACCOUNTS, "default", account),
    );
    server.drain_notes();
    server
}

pub(super) fn ask(server: &mut ApiServer, id: u64, request: &Request) -> Reply {
    let caller = Caller::component(Part::Client(0));
    let now = server.now;
    server.handle(now, &caller, RequestId(id), request)
}

pub(super) fn done(server: &mut ApiServer, request: &Request) -> Response {
    match ask(server, 0, request) {
        Reply::Done(response) => response,
        other => panic!("an answer, not {other:?}"),
    }
}

fn pod(name: &'static str) -> Value {
    map! {
        "apiVersion": "v1", "kind": "Pod", "metadata": map! { "name": name, "labels": map! { "app": "web" } },
        "spec": map! { "containers": list![map! { "name": "c", "image": "nginx:1.14.2" }] },
    }
}

#[test]
fn a_pod_is_created_bound_run_and_deleted() {
    let mut server = server();
    let kubelet = Request::watch(&PODS, "", server.store.revision().to_string())
        .fields("spec.nodeName=node-1");
    assert_eq!(ask(&mut server, 1, &kubelet), Reply::Watching);
    let everyone =
        Request::watch(&PODS, "default", server.store.revision().to_string()).labels("app=web");
    assert_eq!(ask(&mut server, 2, &everyone), Reply::Watching);

    let created = done(&mut server, &Request::create(&PODS, "default", pod("web")));
    assert_eq!(created.code, 201, "{}", created.message());
    assert_eq!(
        created.body.path("spec.serviceAccountName").as_str(),
        Some("default")
    );
    assert_eq!(created.body.path("status.phase").as_str(), Some("Pending"));
    let seen: Vec<_> = server
        .drain_events()
        .into_iter()
        .map(|d| (d.id.0, d.event.kind))
        .collect();
    assert_eq!(seen, [(2, WatchKind::Added)]);

    let binding = map! { "metadata": map! { "name": "web" }, "target": map! { "kind": "Node", "name": "node-1" } };
    let bind = Request {
        body: Body::Object(binding),
        ..Request::new(Verb::Create, &PODS, "default", "web").subresource("binding")
    };
    assert_eq!(done(&mut server, &bind).code, 201);
    let seen: Vec<_> = server
        .drain_events()
        .into_iter()
        .map(|d| (d.id.0, d.event.kind))
        .collect();
    assert_eq!(seen, [(1, WatchKind::Added), (2, WatchKind::Modified)]);

    let patch = map! { "status": map! { "phase": "Running" } };
    let status =
        Request::patch(&PODS, "default", "web", PatchKind::Merge, patch).subresource("status");
    let running = done(&mut server, &status);
    assert_eq!(running.body.path("status.phase").as_str(), Some("Running"));
    let revision = server.store.revision();
    assert_eq!(done(&mut server, &status).code, 200);
    assert_eq!(
        server.store.revision(),
        revision,
        "a write that changes nothing is none"
    );
    server.drain_events();

    let gone = done(&mut server, &Request::delete(&PODS, "default", "web"));
    assert_eq!(
        gone.body
            .path("metadata.deletionGracePeriodSeconds")
            .as_int(),
        Some(30)
    );
    let mut finish = Request::delete(&PODS, "default", "web");
    finish.options.grace_period_secs = Some(0);
    assert_eq!(done(&mut server, &finish).code, 200);
    let seen: Vec<_> = server
        .drain_events()
        .into_iter()
        .map(|d| (d.id.0, d.event.kind))
        .collect();
    let (modified, deleted) = (WatchKind::Modified, WatchKind::Deleted);
    assert_eq!(
        seen,
        [(1, modified), (2, modified), (1, deleted), (2, deleted)]
    );
    assert_eq!(
        done(&mut server, &Request::get(&PODS, "default", "web")).code,
        404
    );
}

#[test]
fn a_template_that_has_its_defaults_is_shared_with_its_pods() {
    let mut server = server();
    let template = map! {
        "containers": list![map! {
            "name": "c", "image": "nginx:1.14.2", "imagePullPolicy": "IfNotPresent", "resources": map! {},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
        }],
        "automountServiceAccountToken": false,
    };
    let pod = map! { "metadata": map! { "generateName": "web-" }, "spec": template.clone() };
    let made = done(&mut server, &Request::create(&PODS, "default", pod));
    assert_eq!(made.code, 201, "{}", made.message());
    assert!(
        made.body
            .path("spec.containers")
            .is_same(template.get("containers"))
    );
}

#[test]
fn events_are_gone_after_an_hour() {
    let mut server = server();
    let event = map! {
        "metadata": map! { "name": "e" }, "involvedObject": map! { "kind": "Pod", "namespace": "default", "name": "p" },
        "reason": "Tested", "type": "Normal",
    };
    let made = done(
        &mut server,
        &Request::create(&api::core::EVENTS, "default", event),
    );
    assert_eq!(made.code, 201, "{}", made.message());
    let due = server.next_tick().expect("an event expires");
    server.tick(due);
    let list = done(&mut server, &Request::list(&api::core::EVENTS, "default"));
    assert!(list.body.get("items").items().is_empty());
}

#[test]
fn a_namespace_stays_until_its_finalizer_is_taken_off() {
    let mut server = server();
    let namespaces = &api::core::NAMESPACES;
    let made = map! { "metadata": map! { "name": "team" } };
    done(&mut server, &Request::create(namespaces, "", made));
    let going = done(&mut server, &Request::delete(namespaces, "", "team"));
    assert_eq!(
        going.body.path("status.phase").as_str(),
        Some("Terminating")
    );
    let refused = done(&mut server, &Request::create(&PODS, "team", pod("late")));
    assert_eq!(
        refused.message(),
        "pods \"late\" is forbidden: unable to create new content in namespace team because it is being terminated"
    );
    let mut empty = going.body.clone();
    empty.entry("spec").remove("finalizers");
    let finalize = Request {
        body: Body::Object(empty),
        ..Request::new(Verb::Update, namespaces, "", "team").subresource("finalize")
    };
    assert_eq!(done(&mut server, &finalize).code, 200);
    assert_eq!(
        done(&mut server, &Request::get(namespaces, "", "team")).code,
        404
    );
}

#[test]
fn a_clone_answers_as_its_original() {
    let mut server = server();
    let mut fork = server.clone();
    let named = map! { "metadata": map! { "generateName": "x-" } };
    let ask = Request::create(&api::core::CONFIG_MAPS, "default", named);
    assert_eq!(done(&mut server, &ask), done(&mut fork, &ask));
}
