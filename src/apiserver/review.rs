//! Reviews: questions about identity and access that are answered and never stored.

use api::{Response, Status, Value};

use crate::ApiServer;
use crate::call::Call;

impl ApiServer {
    pub(crate) fn review(
        &mut self,
        call: &mut Call,
        mut object: Value,
    ) -> Result<Response, Status> {
        match call.kind.kind.as_str() {
            "SelfSubjectReview" => {
                let mut info = api::map! { "username": call.user.name.clone() };
                let groups: Vec<Value> = call.user.groups.iter().map(Value::from).collect();
                info.set("groups", groups);
                object.set("status", api::map! { "userInfo": info });
            }
            // Whoever is known may do everything until roles are enforced.
            "SelfSubjectAccessReview" | "SubjectAccessReview" | "LocalSubjectAccessReview" => {
                object.set("status", api::map! { "allowed": true });
            }
            _ => return Err(Status::method_not_allowed()),
        }
        Ok(Response::created(object))
    }
}
