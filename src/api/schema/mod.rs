//! The shapes of all objects of v1.36: one table for every room that asks what a field is.
//!
//! `table.txt` holds each type once (names, types, list and patch keys; facts of the OpenAPI document, see
//! `generate.rs`). It is read into flat lists on first use; names are slices of the program's own text, so a decoded
//! object's keys cost nothing. Entry points: [`of_kind`], [`named`], [`Type::field`], [`at`].

#[cfg(test)]
mod generate;

use std::sync::LazyLock;

/// A struct of the API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Type(u16);

/// A field of a struct.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub shape: Shape,
    pub is_required: bool,
    pub zero: Zero,
    pub list: ListKind,
    /// What tells items of a [`ListKind::Map`] apart in server-side apply.
    pub keys: &'static [&'static str],
    /// What a strategic merge patch does with it.
    pub patch: PatchStrategy,
    /// Whether a map or struct here is replaced as a whole in server-side apply.
    pub is_atomic: bool,
    /// What a missing key field counts as when items are told apart (`protocol: TCP`).
    pub key_default: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Str,
    Int32,
    Int64,
    Bool,
    Float,
    /// Base64 text.
    Bytes,
    /// RFC 3339 in whole seconds.
    Time,
    /// RFC 3339 in microseconds.
    MicroTime,
    Quantity,
    IntOrString,
    /// Anything: nothing inside is checked.
    Any,
    Object(Type),
    /// Of what [`Shape::inner`] says.
    List(Inner),
    /// Text keys, values of what [`Shape::inner`] says.
    Map(Inner),
}

/// What the items of a list or the values of a map are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner(u16);

/// What becomes of a zero value (`0`, `false`, `""`, `[]`, `{}`) when an object is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Zero {
    /// It is kept: Go has a pointer there.
    #[default]
    Kept,
    /// It is left out: Go has a value with `omitempty`.
    Omitted,
    /// An empty struct is written even when nothing was given.
    Always,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListKind {
    /// One owner; replaced as a whole.
    #[default]
    Atomic,
    Set,
    Map,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatchStrategy {
    /// Items of a list are merged by this key; empty for lists of plain values and for no merge.
    pub merge_key: &'static str,
    pub is_merge: bool,
    /// Fields that the patch does not list are removed.
    pub retains_keys: bool,
    /// A struct or map is replaced as a whole.
    pub is_replace: bool,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("table.txt")));

struct Table {
    /// Sorted by name.
    types: Vec<TypeRow>,
    fields: Vec<Field>,
    inner: Vec<Shape>,
}

struct TypeRow {
    name: &'static str,
    /// Where its fields end; they begin where the last type's end.
    end: u16,
    is_atomic: bool,
}

/// The type of a kind: `of_kind("apps", "v1", "Deployment")`.
pub fn of_kind(group: &str, version: &str, kind: &str) -> Option<Type> {
    let package = group.split('.').next().unwrap_or_default();
    if package.is_empty() {
        return named(&format!("{version}.{kind}"));
    }
    named(&format!("{package}.{version}.{kind}")).or_else(|| {
        let is_everywhere = matches!(kind, "DeleteOptions" | "Status" | "WatchEvent");
        is_everywhere.then(|| named(kind)).flatten()
    })
}

/// The type of a name: `v1.Pod`, `apps.v1.Deployment`, `ObjectMeta`.
pub fn named(name: &str) -> Option<Type> {
    let at = TABLE
        .types
        .binary_search_by(|row| row.name.cmp(name))
        .ok()?;
    Some(Type(at as u16))
}

/// All types, by name.
pub fn types() -> impl Iterator<Item = Type> {
    (0..TABLE.types.len()).map(|at| Type(at as u16))
}

/// Follows field names from a type; lists and maps are entered without a step of their own: an index (`[0]` cut off)
/// is no name. `None` where no such field exists; fields of maps exist under every name.
pub fn at(from: Type, path: &[&str]) -> Option<Shape> {
    let mut shape = Shape::Object(from);
    for name in path {
        while let Shape::List(_) = shape {
            shape = shape.inner();
        }
        shape = match shape {
            Shape::Object(of) => of.field(name)?.shape,
            Shape::Map(_) => shape.inner(),
            Shape::Any => Shape::Any,
            _ => return None,
        };
    }
    Some(shape)
}

