//! Addresses in anybody's letters (RFC 6531), in and out.

use anyhow::{Context, Result, ensure};
use testkit::net::Place;
use testkit::peers::{Postfix, PostfixSettings};

use crate::dialogue::Dialogue;
use crate::submission::SMTPLIB;
use crate::trial::{Trial, far_site, note, play};

const BOB: &str = "пошта@office.test";
const FAR: &str = "почта@far.test";

#[test]
fn address_in_cyrillic_letters_takes_and_sends_mail() -> Result<()> {
    play(Place::TwoCards, |trial| {
        trial
            .operator
            .operate(&["address", "add", BOB, "bob"], "")?;
        let stranger = trial.client(&trial.stage.office.stranger)?;
        let text = note("x@elsewhere.test", BOB, "привет");
        let host = trial.outside(25).ip().to_string();
        let words = [&host, "25", "clear", "", "", "x@elsewhere.test", BOB];
        stranger
            .python(SMTPLIB, &words, text.as_bytes())?
            .succeeded()?;
        let came = trial.has(trial.stage.bob(), "привет")?;
        ensure!(came.contains("with UTF8SMTP"), "RFC 6531 §4.3:\n{came}");
        needs_the_extension(trial)?;
        out_to_a_site_that_knows_it(trial)
    })
}

/// Without SMTPUTF8 at MAIL the address cannot be said.
fn needs_the_extension(trial: &Trial<'_>) -> Result<()> {
    let mut session = Dialogue::open(&trial.stage.office.stranger, trial.outside(25))?;
    session.reply()?;
    session.say("EHLO old.invalid", "250")?;
    session.say("MAIL FROM:<x@elsewhere.test>", "250 ")?;
    session.say(&format!("RCPT TO:<{BOB}>"), "553 5.6.7")?;
    Ok(())
}

fn out_to_a_site_that_knows_it(trial: &Trial<'_>) -> Result<()> {
    let site = far_site(&trial.stage.office)?;
    let folder = trial.stage.root.scratch("maildir")?;
    std::os::unix::fs::chown(&folder.outside, Some(8), Some(8))?;
    let main = format!(
        "virtual_transport = virtual\nvirtual_mailbox_base = {}\n\
         virtual_uid_maps = static:8\nvirtual_gid_maps = static:8\n\
         virtual_minimum_uid = 1\nvirtual_mailbox_maps = static:all/\n",
        folder.inside
    );
    let settings = PostfixSettings {
        host_name: "mx.far.test",
        domains: "far.test",
        main: &main,
        ..PostfixSettings::default()
    };
    let postfix = Postfix::start(&trial.stage.root, &site, &settings)?;
    let bob = trial.stage.bob();
    let host = trial.inside(587).ip().to_string();
    let text = note(BOB, FAR, "туда");
    let words = [&host, "587", "upgraded", bob.name, bob.password, BOB, FAR];
    let desk = trial.desk()?;
    desk.python(SMTPLIB, &words, text.as_bytes())?.succeeded()?;
    let new = folder.outside.join("all/new");
    let found = testkit::wait::until("mail at the far site", testkit::wait::PATIENCE, || {
        let mut files = std::fs::read_dir(&new).ok()?.flatten();
        files.find_map(|file| std::fs::read_to_string(file.path()).ok())
    });
    let found = found.with_context(|| postfix.log())?;
    ensure!(found.contains("X-Token: туда"), "{found}");
    ensure!(found.contains(&format!("Return-Path: <{BOB}>")), "{found}");
    ensure!(found.contains(FAR), "{found}");
    Ok(())
}

#[test]
fn site_that_lacks_the_extension_is_reported_clearly() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let site = far_site(&trial.stage.office)?;
        let settings = PostfixSettings {
            host_name: "mx.far.test",
            domains: "far.test",
            main: "smtputf8_enable = no\n",
            ..PostfixSettings::default()
        };
        let _postfix = Postfix::start(&trial.stage.root, &site, &settings)?;
        let bob = trial.stage.bob();
        let host = trial.inside(465).ip().to_string();
        let text = note("bob@office.test", FAR, "нет");
        let words = [&host, "465", "implicit", bob.name, bob.password];
        let words = [&words[..], &["bob@office.test", FAR]].concat();
        let desk = trial.desk()?;
        desk.python(SMTPLIB, &words, text.as_bytes())?.succeeded()?;
        let report = trial.has(bob, "Action: failed")?;
        ensure!(report.contains("5.6.7"), "{report}");
        // RFC 6533 §3: in a report of seven bits the address is written like this.
        let written = "utf-8; \\x{43F}\\x{43E}\\x{447}\\x{442}\\x{430}@far.test";
        ensure!(
            report.contains(&format!("Final-Recipient: {written}")),
            "who it was for:\n{report}"
        );
        Ok(())
    })
}
