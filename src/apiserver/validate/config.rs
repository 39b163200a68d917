//! Config maps and secrets.

use api::Value;

use super::{Problems, immutable, names};
use crate::path::Path;

/// `MaxSecretSize`, and the same for config maps.
const MAX_SIZE: usize = 1024 * 1024;

pub(crate) fn config_map(object: &Value, out: &mut Problems) {
    let (data, binary) = (
        object.get("data").entries(),
        object.get("binaryData").entries(),
    );
    let mut size = 0;
    for (field, map) in [("data", data), ("binaryData", binary)] {
        let path = Path::new(field);
        for (key, value) in map.iter() {
            for message in names::config_key(key) {
                out.push(path.key(key).invalid(key, &message));
            }
            if field == "data" && binary.contains(key) {
                out.push(
                    path.key(key)
                        .invalid(key, "duplicate of key present in binaryData"),
                );
            }
            size += value.as_str().unwrap_or_default().len();
        }
    }
    if size > MAX_SIZE {
        out.push(Path::ROOT.too_long(MAX_SIZE));
    }
}

pub(crate) fn config_map_update(new: &Value, old: &Value, out: &mut Problems) {
    frozen(new, old, &["data", "binaryData"], out);
    config_map(new, out);
}

/// Nothing of an immutable object changes, not even that it is immutable.
fn frozen(new: &Value, old: &Value, fields: &[&str], out: &mut Problems) {
    if !old.bool("immutable") {
        return;
    }
    let detail = "field is immutable when `immutable` is set";
    if !new.bool("immutable") {
        out.push(Path::new("immutable").forbidden(detail));
    }
    for field in fields {
        if new.get(field) != old.get(field)
            && !(new.get(field).is_empty() && old.get(field).is_empty())
        {
            out.push(Path::new(field).forbidden(detail));
        }
    }
}

pub(crate) fn secret(object: &Value, out: &mut Problems) {
    let data = object.get("data");
    let path = Path::new("data");
    let mut size = 0;
    for (key, value) in data.entries().iter() {
        for message in names::config_key(key) {
            out.push(path.key(key).invalid(key, &message));
        }
        size += value.as_str().unwrap_or_default().len() / 4 * 3;
    }
    if size > MAX_SIZE {
        out.push(path.too_long(MAX_SIZE));
    }
    let mut need = |keys: &[&str]| {
        for key in keys {
            if !data.has(key) {
                out.push(path.key(key).required(""));
            }
        }
    };
    match object.str("type") {
        "kubernetes.io/tls" => need(&["tls.crt", "tls.key"]),
        "kubernetes.io/ssh-auth" => need(&["ssh-privatekey"]),
        "kubernetes.io/dockercfg" => need(&[".dockercfg"]),
        "kubernetes.io/dockerconfigjson" => need(&[".dockerconfigjson"]),
        "kubernetes.io/basic-auth" if !data.has("username") && !data.has("password") => {
            need(&["username", "password"]);
        }
        "kubernetes.io/service-account-token" => {
            let key = "kubernetes.io/service-account.name";
            if object.path("metadata.annotations").get(key).is_empty() {
                let meta = Path::new("metadata");
                let annotations = meta.child("annotations");
                out.push(annotations.key(key).required(""));
            }
        }
        _ => {}
    }
}

pub(crate) fn secret_update(new: &Value, old: &Value, out: &mut Problems) {
    immutable(new.get("type"), old.get("type"), &Path::new("type"), out);
    frozen(new, old, &["data"], out);
    secret(new, out);
}
