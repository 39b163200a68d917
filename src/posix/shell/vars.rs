//! A shell's variables: text, arrays, attributes, and the environment that children get.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Names and values a process passes to the programs it starts.
pub type Env = BTreeMap<Arc<str>, Arc<str>>;

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(Arc<str>),
    Array(Arc<BTreeMap<i64, Arc<str>>>),
    Map(Arc<BTreeMap<Arc<str>, Arc<str>>>),
}

impl Value {
    /// What `$name` without a subscript gives.
    pub(crate) fn first(&self) -> Option<Arc<str>> {
        match self {
            Value::Text(t) => Some(t.clone()),
            Value::Array(items) => items.get(&0).cloned(),
            Value::Map(items) => items.get("0").cloned(),
        }
    }

    pub(crate) fn all(&self) -> Vec<Arc<str>> {
        match self {
            Value::Text(t) => vec![t.clone()],
            Value::Array(items) => items.values().cloned().collect(),
            Value::Map(items) => items.values().cloned().collect(),
        }
    }

    pub(crate) fn keys(&self) -> Vec<Arc<str>> {
        match self {
            Value::Text(_) => vec!["0".into()],
            Value::Array(items) => items.keys().map(|k| k.to_string().into()).collect(),
            Value::Map(items) => items.keys().cloned().collect(),
        }
    }
}

/// A variable with its attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Var {
    pub(crate) value: Option<Value>,
    pub(crate) exported: bool,
    pub(crate) readonly: bool,
    pub(crate) integer: bool,
}

/// Exported variables above which the environment is kept ready; building a small one costs next to nothing.
const KEPT_ENV: usize = 12;

/// All variables of a shell, in order of their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vars {
    list: Vec<(Arc<str>, Var)>,
    /// The environment as of the last change of an exported variable.
    env: Option<Arc<Env>>,
}

impl Vars {
    pub(crate) fn from_env(env: &Env) -> Vars {
        // Room for what every shell sets itself.
        let mut list = Vec::with_capacity(env.len() + 3);
        for (name, value) in env {
            if crate::syntax::is_name(name) {
                let var = Var {
                    value: Some(Value::Text(value.clone())),
                    exported: true,
                    ..Var::default()
                };
                list.push((name.clone(), var));
            }
        }
        Vars { list, env: None }
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.list.binary_search_by(|(n, _)| (**n).cmp(name))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Var> {
        self.find(name).ok().map(|i| &self.list[i].1)
    }

    pub(crate) fn text(&self, name: &str) -> Option<Arc<str>> {
        self.get(name)?.value.as_ref()?.first()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Var)> {
        self.list.iter().map(|(name, var)| (name, var))
    }

    /// The variable to change; made if it is missing.
    pub(crate) fn entry(&mut self, name: &str) -> &mut Var {
        let i = match self.find(name) {
            Ok(i) => {
                if self.list[i].1.exported {
                    self.env = None;
                }
                i
            }
            Err(i) => {
                self.list.insert(i, (name.into(), Var::default()));
                i
            }
        };
        &mut self.list[i].1
    }

    pub(crate) fn export(&mut self, name: &str, exported: bool) {
        self.env = None;
        self.entry(name).exported = exported;
    }

    pub(crate) fn set_text(&mut self, name: &str, text: impl Into<Arc<str>>) {
        let text = text.into();
        let var = self.entry(name);
        match &mut var.value {
            Some(Value::Array(items)) => {
                Arc::make_mut(items).insert(0, text);
            }
            Some(Value::Map(items)) => {
                Arc::make_mut(items).insert("0".into(), text);
            }
            value => *value = Some(Value::Text(text)),
        }
    }

    pub(crate) fn set_element(&mut self, name: &str, key: &str, text: Arc<str>) {
        let var = self.entry(name);
        match &mut var.value {
            Some(Value::Map(items)) => {
                Arc::make_mut(items).insert(key.into(), text);
            }
            value => {
                let index = key.parse().unwrap_or(0);
                let mut items = match value.take() {
                    Some(Value::Array(items)) => items,
                    Some(Value::Text(old)) => Arc::new(BTreeMap::from([(0, old)])),
                    _ => Arc::default(),
                };
                Arc::make_mut(&mut items).insert(index, text);
                *value = Some(Value::Array(items));
            }
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Var> {
        self.env = None;
        let i = self.find(name).ok()?;
        Some(self.list.remove(i).1)
    }

    pub(crate) fn restore(&mut self, name: &str, var: Option<Var>) {
        self.env = None;
        match var {
            Some(var) => *self.entry(name) = var,
            None => {
                self.remove(name);
            }
        }
    }

    /// What children get.
    pub(crate) fn env(&mut self) -> Arc<Env> {
        if let Some(env) = &self.env {
            return env.clone();
        }
        let env: Arc<Env> = Arc::new(
            self.list
                .iter()
                .filter(|(_, var)| var.exported)
                .filter_map(|(name, var)| Some((name.clone(), var.value.as_ref()?.first()?)))
                .collect(),
        );
        if env.len() > KEPT_ENV {
            self.env = Some(env.clone());
        }
        env
    }
}
