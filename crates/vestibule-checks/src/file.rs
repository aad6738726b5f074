//! `file`: it is there.
//!
//! Owns what may be asked of a file: its kind, its age, a text in it. A file system may hang, so it is asked
//! aside. Must never open anything but a regular file: opening a FIFO or a device does things.

use std::fs::{self, File as Opened, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use vestibule::check::{Check, CheckFuture, Reason, Saw, Stage, Trouble};

use crate::aside::Aside;
use crate::capped::ANSWER_MAX;
use crate::options::{Flaw, Key, Options, Wants};

/// The keys of this kind.
pub const KEYS: &[Key] = &[
    Key { name: "path", wants: Wants::Text, about: "where it is" },
    Key { name: "url", wants: Wants::Text, about: "file:///PATH, in place of path" },
    Key { name: "is", wants: Wants::Text, about: "file, directory or socket; anything" },
    Key { name: "contains", wants: Wants::Text, about: "a text that must be in its first 64 KiB" },
    Key { name: "fresher_than", wants: Wants::Time, about: "it was written within this time" },
];

/// As many file systems may hang.
static FILES: Aside = Aside::new("files", 8);

/// A file that is there.
#[derive(Clone, Debug)]
pub struct File {
    path: PathBuf,
    sort: Option<Sort>,
    contains: Option<String>,
    fresher_than: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    File,
    Directory,
    Socket,
}

impl Sort {
    const ALL: [Self; 3] = [Self::File, Self::Directory, Self::Socket];

    const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Socket => "socket",
        }
    }

    fn of(found: &Metadata) -> Option<Self> {
        let sort = found.file_type();
        if sort.is_file() {
            Some(Self::File)
        } else if sort.is_dir() {
            Some(Self::Directory)
        } else if sort.is_socket() {
            Some(Self::Socket)
        } else {
            None
        }
    }
}

impl File {
    /// The check that was declared.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn new(options: &Options) -> Result<Self, Vec<Flaw>> {
        let mut flaws = Vec::new();
        let path = path(options).map_err(|flaw| flaws.push(flaw));
        let mut sort = None;
        if let Some(word) = options.text("is") {
            sort = Sort::ALL.into_iter().find(|sort| sort.as_str() == word);
            if sort.is_none() {
                flaws.push(Flaw::new("is", "use file, directory or socket"));
            }
        }
        let contains = options.text("contains").map(str::to_owned);
        if contains.is_some() && matches!(sort, Some(Sort::Directory | Sort::Socket)) {
            flaws.push(Flaw::new("contains", "only a file has a text in it"));
        }
        let fresher_than = options.time("fresher_than");
        match path {
            Ok(path) if flaws.is_empty() => Ok(Self { path, sort, contains, fresher_than }),
            _ => Err(flaws),
        }
    }

    /// Blocks for as long as the file system does.
    fn look(&self) -> Result<Saw, Trouble> {
        let found = fs::metadata(&self.path).map_err(|error| trouble_with(&error))?;
        let sort = Sort::of(&found);
        let word = sort.map_or("something else", Sort::as_str);
        if let Some(wanted) = self.sort
            && sort != Some(wanted)
        {
            let detail = format!("it is {word}, not {}", wanted.as_str());
            return Err(Trouble::new(Reason::NoFile, detail));
        }
        if let Some(most) = self.fresher_than {
            // What was written in the future was written just now, by another clock.
            let written = found.modified().map_err(|error| trouble_with(&error))?;
            let age = written.elapsed().unwrap_or_default();
            if age > most {
                let detail = format!("it was last written {} s ago", age.as_secs());
                return Err(Trouble::new(Reason::BodyMismatch, detail));
            }
        }
        if let Some(text) = &self.contains {
            if sort != Some(Sort::File) {
                return Err(Trouble::new(Reason::NoFile, format!("it is {word}, not file")));
            }
            let body = opening(&self.path).map_err(|error| trouble_with(&error))?;
            let text = text.as_bytes();
            if !text.is_empty() && !body.windows(text.len()).any(|window| window == text) {
                let detail = "the text is not in its first 64 KiB";
                return Err(Trouble::new(Reason::BodyMismatch, detail));
            }
        }
        Ok(Saw::new(match sort {
            Some(Sort::File) => format!("a file of {} bytes", found.len()),
            _ => word.to_owned(),
        }))
    }
}

/// The first 64 KiB. What has become a FIFO since we looked does not hold us: it is opened without blocking.
fn opening(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = Opened::from(rustix::fs::open(path, flags, Mode::empty())?);
    let mut body = Vec::new();
    file.take(ANSWER_MAX as u64).read_to_end(&mut body)?;
    Ok(body)
}

