//! Reads an object against its type: what the API server does before anything else looks at it.
//!
//! A wrong type refuses the whole object, in the words of Go's JSON decoder. Unknown fields are dropped and listed
//! with their paths; `fieldValidation` decides what becomes of the list. What is kept is normal: nulls and zero values
//! that Go would leave out are gone, structs that Go always writes are there, quantities and times are canonical, and
//! field names are literals of the program. An object that is normal already comes back as it is, shared.
//! Models `sigs.k8s.io/json` and the field types' own decoding at v1.36; the entry point is [`decode`].

use std::sync::{Arc, LazyLock};

use sim::Time;

use crate::quantity::{Quantity, QuantityError};
use crate::schema::{Shape, Type, Zero};
use crate::{Map, Str, Value};

/// An object in normal form, and what was left out on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    pub value: Value,
    /// `unknown field "spec.replicsa"`, in the order of the document's keys.
    pub problems: Vec<String>,
}

/// Why a value cannot be an object of the type, in the decoder's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError(pub String);

/// Reads `value` as a `of`.
pub fn decode(of: Type, value: &Value) -> Result<Decoded, DecodeError> {
    let mut decoder = Decoder::default();
    let shape = Shape::Object(of);
    let changed = decoder
        .value(shape, value, &Place::Root)
        .map_err(DecodeError)?;
    if let Some(error) = decoder.first_error {
        return Err(DecodeError(error));
    }
    Ok(Decoded {
        value: changed.unwrap_or_else(|| value.clone()),
        problems: decoder.problems,
    })
}

impl Decoded {
    /// The message with which strict validation refuses; `None` if there is nothing to refuse.
    pub fn strict_error(&self) -> Option<String> {
        strict_error(&self.problems)
    }
}

