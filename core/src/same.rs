//! Whether two texts are the same, for names and ids: most are short, and the two are of one length.

/// Whether two texts are the same. Texts of up to 16 bytes are told by two looks at some of their bytes each, which takes less time
/// than to call who compares texts of any length.
#[inline]
pub(crate) fn same(a: &str, b: &str) -> bool {
    /// The bytes at both ends, which of a text of `N` to 2 `N` bytes are all.
    fn ends<const N: usize>(text: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
        text.first_chunk().zip(text.last_chunk())
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        8..=16 => ends::<8>(a) == ends::<8>(b),
        4..=7 => ends::<4>(a) == ends::<4>(b),
        2..=3 => ends::<2>(a) == ends::<2>(b),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_are_told_apart_by_any_byte() {
        for length in 0..40 {
            let text = "m".repeat(length);
            assert!(same(&text, &text.clone()));
            assert!(!same(&text, &"m".repeat(length + 1)));
            for place in 0..length {
                let mut other = text.clone();
                other.replace_range(place..=place, "n");
                assert!(!same(&text, &other) && !same(&other, &text), "{length} {place}");
            }
        }
    }
}
