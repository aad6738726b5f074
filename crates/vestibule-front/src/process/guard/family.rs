//! The mark by which a killed front's family is found.
//!
//! Owns the mark in the environment of everything the service starts, and the sweep over those who
//! carry it. The sweep runs in the watcher, the copy of a process with many threads: it must never
//! allocate, lock or panic.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::event::{Timespec, poll};
use rustix::fs::{Mode, OFlags, RawDir, open, openat};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

/// The variable that carries the mark, and those of fronts around us, from parent to child.
pub const FAMILY: &str = "VESTIBULE_FAMILY";

/// A random number in hexadecimal: no stranger carries it by chance.
pub(super) type Mark = [u8; 32];

/// Sweeps follow each other until one finds nobody: whoever forked during one is found by the next.
const SWEEPS_MAX: usize = 100;
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 5_000_000 };
/// No environment is read further: it is what the kernel takes for all arguments and variables of
/// an exec together (execve(2), "Limits on size of arguments and environment"), by the usual stack
/// limit.
const ENVIRONMENT_MAX: usize = 2 * 1024 * 1024;

pub(super) fn draw() -> Mark {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|_| DIGITS[fastrand::usize(..DIGITS.len())])
}

/// Kills everybody who carries the mark.
pub(super) fn kill_marked(mark: &Mark) {
    for _ in 0..SWEEPS_MAX {
        if !sweep(mark) {
            return;
        }
        let _ = poll(&mut [], Some(&PAUSE));
    }
}

/// One pass over all processes; answers whether anybody was found.
fn sweep(mark: &Mark) -> bool {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(all) = open(c"/proc", flags, Mode::empty()) else { return false };
    let mut room = [MaybeUninit::<u8>::uninit(); 4096];
    let mut entries = RawDir::new(&all, &mut room);
    let mut found = false;
    while let Some(Ok(entry)) = entries.next() {
        if let Some(pid) = number(entry.file_name()) {
            found |= kill_if_marked(&all, pid, mark);
        }
    }
    found
}

fn number(name: &CStr) -> Option<Pid> {
    let text = std::str::from_utf8(name.to_bytes()).ok()?;
    Pid::from_raw(text.parse().ok()?)
}

fn kill_if_marked(all: &OwnedFd, pid: Pid, mark: &Mark) -> bool {
    // Taken before the look, so that the signal goes to whom we looked at and to no later one of
    // the same number.
    let pidfd = pidfd_open(pid, PidfdFlags::empty());
    if !carries(all, pid, mark) {
        return false;
    }
    let _ = match pidfd {
        Ok(pidfd) => pidfd_send_signal(pidfd, Signal::KILL),
        // Linux before 5.3, or a filter that forbids it.
        Err(Errno::NOSYS | Errno::PERM) => kill_process(pid, Signal::KILL),
        Err(error) => Err(error),
    };
    true
}

/// Whether a process was started with the mark. Of those that are not ours to look at, or dead, the
/// answer is no.
fn carries(all: &OwnedFd, pid: Pid, mark: &Mark) -> bool {
    let mut path = [0; 32];
    let Some(path) = environment_of(pid, &mut path) else { return false };
    let Ok(file) = openat(all, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else {
        return false;
    };
    let mut chunk = [0; 4096];
    // What was kept of the chunk before: a mark may lie across two.
    let mut kept = 0;
    for _ in 0..ENVIRONMENT_MAX / (chunk.len() - mark.len()) {
        let Some(rest) = chunk.get_mut(kept..) else { return false };
        let Ok(count @ 1..) = rustix::io::read(&file, rest) else { return false };
        let filled = kept + count;
        if chunk.get(..filled).is_some_and(|read| contains(read, mark)) {
            return true;
        }
        kept = filled.min(mark.len() - 1);
        chunk.copy_within(filled - kept..filled, 0);
    }
    false
}

/// `<pid>/environ`, written into `room`.
fn environment_of(pid: Pid, room: &mut [u8; 32]) -> Option<&CStr> {
    use std::io::Write;
    let mut rest = room.as_mut_slice();
    write!(rest, "{}/environ\0", pid.as_raw_nonzero()).ok()?;
    CStr::from_bytes_until_nul(room).ok()
}

fn contains(bytes: &[u8], mark: &Mark) -> bool {
    bytes.windows(mark.len()).any(|window| window == mark)
}

#[cfg(test)]
mod tests {
    //! Breaks the sweep with bystanders and with a mark at every place of an environment.
    use std::process::Command;

    use super::*;

    #[test]
    fn a36_who_carries_the_mark_is_killed_and_nobody_else() {
        let (mark, other) = (draw(), draw());
        let start = |padding: usize, mark: &Mark| {
            let value = "x".repeat(padding) + std::str::from_utf8(mark).unwrap();
            Command::new("sleep").arg("1000").env(FAMILY, value).spawn().unwrap()
        };
        // Paddings that put it before, across and behind the edge of a chunk.
        let mut marked: Vec<_> = (0..12).map(|step| start(step * 700, &mark)).collect();
        let mut bystander = start(0, &other);
        kill_marked(&mark);
        for child in &mut marked {
            assert!(!child.wait().unwrap().success());
        }
        assert!(bystander.try_wait().unwrap().is_none());
        kill_marked(&other);
        assert!(!bystander.wait().unwrap().success());
    }

    #[test]
    fn two_marks_differ() {
        assert_ne!(draw(), draw());
    }
}
