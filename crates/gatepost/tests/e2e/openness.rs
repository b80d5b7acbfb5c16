//! What listens to whom: services that nobody opened, and services that were stopped.

use anyhow::{Context, Result, ensure};
use testkit::net::Place;
use testkit::wait;

use crate::dialogue::Dialogue;
use crate::trial::play;

/// Python: host, port; says how a server greets over TLS, and that it hangs up then.
const TLS_GREETING: &str = "\
import os, socket, ssl, sys
context = ssl.create_default_context(cafile=os.environ['AUTHORITY'])
plain = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)
server = context.wrap_socket(plain, server_hostname=sys.argv[1]).makefile('rb')
greeting = server.readline().decode()
assert server.read() == b''
print(greeting[:9] if greeting[:3].isdigit() else greeting.split(']')[0] + ']')
";

#[test]
fn services_that_nobody_opened_turn_strangers_away() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let stranger = &trial.stage.office.stranger;
        for (port, wanted) in [(587, "421 4.3.2"), (110, "-ERR [SYS/TEMP]")] {
            let mut session = Dialogue::open(stranger, trial.outside(port))?;
            let greeting = session.reply()?;
            ensure!(greeting.starts_with(wanted), "{port}: {greeting}");
            session.is_over()?;
        }
        // Here the first word is the client's: what it hears, it hears by TLS.
        let laptop = trial.client(stranger)?;
        for (port, wanted) in [(465, "421 4.3.2"), (995, "-ERR [SYS/TEMP]")] {
            let host = trial.outside(port).ip().to_string();
            let said = laptop.python(TLS_GREETING, &[&host, &port.to_string()], b"")?;
            let said = said.succeeded()?.output;
            ensure!(said == format!("{wanted}\n"), "{port}: {said}");
        }
        // Nothing of that is so at a desk.
        for port in [25, 587, 110] {
            let mut session = Dialogue::open(&trial.stage.office.desk, trial.inside(port))?;
            let greeting = session.reply()?;
            let ready = greeting.starts_with("220 ") || greeting.starts_with("+OK");
            ensure!(ready, "{port}: {greeting}");
        }
        Ok(())
    })
}

#[test]
fn stopping_a_service_closes_that_and_nothing_else() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let desk = &trial.stage.office.desk;
        let open = |port| desk.namespace.connect(trial.inside(port)).is_ok();
        let mut session = Dialogue::open(desk, trial.inside(110))?;
        session.reply()?;
        trial.operator.operate(&["service", "stop", "pop3"], "")?;
        ensure!(!open(110), "still open");
        for port in [25, 465, 587, 995] {
            ensure!(open(port), "{port} closed, too");
        }
        let farewell = session.reply().context("an idle session hears of it")?;
        ensure!(farewell.starts_with("-ERR"), "{farewell}");
        session.is_over()?;
        // The session that was just ended may be counted for a moment.
        wait::until("pop3 to be stopped", wait::PATIENCE, || {
            let list = trial.operator.operate(&["service", "list"], "").ok()?;
            let with = |state| list.lines().filter(|line| line.contains(state)).count();
            (with("stopped") == 1 && with("running") == 5).then_some(())
        })?;
        trial.operator.operate(&["service", "start", "pop3"], "")?;
        ensure!(open(110), "not open again");
        Ok(())
    })
}
