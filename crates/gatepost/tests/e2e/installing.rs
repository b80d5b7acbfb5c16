//! `gatepost install` below a folder: what packages and careful people look at first.

use std::process::Command;

use anyhow::{Result, ensure};
use testkit::running::run;

#[test]
fn install_below_a_folder_says_each_step_and_overwrites_no_boot_file() -> Result<()> {
    let root = tempfile::tempdir()?;
    let install = || {
        let mut command = Command::new(crate::subject::PROGRAM);
        command.arg("install").arg("--root").arg(root.path());
        run(command, b"")?.succeeded()
    };
    let said = install()?.output;
    let below = |name: &str| root.path().join(name);
    for name in [
        "usr/local/bin/gatepost",
        "etc/gatepost/boot.toml",
        "var/lib/gatepost",
        "etc/systemd/system/gatepost.service",
    ] {
        ensure!(below(name).exists(), "no {name}");
        let path = below(name).display().to_string();
        ensure!(said.contains(&path), "{name} was not told of:\n{said}");
    }
    let boot = std::fs::read_to_string(below("etc/gatepost/boot.toml"))?;
    ensure!(boot.contains("data = \"/var/lib/gatepost\""), "{boot}");
    let unit = std::fs::read_to_string(below("etc/systemd/system/gatepost.service"))?;
    for line in [
        "ExecStart=/usr/local/bin/gatepost serve",
        "NoNewPrivileges=yes",
    ] {
        ensure!(unit.contains(line), "no {line}:\n{unit}");
    }
    std::fs::write(below("etc/gatepost/boot.toml"), "data = \"/srv/mail\"\n")?;
    let again = install()?.output;
    ensure!(again.contains("as it is"), "{again}");
    let kept = std::fs::read_to_string(below("etc/gatepost/boot.toml"))?;
    ensure!(kept == "data = \"/srv/mail\"\n", "{kept}");
    Ok(())
}
