//! What the machine allows.
//!
//! Owns reading limits of the process, of its control group and of the kernel, each bounded and none needed.
//! Must never change one, and must never take a file that is missing for a limit.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use rustix::fs::{Access, access};
use rustix::process::{Resource, getrlimit};
use vestibule_front::descriptors::connections_within;
use vestibule_front::listener::BACKLOG;

/// More of a file of the kernel's is not read.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Control groups above ours that are looked at.
const GROUPS_MAX: usize = 32;
/// From here on version 1 of control groups means "no limit": it says the largest number of pages.
const NO_LIMIT: u64 = 1 << 60;
/// What gVisor's kernel says of its build, whatever the version (gVisor, `pkg/sentry/kernel/version.go`).
const GVISOR_BUILD: &str = "#1 SMP Sun Jan 10 15:06:54 PST 2016";

/// The machine as it is now.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    /// Open files: soft limit; `None` without one.
    pub(super) descriptors_soft: Option<u64>,
    /// Open files: hard limit, to which the door raises its own; `None` without one.
    pub(super) descriptors_hard: Option<u64>,
    /// As many public connections these allow.
    pub(super) connections: usize,
    /// Connections that the kernel finishes for the door before it accepts them.
    pub(super) backlog: u64,
    /// `net.core.somaxconn`, which caps it.
    pub(super) somaxconn: Option<u64>,
    /// The least memory limit of our control groups, in bytes.
    pub(super) memory: Option<u64>,
    /// Processors that we may run on.
    pub(super) processors: usize,
    /// The least quota of our control groups, in processors.
    pub(super) quota: Option<f64>,
    /// What shows that gVisor is the kernel.
    pub(super) gvisor: Option<String>,
    /// Whether we are the first process, whose orphans are ours.
    pub(super) is_first: bool,
    /// The first of the usual places of a notify socket that may be written.
    pub(super) runtime_directory: Option<PathBuf>,
    /// Whether there is a `/proc`.
    pub(super) has_proc: bool,
}

impl Machine {
    /// Reads what there is under `root`, which is `/` but in tests; a notify socket may be in one of
    /// `directories`.
    pub(super) fn read(root: &Path, directories: &[PathBuf]) -> Self {
        let limit = getrlimit(Resource::Nofile);
        let somaxconn = number(&root.join("proc/sys/net/core/somaxconn"));
        let ours = u64::try_from(BACKLOG).unwrap_or_default();
        let groups = Groups::read(root);
        let is_writable =
            |path: &&PathBuf| access(*path, Access::WRITE_OK | Access::EXEC_OK).is_ok();
        Self {
            descriptors_soft: limit.current,
            descriptors_hard: limit.maximum,
            connections: connections_within(limit.maximum.unwrap_or(u64::MAX)),
            backlog: somaxconn.map_or(ours, |most| most.min(ours)),
            somaxconn,
            memory: groups.memory(),
            processors: available_parallelism().map_or(1, usize::from),
            quota: groups.quota(),
            gvisor: gvisor(&text(&root.join("proc/version")).unwrap_or_default()),
            is_first: std::process::id() == 1,
            runtime_directory: directories.iter().find(is_writable).cloned(),
            has_proc: root.join("proc/self").exists(),
        }
    }
}

/// What in the kernel's version says that it is gVisor.
fn gvisor(version: &str) -> Option<String> {
    let named =
        version.split_whitespace().find(|word| word.to_ascii_lowercase().contains("gvisor"));
    let built = version.contains(GVISOR_BUILD).then_some(GVISOR_BUILD);
    named.or(built).map(|evidence| format!("/proc/version says {evidence}"))
}

/// The directories of our control groups, the nearest first.
struct Groups {
    /// Of version 2, or of version 1's `memory`.
    memory: Vec<PathBuf>,
    /// Of version 2, or of version 1's `cpu`.
    processors: Vec<PathBuf>,
}

impl Groups {
    fn read(root: &Path) -> Self {
        let table = text(&root.join("proc/self/cgroup")).unwrap_or_default();
        let mount = root.join("sys/fs/cgroup");
        let of = |controller: &str| {
            let line = table.lines().find_map(|line| {
                let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
                controllers.split(',').any(|one| one == controller).then_some(path)
            });
            let base = if controller.is_empty() { mount.clone() } else { mount.join(controller) };
            let own = base.join(line.unwrap_or("/").trim_start_matches('/'));
            let above = own.ancestors().take(GROUPS_MAX).take_while(|path| path.starts_with(&base));
            above.map(Path::to_owned).collect::<Vec<_>>()
        };
        let both = |second: &str| [of(""), of(second)].concat();
        Self { memory: both("memory"), processors: both("cpu") }
    }

    fn memory(&self) -> Option<u64> {
        let files = ["memory.max", "memory.limit_in_bytes"];
        let limits = self.memory.iter().flat_map(|at| files.map(|file| number(&at.join(file))));
        limits.flatten().filter(|limit| *limit < NO_LIMIT).min()
    }

    fn quota(&self) -> Option<f64> {
        let of = |at: &PathBuf| {
            let (quota, period) = match text(&at.join("cpu.max")) {
                Some(line) => {
                    let (quota, period) = line.trim().split_once(' ')?;
                    (quota.parse().ok()?, period.parse().ok()?)
                }
                None => {
                    (number(&at.join("cpu.cfs_quota_us"))?, number(&at.join("cpu.cfs_period_us"))?)
                }
            };
            let (quota, period): (u64, u64) = (quota, period);
            #[expect(clippy::cast_precision_loss, reason = "microseconds of a second")]
            (period > 0).then(|| quota as f64 / period as f64)
        };
        self.processors.iter().filter_map(of).min_by(f64::total_cmp)
    }
}

fn number(path: &Path) -> Option<u64> {
    text(path)?.trim().parse().ok()
}

fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    //! Breaks the reading with machines made of files: with limits, without, and with half of them.
    use std::fs;

    use super::*;

    fn machine(files: &[(&str, &str)]) -> Machine {
        let root = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Machine::read(root.path(), &[root.path().join("nowhere"), root.path().to_owned()])
    }

    #[test]
    fn the_least_limit_of_all_groups_counts() {
        let second = machine(&[
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("sys/fs/cgroup/a/memory.max", "536870912\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/cpu.max", "max 100000\n"),
            ("proc/sys/net/core/somaxconn", "128\n"),
        ]);
        assert_eq!((second.memory, second.quota), (Some(536_870_912), Some(1.5)));
        assert_eq!((second.backlog, second.has_proc), (128, true));
        assert!(second.runtime_directory.is_some());
        let first = machine(&[
            ("proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!((first.memory, first.quota), (None, None));
        let bare = machine(&[]);
        assert_eq!((bare.memory, bare.quota, bare.somaxconn), (None, None, None));
        assert!(!bare.has_proc && bare.gvisor.is_none());
    }

    #[test]
    fn a_sandbox_is_told_by_evidence() {
        assert!(gvisor("Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016").is_some());
        assert!(gvisor("Linux version 4.19.0-gvisor #1").unwrap().contains("4.19.0-gvisor"));
        assert_eq!(gvisor("Linux version 6.1.0-18-amd64 (gcc) #1 SMP 2024-02-01"), None);
    }
}
