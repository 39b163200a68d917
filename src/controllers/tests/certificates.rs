//! Signing requests.

use api::{Value, base64, list, map};
use expect_test::expect;
use sim::{HOUR, MINUTE, SECOND};

use super::world::{Machine, World};
use crate::certificate::{SIGNING_REQUESTS, request_for};

fn ask(
    world: &mut World,
    name: &'static str,
    signer: &'static str,
    subject: (&str, &str),
    usages: Value,
) {
    world.create(
        &SIGNING_REQUESTS,
        map! {
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": map! { "name": name },
            "spec": map! {
                "request": request_for(subject.0, subject.1), "signerName": signer, "usages": usages,
                "expirationSeconds": 3600,
            },
        },
    );
    world.run(SECOND);
}

fn state(world: &mut World, name: &str) -> String {
    let found = world.ask(api::Request::get(
        &SIGNING_REQUESTS,
        "",
        api::Str::new(name),
    ));
    if !found.is_success() {
        return found.body.str("reason").to_owned();
    }
    let conditions = found.body.path("status.conditions").items().iter();
    let words: Vec<String> = conditions
        .map(|c| {
            format!(
                "{} {}: {}",
                c.str("type"),
                c.str("reason"),
                c.str("message")
            )
        })
        .collect();
    let certificate = found.body.path("status.certificate").as_str().unwrap_or("");
    let is_pem = base64::decode(certificate).is_ok_and(|pem| pem.starts_with(b"-----BEGIN CERT"));
    format!(
        "{} by {}, issued {is_pem}",
        words.join("; "),
        found
            .body
            .path("spec.username")
            .as_str()
            .unwrap_or_default()
    )
}

fn approve(world: &mut World, name: &'static str) {
    let mut request = world.must(api::Request::get(&SIGNING_REQUESTS, "", name));
    let condition = map! {
        "type": "Approved", "status": "True", "reason": "KubectlApprove", "message": "yes",
        "lastUpdateTime": world.now.rfc3339(),
    };
    request.set_path("status.conditions", list![condition]);
    world.must(api::Request::update(&SIGNING_REQUESTS, request).subresource("approval"));
    world.run(SECOND);
}

#[test]
fn an_approved_request_is_signed_and_swept_away_after_an_hour() {
    let mut world = World::new(Machine::Off);
    let client = "kubernetes.io/kube-apiserver-client";
    ask(
        &mut world,
        "dev",
        client,
        ("myuser", "dev"),
        list!["client auth"],
    );
    expect![[r#" by kubernetes-admin, issued false"#]].assert_eq(&state(&mut world, "dev"));
    approve(&mut world, "dev");
    expect!["Approved KubectlApprove: yes by kubernetes-admin, issued true"]
        .assert_eq(&state(&mut world, "dev"));
    world.run(HOUR + MINUTE);
    assert_eq!(state(&mut world, "dev"), "NotFound");
}

#[test]
fn a_usage_that_the_signer_does_not_sign_for_fails() {
    let mut world = World::new(Machine::Off);
    let client = "kubernetes.io/kube-apiserver-client";
    ask(
        &mut world,
        "web",
        client,
        ("web", "dev"),
        list!["server auth"],
    );
    approve(&mut world, "web");
    expect!["Approved KubectlApprove: yes; Failed SignerValidationFailure: invalid usage for client certificate: [server auth] by kubernetes-admin, issued false"].assert_eq(&state(&mut world, "web"));
    // Other signers are other people's.
    ask(
        &mut world,
        "mine",
        "example.com/ours",
        ("web", "dev"),
        list!["server auth"],
    );
    approve(&mut world, "mine");
    expect!["Approved KubectlApprove: yes by kubernetes-admin, issued false"]
        .assert_eq(&state(&mut world, "mine"));
}

#[test]
fn kubelets_are_approved_by_themselves_and_nobody_else_is() {
    let mut world = World::new(Machine::Off);
    let kubelet = "kubernetes.io/kube-apiserver-client-kubelet";
    let node = ("system:node:node-9", "system:nodes");
    ask(&mut world, "node", kubelet, node, list!["client auth"]);
    expect!["Approved AutoApproved: Auto approving kubelet client certificate after SubjectAccessReview. by kubernetes-admin, issued true"].assert_eq(&state(&mut world, "node"));
    ask(
        &mut world,
        "user",
        kubelet,
        ("somebody", "system:masters"),
        list!["client auth"],
    );
    expect![" by kubernetes-admin, issued false"].assert_eq(&state(&mut world, "user"));
    world.run(25 * HOUR);
    assert_eq!(state(&mut world, "user"), "NotFound");
}
