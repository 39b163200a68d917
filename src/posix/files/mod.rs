//! Files: what a process can name, read and write.
//!
//! A [`Volume`] is a tree of nodes (an image's root, an emptyDir, a ConfigMap, the terminal's disk), a
//! [`Disk`] holds volumes by id, [`Mounts`] say where a container sees which volume, and [`Files`] is the view
//! of one process: paths, permissions, symbolic links. Everything is plain data; contents are shared until
//! they are written. Models what Linux shows of a file system, not how one is stored.

mod mounts;
mod view;
mod volume;

pub use mounts::{Disk, Mount, Mounts, VolumeId};
pub use view::{Access, Files, Found, Place, Stat, User};
pub use volume::{Body, Device, Ino, Kind, Meta, Node, ROOT, Tree, Volume};

use std::fmt;

/// Why a file operation failed, with the words of `strerror`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    NoEntry,
    Exists,
    NotDirectory,
    IsDirectory,
    Access,
    NotPermitted,
    NotEmpty,
    ReadOnly,
    NoSpace,
    Loop,
    Invalid,
    TooLarge,
    CrossDevice,
    Busy,
    BadDescriptor,
    NotExecutable,
    NameTooLong,
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Errno::NoEntry => "No such file or directory",
            Errno::Exists => "File exists",
            Errno::NotDirectory => "Not a directory",
            Errno::IsDirectory => "Is a directory",
            Errno::Access => "Permission denied",
            Errno::NotPermitted => "Operation not permitted",
            Errno::NotEmpty => "Directory not empty",
            Errno::ReadOnly => "Read-only file system",
            Errno::NoSpace => "No space left on device",
            Errno::Loop => "Too many levels of symbolic links",
            Errno::Invalid => "Invalid argument",
            Errno::TooLarge => "File too large",
            Errno::CrossDevice => "Invalid cross-device link",
            Errno::Busy => "Device or resource busy",
            Errno::BadDescriptor => "Bad file descriptor",
            Errno::NotExecutable => "Exec format error",
            Errno::NameTooLong => "File name too long",
        })
    }
}
