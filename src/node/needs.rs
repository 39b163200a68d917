//! Which ConfigMaps and Secrets a pod refers to, and what it cannot start without.

use api::core::{CONFIG_MAPS, SECRETS};
use api::{Resource, Response, Str, Value};

/// An object, or a key of one, that something of a pod refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) kind: Kind,
    pub(crate) name: Str,
    /// The key that must be there; empty for any.
    pub(crate) key: Str,
    /// The volume that needs it; empty for environment variables.
    pub(crate) volume: Str,
    /// Whether the pod starts without it.
    pub(crate) is_optional: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    ConfigMap,
    Secret,
}

impl Kind {
    pub(crate) fn resource(self) -> Resource {
        match self {
            Kind::ConfigMap => CONFIG_MAPS,
            Kind::Secret => SECRETS,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Kind::ConfigMap => "configmap",
            Kind::Secret => "secret",
        }
    }
}

impl Need {
    /// What is wrong with an answer of the API server, if anything.
    pub(crate) fn problem_of(&self, namespace: &str, response: &Response) -> Option<String> {
        if !response.is_success() && response.code != 404 {
            let what = self.kind.word();
            return Some(format!(
                "failed to sync {what} cache: timed out waiting for the condition"
            ));
        }
        self.problem(namespace, response.is_success().then_some(&response.body))
    }

    /// What is wrong with the object that was found (`None` if there is none); nothing if it will do.
    fn problem(&self, namespace: &str, found: Option<&Value>) -> Option<String> {
        if self.is_optional {
            return None;
        }
        let Some(object) = found else {
            return Some(format!("{} \"{}\" not found", self.kind.word(), self.name));
        };
        let has_key = ["data", "binaryData"]
            .iter()
            .any(|part| object.get(part).has(&self.key));
        if self.key.is_empty() || has_key {
            return None;
        }
        Some(match (self.kind, self.volume.is_empty()) {
            (Kind::ConfigMap, true) => {
                format!(
                    "couldn't find key {} in ConfigMap {namespace}/{}",
                    self.key, self.name
                )
            }
            (Kind::Secret, true) => {
                format!(
                    "couldn't find key {} in Secret {namespace}/{}",
                    self.key, self.name
                )
            }
            (Kind::ConfigMap, false) => {
                format!("configmap references non-existent config key: {}", self.key)
            }
            (Kind::Secret, false) => {
                format!("references non-existent secret key: {}", self.key)
            }
        })
    }
}

/// What the volumes of a pod need.
pub(crate) fn of_volumes(spec: &Value) -> Vec<Need> {
    let mut needs = Vec::new();
    for volume in spec.get("volumes").items() {
        let name = volume.shared_str("name");
        let mut add = |kind: Kind, source: &Value, field: &str| {
            if source.is_null() {
                return;
            }
            let need = |key: Str| Need {
                kind,
                name: source.shared_str(field),
                key,
                volume: name.clone(),
                is_optional: source.bool("optional"),
            };
            let items = source.get("items").items();
            if items.is_empty() {
                needs.push(need(Str::EMPTY));
            }
            needs.extend(items.iter().map(|item| need(item.shared_str("key"))));
        };
        add(Kind::ConfigMap, volume.get("configMap"), "name");
        add(Kind::Secret, volume.get("secret"), "secretName");
        for source in volume.path("projected.sources").items() {
            add(Kind::ConfigMap, source.get("configMap"), "name");
            add(Kind::Secret, source.get("secret"), "name");
        }
    }
    needs
}

/// What the environment of a container needs.
pub(crate) fn of_env(container: &Value) -> Vec<Need> {
    let mut needs = Vec::new();
    let mut add = |kind: Kind, reference: &Value| {
        if !reference.is_null() {
            needs.push(Need {
                kind,
                name: reference.shared_str("name"),
                key: reference.shared_str("key"),
                volume: Str::EMPTY,
                is_optional: reference.bool("optional"),
            });
        }
    };
    for from in container.get("envFrom").items() {
        add(Kind::ConfigMap, from.get("configMapRef"));
        add(Kind::Secret, from.get("secretRef"));
    }
    for variable in container.get("env").items() {
        add(Kind::ConfigMap, variable.path("valueFrom.configMapKeyRef"));
        add(Kind::Secret, variable.path("valueFrom.secretKeyRef"));
    }
    needs
}
