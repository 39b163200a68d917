//! `kubectl config`: the kubeconfig file, `~/.kube/config` unless `--kubeconfig` or `KUBECONFIG` names another.
//!
//! Models `kubectl/pkg/cmd/config`. The page reaches one cluster as one user whatever the file says; its contexts decide
//! the namespace.

use api::{Str, Value, map};

use crate::flags::{Flag, Given, array, optional, switch, text};
use crate::print::{self, Format};
use crate::{Context, Failure};

const PATH: &str = "~/.kube/config";

const FLAGS: &[Flag] = &[
    switch("allow-missing-template-keys"),
    text("auth-provider"),
    array("auth-provider-arg"),
    optional("current", "true"),
    text("embed-certs"),
    text("exec-api-version"),
    array("exec-arg"),
    text("exec-command"),
    array("exec-env"),
    switch("flatten"),
    switch("merge"),
    switch("minify"),
    switch("no-headers"),
    text("output").short('o'),
    text("password"),
    text("proxy-url"),
    switch("raw"),
    switch("set-raw-bytes"),
    switch("show-managed-fields"),
    text("template"),
    text("tls-server-name"),
    text("username"),
];

/// The namespace of the current context; `default` if none is set.
pub(crate) fn current_namespace(ctx: &mut Context<'_>) -> Result<Str, Failure> {
    let config = read(ctx, PATH)?;
    let namespace = current(&config)
        .path("context.namespace")
        .as_shared_str()
        .cloned();
    Ok(namespace
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "default".into()))
}

