//! A slow-starting axum service.
fn main() {}
