//! The `ui` room.
