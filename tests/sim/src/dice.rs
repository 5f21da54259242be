//! The one source of chance: xoshiro256** (Blackman, Vigna 2018), seeded through splitmix64.

/// Seeded random numbers.
#[derive(Debug, Clone)]
pub struct Dice([u64; 4]);

/// One step of splitmix64: spreads a number over 64 bits, one to one.
pub fn spread(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Dice {
    /// The dice of a seed.
    pub fn new(seed: u64) -> Self {
        let mut state = [0; 4];
        let mut at = seed;
        for word in &mut state {
            at = spread(at);
            *word = at;
        }
        Self(state)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number below `sides`; 0 when there are none. (Lemire's multiplication, its bias is below 2^-32 here.)
    pub fn roll(&mut self, sides: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(sides)) >> 64) as u64
    }

    /// A number from `low` up to and including `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.roll(high - low + 1)
    }

    /// True `parts` times in a million.
    pub fn ppm(&mut self, parts: u32) -> bool {
        parts > 0 && self.roll(1_000_000) < u64::from(parts)
    }

    /// Shuffles (Fisher, Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.roll(i as u64 + 1) as usize);
        }
    }

    /// `count` different items at most.
    pub fn sample<T: Copy>(&mut self, items: &[T], count: usize) -> Vec<T> {
        let mut pool = items.to_vec();
        let count = count.min(pool.len());
        for i in 0..count {
            let j = i + self.roll((pool.len() - i) as u64) as usize;
            pool.swap(i, j);
        }
        pool.truncate(count);
        pool
    }
}
