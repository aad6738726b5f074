//! The closed list of words for why a client was refused.
//!
//! Owns the list that metrics and documents show, so that each reason has its place there from the
//! start. Must never be made of anything that a request holds.

use super::Reason;

impl Reason {
    /// Every word that [`Reason::code`] may return.
    pub const CODES: [&'static str; 52] = [
        // The gate's.
        "deadline",
        "queue_full",
        "client_share",
        "failed",
        "breaker_open",
        "draining",
        // Ours.
        "head_timeout",
        "early_bytes",
        "not_ready",
        "unreachable",
        "short",
        "unsettled",
        "upstream_defect",
        // Of heads.
        "head_too_large",
        "too_many_fields",
        "target_too_long",
        "bare_lf",
        "bare_cr",
        "control_byte",
        "folded_line",
        "malformed_head",
        "http_version",
        "http2_not_served",
        "tls_on_plain_port",
        "method_not_served",
        "method_too_long",
        "target_invalid",
        "host_missing",
        "host_repeated",
        "host_invalid",
        "authority_mismatch",
        "content_length_invalid",
        "transfer_encoding_invalid",
        "framing_conflict",
        "connection_invalid",
        "connection_protected",
        "field_repeated",
        "upgrade_list",
        "expectation_failed",
        "handshake_method",
        "handshake_http_version",
        "handshake_body",
        "handshake_expectation",
        "websocket_version",
        "websocket_key",
        "subprotocol_invalid",
        "extensions_invalid",
        // Of bodies.
        "chunk_size_invalid",
        "chunk_extension_invalid",
        "chunk_end_invalid",
        "trailers_invalid",
        "body_truncated",
    ];

    /// The word for it in metrics and documents.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Gate(refusal) => refusal.code(),
            Self::Head(error) => error.code(),
            Self::Body(error) => error.code(),
            Self::HeadTimeout => "head_timeout",
            Self::EarlyBytes => "early_bytes",
            Self::NotReady => "not_ready",
            Self::Short(_) => "short",
            Self::Unreachable => "unreachable",
            Self::Unsettled(_) => "unsettled",
            Self::UpstreamDefect => "upstream_defect",
        }
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the promise that the list is whole, by reading the rooms that make the words.

    use std::collections::BTreeSet;

    use vestibule::gate::Refusal;

    use super::*;

    /// The words that a source file's `fn code` matches answer with.
    fn words_of(source: &str) -> impl Iterator<Item = &str> {
        let code = source.split("pub const fn code(").nth(1).unwrap().split("\n    }\n").next();
        code.unwrap().split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap())
    }

    #[test]
    fn every_reason_has_its_place_from_the_start() {
        let mut all: BTreeSet<&str> = Refusal::CODES.into_iter().collect();
        all.extend(words_of(include_str!("../head/error.rs")));
        all.extend(words_of(include_str!("../body.rs")));
        all.extend(words_of(include_str!("code.rs")));
        let listed: BTreeSet<&str> = Reason::CODES.into_iter().collect();
        assert_eq!(listed, all);
        assert_eq!(listed.len(), Reason::CODES.len());
    }
}