impl Type {
    /// `v1.Pod`, `apps.v1.DeploymentSpec`, `ObjectMeta`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The name without package and version: `DeploymentSpec`.
    pub fn short_name(self) -> &'static str {
        let name = self.name();
        name.rsplit('.').next().unwrap_or(name)
    }

    /// As Go's messages name it: `v1.DeploymentSpec`.
    pub fn go_name(self) -> String {
        let name = self.name();
        let mut parts = name.rsplit('.');
        let short = parts.next().unwrap_or_default();
        format!("{}.{short}", parts.next().unwrap_or("v1"))
    }

    /// The fields, sorted by name.
    pub fn fields(self) -> &'static [Field] {
        let start = match self.0 {
            0 => 0,
            at => TABLE.types[usize::from(at) - 1].end,
        };
        &TABLE.fields[usize::from(start)..usize::from(self.row().end)]
    }

    pub fn field(self, name: &str) -> Option<&'static Field> {
        let fields = self.fields();
        let at = fields.binary_search_by(|field| field.name.cmp(name)).ok()?;
        Some(&fields[at])
    }

    /// Whether server-side apply replaces this struct as a whole wherever it stands.
    pub fn is_atomic(self) -> bool {
        self.row().is_atomic
    }

    fn row(self) -> &'static TypeRow {
        &TABLE.types[usize::from(self.0)]
    }
}

impl std::fmt::Debug for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Shape {
    /// What the items of a list or the values of a map are; [`Shape::Any`] for anything else.
    pub fn inner(self) -> Shape {
        match self {
            Shape::List(inner) | Shape::Map(inner) => TABLE.inner[usize::from(inner.0)],
            _ => Shape::Any,
        }
    }

    pub fn object(self) -> Option<Type> {
        match self {
            Shape::Object(of) => Some(of),
            _ => None,
        }
    }

    /// The struct behind lists and maps of it.
    pub fn innermost_object(self) -> Option<Type> {
        match self {
            Shape::Object(of) => Some(of),
            Shape::List(_) | Shape::Map(_) => self.inner().innermost_object(),
            _ => None,
        }
    }

    /// As Go's messages name the type: `int32`, `[]v1.Container`, `map[string]string`.
    pub fn go_name(self) -> String {
        match self {
            Shape::Str => "string".to_owned(),
            Shape::Int32 => "int32".to_owned(),
            Shape::Int64 => "int64".to_owned(),
            Shape::Bool => "bool".to_owned(),
            Shape::Float => "float64".to_owned(),
            Shape::Bytes => "[]uint8".to_owned(),
            Shape::Time => "v1.Time".to_owned(),
            Shape::MicroTime => "v1.MicroTime".to_owned(),
            Shape::Quantity => "resource.Quantity".to_owned(),
            Shape::IntOrString => "intstr.IntOrString".to_owned(),
            Shape::Any => "interface {}".to_owned(),
            Shape::Object(of) => of.go_name(),
            Shape::List(_) => format!("[]{}", self.inner().go_name()),
            // Every map of quantities in the API is one of resources.
            Shape::Map(_) if self.inner() == Shape::Quantity => "v1.ResourceList".to_owned(),
            Shape::Map(_) => format!("map[string]{}", self.inner().go_name()),
        }
    }

    /// As `kubectl explain` names the type: `integer`, `[]Container`, `map[string]string`.
    pub fn explained(self) -> String {
        match self {
            Shape::Str | Shape::Bytes | Shape::Time | Shape::MicroTime => "string".to_owned(),
            Shape::Int32 | Shape::Int64 => "integer".to_owned(),
            Shape::Bool => "boolean".to_owned(),
            Shape::Float => "number".to_owned(),
            Shape::Quantity => "Quantity".to_owned(),
            Shape::IntOrString => "IntOrString".to_owned(),
            Shape::Any => "Object".to_owned(),
            Shape::Object(of) => of.short_name().to_owned(),
            Shape::List(_) => format!("[]{}", self.inner().explained()),
            Shape::Map(_) => format!("map[string]{}", self.inner().explained()),
        }
    }
}

impl Table {
    fn read(text: &'static str) -> Table {
        let is_type = |line: &&str| !line.starts_with(' ');
        let mut names: Vec<&'static str> = text.lines().filter(is_type).collect();
        for name in &mut names {
            *name = name.split(' ').next().unwrap_or_default();
        }
        let mut table = Table {
            types: Vec::with_capacity(names.len()),
            fields: Vec::new(),
            inner: Vec::new(),
        };
        for line in text.lines() {
            if let Some(row) = line.strip_prefix(' ') {
                let field = table.read_field(row, &names);
                table.fields.push(field);
                let end = table.fields.len() as u16;
                table.types.last_mut().expect("a field has a type").end = end;
            } else {
                let (name, flag) = line.split_once(' ').unwrap_or((line, ""));
                table.types.push(TypeRow {
                    name,
                    end: table.fields.len() as u16,
                    is_atomic: flag == "atomic",
                });
            }
        }
        table
    }

