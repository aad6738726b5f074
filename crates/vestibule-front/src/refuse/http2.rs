//! The refusal that an HTTP/2 client with prior knowledge can read.
//!
//! Owns two frames. Must never grow into an HTTP/2 stack.

/// RFC 9113 §7: the endpoint wants HTTP/1.1 for this request.
const HTTP_1_1_REQUIRED: u32 = 0xd;
const SETTINGS: u8 = 0x4;
const GOAWAY: u8 = 0x7;

const DEBUG_TEXT: &[u8] = b"HTTP/2 is not served on this port; use HTTP/1.1";

/// Our preface, an empty SETTINGS (RFC 9113 §3.4), then a GOAWAY that says no stream was handled (§6.8).
pub fn http2_refusal() -> Vec<u8> {
    let mut out = frame(SETTINGS, &[]);
    let last_stream = 0u32.to_be_bytes();
    out.extend(frame(
        GOAWAY,
        &[&last_stream, &HTTP_1_1_REQUIRED.to_be_bytes(), DEBUG_TEXT].concat(),
    ));
    out
}

/// A frame without flags on the connection itself (RFC 9113 §4.1). The length fits: payloads are ours.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    let mut out = vec![length[1], length[2], length[3], kind, 0, 0, 0, 0, 0];
    out.extend_from_slice(payload);
    out
}
