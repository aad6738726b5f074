//! Writes the chunked coding.
//!
//! Owns the two shapes of a chunk: one with data, and the last.
//! Must never write an empty chunk by accident: it would end the body.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

/// Appends one chunk; without data, nothing.
pub fn encode_chunk(data: &[u8], out: &mut BytesMut) {
    if data.is_empty() {
        return;
    }
    let size = format!("{:x}\r\n", data.len());
    out.reserve(size.len() + data.len() + 2);
    for part in [size.as_bytes(), data, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// The chunk that ends a body, with its trailers.
pub fn last_chunk(trailers: Option<&HeaderMap>) -> Bytes {
    let mut out = BytesMut::from(&b"0\r\n"[..]);
    for (name, value) in trailers.into_iter().flatten() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
    out.freeze()
}
