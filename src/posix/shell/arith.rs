//! Shell arithmetic: `$(( … ))`, `(( … ))`, subscripts, `let`.

/// Where arithmetic reads and writes variables.
pub(crate) trait Names {
    fn value(&mut self, name: &str, index: Option<i64>) -> Option<String>;
    fn assign(&mut self, name: &str, index: Option<i64>, value: i64);
}

/// Parentheses and variables that refer to variables, at most so deep.
const DEPTH_LIMIT: u32 = 64;

/// Evaluates an expression; an empty one is zero.
pub(crate) fn evaluate(text: &str, names: &mut dyn Names) -> Result<i64, String> {
    nested(text, names, 0)
}

fn nested(text: &str, names: &mut dyn Names, depth: u32) -> Result<i64, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(0);
    }
    // Most expressions are a number.
    if let Ok(n) = trimmed.parse::<i64>()
        && (trimmed == "0" || !trimmed.starts_with('0'))
        && !trimmed.starts_with(['+', '-'])
    {
        return Ok(n);
    }
    let mut e = Eval {
        text,
        rest: text,
        names,
        depth,
        operand: "",
        skip: 0,
    };
    let value = e.comma()?;
    e.blank();
    if e.rest.is_empty() {
        Ok(value)
    } else {
        Err(e.error("syntax error: invalid arithmetic operator"))
    }
}

struct Eval<'a> {
    text: &'a str,
    rest: &'a str,
    names: &'a mut dyn Names,
    depth: u32,
    /// The right operand being read, for the message of a division by zero.
    operand: &'a str,
    /// Above zero inside the branch of `&&`, `||` or `?:` that is not taken.
    skip: u32,
}

