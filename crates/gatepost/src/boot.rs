//! The boot file: only what is needed to reach the store.
//!
//! Promises: an unknown or misspelt field is an error that names it, never passed over.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;

/// Where the boot file is when nobody says otherwise.
pub(crate) const DEFAULT_FILE: &str = "/etc/gatepost/boot.toml";
/// Where data is when the boot file does not say.
pub(crate) const DEFAULT_DATA: &str = "/var/lib/gatepost";

/// What the boot file says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Boot {
    /// The data folder; absolute. Default: `/var/lib/gatepost`.
    #[serde(default = "default_data")]
    pub(crate) data: PathBuf,
    /// An id of this node for logs; not the host name. Default: `gatepost`.
    #[serde(default = "default_node")]
    pub(crate) node: String,
}

fn default_data() -> PathBuf {
    PathBuf::from(DEFAULT_DATA)
}

fn default_node() -> String {
    "gatepost".to_owned()
}

impl Boot {
    /// With `--data DIR`: no file is read. Else `--boot FILE`, else the default file, which may be
    /// absent.
    pub(crate) fn find(data: Option<&Path>, file: Option<&Path>) -> anyhow::Result<Self> {
        match (data, file) {
            (Some(_), Some(_)) => bail!("give --data or --boot, not both"),
            (Some(data), None) => Ok(Self {
                data: absolute(data)?,
                node: default_node(),
            }),
            (None, Some(file)) => Self::read(file),
            (None, None) if Path::new(DEFAULT_FILE).exists() => Self::read(Path::new(DEFAULT_FILE)),
            (None, None) => Ok(Self {
                data: default_data(),
                node: default_node(),
            }),
        }
    }

    fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the boot file {}", file.display()))?;
        let boot: Self = toml::from_str(&text)
            .with_context(|| format!("the boot file {} is wrong", file.display()))?;
        if !boot.data.is_absolute() {
            bail!(
                "the boot file {}: data: must be an absolute path",
                file.display()
            );
        }
        Ok(boot)
    }
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("no such path: {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Boot> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("boot.toml");
        std::fs::write(&file, text)?;
        Boot::find(None, Some(&file))
    }

    #[test]
    fn an_unknown_field_is_named() {
        let error = format!("{:#}", read("dada = \"/srv/mail\"").unwrap_err());
        assert!(error.contains("dada"), "{error}");
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        assert_eq!(read("").unwrap().data, Path::new(DEFAULT_DATA));
    }

    #[test]
    fn a_relative_data_folder_is_refused() {
        assert!(read("data = \"mail\"").is_err());
    }
}
