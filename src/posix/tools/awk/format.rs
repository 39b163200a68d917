//! `printf` and `sprintf`.

use super::super::context::Context;
use super::super::printf::{conversion, format_float, format_integer, format_string};
use super::run::{Machine, Ran};
use super::syntax::{Expr, Program};
use super::value::Value;

impl Machine {
    pub(super) fn sprintf(
        &mut self,
        args: &[Expr],
        program: &Program,
        c: &mut Context<'_, '_>,
    ) -> Ran<String> {
        let mut values = Vec::new();
        for e in args {
            values.push(self.eval(e, program, c)?);
        }
        let mut values = values.into_iter();
        let format = values.next().map(|v| v.text()).unwrap_or_default();
        let mut out = String::new();
        let mut rest = &*format;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let (spec, length) =
                conversion(rest, || values.next().map_or(0, |v| v.number() as i64));
            let text = &rest[..length];
            rest = &rest[length..];
            match spec.letter {
                '%' => out.push('%'),
                's' => out.push_str(&format_string(
                    &values.next().map(|v| v.text()).unwrap_or_default(),
                    &spec,
                )),
                'c' => {
                    let text = match values.next() {
                        Some(Value::Number(n)) => char::from_u32(n as u32)
                            .map(String::from)
                            .unwrap_or_default(),
                        Some(value) => value.text().chars().take(1).collect(),
                        None => String::new(),
                    };
                    out.push_str(&format_string(&text, &spec));
                }
                'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
                    let n = values.next().map_or(0.0, |v| v.number());
                    out.push_str(&format_integer(n as i64, &spec));
                }
                'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
                    let n = values.next().map_or(0.0, |v| v.number());
                    out.push_str(&format_float(n, &spec));
                }
                _ => out.push_str(text),
            }
        }
        out.push_str(rest);
        Ok(out)
    }
}
