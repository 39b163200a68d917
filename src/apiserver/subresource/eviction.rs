//! `pods/eviction`: a deletion that respects disruption budgets (`registry/core/pod/storage/eviction.go`).

use api::{Response, Status, Value, list, map};

use crate::ApiServer;
use crate::call::Call;
use crate::validate::labels;

impl ApiServer {
    pub(crate) fn evict(&mut self, call: &mut Call, eviction: Value) -> Result<Response, Status> {
        let pod = self.current(call).ok_or_else(|| call.not_found())?;
        let name = eviction.path("metadata.name").as_str().unwrap_or_default();
        if !name.is_empty() && name != call.name.as_str() {
            return Err(Status::bad_request(
                "name in URL does not match name in Eviction object",
            ));
        }
        let mut options = call.options.clone();
        let asked = eviction.get("deleteOptions");
        options.dry_run |= !asked.get("dryRun").items().is_empty();
        if !can_ignore_budget(&pod) {
            self.spend_budget(call, &pod, options.dry_run)?;
        }
        if let Some(secs) = asked.int("gracePeriodSeconds") {
            options.grace_period_secs = Some(secs);
        }
        if let Some(uid) = asked.path("preconditions.uid").as_shared_str() {
            options.precondition_uid = Some(uid.clone());
        }
        let mut delete = Call {
            options: &options,
            kind: call.kind.clone(),
            api_version: call.api_version.clone(),
            namespace: call.namespace.clone(),
            name: call.name.clone(),
            subresource: api::Str::EMPTY,
            warnings: Vec::new(),
            ..*call
        };
        self.delete_object(&mut delete, &pod)?;
        Ok(Response::created(map! {
            "kind": "Status", "apiVersion": "v1", "metadata": map! {}, "status": "Success", "code": 201,
        }))
    }

    /// Takes one disruption from the budget that covers the pod, or refuses.
    fn spend_budget(&mut self, call: &Call, pod: &Value, is_dry_run: bool) -> Result<(), Status> {
        let found: Vec<Value> = self
            .objects("poddisruptionbudgets.policy", &call.namespace)
            .filter(|budget| {
                let selector = budget.path("spec.selector");
                !selector.is_null() && labels::matches(selector, pod.path("metadata.labels"))
            })
            .cloned()
            .collect();
        let [budget] = &found[..] else {
            if found.is_empty() {
                return Ok(());
            }
            return Err(Status::new(
                500,
                "InternalError",
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            ));
        };
        let is_unhealthy = !api::meta::is_true(pod, "Ready");
        let (status, name) = (budget.get("status"), budget.path("metadata.name"));
        let number = |field: &str| status.int(field).unwrap_or(0);
        if is_unhealthy
            && (budget.path("spec.unhealthyPodEvictionPolicy").as_str() == Some("AlwaysAllow")
                || (number("currentHealthy") >= number("desiredHealthy")
                    && number("desiredHealthy") > 0))
        {
            return Ok(());
        }
        let generation = budget.path("metadata.generation").as_int().unwrap_or(0);
        let name = name.as_str().unwrap_or_default();
        let too_many = |detail: String, retry: bool| {
            let mut status = Status::new(
                429,
                "TooManyRequests",
                "Cannot evict pod as it would violate the pod's disruption budget.",
            );
            let cause = map! { "reason": "DisruptionBudget", "message": detail };
            status.0.details = map! { "causes": list![cause] };
            if retry {
                status.0.details.set("retryAfterSeconds", 10);
            }
            status
        };
        if number("observedGeneration") < generation {
            return Err(too_many(
                format!("The disruption budget {name} is still being processed by the server."),
                true,
            ));
        }
        if number("disruptionsAllowed") <= 0 {
            return Err(too_many(
                format!(
                    "The disruption budget {name} needs {} healthy pods and has {} currently",
                    number("desiredHealthy"),
                    number("currentHealthy")
                ),
                false,
            ));
        }
        if is_dry_run {
            return Ok(());
        }
        let mut new = budget.clone();
        new.set_path(
            "status.disruptionsAllowed",
            number("disruptionsAllowed") - 1,
        );
        new.at_mut(&["status", "disruptedPods"])
            .set(call.name.clone(), call.now.rfc3339());
        let collection = self.store.collection("poddisruptionbudgets.policy");
        self.commit_to(collection, "poddisruptionbudgets".into(), new);
        Ok(())
    }
}

/// Pods that run no more (or have not begun) may always go.
fn can_ignore_budget(pod: &Value) -> bool {
    matches!(
        pod.path("status.phase").as_str(),
        Some("Succeeded" | "Failed" | "Pending")
    ) || pod.get("metadata").has("deletionTimestamp")
}
