//! The helper's side: a loop that carries out tasks until the main process is gone.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use super::{Reply, Task, bind, receive, send};

/// The hidden command that the program re-executes itself with.
pub(crate) const COMMAND: &str = "privileged-helper";

/// Largest certificate chain or key that is handed over.
const PEM_BYTES_MAX: u64 = 1024 * 1024;

/// Serves the socket on standard input until it closes.
pub(crate) fn run() -> anyhow::Result<()> {
    let input = std::io::stdin();
    let socket = input.as_fd();
    loop {
        let (packet, _) = receive(socket)?;
        if packet.is_empty() {
            return Ok(());
        }
        let outcome = match serde_json::from_slice(&packet) {
            Ok(task) => carry_out(&task),
            Err(error) => Err(format!("not a task of the helper: {error}")),
        };
        let (failure, descriptor) = match outcome {
            Ok(descriptor) => (None, Some(descriptor)),
            Err(failure) => (Some(failure), None),
        };
        send(
            socket,
            &serde_json::to_vec(&Reply { failure })?,
            descriptor.as_ref(),
        )?;
    }
}

fn carry_out(task: &Task) -> Result<OwnedFd, String> {
    match task {
        Task::Bind { address } if address.port() < 1024 => {
            bind::listen(*address).map(|listener: TcpListener| listener.into())
        }
        Task::Bind { address } => Err(format!("port {} needs no privilege", address.port())),
        Task::OpenPem { path } => open_pem(path).map(OwnedFd::from),
    }
}

/// Opens a file that holds PEM blocks of certificates or keys, and no other.
pub(crate) fn open_pem(path: &Path) -> Result<File, String> {
    let failed = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let mut file = File::open(path).map_err(|error| failed(&error))?;
    let metadata = file.metadata().map_err(|error| failed(&error))?;
    if !metadata.is_file() || metadata.len() > PEM_BYTES_MAX {
        return Err(failed(&"not a PEM file of at most 1 MiB"));
    }
    let mut text = String::new();
    let read = file.by_ref().take(PEM_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| failed(&error))?;
    let blocks = || {
        text.lines()
            .filter_map(|line| line.strip_prefix("-----BEGIN "))
    };
    let of_tls = |label: &str| label.starts_with("CERTIFICATE") || label.contains("PRIVATE KEY");
    // Whoever took over the main process must not read other secrets through this door.
    if blocks().next().is_none() || !blocks().all(of_tls) {
        return Err(failed(&"not a PEM file of certificates or keys"));
    }
    file.seek(SeekFrom::Start(0))
        .map_err(|error| failed(&error))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certificates_and_keys_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let chain = write(
            "chain.pem",
            "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
        );
        let shadow = write("shadow", "root:$y$secret:19000:0:99999:7:::\n");
        assert!(open_pem(&chain).is_ok());
        assert!(open_pem(&shadow).is_err());
        assert!(open_pem(folder.path()).is_err());
    }

    #[test]
    fn ports_from_1024_on_are_no_task_of_the_helper() {
        let address = "127.0.0.1:2525".parse().unwrap();
        assert!(carry_out(&Task::Bind { address }).is_err());
    }
}
