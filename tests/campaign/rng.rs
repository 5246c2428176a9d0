//! Chance that can be repeated: `AOSCTL_CAMPAIGN_SEED=N` draws the same changes again. The workspace that they are made to has
//! keys and salts of its own in every run, as every workspace has.

/// splitmix64.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`, which is at least 1.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n).unwrap()).unwrap()
    }

    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// One of `all` that is not `not`.
    pub fn other(&mut self, all: &[u8], not: u8) -> u8 {
        loop {
            let b = *self.of(all);
            if b != not {
                return b;
            }
        }
    }
}

/// The seed of this run: from the environment, or fixed, so that CI runs the same twice.
pub fn seed() -> u64 {
    std::env::var("AOSCTL_CAMPAIGN_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_121)
}
