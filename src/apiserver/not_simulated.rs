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

/// Kinds that are stored and shown, but that no part of the cluster acts on.
const GROUPS: &[&str] = &[
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "apiregistration.k8s.io",
    "node.k8s.io",
];

impl ApiServer {
    pub(crate) fn note_unsimulated(&mut self, call: &Call, object: &Value) {
        if GROUPS.contains(&call.kind.group.as_str()) {
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
