//! Memory that is kept for later, or that only the start needed.
//!
//! Owns giving it back to the system. Must never decide when: that takes knowing how many clients there are.

use std::ops::Range;

/// Gives back what the allocator holds free, and the mapping of our own code, most of which only the start needs:
/// what is used again is mapped again at the next call, out of the page cache. It takes as long as a few pages in a
/// thousand take to walk, some milliseconds after a large crowd: not for the way of a request.
///
/// Elsewhere than with glibc (musl's allocator, for one, gives back by itself) only the mapping is given back, and
/// without `/proc` nothing of it.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim(3) is thread-safe, takes no pointer, and touches free memory alone.
    unsafe {
        libc::malloc_trim(0);
    }
    #[cfg(target_os = "linux")]
    if let Some(code) = own_code() {
        // SAFETY: the range is a private mapping of our executable file that can be read and executed and never
        // written, so each of its pages equals the file's. madvise(2) drops them; the next access reads the file
        // again. That it fails changes nothing.
        unsafe {
            libc::madvise(code.start as *mut libc::c_void, code.len(), libc::MADV_DONTNEED);
        }
    }
}

/// Where our own code is mapped.
fn own_code() -> Option<Range<usize>> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    maps.lines()
        .filter_map(executable)
        .find(|range| range.contains(&(give_back as *const () as usize)))
}

/// The range of a line of `/proc/PID/maps` (proc(5)), if it is a private one that can be executed and not written.
fn executable(line: &str) -> Option<Range<usize>> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    (words.next()? == "r-xp").then_some(address(start)?..address(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Would break if another mapping were taken for our code: data given back is data lost.
    #[test]
    fn only_code_that_nobody_can_write_is_found() {
        let line =
            |rights: &str| format!("5581-55a0 {rights} 00200000 fe:00 1234  /usr/bin/vestibule");
        assert_eq!(executable(&line("r-xp")), Some(0x5581..0x55a0));
        for rights in ["rw-p", "r--p", "rwxp", "r-xs", "---p"] {
            assert_eq!(executable(&line(rights)), None, "{rights}");
        }
        for broken in ["", "5581", "x-y r-xp", "5581-55a0"] {
            assert_eq!(executable(broken), None, "{broken}");
        }
    }

    #[test]
    fn code_that_was_given_back_still_runs() {
        assert!(own_code().is_some_and(|code| code.contains(&(own_code as *const () as usize))));
        give_back();
        assert!(own_code().is_some());
    }
}
