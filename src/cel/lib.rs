//! The Common Expression Language, as Kubernetes uses it in validation rules and admission policies.
//!
//! An evaluator of its own: the crate `cel` alone would weigh 175 KB (brotli) in the page, without Kubernetes'
//! functions. Expressions are read once ([`Program::compile`]) and evaluated over values of the API without copying
//! them ([`Program::evaluate`]). Every evaluation has a budget, so that no rule can stop the cluster. Types are
//! checked while evaluating; before that only names, functions and fields of known schemas are.
//! Models cel-go with the libraries of `k8s.io/apiserver/pkg/cel` at v1.36. It knows nothing of where rules stand.

mod ast;
mod check;
mod eval;
mod format;
mod functions;
mod lex;
mod net;
mod parse;
mod strings;
mod value;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use api::{Str, Value};

pub use value::{Key, Val};

/// What one expression may cost (`PerCallLimit`).
pub const CALL_LIMIT: u64 = 1_000_000;

/// An expression that was read.
#[derive(Clone, Debug)]
pub struct Program {
    root: ast::Expr,
}

/// The variables of an evaluation.
pub type Variables = BTreeMap<Str, Val>;

/// What an expression may be asked about: questions that only the API server can answer.
pub trait World {
    /// Whether the user of the request may do something; pairs as `("verb", "get")`.
    fn allows(&self, check: &[(Str, Str)]) -> bool;
}

/// A world without users.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl World for Nowhere {
    fn allows(&self, _check: &[(Str, Str)]) -> bool {
        false
    }
}

/// What is wrong with an expression's text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    at: usize,
    message: String,
}

pub(crate) fn fault(at: usize, message: String) -> Fault {
    Fault { at, message }
}

impl Program {
    /// Reads an expression and checks its names. `variables` are those that it may use, each with the schema of what it
    /// holds (`Null` for anything). The error is cel-go's: place, message and the line with a mark.
    pub fn compile(text: &str, variables: &[(&str, &Value)]) -> Result<Program, String> {
        let shown = |fault: Fault| shown(text, &fault);
        let root = parse::parse(text).map_err(shown)?;
        let faults = check::check(&root, variables);
        if faults.is_empty() {
            return Ok(Program { root });
        }
        Err(faults
            .iter()
            .map(|fault| self::shown(text, fault))
            .collect::<Vec<_>>()
            .join("\n"))
    }

    /// The value of the expression. `budget` is what it may cost; what it did is taken off.
    pub fn evaluate(
        &self,
        variables: &Variables,
        world: &dyn World,
        budget: &mut u64,
    ) -> Result<Val, String> {
        let limit = CALL_LIMIT.min(*budget);
        let mut run = eval::Run::new(variables, world, limit);
        let result = run.eval(&self.root);
        *budget = budget.saturating_sub(limit - run.left());
        result.map_err(|error| error.message)
    }
}

/// `ERROR: <input>:1:6: message` with the line and a mark under the place.
fn shown(text: &str, fault: &Fault) -> String {
    let before: String = text.chars().take(fault.at).collect();
    let line = before.matches('\n').count();
    let column = before.chars().rev().take_while(|c| *c != '\n').count();
    let source = text.split('\n').nth(line).unwrap_or_default();
    format!(
        "ERROR: <input>:{}:{}: {}\n | {source}\n | {}^",
        line + 1,
        column + 1,
        fault.message,
        ".".repeat(column)
    )
}
