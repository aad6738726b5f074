//! What a message says.
//!
//! Owns the parsing. Must never fail, and never let a byte through that a terminal or a log would
//! obey.

use std::time::Duration;

use crate::terminal::is_obeyed;

/// Longest status that is kept, in characters.
const STATUS_MAX: usize = 256;

/// One message of the service. Fields that sd_notify(3) does not define, or that make no sense, are
/// left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// `READY=1`: it may take traffic.
    pub ready: bool,
    /// `STOPPING=1`: it is about to end.
    pub stopping: bool,
    /// `RELOADING=1`: it is not ready until it says so again.
    pub reloading: bool,
    /// `STATUS=`: one line for people, without control characters, at most 256 characters.
    pub status: Option<String>,
    /// `EXTEND_TIMEOUT_USEC=`: it asks for this much more time, from now on.
    pub extend_timeout: Option<Duration>,
    /// `ERRNO=`: the number of the error that makes it fail, errno(3).
    pub errno: Option<u32>,
    /// `MAINPID=`: the process that now counts as the service. From
    /// [`NotifySocket::recv`](super::NotifySocket::recv) only if that process belongs to it.
    pub main_pid: Option<u32>,
}

impl Notification {
    /// Reads any bytes. Where a name comes twice the last one counts, as in systemd.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut notification = Self::default();
        for line in bytes.split(|&byte| byte == b'\n') {
            let Some(equals) = line.iter().position(|&byte| byte == b'=') else {
                continue;
            };
            let (name, value) = (&line[..equals], &line[equals + 1..]);
            notification.take(name, value);
        }
        notification
    }

    fn take(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"READY" => self.ready = value == b"1",
            b"STOPPING" => self.stopping = value == b"1",
            b"RELOADING" => self.reloading = value == b"1",
            b"STATUS" => self.status = Some(clean(value)).filter(|status| !status.is_empty()),
            b"EXTEND_TIMEOUT_USEC" => {
                self.extend_timeout = number(value).map(Duration::from_micros);
            }
            b"ERRNO" => self.errno = number(value).and_then(|errno| u32::try_from(errno).ok()),
            b"MAINPID" => {
                self.main_pid =
                    number(value).and_then(|pid| u32::try_from(pid).ok()).filter(|&pid| pid != 0);
            }
            _ => {}
        }
    }
}

/// Digits alone; a sign or a blank makes it no number.
fn number(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

fn clean(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let shown: String =
        text.chars().filter(|&character| !is_obeyed(character)).take(STATUS_MAX).collect();
    shown.trim().to_owned()
}

#[cfg(test)]
mod tests {
    //! A table of what services send, and random bytes for what they do not.
    use super::*;
    use proptest::prelude::*;

    fn ready() -> Notification {
        Notification { ready: true, ..Notification::default() }
    }

    #[test]
    fn a35_a_message_says_what_it_says_and_no_more() {
        let none = Notification::default;
        let status = |text: &str| Notification { status: Some(text.to_owned()), ..none() };
        let table: [(&[u8], Notification); 20] = [
            (b"", none()),
            (b"READY=1", ready()),
            (b"READY=1\n", ready()),
            (b"\n\nREADY=1\nX_UNKNOWN=1\nFDSTORE=1\nFDNAME=x", ready()),
            (b"READY=0", none()),
            (b"READY=11", none()),
            (b"READY=1\r", none()),
            (b" READY=1", none()),
            (b"ready=1", none()),
            (b"READY", none()),
            (b"READY=1\nREADY=0", none()),
            (b"STOPPING=1", Notification { stopping: true, ..none() }),
            (b"RELOADING=1\nMONOTONIC_USEC=5", Notification { reloading: true, ..none() }),
            (b"STATUS=a=b", status("a=b")),
            (b"STATUS=\x1b[2J\x9bred\x07 \xffok\xe2\x80\xae ", status("[2J\u{fffd}red \u{fffd}ok")),
            (b"STATUS=\t", none()),
            (b"MAINPID=42\nERRNO=2", Notification { main_pid: Some(42), errno: Some(2), ..none() }),
            (b"MAINPID=0\nMAINPID=-1\nMAINPID=+3\nERRNO= 2", none()),
            (b"MAINPID=99999999999999999999", none()),
            (
                b"EXTEND_TIMEOUT_USEC=1500000",
                Notification { extend_timeout: Some(Duration::from_millis(1500)), ..none() },
            ),
        ];
        for (bytes, expected) in table {
            assert_eq!(Notification::parse(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn a33_any_bytes_give_a_short_and_harmless_status(
            bytes in proptest::collection::vec(any::<u8>(), 0..2048),
        ) {
            let mut message = b"STATUS=".to_vec();
            message.extend(&bytes);
            if let Some(status) = Notification::parse(&message).status {
                prop_assert!(status.chars().count() <= STATUS_MAX);
                prop_assert!(!status.chars().any(char::is_control));
            }
            Notification::parse(&bytes);
        }

        #[test]
        fn unknown_lines_around_change_nothing(noise in "[A-Z_]{0,9}=[^\n]{0,20}") {
            prop_assume!(!noise.starts_with("READY="));
            let parse = |text: String| Notification::parse(text.as_bytes());
            let among_noise = parse(format!("{noise}\nREADY=1\nZ{noise}"));
            prop_assert!(among_noise.ready);
            prop_assert_eq!(parse(format!("Z{noise}")), Notification::default());
        }
    }
}
