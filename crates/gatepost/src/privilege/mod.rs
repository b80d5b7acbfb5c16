//! Privilege, kept in a small helper process and nowhere else (ADR 6).
//!
//! Promises: the helper is started before any thread; the main process never has privilege after
//! `drop_to`; the helper does only what `Task` names.
//! Does not: run `nft` or read conntrack yet; those tasks come with their issues.

mod bind;
mod holder;
mod keeper;
mod user;

use std::fs::File;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use serde::{Deserialize, Serialize};

pub(crate) use keeper::{COMMAND, run};
pub(crate) use user::{drop_to, is_root, owner_for};

/// Longest packet between the two processes.
const PACKET_BYTES_MAX: usize = 16 * 1024;

/// All that the helper can be asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "kebab-case")]
enum Task {
    /// Listen on a TCP address.
    Bind { address: SocketAddr },
    /// Open a certificate or key file for reading.
    OpenPem { path: PathBuf },
}

/// What the helper says; a descriptor travels with `Ok`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reply {
    failure: Option<String>,
}

/// The way to ports below 1024 and to key files.
#[derive(Debug)]
pub(crate) struct Privilege {
    /// The helper's socket; `None` when we were not started as root: then we try by ourselves.
    helper: Option<Mutex<OwnedFd>>,
}

impl Privilege {
    /// Without a helper.
    pub(crate) fn none() -> Self {
        Self { helper: None }
    }

    /// Starts the helper. Call before any thread exists.
    pub(crate) fn start_helper() -> anyhow::Result<Self> {
        let (ours, theirs) = rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )
        .context("cannot make the helper's socket pair")?;
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        // The helper leaves when its end of the socket closes, so nobody needs to reap it early.
        let mut command = Command::new(program);
        command
            .arg(COMMAND)
            .env_clear()
            .stdin(Stdio::from(theirs))
            .current_dir("/");
        // A process group of its own: Ctrl-C is for the main process, which still needs it then.
        command.process_group(0);
        command
            .spawn()
            .context("cannot start the privileged helper")?;
        Ok(Self {
            helper: Some(Mutex::new(ours)),
        })
    }

    /// A listener on `address`.
    ///
    /// # Errors
    /// A sentence that names the holder of the port, or the capability that is missing.
    pub(crate) fn listen(&self, address: SocketAddr) -> Result<TcpListener, String> {
        match &self.helper {
            Some(helper) if address.port() < 1024 => {
                Self::ask(helper, &Task::Bind { address }).map(TcpListener::from)
            }
            _ => bind::listen(address),
        }
    }

    /// A certificate or key file, opened.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub(crate) fn open_pem(&self, path: &Path) -> Result<File, String> {
        match &self.helper {
            Some(helper) => Self::ask(
                helper,
                &Task::OpenPem {
                    path: path.to_owned(),
                },
            )
            .map(File::from),
            None => keeper::open_pem(path),
        }
    }

    fn ask(helper: &Mutex<OwnedFd>, task: &Task) -> Result<OwnedFd, String> {
        let socket = helper.lock().unwrap_or_else(PoisonError::into_inner);
        let packet = serde_json::to_vec(task).map_err(|error| error.to_string())?;
        send(socket.as_fd(), &packet, None).map_err(|error| error.to_string())?;
        let (packet, descriptor) = receive(socket.as_fd()).map_err(|error| error.to_string())?;
        let reply: Reply = serde_json::from_slice(&packet)
            .map_err(|_| "the privileged helper has ended".to_owned())?;
        match (reply.failure, descriptor) {
            (None, Some(descriptor)) => Ok(descriptor),
            (Some(failure), _) => Err(failure),
            (None, None) => Err("the privileged helper sent no descriptor".to_owned()),
        }
    }
}

fn send(
    socket: BorrowedFd<'_>,
    packet: &[u8],
    descriptor: Option<&OwnedFd>,
) -> rustix::io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors: Vec<BorrowedFd<'_>> = descriptor.into_iter().map(AsFd::as_fd).collect();
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    rustix::net::sendmsg(
        socket,
        &[IoSlice::new(packet)],
        &mut ancillary,
        SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

fn receive(socket: BorrowedFd<'_>) -> rustix::io::Result<(Vec<u8>, Option<OwnedFd>)> {
    let mut packet = vec![0; PACKET_BYTES_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::net::recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut packet)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    packet.truncate(received.bytes);
    let mut descriptor = None;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            descriptor = descriptors.last();
        }
    }
    Ok((packet, descriptor))
}
