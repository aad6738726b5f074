//! Programs that were built for another machine.
//!
//! Owns reading the first bytes of a program (elf(5)). Must never decide whether it may run: with an
//! emulator in the kernel (`binfmt_misc`) a foreign program runs well.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// As much of an ELF header as says for which machine the file is, `e_machine` included.
const HEADER: usize = 20;
/// Machines by their ELF numbers (elf.h), in the words of image registries.
const MACHINES: [(u16, &str); 6] =
    [(3, "386"), (40, "arm"), (62, "amd64"), (183, "arm64"), (22, "s390x"), (243, "riscv64")];

/// The machine for which the program is built, if that is another one than ours. The C library gives
/// such a file to a shell, whose complaint about its bytes tells nobody what happened. A bare name is
/// looked up along `search_path`, the value of `PATH`.
pub fn machine_of(program: &OsStr, search_path: &OsStr) -> Option<&'static str> {
    let theirs = machine_of_file(&found(program, search_path)?)?;
    let ours = machine_of_file(Path::new("/proc/self/exe"));
    (Some(theirs) != ours && ours.is_some()).then_some(theirs)
}

/// The file that a name stands for: itself with a slash in it, else the first along `PATH`.
fn found(program: &OsStr, search_path: &OsStr) -> Option<PathBuf> {
    let program = Path::new(program);
    if program.components().count() > 1 {
        return Some(program.to_owned());
    }
    env::split_paths(search_path).map(|path| path.join(program)).find(|path| path.is_file())
}

fn machine_of_file(path: &Path) -> Option<&'static str> {
    let mut header = [0; HEADER];
    File::open(path).ok()?.read_exact(&mut header).ok()?;
    machine(&header)
}

fn machine(header: &[u8; HEADER]) -> Option<&'static str> {
    if !header.starts_with(b"\x7fELF") {
        return None;
    }
    let number = [header[18], header[19]];
    // EI_DATA: 1 is little-endian, 2 big-endian.
    let number =
        if header[5] == 2 { u16::from_be_bytes(number) } else { u16::from_le_bytes(number) };
    MACHINES.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    //! Headers of both byte orders, and of files that are no programs.
    use super::*;

    fn header(data: u8, machine: [u8; 2]) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(b"\x7fELF");
        header[5] = data;
        header[18..].copy_from_slice(&machine);
        header
    }

    #[test]
    fn the_machine_is_read_in_the_files_own_byte_order() {
        assert_eq!(machine(&header(1, [62, 0])), Some("amd64"));
        assert_eq!(machine(&header(1, [183, 0])), Some("arm64"));
        assert_eq!(machine(&header(2, [0, 22])), Some("s390x"));
        assert_eq!(machine(&header(1, [0xff, 0xff])), None);
        assert_eq!(machine(b"#!/bin/sh\necho hello"), None);
    }

    #[test]
    fn what_runs_here_is_not_foreign() {
        for program in ["sh", "no-such-program-anywhere", "/etc/passwd", "/bin/sh"] {
            assert_eq!(machine_of(OsStr::new(program), OsStr::new("/usr/bin:/bin")), None);
        }
    }
}
