//! Kustomize: the objects that a `kustomization.yaml` makes of bases, generators and patches.
//!
//! For `kubectl kustomize` and for `-k` of the other commands. Models `sigs.k8s.io/kustomize/api` v5 as kubectl embeds it:
//! resources and components are accumulated, generators run, then the transformers in their fixed order; references
//! to renamed objects and the hashes of generated ones come last. Plugins, Helm charts and remote bases are not
//! simulated and say so. Entry point: [`build`].

mod fields;
mod generate;
mod order;
mod patches;
mod references;
mod replace;
mod transform;

use api::{Str, Value};

use crate::{Context, Failure};

/// The names that a kustomization may have, in the order in which they are looked for.
const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Every field of a kustomization, and whether it is simulated.
const FIELDS: &[(&str, bool)] = &[
    ("apiVersion", true),
    ("kind", true),
    ("metadata", true),
    ("openapi", true),
    ("resources", true),
    ("bases", true),
    ("components", true),
    ("namePrefix", true),
    ("nameSuffix", true),
    ("namespace", true),
    ("labels", true),
    ("commonLabels", true),
    ("commonAnnotations", true),
    ("configMapGenerator", true),
    ("secretGenerator", true),
    ("generatorOptions", true),
    ("patches", true),
    ("patchesStrategicMerge", true),
    ("patchesJson6902", true),
    ("images", true),
    ("replicas", true),
    ("replacements", true),
    ("sortOptions", true),
    ("buildMetadata", true),
    ("vars", false),
    ("crds", false),
    ("configurations", false),
    ("generators", false),
    ("transformers", false),
    ("validators", false),
    ("helmCharts", false),
    ("helmGlobals", false),
    ("helmChartInflationGenerator", false),
    ("inventory", false),
];

/// Fields that kustomize still reads, with what stands for them today.
const OLD_FIELDS: [(&str, &str); 4] = [
    ("bases", "resources"),
    ("commonLabels", "labels"),
    ("patchesJson6902", "patches"),
    ("patchesStrategicMerge", "patches"),
];

/// Kustomizations may use each other as bases at most so deep.
const DEPTH: usize = 20;

/// An object on its way through the layers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) object: Value,
    /// Names that it has had, the first one first, without the one that it has.
    names: Vec<Str>,
    /// Namespaces that it has had.
    namespaces: Vec<Str>,
    /// Generated: a hash of its content is added to its name in the end.
    needs_hash: bool,
}

impl Item {
    fn new(object: Value) -> Item {
        Item {
            object,
            names: Vec::new(),
            namespaces: Vec::new(),
            needs_hash: false,
        }
    }

    fn name(&self) -> Str {
        self.object.get("metadata").shared_str("name")
    }

    fn namespace(&self) -> Str {
        self.object.get("metadata").shared_str("namespace")
    }

    fn kind(&self) -> &str {
        self.object.str("kind")
    }

    fn group_version(&self) -> (&str, &str) {
        let api_version = self.object.str("apiVersion");
        api_version.split_once('/').unwrap_or(("", api_version))
    }

    fn is_called(&self, name: &str) -> bool {
        self.name() == *name || self.names.iter().any(|old| old == name)
    }

    fn rename(&mut self, name: impl Into<Str>) {
        let name = name.into();
        let old = self.name();
        if old != name {
            self.names.push(old);
            self.object.set_path("metadata.name", name);
        }
    }

    /// `Deployment.v1.apps/web.[noNs]`, as kustomize names objects in its messages.
    fn id(&self) -> String {
        let (group, version) = self.group_version();
        let namespace = self.namespace();
        format!(
            "{}.{version}.{}/{}.{}",
            self.kind(),
            if group.is_empty() { "[noGrp]" } else { group },
            self.name(),
            if namespace.is_empty() {
                "[noNs]"
            } else {
                &namespace
            }
        )
    }
}

/// The objects of the kustomization in the directory `dir`, in the order in which they are applied.
pub(crate) fn build(ctx: &mut Context<'_>, dir: &str) -> Result<Vec<Value>, Failure> {
    let dir = clean(dir);
    let mut items = Vec::new();
    let top = layer(ctx, &dir, 0, &mut items)?;
    transform::add_hashes(&mut items);
    references::update(&mut items);
    if top.path("sortOptions.order").as_str() != Some("fifo") {
        order::sort(&mut items);
    }
    Ok(items.into_iter().map(|item| item.object).collect())
}

/// Adds what the kustomization in `dir` makes to `items`, which are what a component finds already; gives the
/// kustomization itself.
fn layer(
    ctx: &mut Context<'_>,
    dir: &str,
    depth: usize,
    items: &mut Vec<Item>,
) -> Result<Value, Failure> {
    if depth > DEPTH {
        return Err(Failure::error(format!(
            "cycle detected: candidate root '{dir}' contains visited root"
        )));
    }
    let config = load(ctx, dir)?;
    let is_component = config.str("kind") == "Component";
    let mut own = if is_component {
        std::mem::take(items)
    } else {
        Vec::new()
    };
    for field in ["resources", "bases"] {
        for entry in config.get(field).items() {
            let entry = entry.as_str().unwrap_or_default();
            let found = resources(ctx, dir, entry, depth)?;
            add(&mut own, found)?;
        }
    }
    for entry in config.get("components").items() {
        let path = join(dir, entry.as_str().unwrap_or_default());
        layer(ctx, &path, depth + 1, &mut own)?;
    }
    generate::run(ctx, dir, &config, &mut own)?;
    patches::run(ctx, dir, &config, &mut own)?;
    transform::run(&config, &mut own)?;
    replace::run(ctx, dir, &config, &mut own)?;
    references::update(&mut own);
    items.append(&mut own);
    Ok(config)
}

