//! The operator's socket.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use operate::control::{AskError, ask, bind, serve, socket_path};
use operate::{Answer, OperateError, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{Rig, user};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_and_answers_cross_the_socket_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let nobody = ask(&path, &Request::Status);
    assert!(matches!(nobody, Err(AskError::NotRunning { .. })));
    let rig = Rig::set_up().await;
    let listener = bind(&path).unwrap();
    let mode = std::fs::metadata(socket_path(&path)).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o660);
    let office = Arc::clone(&rig.office);
    let service = tokio::spawn(serve(
        listener,
        office,
        Arc::new(|uid| format!("uid {uid}")),
    ));
    let asking = path.clone();
    let answers = tokio::task::spawn_blocking(move || {
        let name = user("carol");
        let requests = [
            Request::UserAdd {
                name: name.clone(),
                full_name: "Carol \"C\" Ö".to_owned(),
                password: "open sesame".to_owned(),
            },
            Request::UserRemove { name: user("dave") },
            Request::Audit { limit: 1 },
            Request::Status,
            Request::SettingsShow,
            Request::UserList,
            Request::DomainList,
            Request::AddressList,
            Request::Sheet { user: name },
        ];
        requests.map(|request| ask(&asking, &request).unwrap())
    });
    let answers = answers.await.unwrap();
    assert!(matches!(answers[0], Ok(Answer::Done { .. })));
    assert!(matches!(answers[1], Err(OperateError::NotFound { .. })));
    let Ok(Answer::Audit { entries }) = &answers[2] else {
        panic!("{:?}", answers[2])
    };
    assert!(entries[0].operator.starts_with("uid "));
    for answer in &answers[3..] {
        assert!(answer.is_ok(), "{answer:?}");
    }
    // What is no request is answered, and the session goes on.
    let mut stream = tokio::net::UnixStream::connect(socket_path(&path))
        .await
        .unwrap();
    stream
        .write_all(b"nonsense\n{\"verb\":\"status\"}\n")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("does not know the request") && lines[1].starts_with("{\"Ok\""));
    service.abort();
}
