//! `Priority`: a pod's priority is what its class says, or the default class, or 0.

use api::{Status, Str, Value};

use crate::ApiServer;
use crate::call::Call;
use crate::kinds::fill::{edit, fill};

impl ApiServer {
    pub(crate) fn admit_priority(&self, call: &Call, pod: &mut Value) -> Result<(), Status> {
        let name = pod.get("spec").shared_str("priorityClassName");
        let class = if name.is_empty() {
            self.default_priority_class().cloned()
        } else {
            let found = self.object("priorityclasses.scheduling.k8s.io", &Str::EMPTY, &name);
            let Some(found) = found else {
                return Err(super::forbidden(
                    call,
                    &format!("no PriorityClass with name {name} was found"),
                ));
            };
            Some(found.clone())
        };
        let (priority, policy, class_name) = match &class {
            Some(class) => (
                class.int("value").unwrap_or(0),
                class.shared_str("preemptionPolicy"),
                class.get("metadata").shared_str("name"),
            ),
            None => (0, Str::EMPTY, Str::EMPTY),
        };
        let given = pod.path("spec.priority").as_int();
        if given.is_some_and(|given| given != priority) {
            return Err(super::forbidden(
                call,
                &format!(
                    "the integer value of priority ({}) must not be provided in pod spec; priority admission controller computed {priority} from the given PriorityClass name",
                    given.unwrap_or_default()
                ),
            ));
        }
        edit(pod, "spec", |spec| {
            if name.is_empty() && !class_name.is_empty() {
                spec.set("priorityClassName", class_name);
            }
            fill(spec, "priority", priority);
            let policy = if policy.is_empty() {
                "PreemptLowerPriority".into()
            } else {
                policy
            };
            fill(spec, "preemptionPolicy", policy);
        });
        Ok(())
    }

    /// The class marked as default; of several the lowest wins.
    fn default_priority_class(&self) -> Option<&Value> {
        self.objects("priorityclasses.scheduling.k8s.io", "")
            .filter(|class| class.bool("globalDefault"))
            .min_by_key(|class| class.int("value").unwrap_or(0))
    }
}
