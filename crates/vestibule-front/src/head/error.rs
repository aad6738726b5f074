//! Why a head is refused.
//!
//! Owns the one list of reasons with their status and their word for metrics and problem documents.
//! Must never carry a byte of the request.

use thiserror::Error;

/// A reason to refuse a request head; the connection closes behind it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeadError {
    /// The head did not end within its byte limit.
    #[error("the head is larger than the limit")]
    TooLarge,
    /// More field lines than allowed.
    #[error("the head has more fields than the limit")]
    TooManyFields,
    /// The request target is longer than allowed.
    #[error("the request target is longer than the limit")]
    TargetTooLong,
    /// A line feed without a carriage return before it (RFC 9112 §2.2 lets a reader refuse it).
    #[error("a line ends with a bare LF")]
    BareLf,
    /// A carriage return without a line feed behind it (RFC 9112 §2.2).
    #[error("a CR is not followed by LF")]
    BareCr,
    /// A control byte other than a tab.
    #[error("the head holds a control byte")]
    ControlByte,
    /// A field continued on the next line (RFC 9112 §5.2).
    #[error("a field is folded over two lines")]
    FoldedLine,
    /// Not the grammar of RFC 9112.
    #[error("the head is malformed")]
    Malformed,
    /// Neither HTTP/1.1 nor HTTP/1.0.
    #[error("the protocol version is not served")]
    HttpVersion,
    /// The preface of HTTP/2 with prior knowledge (RFC 9113 §3.3).
    #[error("HTTP/2 is not served here")]
    Http2,
    /// A TLS handshake on a port that speaks plain HTTP.
    #[error("TLS was spoken to a plain port")]
    Tls,
    /// CONNECT or TRACE.
    #[error("the method is not served")]
    Method,
    /// The method is longer than any that exists (RFC 9112 §3 asks for 501).
    #[error("the method is longer than the limit")]
    MethodTooLong,
    /// The request target is not one of the accepted forms.
    #[error("the request target is invalid")]
    Target,
    /// HTTP/1.1 without Host (RFC 9112 §3.2).
    #[error("there is no Host field")]
    HostMissing,
    /// More than one Host.
    #[error("there is more than one Host field")]
    HostRepeated,
    /// Host is empty or holds what no host has.
    #[error("the Host field is invalid")]
    HostInvalid,
    /// The authority of an absolute target is not the Host.
    #[error("the target's authority differs from Host")]
    AuthorityMismatch,
    /// A field that says who the client is or what the body is, more than once (RFC 9110 §5.3).
    #[error("a field that may come once came twice")]
    FieldRepeated,
    /// Content-Length is repeated, a list, signed, or too large for 64 bits.
    #[error("the Content-Length is invalid")]
    ContentLength,
    /// Transfer-Encoding is anything but one `chunked`, or came with HTTP/1.0.
    #[error("the Transfer-Encoding is invalid")]
    TransferEncoding,
    /// Both framings at once (RFC 9112 §6.3).
    #[error("both Content-Length and Transfer-Encoding are present")]
    FramingConflict,
    /// Connection is not a list of tokens, or a very long one.
    #[error("the Connection field is invalid")]
    Connection,
    /// Connection names a field that no hop may remove.
    #[error("the Connection field names a protected field")]
    ConnectionProtected,
    /// Upgrade offers websocket beside something else.
    #[error("the Upgrade field offers more than websocket")]
    UpgradeList,
    /// An expectation other than 100-continue (RFC 9110 §10.1.1).
    #[error("the expectation cannot be met")]
    Expectation,
    /// A WebSocket handshake that is not a GET (RFC 6455 §4.1).
    #[error("the handshake is not a GET")]
    HandshakeMethod,
    /// A WebSocket handshake in HTTP/1.0.
    #[error("the handshake is not HTTP/1.1")]
    HandshakeHttpVersion,
    /// A WebSocket handshake that announces a body, of length zero too.
    #[error("the handshake announces a body")]
    HandshakeBody,
    /// A WebSocket handshake with an Expect field.
    #[error("the handshake carries an expectation")]
    HandshakeExpectation,
    /// Sec-WebSocket-Version is not exactly one `13` (RFC 6455 §4.4).
    #[error("the WebSocket version is not 13")]
    WebSocketVersion,
    /// Sec-WebSocket-Key is not exactly one value of 16 bytes in base64.
    #[error("the Sec-WebSocket-Key is invalid")]
    WebSocketKey,
    /// Sec-WebSocket-Protocol is not a list of tokens.
    #[error("the Sec-WebSocket-Protocol is invalid")]
    Subprotocol,
    /// Sec-WebSocket-Extensions does not follow RFC 6455 §9.1.
    #[error("the Sec-WebSocket-Extensions is invalid")]
    Extensions,
}

impl HeadError {
    /// The status a refused client gets.
    pub const fn status(self) -> u16 {
        match self {
            Self::TooLarge | Self::TooManyFields => 431,
            Self::TargetTooLong => 414,
            Self::HttpVersion | Self::Http2 => 505,
            Self::Method => 405,
            Self::MethodTooLong => 501,
            Self::Expectation => 417,
            Self::WebSocketVersion => 426,
            _ => 400,
        }
    }

    /// The word for it in problem documents, logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "head_too_large",
            Self::TooManyFields => "too_many_fields",
            Self::TargetTooLong => "target_too_long",
            Self::BareLf => "bare_lf",
            Self::BareCr => "bare_cr",
            Self::ControlByte => "control_byte",
            Self::FoldedLine => "folded_line",
            Self::Malformed => "malformed_head",
            Self::HttpVersion => "http_version",
            Self::Http2 => "http2_not_served",
            Self::Tls => "tls_on_plain_port",
            Self::Method => "method_not_served",
            Self::MethodTooLong => "method_too_long",
            Self::Target => "target_invalid",
            Self::HostMissing => "host_missing",
            Self::HostRepeated => "host_repeated",
            Self::HostInvalid => "host_invalid",
            Self::AuthorityMismatch => "authority_mismatch",
            Self::FieldRepeated => "field_repeated",
            Self::ContentLength => "content_length_invalid",
            Self::TransferEncoding => "transfer_encoding_invalid",
            Self::FramingConflict => "framing_conflict",
            Self::Connection => "connection_invalid",
            Self::ConnectionProtected => "connection_protected",
            Self::UpgradeList => "upgrade_list",
            Self::Expectation => "expectation_failed",
            Self::HandshakeMethod => "handshake_method",
            Self::HandshakeHttpVersion => "handshake_http_version",
            Self::HandshakeBody => "handshake_body",
            Self::HandshakeExpectation => "handshake_expectation",
            Self::WebSocketVersion => "websocket_version",
            Self::WebSocketKey => "websocket_key",
            Self::Subprotocol => "subprotocol_invalid",
            Self::Extensions => "extensions_invalid",
        }
    }

    /// Fields that the refusal must carry: what is allowed instead (RFC 9110 §15.5.6, §15.5.22; RFC 6455 §4.4).
    pub const fn answer_fields(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Method => &[("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")],
            Self::WebSocketVersion => &[("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")],
            _ => &[],
        }
    }
}
