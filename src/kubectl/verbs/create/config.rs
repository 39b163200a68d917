//! `kubectl create configmap` and `kubectl create secret`: data from literals, files and env files.
//!
//! Models `kubectl/pkg/cmd/create/create_{configmap,secret}*.go` and `generate.go`.

use api::{Str, Value, base64, map};

use super::{generated, missing, name_of, parse};
use crate::flags::{Flag, Given, array, switch, text};
use crate::{Context, Failure};

const SOURCES: &[Flag] = &[
    array("from-literal"),
    array("from-file"),
    array("from-env-file"),
    switch("append-hash"),
    text("type"),
];

pub(super) fn config_map(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = parse("create configmap", SOURCES, args)?;
    let name = name_of(&given, "configmap")?;
    let data = data(ctx, &given, "ConfigMap", &name)?;
    let mut object =
        map! { "apiVersion": "v1", "kind": "ConfigMap", "metadata": map! { "name": name } };
    if !data.is_empty() {
        object.set("data", data);
    }
    generated(ctx, &given, object, "configmap:")
}

pub(super) fn secret(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let rest = args.get(1..).unwrap_or_default();
    match args.first().map(Str::as_str) {
        Some("generic") => generic(ctx, rest),
        Some("tls") => tls(ctx, rest),
        Some("docker-registry") => docker_registry(ctx, rest),
        Some(other) => Err(Failure::error(format!(
            "unknown secret type {other:?}: use generic, tls or docker-registry"
        ))),
        None => {
            ctx.out("Create a secret with specified type.\n\n A docker-registry type secret is for accessing a container registry.\n\n A generic type secret indicate an Opaque secret type.\n\n A tls type secret holds TLS certificate and its associated key.\n\nAvailable Commands:\n  docker-registry   Create a secret for use with a Docker registry\n  generic           Create a secret from a local file, directory, or literal value\n  tls               Create a TLS secret\n\nUsage:\n  kubectl create secret (docker-registry | generic | tls) [options]\n\nUse \"kubectl create secret <command> --help\" for more information about a given command.\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n");
            Ok(())
        }
    }
}

fn secret_object(name: Str, kind: &str, data: &Value) -> Value {
    let mut encoded = map! {};
    for (key, value) in data.entries().iter() {
        let text = value.as_str().unwrap_or_default();
        encoded.set(key.clone(), base64::encode(text.as_bytes()));
    }
    let mut object =
        map! { "apiVersion": "v1", "kind": "Secret", "metadata": map! { "name": name } };
    if !encoded.is_empty() {
        object.set("data", encoded);
    }
    if !kind.is_empty() {
        object.set("type", Str::new(kind));
    }
    object
}

fn generic(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let given = parse("create secret generic", SOURCES, args)?;
    let name = name_of(&given, "secret generic")?;
    let data = data(ctx, &given, "Secret", &name)?;
    let object = secret_object(name, &given.text("type"), &data);
    generated(ctx, &given, object, "secret")
}

fn tls(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    const OWN: &[Flag] = &[text("cert"), text("key"), switch("append-hash")];
    let given = parse("create secret tls", OWN, args)?;
    let name = name_of(&given, "secret tls")?;
    for flag in ["key", "cert"] {
        if given.text(flag).is_empty() {
            return Err(Failure::error("key and cert must be specified"));
        }
    }
    let mut data = map! {};
    for (flag, key) in [("cert", "tls.crt"), ("key", "tls.key")] {
        let path = given.text(flag);
        let text = ctx.read_file(&path)?.map_err(|why| {
            Failure::error(format!("Cannot read file {path}, open {path}: {why}"))
        })?;
        data.set(key, text);
    }
    let object = secret_object(name, "kubernetes.io/tls", &data);
    generated(ctx, &given, object, "secret")
}

fn docker_registry(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    const OWN: &[Flag] = &[
        text("docker-server"),
        text("docker-username"),
        text("docker-password"),
        text("docker-email"),
        array("from-file"),
        switch("append-hash"),
    ];
    let given = parse("create secret docker-registry", OWN, args)?;
    let name = name_of(&given, "secret docker-registry")?;
    let data = if given.has("from-file") {
        data(ctx, &given, "Secret", &name)?
    } else {
        let unset: Vec<&str> = ["docker-username", "docker-password"]
            .into_iter()
            .filter(|flag| given.text(flag).is_empty())
            .collect();
        if !unset.is_empty() {
            return Err(Failure::error(format!(
                "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required; missing: {}",
                unset.join(", ")
            )));
        }
        let (user, password) = (given.text("docker-username"), given.text("docker-password"));
        // The fields stand in the order of Go's struct, which is not that of a sorted map.
        let quoted = |text: &str| Value::from(Str::new(text)).to_json();
        let mut entry = format!(
            "\"username\":{},\"password\":{}",
            quoted(&user),
            quoted(&password)
        );
        if given.has("docker-email") {
            entry += &format!(",\"email\":{}", quoted(&given.text("docker-email")));
        }
        let auth = base64::encode(format!("{user}:{password}").as_bytes());
        entry += &format!(",\"auth\":\"{auth}\"");
        let server = if given.has("docker-server") {
            given.text("docker-server")
        } else {
            "https://index.docker.io/v1/".into()
        };
        let text = format!("{{\"auths\":{{{}:{{{entry}}}}}}}", quoted(&server));
        map! { ".dockerconfigjson": text }
    };
    let object = secret_object(name, "kubernetes.io/dockerconfigjson", &data);
    generated(ctx, &given, object, "secret")
}

