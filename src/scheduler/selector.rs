//! Selectors compiled for many matches: over labels (`metav1.LabelSelector`) and over nodes (`v1.NodeSelector`).

use api::{Map, Str, Value};

/// Labels sorted by key.
pub type Labels = Vec<(Str, Str)>;

pub fn read_labels(map: &Map) -> Labels {
    map.iter()
        .map(|(key, value)| {
            (
                key.clone(),
                value.as_shared_str().cloned().unwrap_or_default(),
            )
        })
        .collect()
}

pub fn label<'a>(labels: &'a Labels, key: &str) -> Option<&'a Str> {
    labels
        .binary_search_by(|(known, _)| known.as_str().cmp(key))
        .ok()
        .map(|at| &labels[at].1)
}

/// All requirements must hold; none at all matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    pub requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    pub key: Str,
    pub operator: Operator,
    pub values: Vec<Str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
    /// An operator that is none: matches nothing.
    Never,
}

impl Selector {
    /// Reads a `LabelSelector`; `None` (matches nothing) where there is none.
    pub fn read(value: &Value) -> Option<Selector> {
        if value.is_null() {
            return None;
        }
        let mut requirements = equalities(value.get("matchLabels").entries());
        requirements.extend(
            value
                .get("matchExpressions")
                .items()
                .iter()
                .map(Requirement::read),
        );
        Some(Selector { requirements })
    }

    /// Reads a plain map of labels that must all be equal (`Service.spec.selector`).
    pub fn of_map(map: &Map) -> Selector {
        Selector {
            requirements: equalities(map),
        }
    }

    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements
            .iter()
            .all(|r| r.matches(label(labels, &r.key)))
    }
}

impl Requirement {
    pub fn equals(key: impl Into<Str>, value: impl Into<Str>) -> Requirement {
        Requirement {
            key: key.into(),
            operator: Operator::In,
            values: vec![value.into()],
        }
    }

    fn read(value: &Value) -> Requirement {
        Requirement {
            key: value.shared_str("key"),
            operator: match value.str("operator") {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                "Gt" => Operator::Gt,
                "Lt" => Operator::Lt,
                _ => Operator::Never,
            },
            values: value
                .get("values")
                .items()
                .iter()
                .filter_map(|v| v.as_shared_str().cloned())
                .collect(),
        }
    }

    fn matches(&self, value: Option<&Str>) -> bool {
        let number = |text: &Str| text.parse::<i64>().ok();
        match self.operator {
            Operator::In => value.is_some_and(|v| self.values.contains(v)),
            Operator::NotIn => value.is_none_or(|v| !self.values.contains(v)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt | Operator::Lt => {
                let (Some(have), Some(bound)) =
                    (value.and_then(number), self.values.first().and_then(number))
                else {
                    return false;
                };
                if self.operator == Operator::Gt {
                    have > bound
                } else {
                    have < bound
                }
            }
            Operator::Never => false,
        }
    }
}

/// One `NodeSelectorTerm`: a term without requirements matches nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeTerm {
    pub labels: Selector,
    /// Requirements on `metadata.name`.
    pub fields: Vec<Requirement>,
}

impl NodeTerm {
    pub fn read(value: &Value) -> NodeTerm {
        let read = |key| {
            value
                .get(key)
                .items()
                .iter()
                .map(Requirement::read)
                .collect()
        };
        NodeTerm {
            labels: Selector {
                requirements: read("matchExpressions"),
            },
            fields: read("matchFields"),
        }
    }

    pub fn matches(&self, name: &Str, labels: &Labels) -> bool {
        if self.labels.requirements.is_empty() && self.fields.is_empty() {
            return false;
        }
        self.labels.matches(labels)
            && self
                .fields
                .iter()
                .all(|r| r.matches((r.key == "metadata.name").then_some(name)))
    }
}

fn equalities(map: &Map) -> Vec<Requirement> {
    map.iter()
        .map(|(key, value)| {
            Requirement::equals(
                key.clone(),
                value.as_shared_str().cloned().unwrap_or_default(),
            )
        })
        .collect()
}
