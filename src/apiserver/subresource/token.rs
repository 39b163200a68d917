//! `serviceaccounts/token`: a token by which a workload (or `kubectl create token`) shows who it is.
//!
//! A token has the three parts of a real one and the claims of a real one. Its signature is a keyed digest that only
//! this server can check (see [`ApiServer::account_of_token`]); it protects nothing outside the simulation.

use api::patch::apply::Manager;
use api::{Response, Status, Str, Value, base64, list, map};
use sim::{Rng, SECOND, Time};

use crate::call::Call;
use crate::path::Path;
use crate::{ApiServer, User};

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
const LEAST_SECS: i64 = 600;
const DEFAULT_SECS: i64 = 3600;

impl ApiServer {
    pub(crate) fn create_token(
        &mut self,
        call: &mut Call,
        mut request: Value,
    ) -> Result<Response, Status> {
        let account = self.current(call).ok_or_else(|| call.not_found())?;
        let spec = request.get("spec");
        let secs = spec.int("expirationSeconds").unwrap_or(DEFAULT_SECS);
        if secs < LEAST_SECS {
            let path = Path::new("spec");
            let problem = path
                .child("expirationSeconds")
                .invalid(secs, "may not specify a duration less than 10 minutes");
            return Err(Status::invalid(
                "authentication.k8s.io",
                "TokenRequest",
                "",
                &[problem],
            ));
        }
        let audiences = match spec.get("audiences") {
            Value::Null => list![ISSUER],
            given => given.clone(),
        };
        // The request has a type of its own, unlike the account under whose path it stands.
        let of = api::schema::of_kind("authentication.k8s.io", "v1", "TokenRequest");
        let manager = Manager {
            api_version: "authentication.k8s.io/v1",
            ..crate::patch::manager(call)
        };
        api::patch::apply::track(of, &Value::Null, &mut request, &manager);
        let ends = call.now + secs as u64 * SECOND;
        let uid = account.get("metadata").shared_str("uid");
        let claims = map! {
            "aud": audiences.clone(), "exp": ends.secs(), "iat": call.now.secs(), "iss": ISSUER,
            "jti": crate::metadata::new_uid(&mut self.uids), "nbf": call.now.secs(),
            "kubernetes.io": map! {
                "namespace": call.namespace.clone(), "serviceaccount": map! { "name": call.name.clone(), "uid": uid.clone() },
            },
            "sub": format!("system:serviceaccount:{}:{}", call.namespace, call.name),
        };
        let token = self.sign(&claims.to_json());
        let meta = request.entry("metadata");
        meta.set("name", call.name.clone());
        meta.set("namespace", call.namespace.clone());
        meta.set("uid", uid);
        meta.set("creationTimestamp", call.now.rfc3339());
        request.set("kind", "TokenRequest");
        request.set("apiVersion", "authentication.k8s.io/v1");
        let bound = request.get("spec").get("boundObjectRef").clone();
        request.set(
            "spec",
            map! { "audiences": audiences, "expirationSeconds": secs, "boundObjectRef": bound },
        );
        request.set(
            "status",
            map! { "token": token, "expirationTimestamp": ends.rfc3339() },
        );
        Ok(Response::created(request))
    }

    /// The service account that a token of this server names, if it is still valid.
    pub fn account_of_token(&self, now: Time, token: &str) -> Option<User> {
        let claims = token.split('.').nth(1)?;
        let text = String::from_utf8(base64::decode_url(claims).ok()?).ok()?;
        if self.sign(&text) != token {
            return None;
        }
        let claims = Value::from_json(&text).ok()?;
        if claims.int("exp")? <= now.secs() {
            return None;
        }
        let named = claims.get("kubernetes.io");
        let namespace = named.shared_str("namespace");
        let account = self.object(
            "serviceaccounts",
            &namespace,
            &named.get("serviceaccount").shared_str("name"),
        )?;
        let is_same = account.path("metadata.uid") == named.path("serviceaccount.uid");
        is_same.then(|| User {
            name: claims.shared_str("sub"),
            groups: vec![
                "system:serviceaccounts".into(),
                Str::from(format!("system:serviceaccounts:{namespace}")),
                "system:authenticated".into(),
            ],
            uid: named.get("serviceaccount").shared_str("uid"),
            extra: vec![(
                "authentication.kubernetes.io/credential-id".into(),
                vec![format!("JTI={}", claims.str("jti")).into()],
            )],
        })
    }

    fn sign(&self, claims: &str) -> String {
        let head = base64::encode_url(br#"{"alg":"RS256","kid":"kubenkyo"}"#);
        let body = format!("{head}.{}", base64::encode_url(claims.as_bytes()));
        let mut digest = Rng::stream(self.token_key, &body);
        let signature: Vec<u8> = (0..32)
            .flat_map(|_| digest.next_u64().to_be_bytes())
            .collect();
        format!("{body}.{}", base64::encode_url(&signature))
    }
}
