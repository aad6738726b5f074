//! Accounts over HTTP, as a client has them: sign up, log in, refresh, log out; passwords, tokens and keys.
//!
//! Breaks them by whatever a token can say that is not so, by refresh tokens that are shown twice, one after the other
//! and at once, by keys that change while tokens live, and by looking at the clock of a log-in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests say what they expect by unwrapping; the house is that of other tests, too"
)]

#[path = "stage/house.rs"]
mod house;
#[path = "accounts/keys.rs"]
mod keys;
#[path = "accounts/passwords.rs"]
mod passwords;
#[path = "accounts/sessions.rs"]
mod sessions;
#[path = "accounts/tokens.rs"]
mod tokens;
