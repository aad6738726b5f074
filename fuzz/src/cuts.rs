//! Ways to cut an input, since a stream arrives in pieces of any size.
//!
//! Owns the choice, which depends on the bytes alone: an input that fails fails again.

/// The longest piece of an uneven cut.
const PIECE_MAX: u64 = 40;

/// The same bytes in pieces: each byte alone, and in uneven pieces.
pub(crate) fn of(bytes: &[u8]) -> [Vec<&[u8]>; 2] {
    [bytes.chunks(1).collect(), uneven(bytes)]
}

fn uneven(bytes: &[u8]) -> Vec<&[u8]> {
    // FNV-1a, then xorshift: neither needs to be good, both must be the same everywhere.
    let mut state = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    }) | 1;
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let length = usize::try_from(state % PIECE_MAX).unwrap_or(0) + 1;
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn pieces_put_together_are_the_whole() {
        let whole: Vec<u8> = (0..=255).collect();
        for pieces in of(&whole) {
            assert!(pieces.len() > 3 && pieces.iter().all(|piece| !piece.is_empty()));
            assert_eq!(pieces.concat(), whole);
        }
        assert_eq!(of(b""), [Vec::<&[u8]>::new(), Vec::new()]);
    }
}
