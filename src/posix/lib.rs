//! The `posix` room.
