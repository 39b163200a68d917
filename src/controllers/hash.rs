//! The hash of a pod template that names ReplicaSets and revisions of DaemonSets.
//!
//! The real one hashes Go's dump of the template's struct: every field in the order of its declaration, with its Go
//! type, empty or not. So this needs that order and those types; they stand in `template_types.txt`, one type a line:
//! `Type: json Kind; json:GoName Kind; +Embedded`. Kinds: `s`, `b`, `i32`, `i64`, `map` (of strings), `quantity`,
//! `quantities`, `time`, `intstr`, `=Name` (a named string), another type; `*` before a pointer, `[]` before a slice.
//! Models `pkg/util/hash` and `ComputeHash` of `pkg/controller` at v1.36, and go-spew's `%#v`.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::LazyLock;

use api::Value;

/// The text of the hash, as it stands in `pod-template-hash`. `collision_count` salts it.
pub fn template_hash(template: &Value, collision_count: Option<i64>) -> String {
    let mut hash = Fnv1a(0x811c_9dc5);
    let written = hash
        .write_str("(v1.PodTemplateSpec)")
        .and_then(|()| dump(&mut hash, "PodTemplateSpec", template));
    written.expect("a hash takes everything");
    if let Some(count) = collision_count {
        hash.take(&(count as u32).to_le_bytes());
        hash.take(&[0; 4]);
    }
    safe_encode(&hash.0.to_string())
}

/// FNV-1, 32 bits: multiply, then xor.
pub(crate) fn fnv1_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| {
        hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte)
    })
}

/// Letters and digits that cannot form words (`rand.SafeEncodeString`).
pub(crate) fn safe_encode(text: &str) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let pick = |byte: u8| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]);
    text.bytes().map(pick).collect()
}

/// FNV-1a, 32 bits: xor, then multiply.
struct Fnv1a(u32);

impl Fnv1a {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }
}

impl Write for Fnv1a {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.take(text.as_bytes());
        Ok(())
    }
}

/// A field of a Go struct.
struct Field {
    /// Empty for an embedded struct, whose fields are those of the outer object.
    json: &'static str,
    go: String,
    kind: &'static str,
}

static TYPES: LazyLock<BTreeMap<&'static str, Vec<Field>>> = LazyLock::new(|| {
    let lines = include_str!("template_types.txt").lines();
    let types = lines.filter_map(|line| line.split_once(": "));
    types
        .map(|(name, fields)| (name, fields.split("; ").map(field).collect()))
        .collect()
});

fn field(text: &'static str) -> Field {
    if let Some(embedded) = text.strip_prefix('+') {
        return Field {
            json: "",
            go: embedded.to_owned(),
            kind: embedded,
        };
    }
    let (names, kind) = text.split_once(' ').unwrap_or((text, "s"));
    let (json, go) = match names.split_once(':') {
        Some((json, go)) => (json, go.to_owned()),
        None => {
            let (first, rest) = names.split_at(1);
            (names, first.to_uppercase() + rest)
        }
    };
    Field { json, go, kind }
}

/// The Go name of a kind.
fn go_type(kind: &str) -> String {
    for prefix in ["*", "[]"] {
        if let Some(of) = kind.strip_prefix(prefix) {
            return format!("{prefix}{}", go_type(of));
        }
    }
    let known = match kind {
        "s" => "string",
        "b" => "bool",
        "i32" => "int32",
        "i64" => "int64",
        "map" => "map[string]string",
        "quantity" => "resource.Quantity",
        "quantities" => "v1.ResourceList",
        "time" => "v1.Time",
        "intstr" => "intstr.IntOrString",
        "types.UID" => "types.UID",
        other => return format!("v1.{}", other.trim_start_matches('=')),
    };
    known.to_owned()
}

