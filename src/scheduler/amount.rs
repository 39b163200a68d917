//! Resources as integers: thousandths of a CPU, bytes, counts.
//!
//! Quantities (`500m`, `1.5Gi`, `2e3`) are rounded up, as `Quantity.Value()` does.

use api::quantity::Quantity;
use api::{Map, Str, Value};

/// An amount of each resource. Sorted by name where it is not one of the three well-known ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amounts {
    pub milli_cpu: i64,
    pub memory: i64,
    pub ephemeral: i64,
    pub scalars: Vec<(Str, i64)>,
}

/// What a container without a request is taken to use when nodes are scored (`util/pod_resources.go`).
pub const DEFAULT_MILLI_CPU: i64 = 100;
pub const DEFAULT_MEMORY: i64 = 200 * 1024 * 1024;

impl Amounts {
    /// Reads a `ResourceList`; `pods` is left out.
    pub fn read(list: &Map) -> Amounts {
        let mut amounts = Amounts::default();
        for (name, quantity) in list.iter() {
            match name.as_str() {
                "cpu" => amounts.milli_cpu = milli(quantity),
                "memory" => amounts.memory = whole(quantity),
                "ephemeral-storage" => amounts.ephemeral = whole(quantity),
                "pods" => {}
                _ => amounts.scalars.push((name.clone(), whole(quantity))),
            }
        }
        amounts
    }

    pub fn add(&mut self, other: &Amounts) {
        self.combine(other, |mine, theirs| mine.saturating_add(theirs));
    }

    pub fn subtract(&mut self, other: &Amounts) {
        self.combine(other, |mine, theirs| mine.saturating_sub(theirs));
    }

    pub fn raise_to(&mut self, other: &Amounts) {
        self.combine(other, i64::max);
    }

    pub fn scalar(&self, name: &str) -> i64 {
        self.scalars
            .binary_search_by(|(known, _)| known.as_str().cmp(name))
            .map_or(0, |at| self.scalars[at].1)
    }

    fn combine(&mut self, other: &Amounts, with: impl Fn(i64, i64) -> i64) {
        self.milli_cpu = with(self.milli_cpu, other.milli_cpu);
        self.memory = with(self.memory, other.memory);
        self.ephemeral = with(self.ephemeral, other.ephemeral);
        for (name, amount) in &other.scalars {
            match self.scalars.binary_search_by(|(known, _)| known.cmp(name)) {
                Ok(at) => self.scalars[at].1 = with(self.scalars[at].1, *amount),
                Err(at) => self.scalars.insert(at, (name.clone(), with(0, *amount))),
            }
        }
    }
}

/// The quantity in thousandths.
pub fn milli(quantity: &Value) -> i64 {
    Quantity::of(quantity).millis()
}

/// The quantity in units.
pub fn whole(quantity: &Value) -> i64 {
    Quantity::of(quantity).value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_round_up() {
        for (text, thousandths, units) in [
            ("500m", 500, 1),
            ("2", 2000, 2),
            ("0.1", 100, 1),
            ("1.5Gi", 1_610_612_736_000, 1_610_612_736),
            ("1e3", 1_000_000, 1000),
            ("12E", i64::MAX, i64::MAX),
            ("100u", 1, 1),
            (".5k", 500_000, 500),
            ("1Ei", i64::MAX, 1 << 60),
            ("junk", 0, 0),
            ("", 0, 0),
        ] {
            let value = Value::from(text);
            assert_eq!(
                (milli(&value), whole(&value)),
                (thousandths, units),
                "{text}"
            );
        }
    }
}