/// The address of the current context's API server.
pub(crate) fn server(ctx: &mut Context<'_>) -> Result<Str, Failure> {
    let config = read(ctx, PATH)?;
    let context = current(&config);
    let name = context.path("context.cluster").as_str().unwrap_or_default();
    let cluster = named(&config, "clusters", name);
    Ok(cluster
        .path("cluster.server")
        .as_shared_str()
        .cloned()
        .unwrap_or_else(|| "https://127.0.0.1:6443".into()))
}

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let Some((verb, rest)) = args.split_first() else {
        super::help::of_command(ctx, "config");
        return Ok(());
    };
    let given = Given::parse(&format!("config {verb}"), FLAGS, rest)?;
    let mut path = given.text("kubeconfig");
    if path.is_empty() {
        path = ctx.env("KUBECONFIG")?.unwrap_or_default();
    }
    if path.is_empty() {
        path = PATH.into();
    }
    let path = path.as_str();
    let mut config = read(ctx, path)?;
    let names: Vec<&str> = given.args.iter().map(Str::as_str).collect();
    let said = match (verb.as_str(), &names[..]) {
        ("current-context", []) => {
            let name = config.str("current-context");
            if name.is_empty() {
                return Err(Failure::error("current-context is not set"));
            }
            ctx.out(format!("{name}\n"));
            return Ok(());
        }
        ("get-contexts", wanted) => return contexts(ctx, &given, &config, wanted),
        ("get-clusters", _) => return names_of(ctx, &config, "clusters"),
        ("get-users", _) => return names_of(ctx, &config, "users"),
        ("view", []) => return view(ctx, &given, config),
        ("use-context" | "use", [name]) => {
            if named(&config, "contexts", name).is_null() {
                return Err(Failure::error(format!(
                    "no context exists with the name: {name:?}"
                )));
            }
            config.set("current-context", Str::new(name));
            format!("Switched to context {name:?}.")
        }
        ("set-context", names) => {
            let name = match names {
                [] if given.switch("current") => config.shared_str("current-context"),
                [name] if !given.switch("current") => Str::new(name),
                _ => {
                    return Err(Failure::usage(
                        "config set-context",
                        "Unexpected args: you must specify a non-empty context name or --current",
                    ));
                }
            };
            if name.is_empty() {
                return Err(Failure::error("no current context is set"));
            }
            let is_new = entry(&mut config, "contexts", "context", &name, |context| {
                for flag in ["cluster", "namespace", "user"] {
                    if given.has(flag) {
                        context.set(flag, given.text(flag));
                    }
                }
            });
            let word = if is_new { "created" } else { "modified" };
            format!("Context {:?} {word}.", name.as_str())
        }
        ("set-cluster", [name]) => {
            entry(&mut config, "clusters", "cluster", name, |cluster| {
                for flag in [
                    "server",
                    "certificate-authority",
                    "tls-server-name",
                    "proxy-url",
                ] {
                    if given.has(flag) {
                        cluster.set(flag, given.text(flag));
                    }
                }
                if given.has("insecure-skip-tls-verify") {
                    let skips = given.switch("insecure-skip-tls-verify");
                    cluster.set("insecure-skip-tls-verify", skips);
                }
            });
            format!("Cluster {name:?} set.")
        }
        ("set-credentials", [name]) => {
            entry(&mut config, "users", "user", name, |user| {
                for flag in [
                    "client-certificate",
                    "client-key",
                    "token",
                    "username",
                    "password",
                ] {
                    if given.has(flag) {
                        user.set(flag, given.text(flag));
                    }
                }
            });
            format!("User {name:?} set.")
        }
        ("delete-context", [name]) => {
            remove(&mut config, "contexts", name, "context", path)?;
            if config.str("current-context") == *name {
                ctx.err("warning: this removed your active context, use \"kubectl config use-context\" to select a different one\n");
            }
            format!("deleted context {name} from {path}")
        }
        ("delete-cluster", [name]) => {
            remove(&mut config, "clusters", name, "cluster", path)?;
            format!("deleted cluster {name} from {path}")
        }
        ("delete-user", [name]) => {
            remove(&mut config, "users", name, "user", path)?;
            format!("deleted user {name} from {path}")
        }
        ("rename-context", [old, new]) => {
            if !named(&config, "contexts", new).is_null() {
                return Err(Failure::error(format!(
                    "cannot rename the context {old:?}, the context {new:?} already exists in {path}"
                )));
            }
            let contexts = config.entry("contexts").list_mut();
            let Some(context) = contexts.iter_mut().find(|c| c.str("name") == *old) else {
                return Err(Failure::error(format!(
                    "cannot rename the context {old:?}, it's not in {path}"
                )));
            };
            context.set("name", Str::new(new));
            if config.str("current-context") == *old {
                config.set("current-context", Str::new(new));
            }
            format!("Context {old:?} renamed to {new:?}.")
        }
        ("set", [property, value]) => {
            *property_of(&mut config, property)? = typed(property, value);
            format!("Property {property:?} set.")
        }
        ("unset", [property]) => {
            unset(&mut config, property)?;
            format!("Property {property:?} unset.")
        }
        (
            "current-context" | "view" | "use-context" | "use" | "set-cluster" | "set-credentials"
            | "delete-context" | "delete-cluster" | "delete-user" | "rename-context" | "set"
            | "unset",
            unexpected,
        ) => {
            return Err(Failure::usage(
                &format!("config {verb}"),
                format!("Unexpected args: [{}]", unexpected.join(" ")),
            ));
        }
        (other, _) => {
            return Err(Failure::error(format!(
                "unknown command {other:?} for \"kubectl config\""
            )));
        }
    };
    ctx.write_file(path, &api::yaml::emit(&config))?
        .map_err(|why| Failure::error(format!("cannot write {path}: {why}")))?;
    ctx.out(said + "\n");
    Ok(())
}

fn named(config: &Value, list: &str, name: &str) -> Value {
    let items = config.get(list).items();
    let found = items.iter().find(|item| item.str("name") == name);
    found.cloned().unwrap_or_default()
}

fn current(config: &Value) -> Value {
    named(config, "contexts", config.str("current-context"))
}

