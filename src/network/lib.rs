//! What packets would do: addresses, services, names, policies.
//!
//! An exchange (a DNS question, an HTTP request, bytes over TCP, an echo) is one [`Call`] and one [`Answer`]; single packets
//! are not simulated. A program's question becomes calls in a [`Dialog`] (the C library's resolver and the socket), a node
//! turns a service's address into a pod's by its [`Tables`] (kube-proxy's rules and the cluster DNS' zone, kept up to date by
//! the [`Proxy`]), and [`policy`] says what is let through. Who carries the calls, and who answers them, are others: `cluster`
//! and `node`.

mod call;
mod dialog;
mod dns;
pub mod policy;
mod proxy;
mod resolver;
mod route;
mod tables;

pub use call::{Answer, Call, Payload, Protocol, reason};
pub use dialog::{Dialog, Next};
pub use dns::{Found, NAMESERVER, ZONE};
pub use proxy::{Proxy, Timer};
pub use resolver::Resolver;
pub use route::{Affinity, Place, Route};
pub use tables::{Endpoint, Kind, ServiceKey, Tables};

#[cfg(test)]
mod tests;
