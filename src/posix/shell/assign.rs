//! Assignments: plain, appended, to elements, of whole arrays.

use super::Shell;
use super::arith::{self, Names};
use super::expand::{Expanded, Expander};
use super::vars::{Value, Var};
use crate::syntax::{Assign, AssignValue};
use crate::system::{Kernel, Process};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An assignment whose words are expanded.
#[derive(Clone, Debug)]
pub(crate) struct ReadyAssign {
    pub(crate) name: Arc<str>,
    pub(crate) index: Option<String>,
    pub(crate) append: bool,
    pub(crate) value: ReadyValue,
}

#[derive(Clone, Debug)]
pub(crate) enum ReadyValue {
    Nothing,
    Text(Arc<str>),
    Array(Vec<(Option<String>, Arc<str>)>),
}

/// Expands the words of assignments.
pub(crate) fn ready(e: &mut Expander<'_>, assigns: &[Assign]) -> Expanded<Vec<ReadyAssign>> {
    let mut out = Vec::with_capacity(assigns.len());
    for assign in assigns {
        let index = match &assign.index {
            Some(word) => Some(e.text(word)?),
            None => None,
        };
        let value = match &assign.value {
            AssignValue::Word(word) => ReadyValue::Text(e.text(word)?.into()),
            AssignValue::Array(items) => {
                let mut list = Vec::new();
                for (index, word) in items.iter() {
                    match index {
                        Some(index) => {
                            let index = e.text(index)?;
                            list.push((Some(index), e.text(word)?.into()));
                        }
                        None => {
                            let words = e.words(std::slice::from_ref(word))?;
                            list.extend(words.into_iter().map(|w| (None, w)));
                        }
                    }
                }
                ReadyValue::Array(list)
            }
        };
        // Later assignments of the same command see this one: `a=1 b=$a`.
        if let (ReadyValue::Text(text), None, false) = (&value, &index, assign.append) {
            e.seen.push((assign.name.to_string(), text.clone()));
        }
        out.push(ReadyAssign {
            name: (*assign.name).into(),
            index,
            append: assign.append,
            value,
        });
    }
    Ok(out)
}

impl Shell {
    /// Sets a variable as an assignment does (attributes kept, `set -a` honoured).
    pub(crate) fn set_variable(&mut self, name: &str, value: Arc<str>) {
        let integer = self.vars.get(name).is_some_and(|v| v.integer);
        let value = if integer {
            let number = arith::evaluate(&value, &mut Direct(self)).unwrap_or(0);
            number.to_string().into()
        } else {
            value
        };
        if name == "OPTIND" {
            self.getopts_at = 0;
        }
        let allexport = self.options.allexport;
        self.vars_mut().set_text(name, value);
        if allexport {
            self.vars_mut().export(name, true);
        }
    }

    /// The same, refusing readonly variables with a message.
    pub(crate) fn assign_checked(
        &mut self,
        name: &str,
        value: Arc<str>,
        p: &mut Process,
        k: &mut Kernel<'_>,
    ) -> bool {
        if self.vars.get(name).is_some_and(|v| v.readonly) {
            self.readonly_error(name, p, k);
            return false;
        }
        self.set_variable(name, value);
        true
    }

    fn readonly_error(&mut self, name: &str, p: &mut Process, k: &mut Kernel<'_>) {
        let message = match self.dialect {
            crate::syntax::Dialect::Bash => format!("{name}: readonly variable"),
            _ => format!("{name}: is read only"),
        };
        self.complain(p, k, &message);
    }

    pub(crate) fn set_array(&mut self, name: &str, items: Vec<Arc<str>>) {
        let items: BTreeMap<i64, Arc<str>> = items
            .into_iter()
            .enumerate()
            .map(|(i, v)| (i as i64, v))
            .collect();
        self.vars_mut().entry(name).value = Some(Value::Array(Arc::new(items)));
    }

    /// Makes an assignment. `false`: it was refused, with a message.
    pub(crate) fn assign(&mut self, a: ReadyAssign, p: &mut Process, k: &mut Kernel<'_>) -> bool {
        if self.vars.get(&a.name).is_some_and(|v| v.readonly) {
            self.readonly_error(&a.name, p, k);
            return false;
        }
        let is_map = self.is_map(&a.name);
        match a.value {
            ReadyValue::Nothing => {}
            ReadyValue::Text(text) => {
                let key = match &a.index {
                    None => None,
                    Some(index) if is_map => Some(index.clone()),
                    Some(index) => match arith::evaluate(index, &mut Direct(self)) {
                        Ok(n) => Some(self.real_index(&a.name, n).to_string()),
                        Err(message) => {
                            self.complain(p, k, &message);
                            return false;
                        }
                    },
                };
                let text = if a.append {
                    self.appended(&a.name, key.as_deref(), &text)
                } else {
                    text
                };
                match key {
                    Some(key) => self.vars_mut().set_element(&a.name, &key, text),
                    None => self.set_variable(&a.name, text),
                }
            }
            ReadyValue::Array(items) => self.assign_array(&a.name, a.append, is_map, items),
        }
        true
    }

