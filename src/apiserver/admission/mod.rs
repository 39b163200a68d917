//! Admission: what the cluster as a whole has to say about a write, after decoding and before storing.
//!
//! One file per plugin, run in the order of kube-apiserver's `AllOrderedPlugins`. Mutating plugins run in
//! [`ApiServer::admit`], validating ones in [`ApiServer::check_admission`].

mod ingress_class;
mod limit_ranger;
mod matching;
mod namespace_lifecycle;
mod node_restriction;
mod pod_security;
mod pod_tolerations;
pub(crate) mod policy;
mod priority;
mod resource_quota;
mod runtime_class;
mod service_account;
mod storage;
mod taint_nodes;
mod webhooks;

use api::{Status, Value};

use crate::ApiServer;
use crate::call::Call;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Update,
    Delete,
}

impl Operation {
    /// As rules of policies and webhooks name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::Create => "CREATE",
            Operation::Update => "UPDATE",
            Operation::Delete => "DELETE",
        }
    }
}

impl ApiServer {
    /// Lets the mutating plugins change an object that is about to be written.
    pub(crate) fn admit(
        &mut self,
        call: &mut Call,
        operation: Operation,
        object: &mut Value,
        old: Option<&Value>,
    ) -> Result<(), Status> {
        self.check_namespace_lifecycle(call, operation)?;
        if operation == Operation::Delete {
            return Ok(());
        }
        if call.subresource.is_empty() {
            self.admit_built_in(call, operation, object)?;
        }
        self.apply_policies(call, operation, object, old)?;
        self.call_webhooks("mutating", call, operation, object, old)
    }

    fn admit_built_in(
        &mut self,
        call: &mut Call,
        operation: Operation,
        object: &mut Value,
    ) -> Result<(), Status> {
        match (call.kind.group.as_str(), call.kind.plural.as_str()) {
            ("", "nodes") if operation == Operation::Create => taint_nodes::admit(object),
            ("", "pods") if operation == Operation::Create => {
                self.admit_limits(call, object);
                self.admit_service_account(call, object)?;
                self.admit_priority(call, object)?;
                pod_tolerations::admit(object);
                self.admit_runtime_class(call, object)?;
            }
            ("", "persistentvolumeclaims") if operation == Operation::Create => {
                self.admit_default_class(object);
                storage::protect(&call.kind.plural, object);
            }
            ("" | "storage.k8s.io", _) if operation == Operation::Create => {
                storage::protect(&call.kind.plural, object);
            }
            ("networking.k8s.io", "ingresses") if operation == Operation::Create => {
                self.admit_default_ingress_class(call, object)?;
            }
            ("certificates.k8s.io", _) if operation == Operation::Create => {
                let user = call.user;
                let groups: Vec<Value> = user.groups.iter().map(Value::from).collect();
                object.set_path("spec.username", user.name.clone());
                object.set_path("spec.groups", groups);
            }
            _ => {}
        }
        Ok(())
    }

    /// Lets the validating plugins refuse a write.
    pub(crate) fn check_admission(
        &mut self,
        call: &mut Call,
        operation: Operation,
        object: &Value,
        old: Option<&Value>,
    ) -> Result<(), Status> {
        self.check_node_restriction(call, operation, object, old)?;
        self.check_policies(call, operation, object, old)?;
        self.call_webhooks("validating", call, operation, object, old)?;
        if call.namespace.is_empty() || operation == Operation::Delete {
            return Ok(());
        }
        if let Some(old) = old {
            self.check_resize(call, object, old)?;
        }
        self.check_limits(call, operation, object)?;
        self.check_pod_security(call, operation, object)?;
        if call.subresource.is_empty() {
            self.check_quota(call, operation, object, old)?;
        }
        Ok(())
    }
}

/// The refusal of a plugin (`admission.NewForbidden`).
pub(crate) fn forbidden(call: &Call, why: &str) -> Status {
    Status::forbidden(&call.kind.group, &call.kind.plural, &call.name, why)
}
