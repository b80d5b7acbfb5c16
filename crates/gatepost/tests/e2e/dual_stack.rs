//! An office with IPv6 as well: the same services, the same trust, and hosts whose IPv6 is dead.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, ensure};
use testkit::net::{Office, Place};
use testkit::peers::{Message, Tls};

use crate::trial::{Trial, from_bob, note, play, was_told};

#[test]
fn everything_works_by_ipv6_too() -> Result<()> {
    play(Place::DualStack, |trial| {
        bob_submits(trial)?;
        strangers_are_strangers(trial)?;
        let desk = trial.desk()?;
        for to in ["fred@six.test", "fred@dual.test", "fred@half.test"] {
            let text = note("bob@office.test", to, to);
            let recipients = [to];
            let message = from_bob(trial.inside(25), &recipients, &text);
            desk.swaks(message, &[])?.succeeded()?;
        }
        for to in ["fred@six.test", "fred@dual.test", "fred@half.test"] {
            let came = trial.stage.fred_has(&format!("X-Token: {to}"));
            let came = came.with_context(|| to.to_owned())?;
            let by_ipv6 = came.contains(&format!("[IPv6:{}]", Office::PUBLIC_IPV6));
            ensure!(by_ipv6 == (to == "fred@six.test"), "{to} came by\n{came}");
        }
        Ok(())
    })
}

const fn port(address: IpAddr, port: u16) -> SocketAddr {
    SocketAddr::new(address, port)
}

/// curl checks the certificate against the address in the URL: it must name this one, too.
fn bob_submits(trial: &Trial<'_>) -> Result<()> {
    let text = note("bob@office.test", "alice@office.test", "by six");
    let server = port(Office::GATEWAY_IPV6, 587);
    let message = from_bob(server, &["alice@office.test"], &text);
    let bob = trial.bob(Tls::Upgraded, "PLAIN");
    let desk = trial.desk()?;
    desk.curl_send_signed_in(message, bob)?.succeeded()?;
    let came = trial.has(trial.stage.alice(), "X-Token: by six")?;
    // RFC 5321 §4.1.3: an IPv6 address is tagged.
    ensure!(came.contains("[IPv6:fd00:10::11]"), "{came}");
    // Without sign-in, a desk by its address alone.
    let message = from_bob(
        port(Office::GATEWAY_IPV6, 25),
        &["fred@hotmail.test"],
        &text,
    );
    desk.curl_send(message)?.succeeded().map(drop)
}

fn strangers_are_strangers(trial: &Trial<'_>) -> Result<()> {
    let stranger = trial.client(&trial.stage.office.stranger)?;
    let text = note("x@elsewhere.test", "bob@office.test", "in by six");
    let mut message = Message {
        server: port(Office::PUBLIC_IPV6, 25),
        from: "x@elsewhere.test",
        to: &["bob@office.test"],
        text: &text,
    };
    stranger.curl_send(message)?.succeeded()?;
    trial.has(trial.stage.bob(), "X-Token: in by six")?;
    message.to = &["fred@hotmail.test"];
    was_told(&stranger.curl_send(message)?, "550 5.7.1")
}