/// Binary operators by rising precedence.
const LEVELS: [&[&str]; 8] = [
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

const ASSIGNMENTS: [&str; 11] = [
    "<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "=",
];

impl<'a> Eval<'a> {
    fn blank(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn error(&self, what: &str) -> String {
        format!(
            "{}: {what} (error token is \"{}\")",
            self.text.trim(),
            self.rest
        )
    }

    fn take(&mut self, op: &str) -> bool {
        self.blank();
        let found = self.rest.starts_with(op);
        if found {
            self.rest = &self.rest[op.len()..];
        }
        found
    }

    fn comma(&mut self) -> Result<i64, String> {
        let mut value = self.assignment()?;
        while self.take(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn assignment(&mut self) -> Result<i64, String> {
        self.deeper()?;
        let save = self.rest;
        if let Some((name, index)) = self.variable()? {
            self.blank();
            let op = ASSIGNMENTS
                .iter()
                .find(|op| self.rest.starts_with(**op) && !self.rest.starts_with("=="));
            if let Some(op) = op {
                self.rest = &self.rest[op.len()..];
                let right = self.assignment()?;
                let value = if *op == "=" {
                    right
                } else {
                    let left = self.read(&name, index)?;
                    self.binary(&op[..op.len() - 1], left, right)?
                };
                if self.skip == 0 {
                    self.names.assign(&name, index, value);
                }
                self.depth -= 1;
                return Ok(value);
            }
        }
        self.rest = save;
        let value = self.ternary()?;
        self.depth -= 1;
        Ok(value)
    }

    fn ternary(&mut self) -> Result<i64, String> {
        let cond = self.or()?;
        if !self.take("?") {
            return Ok(cond);
        }
        let yes = self.skipping(cond == 0, |e| e.comma())?;
        if !self.take(":") {
            return Err(self.error("`:' expected for conditional expression"));
        }
        let no = self.skipping(cond != 0, |e| e.assignment())?;
        Ok(if cond != 0 { yes } else { no })
    }

    fn or(&mut self) -> Result<i64, String> {
        let mut left = self.and()?;
        while self.take("||") {
            let right = self.skipping(left != 0, |e| e.and())?;
            left = (left != 0 || right != 0) as i64;
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<i64, String> {
        let mut left = self.level(0)?;
        while self.take("&&") {
            let right = self.skipping(left == 0, |e| e.level(0))?;
            left = (left != 0 && right != 0) as i64;
        }
        Ok(left)
    }

    fn skipping(
        &mut self,
        skip: bool,
        run: impl FnOnce(&mut Self) -> Result<i64, String>,
    ) -> Result<i64, String> {
        self.skip += skip as u32;
        let value = run(self);
        self.skip -= skip as u32;
        value
    }

    fn level(&mut self, n: usize) -> Result<i64, String> {
        if n == LEVELS.len() {
            return self.power();
        }
        let mut left = self.level(n + 1)?;
        loop {
            self.blank();
            let rest = self.rest;
            let op = LEVELS[n].iter().find(|op| {
                rest.starts_with(**op) && {
                    let after = &rest[op.len()..];
                    let doubled = after.starts_with(**op) && !matches!(**op, "+" | "-");
                    let assigns =
                        after.starts_with('=') && !matches!(**op, "==" | "!=" | "<=" | ">=");
                    !doubled && !assigns
                }
            });
            let Some(op) = op else {
                return Ok(left);
            };
            self.rest = &rest[op.len()..];
            self.blank();
            self.operand = self.rest;
            let right = self.level(n + 1)?;
            left = self.binary(op, left, right)?;
        }
    }

    fn power(&mut self) -> Result<i64, String> {
        let base = self.unary()?;
        if self.take("**") {
            self.deeper()?;
            let exponent = self.power()?;
            self.depth -= 1;
            if exponent < 0 && self.skip == 0 {
                return Err(self.error("exponent less than 0"));
            }
            let exponent = exponent.clamp(0, 4096) as u32;
            return Ok((0..exponent).fold(1i64, |acc, _| acc.wrapping_mul(base)));
        }
        Ok(base)
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.blank();
        for (op, by) in [("++", 1), ("--", -1)] {
            if self.rest.starts_with(op) {
                let save = self.rest;
                self.rest = &self.rest[2..];
                self.blank();
                if let Some((name, index)) = self.variable()? {
                    let value = self.read(&name, index)?.wrapping_add(by);
                    if self.skip == 0 {
                        self.names.assign(&name, index, value);
                    }
                    return Ok(value);
                }
                self.rest = save;
            }
        }
        let op = self.rest.chars().next();
        if let Some(op @ ('!' | '~' | '-' | '+')) = op {
            self.rest = &self.rest[1..];
            self.deeper()?;
            let value = self.unary()?;
            self.depth -= 1;
            return Ok(match op {
                '!' => (value == 0) as i64,
                '~' => !value,
                '-' => value.wrapping_neg(),
                _ => value,
            });
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<i64, String> {
        self.blank();
        if self.take("(") {
            self.deeper()?;
            let value = self.comma()?;
            self.depth -= 1;
            if !self.take(")") {
                return Err(self.error("missing `)'"));
            }
            return Ok(value);
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return self.number();
        }
        if let Some((name, index)) = self.variable()? {
            for (op, by) in [("++", 1i64), ("--", -1)] {
                if self.take(op) {
                    let value = self.read(&name, index)?;
                    if self.skip == 0 {
                        self.names.assign(&name, index, value.wrapping_add(by));
                    }
                    return Ok(value);
                }
            }
            return self.read(&name, index);
        }
        Err(self.error("syntax error: operand expected"))
    }

    fn number(&mut self) -> Result<i64, String> {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "#_@".contains(c)))
            .unwrap_or(self.rest.len());
        let digits = &self.rest[..end];
        let (base, text) = if let Some((base, text)) = digits.split_once('#') {
            (base.parse().unwrap_or(0), text)
        } else if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
            (16, hex)
        } else if digits.len() > 1 && digits.starts_with('0') {
            (8, &digits[1..])
        } else {
            (10, digits)
        };
        if !(2..=36).contains(&base) {
            return Err(self.error("invalid arithmetic base"));
        }
        let mut value = 0i64;
        for c in text.chars() {
            let Some(digit) = c.to_digit(base) else {
                let what = if c.is_ascii_digit() {
                    "value too great for base"
                } else {
                    "syntax error: invalid number"
                };
                return Err(self.error(what));
            };
            value = value.wrapping_mul(base as i64).wrapping_add(digit as i64);
        }
        self.rest = &self.rest[end..];
        Ok(value)
    }

    fn variable(&mut self) -> Result<Option<(String, Option<i64>)>, String> {
        self.blank();
        if !self
            .rest
            .starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        {
            return Ok(None);
        }
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let name = self.rest[..end].to_string();
        self.rest = &self.rest[end..];
        let mut index = None;
        if self.rest.starts_with('[') {
            self.rest = &self.rest[1..];
            self.deeper()?;
            index = Some(self.comma()?);
            self.depth -= 1;
            if !self.take("]") {
                return Err(self.error("bad array subscript"));
            }
        }
        Ok(Some((name, index)))
    }

    fn read(&mut self, name: &str, index: Option<i64>) -> Result<i64, String> {
        if self.skip > 0 {
            return Ok(0);
        }
        let Some(text) = self.names.value(name, index) else {
            return Ok(0);
        };
        if self.depth >= DEPTH_LIMIT {
            return Err(format!("{name}: expression recursion level exceeded"));
        }
        nested(&text, self.names, self.depth + 8)
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(self.error("expression recursion level exceeded"));
        }
        Ok(())
    }

    fn binary(&self, op: &str, a: i64, b: i64) -> Result<i64, String> {
        Ok(match op {
            "|" => a | b,
            "^" => a ^ b,
            "&" => a & b,
            "==" => (a == b) as i64,
            "!=" => (a != b) as i64,
            "<=" => (a <= b) as i64,
            ">=" => (a >= b) as i64,
            "<" => (a < b) as i64,
            ">" => (a > b) as i64,
            "<<" => a.wrapping_shl(b as u32),
            ">>" => a.wrapping_shr(b as u32),
            "+" => a.wrapping_add(b),
            "-" => a.wrapping_sub(b),
            "*" => a.wrapping_mul(b),
            _ if b == 0 && self.skip > 0 => 0,
            _ if b == 0 => {
                return Err(format!(
                    "{}: division by 0 (error token is \"{}\")",
                    self.text.trim(),
                    self.operand
                ));
            }
            "/" => a.wrapping_div(b),
            _ => a.wrapping_rem(b),
        })
    }
}