/// Changes the entry `name` of a list, which is made if it is not there; true if it was made.
fn entry(
    config: &mut Value,
    list: &'static str,
    inner: &'static str,
    name: &str,
    change: impl Fn(&mut Value),
) -> bool {
    let items = config.entry(list).list_mut();
    let at = items.iter().position(|item| item.str("name") == name);
    let is_new = at.is_none();
    let at = at.unwrap_or_else(|| {
        let mut fresh = map! { "name": Str::new(name) };
        fresh.set(inner, map! {});
        items.push(fresh);
        items.sort_by(|a, b| a.str("name").cmp(b.str("name")));
        let found = items.iter().position(|item| item.str("name") == name);
        found.expect("it was just pushed")
    });
    change(items[at].entry(inner));
    is_new
}

fn remove(
    config: &mut Value,
    list: &'static str,
    name: &str,
    what: &str,
    path: &str,
) -> Result<(), Failure> {
    let items = config.entry(list).list_mut();
    let before = items.len();
    items.retain(|item| item.str("name") != name);
    if items.len() == before {
        return Err(Failure::error(format!(
            "cannot delete {what} {name}, not in {path}"
        )));
    }
    Ok(())
}

/// `contexts.work.namespace`: the field, made if it is not there. Names may have dots: the longest that exists counts.
fn property_of<'a>(config: &'a mut Value, property: &str) -> Result<&'a mut Value, Failure> {
    let (list, rest) = property.split_once('.').unwrap_or((property, ""));
    let inner = match list {
        "clusters" => "cluster",
        "contexts" => "context",
        "users" => "user",
        "current-context" if rest.is_empty() => return Ok(config.entry("current-context")),
        _ => {
            return Err(Failure::error(format!(
                "unable to locate path {property} in the kubeconfig; hint: clusters.NAME.FIELD, contexts.NAME.FIELD, users.NAME.FIELD or current-context"
            )));
        }
    };
    let Some((name, field)) = rest.rsplit_once('.') else {
        return Err(Failure::error(format!(
            "a field must follow the name in {property}"
        )));
    };
    let list: &'static str = match inner {
        "cluster" => "clusters",
        "context" => "contexts",
        _ => "users",
    };
    entry(config, list, inner, name, |_| {});
    let items = config.entry(list).list_mut();
    let item = items.iter_mut().find(|item| item.str("name") == name);
    Ok(item
        .expect("the entry was just made")
        .entry(inner)
        .entry(Str::new(field)))
}

/// Switches are booleans, all else is text.
fn typed(property: &str, value: &str) -> Value {
    match value {
        "true" | "false" if property.ends_with("-skip-tls-verify") => Value::Bool(value == "true"),
        value => Value::from(Str::new(value)),
    }
}

fn unset(config: &mut Value, property: &str) -> Result<(), Failure> {
    if property == "current-context" {
        config.set("current-context", "");
        return Ok(());
    }
    let (list, rest) = property.split_once('.').unwrap_or((property, ""));
    let (list, inner) = match list {
        "clusters" => ("clusters", "cluster"),
        "contexts" => ("contexts", "context"),
        "users" => ("users", "user"),
        _ => {
            return Err(Failure::error(format!("unable to locate path {property}")));
        }
    };
    let items = config.entry(list).list_mut();
    if rest.is_empty() {
        items.clear();
    } else if let Some(at) = items.iter().position(|item| item.str("name") == rest) {
        items.remove(at);
    } else if let Some((name, field)) = rest.rsplit_once('.') {
        for item in items.iter_mut().filter(|item| item.str("name") == name) {
            item.entry(inner).remove(field);
        }
    }
    Ok(())
}

