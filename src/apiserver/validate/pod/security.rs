//! Security contexts.

use api::Value;

use crate::path::Path;
use crate::validate::{Problems, names};

const IDS: &str = "must be between 0 and 2147483647, inclusive";
/// The fields of the internal type, as messages show it.
const CONTEXT_FIELDS: [(&str, &str); 12] = [
    ("Capabilities", "capabilities"),
    ("Privileged", "privileged"),
    ("SELinuxOptions", "seLinuxOptions"),
    ("WindowsOptions", "windowsOptions"),
    ("RunAsUser", "runAsUser"),
    ("RunAsGroup", "runAsGroup"),
    ("RunAsNonRoot", "runAsNonRoot"),
    ("ReadOnlyRootFilesystem", "readOnlyRootFilesystem"),
    ("AllowPrivilegeEscalation", "allowPrivilegeEscalation"),
    ("ProcMount", "procMount"),
    ("SeccompProfile", "seccompProfile"),
    ("AppArmorProfile", "appArmorProfile"),
];

pub(super) fn of_pod(context: &Value, path: &Path, out: &mut Problems) {
    if context.is_null() {
        return;
    }
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        id(context.get(field), &path.child(field), out);
    }
    let groups = path.child("supplementalGroups");
    for (at, group) in context.get("supplementalGroups").items().iter().enumerate() {
        id(group, &groups.index(at), out);
    }
    let policy = context.get("fsGroupChangePolicy");
    if !matches!(policy.as_str(), None | Some("Always" | "OnRootMismatch")) {
        out.push(
            path.child("fsGroupChangePolicy")
                .not_supported(policy, &["Always", "OnRootMismatch"]),
        );
    }
    profile(
        context.get("seccompProfile"),
        &path.child("seccompProfile"),
        out,
    );
    windows(
        context.get("windowsOptions"),
        &path.child("windowsOptions"),
        out,
    );
}

pub(super) fn of_container(context: &Value, path: &Path, out: &mut Problems) {
    if context.is_null() {
        return;
    }
    for field in ["runAsUser", "runAsGroup"] {
        id(context.get(field), &path.child(field), out);
    }
    let mount = context.get("procMount");
    if !matches!(mount.as_str(), None | Some("Default" | "Unmasked")) {
        out.push(
            path.child("procMount")
                .not_supported(mount, &["Default", "Unmasked"]),
        );
    }
    profile(
        context.get("seccompProfile"),
        &path.child("seccompProfile"),
        out,
    );
    if context.get("allowPrivilegeEscalation").as_bool() == Some(false) {
        let mut complain = |what: &str| {
            let mut problem = path.invalid(Value::Null, "");
            problem.message = format!(
                "Invalid value: {}: cannot set `allowPrivilegeEscalation` to false and {what}",
                shown(context)
            );
            out.push(problem);
        };
        if context.bool("privileged") {
            complain("`privileged` to true");
        }
        let added = context.path("capabilities.add").items();
        if added
            .iter()
            .any(|cap| cap.as_str() == Some("CAP_SYS_ADMIN"))
        {
            complain("`capabilities.Add` CAP_SYS_ADMIN");
        }
    }
    windows(
        context.get("windowsOptions"),
        &path.child("windowsOptions"),
        out,
    );
}

fn shown(context: &Value) -> String {
    let fields: Vec<String> = CONTEXT_FIELDS
        .iter()
        .map(|(go, json)| format!("{go:?}:{}", context.get(json).to_json()))
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn id(value: &Value, path: &Path, out: &mut Problems) {
    if value
        .as_int()
        .is_some_and(|id| !(0..=i64::from(i32::MAX)).contains(&id))
    {
        out.push(path.invalid(value, IDS));
    }
}

fn profile(profile: &Value, path: &Path, out: &mut Problems) {
    if profile.is_null() {
        return;
    }
    let file = profile.str("localhostProfile");
    let file_path = path.child("localhostProfile");
    match profile.str("type") {
        "Localhost" => {
            if file.is_empty() {
                out.push(file_path.required("must be set when seccomp type is Localhost"));
            } else {
                super::container::descending(profile.get("localhostProfile"), &file_path, out);
            }
        }
        kind => {
            if !file.is_empty() {
                out.push(file_path.invalid(
                    profile.get("localhostProfile"),
                    "can only be set when seccomp type is Localhost",
                ));
            }
            if kind.is_empty() {
                out.push(
                    path.child("type")
                        .required("type is required when seccompProfile is set"),
                );
            } else if !matches!(kind, "RuntimeDefault" | "Unconfined") {
                out.push(path.child("type").not_supported(
                    profile.get("type"),
                    &["Localhost", "RuntimeDefault", "Unconfined"],
                ));
            }
        }
    }
}

fn windows(options: &Value, path: &Path, out: &mut Problems) {
    let name = options.get("gmsaCredentialSpecName");
    if name.as_str().is_some() {
        for message in names::subdomain(name.as_str().unwrap_or_default()) {
            out.push(path.child("gmsaCredentialSpecName").invalid(name, &message));
        }
    }
}
