//! `NamespaceLifecycle`: nothing is created in a namespace that is missing or going; some namespaces never go.

use api::meta::Meta;
use api::{Status, Str, list, map};

use super::Operation;
use crate::ApiServer;
use crate::call::Call;

const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

impl ApiServer {
    pub(crate) fn check_namespace_lifecycle(
        &self,
        call: &Call,
        operation: Operation,
    ) -> Result<(), Status> {
        if call.kind.group.is_empty() && call.kind.plural == *"namespaces" {
            if operation == Operation::Delete && IMMORTAL.contains(&call.name.as_str()) {
                return Err(super::forbidden(call, "this namespace may not be deleted"));
            }
            return Ok(());
        }
        if call.namespace.is_empty() || operation != Operation::Create {
            return Ok(());
        }
        let Some(namespace) = self.object("namespaces", &Str::EMPTY, &call.namespace) else {
            return Err(Status::not_found("", "namespaces", &call.namespace));
        };
        // Controllers clean up by events and reviews, which stay possible.
        if !Meta::of(namespace).is_deleting()
            && namespace.path("status.phase").as_str() != Some("Terminating")
        {
            return Ok(());
        }
        let why = format!(
            "unable to create new content in namespace {} because it is being terminated",
            call.namespace
        );
        let mut status = super::forbidden(call, &why);
        status.0.details.set(
            "causes",
            list![map! {
                "reason": "NamespaceTerminating",
                "message": format!("namespace {} is being terminated", call.namespace),
                "field": "metadata.namespace",
            }],
        );
        Err(status)
    }
}
