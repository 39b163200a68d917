//! Paths to a field, as people write them: `spec.template.spec.containers[*].image`,
//! `metadata.labels['app.kubernetes.io/name']`.

/// A path into an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(pub Vec<PathStep>);

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    Key(String),
    Index(usize),
    /// Every item of a list.
    Each,
}

impl Path {
    /// Reads a path; `None` when it is none.
    pub fn parse(text: &str) -> Option<Path> {
        let mut steps = Vec::new();
        let mut rest = text.trim().trim_start_matches('.');
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let close = inner.find(']')?;
                let (step, after) = (&inner[..close], &inner[close + 1..]);
                steps.push(match step {
                    "*" => PathStep::Each,
                    quoted
                        if quoted.len() >= 2
                            && quoted.starts_with('\'')
                            && quoted.ends_with('\'') =>
                    {
                        PathStep::Key(String::from(&quoted[1..quoted.len() - 1]))
                    }
                    index => PathStep::Index(index.parse().ok()?),
                });
                rest = after.strip_prefix('.').unwrap_or(after);
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                if end == 0 {
                    return None;
                }
                steps.push(PathStep::Key(String::from(&rest[..end])));
                rest = &rest[end..];
                rest = rest.strip_prefix('.').unwrap_or(rest);
            }
        }
        (!steps.is_empty()).then_some(Path(steps))
    }
}
