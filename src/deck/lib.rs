//! The `deck` room.
