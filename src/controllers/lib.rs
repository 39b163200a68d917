//! The `controllers` room.