fn trouble_with(error: &io::Error) -> Trouble {
    let reason = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Reason::NoFile,
        ErrorKind::PermissionDenied => Reason::NotPermitted,
        _ => return crate::socket::trouble_of(error),
    };
    Trouble::new(reason, crate::socket::in_words(error))
}

fn path(options: &Options) -> Result<PathBuf, Flaw> {
    match (options.text("path"), options.text("url")) {
        (Some(_), Some(_)) => Err(Flaw::new("path", "use path or url, not both")),
        (Some(path), None) if !path.is_empty() => Ok(path.into()),
        (None, Some(url)) => {
            let path = url::Url::parse(url).ok().filter(|url| url.scheme() == "file");
            let path = path.and_then(|url| url.to_file_path().ok());
            path.ok_or_else(|| Flaw::new("url", "use file:///PATH"))
        }
        _ => Err(Flaw::new("path", "which file?")),
    }
}

impl Check for File {
    fn kind(&self) -> &'static str {
        "file"
    }

    fn target(&self) -> String {
        self.path.display().to_string()
    }

    fn try_once<'a>(&'a self, stage: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        let look = self.clone();
        Box::pin(async move {
            stage.waits(Reason::Silent, "the file system");
            FILES.ask(move || look.look()).await?
        })
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the check of a file with none, with another kind, with old ones, and with a FIFO that nobody
    //! writes to.

    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::options::Value;

    async fn look(options: Options) -> Result<Saw, Trouble> {
        File::new(&options).unwrap().try_once(&Stage::default()).await
    }

    fn at(path: &Path) -> Options {
        Options::default().with("path", Value::Text(path.display().to_string()))
    }

    fn containing(path: &Path, text: &str) -> Options {
        at(path).with("contains", Value::Text(text.to_owned()))
    }

    fn of_kind(path: &Path, kind: &str) -> Options {
        at(path).with("is", Value::Text(kind.to_owned()))
    }

    #[tokio::test]
    async fn what_is_there_is_told_from_what_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ready");
        let missing = look(at(&path)).await.unwrap_err();
        assert_eq!(missing.to_string(), "no_file: no such file or directory");
        fs::write(&path, "state=ok").unwrap();
        assert_eq!(look(at(&path)).await.unwrap().as_str(), "a file of 8 bytes");
        let url = format!("file://{}", path.display());
        assert!(look(Options::url(url)).await.is_ok());
        assert!(look(containing(&path, "=ok")).await.is_ok());
        let other = look(containing(&path, "=no")).await.unwrap_err();
        assert_eq!(other.reason(), Reason::BodyMismatch);
        assert!(look(of_kind(directory.path(), "directory")).await.is_ok());
        let other = look(of_kind(&path, "socket")).await.unwrap_err();
        assert_eq!(other.to_string(), "no_file: it is file, not socket");
    }

    #[tokio::test]
    async fn a_heartbeat_that_stopped_is_too_old() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let within = |path| at(path).with("fresher_than", Value::Time(Duration::from_secs(60)));
        assert!(look(within(file.path())).await.is_ok());
        file.as_file().set_modified(UNIX_EPOCH).unwrap();
        let old = look(within(file.path())).await.unwrap_err();
        assert_eq!(old.reason(), Reason::BodyMismatch);
    }

    #[tokio::test]
    async fn a_fifo_that_nobody_writes_to_holds_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        assert!(look(at(&path)).await.is_ok());
        let fifo = look(containing(&path, "x")).await.unwrap_err();
        assert_eq!(fifo.reason(), Reason::NoFile);
        assert!(opening(&path).unwrap().is_empty());
    }

    #[tokio::test]
    async fn no_more_than_64_kib_are_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), [vec![b'a'; ANSWER_MAX], b"beyond".to_vec()].concat()).unwrap();
        let beyond = look(containing(file.path(), "beyond")).await.unwrap_err();
        assert_eq!(beyond.reason(), Reason::BodyMismatch);
        assert_eq!(opening(file.path()).unwrap().len(), ANSWER_MAX);
    }

    #[test]
    fn mistakes_are_told_together() {
        let options = containing(Path::new(""), "x").with("is", Value::Text("pipe".to_owned()));
        let flaws = File::new(&options).unwrap_err();
        assert_eq!(flaws.iter().map(|flaw| flaw.key).collect::<Vec<_>>(), ["path", "is"]);
    }
}
