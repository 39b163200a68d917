//! The one source of chance: seeded, with an independent stream for each purpose.
//!
//! A new draw in one stream does not change what other streams give, so old seeds keep their meaning.
//! SplitMix64 (Steele, Lea and Flood 2014): eight bytes of state, integers only, the same everywhere.

use crate::Micros;

/// One stream of pseudo-random numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// The stream of `seed` for one purpose (`"names"`, `"links"`, …).
    pub fn stream(seed: u64, purpose: &str) -> Rng {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in purpose.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let mut rng = Rng { state: seed ^ hash };
        // Neighbouring seeds differ in few bits: mix before the first use.
        rng.state = rng.next_u64() ^ hash.rotate_left(32);
        rng
    }

    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // Multiply-shift: the bias is below 2^-32 for the bounds used here.
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in `permille` of 1,000 draws.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// A latency between `low` and `high` with most of its weight in the lower middle, as networks have.
    pub fn latency(&mut self, low: Micros, high: Micros) -> Micros {
        let (a, b) = (self.between(low, high), self.between(low, high));
        (a.min(b) + self.between(low, high)) / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_independent_and_repeatable() {
        let draw = |purpose| -> Vec<u64> {
            let mut rng = Rng::stream(7, purpose);
            (0..4).map(|_| rng.below(1000)).collect()
        };
        assert_eq!(draw("names"), draw("names"));
        assert_ne!(draw("names"), draw("links"));
    }

    #[test]
    fn bounds_hold_at_the_edges() {
        let mut rng = Rng::stream(1, "edges");
        assert_eq!(rng.below(0), 0);
        assert!((0..1000).all(|_| (3..=5).contains(&rng.between(3, 5))));
        assert_eq!(rng.between(9, 9), 9);
    }
}
