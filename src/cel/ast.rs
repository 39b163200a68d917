//! What an expression is once it was read.

use api::Str;

/// An expression and where in its text it begins (in characters, from 0).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expr {
    pub(crate) at: usize,
    pub(crate) node: Node,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Literal(Literal),
    /// A name: a variable, a type, or the first part of a qualified name.
    Name(Str),
    /// `operand.field`; `is_optional` for `.?field`.
    Select {
        operand: Box<Expr>,
        field: Str,
        is_optional: bool,
    },
    /// `has(operand.field)`
    Has {
        operand: Box<Expr>,
        field: Str,
    },
    /// `operand[index]`; `is_optional` for `[?index]`.
    Index {
        operand: Box<Expr>,
        index: Box<Expr>,
        is_optional: bool,
    },
    /// `target.function(args)` or `function(args)`; operators are functions called `_+_`.
    Call {
        function: Str,
        target: Option<Box<Expr>>,
        args: Vec<Expr>,
    },
    /// Items; those with `?` before them may be absent.
    List(Vec<(bool, Expr)>),
    Map(Vec<(bool, Expr, Expr)>),
    /// `Type{field: value}`
    Struct {
        name: Str,
        fields: Vec<(bool, Str, Expr)>,
    },
    Macro(Box<Macro>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Str),
    Bytes(Vec<u8>),
}

/// A macro that binds names: `list.all(x, x > 0)`, `cel.bind(v, 1, v + v)`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Macro {
    pub(crate) kind: MacroKind,
    pub(crate) range: Expr,
    /// One name for the item, or two for index (or key) and item.
    pub(crate) names: Vec<Str>,
    /// `map(x, condition, body)`
    pub(crate) condition: Option<Expr>,
    pub(crate) body: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MacroKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    Bind,
    TransformList,
    TransformMap,
    OptMap,
    OptFlatMap,
}
