//! The service's own word on its readiness: the receiving end of `sd_notify`.
//!
//! Owns the socket, its place in the file system, and the decision whether a sender is believed.
//! Must never let a stranger's word through, never take a descriptor that somebody sends, and never
//! fail on what a message says.
//!
//! The protocol is that of sd_notify(3): one datagram, lines of `NAME=value`.

mod message;
mod receive;

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::Interest;

pub use message::Notification;
use receive::{Datagram, Sender};

use super::{family, procfs};

/// The largest message that is read; sd_notify(3) senders stay far below.
pub const MESSAGE_MAX: usize = 4096;

/// The name of every directory that we make for a socket begins so.
const PREFIX: &str = "vestibule-notify-";
const FILE: &str = "socket";

/// Most leftovers of earlier runs that are looked at in one directory.
const LEFTOVERS_MAX: usize = 256;
/// Most unread messages that are thrown away between two children; the kernel keeps fewer.
const DISCARDED_MAX: usize = 4096;

/// The socket that the service notifies. Its file and directory go with it.
#[derive(Debug)]
pub struct NotifySocket {
    socket: tokio::net::UnixDatagram,
    place: Place,
    ignored: AtomicU64,
}

/// Where the socket is. Dropping it removes what there is of it in the file system.
#[derive(Debug)]
enum Place {
    /// In a directory of its own that only our user may enter.
    Directory(PathBuf),
    /// A name without a file, which anybody in the network namespace may send to (unix(7),
    /// "abstract").
    Abstract(Vec<u8>),
}

/// The usual places for the socket, the best first: the user's runtime directory where there is
/// one, `/run`, `/tmp`.
pub fn usual_directories(runtime_directory: Option<&Path>) -> Vec<PathBuf> {
    let usual = [Path::new("/run"), Path::new("/tmp")];
    runtime_directory
        .into_iter()
        .filter(|path| path.is_absolute())
        .chain(usual)
        .map(Path::to_owned)
        .collect()
}

impl NotifySocket {
    /// Binds in the first of these directories that can be written, in a fresh directory with mode
    /// 0700 and a random name; in none of them, at an abstract address with a random name.
    /// Leftovers of runs that were killed are removed on the way.
    ///
    /// # Errors
    ///
    /// Where not even an abstract address can be bound, or outside a runtime that drives I/O.
    pub fn bind(candidates: &[PathBuf]) -> io::Result<Self> {
        for parent in candidates {
            remove_leftovers(parent);
            match bind_in(parent) {
                Ok((socket, place)) => return Self::listen(socket, place),
                Err(error) => {
                    tracing::debug!(directory = %parent.display(), %error, "no notify socket here");
                }
            }
        }
        tracing::info!(
            "no directory for the notify socket can be written: its address is abstract, and \
             a sender that has ended by the time we look (systemd-notify) is not believed",
        );
        let name =
            format!("{PREFIX}{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)).into_bytes();
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        Self::listen(socket, Place::Abstract(name))
    }

    fn listen(socket: UnixDatagram, place: Place) -> io::Result<Self> {
        rustix::net::sockopt::set_socket_passcred(&socket, true)?;
        socket.set_nonblocking(true)?;
        let socket = tokio::net::UnixDatagram::from_std(socket)?;
        Ok(Self { socket, place, ignored: AtomicU64::new(0) })
    }

    /// The socket's file; `None` at an abstract address.
    pub fn path(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Directory(directory) => Some(directory.join(FILE)),
            Place::Abstract(_) => None,
        }
    }

    /// The value of `NOTIFY_SOCKET` for the child: a path, or `@` and an abstract name.
    pub fn env(&self) -> OsString {
        match &self.place {
            Place::Directory(directory) => directory.join(FILE).into_os_string(),
            Place::Abstract(name) => OsString::from_vec([b"@", name.as_slice()].concat()),
        }
    }

