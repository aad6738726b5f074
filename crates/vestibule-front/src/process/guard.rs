//! A watcher that outlives us.
//!
//! Owns a small process, forked from ours, which kills the service's group if we die without a
//! chance to do so. The parent-death signal ends only the child itself; its workers would live on
//! and keep the port. Must never act while we live, and never outlive us by more than that one act.
//!
//! It hears of our end by a pipe, which the kernel closes however we die. Those that left the group
//! it knows by the mark that all of the service inherits in its environment; only who cleared that
//! as well is out of its reach.

mod family;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

pub use family::FAMILY;
use family::Mark;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process_group, pidfd_open, waitid,
};

use super::mask;

/// What the pipe carries, four bytes at a time and thus never torn (`PIPE_BUF`, pipe(7)): the
/// number of a group, or:
const NOBODY: i32 = 0;
const LEAVE: i32 = -1;

/// How long our end waits for the watcher's: it has one system call to make.
const LEAVE_WAIT: Duration = Duration::from_secs(1);

/// The watcher, as its principal holds it. Dropping it sends the watcher away and waits until it is
/// gone.
#[derive(Debug)]
pub struct Guard {
    pipe: OwnedFd,
    pid: Pid,
    /// `None` where the kernel has no such descriptors (Linux before 5.3).
    pidfd: Option<OwnedFd>,
    mark: Mark,
}

/// Forks the watcher; `None` as PID 1, where the kernel itself ends everything that is left.
///
/// Call it first thing in `main`, before any thread, runtime or large allocation: the watcher keeps
/// a copy of our memory as it is now. (It is sound at any time: the watcher makes system calls
/// only.)
///
/// # Errors
///
/// Where a pipe or a process cannot be had. Running without a guard is then the caller's choice.
pub fn start() -> io::Result<Option<Guard>> {
    if rustix::process::getpid().is_init() {
        return Ok(None);
    }
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    let mark = family::draw();
    let pid = mask::with_all_blocked(|| fork(&read, &mark))?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).ok();
    Ok(Some(Guard { pipe: write, pid, pidfd, mark }))
}

impl Guard {
    /// From now on this process group (and no other) is killed when we die.
    pub fn watch(&self, group: u32) {
        // A number beyond `i32` names no group; nothing is watched then.
        self.tell(i32::try_from(group).unwrap_or(NOBODY));
    }

    /// From now on nobody is: call it when the group has been ended, since its number may pass to a
    /// stranger.
    pub fn unwatch(&self) {
        self.tell(NOBODY);
    }

    /// The value of [`FAMILY`] for the child: whoever inherits it is killed when we are, in
    /// whatever group or session. `around` is our own value of that variable, which says whose
    /// family we are ourselves.
    pub fn family(&self, around: Option<&OsStr>) -> OsString {
        let mut value = around.map(OsStr::to_owned).unwrap_or_default();
        if !value.is_empty() {
            value.push(",");
        }
        // Hexadecimal digits.
        value.push(std::str::from_utf8(&self.mark).unwrap_or_default());
        value
    }

    /// The watcher's own number.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    fn tell(&self, word: i32) {
        if let Err(error) = rustix::io::write(&self.pipe, &word.to_ne_bytes()) {
            tracing::warn!(%error, "the guard is gone: if we are killed, workers may stay");
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // If it is gone already, it is gone.
        let _ = rustix::io::write(&self.pipe, &LEAVE.to_ne_bytes());
        // By number it might be a later child, if the reaper has buried this one; only the
        // descriptor is certain.
        let Some(pidfd) = &self.pidfd else { return };
        let wait = Timespec { tv_sec: LEAVE_WAIT.as_secs().cast_signed(), tv_nsec: 0 };
        let _ = poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&wait));
        let _ = waitid(
            WaitId::PidFd(std::os::fd::AsFd::as_fd(pidfd)),
            WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
        );
    }
}

fn fork(pipe: &OwnedFd, mark: &Mark) -> io::Result<Pid> {
    // JUSTIFICATION: the watcher must be there before anything can fail, and an exec would need our
    // own file, which a container may have replaced or hidden; only fork makes it of what we are.
    // SAFETY: the copy runs `watcher` alone, which never returns and makes system calls only: no
    // allocation, no lock (another thread may hold one for ever in the copy), no panic.
    #[allow(unsafe_code, reason = "fork of the guard")]
    match unsafe { libc::fork() } {
        0 => watcher(pipe.as_raw_fd(), mark),
        pid if pid > 0 => Pid::from_raw(pid).ok_or_else(io::Error::last_os_error),
        // Less than 0 is a failure, and no number of a process: the user may start no more.
        _ => Err(io::Error::last_os_error()),
    }
}

/// The watcher's whole life. It keeps the full mask with which it was forked: what ends the others
/// does not end it.
fn watcher(pipe: RawFd, mark: &Mark) -> ! {
    // A session of its own: no Ctrl-C, no hang-up of the terminal. None of these can fail in a way
    // that matters.
    let _ = rustix::process::setsid();
    let _ = rustix::thread::set_name(c"vestibule-guard");
    let _ = rustix::process::chdir(c"/");
    close_all_but(pipe);
    let mut group = NOBODY;
    // Ends with our end of the pipe: one word for each child, and the last for the farewell.
    loop {
        match read_word(pipe) {
            Ok(Some(LEAVE)) => break,
            Ok(Some(word)) => group = word,
            Err(Errno::INTR) => {}
            Ok(None) | Err(_) => {
                // Group 1 is init's, and no child of ours can lead it.
                if let Some(group) = Pid::from_raw(group).filter(|_| group > 1) {
                    let _ = kill_process_group(group, Signal::KILL);
                }
                family::kill_marked(mark);
                break;
            }
        }
    }
    // JUSTIFICATION: a copy of a process must not run the exit handlers of the original.
    // SAFETY: ends this process and nothing else.
    #[allow(unsafe_code, reason = "fork of the guard")]
    unsafe {
        libc::_exit(0)
    }
}

/// One word; `None` at the end of the pipe.
fn read_word(pipe: RawFd) -> Result<Option<i32>, Errno> {
    let mut bytes = [0; 4];
    // JUSTIFICATION: the descriptor's owner is the original's stack frame, and rustix asks for a
    // borrow.
    // SAFETY: `close_all_but` left exactly this descriptor open, nothing here closes it, and the
    // borrow ends here.
    #[allow(unsafe_code, reason = "borrow of a descriptor")]
    let pipe = unsafe { std::os::fd::BorrowedFd::borrow_raw(pipe) };
    let length = rustix::io::read(pipe, &mut bytes)?;
    Ok((length == bytes.len()).then_some(i32::from_ne_bytes(bytes)))
}

/// Closes stdio too, or else whoever reads our output waits for the watcher's end as well.
fn close_all_but(kept: RawFd) {
    let kept = kept.unsigned_abs();
    close_range(0, kept.checked_sub(1));
    close_range(kept + 1, Some(libc::c_uint::MAX));
}

fn close_range(first: libc::c_uint, last: Option<libc::c_uint>) {
    /// Without `close_range` (Linux before 5.9): at our start there are a handful.
    const CLOSED_MAX: libc::c_uint = 1024;
    let Some(last) = last else { return };
    // JUSTIFICATION: rustix has no close_range, and the owners of these descriptors live in the
    // original.
    // SAFETY: in the watcher no code that owns a descriptor ever runs again.
    #[allow(unsafe_code, reason = "fork of the guard")]
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, last, 0) == 0 {
            return;
        }
        for number in first..=last.min(CLOSED_MAX) {
            libc::close(number.cast_signed());
        }
    }
}
