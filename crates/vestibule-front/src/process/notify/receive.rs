//! One datagram from the kernel, with its sender.
//!
//! Owns the one call that rustix cannot make soundly for us: its type for a sender's process number
//! cannot hold the zero that the kernel gives for a process of another PID namespace. Must never
//! let a descriptor into our table.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::MESSAGE_MAX;

/// Who sent it, as the kernel vouches (`SCM_CREDENTIALS`, unix(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sender {
    /// Zero for a process that our PID namespace cannot see.
    pub(super) pid: u32,
    pub(super) uid: u32,
}

/// What came.
#[derive(Debug)]
pub(super) struct Datagram {
    pub(super) bytes: Vec<u8>,
    /// It was longer than [`MESSAGE_MAX`], and its rest is lost.
    pub(super) truncated: bool,
    pub(super) sender: Option<Sender>,
}

/// Room for the credentials and for nothing else: the kernel closes by itself the descriptors that
/// find no room, before they are ever ours. `systemd-notify` waits for just that, after
/// `BARRIER=1`.
#[repr(C, align(8))]
struct Control([u8; CONTROL_SIZE]);

const CONTROL_SIZE: usize = {
    // SAFETY: arithmetic on a number.
    // JUSTIFICATION: the C macro is declared unsafe; rustix's own counts for its other type.
    #[allow(unsafe_code, reason = "CMSG_SPACE")]
    unsafe {
        libc::CMSG_SPACE(size_of::<libc::ucred>() as libc::c_uint) as usize
    }
};

/// Reads one datagram without waiting.
///
/// # Errors
///
/// `WouldBlock` when there is none, and what else recvmsg(2) says.
pub(super) fn receive(socket: BorrowedFd<'_>) -> io::Result<Datagram> {
    let mut bytes = vec![0_u8; MESSAGE_MAX];
    let mut control = Control([0; CONTROL_SIZE]);
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // JUSTIFICATION: see the head of this file.
    // SAFETY: `msghdr` is plain data for which zeroes are valid. The pointers are to live locals,
    // each with its true length, that outlive the call. `CMSG_FIRSTHDR` yields null or a header
    // inside `control`, which is aligned for it.
    #[allow(unsafe_code, reason = "recvmsg with credentials")]
    unsafe {
        let mut header: libc::msghdr = std::mem::zeroed();
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = (&raw mut control).cast();
        header.msg_controllen = CONTROL_SIZE as _;
        let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
        let length = libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags);
        let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
        let sender = read_sender(&header);
        bytes.truncate(length);
        Ok(Datagram { bytes, truncated: header.msg_flags & libc::MSG_TRUNC != 0, sender })
    }
}

/// The credentials, which the kernel puts first.
///
/// # Safety
///
/// `header` must come from a successful recvmsg, and its control buffer must still live.
// JUSTIFICATION: part of the call above, apart for reading.
#[allow(unsafe_code, reason = "recvmsg with credentials")]
unsafe fn read_sender(header: &libc::msghdr) -> Option<Sender> {
    // SAFETY: by this function's own contract.
    let first = unsafe { libc::CMSG_FIRSTHDR(header).as_ref() }?;
    let size = size_of::<libc::ucred>() as libc::c_uint;
    // SAFETY: arithmetic on a number.
    let expected = unsafe { libc::CMSG_LEN(size) };
    if (first.cmsg_level, first.cmsg_type) != (libc::SOL_SOCKET, libc::SCM_CREDENTIALS)
        || (first.cmsg_len as usize) < expected as usize
    {
        return None;
    }
    // SAFETY: the kernel wrote a whole `ucred` there, by level, type and length; alignment is not
    // assumed.
    let credentials = unsafe { libc::CMSG_DATA(first).cast::<libc::ucred>().read_unaligned() };
    Some(Sender { pid: u32::try_from(credentials.pid).unwrap_or(0), uid: credentials.uid })
}
