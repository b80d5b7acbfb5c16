//! Scanners and printers that know a handful of SMTP's words.

use anyhow::{Result, ensure};
use testkit::net::Place;

use crate::dialogue::Dialogue;
use crate::trial::play;

#[test]
fn device_that_knows_five_commands_sends_from_the_lan() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let mut scanner = Dialogue::open(&trial.stage.office.desk, trial.inside(25))?;
        ensure!(scanner.reply()?.starts_with("220 "), "no greeting");
        scanner.say("HELO scanner", "250 ")?;
        scanner.say("mail from:<bob@office.test>", "250 ")?;
        scanner.say("rcpt to:<fred@hotmail.test>", "250 ")?;
        scanner.say("RCPT TO:<alice@office.test>", "250 ")?;
        scanner.say("data", "354 ")?;
        scanner.say("Subject: page one\r\n\r\nscanned\r\n.", "250 2.0.0")?;
        scanner.say("quit", "221 ")?;
        scanner.is_over()?;
        let came = trial.has(trial.stage.alice(), "page one")?;
        ensure!(came.contains("with SMTP\n"), "HELO is not ESMTP:\n{came}");
        // RFC 6409 §8: what a submitted message lacks is added.
        for field in ["\nDate: ", "\nMessage-ID: <"] {
            ensure!(came.contains(field), "no {field}:\n{came}");
        }
        trial.stage.fred_has("page one").map(drop)
    })
}

#[test]
fn listed_device_may_end_lines_by_lf_alone() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let device = trial.stage.office.add_desk(30)?;
        let text = "Subject: old printer\n\nbare\n\r\n.";
        let send = |wanted: &str| -> Result<()> {
            let mut printer = Dialogue::open(&device, trial.inside(25))?;
            printer.reply()?;
            printer.say("HELO printer", "250 ")?;
            printer.say("MAIL FROM:<bob@office.test>", "250 ")?;
            printer.say("RCPT TO:<alice@office.test>", "250 ")?;
            printer.say("DATA", "354 ")?;
            printer.say(text, wanted)?;
            Ok(())
        };
        send("550 5.6.0")?;
        let listed = "devices = [{ name = \"printer\", address = \"192.168.10.30\", \
                      may_send_as = [\"bob@office.test\"], bare_lf_allowed = true }]";
        trial.operator.change_settings("devices = []", listed)?;
        send("250 2.0.0")?;
        trial.has(trial.stage.alice(), "old printer").map(drop)
    })
}