/// Writes a value as go-spew does, without its type.
fn dump(out: &mut impl Write, kind: &str, value: &Value) -> fmt::Result {
    if let Some(of) = kind.strip_prefix('*') {
        return if value.is_null() {
            out.write_str("<nil>")
        } else {
            dump(out, of, value)
        };
    }
    if let Some(of) = kind.strip_prefix("[]") {
        let items = value.items();
        if items.is_empty() {
            return out.write_str("<nil>");
        }
        out.write_char('[')?;
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.write_char(' ')?;
            }
            dump(out, of, item)?;
        }
        return out.write_char(']');
    }
    match kind {
        "s" | "types.UID" => out.write_str(value.as_str().unwrap_or_default()),
        "b" => write!(out, "{}", value.as_bool().unwrap_or_default()),
        "i32" | "i64" => write!(out, "{}", value.as_int().unwrap_or_default()),
        "map" | "quantities" => {
            let entries = value.entries();
            if entries.is_empty() {
                return out.write_str("<nil>");
            }
            out.write_str("map[")?;
            for (at, (key, value)) in entries.iter().enumerate() {
                let gap = if at > 0 { " " } else { "" };
                write!(out, "{gap}{key}:")?;
                if kind == "map" {
                    out.write_str(value.as_str().unwrap_or_default())?;
                } else {
                    dump_quantity(out, value)?;
                }
            }
            out.write_char(']')
        }
        "quantity" => dump_quantity(out, value),
        // A template has no creation time.
        "time" => out
            .write_str("{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"),
        "intstr" => {
            let (is_text, number) = (value.as_str(), value.as_int().unwrap_or_default());
            write!(
                out,
                "{{Type:(intstr.Type){} IntVal:(int32){number} StrVal:(string){}}}",
                i32::from(is_text.is_some()),
                is_text.unwrap_or_default()
            )
        }
        named if named.starts_with('=') => out.write_str(value.as_str().unwrap_or_default()),
        name => {
            out.write_char('{')?;
            let fields = TYPES.get(name).map(Vec::as_slice).unwrap_or_default();
            for (at, field) in fields.iter().enumerate() {
                let gap = if at > 0 { " " } else { "" };
                write!(out, "{gap}{}:({})", field.go, go_type(field.kind))?;
                let inner = if field.json.is_empty() {
                    value
                } else {
                    value.get(field.json)
                };
                dump(out, field.kind, inner)?;
            }
            out.write_char('}')
        }
    }
}

/// A quantity as Go's parser leaves it: a number with a power of ten, and its text if that is surely canonical.
fn dump_quantity(out: &mut impl Write, value: &Value) -> fmt::Result {
    let number;
    let text = match (value.as_str(), value.as_int()) {
        (Some(text), _) => text,
        (None, Some(n)) => {
            number = n.to_string();
            &number
        }
        (None, None) => "0",
    };
    let digits_end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-')))
        .unwrap_or(text.len());
    let (mantissa, suffix) = text.split_at(digits_end);
    let unsigned = mantissa.trim_start_matches(['+', '-']);
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let shifted = format!("{whole}{part}");
    let read: i64 = shifted.parse().unwrap_or_default();
    let signed = if mantissa.starts_with('-') {
        -read
    } else {
        read
    };
    let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
        .iter()
        .position(|known| *known == suffix)
        .map(|at| 10 * (at as u32 + 1));
    let exponent = match suffix {
        "n" => -9,
        "u" => -6,
        "m" => -3,
        "k" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        "E" => 18,
        other => other[other.len().min(1)..].parse().unwrap_or(0),
    };
    let scale = exponent * i64::from(binary.is_none()) - part.len() as i64;
    let amount = binary.map_or(signed, |power| signed.saturating_mul(1 << power));
    let format = match (binary, suffix.chars().next()) {
        (Some(_), _) => "BinarySI",
        (None, Some('e' | 'E')) if suffix.len() > 1 => "DecimalExponent",
        _ => "DecimalSI",
    };
    let is_canonical = !shifted.starts_with('0')
        && match binary {
            Some(_) => read % 16 > 0,
            None => scale % 3 == 0 && !shifted.ends_with("000"),
        };
    let text = if is_canonical { text } else { "" };
    write!(
        out,
        "{{i:(resource.int64Amount){{value:(int64){amount} scale:(resource.Scale){scale}}} d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}} s:(string){text} Format:(resource.Format){format}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::{list, map};

    fn template(image: &'static str, resources: Value) -> Value {
        map! {
            "metadata": map! { "labels": map! { "app": "web" } },
            "spec": map! {
                "containers": list![map! {
                    "name": "nginx", "image": image, "imagePullPolicy": "IfNotPresent", "resources": resources,
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                }],
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
                "securityContext": map! {}, "terminationGracePeriodSeconds": 30,
            },
        }
    }

    #[test]
    fn hashes_are_those_of_the_real_one() {
        let limits = map! { "limits": map! { "cpu": "200m", "memory": "128Mi" } };
        for (image, resources, hash) in [
            ("nginx:1.27", map! {}, "7d876db474"),
            ("nginx:1.25", map! {}, "7b46c4b544"),
            ("nginx:1.26", limits, "67478f85f7"),
        ] {
            assert_eq!(
                template_hash(&template(image, resources), None),
                hash,
                "{image}"
            );
        }
    }

    #[test]
    fn a_collision_changes_the_hash() {
        let template = template("nginx", map! {});
        let hashes = [None, Some(1), Some(2)].map(|salt| template_hash(&template, salt));
        assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2]);
    }
}
