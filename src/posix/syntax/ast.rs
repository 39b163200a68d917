//! The syntax tree. Shared by `Arc`, never changed after parsing, so that forks and checkpoints cost nothing.

use std::sync::Arc;

/// A shared command.
pub(crate) type Cmd = Arc<Command>;

/// One command of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Simple(Simple),
    Pipeline {
        stages: Box<[Cmd]>,
        /// `|&`: the stage's standard error joins the pipe.
        join_stderr: Box<[bool]>,
    },
    Not(Cmd),
    Time(Option<Cmd>),
    AndOr {
        first: Cmd,
        rest: Box<[(Join, Cmd)]>,
    },
    /// Commands one after another; `true` marks those started in the background.
    List(Box<[(Cmd, bool)]>),
    Subshell(Cmd),
    Group(Cmd),
    If {
        clauses: Box<[(Cmd, Cmd)]>,
        otherwise: Option<Cmd>,
    },
    While {
        until: bool,
        cond: Cmd,
        body: Cmd,
    },
    For {
        name: Box<str>,
        /// `None` means `"$@"`.
        words: Option<Box<[Word]>>,
        body: Cmd,
    },
    ForArith {
        init: Word,
        cond: Word,
        step: Word,
        body: Cmd,
    },
    Case {
        word: Word,
        arms: Box<[Arm]>,
    },
    Function {
        name: Box<str>,
        body: Cmd,
    },
    Cond(Cond),
    Arith(Word),
    Redirected {
        inner: Cmd,
        redirs: Box<[Redir]>,
    },
    /// Nothing: an empty line, or `;` alone where the grammar allows it.
    Empty,
}

/// `&&` or `||`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    And,
    Or,
}

/// Assignments, words and redirections: a command with arguments.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Simple {
    pub(crate) assigns: Box<[Assign]>,
    pub(crate) words: Box<[Word]>,
    pub(crate) redirs: Box<[Redir]>,
    /// Assignments given as arguments of `export`, `local`, `declare`, `readonly`.
    pub(crate) declared: Box<[Assign]>,
    pub(crate) line: u32,
}

/// `name=value`, `name+=value`, `name[index]=value`, `name=(a b c)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assign {
    pub(crate) name: Box<str>,
    pub(crate) index: Option<Word>,
    pub(crate) append: bool,
    pub(crate) value: AssignValue,
}

/// What is assigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AssignValue {
    Word(Word),
    /// Elements, each with its index if one was written.
    Array(Elements),
}

/// Array elements as written, each with its index if one was given.
pub(crate) type Elements = Box<[(Option<Word>, Word)]>;

/// A redirection of descriptor `fd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redir {
    pub(crate) fd: u16,
    pub(crate) op: RedirOp,
    pub(crate) target: Word,
}

/// Kinds of redirection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedirOp {
    Read,
    Write,
    /// `>|`
    Clobber,
    Append,
    ReadWrite,
    /// `<&` and `>&`: another descriptor, or `-` to close.
    Duplicate,
    /// `&>`: both standard output and standard error.
    Both,
    BothAppend,
    /// A here-document or here-string: the target is the text itself.
    Text,
}

/// A word before expansion.
pub(crate) type Word = Box<[Part]>;

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Unquoted text: subject to globbing.
    Lit(Box<str>),
    /// Quoted text: taken as it is.
    Quoted(Box<str>),
    /// Double quotes with their inside.
    Double(Word),
    Param(Box<Param>),
    Command(Cmd),
    Arith(Word),
    /// `<(cmd)` or `>(cmd)`.
    Process {
        reads: bool,
        cmd: Cmd,
    },
    /// `~` or `~user` at the start.
    Tilde(Box<str>),
}

/// `$name`, `${name…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Param {
    pub(crate) name: Box<str>,
    pub(crate) index: Option<Index>,
    pub(crate) op: ParamOp,
}

/// A subscript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    All,
    Joined,
    At(Word),
}

/// What `${…}` does with the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ParamOp {
    Value,
    Length,
    /// `${!array[@]}`: the subscripts.
    Keys,
    /// `${!name}`
    Indirect,
    Default {
        colon: bool,
        word: Word,
    },
    Assign {
        colon: bool,
        word: Word,
    },
    Error {
        colon: bool,
        word: Word,
    },
    Alternative {
        colon: bool,
        word: Word,
    },
    TrimStart {
        longest: bool,
        pattern: Word,
    },
    TrimEnd {
        longest: bool,
        pattern: Word,
    },
    Replace {
        place: ReplaceAt,
        pattern: Word,
        with: Word,
    },
    Slice {
        offset: Word,
        length: Option<Word>,
    },
    Case {
        upper: bool,
        all: bool,
    },
    /// `${x@Q}` and its kind.
    Transform(char),
    /// A substitution that parses but means nothing; it fails when it is expanded.
    Bad(Box<str>),
}

/// Where `${x/a/b}` replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplaceAt {
    First,
    All,
    Start,
    End,
}

/// One arm of a `case`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arm {
    pub(crate) patterns: Box<[Word]>,
    pub(crate) body: Cmd,
    pub(crate) then: ArmEnd,
}

/// `;;`, `;&` or `;;&`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArmEnd {
    Stop,
    FallThrough,
    TestNext,
}

/// `[[ … ]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cond {
    Not(Box<Cond>),
    And(Box<Cond>, Box<Cond>),
    Or(Box<Cond>, Box<Cond>),
    Word(Word),
    Unary(Box<str>, Word),
    Binary(Word, Box<str>, Word),
}
