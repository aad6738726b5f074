//! RFC 6455 framing, written again and plainly: whole buffers, offsets, assertions.

use proptest::collection::vec;
use proptest::prelude::*;

/// A frame as it is built for a test.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
    pub(crate) mask: Option<[u8; 4]>,
}

impl Frame {
    pub(crate) fn text(payload: &str) -> Self {
        Self { fin: true, opcode: 1, payload: payload.into(), mask: None }
    }

    pub(crate) fn close(code: u16, mask: Option<[u8; 4]>) -> Self {
        Self { fin: true, opcode: 8, payload: code.to_be_bytes().to_vec(), mask }
    }

    pub(crate) fn masked(self) -> Self {
        Self { mask: Some([0x37, 0xfa, 0x21, 0x3d]), ..self }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = vec![u8::from(self.fin) << 7 | self.opcode];
        let mask_bit = if self.mask.is_some() { 0x80 } else { 0 };
        match self.payload.len() {
            short @ 0..=125 => out.push(mask_bit | short as u8),
            medium @ 126..=0xffff => {
                out.push(mask_bit | 126);
                out.extend((medium as u16).to_be_bytes());
            }
            long => {
                out.push(mask_bit | 127);
                out.extend((long as u64).to_be_bytes());
            }
        }
        let key = self.mask.unwrap_or_default();
        out.extend(self.mask.iter().flatten());
        out.extend(self.payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        out
    }
}

pub(crate) fn stream(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(Frame::bytes).collect()
}

/// Every offset at which `frames`, written one after the other, stand between two.
pub(crate) fn boundaries(frames: &[Frame]) -> Vec<usize> {
    let mut at = 0;
    let ends = frames.iter().map(|frame| {
        at += frame.bytes().len();
        at
    });
    std::iter::once(0).chain(ends).collect()
}

/// Reads what a server sent. Panics over anything a strict client would fail the connection for.
/// Returns the whole frames, and how many bytes of a further one have come.
pub(crate) fn read_strictly(bytes: &[u8]) -> (Vec<Frame>, usize) {
    let mut frames: Vec<Frame> = Vec::new();
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let [first, second, ..] = *rest else {
            return (frames, rest.len());
        };
        assert_eq!(first & 0x70, 0, "reserved bits");
        assert_eq!(second & 0x80, 0, "a server never masks");
        assert!(frames.last().is_none_or(|last| last.opcode != 8), "something follows a Close");
        let (header, length) = match second {
            126 if rest.len() < 4 => return (frames, rest.len()),
            126 => (4, usize::from(u16::from_be_bytes([rest[2], rest[3]]))),
            127 if rest.len() < 10 => return (frames, rest.len()),
            127 => (10, u64::from_be_bytes(rest[2..10].try_into().unwrap()) as usize),
            short => (2, usize::from(short)),
        };
        let Some(payload) = rest.get(header..header + length) else {
            return (frames, rest.len());
        };
        let frame = Frame {
            fin: first & 0x80 != 0,
            opcode: first & 15,
            payload: payload.into(),
            mask: None,
        };
        assert!(
            frame.opcode < 8 || (frame.fin && length <= 125),
            "a control frame is whole and short"
        );
        assert!(matches!(frame.opcode, 0 | 1 | 2 | 8 | 9 | 10), "opcode {}", frame.opcode);
        frames.push(frame);
        at += header + length;
    }
}

/// The code of a Close frame.
pub(crate) fn code(frame: &Frame) -> u16 {
    assert_eq!(frame.opcode, 8);
    u16::from_be_bytes([frame.payload[0], frame.payload[1]])
}

/// Random frames other than Close, of all three length formats; fragments and control frames mixed.
pub(crate) fn frames(masked: bool, most: usize) -> impl Strategy<Value = Vec<Frame>> {
    let length = prop_oneof![6 => 0..12_usize, 3 => 120..132_usize, 1 => 300..2000_usize, 1 => 65_530..65_541_usize];
    let frame = (0..6_u8, length, any::<u8>(), any::<[u8; 4]>()).prop_map(
        move |(kind, length, fill, key)| {
            let (fin, opcode) =
                [(true, 1), (true, 2), (false, 2), (true, 0), (true, 9), (true, 10)]
                    [usize::from(kind)];
            let length = if opcode > 8 { length.min(125) } else { length };
            let payload = (0..length).map(|at| fill.wrapping_add(at as u8)).collect();
            Frame { fin, opcode, payload, mask: masked.then_some(key) }
        },
    );
    vec(frame, 0..most)
}

/// Cuts `bytes` into chunks of the given sizes, over and over.
pub(crate) fn chunks<'b>(
    mut bytes: &'b [u8],
    sizes: &'b [usize],
) -> impl Iterator<Item = &'b [u8]> {
    let mut sizes = sizes.iter().cycle();
    std::iter::from_fn(move || {
        let size = sizes.next().map_or(1, |&size| size.clamp(1, bytes.len().max(1)));
        let (chunk, rest) = bytes.split_at_checked(size)?;
        bytes = rest;
        Some(chunk)
    })
}