    fn read_field(&mut self, row: &'static str, names: &[&'static str]) -> Field {
        let mut words = row.split(' ');
        let name = words.next().unwrap_or_default();
        let shape = words.next().unwrap_or_default();
        let mut field = Field {
            name: name.trim_end_matches('!'),
            shape: self.read_shape(shape, names),
            is_required: name.ends_with('!'),
            zero: Zero::Kept,
            list: ListKind::Atomic,
            keys: &[],
            patch: PatchStrategy::default(),
            is_atomic: false,
            key_default: "",
        };
        for word in words {
            match word.split_once('=').unwrap_or((word, "")) {
                ("-", _) => field.zero = Zero::Omitted,
                ("+", _) => field.zero = Zero::Always,
                ("atomic", _) => field.is_atomic = true,
                ("set", _) => field.list = ListKind::Set,
                ("map", keys) => {
                    field.list = ListKind::Map;
                    field.keys = keys.split(',').collect::<Vec<_>>().leak();
                }
                ("merge", key) => {
                    field.patch.is_merge = true;
                    field.patch.merge_key = key;
                }
                ("retainKeys", _) => field.patch.retains_keys = true,
                ("replace", _) => field.patch.is_replace = true,
                ("default", default) => field.key_default = default,
                (other, _) => unreachable!("the table has no flag {other}"),
            }
        }
        field
    }

    fn read_shape(&mut self, sign: &'static str, names: &[&'static str]) -> Shape {
        let is_list = sign.starts_with("[]");
        if is_list || sign.starts_with("{}") {
            let inner = self.read_shape(&sign[2..], names);
            let at = self.inner.iter().position(|known| *known == inner);
            let at = at.unwrap_or_else(|| {
                self.inner.push(inner);
                self.inner.len() - 1
            });
            let inner = Inner(at as u16);
            return if is_list {
                Shape::List(inner)
            } else {
                Shape::Map(inner)
            };
        }
        match sign {
            "s" => Shape::Str,
            "i" => Shape::Int32,
            "l" => Shape::Int64,
            "b" => Shape::Bool,
            "f" => Shape::Float,
            "x" => Shape::Bytes,
            "t" => Shape::Time,
            "u" => Shape::MicroTime,
            "q" => Shape::Quantity,
            "o" => Shape::IntOrString,
            "*" => Shape::Any,
            name => {
                let at = names.binary_search(&name).expect("every type has a row");
                Shape::Object(Type(at as u16))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds;

    #[test]
    fn every_served_kind_has_a_type() {
        for kind in kinds::all() {
            let of = of_kind(&kind.group, &kind.version, &kind.kind);
            let of = of.unwrap_or_else(|| panic!("{} has no type", kind.group_kind()));
            if kind.kind != "ComponentStatus" {
                assert!(of.field("metadata").is_some(), "{of:?}");
            }
        }
    }

    #[test]
    fn paths_lead_through_lists_and_maps() {
        let pod = of_kind("", "v1", "Pod").expect("a type");
        let go = |path: &str| {
            let path: Vec<&str> = path.split('.').collect();
            at(pod, &path).map_or("none".to_owned(), Shape::go_name)
        };
        assert_eq!(go("spec.containers"), "[]v1.Container");
        assert_eq!(go("spec.containers.ports.containerPort"), "int32");
        assert_eq!(go("spec.containers.resources.limits"), "v1.ResourceList");
        assert_eq!(go("metadata.labels.app"), "string");
        assert_eq!(go("spec.replicas"), "none");
        assert_eq!(go("spec.nodeName.x"), "none");
    }

    #[test]
    fn fields_know_their_keys() {
        let field =
            |owner: &str, name: &str| *named(owner).expect("a type").field(name).expect("a field");
        let ports = field("v1.Container", "ports");
        assert_eq!(
            (ports.list, ports.keys),
            (ListKind::Map, &["containerPort", "protocol"][..])
        );
        assert_eq!(ports.patch.merge_key, "containerPort");
        assert_eq!(field("v1.ContainerPort", "protocol").key_default, "TCP");
        assert!(
            field("apps.v1.DeploymentSpec", "strategy")
                .patch
                .retains_keys
        );
        assert_eq!(field("ObjectMeta", "finalizers").list, ListKind::Set);
        assert!(named("LabelSelector").expect("a type").is_atomic());
    }
}
