//! The decoder of bodies, and the encoder of chunks.
//!
//! Input: `length N` or `eof` and a line end, then the bytes; without such a line they are
//! chunked. Holds: any cut gives the same bytes and the same end; never more comes out than went
//! in; a chunked body is whole exactly if a naive reader says so; what was decoded, encoded and
//! decoded again is the same.

use bytes::BytesMut;
use http::HeaderMap;
use vestibule_front::body::{BodyDecoder, BodyError, Decoded, Framing, encode_chunk, last_chunk};

use crate::{cuts, field_lines};

/// See the module's lines.
pub fn body(input: &[u8]) {
    let (framing, bytes) = framed(input);
    let whole = read(framing, &[bytes]);
    for pieces in cuts::of(bytes) {
        assert_eq!(read(framing, &pieces), whole);
    }
    match framing {
        Framing::Chunked => assert_chunked(bytes, &whole),
        Framing::Length(length) => {
            let taken = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len());
            assert_eq!(whole.data, &bytes[..taken]);
            let end = if taken as u64 == length { End::At(taken) } else { End::Missing };
            assert_eq!(whole.end, end);
        }
        Framing::None | Framing::UntilEof => assert_eq!(whole.data, bytes),
    }
    if let End::At(used) = whole.end {
        assert!(whole.data.len() <= used && used <= bytes.len());
        assert_round_trip(&whole);
    }
}

/// What came out, and how it ended.
#[derive(Debug, Default, PartialEq)]
struct Reading {
    data: Vec<u8>,
    trailers: HeaderMap,
    end: End,
}

#[derive(Debug, Default, PartialEq)]
enum End {
    /// The body goes on behind the input.
    #[default]
    Missing,
    /// It was whole, with so many bytes of the input.
    At(usize),
    Broken(BodyError),
}

fn framed(input: &[u8]) -> (Framing, &[u8]) {
    let line = input.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (line, rest) = (&input[..line], input.get(line + 1..).unwrap_or_default());
    if line == b"eof" {
        return (Framing::UntilEof, rest);
    }
    let length = line.strip_prefix(b"length ").and_then(|digits| {
        std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok())
    });
    length.map_or((Framing::Chunked, input), |length| (Framing::Length(length), rest))
}

fn read(framing: Framing, pieces: &[&[u8]]) -> Reading {
    let mut decoder = BodyDecoder::new(framing);
    let (mut reading, mut input, mut fed) = (Reading::default(), BytesMut::new(), 0);
    // One more turn: a body of no bytes is whole before any.
    for piece in pieces.iter().copied().chain([&b""[..]]) {
        input.extend_from_slice(piece);
        fed += piece.len();
        if let Some(end) = drain(&mut decoder, &mut input, &mut reading) {
            let used = fed - input.len();
            reading.end = end.map_or_else(End::Broken, |()| End::At(used));
            break;
        }
    }
    assert_eq!(decoder.is_ended(), matches!(reading.end, End::At(_)));
    let expected = match reading.end {
        End::At(_) => Ok(()),
        End::Missing if framing == Framing::UntilEof => Ok(()),
        End::Missing => Err(BodyError::Truncated),
        End::Broken(error) => Err(error),
    };
    assert_eq!(decoder.end_of_stream(), expected);
    if let End::Broken(error) = reading.end {
        let more = decoder.decode(&mut BytesMut::from(&b"0\r\n\r\n"[..]));
        assert_eq!(more, Err(error), "what follows a broken body is never read");
    }
    reading
}

/// Takes all that the input has; `Some` at the end of the body, or of our patience with it.
fn drain(
    decoder: &mut BodyDecoder,
    input: &mut BytesMut,
    reading: &mut Reading,
) -> Option<Result<(), BodyError>> {
    loop {
        let before = input.len();
        match decoder.decode(input) {
            Ok(Decoded::Data(data)) => {
                assert!(!data.is_empty() && data.len() <= before - input.len());
                reading.data.extend_from_slice(&data);
            }
            Ok(Decoded::Trailers(trailers)) => {
                assert!(!trailers.is_empty() && reading.trailers.is_empty());
                reading.trailers = trailers;
            }
            Ok(Decoded::NeedMore) => {
                assert!(input.is_empty(), "input was left while more is needed");
                return None;
            }
            Ok(Decoded::End) => return Some(Ok(())),
            Err(error) => return Some(Err(error)),
        }
    }
}

/// RFC 9112 section 7.1 with the whole input at hand: the data, and where the trailers begin.
fn naive(input: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut data, mut at, mut extensions) = (Vec::new(), 0, 0);
    loop {
        let line = input.get(at..)?;
        let line = &line[..find(line, b"\r\n")?];
        let size = line.split(|&byte| byte == b';').next().unwrap_or_default();
        let extension = &line[size.len()..];
        extensions += extension.len();
        let control = extension.iter().any(|&byte| byte != b'\t' && byte.is_ascii_control());
        let digits = size.iter().all(u8::is_ascii_hexdigit) && (1..=16).contains(&size.len());
        if !digits || control || extension.len() > 256 || extensions > 16 * 1024 {
            return None;
        }
        let size = u64::from_str_radix(std::str::from_utf8(size).ok()?, 16).ok()?;
        at += line.len() + 2;
        if size == 0 {
            return Some((data, at));
        }
        let end = at.checked_add(usize::try_from(size).ok()?)?;
        data.extend_from_slice(input.get(at..end)?);
        at = end + 2;
        if input.get(end..at)? != b"\r\n" {
            return None;
        }
    }
}

fn assert_chunked(bytes: &[u8], whole: &Reading) {
    let Some((data, at)) = naive(bytes) else {
        assert!(!matches!(whole.end, End::At(_)), "a chunked body that naive reading refuses");
        return;
    };
    assert_eq!(whole.data, data);
    let trailers = &bytes[at..];
    if trailers.starts_with(b"\r\n") {
        assert_eq!(whole.end, End::At(at + 2));
        assert!(whole.trailers.is_empty());
    } else if let End::At(used) = whole.end {
        assert_eq!(Some(used), find(trailers, b"\r\n\r\n").map(|end| at + end + 4));
    }
}

fn assert_round_trip(whole: &Reading) {
    let mut encoded = BytesMut::new();
    for piece in cuts::of(&whole.data).last().into_iter().flatten() {
        encode_chunk(piece, &mut encoded);
    }
    let last = last_chunk(Some(&whole.trailers));
    encoded.extend_from_slice(&last);
    let again = read(Framing::Chunked, &[&encoded]);
    assert_eq!(again.data, whole.data);
    assert_eq!(again.trailers, whole.trailers);
    assert_eq!(again.end, End::At(encoded.len()));
    let head = [b"GET / HTTP/1.1\r\n", &last["0\r\n".len()..]].concat();
    let (_, trailers) = field_lines::read(&head);
    field_lines::assert_end_to_end(&trailers, &[], &[]);
    for name in ["host", "content-length", "transfer-encoding", "authorization", "forwarded"] {
        assert!(field_lines::values(&trailers, name).is_empty(), "{name} is no trailer");
    }
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    bytes.windows(pattern.len()).position(|window| window == pattern)
}
