//! One window a profile: a second start asks the first to come to the front, and hands its link over.
//!
//! ```text
//!   second start ──connect──> PROFILE/front.sock ──> the first window: to the front, link to the page
//!                 ──link, end of writing──>
//!                 <──"ok"──
//! ```
//!
//! A socket in the profile's folder, not tauri-plugin-single-instance: that one knows a single name for
//! the whole app, and other profiles are other people. Where there are no such sockets (Windows), or
//! the path is too long for one, the lock on the profile still turns the second start away.

use std::path::{Path, PathBuf};

use crate::link::Link;

/// The socket's name in the profile's folder.
const SOCKET: &str = "front.sock";

/// Held by the one whose window it is; the socket goes with it.
pub(crate) struct Door(PathBuf);

impl Drop for Door {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Asks a running app of this profile to show its window. `true` once it has said that it does. Blocks
/// for 2 s at most.
pub(crate) fn knock(folder: &Path, link: Option<&Link>) -> bool {
    socket::knock(&folder.join(SOCKET), link)
}

/// From now on `came` is called for every other start, with the link it was given.
///
/// # Errors
/// The system has no such sockets, or no room for one here.
pub(crate) fn open(
    folder: &Path,
    came: impl Fn(Option<Link>) + Send + 'static,
) -> std::io::Result<Door> {
    let path = folder.join(SOCKET);
    socket::open(&path, came)?;
    Ok(Door(path))
}

#[cfg(unix)]
mod socket {
    use std::fs::Permissions;
    use std::io::{self, Read, Write};
    use std::net::Shutdown;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;
    use std::time::Duration;

    use crate::link::{Link, MAX_LEN};

    const PATIENCE: Duration = Duration::from_secs(2);
    const HEARD: &[u8] = b"ok";

    pub(super) fn knock(path: &Path, link: Option<&Link>) -> bool {
        let ask = || -> io::Result<bool> {
            let mut stream = UnixStream::connect(path)?;
            stream.set_write_timeout(Some(PATIENCE))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(link.map_or("", Link::as_str).as_bytes())?;
            stream.shutdown(Shutdown::Write)?;
            let mut answer = [0; HEARD.len()];
            stream.read_exact(&mut answer)?;
            Ok(answer == HEARD)
        };
        ask().unwrap_or(false)
    }

    pub(super) fn open(
        path: &Path,
        came: impl Fn(Option<Link>) + Send + 'static,
    ) -> io::Result<()> {
        // Left behind by a process that was killed: the profile's lock is ours, so nobody listens.
        if path
            .symlink_metadata()
            .is_ok_and(|old| old.file_type().is_socket())
        {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
        std::thread::Builder::new()
            .name("front".into())
            .spawn(move || {
                for stream in listener.incoming() {
                    match stream.and_then(hear) {
                        Ok(link) => came(link),
                        Err(problem) => tracing::debug!(%problem, "a second start said nothing"),
                    }
                }
            })?;
        Ok(())
    }

    /// One start at a time: the next waits in the system's queue meanwhile.
    fn hear(mut stream: UnixStream) -> io::Result<Option<Link>> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut said = Vec::new();
        let most = MAX_LEN as u64 + 1;
        Read::by_ref(&mut stream)
            .take(most)
            .read_to_end(&mut said)?;
        stream.write_all(HEARD)?;
        Ok(Link::parse(&String::from_utf8_lossy(&said)))
    }
}

#[cfg(not(unix))]
mod socket {
    use std::io;
    use std::path::Path;

    use crate::link::Link;

    pub(super) fn knock(_: &Path, _: Option<&Link>) -> bool {
        false
    }

    pub(super) fn open(_: &Path, _: impl Fn(Option<Link>) + Send + 'static) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc;

    use super::*;

    fn listening(folder: &Path) -> (Door, mpsc::Receiver<Option<Link>>) {
        let (tell, told) = mpsc::channel();
        let door = open(folder, move |link| tell.send(link).unwrap()).unwrap();
        (door, told)
    }

    #[test]
    fn a_second_start_is_heard_with_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let (_door, told) = listening(folder.path());
        assert!(knock(folder.path(), None));
        assert_eq!(told.recv().unwrap(), None);
        let link = Link::parse("PEDDLENET:J/AA");
        assert!(knock(folder.path(), link.as_ref()));
        assert_eq!(told.recv().unwrap(), link);
    }

    #[test]
    fn nobody_hears_where_nothing_runs() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (door, _told) = listening(one.path());
        assert!(!knock(other.path(), None), "another profile");
        drop(door);
        assert!(!knock(one.path(), None), "it was closed");
    }

    #[test]
    fn a_socket_of_a_killed_process_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        drop(std::os::unix::net::UnixListener::bind(folder.path().join(SOCKET)).unwrap());
        assert!(!knock(folder.path(), None));
        let (_door, told) = listening(folder.path());
        assert!(knock(folder.path(), None));
        assert_eq!(told.recv().unwrap(), None);
    }

    #[test]
    fn noise_is_heard_as_a_start_without_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (_door, told) = listening(folder.path());
        let say = |bytes: &[u8]| {
            let mut stream = UnixStream::connect(folder.path().join(SOCKET)).unwrap();
            // The listener stops reading at its limit and may be gone before all is written.
            let _ = stream.write_all(bytes);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read(&mut [0; 2]);
        };
        say(&[0xff; 64]);
        assert_eq!(told.recv().unwrap(), None);
        say(&[b'P'; 100_000]);
        assert_eq!(told.recv().unwrap(), None);
        assert!(knock(folder.path(), None));
        assert_eq!(told.recv().unwrap(), None);
    }
}
