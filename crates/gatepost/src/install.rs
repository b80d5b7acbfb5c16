//! `gatepost install`: the program, its user, its folders and its systemd unit.
//!
//! Promises: what exists is not overwritten unless it is this program's own unit or binary; every
//! step is said; nothing is started.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::boot::{DEFAULT_DATA, DEFAULT_FILE};
use crate::privilege;

const BINARY: &str = "usr/local/bin/gatepost";
const UNIT: &str = "etc/systemd/system/gatepost.service";

/// The unit: started as root for the privileged helper alone, which keeps two capabilities.
const UNIT_TEXT: &str = "\
[Unit]
Description=Gatepost mail gateway
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart=/usr/local/bin/gatepost serve
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2
TimeoutStopSec=60
LimitNOFILE=65536
CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SETUID CAP_SETGID CAP_CHOWN CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_FOWNER
NoNewPrivileges=yes
ProtectSystem=full
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes

[Install]
WantedBy=multi-user.target
";

/// Installs below `root` (`/` but for packages and tests), telling each step to `say`.
///
/// `data` is the data folder where it is not to be the usual one.
pub(crate) fn install(
    root: &Path,
    data: Option<&Path>,
    say: &mut dyn FnMut(&str),
) -> anyhow::Result<()> {
    let real = root == Path::new("/");
    if real && !privilege::is_root() {
        bail!("installing needs root: run it with sudo");
    }
    let data = data.unwrap_or(Path::new(DEFAULT_DATA));
    if !data.is_absolute() {
        bail!("--data: must be an absolute path");
    }
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    copy_program(&program, &root.join(BINARY), say)?;
    write_once(&below(root, Path::new(DEFAULT_FILE)), &boot_text(data), say)?;
    let data = below(root, data);
    if !data.exists() {
        fs::create_dir_all(&data)?;
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700))?;
        say(&format!("made the data folder {}", data.display()));
    }
    if real {
        privilege::owner_for(&data)?;
    }
    write_unit(&root.join(UNIT), say)?;
    say(
        "start it now and at every boot with: systemctl daemon-reload && systemctl enable --now gatepost",
    );
    say("then: gatepost setup own-server DOMAIN --user NAME");
    Ok(())
}

fn below(root: &Path, absolute: &Path) -> PathBuf {
    root.join(absolute.strip_prefix("/").unwrap_or(absolute))
}

fn boot_text(data: &Path) -> String {
    let data = toml::Value::String(data.display().to_string());
    format!(
        "# Only what is needed to reach the data; everything else: gatepost settings show\n\
         data = {data}\n"
    )
}

fn copy_program(program: &Path, to: &Path, say: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
    if program == to {
        return Ok(());
    }
    let folder = to.parent().context("no folder for the program")?;
    fs::create_dir_all(folder)?;
    // Copied beside and renamed: a running program of that name is not disturbed.
    let fresh = to.with_extension("new");
    fs::copy(program, &fresh).with_context(|| format!("cannot write {}", fresh.display()))?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755))?;
    fs::rename(&fresh, to)?;
    say(&format!("put the program at {}", to.display()));
    Ok(())
}

fn write_once(path: &Path, text: &str, say: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
    if path.exists() {
        say(&format!("left {} as it is", path.display()));
        return Ok(());
    }
    fs::create_dir_all(path.parent().context("no folder")?)?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("wrote {}", path.display()));
    Ok(())
}

fn write_unit(path: &Path, say: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
    fs::create_dir_all(path.parent().context("no folder")?)?;
    fs::write(path, UNIT_TEXT).with_context(|| format!("cannot write {}", path.display()))?;
    say(&format!("wrote the systemd unit {}", path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installs_once_and_again_without_touching_the_boot_file() {
        let root = tempfile::tempdir().unwrap();
        install(root.path(), None, &mut |_| {}).unwrap();
        let boot = below(root.path(), Path::new(DEFAULT_FILE));
        fs::write(&boot, "data = \"/srv/mail\"\n").unwrap();
        let mut said = Vec::new();
        install(root.path(), None, &mut |line| said.push(line.to_owned())).unwrap();
        assert_eq!(fs::read_to_string(&boot).unwrap(), "data = \"/srv/mail\"\n");
        assert!(said.iter().any(|line| line.starts_with("left")));
        assert!(root.path().join(UNIT).exists());
        assert!(root.path().join(BINARY).exists());
    }
}
