//! The service as a process: started, listened to, signalled, ended, and nothing of it left behind.
//!
//! Owns every call to the operating system about processes: spawn, groups, signals, zombies,
//! `sd_notify`, `/proc`. Must never decide policy: which signal is sent when, what is restarted and
//! what is said to a client belongs to the front. It is the only room with `unsafe`, and each such
//! block says why it is needed and why it is sound.
//!
//! # Theory of operation
//!
//! [`child::Child`] is one run of the service. It leads a process group of its own, so that a
//! signal to the group reaches workers and shells alike and a Ctrl-C at a terminal reaches only us.
//! A number of a process or group may be used again by the kernel as soon as nobody holds it, and a
//! signal sent a moment late kills a stranger. Hence the one trick of this room: **the zombie is
//! the lock**. [`Child::wait`](child::Child::wait) reads how the child ended with `waitid(WNOWAIT)`
//! and leaves the dead leader in place. While it stays, its number cannot be given away, and the
//! rest of the group can be signalled in safety. [`Child::end_group`](child::Child::end_group)
//! buries it, last.
//!
//! [`roster`] lists the children that somebody here waits for. [`reap`] buries every other dead
//! child: the orphans that the kernel gives to PID 1, or to us as a *subreaper*. It peeks first and
//! never takes a status that belongs to a child of the roster; a child is enrolled under the same
//! lock under which it is started, so that not even one that dies at once is taken.
//!
//! Three nets catch what outlives its purpose, each where the one before has a hole. The
//! parent-death signal ends the child alone, the guard its group, `end_descendants` those that left
//! the group too:
//!
//! | what happens | who ends what is left |
//! |---|---|
//! | the front ends in order | `end_group`, then [`group::end_descendants`] |
//! | the front is killed (`SIGKILL`, out of memory) | parent-death signal, [`guard`] for group and family |
//! | the front was PID 1 | the kernel ends everything in the container |
//!
//! [`notify`] receives the service's own word on its readiness, and believes it only from the
//! service's family. [`family`] is the one definition of that family. [`listen`] says who listens
//! where, for the log line that explains a service on the wrong port. [`signals`] turns what is
//! sent to us into one typed stream. [`limits`] raises our limit of descriptors without passing the
//! raise on to the child. [`private_port`] chooses where the child is to listen.
//!
//! # The order at the start
//!
//! In `main`, on the main thread: [`mask::clear`], [`guard::start`],
//! [`limits::raise_descriptor_limit`]; then the runtime, and inside it
//! [`signals::Signals::install`], [`reap::become_subreaper`] unless PID 1, [`reap::spawn_reaper`],
//! [`notify::NotifySocket::bind`], [`child::Child::spawn`] and [`guard::Guard::watch`]. At the end
//! `end_group`, [`guard::Guard::unwatch`], `end_descendants`, and the guard is dropped last.

pub mod child;
pub mod exit;
pub mod family;
pub mod foreign;
pub mod group;
pub mod guard;
pub mod limits;
pub mod listen;
pub mod mask;
pub mod memory;
pub mod notify;
pub mod private_port;
pub mod procfs;
pub mod reap;
pub mod roster;
pub mod signals;
