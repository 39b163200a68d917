//! Requests in, answers out.

mod slice;
