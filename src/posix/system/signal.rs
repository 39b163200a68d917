//! Signals: their names, numbers and what they do by default.

/// A signal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signal(pub u8);

const NAMES: [&str; 32] = [
    "EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
    "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU",
    "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// What an uncaught signal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Default {
    Terminate,
    Ignore,
    Stop,
    Continue,
}

impl Signal {
    pub const HUP: Signal = Signal(1);
    pub const INT: Signal = Signal(2);
    pub const QUIT: Signal = Signal(3);
    pub const KILL: Signal = Signal(9);
    pub const USR1: Signal = Signal(10);
    pub const SEGV: Signal = Signal(11);
    pub const USR2: Signal = Signal(12);
    pub const PIPE: Signal = Signal(13);
    pub const TERM: Signal = Signal(15);
    pub const CHLD: Signal = Signal(17);
    pub const CONT: Signal = Signal(18);
    pub const STOP: Signal = Signal(19);
    pub const WINCH: Signal = Signal(28);

    /// By name (`TERM`, `SIGTERM`, `term`) or number.
    pub fn parse(text: &str) -> Option<Signal> {
        if let Ok(n) = text.parse::<u8>() {
            return (n <= 64).then_some(Signal(n));
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        NAMES
            .iter()
            .position(|n| *n == name)
            .map(|n| Signal(n as u8))
    }

    /// Name without `SIG`.
    pub fn name(self) -> String {
        match NAMES.get(self.0 as usize) {
            Some(name) => (*name).into(),
            None => format!("RTMIN+{}", self.0 - 32),
        }
    }

    /// What a shell says when a child died of it.
    pub(crate) fn description(self) -> &'static str {
        match self.0 {
            1 => "Hangup",
            3 => "Quit",
            6 => "Aborted",
            9 => "Killed",
            10 => "User defined signal 1",
            11 => "Segmentation fault",
            12 => "User defined signal 2",
            14 => "Alarm clock",
            15 => "Terminated",
            _ => "",
        }
    }

    pub(crate) fn default_action(self) -> Default {
        match self {
            Signal::CHLD | Signal::WINCH | Signal(23) => Default::Ignore,
            Signal::CONT => Default::Continue,
            Signal(19..=22) => Default::Stop,
            _ => Default::Terminate,
        }
    }

    pub(crate) fn bit(self) -> u64 {
        1u64 << (self.0 as u64 & 63)
    }
}

/// All names, for `kill -l` and `trap -l`.
pub(crate) fn names() -> &'static [&'static str] {
    &NAMES[1..]
}
