//! The files of the authority.
//!
//! Promises: a file is either the old or the new one, whole; keys can be read by their owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::CertificateError;

pub(super) const AUTHORITY_CERTIFICATE: &str = "authority.pem";
pub(super) const AUTHORITY_KEY: &str = "authority.key";
pub(super) const SERVER_CERTIFICATE: &str = "server.pem";
pub(super) const SERVER_KEY: &str = "server.key";

pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder if it is absent.
    pub(super) fn open(path: &Path) -> Result<Self, CertificateError> {
        fs::create_dir_all(path).map_err(|failure| CertificateError::Write {
            path: path.to_owned(),
            failure,
        })?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    pub(super) fn read(&self, name: &str) -> Result<String, CertificateError> {
        let path = self.path.join(name);
        fs::read_to_string(&path).map_err(|failure| CertificateError::Read { path, failure })
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), CertificateError> {
        self.replace(name, text, 0o644)
    }

    pub(super) fn write_secret(&self, name: &str, text: &str) -> Result<(), CertificateError> {
        self.replace(name, text, 0o600)
    }

    fn replace(&self, name: &str, text: &str, mode: u32) -> Result<(), CertificateError> {
        let path = self.path.join(name);
        self.try_replace(&path, text, mode)
            .map_err(|failure| CertificateError::Write { path, failure })
    }

    fn try_replace(&self, path: &Path, text: &str, mode: u32) -> io::Result<()> {
        let new = path.with_extension("new");
        // A left-over of a crash may have another mode.
        match fs::remove_file(&new) {
            Err(failed) if failed.kind() != io::ErrorKind::NotFound => return Err(failed),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(&self.path)?.sync_all()
    }
}
