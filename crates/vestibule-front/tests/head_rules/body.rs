//! Breaks the body decoders: sizes that overflow, line ends that differ, bytes of the next request, any cut of the input.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use proptest::prelude::*;
use vestibule_front::body::{
    BodyDecoder, BodyError, Decoded, Framing, RequestFraming, encode_chunk, last_chunk,
};

/// What came of a body: its bytes, its trailers, whether it ended, and what was left in the input.
type Outcome = Result<(Vec<u8>, HeaderMap, bool, Vec<u8>), BodyError>;

fn decode(framing: Framing, pieces: &[&[u8]]) -> Outcome {
    let mut decoder = BodyDecoder::new(framing);
    let (mut input, mut body, mut trailers) = (BytesMut::new(), Vec::new(), HeaderMap::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match decoder.decode(&mut input)? {
                Decoded::Data(data) => {
                    assert!(!data.is_empty());
                    body.extend_from_slice(&data);
                }
                Decoded::Trailers(found) => trailers = found,
                Decoded::NeedMore => {
                    assert!(
                        input.is_empty(),
                        "the decoder leaves nothing behind while it wants more"
                    );
                    break;
                }
                Decoded::End => break,
            }
        }
    }
    Ok((body, trailers, decoder.is_ended(), input.to_vec()))
}

fn chunked(bytes: &[u8]) -> Outcome {
    decode(Framing::Chunked, &[bytes])
}

#[test]
fn a10_malformed_chunks_are_refused() {
    let long_extension = format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(256));
    let many_extensions =
        format!("{}0\r\n\r\n", format!("1;{}\r\na\r\n", "x".repeat(200)).repeat(90));
    let many_trailers = format!("0\r\n{}\r\n", "A: b\r\n".repeat(33));
    let long_trailer = format!("0\r\nA: {}\r\n\r\n", "b".repeat(8 * 1024));
    let rows: &[(&str, &[u8], BodyError)] = &[
        ("no size", b"\r\na\r\n", BodyError::ChunkSize),
        ("not hexadecimal", b"g\r\na\r\n", BodyError::ChunkSize),
        ("minus", b"-1\r\na\r\n", BodyError::ChunkSize),
        ("plus", b"+1\r\na\r\n", BodyError::ChunkSize),
        ("0x", b"0x1\r\na\r\n", BodyError::ChunkSize),
        ("underscore", b"1_0\r\n", BodyError::ChunkSize),
        ("space before", b" 1\r\na\r\n", BodyError::ChunkSize),
        ("space behind", b"1 \r\na\r\n", BodyError::ChunkSize),
        ("tab behind", b"1\t\r\na\r\n", BodyError::ChunkSize),
        ("17 digits", b"00000000000000001\r\na\r\n", BodyError::ChunkSize),
        ("overflow", b"10000000000000000\r\n", BodyError::ChunkSize),
        ("bare LF behind the size", b"1\na\r\n", BodyError::ChunkSize),
        ("bare CR behind the size", b"1\ra\r\n", BodyError::ChunkSize),
        ("extension without size", b";x\r\na\r\n", BodyError::ChunkSize),
        ("bare LF in an extension", b"1;x\na\r\n0\r\n\r\n", BodyError::ChunkExtension),
        ("NUL in an extension", b"1;x\0\r\na\r\n", BodyError::ChunkExtension),
        ("bare CR in an extension", b"1;x\ry\r\na\r\n", BodyError::ChunkSize),
        ("long extension", long_extension.as_bytes(), BodyError::ChunkExtension),
        ("many extensions", many_extensions.as_bytes(), BodyError::ChunkExtension),
        ("no CRLF behind data", b"1\r\nab\r\n", BodyError::ChunkEnd),
        ("bare LF behind data", b"1\r\na\n0\r\n\r\n", BodyError::ChunkEnd),
        ("bare CR behind data", b"1\r\na\r0\r\n\r\n", BodyError::ChunkEnd),
        ("bare LF as the end", b"0\r\n\n", BodyError::Trailers),
        ("folded trailer", b"0\r\nA: b\r\n c\r\n\r\n", BodyError::Trailers),
        ("trailer without colon", b"0\r\nA\r\n\r\n", BodyError::Trailers),
        ("space before the colon", b"0\r\nA : b\r\n\r\n", BodyError::Trailers),
        ("NUL in a trailer", b"0\r\nA: \0\r\n\r\n", BodyError::Trailers),
        ("many trailers", many_trailers.as_bytes(), BodyError::Trailers),
        ("long trailer", long_trailer.as_bytes(), BodyError::Trailers),
    ];
    for (why, bytes, error) in rows {
        assert_eq!(chunked(bytes), Err(*error), "{why}");
        let bytewise: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode(Framing::Chunked, &bytewise), Err(*error), "{why}, byte by byte");
    }
}

