//! The last lines a target wrote.
//!
//! Owns a bounded tail of its output, and the tasks that read it. Must never let the target wait
//! for a full pipe.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{ChildStderr, ChildStdout},
    task::JoinHandle,
    time::{Instant, sleep},
};

/// How much of the end of the output is kept.
const TAIL_BYTES_MAX: usize = 4096;
/// How long the pipes of an ended target may take to end.
const READ_WITHIN: Duration = Duration::from_millis(200);
/// How often they are looked at.
const READ_PAUSE: Duration = Duration::from_millis(2);
/// How many lines of it are shown.
const TAIL_LINES_MAX: usize = 12;

/// The end of the output of one target. Dropping it stops the reading.
#[derive(Debug)]
pub(crate) struct LastLines {
    tail: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

impl LastLines {
    /// Reads both pipes until they end.
    pub(crate) fn follow(stdout: Option<ChildStdout>, stderr: Option<ChildStderr>) -> Self {
        let tail = Arc::new(Mutex::new(Vec::new()));
        let mut readers = Vec::new();
        if let Some(pipe) = stdout {
            readers.push(tokio::spawn(read_into(Arc::clone(&tail), pipe)));
        }
        if let Some(pipe) = stderr {
            readers.push(tokio::spawn(read_into(Arc::clone(&tail), pipe)));
        }
        Self { tail, readers }
    }

    /// Whether both pipes have ended.
    pub(crate) fn is_all_read(&self) -> bool {
        self.readers.iter().all(JoinHandle::is_finished)
    }

    /// Waits until both pipes have ended; not for long, since a worker of an ended target may hold them.
    pub(crate) async fn all_read(&self) {
        let deadline = Instant::now() + READ_WITHIN;
        while !self.is_all_read() && Instant::now() < deadline {
            sleep(READ_PAUSE).await;
        }
    }

    /// The last lines so far, without what acts on a terminal.
    pub(crate) fn lines(&self) -> Vec<String> {
        last_lines(&self.tail.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for LastLines {
    fn drop(&mut self) {
        // A process that left the group could hold a pipe open for ever.
        for reader in &self.readers {
            reader.abort();
        }
    }
}

async fn read_into(tail: Arc<Mutex<Vec<u8>>>, mut pipe: impl AsyncRead + Unpin) {
    let mut chunk = [0; 2048];
    while let Ok(n @ 1..) = pipe.read(&mut chunk).await {
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(&chunk[..n]);
        let surplus = tail.len().saturating_sub(TAIL_BYTES_MAX);
        tail.drain(..surplus);
    }
}

fn last_lines(tail: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(tail);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = &lines[lines.len().saturating_sub(TAIL_LINES_MAX)..];
    let printable = |line: &&str| line.chars().filter(|c| !acts_on_a_terminal(*c)).collect();
    shown.iter().map(printable).collect()
}

/// Control characters, line separators, and what turns the direction of writing (Unicode, UAX #9).
fn acts_on_a_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    // Breaks the tail: more lines than are shown, blank ones, escape sequences, bad UTF-8.
    #[test]
    fn the_tail_is_bounded_and_printable() {
        let many: String = (0..40).map(|n| format!("line {n}\n\n")).collect();
        let lines = last_lines(many.as_bytes());
        assert_eq!(lines.len(), TAIL_LINES_MAX);
        assert_eq!(lines.last().unwrap(), "line 39");
        assert_eq!(last_lines(b"\x1b[31mred\xff\x07"), ["[31mred\u{fffd}"]);
        assert_eq!(last_lines("\u{202e}a\u{2028}b\u{9b}".as_bytes()), ["ab"]);
    }

    #[tokio::test]
    async fn a_chatty_target_costs_no_more_than_the_tail() {
        let tail = Arc::new(Mutex::new(Vec::new()));
        let chatter = vec![b'x'; 1 << 20];
        read_into(Arc::clone(&tail), chatter.as_slice()).await;
        assert_eq!(tail.lock().unwrap().len(), TAIL_BYTES_MAX);
    }
}
