//! The environment of a container: what the image, the pod and its services say.
//!
//! Models `makeEnvironmentVariables` of `kubelet_pods.go` and `third_party/forked/golang/expansion`.

use std::collections::BTreeMap;

use api::core::Container;
use api::{Str, Value};

use crate::host::Host;
use crate::machine::Machine;
use crate::needs::Kind;
use crate::pod::Pod;

pub(crate) type Sources = BTreeMap<(Kind, Str), Value>;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Variables in the order in which they were set; later ones win.
pub(crate) fn environment(pod: &Pod, spec: &Value, host: &Host) -> BTreeMap<String, String> {
    let (sources, machine) = (&pod.sources, &host.machine);
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    let hostname = hostname(pod, machine);
    env.insert("PATH".into(), PATH.into());
    env.insert("HOME".into(), "/root".into());
    env.insert("HOSTNAME".into(), hostname);
    for (name, value) in [
        ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
        ("KUBERNETES_SERVICE_PORT", "443"),
        ("KUBERNETES_SERVICE_PORT_HTTPS", "443"),
        ("KUBERNETES_PORT", "tcp://10.96.0.1:443"),
        ("KUBERNETES_PORT_443_TCP", "tcp://10.96.0.1:443"),
        ("KUBERNETES_PORT_443_TCP_PROTO", "tcp"),
        ("KUBERNETES_PORT_443_TCP_PORT", "443"),
        ("KUBERNETES_PORT_443_TCP_ADDR", "10.96.0.1"),
    ] {
        env.insert(name.into(), value.into());
    }
    if pod.spec().get("enableServiceLinks").as_bool() != Some(false) {
        let services = host
            .services
            .get(&pod.namespace())
            .map_or(&[][..], Value::items);
        services
            .iter()
            .for_each(|service| service_variables(service, &mut env));
    }
    for from in spec.get("envFrom").items() {
        let prefix = from.str("prefix");
        let (kind, reference) = if from.has("configMapRef") {
            (Kind::ConfigMap, from.get("configMapRef"))
        } else {
            (Kind::Secret, from.get("secretRef"))
        };
        let Some(object) = sources.get(&(kind, reference.shared_str("name"))) else {
            continue;
        };
        for (key, value) in data(kind, object) {
            env.insert(
                format!("{prefix}{key}"),
                String::from_utf8_lossy(&value).into_owned(),
            );
        }
    }
    for variable in spec.get("env").items() {
        let name = variable.str("name").to_owned();
        let from = variable.get("valueFrom");
        let value = if from.is_map() {
            from_source(pod, spec, from, sources, machine)
        } else {
            Some(expand(variable.str("value"), &env))
        };
        if let Some(value) = value {
            env.insert(name, value);
        }
    }
    env
}

/// `WEB_SERVICE_HOST` and the like, as Docker's links once had them (`pkg/kubelet/envvars`).
fn service_variables(service: &Value, env: &mut BTreeMap<String, String>) {
    let address = service.path("spec.clusterIP").as_str().unwrap_or_default();
    if address.is_empty() || address == "None" {
        return;
    }
    let name = service
        .path("metadata.name")
        .as_str()
        .unwrap_or_default()
        .to_uppercase()
        .replace('-', "_");
    let ports = service.path("spec.ports").items();
    let number = |port: &Value| port.int("port").unwrap_or(0);
    let Some(first) = ports.first() else { return };
    env.insert(format!("{name}_SERVICE_HOST"), address.to_owned());
    env.insert(format!("{name}_SERVICE_PORT"), number(first).to_string());
    for port in ports {
        if !port.str("name").is_empty() {
            let of_port = port.str("name").to_uppercase().replace('-', "_");
            env.insert(
                format!("{name}_SERVICE_PORT_{of_port}"),
                number(port).to_string(),
            );
        }
    }
    for (at, port) in ports.iter().enumerate() {
        let protocol = match port.str("protocol") {
            "" => "TCP",
            protocol => protocol,
        };
        let (number, lower) = (number(port), protocol.to_lowercase());
        let url = format!("{lower}://{address}:{number}");
        if at == 0 {
            env.insert(format!("{name}_PORT"), url.clone());
        }
        let prefix = format!("{name}_PORT_{number}_{protocol}");
        env.insert(prefix.clone(), url);
        env.insert(format!("{prefix}_PROTO"), lower);
        env.insert(format!("{prefix}_PORT"), number.to_string());
        env.insert(format!("{prefix}_ADDR"), address.to_owned());
    }
}

/// `$(NAME)` becomes the variable's value, `$$` a dollar; what is unknown stays as it is.
pub(crate) fn expand(text: &str, env: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest
            .strip_prefix('(')
            .and_then(|inner| inner.split_once(')'))
        {
            match env.get(name) {
                Some(value) => out.push_str(value),
                None => out.push_str(&format!("$({name})")),
            }
            rest = after;
        } else {
            out.push('$');
        }
    }
    out + rest
}