#[test]
fn sound_chunks_are_read_and_what_follows_is_left() {
    let rows: [(&[u8], &[u8]); 5] = [
        (b"0\r\n\r\nGET / HTTP/1.1", b""),
        (b"5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1", b"hello"),
        (b"5;a=b;c=\"d\"\r\nhello\r\n6\r\n world\r\n000\r\n\r\nGET / HTTP/1.1", b"hello world"),
        (
            b"A\r\n0123456789\r\na\r\n0123456789\r\n0;last\r\n\r\nGET / HTTP/1.1",
            b"01234567890123456789",
        ),
        (b"0000000000000001\r\n\n\r\n0\r\n\r\nGET / HTTP/1.1", b"\n"),
    ];
    for (bytes, body) in rows {
        let (read, trailers, ended, left) = chunked(bytes).unwrap();
        assert_eq!(
            (&read[..], trailers.len(), ended, &left[..]),
            (body, 0, true, &b"GET / HTTP/1.1"[..])
        );
    }
}

/// Ten-fold asymmetry rule: what a sender cuts into single bytes must not cost its receiver ten times as
/// many messages, frames and writes.
#[test]
fn a10_a_body_in_single_bytes_costs_no_more_than_ten_times_the_steps() {
    const BODY: usize = 256 * 1024;
    // What one read brings.
    const READ: usize = 16 * 1024;
    let cut = |size: usize| {
        let mut coded = BytesMut::new();
        for piece in vec![b'a'; BODY].chunks(size) {
            encode_chunk(piece, &mut coded);
        }
        coded.extend_from_slice(&last_chunk(None));
        let (mut decoder, mut input) = (BodyDecoder::new(Framing::Chunked), BytesMut::new());
        let (mut body, mut steps) = (0, 0);
        for read in coded.chunks(READ) {
            input.extend_from_slice(read);
            while let Decoded::Data(data) = decoder.decode(&mut input).unwrap() {
                (body, steps) = (body + data.len(), steps + 1);
            }
        }
        assert_eq!((body, decoder.is_ended()), (BODY, true));
        steps
    };
    let (single, large) = (cut(1), cut(READ));
    assert!(single <= 10 * large, "{single} steps against {large}");
}

/// What came before a broken chunk is passed on, and nothing behind it.
#[test]
fn small_chunks_are_gathered_up_to_a_break_and_no_further() {
    let mut decoder = BodyDecoder::new(Framing::Chunked);
    let mut input = BytesMut::from(&b"1\r\na\r\n2\r\nbc\r\nx\r\n"[..]);
    assert_eq!(decoder.decode(&mut input), Ok(Decoded::Data(Bytes::from("abc"))));
    for _ in 0..2 {
        assert_eq!(decoder.decode(&mut input), Err(BodyError::ChunkSize));
    }
}

#[test]
fn a_chunk_of_64_bits_is_only_a_number() {
    let (read, _, ended, _) = chunked(b"ffffffffffffffff\r\nabc").unwrap();
    assert_eq!(
        (&read[..], ended),
        (&b"abc"[..], false),
        "nothing is reserved for what was announced"
    );
}

