//! The page: one HTML file with its style and script, in the binary.
//!
//! Owns its headers. Must never refer to another host.