/// The data that `--from-*` give, checked for keys that come twice.
fn data(ctx: &mut Context<'_>, given: &Given, kind: &str, name: &str) -> Result<Value, Failure> {
    if given.has("from-env-file") && (given.has("from-file") || given.has("from-literal")) {
        return Err(Failure::error(
            "from-env-file cannot be combined with from-file or from-literal",
        ));
    }
    let mut data = map! {};
    let mut add = |key: &str, value: Str| {
        let is_key = !key.is_empty()
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !is_key {
            return Err(Failure::error(format!(
                "{key:?} is not a valid key name for a {kind}: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
            )));
        }
        if data.has(key) {
            return Err(Failure::error(format!(
                "cannot add key {key:?}, another key by that name already exists in Data for {kind} {name:?}"
            )));
        }
        data.set(Str::new(key), value);
        Ok(())
    };
    for source in given.all("from-file") {
        for (key, value) in of_file(ctx, source)? {
            add(&key, value)?;
        }
    }
    for source in given.all("from-literal") {
        let Some((key, value)) = source.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(Failure::error(format!(
                "invalid literal source {source}, expected key=value"
            )));
        };
        add(key, Str::new(unquoted(value)))?;
    }
    for path in given.all("from-env-file") {
        for (key, value) in of_env_file(ctx, path)? {
            add(&key, value)?;
        }
    }
    Ok(data)
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if value.len() >= 2 && value.starts_with(quote) && value.ends_with(quote) {
            return &value[1..value.len() - 1];
        }
    }
    value
}

/// `[KEY=]PATH`; of a directory every file in it.
fn of_file(ctx: &mut Context<'_>, source: &str) -> Result<Vec<(String, Str)>, Failure> {
    let (key, path) = match source.split_once('=') {
        None => (None, source),
        Some((_, path)) if path.contains('=') => {
            return Err(Failure::error("key names or file paths cannot contain '='"));
        }
        Some(("", path)) => {
            return Err(Failure::error(format!(
                "key name for file path {path} missing"
            )));
        }
        Some((key, "")) => {
            return Err(Failure::error(format!(
                "file path for key name {key} missing"
            )));
        }
        Some((key, path)) => (Some(key), path),
    };
    if let Ok(names) = ctx.list_dir(path)? {
        if key.is_some() {
            return Err(Failure::error(
                "cannot give a key name for a directory path",
            ));
        }
        let mut found = Vec::new();
        for name in names.iter().filter(|name| !name.ends_with('/')) {
            let child = format!("{}/{name}", path.trim_end_matches('/'));
            if let Ok(text) = ctx.read_file(&child)? {
                found.push((name.to_string(), text));
            }
        }
        return Ok(found);
    }
    let text = ctx
        .read_file(path)?
        .map_err(|why| Failure::error(format!("error reading {path}: {why}")))?;
    let base = path.rsplit('/').next().unwrap_or(path);
    Ok(vec![(key.unwrap_or(base).to_owned(), text)])
}

/// Lines `KEY=value`; a key alone takes its value from the environment.
fn of_env_file(ctx: &mut Context<'_>, path: &str) -> Result<Vec<(String, Str)>, Failure> {
    let text = ctx
        .read_file(path)?
        .map_err(|why| Failure::error(format!("error reading {path}: {why}")))?;
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once('=') {
            Some((key, value)) => found.push((key.to_owned(), Str::new(value))),
            None => {
                if let Some(value) = ctx.env(line)? {
                    found.push((line.to_owned(), value));
                }
            }
        }
    }
    Ok(found)
}

/// The value of a flag that must be given.
pub(super) fn required(given: &Given, flag: &str) -> Result<Str, Failure> {
    let value = given.text(flag);
    if value.is_empty() {
        Err(missing(flag))
    } else {
        Ok(value)
    }
}
