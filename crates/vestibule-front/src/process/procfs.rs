//! What `/proc` says about a process.
//!
//! Owns the parsing of `/proc/<pid>/stat` (proc_pid_stat(5)). Must never act on what it reads, and
//! never fail where `/proc` is missing: nothing readable means nothing known.

use std::fs;

/// Most processes looked at in one pass: the kernel's default `pid_max` on large machines is
/// 4,194,304, but a container with more than this many has other troubles, and every loop here has
/// a bound.
const PROCESSES_MAX: usize = 65_536;

/// One process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) pid: u32,
    pub(super) parent: u32,
    pub(super) group: u32,
    pub(super) session: u32,
    /// Dead, and waiting only to be reaped.
    pub(super) zombie: bool,
    /// Clock ticks after boot. Together with `pid` it names a process for all time.
    pub(super) started: u64,
}

/// Whether it can be read at all: a container may hide it.
pub fn is_there() -> bool {
    stat(std::process::id()).is_some()
}

/// The process of this number now, if there is one.
pub(super) fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// Every process that can be seen.
pub(super) fn processes() -> Vec<Stat> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .take(PROCESSES_MAX)
        .filter_map(stat)
        .collect()
}

/// Reads a line of the form `pid (name) state parent group session …`. The name may hold spaces,
/// parentheses and any byte, so the fields are counted from the *last* parenthesis.
pub(super) fn parse_stat(line: &[u8]) -> Option<Stat> {
    let open = line.iter().position(|&byte| byte == b'(')?;
    let close = line.iter().rposition(|&byte| byte == b')')?;
    let pid = std::str::from_utf8(line.get(..open)?).ok()?.trim().parse().ok()?;
    let rest = std::str::from_utf8(line.get(close + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // proc_pid_stat(5) counts from 1, and `state` is its field 3.
    let field = |number: usize| fields.get(number - 3).copied();
    let threads: u32 = field(20)?.parse().ok()?;
    Some(Stat {
        pid,
        parent: field(4)?.parse().ok()?,
        group: field(5)?.parse().ok()?,
        session: field(6)?.parse().ok()?,
        // A process whose first thread has ended while others run shows `Z` too, and is alive.
        zombie: matches!(field(3)?, "Z" | "X" | "x") && threads <= 1,
        started: field(22)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    //! Breaks the parser with names that look like fields, and with lines cut short.
    use super::*;

    const TAIL: &str = "1 41 40 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 777 0 0";

    #[test]
    fn a_name_full_of_parentheses_does_not_shift_the_fields() {
        let line = format!("42 (a) Z 9 (b) S {TAIL}");
        let stat = parse_stat(line.as_bytes()).unwrap();
        assert_eq!((stat.pid, stat.parent, stat.group, stat.session), (42, 1, 41, 40));
        assert_eq!((stat.zombie, stat.started), (false, 777));
    }

    #[test]
    fn a_first_thread_that_ended_does_not_make_the_process_dead() {
        let line = format!("42 (x) Z {}", TAIL.replacen(" 20 0 1 ", " 20 0 3 ", 1));
        assert!(!parse_stat(line.as_bytes()).unwrap().zombie);
        assert!(parse_stat(format!("42 (x) Z {TAIL}").as_bytes()).unwrap().zombie);
    }

    #[test]
    fn a_line_cut_anywhere_is_nothing_known() {
        let line = format!("42 (x) S {TAIL}");
        for end in 0..line.find("777").unwrap() {
            assert_eq!(parse_stat(&line.as_bytes()[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn we_find_ourselves() {
        let own = stat(std::process::id()).unwrap();
        assert!(!own.zombie);
        assert!(
            processes().iter().any(|other| other.pid == own.pid && other.started == own.started)
        );
    }
}
