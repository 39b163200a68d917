//! A small deterministic POSIX shell and core tools, as plain data.
//!
//! A [`System`] holds processes, their descriptors and pipes; a [`Disk`] holds files; a [`Host`] is everything else:
//! time, chance, programs that are not ours, the network. [`System::step`] runs what can run now and tells when to
//! come back, so that a container's script lives for virtual hours, can be cloned in the middle of `sleep 5`, and
//! never runs away. It knows nothing of Kubernetes. It is not a security boundary and not an emulator: programs
//! are ours ([`tools`](tool_names)) or the host's.
//!
//! Entry points: [`System::spawn`] for a container's command, [`Terminal`] for a person at a prompt,
//! [`run_script`] for tests. In reading order: `files`, `syntax`, `shell`, `system`, `tools`.

mod drive;
mod files;
mod host;
mod image;
mod regex;
mod shell;
mod syntax;
mod system;
mod terminal;
mod tools;

pub use drive::{Finished, QuietHost, run_script, run_script_as};
pub use files::{
    Access, Body, Device, Disk, Errno, Files, Found, Ino, Kind, Meta, Mount, Mounts, Node, Place,
    ROOT, Stat, Tree, User, Volume, VolumeId,
};
pub use host::*;
pub use image::{ImageFiles, standard_root};
pub use shell::Env;
pub use syntax::{Dialect, ParseError};
pub use system::signal::Signal;
pub use system::{
    Channel, Ending, Event, Flavour, Output, Poll, ProcessInfo, Spawn, StartError, Stream, System,
};
pub use terminal::{LineResult, Terminal};
pub use tools::names as tool_names;
pub use tools::{format_date, split_url};
