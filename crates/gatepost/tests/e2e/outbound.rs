//! Delivery to other people's servers: TLS where it works, patience where they ask for it.

use std::net::TcpListener;

use anyhow::{Context, Result, ensure};
use testkit::ScriptedSmtp;
use testkit::net::{Host, Place};
use testkit::peers::{Client, Dovecot, Postfix, PostfixSettings};
use testkit::scripted_smtp::{Act, Stage as Moment};
use testkit::wait;

use crate::trial::{Trial, far_site, from_bob, note, play};

/// A site of the test's own with TLS as `main` says; answers with how its mailbox got the message.
fn received_at_site_with(trial: &Trial<'_>, main: &str) -> Result<String> {
    let (root, office) = (&trial.stage.root, &trial.stage.office);
    let site = far_site(office)?;
    let keys = root.scratch("keys")?;
    let make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
                -days 2 -subj /CN=somebody.invalid -keyout \"$1/key.pem\" -out \"$1/cert.pem\"";
    let mut openssl = root.command(&site.namespace, "sh");
    openssl.args(["-ec", make, "sh", &keys.inside]);
    testkit::running::run(openssl, b"")?.succeeded()?;
    let mailboxes = Dovecot::start(root, &site, &[("greta", "gretas-Secret")])?;
    let main = format!(
        "smtpd_tls_security_level = may\nsmtpd_tls_received_header = yes\n\
         smtpd_tls_cert_file = {0}/cert.pem\nsmtpd_tls_key_file = {0}/key.pem\n{main}",
        keys.inside
    );
    let settings = PostfixSettings {
        host_name: "mx.far.test",
        domains: "far.test",
        addresses: &[("greta@far.test", "greta@far.test")],
        lmtp: mailboxes.lmtp(),
        main: &main,
    };
    let postfix = Postfix::start(root, &site, &settings)?;
    bob_writes(trial, "greta@far.test", "to greta")?;
    let came = wait::until("mail at Greta's", wait::PATIENCE, || {
        mailboxes.messages("greta").pop()
    });
    came.with_context(|| postfix.log())
}

fn bob_writes(trial: &Trial<'_>, to: &str, token: &str) -> Result<()> {
    let text = note("bob@office.test", to, token);
    let recipients = [to];
    let message = from_bob(trial.inside(25), &recipients, &text);
    let desk: Client<'_> = trial.desk()?;
    desk.swaks(message, &[])?.succeeded().map(drop)
}

#[test]
fn tls_is_used_where_it_is_offered() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let came = received_at_site_with(trial, "")?;
        ensure!(came.contains("(using TLSv1.3 "), "not by TLS:\n{came}");
        ensure!(came.contains("with ESMTPS"), "not by TLS:\n{came}");
        Ok(())
    })
}

#[test]
fn broken_tls_of_the_far_side_stops_nothing() -> Result<()> {
    play(Place::TwoCards, |trial| {
        // Offers STARTTLS, and then speaks a version that is dead.
        let came = received_at_site_with(trial, "smtpd_tls_protocols = TLSv1\n")?;
        ensure!(!came.contains("with ESMTPS"), "TLS 1.0?\n{came}");
        ensure!(came.contains("X-Token: to greta"), "{came}");
        Ok(())
    })
}

/// A scripted peer at port 25 of the far site.
fn peer_at(site: &Host) -> Result<ScriptedSmtp> {
    let address = (site.address, 25);
    let listener = site.namespace.enter(|| TcpListener::bind(address))??;
    ScriptedSmtp::on(listener)
}

#[test]
fn greylisted_mail_goes_out_when_it_is_retried() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let site = far_site(&trial.stage.office)?;
        let grey = "450 4.2.0 <greta@far.test>: Greylisted, come again";
        let peer = peer_at(&site)?.once(Moment::Recipient, "greta", Act::Reply(grey.to_owned()));
        bob_writes(trial, "greta@far.test", "patience")?;
        let list = || trial.operator.operate(&["--json", "queue", "list"], "");
        wait::until("the first attempt", wait::PATIENCE, || {
            list().ok()?.contains("Greylisted").then_some(())
        })
        .with_context(|| format!("{:?}", list()))?;
        ensure!(peer.received().iter().all(|message| !message.accepted));
        trial.operator.operate(&["queue", "retry", "--all"], "")?;
        wait::until("the second attempt", wait::PATIENCE, || {
            let received = peer.received();
            received
                .iter()
                .any(|message| message.accepted)
                .then_some(())
        })?;
        wait::until("an empty queue", wait::PATIENCE, || {
            list().ok().filter(|said| !said.contains("greta"))
        })?;
        ensure!(trial.count(trial.stage.bob(), "")? == 0, "nobody tells Bob");
        Ok(())
    })
}
