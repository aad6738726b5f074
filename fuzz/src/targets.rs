//! The targets, one file each.
//!
//! Owns their list. Each file opens with how it reads its input and what must hold.

mod answer;
mod body;
mod config;
mod frames;
mod head;
mod log;
mod notify;

pub use answer::answer;
pub use body::body;
pub use config::config;
pub use frames::frames;
pub use head::head;
pub use log::log;
pub use notify::notify;
