//! How much of one file is in another, by git's measure (diffcore-delta.c and `estimate_similarity` in
//! diffcore-rename.c): a file is cut into lines, or into pieces of 64 bytes where lines are longer; of
//! each kind of piece, the bytes that both files have count as copied.

/// The score of equal files.
pub(super) const MOST: u64 = 60_000;

/// The hash base of diffcore-delta.c: "we may want to make this a prime"; the measure depends on it.
const BASE: u32 = 107_927;

/// The pieces of a file, by their hash, with the bytes in each.
#[derive(Debug)]
pub(super) struct Pieces(Vec<(u32, u64)>);

impl Pieces {
    pub(super) fn of(bytes: &[u8]) -> Self {
        // As buffer_is_binary in xdiff-interface.c.
        let is_text = !bytes[..bytes.len().min(8000)].contains(&0);
        let mut pieces = Vec::new();
        let (mut one, mut two, mut length) = (0_u32, 0_u32, 0_u64);
        let hash = |one: u32, two: u32| one.wrapping_add(two.wrapping_mul(0x61)) % BASE;
        for (at, &byte) in bytes.iter().enumerate() {
            if is_text && byte == b'\r' && bytes.get(at + 1) == Some(&b'\n') {
                continue;
            }
            let before = one;
            one = (one << 7) ^ (two >> 25);
            two = (two << 7) ^ (before >> 25);
            one = one.wrapping_add(u32::from(byte));
            length += 1;
            if length < 64 && byte != b'\n' {
                continue;
            }
            pieces.push((hash(one, two), length));
            (one, two, length) = (0, 0, 0);
        }
        // Git before 2.44 forgot what follows the last line break.
        if length > 0 {
            pieces.push((hash(one, two), length));
        }
        pieces.sort_unstable();
        pieces.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        Self(pieces)
    }

    /// The bytes of this file that stand in the other too.
    fn copied_to(&self, other: &Self) -> u64 {
        let mut others = other.0.iter().peekable();
        let mut copied = 0;
        for (hash, bytes) in &self.0 {
            while others.next_if(|(other, _)| other < hash).is_some() {}
            if let Some((_, there)) = others.next_if(|(other, _)| other == hash) {
                copied += bytes.min(there);
            }
        }
        copied
    }
}

/// Whether sizes alone rule out that one file is the other, for at least `least` of [`MOST`].
pub(super) fn sizes_rule_out(one: u64, two: u64, least: u64) -> bool {
    let (larger, smaller) = (one.max(two), one.min(two));
    smaller == 0
        || u128::from(larger) * u128::from(MOST - least) < u128::from(larger - smaller) * u128::from(MOST)
}

/// How similar two files are, of [`MOST`].
pub(super) fn score(old: &Pieces, old_size: u64, new: &Pieces, new_size: u64) -> u64 {
    let larger = u128::from(old_size.max(new_size));
    if larger == 0 {
        return 0;
    }
    let score = u128::from(old.copied_to(new)) * u128::from(MOST) / larger;
    u64::try_from(score).unwrap_or(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(old: &str, new: &str) -> u64 {
        score(&Pieces::of(old.as_bytes()), old.len() as u64, &Pieces::of(new.as_bytes()), new.len() as u64)
    }

    #[test]
    fn lines_count_by_their_bytes_wherever_they_stand() {
        assert_eq!(similarity("one\ntwo\n", "two\none\n"), MOST);
        assert_eq!(similarity("one\ntwo\n", "one\nsix\n"), MOST / 2);
        assert_eq!(similarity("one\n", "two\n"), 0);
        assert_eq!(similarity("", ""), 0);
    }

    #[test]
    fn a_carriage_return_at_the_end_of_a_line_is_not_seen() {
        assert_eq!(similarity("one\r\ntwo\r\n", "one\ntwo\n"), 8 * MOST / 10);
    }

    #[test]
    fn sizes_rule_out_what_could_never_reach_the_score() {
        assert!(sizes_rule_out(100, 49, MOST / 2));
        assert!(!sizes_rule_out(100, 50, MOST / 2));
        assert!(sizes_rule_out(0, 0, MOST / 2));
    }
}
