//! Becoming the owner of the data folder, for good.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use nix::unistd::{Gid, Uid, User};

/// The user that a folder owned by root is given to.
const USER: &str = "gatepost";

/// A user and its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    uid: Uid,
    gid: Gid,
}

/// Whether this process has root's privilege.
pub(crate) fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Who the gateway is to be: the owner of the data folder. A folder that is absent, or root's, is
/// given to user `gatepost`, who is made if absent (said on standard error).
pub(crate) fn owner_for(folder: &Path) -> anyhow::Result<Account> {
    if !folder.exists() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the data folder {}", folder.display()))?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    let metadata = fs::metadata(folder)
        .with_context(|| format!("cannot read the data folder {}", folder.display()))?;
    if metadata.uid() != 0 {
        return Ok(Account {
            uid: Uid::from_raw(metadata.uid()),
            gid: Gid::from_raw(metadata.gid()),
        });
    }
    let account = gatepost_user()?;
    eprintln!(
        "gatepost: the data folder {} now belongs to user {USER}",
        folder.display()
    );
    give(folder, account)?;
    Ok(account)
}

fn gatepost_user() -> anyhow::Result<Account> {
    if let Some(user) = User::from_name(USER)? {
        return Ok(Account {
            uid: user.uid,
            gid: user.gid,
        });
    }
    eprintln!("gatepost: making the system user {USER}, which the gateway runs as");
    let made = Command::new("useradd")
        .args([
            "--system",
            "--user-group",
            "--no-create-home",
            "--home-dir",
            "/nonexistent",
        ])
        .args(["--shell", "/usr/sbin/nologin", USER])
        .status()
        .context("cannot run useradd")?;
    match User::from_name(USER)? {
        Some(user) => Ok(Account {
            uid: user.uid,
            gid: user.gid,
        }),
        None => bail!("useradd did not make the user {USER} ({made})"),
    }
}

/// Gives a folder and all below it to `account`; links are given, never followed.
fn give(folder: &Path, account: Account) -> anyhow::Result<()> {
    chown(
        folder,
        Some(account.uid.as_raw()),
        Some(account.gid.as_raw()),
    )
    .with_context(|| format!("cannot give {} to the gateway", folder.display()))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            give(&entry.path(), account)?;
        } else {
            let (uid, gid) = (account.uid.as_raw(), account.gid.as_raw());
            std::os::unix::fs::lchown(entry.path(), Some(uid), Some(gid))?;
        }
    }
    Ok(())
}

/// Becomes `account` and can not go back. Call while there is one thread.
pub(crate) fn drop_to(account: Account) -> anyhow::Result<()> {
    nix::unistd::setgroups(&[account.gid]).context("cannot leave root's groups")?;
    nix::unistd::setresgid(account.gid, account.gid, account.gid)
        .context("cannot leave root's group")?;
    nix::unistd::setresuid(account.uid, account.uid, account.uid)
        .context("cannot stop being root")?;
    if !account.uid.is_root() && nix::unistd::setuid(Uid::from_raw(0)).is_ok() {
        bail!("privilege could be taken back; refusing to run");
    }
    Ok(())
}
