//! Reviews: questions about identity and access that are answered and never stored.

use api::{Response, Status, Str, Value, list, map};

use crate::authorize::Attributes;
use crate::call::Call;
use crate::{ApiServer, User};

/// `authentication.k8s.io/v1 UserInfo`.
pub(crate) fn user_info(user: &User) -> Value {
    let groups: Vec<Value> = user.groups.iter().map(Value::from).collect();
    let mut info = map! { "username": user.name.clone(), "groups": groups };
    if !user.uid.is_empty() {
        info.set("uid", user.uid.clone());
    }
    for (key, values) in &user.extra {
        let values: Vec<Value> = values.iter().map(Value::from).collect();
        info.entry("extra").set(key.clone(), values);
    }
    info
}

impl ApiServer {
    pub(crate) fn review(
        &mut self,
        call: &mut Call,
        mut object: Value,
    ) -> Result<Response, Status> {
        let status = match call.kind.kind.as_str() {
            "SelfSubjectReview" => {
                object
                    .entry("metadata")
                    .set("creationTimestamp", call.now.rfc3339());
                let mut info = user_info(call.user);
                if call
                    .user
                    .groups
                    .iter()
                    .any(|group| *group == *"system:masters")
                {
                    info.set("extra", self.certificate());
                }
                map! { "userInfo": info }
            }
            "SelfSubjectAccessReview" => self.access(call.user, object.get("spec")),
            "SubjectAccessReview" | "LocalSubjectAccessReview" => {
                let spec = object.get("spec");
                let user = User {
                    name: spec.shared_str("user"),
                    groups: spec
                        .get("groups")
                        .items()
                        .iter()
                        .filter_map(Value::as_shared_str)
                        .cloned()
                        .collect(),
                    ..User::default()
                };
                self.access(&user, spec)
            }
            "SelfSubjectRulesReview" => {
                let namespace = object.get("spec").shared_str("namespace");
                object.set("spec", map! {});
                self.rules(call.user, &namespace)
            }
            _ => return Err(Status::method_not_allowed()),
        };
        if call.kind.kind != *"SelfSubjectReview" && call.kind.kind != *"SelfSubjectRulesReview" {
            self.manage(call, &mut object, None);
        }
        object.set("status", status);
        Ok(Response::created(object))
    }

    /// By what the administrator is known: the hash of the client's certificate.
    fn certificate(&self) -> Value {
        let mut rng = sim::Rng::stream(self.token_key, "certificate");
        let hash: String = (0..4).map(|_| format!("{:016x}", rng.next_u64())).collect();
        map! { "authentication.kubernetes.io/credential-id": list![format!("X509SHA256={hash}")] }
    }

    fn access(&self, user: &User, spec: &Value) -> Value {
        let (resource, path) = (
            spec.get("resourceAttributes"),
            spec.get("nonResourceAttributes"),
        );
        let wanted = if path.is_null() {
            let plural = resource.str("resource");
            let resource_name = match resource.str("subresource") {
                "" => plural.to_owned(),
                part => format!("{plural}/{part}"),
            };
            Attributes {
                verb: resource.shared_str("verb"),
                group: resource.shared_str("group"),
                resource: resource_name,
                namespace: resource.shared_str("namespace"),
                name: resource.shared_str("name"),
                path: Str::EMPTY,
            }
        } else {
            Attributes {
                verb: path.shared_str("verb"),
                path: path.shared_str("path"),
                ..Attributes::default()
            }
        };
        match self.allows(user, &wanted) {
            Some(why) if why.is_empty() => map! { "allowed": true },
            Some(why) => map! { "allowed": true, "reason": why },
            None => map! { "allowed": false },
        }
    }

    /// What a user may do in a namespace, beginning with what everyone may.
    fn rules(&self, user: &User, namespace: &str) -> Value {
        let (mut resources, mut paths) = (Vec::new(), Vec::new());
        for rule in self.rules_for(user, namespace) {
            if rule.has("nonResourceURLs") {
                paths.push(rule);
            } else {
                resources.push(rule);
            }
        }
        map! { "resourceRules": resources, "nonResourceRules": paths, "incomplete": false }
    }
}
