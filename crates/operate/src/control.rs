//! The operator's socket: one JSON request a line, one JSON answer a line.
//!
//! Promises: only root, the gateway's own user, and members of the socket's group get in (the
//! kernel holds them to mode 0660); every request is audited under the peer's own user, as the
//! kernel names it.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::{Answer, Office, OperateError, Operator, Request};

/// Name of the socket in the data folder.
pub const SOCKET_NAME: &str = "control.sock";
/// Longest request; settings of a large office fit many times over.
const REQUEST_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The socket of a data folder.
pub fn socket_path(folder: &Path) -> PathBuf {
    folder.join(SOCKET_NAME)
}

/// Binds the socket of a data folder whose lock the caller holds; a left-over one is replaced.
///
/// # Errors
/// When the folder does not let it.
pub fn bind(folder: &Path) -> std::io::Result<UnixListener> {
    let path = socket_path(folder);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Serves requests until the future is dropped. `name_of` turns a user id into a name.
pub async fn serve(
    listener: UnixListener,
    office: Arc<Office>,
    name_of: Arc<dyn Fn(u32) -> String + Send + Sync>,
) {
    let mut sessions = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let office = Arc::clone(&office);
                    let name_of = Arc::clone(&name_of);
                    sessions.spawn(async move {
                        if let Err(error) = session(stream, &office, name_of.as_ref()).await {
                            tracing::debug!(%error, "operator's session ended");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the operator's socket does not accept");
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
            },
            Some(_) = sessions.join_next() => {}
        }
    }
}

async fn session(
    stream: UnixStream,
    office: &Office,
    name_of: &(dyn Fn(u32) -> String + Send + Sync),
) -> std::io::Result<()> {
    let operator = Operator {
        name: name_of(stream.peer_cred()?.uid()),
    };
    let (read, mut write) = stream.into_split();
    let mut lines = tokio::io::BufReader::new(read.take(REQUEST_BYTES_MAX));
    let mut line = String::new();
    while lines.read_line(&mut line).await? > 0 {
        // Cut off at the limit: what follows would be read as another request.
        if !line.ends_with('\n') && line.len() as u64 >= REQUEST_BYTES_MAX {
            return Err(std::io::Error::other("a request is too long"));
        }
        let answer = match serde_json::from_str::<Request>(&line) {
            Ok(request) => office.operate(&operator, request).await,
            Err(error) => Err(OperateError::Refused {
                why: format!("this gateway does not know the request: {error}"),
                remedy: "use the command of the same version as the gateway".to_owned(),
            }),
        };
        let mut reply = serde_json::to_vec(&answer).map_err(std::io::Error::other)?;
        reply.push(b'\n');
        write.write_all(&reply).await?;
        line.clear();
        lines.get_mut().set_limit(REQUEST_BYTES_MAX);
    }
    Ok(())
}

/// Why the gateway could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens there.
    #[error("no gateway runs for {}", folder.display())]
    NotRunning {
        /// The data folder.
        folder: PathBuf,
    },
    /// The socket is there, but not for this user.
    #[error("this user may not operate the gateway at {}: become root or join its group", folder.display())]
    NotAllowed {
        /// The data folder.
        folder: PathBuf,
    },
    /// The conversation broke.
    #[error("the gateway did not answer: {failure}")]
    Broken {
        /// How.
        failure: String,
    },
}

/// Asks the gateway that runs for a data folder, and waits for the answer.
///
/// # Errors
/// `AskError` when nobody could be asked; the inner error is the gateway's own.
pub fn ask(folder: &Path, request: &Request) -> Result<Result<Answer, OperateError>, AskError> {
    let folder_of = || folder.to_owned();
    let stream = BlockingStream::connect(socket_path(folder)).map_err(|error| {
        let kind = error.kind();
        if kind == ErrorKind::PermissionDenied {
            AskError::NotAllowed {
                folder: folder_of(),
            }
        } else if kind == ErrorKind::NotFound || kind == ErrorKind::ConnectionRefused {
            AskError::NotRunning {
                folder: folder_of(),
            }
        } else {
            AskError::Broken {
                failure: error.to_string(),
            }
        }
    })?;
    converse(&stream, request).map_err(|error| AskError::Broken {
        failure: error.to_string(),
    })
}

fn converse(
    mut stream: &BlockingStream,
    request: &Request,
) -> std::io::Result<Result<Answer, OperateError>> {
    let mut line = serde_json::to_vec(request).map_err(std::io::Error::other)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut reply = String::new();
    if BufReader::new(stream).read_line(&mut reply)? == 0 {
        return Err(std::io::Error::other("the connection was closed"));
    }
    serde_json::from_str(&reply).map_err(std::io::Error::other)
}
