//! Writing to stdout.
//!
//! Owns telling a reader that left, which is no failure, from a machine that could not take what we
//! wrote, which is one. Must never panic, as `println!` does.

use std::io::{self, ErrorKind, Write as _};

use crate::error::Error;

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// As far as we know, it reads.
    Reads,
    /// It has seen what it wanted (`| head`).
    Left,
}

/// Writes a page.
///
/// # Errors
/// The kernel's, unless nobody reads any more: a page that is not whole must not look whole to a
/// script.
pub(crate) fn write(page: &str) -> Result<Reader, Error> {
    let mut stdout = io::stdout().lock();
    judged(stdout.write_all(page.as_bytes()).and_then(|()| stdout.flush()))
}

/// What the end of a write to stdout means.
pub(crate) fn judged(written: io::Result<()>) -> Result<Reader, Error> {
    match written {
        Ok(()) => Ok(Reader::Reads),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Left),
        Err(error) => Err(Error::system(format!("cannot write to stdout: {error}")).hint(
            "what was written is not whole: see where stdout leads, and whether it has room",
        )),
    }
}
