//! A chat service as many people run one, and as it should be: sign up, log in, open a WebSocket, talk to an agent,
//! watch it work. Behind the door it survives its own cold start.
//!
//! Owns the service; `main.rs` only starts it. The way of the data:
//!
//! ```text
//! settings -> startup -> store, bus, auth, agent -> chat -> socket, api -> log
//! ```
//!
//! A message is stored, then answered by a run of the agent. Whatever a run says is an event: numbered for its user,
//! stored first, then told over the bus to whichever instance has that user's sockets. A socket that missed some
//! reads them from the store. So an instance may die at any moment, and nobody loses or doubles a word.

pub mod agent;
pub mod api;
pub mod auth;
pub mod bus;
pub mod chat;
pub mod clock;
pub mod event;
pub mod log;
pub mod page;
pub mod settings;
pub mod socket;
pub mod startup;
pub mod store;
