//! Sending on 587 and 465, by the programs that people use, with the address that they type.

use anyhow::{Context, Result, ensure};
use testkit::net::Place;
use testkit::peers::Tls;

use crate::trial::{from_bob, note, play};

/// Python's smtplib: host, port, how, user, password, sender, recipient; the text is the input.
pub(crate) const SMTPLIB: &str = "\
import os, smtplib, ssl, sys
host, port, how, user, password, sender, recipient = sys.argv[1:]
context = ssl.create_default_context(cafile=os.environ['AUTHORITY'])
if how == 'implicit':
    server = smtplib.SMTP_SSL(host, int(port), timeout=60, context=context)
else:
    server = smtplib.SMTP(host, int(port), timeout=60)
if how == 'upgraded':
    server.starttls(context=context)
if user:
    server.login(user, password)
text = sys.stdin.buffer.read().replace(b'\\n', b'\\r\\n')
utf8 = not (sender + recipient).isascii()
server.ehlo_or_helo_if_needed()
server.sendmail(sender, [recipient], text, mail_options=['SMTPUTF8'] if utf8 else ['BODY=8BITMIME'])
server.quit()
";

#[test]
fn every_program_submits_by_the_address_that_people_type() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let desk = trial.desk()?;
        let fingerprint = trial.operator.fingerprint()?;
        let ways = [
            ("swaks", Tls::Upgraded, "PLAIN"),
            ("swaks", Tls::Implicit, "LOGIN"),
            ("msmtp", Tls::Upgraded, "LOGIN"),
            ("msmtp", Tls::Implicit, "PLAIN"),
            ("msmtp-by-fingerprint", Tls::Implicit, "PLAIN"),
            ("curl", Tls::Upgraded, "PLAIN"),
            ("curl", Tls::Implicit, "LOGIN"),
            ("smtplib", Tls::Upgraded, ""),
            ("smtplib", Tls::Implicit, ""),
        ];
        for (program, tls, mechanism) in ways {
            let (port, how) = match tls {
                Tls::Upgraded => (587, "upgraded"),
                Tls::Implicit => (465, "implicit"),
            };
            let token = format!("{program}-{port}");
            let text = note("bob@office.test", "alice@office.test", &token);
            let message = from_bob(trial.inside(port), &["alice@office.test"], &text);
            let bob = trial.bob(tls, mechanism);
            let sent = match program {
                "swaks" => desk.swaks_signed_in(message, bob, &[]),
                "msmtp" => desk.msmtp_signed_in(message, bob, None),
                "curl" => desk.curl_send_signed_in(message, bob),
                "smtplib" => {
                    let (host, port) = (message.server.ip().to_string(), port.to_string());
                    let words = [&host, &port, how, bob.user, bob.password];
                    let words = [&words[..], &[message.from, "alice@office.test"]].concat();
                    desk.python(SMTPLIB, &words, text.as_bytes())
                }
                _ => desk.msmtp_signed_in(message, bob, Some(&fingerprint)),
            };
            sent?.succeeded().with_context(|| token.clone())?;
            let came = trial.has(trial.stage.alice(), &format!("X-Token: {token}"))?;
            ensure!(
                came.contains("with ESMTPSA"),
                "{token}: no sign-in noted:\n{came}"
            );
            ensure!(
                came.contains("tls TLS_"),
                "{token}: no cipher noted:\n{came}"
            );
            ensure!(came.contains("\n.A note.\n"), "{token}: dots:\n{came}");
        }
        Ok(())
    })
}

#[test]
fn certificate_of_somebody_else_is_noticed() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let text = note("bob@office.test", "alice@office.test", "never");
        let message = from_bob(trial.inside(465), &["alice@office.test"], &text);
        let bob = trial.bob(Tls::Implicit, "PLAIN");
        let desk = trial.desk()?;
        // The gateway as the desk's own loopback address, which no certificate of ours names.
        let card = crate::trial::DESK_CARD;
        let namespace = &trial.stage.office.desk.namespace;
        namespace.ip(&format!(
            "route add 192.168.77.7 via 192.168.10.1 dev {card}"
        ))?;
        let gateway = &trial.stage.office.gateway.namespace;
        gateway.nft(
            "table ip other { chain pre { type nat hook prerouting priority -100; \
             ip daddr 192.168.77.7 dnat to 192.168.10.1; }; }",
        )?;
        let mut elsewhere = message;
        elsewhere.server.set_ip([192, 168, 77, 7].into());
        let told = desk.curl_send_signed_in(elsewhere, bob)?;
        ensure!(told.code == 60, "no complaint:\n{}", told.output);
        desk.curl_send_signed_in(message, bob)?
            .succeeded()
            .map(drop)
    })
}

#[test]
fn desk_that_uses_the_outside_address_is_still_a_desk() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let text = note("bob@office.test", "fred@hotmail.test", "hairpin");
        let message = from_bob(trial.outside(25), &["fred@hotmail.test"], &text);
        let desk = trial.desk()?;
        desk.swaks(message, &[])?.succeeded()?;
        trial.stage.fred_has("X-Token: hairpin")?;
        // A laptop keeps one address in its settings, at home and in the office.
        let message = from_bob(trial.outside(465), &["fred@hotmail.test"], &text);
        let bob = trial.bob(Tls::Implicit, "PLAIN");
        desk.curl_send_signed_in(message, bob)?
            .succeeded()
            .map(drop)
    })
}