/// `strict decoding error: unknown field "a", duplicate field "b"`; `None` for no problems.
pub fn strict_error(problems: &[String]) -> Option<String> {
    let message = || format!("strict decoding error: {}", problems.join(", "));
    (!problems.is_empty()).then(message)
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DecodeError {}

/// The word that Go's decoder has for a value's JSON type.
pub fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Float(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

/// The way to a value, kept on the stack and written out only for a message.
enum Place<'a> {
    Root,
    Field(&'a Place<'a>, Type, &'a str),
    Index(&'a Place<'a>, usize),
    Key(&'a Place<'a>, &'a str),
}

static EMPTY: LazyLock<Arc<Map>> = LazyLock::new(Arc::default);

/// Results are `None` where the value is normal as it is.
type Changed<T> = Result<Option<T>, String>;

#[derive(Default)]
struct Decoder {
    problems: Vec<String>,
    /// Wrong types do not stop Go's decoder: it goes on and reports the first. What a field's own decoding refuses does.
    first_error: Option<String>,
}

impl Decoder {
    fn value(&mut self, shape: Shape, value: &Value, place: &Place) -> Changed<Value> {
        match (shape, value) {
            (Shape::Any, _)
            | (Shape::Str, Value::Str(_))
            | (Shape::Int64, Value::Int(_))
            | (Shape::Bool, Value::Bool(_))
            | (Shape::Float, Value::Float(_) | Value::Int(_)) => Ok(None),
            (_, Value::Null) => Ok(Some(zero(shape))),
            (Shape::Int32, Value::Int(n)) if i32::try_from(*n).is_ok() => Ok(None),
            (Shape::Object(of), Value::Map(map)) => Ok(self.object(of, map, place)?.map(|map| {
                if map.is_empty() {
                    Value::Map(EMPTY.clone())
                } else {
                    Value::from(map)
                }
            })),
            (Shape::List(_), Value::List(list)) => self.list(shape.inner(), list, place),
            (Shape::Map(_), Value::Map(map)) => self.map(shape.inner(), map, place),
            (Shape::Quantity, value) => quantity(value),
            (Shape::IntOrString, Value::Str(_)) => Ok(None),
            (Shape::IntOrString, Value::Int(n)) if i32::try_from(*n).is_ok() => Ok(None),
            (Shape::IntOrString, _) => Err(mismatch(value, "int32", place)),
            (Shape::Time | Shape::MicroTime, Value::Str(text)) => time(shape, text),
            (Shape::Time | Shape::MicroTime, _) => Err(mismatch(value, "string", place)),
            (Shape::Bytes, Value::Str(text)) => {
                if let Some(at) = crate::base64::fault(text) {
                    self.keep(format!("illegal base64 data at input byte {at}"));
                }
                Ok(None)
            }
            _ => {
                self.keep(mismatch(value, &go_type(shape, place), place));
                Ok(None)
            }
        }
    }

    fn object(&mut self, of: Type, map: &Map, place: &Place) -> Changed<Map> {
        // The copy is made at the first difference and holds what came before it.
        let mut copy: Option<Map> = None;
        for (at, (key, value)) in map.iter().enumerate() {
            let kept = match of.field(key) {
                None => {
                    let path = Place::Key(place, key).path();
                    self.problems.push(format!("unknown field {path:?}"));
                    None
                }
                Some(_) if value.is_null() => None,
                Some(field) => {
                    let place = Place::Field(place, of, key);
                    let changed = self.value(field.shape, value, &place)?;
                    let is_left_out =
                        field.zero == Zero::Omitted && changed.as_ref().unwrap_or(value).is_empty();
                    (!is_left_out).then_some((field.name, changed))
                }
            };
            let is_same = matches!((&kept, key), (Some((_, None)), Str::Static(_)));
            if is_same && copy.is_none() {
                continue;
            }
            let copy = copy.get_or_insert_with(|| first_entries(map, at));
            if let Some((name, changed)) = kept {
                copy.insert(name, changed.unwrap_or_else(|| value.clone()));
            }
        }
        for field in of.fields() {
            if field.zero == Zero::Always && map.get(field.name).is_none_or(Value::is_null) {
                let copy = copy.get_or_insert_with(|| map.clone());
                copy.insert(field.name, zero(field.shape));
            }
        }
        Ok(copy)
    }

    fn list(&mut self, inner: Shape, list: &[Value], place: &Place) -> Changed<Value> {
        let mut copy: Option<Vec<Value>> = None;
        for (at, item) in list.iter().enumerate() {
            let changed = self.value(inner, item, &Place::Index(place, at))?;
            if let Some(changed) = changed {
                copy.get_or_insert_with(|| list.to_vec())[at] = changed;
            }
        }
        Ok(copy.map(Value::from))
    }

    fn map(&mut self, inner: Shape, map: &Map, place: &Place) -> Changed<Value> {
        let mut copy: Option<Map> = None;
        for (key, value) in map.iter() {
            let changed = self.value(inner, value, &Place::Key(place, key))?;
            if let Some(changed) = changed {
                copy.get_or_insert_with(|| map.clone()).insert(key, changed);
            }
        }
        Ok(copy.map(Value::from))
    }

    fn keep(&mut self, error: String) {
        self.first_error.get_or_insert(error);
    }
}

impl Place<'_> {
    /// `spec.containers[0].image`.
    fn path(&self) -> String {
        match self {
            Place::Root => String::new(),
            Place::Index(parent, at) => format!("{}[{at}]", parent.path()),
            Place::Field(parent, _, name) | Place::Key(parent, name) => match parent {
                Place::Root => (*name).to_owned(),
                _ => format!("{}.{name}", parent.path()),
            },
        }
    }

    /// The innermost struct, and the fields' names on the way: `Container`, `spec.containers.image`.
    fn go_field(&self) -> Option<(Type, String)> {
        match self {
            Place::Root => None,
            Place::Index(parent, _) | Place::Key(parent, _) => parent.go_field(),
            Place::Field(parent, owner, name) => {
                let path = match parent.go_field() {
                    Some((_, path)) => format!("{path}.{name}"),
                    None => (*name).to_owned(),
                };
                Some((*owner, path))
            }
        }
    }
}

/// The first entries of a map, with literal names where they are fields.
fn first_entries(map: &Map, count: usize) -> Map {
    let entries = map.iter().take(count);
    entries
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// What Go has where nothing was given.
fn zero(shape: Shape) -> Value {
    match shape {
        Shape::Str | Shape::Bytes => Value::Str(Str::EMPTY),
        Shape::Int32 | Shape::Int64 | Shape::IntOrString => Value::Int(0),
        Shape::Float => Value::Int(0),
        Shape::Bool => Value::Bool(false),
        Shape::Quantity => Value::from("0"),
        Shape::Object(of) => {
            let mut map: Option<Map> = None;
            for field in of.fields() {
                if field.zero == Zero::Always {
                    map.get_or_insert_default()
                        .insert(field.name, zero(field.shape));
                }
            }
            map.map_or_else(|| Value::Map(EMPTY.clone()), Value::from)
        }
        Shape::Time | Shape::MicroTime | Shape::Any | Shape::List(_) | Shape::Map(_) => Value::Null,
    }
}

/// Texts that have a type of their own in Go, by field or `Type.field`; messages name it.
const NAMED_TEXTS: &[(&str, &str)] = &[
    ("accessModes", "v1.PersistentVolumeAccessMode"),
    ("MetricSpec.type", "v2.MetricSourceType"),
    ("completionMode", "v1.CompletionMode"),
    ("concurrencyPolicy", "v1.ConcurrencyPolicy"),
    ("dnsPolicy", "v1.DNSPolicy"),
    ("effect", "v1.TaintEffect"),
    ("externalTrafficPolicy", "v1.ServiceExternalTrafficPolicy"),
    ("imagePullPolicy", "v1.PullPolicy"),
    ("internalTrafficPolicy", "v1.ServiceInternalTrafficPolicy"),
    ("ipFamilies", "v1.IPFamily"),
    ("ipFamilyPolicy", "v1.IPFamilyPolicy"),
    ("mountPropagation", "v1.MountPropagationMode"),
    ("pathType", "v1.PathType"),
    (
        "persistentVolumeReclaimPolicy",
        "v1.PersistentVolumeReclaimPolicy",
    ),
    ("phase", "v1.PodPhase"),
    ("podManagementPolicy", "v1.PodManagementPolicyType"),
    ("policyTypes", "v1.PolicyType"),
    ("preemptionPolicy", "v1.PreemptionPolicy"),
    ("protocol", "v1.Protocol"),
    ("reclaimPolicy", "v1.PersistentVolumeReclaimPolicy"),
    ("restartPolicy", "v1.RestartPolicy"),
    ("scheme", "v1.URIScheme"),
    ("sessionAffinity", "v1.ServiceAffinity"),
    ("terminationMessagePolicy", "v1.TerminationMessagePolicy"),
    ("uid", "types.UID"),
    ("volumeBindingMode", "v1.VolumeBindingMode"),
    ("volumeMode", "v1.PersistentVolumeMode"),
    ("whenUnsatisfiable", "v1.UnsatisfiableConstraintAction"),
    (
        "DaemonSetUpdateStrategy.type",
        "v1.DaemonSetUpdateStrategyType",
    ),
    ("DeploymentStrategy.type", "v1.DeploymentStrategyType"),
    ("EmptyDirVolumeSource.medium", "v1.StorageMedium"),
    ("HostPathVolumeSource.type", "v1.HostPathType"),
    (
        "LabelSelectorRequirement.operator",
        "v1.LabelSelectorOperator",
    ),
    (
        "NodeSelectorRequirement.operator",
        "v1.NodeSelectorOperator",
    ),
    ("SeccompProfile.type", "v1.SeccompProfileType"),
    ("Secret.type", "v1.SecretType"),
    ("ServiceSpec.type", "v1.ServiceType"),
    (
        "StatefulSetUpdateStrategy.type",
        "v1.StatefulSetUpdateStrategyType",
    ),
    ("Toleration.operator", "v1.TolerationOperator"),
];

/// The type of a place as Go's messages name it.
fn go_type(shape: Shape, place: &Place) -> String {
    let plain = shape.go_name();
    let text_list = matches!(shape, Shape::List(_)) && shape.inner() == Shape::Str;
    if shape != Shape::Str && !text_list {
        return plain;
    }
    let Some((owner, path)) = place.go_field() else {
        return plain;
    };
    let field = path.rsplit('.').next().unwrap_or_default();
    let full = format!("{}.{field}", owner.short_name());
    let named = NAMED_TEXTS
        .iter()
        .find(|(name, _)| *name == field || *name == full);
    match named {
        // Below a map the keys stand for themselves.
        Some((_, named)) if !matches!(place, Place::Key(..)) => plain.replace("string", named),
        _ => plain,
    }
}

fn mismatch(value: &Value, wanted: &str, place: &Place) -> String {
    let is_number_for_number = matches!(wanted, "int32" | "int64");
    let given = match value {
        Value::Int(_) | Value::Float(_) if is_number_for_number => {
            format!("number {}", value.to_json())
        }
        other => json_type(other).to_owned(),
    };
    match place.go_field() {
        Some((owner, path)) => format!(
            "json: cannot unmarshal {given} into Go struct field {}.{path} of type {wanted}",
            owner.short_name()
        ),
        None => format!("json: cannot unmarshal {given} into Go value of type {wanted}"),
    }
}

fn quantity(value: &Value) -> Changed<Value> {
    let parsed = match value {
        Value::Str(text) => Quantity::parse(text.trim()),
        Value::Int(_) | Value::Float(_) => Quantity::parse(&value.to_json()),
        _ => Err(QuantityError::Format),
    };
    let canonical = parsed.map_err(|error| error.to_string())?.to_string();
    let is_same = value.as_str() == Some(&canonical);
    Ok((!is_same).then(|| Value::from(canonical)))
}

fn time(shape: Shape, text: &Str) -> Changed<Value> {
    let Some(time) = Time::parse_rfc3339(text).filter(|_| text.as_bytes()[10] == b'T') else {
        return Err(time_fault(text));
    };
    let canonical = if shape == Shape::Time {
        time.rfc3339()
    } else {
        time.rfc3339_micros()
    };
    Ok((*text != *canonical).then(|| Value::from(canonical)))
}

/// What Go's time package says of a text that is no RFC 3339.
fn time_fault(text: &str) -> String {
    let mut rest = text;
    for (element, width) in [
        ("2006", 4),
        ("-", 0),
        ("01", 2),
        ("-", 0),
        ("02", 2),
        ("T", 0),
        ("15", 2),
        (":", 0),
        ("04", 2),
        (":", 0),
        ("05", 2),
    ] {
        let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let after = if width == 0 {
            rest.strip_prefix(element)
        } else {
            let number = rest.get(..width).filter(|part| is_number(part));
            number.map(|_| &rest[width..])
        };
        match after {
            Some(after) => rest = after,
            None => return cannot_parse(text, rest, element),
        }
    }
    let fraction = rest.strip_prefix('.').unwrap_or_default();
    let rest = if fraction.starts_with(|c: char| c.is_ascii_digit()) {
        fraction.trim_start_matches(|c: char| c.is_ascii_digit())
    } else {
        rest
    };
    let zone = rest.strip_prefix(['+', '-']).unwrap_or_default();
    let is_zone = rest == "Z" || zone.len() == 5 && zone.as_bytes()[2] == b':';
    if !is_zone {
        return cannot_parse(text, rest, "Z07:00");
    }
    let part = |from: usize| text[from..from + 2].parse::<u32>().unwrap_or_default();
    let range = match () {
        () if !(1..=12).contains(&part(5)) => "month",
        () if part(11) > 23 => "hour",
        () if part(14) > 59 => "minute",
        () if part(17) > 59 => "second",
        () => "day",
    };
    format!("parsing time {text:?}: {range} out of range")
}

fn cannot_parse(text: &str, rest: &str, element: &str) -> String {
    format!(
        "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {rest:?} as {element:?}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{golden, kinds, list, map, schema};

    fn read(kind: &str, json: &str) -> Result<Decoded, DecodeError> {
        let kind = kinds::by_name(kind).expect("a kind");
        let of = schema::of_kind(&kind.group, &kind.version, &kind.kind).expect("a type");
        decode(of, &Value::from_json(json).expect("JSON"))
    }

    #[test]
    fn wrong_types_are_refused_in_gos_words() {
        for (kind, json, message) in [
            (
                "deployment",
                r#"{"spec":{"replicas":"three"}}"#,
                "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                "pod",
                r#"{"spec":{"containers":[{"ports":[{"containerPort":"x"}]}]}}"#,
                "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
            ),
            (
                "pod",
                r#"{"spec":{"containers":[{"ports":80}]}}"#,
                "json: cannot unmarshal number into Go struct field Container.spec.containers.ports of type []v1.ContainerPort",
            ),
            (
                "cm",
                r#"{"metadata":{"labels":{"l":5}}}"#,
                "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
            ),
            (
                "cm",
                r#"{"metadata":{"annotations":[]}}"#,
                "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.annotations of type map[string]string",
            ),
            (
                "deployment",
                r#"{"spec":{"template":{"spec":"x"}}}"#,
                "json: cannot unmarshal string into Go struct field PodTemplateSpec.spec.template.spec of type v1.PodSpec",
            ),
            (
                "deployment",
                r#"{"spec":{"replicas":1.5}}"#,
                "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                "deployment",
                r#"{"spec":{"strategy":{"rollingUpdate":{"maxSurge":true}}}}"#,
                "json: cannot unmarshal bool into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32",
            ),
            (
                "pod",
                r#"{"spec":{"nodeName":1,"containers":[{"resources":{"limits":{"cpu":"1x"}}}]}}"#,
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ),
            (
                "secret",
                r#"{"data":{"a":"not base64!"}}"#,
                "illegal base64 data at input byte 3",
            ),
            (
                "pod",
                r#"{"metadata":{"creationTimestamp":"today"}}"#,
                r#"parsing time "today" as "2006-01-02T15:04:05Z07:00": cannot parse "today" as "2006""#,
            ),
            (
                "pod",
                r#"{"metadata":{"creationTimestamp":"2026-13-01T00:00:00Z"}}"#,
                r#"parsing time "2026-13-01T00:00:00Z": month out of range"#,
            ),
            (
                "pod",
                r#"{"spec":{"restartPolicy":false}}"#,
                "json: cannot unmarshal bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy",
            ),
            (
                "pvc",
                r#"{"spec":{"accessModes":"ReadWriteOnce"}}"#,
                "json: cannot unmarshal string into Go struct field PersistentVolumeClaimSpec.spec.accessModes of type []v1.PersistentVolumeAccessMode",
            ),
            (
                "pod",
                "[]",
                "json: cannot unmarshal array into Go value of type v1.Pod",
            ),
        ] {
            let error = read(kind, json).map_err(|e| e.0);
            assert_eq!(error, Err(message.to_owned()), "{json}");
        }
    }

    #[test]
    fn unknown_fields_are_listed_and_dropped() {
        let decoded = read(
            "pod",
            r#"{"spec":{"containers":[{"name":"a","prots":[],"resources":{"limits":{"cpu":1}}}],"replicas":1}}"#,
        )
        .expect("an object");
        assert_eq!(
            decoded.strict_error().expect("problems"),
            r#"strict decoding error: unknown field "spec.containers[0].prots", unknown field "spec.replicas""#
        );
        assert_eq!(
            decoded.value.path("spec"),
            &map! { "containers": list![map! { "name": "a", "resources": map! { "limits": map! { "cpu": "1" } } }] }
        );
    }

    #[test]
    fn objects_become_normal() {
        let decoded = read(
            "pod",
            r#"{"apiVersion":"v1","metadata":{"labels":{},"name":"a","creationTimestamp":null,"deletionTimestamp":"2026-01-01T09:00:00+09:00"},
                "spec":{"hostNetwork":false,"automountServiceAccountToken":false,"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"c","env":[{"name":"X","value":""}],"resources":{"requests":{"memory":"1024Mi"}}}]}}"#,
        )
        .expect("an object");
        assert_eq!(
            decoded.value,
            map! {
                "apiVersion": "v1",
                "metadata": map! { "name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z" },
                "spec": map! {
                    "automountServiceAccountToken": false,
                    "containers": list![map! { "name": "c", "env": list![map! { "name": "X" }], "resources": map! { "requests": map! { "memory": "1Gi" } } }],
                    "volumes": list![map! { "name": "v", "emptyDir": map! {} }],
                },
                "status": map! {},
            }
        );
    }

    #[test]
    fn a_normal_object_comes_back_shared() {
        let kind = kinds::by_name("pod").expect("a kind");
        let of = schema::of_kind(&kind.group, &kind.version, &kind.kind).expect("a type");
        let pod = map! {
            "metadata": map! { "name": "a" }, "status": map! {},
            "spec": map! { "containers": list![map! { "name": "c", "resources": map! { "limits": map! { "cpu": "1" } } }] },
        };
        let (Value::Map(before), Value::Map(after)) =
            (&pod, decode(of, &pod).expect("an object").value)
        else {
            panic!("maps");
        };
        assert!(Arc::ptr_eq(before, &after));
    }

    #[test]
    fn what_the_real_server_returned_is_normal_already() {
        let (mut checked, mut different) = (0, Vec::new());
        for name in [
            "2-crud",
            "3-list-watch",
            "4-patch-apply",
            "5-validation",
            "6-subresources",
        ] {
            for exchange in golden::wire(name).unwrap_or_default() {
                let object = exchange.get("response");
                let Some(kind) =
                    kinds::by_api_version(object.str("apiVersion"), object.str("kind"))
                else {
                    continue;
                };
                let of = schema::of_kind(&kind.group, &kind.version, &kind.kind).expect("a type");
                let decoded = decode(of, object).expect("a real object");
                checked += 1;
                if decoded.value != *object || !decoded.problems.is_empty() {
                    different.push(format!(
                        "{} {:?}\n{:?}\n{object:?}",
                        kind.kind, decoded.problems, decoded.value
                    ));
                }
            }
        }
        assert_eq!(different, Vec::<String>::new(), "{checked} checked");
    }
}
