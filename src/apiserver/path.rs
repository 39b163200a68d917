//! Where in an object a problem is: `spec.containers[0].ports[name]`.
//!
//! A path is a chain on the stack that becomes text only when there is something to complain about.

use std::fmt;

use api::Value;
use api::status::Problem;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    pub(crate) const ROOT: Path<'static> = Path {
        parent: None,
        step: Step::Root,
    };

    pub(crate) fn new(field: &'a str) -> Path<'a> {
        Path {
            parent: None,
            step: Step::Field(field),
        }
    }

    pub(crate) fn child(&'a self, field: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Field(field),
        }
    }

    pub(crate) fn index(&'a self, index: usize) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    pub(crate) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Key(key),
        }
    }

    pub(crate) fn required(&self, detail: &str) -> Problem {
        Problem::required(self.to_string(), detail)
    }

    pub(crate) fn invalid(&self, value: impl Into<Value>, detail: &str) -> Problem {
        Problem::invalid(self.to_string(), &value.into(), detail)
    }

    pub(crate) fn duplicate(&self, value: impl Into<Value>) -> Problem {
        Problem::duplicate(self.to_string(), &value.into())
    }

    pub(crate) fn forbidden(&self, detail: &str) -> Problem {
        Problem::forbidden(self.to_string(), detail)
    }

    pub(crate) fn not_found(&self, value: impl Into<Value>) -> Problem {
        Problem::not_found(self.to_string(), &value.into())
    }

    pub(crate) fn not_supported(&self, value: impl Into<Value>, supported: &[&str]) -> Problem {
        Problem::not_supported(self.to_string(), &value.into(), supported)
    }

    pub(crate) fn too_long(&self, max_bytes: usize) -> Problem {
        Problem::too_long(self.to_string(), max_bytes)
    }

    fn is_root(&self) -> bool {
        matches!(self.step, Step::Root)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
            if matches!(self.step, Step::Field(_)) && !parent.is_root() {
                f.write_str(".")?;
            }
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Field(field) => f.write_str(field),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_print_as_in_messages() {
        let spec = Path::new("spec");
        let containers = spec.child("containers");
        let first = containers.index(0);
        let limits = first.child("limits");
        assert_eq!(
            limits.key("cpu").to_string(),
            "spec.containers[0].limits[cpu]"
        );
        assert_eq!(Path::ROOT.child("spec").to_string(), "spec");
    }
}