/// What an entry of `resources` names: the objects of a file, or another kustomization.
fn resources(
    ctx: &mut Context<'_>,
    dir: &str,
    entry: &str,
    depth: usize,
) -> Result<Vec<Item>, Failure> {
    let path = join(dir, entry);
    if ctx.list_dir(&path)?.is_ok() {
        let mut items = Vec::new();
        layer(ctx, &path, depth + 1, &mut items)?;
        return Ok(items);
    }
    let mut documents = Vec::new();
    if entry.contains("://") {
        let rest = entry.split_once("://").map_or("", |(_, rest)| rest);
        let place = format!("{}/{rest}", crate::verbs::files::WEB);
        let text = ctx.read_file(&place)?.map_err(|_| {
            let host = rest.split('/').next().unwrap_or_default();
            Failure::error(format!(
                "accumulating resources: accumulation err='accumulating resources from '{entry}': Get \"{entry}\": dial tcp: lookup {host}: no such host'; hint: this cluster has no network, a copy may stand at {place}"
            ))
        })?;
        crate::verbs::files::parse(entry, &text, &mut documents)?;
    } else {
        let text = ctx.read_file(&path)?.map_err(|why| {
            Failure::error(format!(
                "accumulating resources: accumulation err='accumulating resources from '{entry}': open {path}: {why}': must build at directory: not a valid directory: evalsymlink failure on '{path}' : lstat {path}: {why}"
            ))
        })?;
        crate::verbs::files::parse(entry, &text, &mut documents)?;
    }
    Ok(documents
        .into_iter()
        .map(|document| Item::new(document.object))
        .collect())
}

/// Joins two sets of objects; the same object twice is an error.
fn add(items: &mut Vec<Item>, more: Vec<Item>) -> Result<(), Failure> {
    for item in more {
        if items.iter().any(|known| known.id() == item.id()) {
            return Err(Failure::error(format!(
                "accumulating resources: accumulation err='merging resources from '{0}': may not add resource with an already registered id: {0}'",
                item.id()
            )));
        }
        items.push(item);
    }
    Ok(())
}

/// Reads the kustomization of a directory and looks at its fields.
fn load(ctx: &mut Context<'_>, dir: &str) -> Result<Value, Failure> {
    for name in FILES {
        let Ok(text) = ctx.read_file(&join(dir, name))? else {
            continue;
        };
        let config = api::yaml::load(&text).map_err(|why| {
            Failure::error(format!(
                "invalid Kustomization: error converting YAML to JSON: {why}"
            ))
        })?;
        if config.entries().is_empty() {
            return Err(Failure::error("kustomization.yaml is empty"));
        }
        for (field, _) in config.entries().iter() {
            match FIELDS.iter().find(|(known, _)| field == *known) {
                None => {
                    return Err(Failure::error(format!(
                        "invalid Kustomization: json: unknown field {:?}",
                        field.as_str()
                    )));
                }
                Some((known, false)) => {
                    return Err(Failure::error(format!(
                        "kustomization field {known:?} is not simulated here"
                    )));
                }
                _ => {}
            }
        }
        for (old, new) in OLD_FIELDS {
            if config.has(old) {
                ctx.err(format!(
                    "# Warning: '{old}' is deprecated. Please use '{new}' instead. Run 'kustomize edit fix' to update your Kustomization automatically.\n"
                ));
            }
        }
        return Ok(config);
    }
    let place = match ctx.env("PWD")? {
        Some(cwd) if !dir.starts_with('/') => join(&cwd, dir),
        _ => dir.to_owned(),
    };
    if ctx.list_dir(dir)?.is_err() {
        return Err(Failure::error(format!(
            "must build at directory: not a valid directory: evalsymlink failure on '{place}' : lstat {place}: no such file or directory"
        )));
    }
    Err(Failure::error(format!(
        "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{place}'"
    )))
}

/// Reads a file that a kustomization in `dir` names.
fn read(ctx: &mut Context<'_>, dir: &str, name: &str) -> Result<Str, Failure> {
    let path = join(dir, name);
    ctx.read_file(&path)?
        .map_err(|why| Failure::error(format!("loading file {name:?}: open {path}: {why}")))
}

/// `base` and `../over`: `over`. Nothing of a file system is looked at.
fn join(dir: &str, name: &str) -> String {
    if name.starts_with('/') {
        clean(name)
    } else {
        clean(&format!("{dir}/{name}"))
    }
}

fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (is_absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_without_looking() {
        let cases = [
            ("k/over", "../base", "k/base"),
            (".", "../base", "../base"),
            ("a", "./b/", "a/b"),
            ("/a", "../../b", "/b"),
            ("a", "/b/c", "/b/c"),
            ("a", "..", "."),
        ];
        for (dir, name, joined) in cases {
            assert_eq!(join(dir, name), joined, "{dir} and {name}");
        }
    }
}
