//! Whether a goal holds in a cluster, and how near it is.
//!
//! The cluster is seen through two small traits, so that the page, the tests and the lessons' checks
//! evaluate the same way over whatever tree they keep their objects in.

use super::{FieldTest, Goal, Objects, Path, PathStep, Requirement, Scalar, Test};

/// A JSON-like tree; cheap to clone (a reference or a shared pointer).
pub trait Tree: Clone {
    /// The value under a key of a mapping.
    fn key(&self, key: &str) -> Option<Self>;
    /// The items of a list; empty for anything else.
    fn items(&self) -> Vec<Self>;
    /// The value itself if it is a string, an integer or a boolean.
    fn scalar(&self) -> Option<Scalar>;
}

/// What a goal looks at.
pub trait World {
    type Object: Tree;
    /// The objects of a kind (`Pod`, `Deployment`) in a namespace, or in all of them. Cluster-scoped kinds
    /// ignore the namespace.
    fn objects(&self, kind: &str, namespace: Option<&str>) -> Vec<Self::Object>;
    /// The command lines that the reader ran since the task began.
    fn ran(&self) -> Vec<String>;
}

/// How near a goal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub met: bool,
    /// `2 / 3`: parts done, of parts. Always `done < of` while not met.
    pub done: u32,
    pub of: u32,
}

impl Progress {
    fn of(met: bool) -> Progress {
        Progress {
            met,
            done: u32::from(met),
            of: 1,
        }
    }
}

impl Goal {
    /// How near this goal is to being true in `world`.
    pub fn progress(&self, world: &impl World) -> Progress {
        match self {
            Goal::Objects(objects) => objects.progress(world),
            Goal::All(goals) => {
                let parts: Vec<Progress> = goals.iter().map(|goal| goal.progress(world)).collect();
                let met = parts.iter().all(|part| part.met);
                match parts.as_slice() {
                    [only] => *only,
                    _ => Progress {
                        met,
                        done: parts.iter().filter(|part| part.met).count() as u32,
                        of: parts.len() as u32,
                    },
                }
            }
            Goal::Any(goals) => Progress::of(goals.iter().any(|goal| goal.progress(world).met)),
            Goal::Not(goal) => Progress::of(!goal.progress(world).met),
            Goal::Ran(words) => Progress::of(world.ran().iter().any(|line| in_order(words, line))),
        }
    }
}

impl Objects {
    fn progress(&self, world: &impl World) -> Progress {
        let found = world.objects(&self.kind, self.namespace.as_deref());
        let count = found.iter().filter(|object| self.matches(*object)).count() as u32;
        let met = self.amount.holds(count);
        // Only a number to grow to has a meaningful bar; "none left" or "too many" is yes or no.
        if self.amount.least > 1 && count <= self.amount.least {
            Progress {
                met,
                done: count,
                of: self.amount.least,
            }
        } else {
            Progress::of(met)
        }
    }

    fn matches<T: Tree>(&self, object: &T) -> bool {
        let text = |keys: [&str; 2]| match object.key(keys[0])?.key(keys[1])?.scalar()? {
            Scalar::Text(text) => Some(text),
            _ => None,
        };
        let name = self
            .name
            .as_ref()
            .is_none_or(|name| text(["metadata", "name"]).as_ref() == Some(name));
        name && self
            .selector
            .iter()
            .all(|requirement| requirement.accepts(object))
            && self.fields.iter().all(|field| field.holds(object))
            && (!self.ready || ready(&self.kind, object))
    }
}

impl Requirement {
    fn accepts<T: Tree>(&self, object: &T) -> bool {
        let label = object
            .key("metadata")
            .and_then(|metadata| metadata.key("labels"))
            .and_then(|labels| labels.key(&self.key))
            .and_then(|label| label.scalar());
        let found = match (&self.values, label) {
            (None, label) => label.is_some(),
            (Some(values), Some(Scalar::Text(label))) => values.contains(&label),
            (Some(_), _) => false,
        };
        found == self.among
    }
}

impl FieldTest {
    fn holds<T: Tree>(&self, object: &T) -> bool {
        let values = at(object, &self.path);
        let any = |test: &dyn Fn(&Scalar) -> bool| values.iter().any(test);
        match &self.test {
            Test::Equals(expected) => any(&|value| same(value, expected)),
            Test::Differs(expected) => !any(&|value| same(value, expected)),
            Test::OneOf(expected) => any(&|value| expected.iter().any(|one| same(value, one))),
            Test::Contains(part) => any(&|value| written(value).contains(part.as_str())),
            Test::Exists(exists) => trees(object, &self.path).is_empty() != *exists,
            Test::AtLeast(least) => any(&|value| number(value).is_some_and(|n| n >= *least)),
            Test::AtMost(most) => any(&|value| number(value).is_some_and(|n| n <= *most)),
            Test::Same(path) => {
                let others = at(object, path);
                any(&|value| others.iter().any(|other| same(value, other)))
            }
        }
    }
}

fn trees<T: Tree>(object: &T, path: &Path) -> Vec<T> {
    let mut here = vec![object.clone()];
    for step in &path.0 {
        here = match step {
            PathStep::Key(key) => here.iter().filter_map(|tree| tree.key(key)).collect(),
            PathStep::Index(index) => here
                .iter()
                .filter_map(|tree| tree.items().get(*index).cloned())
                .collect(),
            PathStep::Each => here.iter().flat_map(Tree::items).collect(),
        };
    }
    here
}

fn at<T: Tree>(object: &T, path: &Path) -> Vec<Scalar> {
    trees(object, path)
        .iter()
        .filter_map(Tree::scalar)
        .collect()
}

fn ready<T: Tree>(kind: &str, object: &T) -> bool {
    let condition = if matches!(kind, "Pod" | "Node") {
        "Ready"
    } else {
        "Available"
    };
    let leaving = object
        .key("metadata")
        .is_some_and(|metadata| metadata.key("deletionTimestamp").is_some());
    let conditions = object
        .key("status")
        .and_then(|status| status.key("conditions"));
    let is = |tree: &T, key: &str, text: &str| {
        tree.key(key)
            .and_then(|value| value.scalar())
            .is_some_and(|v| written(&v) == text)
    };
    !leaving
        && conditions.is_some_and(|list| {
            list.items()
                .iter()
                .any(|one| is(one, "type", condition) && is(one, "status", "True"))
        })
}

/// `80` and `"80"` are one value to an author of lessons.
fn same(a: &Scalar, b: &Scalar) -> bool {
    a == b || written(a) == written(b)
}

fn written(value: &Scalar) -> String {
    match value {
        Scalar::Text(text) => text.clone(),
        Scalar::Number(number) => number.to_string(),
        Scalar::Bool(bool) => bool.to_string(),
    }
}

fn number(value: &Scalar) -> Option<i64> {
    match value {
        Scalar::Number(number) => Some(*number),
        Scalar::Text(text) => text.parse().ok(),
        Scalar::Bool(_) => None,
    }
}

fn in_order(words: &[String], line: &str) -> bool {
    let mut rest = line.split_whitespace();
    words
        .iter()
        .all(|word| rest.any(|candidate| candidate == word))
}
