//! Server-sent events (WHATWG HTML, section 9.2.6), as far as a stream of completions needs them.
//!
//! Owns the cutting of bytes into events. Must never keep more than [`EVENT_MAX`] bytes of one.

/// The longest event, in bytes.
pub(super) const EVENT_MAX: usize = 1024 * 1024;

/// A stream of events that is being read.
#[derive(Debug, Default)]
pub(super) struct Reader {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was CR: an LF that follows belongs to it.
    after_cr: bool,
    /// Whether the first line was seen: a byte order mark may stand before it.
    has_begun: bool,
}

/// An event is longer than [`EVENT_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Reader {
    /// Takes in bytes, in pieces of any size; adds the data of the events that are whole now.
    pub(super) fn read(&mut self, bytes: &[u8], events: &mut Vec<Vec<u8>>) -> Result<(), TooLong> {
        for byte in bytes {
            let follows_cr = std::mem::replace(&mut self.after_cr, *byte == b'\r');
            match byte {
                b'\n' if follows_cr => {}
                b'\r' | b'\n' => self.end_line(events),
                _ if self.line.len() + self.data.len() >= EVENT_MAX => return Err(TooLong),
                _ => self.line.push(*byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self, events: &mut Vec<Vec<u8>>) {
        let line = std::mem::take(&mut self.line);
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if !self.has_begun => rest,
            _ => &line[..],
        };
        self.has_begun = true;
        if line.is_empty() {
            if std::mem::take(&mut self.has_data) {
                events.push(std::mem::take(&mut self.data));
            }
            return;
        }
        // Comments begin with a colon; other fields say nothing to us.
        let Some(value) = line.strip_prefix(b"data") else { return };
        let value = match value {
            [] => value,
            [b':', b' ', rest @ ..] | [b':', rest @ ..] => rest,
            _ => return,
        };
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = "\u{feff}: hello\r\ndata: {\"a\":\"é\"}\r\n\r\nid: 7\ndata:b\ndata: c\n\n\rdata\r\rdatax: no\n\ndata: [DONE]\n\ndata: cut".as_bytes();

    fn events(pieces: &[&[u8]]) -> Vec<String> {
        let mut reader = Reader::default();
        let mut events = Vec::new();
        for piece in pieces {
            reader.read(piece, &mut events).expect("short events");
        }
        events.into_iter().map(|event| String::from_utf8(event).expect("text")).collect()
    }

    /// Breaks if an event depends on where the network has cut it.
    #[test]
    fn the_same_events_come_out_wherever_the_bytes_are_cut() {
        let whole = events(&[STREAM]);
        assert_eq!(whole, ["{\"a\":\"é\"}", "b\nc", "", "[DONE]"]);
        for cut in 0..=STREAM.len() {
            for next in cut..=STREAM.len() {
                let pieces = [&STREAM[..cut], &STREAM[cut..next], &STREAM[next..]];
                assert_eq!(events(&pieces), whole, "{cut}, {next}");
            }
        }
    }

    /// Breaks if an endless line or event is kept.
    #[test]
    fn an_endless_event_is_given_up() {
        for piece in [&b"data: x"[..], b"data: x\n"] {
            let mut reader = Reader::default();
            let mut read = 0;
            let mut events = Vec::new();
            while reader.read(piece, &mut events).is_ok() {
                read += piece.len();
                assert!(read <= 4 * EVENT_MAX, "{piece:?}");
            }
        }
    }
}
