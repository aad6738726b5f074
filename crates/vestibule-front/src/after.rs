//! What becomes of a client's connection after a plain request.
//!
//! Owns the word that whoever answered leaves to the connection. Must never act on it.

use crate::ending::Ending;
use crate::farewell::Reason;

/// What becomes of the client's connection after a plain request.
#[derive(Debug)]
pub enum After {
    /// It may bring the next request.
    Keep,
    /// It is over.
    Over(Ending),
    /// It is over, and must not look as if its end ended the answer.
    Broken(Ending),
    /// It is over once the client has been told this.
    Refuse(Reason, Ending),
}