    /// How many messages were not believed or not readable so far.
    pub fn ignored(&self) -> u64 {
        self.ignored.load(Ordering::Relaxed)
    }

    /// Throws away what has arrived and was not read: it is of an earlier child, whose number tells
    /// nothing any more. Bounded, in case somebody keeps sending.
    pub fn discard(&self) {
        for _ in 0..DISCARDED_MAX {
            if receive::receive(self.socket.as_fd()).is_err() {
                return;
            }
        }
    }

    /// The next message from the child or its family; see [`family::belongs`]. A sender that has
    /// ended already (as `systemd-notify` does at once) is believed if it ran as our user and came
    /// through our directory, which only our user may enter. Everything else is counted and
    /// ignored. Cancel-safe.
    ///
    /// # Errors
    ///
    /// Where the kernel refuses to read: readiness must then be found in another way.
    pub async fn recv(&self, child: u32) -> io::Result<Notification> {
        loop {
            let datagram = self
                .socket
                .async_io(Interest::READABLE, || receive::receive(self.socket.as_fd()))
                .await?;
            if let Some(notification) = self.judge(&datagram, child) {
                return Ok(notification);
            }
            // A stranger who floods us must not keep the others from their turn.
            tokio::task::yield_now().await;
        }
    }

    fn judge(&self, datagram: &Datagram, child: u32) -> Option<Notification> {
        let why = match &datagram.sender {
            _ if datagram.truncated => "it is longer than a message may be",
            None => "the kernel did not say who sent it",
            Some(sender) if !self.believes(sender, child) => {
                "its sender does not belong to the service"
            }
            Some(_) => {
                let mut notification = Notification::parse(&datagram.bytes);
                notification.main_pid =
                    notification.main_pid.filter(|&pid| family::belongs(pid, child));
                return Some(notification);
            }
        };
        let count = self.ignored.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            let sender = datagram.sender.map(|sender| sender.pid);
            tracing::warn!(why, sender, count, "a notification was ignored");
        }
        None
    }

    fn believes(&self, sender: &Sender, child: u32) -> bool {
        if family::belongs(sender.pid, child) {
            return true;
        }
        // Number 0 is a sender whom our PID namespace cannot see: certainly nobody of ours.
        let gone = sender.pid != 0 && procfs::stat(sender.pid).is_none() && procfs::is_there();
        gone && sender.uid == rustix::process::geteuid().as_raw()
            && matches!(self.place, Place::Directory(_))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Directory(directory) = self {
            remove(directory);
        }
    }
}

fn bind_in(parent: &Path) -> io::Result<(UnixDatagram, Place)> {
    let directory = parent.join(format!("{PREFIX}{:016x}", fastrand::u64(..)));
    // Fails if anything has that name already, a symbolic link too.
    DirBuilder::new().mode(0o700).create(&directory)?;
    let socket = directory.join(FILE);
    let place = Place::Directory(directory);
    Ok((UnixDatagram::bind(socket)?, place))
}

/// Removes the directory if it is as we made it; one that holds anything else stays.
fn remove(directory: &Path) {
    let _ = fs::remove_file(directory.join(FILE));
    let _ = fs::remove_dir(directory);
}

/// Removes what a front that was killed left behind: directories with our name and owner whose
/// socket nobody holds.
fn remove_leftovers(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let ours = entries
        .flatten()
        .filter(|entry| entry.file_name().as_bytes().starts_with(PREFIX.as_bytes()));
    for entry in ours.take(LEFTOVERS_MAX) {
        let path = entry.path();
        let owned = fs::symlink_metadata(&path)
            .is_ok_and(|meta| meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw());
        // A front that is just being started has a directory and no socket yet: only a dead socket
        // is a leftover.
        if owned && is_dead(&path.join(FILE)) {
            remove(&path);
        }
    }
}

fn is_dead(socket: &Path) -> bool {
    let Ok(probe) = UnixDatagram::unbound() else { return false };
    probe.connect(socket).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
