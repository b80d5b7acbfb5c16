//! F-SYNC-ORDER and F-IOERR on the real program.

use std::net::SocketAddr;

use crate::order::{Acknowledged, check};
use crate::program::{Folder, Smtp};
use crate::traced::Traced;

const KIB: usize = 1024;
/// Nothing is sent outside here: the discard port of loopback.
const NOWHERE: ([u8; 4], u16) = ([127, 0, 0, 2], 9);

/// A message of about `bytes` octets with the marker in every line.
fn text(marker: &str, bytes: usize) -> Vec<u8> {
    let mut text = b"From: bob@office.test\r\n\r\n".to_vec();
    while text.len() < bytes {
        text.extend_from_slice(format!("{marker} all work and no play {marker}\r\n").as_bytes());
    }
    text
}

/// Sends messages one after the other; those that were acknowledged.
fn send(
    to: SocketAddr,
    sender: usize,
    count: usize,
    bytes: usize,
) -> std::io::Result<Vec<Acknowledged>> {
    let mut smtp = Smtp::greeted(to)?;
    let mut acknowledged = Vec::new();
    for number in 0..count {
        let marker = format!("MARK-{bytes}-{sender}-{number}-");
        let text = text(&marker, bytes);
        let id = smtp.send("bob@office.test", &["alice@office.test"], &text)?;
        acknowledged.push(Acknowledged {
            marker,
            id,
            is_file: bytes > 256 * KIB,
        });
    }
    Ok(acknowledged)
}

/// An office that was set up and ended, so that a start of it writes little.
fn prepared() -> Folder {
    let folder = Folder::new();
    let mut gateway = folder.open_office(SocketAddr::from(NOWHERE));
    gateway.signal(rustix::process::Signal::TERM);
    gateway.ended(testkit::wait::PATIENCE);
    folder
}

#[test]
fn every_250_comes_after_the_syncs_of_its_message() {
    let folder = prepared();
    let traced = Traced::start(&folder, None).expect("a gateway");
    let to = folder.address("smtp");
    let mut acknowledged = Vec::new();
    for (bytes, count) in [(4 * KIB, 5), (1024 * KIB, 2)] {
        // One alone, then eight at the same time.
        acknowledged.extend(send(to, 0, count, bytes).unwrap());
        std::thread::scope(|scope| {
            let senders: Vec<_> = (1..=8)
                .map(|sender| scope.spawn(move || send(to, sender, count, bytes)))
                .collect();
            for sender in senders {
                acknowledged.extend(sender.join().unwrap().unwrap());
            }
        });
    }
    assert_eq!(acknowledged.len(), 9 * 5 + 9 * 2);
    let calls = traced.end();
    for message in &acknowledged {
        check(&calls, message).unwrap_or_else(|disorder| panic!("{disorder}"));
    }
}

#[test]
fn no_250_follows_a_sync_that_failed() {
    for bytes in [4 * KIB, 600 * KIB] {
        let folder = prepared();
        // From the n-th sync of each thread on; the first n that lets it start.
        let traced = (1..20).find_map(|nth| {
            let inject = format!("fsync,fdatasync:error=EIO:when={nth}+");
            Traced::start(&folder, Some(&inject))
        });
        let traced = traced.expect("a gateway that starts");
        let to = folder.address("smtp");
        let mut acknowledged = Vec::new();
        let refused = (0..60).find_map(|sender| match send(to, sender, 1, bytes) {
            Ok(accepted) => {
                acknowledged.extend(accepted);
                None
            }
            Err(refused) => Some(refused.to_string()),
        });
        let refused = refused.expect("some sync fails");
        assert!(refused.contains("unexpected reply: 45"), "{refused}");
        for sender in 100..110 {
            let again = send(to, sender, 1, bytes);
            assert!(again.is_err(), "a 250 after a sync that failed: {again:?}");
        }
        let calls = traced.end();
        for message in &acknowledged {
            check(&calls, message).unwrap_or_else(|disorder| panic!("{disorder}"));
        }
        everything_is_there(&folder, &acknowledged);
    }
}

/// What was acknowledged before the disk failed is there when it works again, and nothing else.
fn everything_is_there(folder: &Folder, acknowledged: &[Acknowledged]) {
    let _again = folder.start();
    let mut pop3 = folder.pop3("alice");
    let numbers = pop3.unique_ids().unwrap();
    let texts: Vec<String> = numbers
        .into_iter()
        .map(|(number, _)| String::from_utf8_lossy(&pop3.retrieve(number).unwrap()).into_owned())
        .collect();
    for message in acknowledged {
        let copies = texts.iter().filter(|text| text.contains(&message.marker));
        assert_eq!(copies.count(), 1, "{message:?}");
    }
    folder
        .smtp()
        .send("bob@office.test", &["alice@office.test"], &text("new", KIB))
        .unwrap();
}
