//! From a [`Launch`] to a running process.
//!
//! Owns what happens between fork and exec. Must never allocate, lock or panic there: the copy of a
//! process with many threads may only make calls that are safe in a signal handler
//! (signal-safety(7)).

use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, Signal};

use super::{Launch, SpawnError};
use crate::process::{limits, mask};

/// The first descriptor that is not stdin, stdout or stderr.
const FIRST_OTHER: libc::c_uint = 3;

/// How many descriptors are looked at where `close_range` is missing (Linux before 5.11): enough
/// for any process that is just starting, and every descriptor that Rust makes is close-on-exec
/// anyway.
const LOOKED_AT_MAX: libc::c_int = 4096;

/// The largest signal number on Linux, `_NSIG` less one.
const SIGNAL_MAX: libc::c_int = 64;

pub(super) fn spawn(launch: &Launch) -> Result<Pid, SpawnError> {
    let parent = rustix::process::getpid();
    let descriptors = limits::inherited();
    let mut command = Command::new(&launch.program);
    command
        .args(&launch.args)
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .process_group(0);
    // JUSTIFICATION: a parent-death signal, signal dispositions and descriptors of libraries can be
    // set only by the child itself, after fork and before exec; no safe interface offers them.
    // SAFETY: `prepare` makes system calls only. It does not allocate, lock, panic or touch shared
    // memory.
    #[allow(unsafe_code, reason = "between fork and exec")]
    unsafe {
        command.pre_exec(move || prepare(parent, descriptors));
    }
    let child = mask::with_all_blocked(|| command.spawn())
        .map_err(|error| explain(&launch.program, error))?;
    // The standard library's handle neither kills nor waits when dropped; the number is all we
    // need.
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| {
        SpawnError::Other(io::Error::other("the system gave an impossible process number"))
    })
}

/// Runs in the child, with every signal blocked. The standard library has made the process group
/// and wired stdio already.
fn prepare(parent: Pid, descriptors: Option<Rlimit>) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    if rustix::process::getppid() != Some(parent) {
        // The parent died before the line above, so its death will never be signalled to us.
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    if let Some(limit) = descriptors {
        // A failure leaves the raised limit, which is no reason not to run.
        let _ = rustix::process::setrlimit(Resource::Nofile, limit);
    }
    close_on_exec_from(FIRST_OTHER);
    // In this order: a signal that came meanwhile ends the child, as it should, and runs no handler
    // of ours.
    reset_dispositions();
    mask::clear();
    Ok(())
}

/// Handlers end with exec by themselves, but a signal that was *ignored* by whoever started us
/// (nohup, a shell's background job, Rust's own `SIGPIPE`) would stay ignored.
fn reset_dispositions() {
    /// At least as large as the kernel's `struct sigaction`; all zeroes say `SIG_DFL`, no flags and
    /// an empty mask.
    const DEFAULT: [u64; 4] = [0; 4];
    /// The size of the kernel's signal set: a bit for each of its 64 signals.
    const SET_SIZE: usize = 8;
    for number in 1..=SIGNAL_MAX {
        // JUSTIFICATION: rustix offers no signal dispositions, and the C library's `signal` refuses
        // the two numbers that it keeps for itself, which whoever started us may have ignored too.
        // SAFETY: installs no handler, and the pointers are to a constant of sufficient size and
        // null, which asks for nothing back. SIGKILL and SIGSTOP are refused with EINVAL, which
        // changes nothing.
        #[allow(unsafe_code, reason = "between fork and exec")]
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                number,
                DEFAULT.as_ptr(),
                std::ptr::null_mut::<u64>(),
                SET_SIZE,
            );
        }
    }
}

/// Marks every descriptor from `first` on, rather than closing it: the standard library still
/// reports a failed exec through one of them.
fn close_on_exec_from(first: libc::c_uint) {
    // JUSTIFICATION: rustix has no close_range, and descriptors that C libraries opened without
    // O_CLOEXEC are known to no safe interface.
    // SAFETY: a system call on numbers; with this flag it closes nothing in this process.
    #[allow(unsafe_code, reason = "between fork and exec")]
    let answer = unsafe {
        libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    };
    if answer == 0 {
        return;
    }
    for number in FIRST_OTHER as libc::c_int..LOOKED_AT_MAX {
        // JUSTIFICATION: as above, for older kernels.
        // SAFETY: sets one flag; a number that is no descriptor is refused with EBADF.
        #[allow(unsafe_code, reason = "between fork and exec")]
        unsafe {
            libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
}

/// Sorts what exec answered (execve(2)) by what the user has to mend.
fn explain(program: &std::ffi::OsStr, error: io::Error) -> SpawnError {
    let program = PathBuf::from(program);
    let cannot =
        |program, reason: &str| SpawnError::CannotRun { program, reason: reason.to_owned() };
    match error.kind() {
        // "Not found" for a file that is there: the most puzzling message of all, met with scripts
        // whose first line names what the image lacks, and with programs built for another C
        // library.
        ErrorKind::NotFound if names_a_file(&program) => {
            cannot(program, "the file is there, but the interpreter or loader that it names is not")
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => SpawnError::NotFound { program },
        ErrorKind::PermissionDenied if program.is_dir() => cannot(program, "it is a directory"),
        ErrorKind::PermissionDenied => cannot(program, "permission denied; is it executable?"),
        ErrorKind::ExecutableFileBusy => cannot(program, "the file is open for writing"),
        ErrorKind::ArgumentListTooLong => {
            cannot(program, "its arguments and environment are too long together")
        }
        ErrorKind::WouldBlock => SpawnError::TooMany,
        ErrorKind::InvalidInput => {
            cannot(program, "its name, arguments or environment hold a NUL byte")
        }
        _ if error.raw_os_error() == Some(libc::ENOEXEC) => {
            cannot(program, "not a program for this machine, nor a script with a #! line")
        }
        _ if error.raw_os_error() == Some(libc::ELOOP) => {
            cannot(program, "too many symbolic links")
        }
        _ => SpawnError::Other(error),
    }
}

/// Whether the name is a path (and is not looked up along `PATH`) to a file that exists.
fn names_a_file(program: &Path) -> bool {
    program.components().count() > 1 && program.is_file()
}
