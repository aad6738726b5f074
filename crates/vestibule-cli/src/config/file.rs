//! A file that a setting names.
//!
//! Owns opening it: only a regular file, only so much of it. Must never wait for one, as opening a
//! pipe would: a reload reads it again.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;

use super::document::{BYTES_MAX, Parsed, parse};
use super::given::Origin;
use super::keys::Keys;
use super::mistake::Mistake;
use super::shown::shown;

/// Reads the file as a layer of these keys.
pub(crate) fn load(path: &Path, keys: &Keys) -> Parsed {
    let name: Arc<str> = path.to_string_lossy().into();
    match read(path, BYTES_MAX, "--config or VESTIBULE_CONFIG") {
        Ok(bytes) => parse(&bytes, &name, keys),
        Err(why) => {
            let mistakes = vec![Mistake::in_file(Origin::File(name, None), "", why)];
            Parsed { mistakes, ..Parsed::default() }
        }
    }
}

/// Reads the short text that another setting names.
///
/// # Errors
/// Why it can't be read, for people; nothing of its content.
pub(crate) fn read_text(path: &Path, most: usize) -> Result<String, String> {
    let bytes = read(path, most, "its path")?;
    if bytes.len() > most {
        return Err(format!("larger than {most} bytes: name another file"));
    }
    String::from_utf8(bytes).map_err(|_| "is not text: write it in UTF-8".to_owned())
}

/// The bytes of a regular file; of a larger one than `most`, one byte more than that. `named` is where its path
/// was given.
fn read(path: &Path, most: usize, named: &str) -> Result<Vec<u8>, String> {
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(nonblocking).open(path);
    let file = opened.map_err(|error| cannot(&error, named))?;
    let metadata = file.metadata().map_err(|error| cannot(&error, named))?;
    if metadata.is_dir() {
        return Err("is a directory: name a file".to_owned());
    }
    if !metadata.is_file() {
        return Err("is no regular file: a reload could not read it again".to_owned());
    }
    let mut bytes = Vec::new();
    // One more, so that a file that is too large is seen to be.
    let most = most as u64 + 1;
    file.take(most).read_to_end(&mut bytes).map_err(|error| cannot(&error, named))?;
    Ok(bytes)
}

fn cannot(error: &io::Error, named: &str) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("there is no such file: mend {named}"),
        io::ErrorKind::PermissionDenied => {
            "may not be read by this user: change its owner or its mode".to_owned()
        }
        _ => format!("can't be read: {}", shown(&error.to_string())),
    }
}