    /// A negative index counts from the end.
    fn real_index(&self, name: &str, n: i64) -> i64 {
        if n >= 0 {
            return n;
        }
        match self.vars.get(name).and_then(|v| v.value.as_ref()) {
            Some(Value::Array(items)) => n + items.last_key_value().map_or(0, |(k, _)| k + 1),
            _ => 0,
        }
    }

    fn appended(&mut self, name: &str, key: Option<&str>, text: &str) -> Arc<str> {
        let var = self.vars.get(name);
        let old: Arc<str> = match (var.and_then(|v| v.value.as_ref()), key) {
            (Some(Value::Array(items)), Some(key)) => key
                .parse()
                .ok()
                .and_then(|i: i64| items.get(&i).cloned())
                .unwrap_or_default(),
            (Some(Value::Map(items)), Some(key)) => items.get(key).cloned().unwrap_or_default(),
            (Some(value), _) => value.first().unwrap_or_default(),
            (None, _) => Arc::default(),
        };
        if var.is_some_and(|v| v.integer) {
            let sum = format!("({old})+({text})");
            return match arith::evaluate(&sum, &mut Direct(self)) {
                Ok(n) => n.to_string().into(),
                Err(_) => old,
            };
        }
        format!("{old}{text}").into()
    }

    fn assign_array(
        &mut self,
        name: &str,
        append: bool,
        is_map: bool,
        items: Vec<(Option<String>, Arc<str>)>,
    ) {
        if is_map {
            let mut map = match self.vars.get(name).and_then(|v| v.value.clone()) {
                Some(Value::Map(old)) if append => (*old).clone(),
                _ => BTreeMap::new(),
            };
            for (key, value) in items {
                map.insert(key.unwrap_or_default().into(), value);
            }
            self.vars_mut().entry(name).value = Some(Value::Map(Arc::new(map)));
            return;
        }
        let mut list: BTreeMap<i64, Arc<str>> =
            match self.vars.get(name).and_then(|v| v.value.clone()) {
                Some(Value::Array(old)) if append => (*old).clone(),
                Some(Value::Text(old)) if append => BTreeMap::from([(0, old)]),
                _ => BTreeMap::new(),
            };
        let mut next = list.last_key_value().map_or(0, |(i, _)| i + 1);
        for (key, value) in items {
            if let Some(key) = key {
                next = arith::evaluate(&key, &mut Direct(self)).unwrap_or(0).max(0);
            }
            list.insert(next, value);
            next = next.saturating_add(1);
        }
        self.vars_mut().entry(name).value = Some(Value::Array(Arc::new(list)));
    }

    /// Remembers a variable to be put back.
    pub(crate) fn saved(&self, name: &str) -> (Arc<str>, Option<Var>) {
        (name.into(), self.vars.get(name).cloned())
    }

    /// Evaluates arithmetic with its side effects (`let`, subscripts).
    pub(crate) fn calculate(&mut self, text: &str) -> Result<i64, String> {
        arith::evaluate(text, &mut Direct(self))
    }
}

/// Arithmetic that reads and writes the shell's variables at once.
struct Direct<'a>(&'a mut Shell);

impl Names for Direct<'_> {
    fn value(&mut self, name: &str, index: Option<i64>) -> Option<String> {
        let value = self.0.vars.get(name)?.value.as_ref()?;
        match (value, index) {
            (Value::Array(items), Some(i)) => items.get(&i).map(|t| t.to_string()),
            (Value::Map(items), Some(i)) => {
                items.get(i.to_string().as_str()).map(|t| t.to_string())
            }
            (value, _) => value.first().map(|t| t.to_string()),
        }
    }

    fn assign(&mut self, name: &str, index: Option<i64>, value: i64) {
        let text: Arc<str> = value.to_string().into();
        match index {
            Some(i) => self.0.vars_mut().set_element(name, &i.to_string(), text),
            None => self.0.vars_mut().set_text(name, text),
        }
    }
}
