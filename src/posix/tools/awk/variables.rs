//! awk's variables: fields of the record, scalars, arrays, and the parameters of functions that run.

use std::sync::Arc;

use super::run::{Array, Local, Machine};
use super::value::{Value, input};
use crate::regex::Regex;

impl Machine {
    pub(super) fn set_record(&mut self, text: &str) {
        self.record = text.into();
        let fs = self.var("FS").text();
        self.fields = self.split(text, &fs).iter().map(|f| input(f)).collect();
    }

    pub(super) fn split(&mut self, text: &str, fs: &Arc<str>) -> Vec<String> {
        if text.is_empty() {
            return Vec::new();
        }
        match &**fs {
            " " => text.split_whitespace().map(String::from).collect(),
            "" => text.chars().map(String::from).collect(),
            one if one.chars().count() == 1 && one != "\\" => {
                text.split(one).map(String::from).collect()
            }
            _ => {
                let Some(regex) = self.regex(fs) else {
                    return vec![text.to_string()];
                };
                let mut out = Vec::new();
                let (mut start, mut at) = (0, 0);
                while let Some((from, to)) = regex.find_at(text, at) {
                    if to == from {
                        let Some(ch) = text[to..].chars().next() else {
                            break;
                        };
                        at = to + ch.len_utf8();
                        continue;
                    }
                    out.push(text[start..from].to_string());
                    start = to;
                    at = to;
                }
                out.push(text[start..].to_string());
                out
            }
        }
    }

    pub(super) fn regex(&mut self, text: &Arc<str>) -> Option<Regex> {
        if let Some((old, regex)) = &self.last_regex
            && old == text
        {
            return Some(regex.clone());
        }
        let regex = Regex::extended(text, false).ok()?;
        self.last_regex = Some((text.clone(), regex.clone()));
        Some(regex)
    }

    pub(super) fn rebuild(&mut self) {
        let ofs = self.var("OFS").text();
        let texts: Vec<Arc<str>> = self.fields.iter().map(Value::text).collect();
        self.record = texts.join(&ofs).into();
    }

    pub(super) fn var(&self, name: &str) -> Value {
        match self.locals.last().and_then(|l| l.get(name)) {
            Some(Local::Value(value)) => return value.clone(),
            Some(_) => return Value::Unset,
            None => {}
        }
        match name {
            "NF" => Value::Number(self.fields.len() as f64),
            "NR" => Value::Number(self.nr),
            "FNR" => Value::Number(self.fnr),
            _ => self.vars.get(name).cloned().unwrap_or(Value::Unset),
        }
    }

    pub(super) fn set_var(&mut self, name: &str, value: Value) {
        if let Some(local) = self.locals.last_mut().and_then(|l| l.get_mut(name)) {
            *local = Local::Value(value);
            return;
        }
        match name {
            "NF" => {
                self.fields
                    .resize((value.number().max(0.0) as usize).min(10_000), Value::Unset);
                self.rebuild();
            }
            "NR" => self.nr = value.number(),
            "FNR" => self.fnr = value.number(),
            _ => {
                self.vars.insert(name.to_string(), value);
            }
        }
    }

    /// Where an array of that name lives: in a frame of locals, or among the globals.
    pub(super) fn place(&self, name: &str) -> (Option<usize>, String) {
        let mut name = name.to_string();
        for depth in (0..self.locals.len()).rev() {
            match self.locals[depth].get(&name) {
                Some(Local::Alias(outer)) => name = outer.clone(),
                Some(_) => return (Some(depth), name),
                None => return (None, name),
            }
        }
        (None, name)
    }

    pub(super) fn array(&mut self, name: &str) -> &mut Array {
        match self.place(name) {
            (Some(depth), name) => {
                let local = self.locals[depth]
                    .entry(name)
                    .or_insert_with(|| Local::Array(Array::new()));
                if !matches!(local, Local::Array(_)) {
                    *local = Local::Array(Array::new());
                }
                match local {
                    Local::Array(array) => array,
                    _ => unreachable!("it was just made an array"),
                }
            }
            (None, name) => self.arrays.entry(name).or_default(),
        }
    }
}