fn contexts(
    ctx: &mut Context<'_>,
    given: &Given,
    config: &Value,
    wanted: &[&str],
) -> Result<(), Failure> {
    let is_names = given.text("output") == "name";
    let mut out = String::new();
    if !is_names && !given.switch("no-headers") {
        out += "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n";
    }
    let mut items: Vec<&Value> = config.get("contexts").items().iter().collect();
    items.sort_by(|a, b| a.str("name").cmp(b.str("name")));
    for context in items {
        let name = context.str("name");
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        if is_names {
            out += &format!("{name}\n");
            continue;
        }
        let mark = if name == config.str("current-context") {
            "*"
        } else {
            ""
        };
        let inner = context.get("context");
        out += &format!(
            "{mark}\t{name}\t{}\t{}\t{}\n",
            inner.str("cluster"),
            inner.str("user"),
            inner.str("namespace")
        );
    }
    ctx.out(print::tabwriter::align(&out, print::tabwriter::TABLE));
    let missing: Vec<String> = wanted
        .iter()
        .filter(|name| named(config, "contexts", name).is_null())
        .map(|name| format!("error: context {name} not found"))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Failure::plain(missing.join("\n")))
    }
}

fn names_of(ctx: &mut Context<'_>, config: &Value, list: &str) -> Result<(), Failure> {
    let mut out = "NAME\n".to_owned();
    for item in config.get(list).items() {
        out += &format!("{}\n", item.str("name"));
    }
    ctx.out(out);
    Ok(())
}

/// The file as it is merged, without what is secret unless `--raw` asks for it.
fn view(ctx: &mut Context<'_>, given: &Given, mut config: Value) -> Result<(), Failure> {
    if given.switch("minify") {
        let wanted = given.text("context");
        let name = if wanted.is_empty() {
            config.shared_str("current-context")
        } else {
            wanted
        };
        let context = named(&config, "contexts", &name);
        if context.is_null() {
            return Err(Failure::error(
                "cannot locate context ".to_owned() + name.as_str(),
            ));
        }
        config.set("current-context", name);
        for (list, field) in [("clusters", "cluster"), ("users", "user")] {
            let kept = context.get("context").str(field).to_owned();
            let items = config.entry(list).list_mut();
            items.retain(|item| item.str("name") == kept);
        }
        config.set("contexts", vec![context]);
    }
    if !given.switch("raw") {
        for user in config.entry("users").list_mut() {
            for (field, shown) in [
                ("client-certificate-data", "DATA+OMITTED"),
                ("client-key-data", "DATA+OMITTED"),
                ("token", "REDACTED"),
            ] {
                if user.get("user").has(field) {
                    user.entry("user").set(field, shown);
                }
            }
        }
        for cluster in config.entry("clusters").list_mut() {
            if cluster.get("cluster").has("certificate-authority-data") {
                cluster
                    .entry("cluster")
                    .set("certificate-authority-data", "DATA+OMITTED");
            }
        }
    }
    let format = match Format::of(given)? {
        Format::Table { .. } => Format::Yaml,
        format => format,
    };
    let mapping = crate::resource::mapping(ctx, "configmaps")?;
    let text = print::object(&format, &mapping, &config)?;
    ctx.out(text);
    Ok(())
}

fn read(ctx: &mut Context<'_>, path: &str) -> Result<Value, Failure> {
    let mut config = match ctx.read_file(path)? {
        Ok(text) => api::yaml::load(&text)
            .map_err(|why| Failure::error(format!("error loading config file {path:?}: {why}")))?,
        Err(_) if path == PATH => map! {
            "apiVersion": "v1", "kind": "Config", "current-context": "kubenkyo",
            "clusters": api::list![map! { "name": "kubenkyo", "cluster": map! { "server": "https://127.0.0.1:6443" } }],
            "contexts": api::list![map! { "name": "kubenkyo", "context": map! { "cluster": "kubenkyo", "user": "kubenkyo-admin" } }],
            "users": api::list![map! { "name": "kubenkyo-admin", "user": map! {} }],
        },
        Err(_) => map! {
            "apiVersion": "v1", "kind": "Config", "current-context": "",
        },
    };
    for list in ["clusters", "contexts", "users"] {
        if config.get(list).is_null() {
            config.set(list, Value::from(Vec::<Value>::new()));
        }
    }
    Ok(config)
}