fn from_source(
    pod: &Pod,
    spec: &Value,
    from: &Value,
    sources: &Sources,
    machine: &Machine,
) -> Option<String> {
    for (field, kind) in [
        ("configMapKeyRef", Kind::ConfigMap),
        ("secretKeyRef", Kind::Secret),
    ] {
        let reference = from.get(field);
        if reference.is_map() {
            let object = sources.get(&(kind, reference.shared_str("name")))?;
            let value = data(kind, object).remove(reference.str("key"))?;
            return Some(String::from_utf8_lossy(&value).into_owned());
        }
    }
    if from.has("fieldRef") {
        return field(pod, from.get("fieldRef").str("fieldPath"), machine);
    }
    let resource = from.get("resourceFieldRef");
    resource
        .is_map()
        .then(|| resource_value(pod, spec, resource, machine))
}

/// The downward API: a field of the pod as text.
pub(crate) fn field(pod: &Pod, path: &str, machine: &Machine) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subscript = |prefix: &str| path.strip_prefix(prefix)?.strip_suffix("']");
    if let Some(key) = subscript("metadata.labels['") {
        return Some(text(pod.object.at(&["metadata", "labels", key])));
    }
    if let Some(key) = subscript("metadata.annotations['") {
        return Some(text(pod.object.at(&["metadata", "annotations", key])));
    }
    let address = || match pod.address {
        Some(number) if !pod.spec().bool("hostNetwork") => machine.pod_address(number).to_string(),
        _ => machine.address().to_string(),
    };
    Some(match path {
        "metadata.labels" | "metadata.annotations" => {
            let lines = pod.object.path(path).entries().iter();
            let lines: Vec<String> = lines
                .map(|(k, v)| format!("{k}={:?}", v.as_str().unwrap_or_default()))
                .collect();
            lines.join("\n")
        }
        "status.podIP" | "status.podIPs" => address(),
        "status.hostIP" | "status.hostIPs" => machine.address().to_string(),
        "spec.nodeName" => machine.name.to_string(),
        _ => text(pod.object.path(path)),
    })
}

/// `limits.cpu` and the like, divided and rounded up; without a limit what the machine has.
pub(crate) fn resource_value(
    pod: &Pod,
    spec: &Value,
    reference: &Value,
    machine: &Machine,
) -> String {
    use api::quantity::Quantity;
    let name = reference.str("containerName");
    let spec = match pod.index_of(name) {
        Some(index) if !name.is_empty() => pod.container_spec(index),
        _ => spec,
    };
    let resource = reference.str("resource");
    let (list, kind) = resource.split_once('.').unwrap_or(("limits", resource));
    let container = Container(spec);
    let lists = if list == "requests" {
        [container.requests(), container.limits()]
    } else {
        [container.limits(), container.limits()]
    };
    let known = lists.iter().find_map(|list| list.get(kind));
    let divisor = match reference.get("divisor") {
        Value::Null => 1000,
        value => match Quantity::of(value).millis() {
            0 => 1000,
            millis => millis,
        },
    };
    let millis = match (known, kind) {
        (Some(value), _) => Quantity::of(value).millis(),
        (None, "cpu") => i64::from(machine.cpus) * 1000,
        (None, "memory") => (machine.memory_kib as i64) * 1024 * 1000,
        (None, _) => 0,
    };
    let whole = millis / divisor + i64::from(millis % divisor != 0);
    whole.to_string()
}

/// The entries of a ConfigMap or Secret as bytes.
pub(crate) fn data(kind: Kind, object: &Value) -> BTreeMap<Str, Vec<u8>> {
    let mut all = BTreeMap::new();
    for (field, is_encoded) in [("data", kind == Kind::Secret), ("binaryData", true)] {
        for (key, value) in object.get(field).entries().iter() {
            let text = value.as_str().unwrap_or_default();
            let bytes = if is_encoded {
                api::base64::decode(text).unwrap_or_default()
            } else {
                text.as_bytes().to_vec()
            };
            all.insert(key.clone(), bytes);
        }
    }
    all
}

/// The host name that the pod's processes see.
pub(crate) fn hostname(pod: &Pod, machine: &Machine) -> String {
    if pod.spec().bool("hostNetwork") {
        return machine.name.to_string();
    }
    match pod.spec().str("hostname") {
        "" => pod.name().chars().take(63).collect(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_expanded_once() {
        let env = BTreeMap::from([
            ("A".to_owned(), "$(B)".to_owned()),
            ("B".to_owned(), "b".to_owned()),
        ]);
        for (text, expanded) in [
            ("x$(B)y", "xby"),
            ("$$(B)", "$(B)"),
            ("$(NO)", "$(NO)"),
            ("$(A)", "$(B)"),
            ("$B $", "$B $"),
            ("$(B", "$(B"),
        ] {
            assert_eq!(expand(text, &env), expanded);
        }
    }
}
