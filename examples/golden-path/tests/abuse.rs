//! What people do to an account service that they should not.
//!
//! Breaks it by floods of log-ins, by made-up addresses, by pages of other origins that look like ours, by bodies and
//! heads that no client writes, by asking for what is others', and by looking for secrets in its log.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests say what they expect by unwrapping; the house is that of other tests, too"
)]

#[path = "abuse/floods.rs"]
mod floods;
#[path = "stage/house.rs"]
mod house;
#[path = "abuse/origins.rs"]
mod origins;
#[path = "abuse/requests.rs"]
mod requests;
#[path = "abuse/secrets.rs"]
mod secrets;
