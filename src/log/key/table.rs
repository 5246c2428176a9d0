//! Multiples of a point, worked out once, for many signatures by one key.
//!
//! Verifying needs `[S]B - [k]A`. `B` is the same always and `A` the same for all that one signer signed, and a table of
//! their multiples leaves some seventy additions and no doubling but seven, where the library's way, which begins anew with
//! every signature, has 250 doublings. The sum is the same point whatever `A` is, a key with a torsion part included:
//! `k` is written as a sum of digits, exactly and as an integer, and the addition of points is complete. Nothing here is
//! secret, so looking things up by index is right; the library's own tables hide the index and are slower for it.

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use std::sync::LazyLock;

/// Bits of a digit of `k`, and of the positions of a key's table, which holds every second one.
const KEY_WIDTH: usize = 7;
/// Bits of a digit of `S`. The base point's table is made once a process, so it holds every position.
const BASE_WIDTH: usize = 8;

/// Most digits that a scalar has.
const DIGITS: usize = 256usize.div_ceil(KEY_WIDTH);

/// Bytes of one key's table.
pub(super) const KEY_TABLE_BYTES: usize = DIGITS.div_ceil(2) * (1 << (KEY_WIDTH - 1)) * size_of::<EdwardsPoint>();

static BASE: LazyLock<Multiples> = LazyLock::new(|| Multiples::of(&ED25519_BASEPOINT_POINT, BASE_WIDTH, 1));

/// For every position of a digit, or every second one, the multiples 1, 2, ... 2^(width - 1) of the point at that position.
struct Multiples {
    width: usize,
    points: Vec<EdwardsPoint>,
}

impl Multiples {
    fn of(point: &EdwardsPoint, width: usize, step: usize) -> Multiples {
        let positions = 256usize.div_ceil(width).div_ceil(step);
        let mut points = Vec::with_capacity(positions << (width - 1));
        let mut unit = *point;
        for _ in 0..positions {
            let mut multiple = unit;
            for _ in 0..1usize << (width - 1) {
                points.push(multiple);
                multiple += unit;
            }
            for _ in 0..width * step {
                unit += unit;
            }
        }
        Multiples { width, points }
    }

    /// Picks what a digit stands for at a position of the table. `None` where the table has no such position.
    fn pick(&self, into: &mut Vec<(EdwardsPoint, bool)>, position: usize, digit: i16) -> Option<()> {
        let multiple = usize::from(digit.unsigned_abs());
        if multiple > 0 {
            into.push((*self.points.get((position << (self.width - 1)) + multiple - 1)?, digit > 0));
        }
        Some(())
    }
}

/// Adds points, or subtracts them where they are marked with `false`.
fn add(sum: &mut EdwardsPoint, points: &[(EdwardsPoint, bool)]) {
    for (point, plus) in points {
        if *plus { *sum += point } else { *sum -= point }
    }
}

/// Digits of `width` bits, each between -2^(width - 1) and 2^(width - 1), whose sum by their weights is the scalar.
fn digits(scalar: &Scalar, width: usize) -> [i16; DIGITS] {
    let bytes = scalar.as_bytes();
    let byte = |i: usize| bytes.get(i).map_or(0, |b| u32::from(*b));
    let (full, half) = (1i16 << width, 1i16 << (width - 1));
    let mut carry = 0;
    let mut out = [0; DIGITS];
    for (i, digit) in out.iter_mut().enumerate() {
        let (at, shift) = (i * width / 8, i * width % 8);
        let window = (byte(at) | byte(at + 1) << 8) >> shift;
        let value = i16::try_from(window & ((1 << width) - 1)).unwrap_or(0) + carry;
        carry = i16::from(value > half);
        *digit = value - carry * full;
    }
    // A scalar is below 2^253, so nothing is carried beyond the last digit.
    out
}

/// The multiples of a key's negative, `-A`.
pub(super) struct KeyTable(Multiples);

impl KeyTable {
    pub(super) fn of(key: &EdwardsPoint) -> KeyTable {
        KeyTable(Multiples::of(&-key, KEY_WIDTH, 2))
    }

    /// `[s]B - [k]A`. Always `Some`: the tables have every position that a digit can have.
    pub(super) fn combine(&self, s: &Scalar, k: &Scalar) -> Option<EdwardsPoint> {
        let of_k = digits(k, KEY_WIDTH);
        // All are fetched before any is added: the tables of many signers are in no cache, and the processor can wait for
        // all of them at once.
        let mut points = Vec::with_capacity(2 * DIGITS);
        for (position, digit) in of_k.iter().skip(1).step_by(2).enumerate() {
            self.0.pick(&mut points, position, *digit)?;
        }
        let at_odd_places = points.len();
        for (position, digit) in of_k.iter().step_by(2).enumerate() {
            self.0.pick(&mut points, position, *digit)?;
        }
        for (position, digit) in digits(s, BASE_WIDTH).iter().enumerate() {
            BASE.pick(&mut points, position, *digit)?;
        }
        let (odd, rest) = points.split_at(at_odd_places);
        let mut sum = EdwardsPoint::identity();
        add(&mut sum, odd);
        // Times 2^7, which is what stands between the digits at odd and at even places.
        sum = sum.mul_by_cofactor().mul_by_cofactor();
        sum += sum;
        add(&mut sum, rest);
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::EIGHT_TORSION;

    #[test]
    fn the_sum_is_the_librarys() {
        let one = Scalar::ONE;
        let mut scalars = vec![Scalar::ZERO, one, -one, -(one + one), Scalar::from(32u8), Scalar::from(33u8)];
        // Every digit at its bounds, and beyond.
        for byte in [0x20u8, 0x40, 0x7f, 0x80, 0xff, 0x82, 0x08, 0x55] {
            let mut bytes = [byte; 32];
            bytes[31] = 0x0f;
            scalars.push(Scalar::from_canonical_bytes(bytes).unwrap());
        }
        for i in 0..40u8 {
            scalars.push(Scalar::from_bytes_mod_order_wide(&[i.wrapping_mul(37); 64]));
        }
        for torsion in EIGHT_TORSION {
            let key = EdwardsPoint::mul_base(&Scalar::from(1_234_567u64)) + torsion;
            let table = KeyTable::of(&key);
            for (i, k) in scalars.iter().enumerate() {
                let s = &scalars[(i * 7 + 3) % scalars.len()];
                let sum = EdwardsPoint::vartime_double_scalar_mul_basepoint(k, &-key, s);
                assert_eq!(table.combine(s, k).unwrap().compress(), sum.compress());
            }
        }
    }

    #[test]
    fn the_tables_are_as_large_as_said() {
        assert_eq!(size_of_val(KeyTable::of(&ED25519_BASEPOINT_POINT).0.points.as_slice()), KEY_TABLE_BYTES);
    }
}
