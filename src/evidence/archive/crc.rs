//! CRC-32 as zip wants it (ISO 3309, reflected, polynomial 0xEDB88320), eight bytes at a time.

const TABLES: [[u32; 256]; 8] = tables();

#[expect(clippy::indexing_slicing, reason = "computed while compiling: an index out of bounds does not compile")]
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        tables[0][i] = crc;
        i += 1;
    }
    let mut k = 1;
    while k < 8 {
        let mut i = 0;
        while i < 256 {
            let before = tables[k - 1][i];
            tables[k][i] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            i += 1;
        }
        k += 1;
    }
    tables
}

/// A sum in the making.
#[derive(Debug, Clone, Copy)]
pub(in crate::evidence) struct Crc(u32);

impl Crc {
    /// Of nothing.
    pub(in crate::evidence) fn new() -> Crc {
        Crc(u32::MAX)
    }

    /// Of these bytes, too.
    #[expect(clippy::indexing_slicing, reason = "a byte is an index of 256")]
    pub(in crate::evidence) fn update(&mut self, bytes: &[u8]) {
        let [t0, t1, t2, t3, t4, t5, t6, t7] = &TABLES;
        let mut crc = self.0;
        let (eights, rest) = bytes.as_chunks::<8>();
        for [a, b, c, d, e, f, g, h] in eights {
            let low = crc ^ u32::from_le_bytes([*a, *b, *c, *d]);
            let [a, b, c, d] = low.to_le_bytes();
            crc = t7[usize::from(a)]
                ^ t6[usize::from(b)]
                ^ t5[usize::from(c)]
                ^ t4[usize::from(d)]
                ^ t3[usize::from(*e)]
                ^ t2[usize::from(*f)]
                ^ t1[usize::from(*g)]
                ^ t0[usize::from(*h)];
        }
        for byte in rest {
            let [low, ..] = crc.to_le_bytes();
            crc = (crc >> 8) ^ t0[usize::from(low ^ byte)];
        }
        self.0 = crc;
    }

    /// The sum so far.
    pub(in crate::evidence) fn value(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue() {
        let of = |text: &[u8]| {
            let mut crc = Crc::new();
            crc.update(text);
            crc.value()
        };
        assert_eq!(of(b"123456789"), 0xcbf4_3926);
        assert_eq!(of(b""), 0);
        let long: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let mut pieces = Crc::new();
        long.chunks(7).for_each(|piece| pieces.update(piece));
        assert_eq!(pieces.value(), of(&long));
    }
}
