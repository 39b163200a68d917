//! The token that a kubelet puts into a pod: three parts and claims as a real one has them.
//!
//! Its last part is a digest that proves nothing outside the simulation; inside, the API server checks it with
//! [`is_token_of`].

use api::base64::encode_url;
use api::{Str, Value, list, map};
use sim::{Rng, Time};

use crate::pod::Pod;

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// The token of a pod's account for a `serviceAccountToken` source.
pub(crate) fn of(pod: &Pod, account: &str, source: &Value, node: &Str, now: Time) -> String {
    let secs = source.int("expirationSeconds").unwrap_or(3607);
    let audience = match source.str("audience") {
        "" => ISSUER,
        own => own,
    };
    let claims = map! {
        "aud": list![audience.to_owned()], "exp": now.secs() + secs, "iat": now.secs(), "iss": ISSUER,
        "kubernetes.io": map! {
            "namespace": pod.namespace(), "node": map! { "name": node.clone() },
            "pod": map! { "name": pod.name(), "uid": pod.uid() },
            "serviceaccount": map! { "name": account.to_owned() },
        },
        "nbf": now.secs(), "sub": subject(&pod.namespace(), account),
    };
    let head = encode_url(br#"{"alg":"RS256","kid":"kubenkyo-node"}"#);
    let body = format!("{head}.{}", encode_url(claims.to_json().as_bytes()));
    let signature = signature(&body, &pod.uid());
    format!("{body}.{signature}")
}

/// Whether a token was made by a kubelet for this account and the pod with this UID.
pub fn is_token_of(token: &str, namespace: &str, account: &str, uid: &str) -> bool {
    let Some((body, own)) = token.rsplit_once('.') else {
        return false;
    };
    let Some((_, claims)) = body.split_once('.') else {
        return false;
    };
    let claims = api::base64::decode_url(claims)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| Value::from_json(&text).ok())
        .unwrap_or_default();
    own == signature(body, uid) && claims.str("sub") == subject(namespace, account)
}

fn subject(namespace: &str, account: &str) -> String {
    format!("system:serviceaccount:{namespace}:{account}")
}

fn signature(body: &str, uid: &str) -> String {
    let mut digest = Rng::stream(64, &format!("{uid} {body}"));
    let bytes: Vec<u8> = (0..32)
        .flat_map(|_| digest.next_u64().to_be_bytes())
        .collect();
    encode_url(&bytes)
}
