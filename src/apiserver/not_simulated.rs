//! What is accepted, kept and shown, but has no effect here: told once per path, so that nobody is misled.

use api::note::Key as NoteKey;
use api::{Note, Str, Value};

use crate::ApiServer;
use crate::call::Call;

/// Kind (group-kind, `*` for any) and path of a field; `[]` stands for every item of a list.
const PATHS: &[(&str, &str)] = &[
    ("Pod", "spec.securityContext.seLinuxOptions"),
    ("Pod", "spec.securityContext.seccompProfile"),
    ("Pod", "spec.securityContext.appArmorProfile"),
    ("Pod", "spec.securityContext.windowsOptions"),
    ("Pod", "spec.securityContext.sysctls"),
    ("Pod", "spec.containers[].securityContext.capabilities"),
    ("Pod", "spec.containers[].securityContext.seLinuxOptions"),
    ("Pod", "spec.containers[].securityContext.seccompProfile"),
    ("Pod", "spec.containers[].securityContext.procMount"),
    ("Pod", "spec.containers[].volumeDevices"),
    ("Pod", "spec.hostPID"),
    ("Pod", "spec.hostIPC"),
    ("Pod", "spec.hostUsers"),
    ("Pod", "spec.shareProcessNamespace"),
    ("Pod", "spec.runtimeClassName"),
    ("Pod", "spec.resourceClaims"),
];

/// Kinds that are stored and shown, but that no part of the cluster acts on: group and plural, `*` for all of a group.
const INERT: &[(&str, &str)] = &[
    ("resource.k8s.io", "*"),
    ("flowcontrol.apiserver.k8s.io", "*"),
    ("apiregistration.k8s.io", "apiservices"),
    ("node.k8s.io", "runtimeclasses"),
    ("storage.k8s.io", "volumeattachments"),
    ("storage.k8s.io", "csidrivers"),
    ("storage.k8s.io", "csistoragecapacities"),
    ("storage.k8s.io", "volumeattributesclasses"),
    ("networking.k8s.io", "ingresses"),
    ("networking.k8s.io", "ipaddresses"),
    ("networking.k8s.io", "servicecidrs"),
    (
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
    ),
    (
        "admissionregistration.k8s.io",
        "validatingwebhookconfigurations",
    ),
];

/// Whether any part of the cluster acts on objects of this group and plural, beyond keeping and showing them.
pub fn acts_on(group: &str, plural: &str) -> bool {
    !INERT
        .iter()
        .any(|(inert, name)| *inert == group && (*name == "*" || *name == plural))
}

impl ApiServer {
    pub(crate) fn note_unsimulated(&mut self, call: &Call, object: &Value) {
        let is_inert = !acts_on(call.kind.group.as_str(), call.kind.plural.as_str());
        if is_inert && !call.is_trusted() {
            self.note_once(call, object, "");
        }
        let is_pod = call.kind.group.is_empty() && call.kind.kind == *"Pod";
        if !is_pod || !call.subresource.is_empty() {
            return;
        }
        for (kind, path) in PATHS {
            if *kind == call.kind.group_kind() && has(object, path) {
                self.note_once(call, object, path);
            }
        }
    }

    /// A webhook that may fail was not called.
    pub(crate) fn note_never_called(&mut self, sort: &str, configuration: &Value) {
        let plural = Str::from(format!("{sort}webhookconfigurations"));
        let name = configuration.get("metadata").shared_str("name");
        if self.reported.insert((plural.clone(), name)) {
            self.notes.push(Note::NotSimulated {
                key: NoteKey::of(plural, configuration),
                path: "webhooks".into(),
            });
        }
    }

    fn note_once(&mut self, call: &Call, object: &Value, path: &'static str) {
        let seen = (Str::from(call.kind.group_kind()), Str::Static(path));
        if self.reported.insert(seen) {
            self.notes.push(Note::NotSimulated {
                key: NoteKey::of(call.plural(), object),
                path: path.into(),
            });
        }
    }
}

fn has(object: &Value, path: &str) -> bool {
    match path.split_once("[].") {
        Some((list, rest)) => object.path(list).items().iter().any(|item| has(item, rest)),
        None => !object.path(path).is_empty(),
    }
}
