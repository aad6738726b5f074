//! The parser of sd_notify messages.
//!
//! Input: one datagram. Holds: each field is what the last line of its name says by a naive
//! reading, the status obeys nobody's terminal, and a message made of the fields says the same.

use std::time::Duration;

use vestibule_front::process::notify::Notification;

/// The documented bound of a status, in characters.
const STATUS_MAX: usize = 256;

/// See the module's lines.
pub fn notify(input: &[u8]) {
    let notification = Notification::parse(input);
    assert_eq!(notification.ready, last(input, "READY") == Some(b"1"));
    assert_eq!(notification.stopping, last(input, "STOPPING") == Some(b"1"));
    assert_eq!(notification.reloading, last(input, "RELOADING") == Some(b"1"));
    let number = |name| last(input, name).and_then(naive_number);
    let small = |name| number(name).and_then(|number| u32::try_from(number).ok());
    assert_eq!(notification.main_pid, small("MAINPID").filter(|&pid| pid > 0));
    assert_eq!(notification.errno, small("ERRNO"));
    let extended = number("EXTEND_TIMEOUT_USEC").and_then(|micros| u64::try_from(micros).ok());
    assert_eq!(notification.extend_timeout, extended.map(Duration::from_micros));
    if let Some(status) = &notification.status {
        assert!(!status.is_empty() && status.trim() == status, "{status:?}");
        assert!(status.chars().count() <= STATUS_MAX);
        assert!(!status.contains(super::log::is_obeyed), "{status:?}");
        assert!(last(input, "STATUS").is_some());
    }
    assert_eq!(Notification::parse(&written(&notification)), notification);
}

/// The value of the last line of that name.
fn last<'i>(input: &'i [u8], name: &str) -> Option<&'i [u8]> {
    let lines = input.split(|&byte| byte == b'\n');
    lines.rev().find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

fn naive_number(digits: &[u8]) -> Option<u128> {
    let mut number = 0_u128;
    for &digit in digits {
        let digit = char::from(digit).to_digit(10)?;
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    (!digits.is_empty()).then_some(number)
}

fn written(notification: &Notification) -> Vec<u8> {
    let mut lines = Vec::new();
    let flags = [
        ("READY", notification.ready),
        ("STOPPING", notification.stopping),
        ("RELOADING", notification.reloading),
    ];
    lines.extend(flags.iter().filter(|(_, set)| *set).map(|(name, _)| format!("{name}=1")));
    lines.extend(notification.status.iter().map(|status| format!("STATUS={status}")));
    lines.extend(notification.errno.map(|errno| format!("ERRNO={errno}")));
    lines.extend(notification.main_pid.map(|pid| format!("MAINPID={pid}")));
    let extended = notification.extend_timeout.map(|extended| extended.as_micros());
    lines.extend(extended.map(|micros| format!("EXTEND_TIMEOUT_USEC={micros}")));
    lines.join("\n").into_bytes()
}
