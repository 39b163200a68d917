//! `DefaultIngressClass`: an Ingress that names no class gets the one marked as default.

use api::{Status, Value};

use crate::ApiServer;
use crate::call::Call;

const DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";
const OLD_CLASS: &str = "kubernetes.io/ingress.class";

impl ApiServer {
    pub(crate) fn admit_default_ingress_class(
        &self,
        call: &Call,
        ingress: &mut Value,
    ) -> Result<(), Status> {
        let is_given = ingress.get("spec").has("ingressClassName")
            || ingress.path("metadata.annotations").has(OLD_CLASS);
        if is_given {
            return Ok(());
        }
        let mut defaults: Vec<&Value> = self
            .objects("ingressclasses.networking.k8s.io", "")
            .filter(|class| class.path("metadata.annotations").str(DEFAULT) == "true")
            .collect();
        // The newest wins; of those that came in the same second the first by name.
        defaults.sort_by_key(|class| class.get("metadata").shared_str("name"));
        let mut newest: Option<&Value> = None;
        for class in defaults {
            let time = |class: &Value| class.get("metadata").shared_str("creationTimestamp");
            if newest.is_none_or(|best| time(class) > time(best)) {
                newest = Some(class);
            }
        }
        let Some(class) = newest else {
            return Ok(());
        };
        let _ = call;
        let name = class.get("metadata").get("name").clone();
        ingress.entry("spec").set("ingressClassName", name);
        Ok(())
    }
}