#[test]
fn trailers_that_mean_something_to_a_proxy_are_dropped() {
    let bytes = b"0\r\nX-Sum: 1\r\nContent-Length: 5\r\ntransfer-encoding: chunked\r\nHost: b\r\nAuthorization: x\r\n\
        Connection: close\r\nX-Forwarded-For: 1.1.1.1\r\nForwarded: for=1\r\nX_Sum: 2\r\nSet-Cookie: a=b\r\n\
        Sec-WebSocket-Accept: x\r\nX-Real-IP: 1.1.1.1\r\nx-sum: 3\r\n\r\nnext";
    let (_, trailers, ended, left) = chunked(bytes).unwrap();
    assert_eq!(trailers.get_all("x-sum").iter().collect::<Vec<_>>(), ["1", "3"]);
    assert_eq!((trailers.len(), ended, &left[..]), (2, true, &b"next"[..]));
    assert_eq!(
        chunked(b"0\r\nHost: b\r\n\r\n").unwrap().1.len(),
        0,
        "nothing kept is no trailers at all"
    );
}

#[test]
fn lengths_take_exactly_their_bytes() {
    let length = |length: u64, bytes: &[u8]| decode(Framing::Length(length), &[bytes]).unwrap();
    assert_eq!(
        length(5, b"hello next"),
        (b"hello".to_vec(), HeaderMap::new(), true, b" next".to_vec())
    );
    assert_eq!(length(0, b"next"), (Vec::new(), HeaderMap::new(), true, b"next".to_vec()));
    assert_eq!(length(6, b"hello"), (b"hello".to_vec(), HeaderMap::new(), false, Vec::new()));
    assert_eq!(length(u64::MAX, b"hello").0, b"hello");
    assert_eq!(decode(Framing::None, &[b"next"]).unwrap().3, b"next");
    assert_eq!(decode(Framing::UntilEof, &[b"a", b"b"]).unwrap().0, b"ab");
}

#[test]
fn a_close_is_an_end_only_where_the_framing_says_so() {
    let after = |framing: Framing, bytes: &[u8]| {
        let mut decoder = BodyDecoder::new(framing);
        let mut input = BytesMut::from(bytes);
        while let Ok(Decoded::Data(_) | Decoded::Trailers(_)) = decoder.decode(&mut input) {}
        decoder.end_of_stream()
    };
    assert_eq!(after(Framing::UntilEof, b"abc"), Ok(()));
    assert_eq!(after(Framing::None, b""), Ok(()));
    assert_eq!(after(Framing::Length(3), b"abc"), Ok(()));
    assert_eq!(after(Framing::Length(4), b"abc"), Err(BodyError::Truncated));
    assert_eq!(after(Framing::Chunked, b"1\r\na\r\n0\r\n"), Err(BodyError::Truncated));
    assert_eq!(after(Framing::Chunked, b"1\r\na\r\n0\r\n\r\n"), Ok(()));
    assert_eq!(after(Framing::Chunked, b"x"), Err(BodyError::ChunkSize), "an error stays");
}

#[test]
fn empty_data_never_ends_a_body() {
    let mut out = BytesMut::new();
    encode_chunk(b"", &mut out);
    assert!(out.is_empty());
    encode_chunk(b"hello", &mut out);
    assert_eq!(&out[..], b"5\r\nhello\r\n");
    assert_eq!(last_chunk(None), Bytes::from_static(b"0\r\n\r\n"));
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "1".parse().unwrap());
    assert_eq!(last_chunk(Some(&trailers)), Bytes::from_static(b"0\r\nx-sum: 1\r\n\r\n"));
}

proptest! {
    #[test]
    fn any_cut_of_a_chunked_body_reads_the_same(
        bytes in "((0?[0-3](;[a-z]{0,3})?\r\n[a-c]{0,3}\r\n){0,4}0\r\n(X: y\r\n){0,2}\r\n[a-z]{0,4}|[0-9a-f\r\n;]{0,30})",
        size in 1usize..7,
    ) {
        let whole = chunked(bytes.as_bytes());
        let pieces: Vec<&[u8]> = bytes.as_bytes().chunks(size).collect();
        prop_assert_eq!(whole, decode(Framing::Chunked, &pieces));
    }

    #[test]
    fn what_is_encoded_is_decoded(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..5)) {
        let mut out = BytesMut::new();
        for chunk in &chunks {
            encode_chunk(chunk, &mut out);
        }
        out.extend_from_slice(&last_chunk(None));
        let (body, _, ended, left) = decode(RequestFraming::Chunked.into(), &[&out]).unwrap();
        prop_assert_eq!((body, ended, left), (chunks.concat(), true, Vec::new()));
    }
}
