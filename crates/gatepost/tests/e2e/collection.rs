//! Collecting by POP3 over TLS, by the programs that people use, and what strangers hear.

use anyhow::{Context, Result, ensure};
use testkit::net::Place;
use testkit::peers::{Account, Tls};

use crate::trial::{Trial, from_bob, note, play};

/// Python's poplib: host, port, how, user, password; the whole mailbox comes out.
const POPLIB: &str = "\
import os, poplib, ssl, sys
host, port, how, user, password = sys.argv[1:]
context = ssl.create_default_context(cafile=os.environ['AUTHORITY'])
if how == 'implicit':
    box = poplib.POP3_SSL(host, int(port), timeout=60, context=context)
else:
    box = poplib.POP3(host, int(port), timeout=60)
    box.stls(context)
box.user(user)
box.pass_(password)
for number in range(1, box.stat()[0] + 1):
    print(b'\\n'.join(box.retr(number)[1]).decode())
box.quit()
";

/// fetchmail compares names only, never addresses, so it is told the name.
const FETCHMAIL: &str = "sslcertck sslcertfile \"AUTHORITY\" sslcommonname \"mail.office.test\"";

#[test]
fn every_program_collects_over_tls() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let text = note("bob@office.test", "bob@office.test", "waiting");
        let message = from_bob(trial.inside(25), &["bob@office.test"], &text);
        trial.desk()?.swaks(message, &[])?.succeeded()?;
        for tls in [Tls::Upgraded, Tls::Implicit] {
            collect(trial, tls).with_context(|| format!("{tls:?}"))?;
        }
        Ok(())
    })
}

fn collect(trial: &Trial<'_>, tls: Tls) -> Result<()> {
    let (port, how) = match tls {
        Tls::Upgraded => (110, "upgraded"),
        Tls::Implicit => (995, "implicit"),
    };
    let bob = trial.stage.bob();
    let account = Account {
        server: trial.inside(port),
        user: bob.name,
        password: bob.password,
    };
    let desk = trial.desk()?;
    let (host, port) = (account.server.ip().to_string(), port.to_string());
    let words = [&host, &port, how, bob.name, bob.password];
    let collected = [
        (
            "curl",
            desk.curl_collect_signed_in(account.server, trial.bob(tls, "PLAIN"), 1)?,
        ),
        ("mpop", desk.mpop_signed_in(account, tls)?),
        (
            "fetchmail",
            desk.fetchmail_signed_in(account, tls, FETCHMAIL)?,
        ),
        ("poplib", desk.python(POPLIB, &words, b"")?),
    ];
    for (name, outcome) in collected {
        let found = outcome.output.contains("X-Token: waiting");
        outcome.clone().succeeded().context(name)?;
        ensure!(found, "{name} did not collect it:\n{}", outcome.output);
    }
    Ok(())
}

#[test]
fn mailbox_is_read_from_the_road_once_opened() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let text = note("bob@office.test", "bob@office.test", "on the road");
        let message = from_bob(trial.inside(25), &["bob@office.test"], &text);
        trial.desk()?.swaks(message, &[])?.succeeded()?;
        let laptop = trial.client(&trial.stage.office.stranger)?;
        let bob = trial.bob(Tls::Implicit, "PLAIN");
        let told = laptop.curl_collect_signed_in(trial.outside(995), bob, 1)?;
        ensure!(!told.ok(), "nobody opened it:\n{}", told.output);
        trial.operator.change_settings(
            "pop3s_open_to_internet = false",
            "pop3s_open_to_internet = true",
        )?;
        let collected = laptop.curl_collect_signed_in(trial.outside(995), bob, 1)?;
        let collected = collected.succeeded()?.output;
        ensure!(collected.contains("X-Token: on the road"), "{collected}");
        Ok(())
    })
}
