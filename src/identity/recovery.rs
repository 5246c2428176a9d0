//! An identity on paper: its seed as a code that a person can write down and type again.

use super::{IdentityError, Signer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Crockford's base 32: no I, L, O, U, so that nothing reads as a digit or as a word.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 32 bytes of seed and three that check them are 280 bits: 56 characters, 14 groups of four.
const CHECK: usize = 3;
const LENGTH: usize = 56;

/// The longest text that is looked at, in bytes: a code with a space between any two characters, and some more.
const MAX_TYPED: usize = 512;

/// What the check bytes are taken from, so that they are nobody else's digest of the seed.
const DOMAIN: &[u8] = b"aosctl/recovery/v1\0";

impl Signer {
    /// The identity as a code for paper, `ABCD-EFGH-...`: whoever has it is this identity.
    pub fn to_code(&self) -> Zeroizing<String> {
        let seed = self.seed();
        let mut bytes = Zeroizing::new(Vec::with_capacity(32 + CHECK));
        bytes.extend_from_slice(seed);
        bytes.extend_from_slice(&check(seed));
        // Room for everything from the start: a buffer that grows leaves copies behind.
        let mut code = Zeroizing::new(String::with_capacity(LENGTH + LENGTH / 4));
        let (mut held, mut bits, mut count) = (0_u32, 0_u32, 0_usize);
        for byte in bytes.iter() {
            held = (held << 8) | u32::from(*byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                if count > 0 && count.is_multiple_of(4) {
                    code.push('-');
                }
                let digit = ALPHABET.get(((held >> bits) & 31) as usize).copied().unwrap_or(b'?');
                code.push(char::from(digit));
                count += 1;
            }
            held &= (1 << bits) - 1;
        }
        code
    }

    /// The identity of a code as it was typed: in any case, grouped in any way, O for 0, I and L for 1.
    ///
    /// # Errors
    /// [`IdentityError::BadCode`], which names no part of it. A code with one or several wrong characters passes once in
    /// 16 million.
    pub fn from_code(typed: &str) -> Result<Signer, IdentityError> {
        if typed.len() > MAX_TYPED {
            return Err(IdentityError::BadCode("it is too long"));
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(32 + CHECK + 1));
        let (mut held, mut bits, mut count) = (0_u32, 0_u32, 0_usize);
        for c in typed.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let digit = ALPHABET.iter().position(|a| char::from(*a) == c);
            let digit = digit.ok_or(IdentityError::BadCode("a character in it is in no code"))?;
            count += 1;
            if count > LENGTH {
                return Err(IdentityError::BadCode("it has more than 56 characters"));
            }
            held = (held << 5) | u32::try_from(digit).unwrap_or(0);
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from((held >> bits) & 0xff).unwrap_or(0));
                held &= (1 << bits) - 1;
            }
        }
        let parts = bytes.split_first_chunk::<32>().filter(|_| count == LENGTH);
        let (seed, rest) = parts.ok_or(IdentityError::BadCode("it has fewer than 56 characters"))?;
        if rest != check(seed) {
            return Err(IdentityError::BadCode("it is mistyped: a character is wrong, or two changed places"));
        }
        Ok(Signer::from_seed(seed))
    }
}

fn check(seed: &[u8; 32]) -> [u8; CHECK] {
    let digest = Sha256::new().chain_update(DOMAIN).chain_update(seed).finalize();
    digest.first_chunk::<CHECK>().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_comes_back_however_it_is_typed() {
        let signer = Signer::from_seed(&[7; 32]);
        let code = signer.to_code();
        assert_eq!(code.len(), 56 + 13);
        assert!(code.split('-').all(|group| group.len() == 4), "{}", *code);
        for typed in [
            code.to_string(),
            code.to_lowercase(),
            code.replace('-', ""),
            code.replace('-', " "),
            code.replace('0', "o").replace('1', "l"),
            format!("  {}\r\n", code.replace('-', "\t")),
        ] {
            assert_eq!(Signer::from_code(&typed).unwrap().public(), signer.public(), "{typed}");
        }
    }

    /// Made by another implementation: Python's `int.from_bytes` of seed and digest, taken apart in base 32.
    #[test]
    fn the_code_of_a_known_seed() {
        let seed: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
        assert_eq!(*Signer::from_seed(&seed).to_code(), KNOWN);
    }

    const KNOWN: &str = "000G-40R4-0M30-E209-185G-R38E-1W81-24GK-2GAH-C5RR-34D1-P70X-3RFP-2SP3";

    #[test]
    fn mistakes_are_found_and_never_repeated_to_others() {
        let code = Signer::from_seed(&[9; 32]).to_code();
        let short = &code[..code.len() - 1];
        for bad in ["", "U", short, &format!("{}0", *code), &"0".repeat(56), &"A".repeat(600), "ééé"] {
            let error = Signer::from_code(bad).expect_err(bad).to_string();
            assert!(bad.len() < 4 || !error.contains(bad), "{error}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_or_two_swapped_are_found(seed: [u8; 32], at in 0..56_usize, with in 0..32_usize) {
            let code: Vec<char> = Signer::from_seed(&seed).to_code().replace('-', "").chars().collect();
            let mut wrong = code.clone();
            wrong[at] = char::from(ALPHABET[with]);
            let mut swapped = code.clone();
            swapped.swap(at, (at + 1) % 56);
            for other in [wrong, swapped] {
                let typed: String = other.iter().collect();
                prop_assert_eq!(Signer::from_code(&typed).is_ok(), other == code);
            }
        }

        #[test]
        fn garbage_never_panics(text in "\\PC*") {
            let _ = Signer::from_code(&text);
        }
    }
}
