//! One client's connection, byte for byte, with what the bytes mean beside them.
//!
//! Owns the reading of heads and frames for people. Must never be fed to a parser that decides.

use super::{
    style::{Ink, Style},
    units::seconds,
};
use crate::trace::{Direction, Passage, Trace};

/// Bytes of a frame shown as hex.
const HEX_BYTES_MAX: usize = 16;
/// Lines of a head shown.
const HEAD_LINES_MAX: usize = 20;

/// The recording as lines: time, direction, bytes, meaning.
#[must_use]
pub fn lines(trace: &Trace, style: Style) -> String {
    let mut text = String::new();
    let mut before = None;
    for passage in &trace.passages {
        let (arrow, ink) = match passage.direction {
            Direction::Sent => (if style.unicode { "→" } else { ">" }, Ink::Faint),
            Direction::Received => (if style.unicode { "←" } else { "<" }, Ink::Strong),
        };
        let at = format!("{:>9}", seconds_ms(passage));
        let waited = before.map(|then| passage.at.saturating_sub(then));
        if let Some(waited) = waited.filter(|waited| waited.as_millis() >= 100) {
            let pause = format!("{:>13} {} later", "...", seconds(waited));
            text.push_str(&style.paint(Ink::Waiting, &pause));
            text.push('\n');
        }
        before = Some(passage.at);
        for (number, line) in meaning(&passage.bytes).iter().enumerate() {
            let lead = match number {
                0 => format!("{at}  {arrow} "),
                _ => format!("{:>9}  {} ", "", if style.unicode { "·" } else { "." }),
            };
            text.push_str(&style.paint(ink, &format!("{lead}{line}")));
            text.push('\n');
        }
    }
    text
}

fn seconds_ms(passage: &Passage) -> String {
    format!("{:.4} s", passage.at.as_secs_f64())
}

/// The bytes in lines: a head as its escaped text, frames as hex with their meaning.
fn meaning(bytes: &[u8]) -> Vec<String> {
    if bytes.is_empty() {
        return vec!["(end of the connection)".into()];
    }
    let is_head = bytes.starts_with(b"GET ") || bytes.starts_with(b"HTTP/1.");
    if !is_head {
        return frames(bytes);
    }
    let end = find(bytes, b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    let (head, rest) = bytes.split_at(end);
    let mut lines: Vec<String> = head
        .split_inclusive(|&byte| byte == b'\n')
        .take(HEAD_LINES_MAX)
        .map(|line| line.escape_ascii().to_string())
        .collect();
    if !rest.is_empty() {
        lines.extend(frames(rest));
    }
    lines
}

/// Each frame of RFC 6455 section 5.2 on a line; what does not look like one is shown as it is.
fn frames(mut bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    while !bytes.is_empty() && lines.len() < HEAD_LINES_MAX {
        let length = frame_length(bytes).unwrap_or(bytes.len()).min(bytes.len());
        let (frame, rest) = bytes.split_at(length);
        lines.push(format!("{}   {}", hex(frame), describe(frame)));
        bytes = rest;
    }
    lines
}

fn hex(bytes: &[u8]) -> String {
    let shown = bytes.iter().take(HEX_BYTES_MAX);
    let text: Vec<String> = shown.map(|byte| format!("{byte:02x}")).collect();
    let more = if bytes.len() > HEX_BYTES_MAX { " ..." } else { "" };
    format!("{}{more}", text.join(" "))
}

/// Header and payload length of a frame; `None` where its header is cut or long.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let (header, payload) = match bytes.get(1)? & 0x7f {
        126 => {
            let long = bytes.get(2..4)?;
            (4, usize::from(u16::from_be_bytes([long[0], long[1]])))
        }
        127 => return None,
        short => (2, usize::from(short)),
    };
    let mask = if bytes[1] & 0x80 == 0 { 0 } else { 4 };
    Some(header + mask + payload)
}

/// What a frame says, unmasked.
fn describe(frame: &[u8]) -> String {
    let [first, second, ..] = frame else {
        return "cut short".into();
    };
    let masked = second & 0x80 != 0;
    let start = 2 + if second & 0x7f == 126 { 2 } else { 0 };
    let payload = match frame.get(start..start + 4) {
        Some(mask) if masked => {
            let unmask = |(at, byte): (usize, &u8)| byte ^ mask[at % 4];
            frame[start + 4..].iter().enumerate().map(unmask).collect()
        }
        _ => frame.get(start..).unwrap_or_default().to_vec(),
    };
    let note = if masked { ", masked" } else { "" };
    let text = payload.escape_ascii();
    match first & 0x0f {
        0x1 => format!("text \"{text}\"{note}"),
        0x2 => format!("binary, {} bytes{note}", payload.len()),
        0x8 => match payload.as_slice() {
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                let reason = match reason {
                    [] => String::new(),
                    reason => format!(" \"{}\"", reason.escape_ascii()),
                };
                format!("Close {code}{reason}{note}")
            }
            _ => format!("Close without a code{note}"),
        },
        0x9 => format!("Ping{note}"),
        0xa => format!("Pong{note}"),
        _ => "not a frame we know".into(),
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|at| at == needle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn passage(ms: u64, direction: Direction, bytes: &[u8]) -> Passage {
        Passage { at: Duration::from_millis(ms), direction, bytes: bytes.to_vec() }
    }

    // Breaks the reading of one whole visit: a held head, a 101 with a frame behind it, a Close.
    #[test]
    fn a_visit_can_be_read() {
        let trace = Trace {
            passages: vec![
                passage(1200, Direction::Sent, b"GET /ws HTTP/1.1\r\nHost: h\r\n\r\n"),
                passage(
                    2512,
                    Direction::Received,
                    b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi",
                ),
                passage(2513, Direction::Sent, b"\x81\x82\x01\x02\x03\x04ik"),
                passage(2514, Direction::Received, b"\x88\x0a\x03\xf3starting"),
                passage(2515, Direction::Received, b""),
            ],
        };
        let expected = "
 1.2000 s  > GET /ws HTTP/1.1\\r\\n
           . Host: h\\r\\n
           . \\r\\n
          ... 1.31 s later
 2.5120 s  < HTTP/1.1 101 Switching Protocols\\r\\n
           . \\r\\n
           . 81 02 68 69   text \"hi\"
 2.5130 s  > 81 82 01 02 03 04 69 6b   text \"hi\", masked
 2.5140 s  < 88 0a 03 f3 73 74 61 72 74 69 6e 67   Close 1011 \"starting\"
 2.5150 s  < (end of the connection)
";
        assert_eq!(lines(&trace, Style::PLAIN), expected[1..]);
    }

    // Breaks the frame reader with cut and hostile bytes: it must end and never panic.
    #[test]
    fn any_bytes_can_be_shown() {
        for bytes in [
            &b"\x81"[..],
            b"\x81\xfe",
            b"\x81\x85\x01",
            b"\x81\x7f\xff",
            b"\x88\x01x",
            b"\x81\xfe\x00\x02\x01\x02\x03\x04ab",
            b"\x00\x00\x00\x00",
        ] {
            assert!(!meaning(bytes).is_empty());
        }
        assert_eq!(
            meaning(b"\x88\x80\x01\x02\x03\x04")[0],
            "88 80 01 02 03 04   Close without a code, masked"
        );
    }
}
