//! How a command is started.
//!
//! Owns the seam to a process that buries the orphans of its children, as `vestibule run` does: it must know of
//! each child whose status somebody waits for, from the moment of its birth. Must never wait for one.

use std::any::Any;
use std::fmt;
use std::io;

use tokio::process::{Child, Command};

/// Starts commands.
pub trait Spawn: Send + Sync {
    /// Starts one. Whoever else in this process takes the status of dead children must know of this one before
    /// it can have died.
    ///
    /// # Errors
    ///
    /// Those of the system.
    fn spawn(&self, command: &mut Command) -> io::Result<Spawned>;
}

/// A command that was started.
pub struct Spawned {
    /// Its process.
    pub child: Child,
    /// Whatever must live until its status was taken; dropped after the child.
    pub place: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Spawned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spawned").field(&self.child.id()).finish()
    }
}

/// Starts commands where nobody else takes the status of children.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plainly;

impl Spawn for Plainly {
    fn spawn(&self, command: &mut Command) -> io::Result<Spawned> {
        Ok(Spawned { child: command.spawn()?, place: Box::new(()) })
    }
}
