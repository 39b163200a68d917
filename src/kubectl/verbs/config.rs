//! `kubectl config`: the current context's namespace, kept in `~/.kube/config`.

use api::{Str, Value, map};

use crate::{Context, Failure};

const PATH: &str = "~/.kube/config";

/// The namespace of the current context; `default` if none is set.
pub(crate) fn current_namespace(ctx: &mut Context<'_>) -> Result<Str, Failure> {
    let config = read(ctx)?;
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
    let config = read(ctx)?;
    let context = current(&config);
    let name = context.path("context.cluster").as_str().unwrap_or_default();
    let clusters = config.get("clusters").items();
    let cluster = clusters.iter().find(|cluster| cluster.str("name") == name);
    Ok(cluster
        .and_then(|cluster| cluster.path("cluster.server").as_shared_str().cloned())
        .unwrap_or_else(|| "https://127.0.0.1:6443".into()))
}

pub(crate) fn run(ctx: &mut Context<'_>, args: &[Str]) -> Result<(), Failure> {
    let mut config = read(ctx)?;
    let words: Vec<&str> = args.iter().map(Str::as_str).collect();
    match words[..] {
        ["current-context"] => ctx.out(format!("{}\n", config.str("current-context"))),
        ["get-contexts", ..] => {
            let mut text = "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n".to_owned();
            for context in config.get("contexts").items() {
                let is_current = context.str("name") == config.str("current-context");
                let inner = context.get("context");
                text += &format!(
                    "{}\t{}\t{}\t{}\t{}\n",
                    if is_current { "*" } else { "" },
                    context.str("name"),
                    inner.str("cluster"),
                    inner.str("user"),
                    inner.str("namespace")
                );
            }
            ctx.out(crate::print::tabwriter::align(
                &text,
                crate::print::tabwriter::TABLE,
            ));
        }
        ["view", ..] => ctx.out(api::yaml::emit(&config)),
        ["use-context", name] => {
            if !config
                .get("contexts")
                .items()
                .iter()
                .any(|c| c.str("name") == name)
            {
                return Err(Failure::error(format!(
                    "no context exists with the name: {name:?}"
                )));
            }
            config.set("current-context", Str::new(name));
            write(ctx, &config)?;
            ctx.out(format!("Switched to context {name:?}.\n"));
        }
        ["set-context", ..] => {
            let given = crate::flags::Given::parse(
                "config set-context",
                &[crate::flags::switch("current")],
                &args[1..],
            )?;
            let name = if given.switch("current") {
                config.shared_str("current-context")
            } else {
                given.args.first().cloned().unwrap_or_default()
            };
            if name.is_empty() {
                return Err(Failure::error(
                    "you must specify a non-empty context name or --current",
                ));
            }
            let contexts = config.entry("contexts").list_mut();
            let exists = contexts.iter().any(|c| c.str("name") == name.as_str());
            if !exists {
                contexts.push(
                    map! { "name": name.clone(), "context": map! { "cluster": "", "user": "" } },
                );
            }
            for context in contexts
                .iter_mut()
                .filter(|c| c.str("name") == name.as_str())
            {
                for flag in ["namespace", "cluster", "user"] {
                    if given.has(flag) {
                        context.entry("context").set(flag, given.text(flag));
                    }
                }
            }
            write(ctx, &config)?;
            ctx.out(format!(
                "Context {:?} {}.\n",
                name.as_str(),
                if exists { "modified" } else { "created" }
            ));
        }
        ["get-clusters"] => {
            ctx.out("NAME\n");
            for cluster in config.get("clusters").items() {
                ctx.out(format!("{}\n", cluster.str("name")));
            }
        }
        ["get-users"] => {
            ctx.out("NAME\n");
            for user in config.get("users").items() {
                ctx.out(format!("{}\n", user.str("name")));
            }
        }
        ["delete-context", name] => {
            let contexts = config.entry("contexts").list_mut();
            let before = contexts.len();
            contexts.retain(|context| context.str("name") != name);
            if contexts.len() == before {
                return Err(Failure::error(format!(
                    "cannot delete context {name}, not in {PATH}"
                )));
            }
            write(ctx, &config)?;
            ctx.out(format!("deleted context {name} from {PATH}\n"));
        }
        ["rename-context", old, new] => {
            let contexts = config.entry("contexts").list_mut();
            let Some(context) = contexts.iter_mut().find(|c| c.str("name") == old) else {
                return Err(Failure::error(format!(
                    "cannot rename the context {old:?}, it's not in {PATH}"
                )));
            };
            context.set("name", Str::new(new));
            if config.str("current-context") == old {
                config.set("current-context", Str::new(new));
            }
            write(ctx, &config)?;
            ctx.out(format!("Context {old:?} renamed to {new:?}.\n"));
        }
        ["unset", "current-context"] => {
            config.set("current-context", "");
            write(ctx, &config)?;
            ctx.out("Property \"current-context\" unset.\n");
        }
        [] => {
            return Err(Failure::error(
                "config needs a subcommand: current-context, get-contexts, set-context, use-context, view",
            ));
        }
        [other, ..] => {
            return Err(Failure::error(format!(
                "unknown command {other:?} for \"kubectl config\""
            )));
        }
    }
    Ok(())
}

fn current(config: &Value) -> Value {
    let name = config.str("current-context");
    config
        .get("contexts")
        .items()
        .iter()
        .find(|c| c.str("name") == name)
        .cloned()
        .unwrap_or_default()
}

fn read(ctx: &mut Context<'_>) -> Result<Value, Failure> {
    match ctx.read_file(PATH)? {
        Ok(text) => api::yaml::load(&text)
            .map_err(|why| Failure::error(format!("error loading config file {PATH:?}: {why}"))),
        Err(_) => Ok(map! {
            "apiVersion": "v1", "kind": "Config", "current-context": "kubenkyo",
            "clusters": api::list![map! { "name": "kubenkyo", "cluster": map! { "server": "https://127.0.0.1:6443" } }],
            "contexts": api::list![map! { "name": "kubenkyo", "context": map! { "cluster": "kubenkyo", "user": "kubenkyo-admin" } }],
            "users": api::list![map! { "name": "kubenkyo-admin", "user": map! {} }],
            "preferences": map! {},
        }),
    }
}

fn write(ctx: &mut Context<'_>, config: &Value) -> Result<(), Failure> {
    ctx.write_file(PATH, &api::yaml::emit(config))?
        .map_err(|why| Failure::error(format!("cannot write {PATH}: {why}")))
}
