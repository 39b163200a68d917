//! The key of an object inside its collection.

use std::cmp::Ordering;

use api::Str;

/// Namespace (empty for cluster-scoped objects) and name.
///
/// Keys order as etcd's paths `namespace/name` do: `team-a/x` comes before `team/x`, because `-` is less than `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Key {
    pub namespace: Str,
    pub name: Str,
}

impl Key {
    pub fn new(namespace: impl Into<Str>, name: impl Into<Str>) -> Key {
        Key {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.namespace == other.namespace {
            return self.name.cmp(&other.name);
        }
        path_bytes(&self.namespace).cmp(path_bytes(&other.namespace))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The bytes of a namespace with the slash that ends it.
fn path_bytes(namespace: &str) -> impl Iterator<Item = u8> {
    namespace.bytes().chain(std::iter::once(b'/'))
}
