//! What the server itself writes into `metadata`: generated names, UIDs, times, generations.
//!
//! Models `registry/rest/{create,update,meta}.go` and `storage/names/generate.go`.

use api::{Str, Value};
use sim::{Rng, Time};

use crate::kinds::Generation;

/// `k8s.io/apimachinery/pkg/util/rand`: no vowels, no look-alikes.
const SUFFIX_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LEN: usize = 5;
const MAX_GENERATED_NAME: usize = 63;

/// A random suffix as Kubernetes makes them.
pub(crate) fn random_suffix(rng: &mut Rng) -> String {
    (0..SUFFIX_LEN)
        .map(|_| SUFFIX_ALPHABET[rng.below(SUFFIX_ALPHABET.len() as u64) as usize] as char)
        .collect()
}

/// `base` with a random suffix, cut so that the whole is a label.
pub(crate) fn generate_name(rng: &mut Rng, base: &str) -> String {
    let mut end = base.len().min(MAX_GENERATED_NAME - SUFFIX_LEN);
    while !base.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{}", &base[..end], random_suffix(rng))
}

/// A version 4 UUID.
pub(crate) fn new_uid(rng: &mut Rng) -> String {
    let (a, b) = (rng.next_u64(), rng.next_u64());
    let version = (a & 0xffff_ffff_ffff_0fff) | 0x4000;
    let variant = (b & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        version >> 32,
        version >> 16 & 0xffff,
        version & 0xffff,
        variant >> 48,
        variant & 0xffff_ffff_ffff
    )
}

/// Fills what only the server may set when an object is created.
pub(crate) fn fill_system_fields(object: &mut Value, uid: String, now: Time) {
    let meta = object.entry("metadata");
    for field in [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "resourceVersion",
    ] {
        meta.remove(field);
    }
    meta.set("uid", uid);
    meta.set("creationTimestamp", now.rfc3339());
}

/// Carries over what an update cannot change, silently, as `rest.BeforeUpdate` does.
pub(crate) fn keep_system_fields(object: &mut Value, old: &Value) {
    let old = old.get("metadata");
    let meta = object.entry("metadata");
    // A client that leaves it out means no change.
    if meta.get("uid").is_empty() {
        keep(meta, old, "uid");
    }
    // Changes of it are ignored.
    keep(meta, old, "creationTimestamp");
    for field in ["generation", "generateName", "selfLink"] {
        if field != "generateName" || !meta.has(field) {
            keep(meta, old, field);
        }
    }
    // Only deletion sets these.
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
        keep(meta, old, field);
    }
    if !meta.has("managedFields") {
        keep(meta, old, "managedFields");
    }
}

/// Sets `field` to what it is in `old`, or removes it; writes nothing that is so already.
pub(crate) fn keep(new: &mut Value, old: &Value, field: &'static str) {
    match old.get(field) {
        Value::Null => {
            new.remove(field);
        }
        value if value == new.get(field) => {}
        value => new.set(field, value.clone()),
    }
}

/// Counts up `metadata.generation` if what the user wants has changed.
pub(crate) fn bump_generation(object: &mut Value, old: &Value, rule: Generation) {
    let changed = match rule {
        Generation::None => return,
        Generation::Spec => object.get("spec") != old.get("spec"),
        Generation::SpecAndAnnotations => {
            object.get("spec") != old.get("spec")
                || object.path("metadata.annotations") != old.path("metadata.annotations")
        }
        Generation::Content => differs_outside_metadata(object, old),
    };
    if changed {
        let generation = old.path("metadata.generation").as_int().unwrap_or(0) + 1;
        object.entry("metadata").set("generation", generation);
    }
}

fn differs_outside_metadata(a: &Value, b: &Value) -> bool {
    let content = |value: &Value| {
        let mut map = value.entries().clone();
        map.retain(|key, _| !matches!(key, "metadata" | "status" | "apiVersion" | "kind"));
        map
    };
    content(a) != content(b)
}

/// Whether two versions of an object differ in anything but the times and versions that a write itself makes.
pub(crate) fn is_unchanged(new: &Value, old: &Value) -> bool {
    let (a, b) = (new.entries(), old.entries());
    if a.len() != b.len() {
        return false;
    }
    a.iter().zip(b.iter()).all(|((ka, va), (kb, vb))| {
        ka == kb && (va == vb || (ka == "metadata" && same_metadata(va, vb)))
    })
}

fn same_metadata(a: &Value, b: &Value) -> bool {
    let strip = |meta: &Value| -> Vec<(Str, Value)> {
        meta.entries()
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "resourceVersion" | "managedFields"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    strip(a) == strip(b) && same_managers(a.get("managedFields"), b.get("managedFields"))
}

/// Managers are compared without their times: a write that changes nothing must stay nothing.
fn same_managers(a: &Value, b: &Value) -> bool {
    let (a, b) = (a.items(), b.items());
    a.len() == b.len()
        && a.iter().zip(b).all(|(x, y)| {
            let mut x = x.clone();
            if x.get("time") != y.get("time") {
                keep(&mut x, y, "time");
            }
            x == *y
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_version_4() {
        let uid = new_uid(&mut Rng::stream(1, "uids"));
        assert_eq!(uid.len(), 36);
        assert_eq!(&uid[14..15], "4");
        assert!("89ab".contains(&uid[19..20]));
    }

    #[test]
    fn generated_names_fit_into_a_label() {
        let mut rng = Rng::stream(1, "names");
        let name = generate_name(&mut rng, &"x".repeat(100));
        assert_eq!(name.len(), 63);
        assert!(generate_name(&mut rng, "web-").starts_with("web-"));
    }
}
