//! Who may sign in, how, and what those hear who may not.

use anyhow::{Context, Result, ensure};
use testkit::net::Place;
use testkit::peers::{SignIn, Tls};

use crate::dialogue::Dialogue;
use crate::trial::{Trial, from_bob, note, play, was_told};

#[test]
fn sign_in_is_refused_in_the_words_of_the_table() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let (desk, server) = (trial.desk()?, trial.inside(587));
        let text = note("bob@office.test", "alice@office.test", "refused");
        let message = from_bob(server, &["alice@office.test"], &text);
        let bob = trial.bob(Tls::Upgraded, "PLAIN");
        for (user, mechanism) in [("bob", "PLAIN"), ("bob", "LOGIN"), ("nobody", "PLAIN")] {
            let wrong = SignIn {
                user,
                password: "not-it",
                mechanism,
                ..bob
            };
            let told = desk.swaks_signed_in(message, wrong, &[])?;
            was_told(&told, "535 5.7.8").with_context(|| format!("{user} by {mechanism}"))?;
        }
        let told = desk.swaks(message, &["--tls"])?;
        was_told(&told, "530 5.7.0").context("without sign-in")?;
        senders_are_held_to_their_own(trial, bob)?;
        // All that was refused; then the right one, to see that it was not for another reason.
        desk.swaks_signed_in(message, bob, &[])?.succeeded()?;
        trial.has(trial.stage.alice(), "X-Token: refused")?;
        ensure!(trial.count(trial.stage.alice(), "X-Token: refused")? == 1);
        Ok(())
    })
}

fn senders_are_held_to_their_own(trial: &Trial<'_>, bob: SignIn<'_>) -> Result<()> {
    let (desk, server) = (trial.desk()?, trial.inside(587));
    for from in ["alice@office.test", "bob@hotmail.test"] {
        let text = note(from, "fred@hotmail.test", "not his");
        let mut message = from_bob(server, &["fred@hotmail.test"], &text);
        // In the header alone, and in the envelope, too.
        let told = desk.swaks_signed_in(message, bob, &[])?;
        was_told(&told, "550 5.7.1").with_context(|| format!("header From {from}"))?;
        message.from = from;
        let told = desk.swaks_signed_in(message, bob, &[])?;
        was_told(&told, "550 5.7.1").with_context(|| format!("reverse-path {from}"))?;
    }
    let text = note("robert@office.test", "alice@office.test", "his other");
    let mut message = from_bob(server, &["alice@office.test"], &text);
    message.from = "robert@office.test";
    desk.swaks_signed_in(message, bob, &[])?.succeeded()?;
    Ok(())
}

#[test]
fn no_password_crosses_the_internet_in_clear() -> Result<()> {
    play(Place::TwoCards, |trial| {
        trial.operator.change_settings(
            "submission_open_to_internet = false",
            "submission_open_to_internet = true",
        )?;
        let stranger = &trial.stage.office.stranger;
        let mut session = Dialogue::open(stranger, trial.outside(587))?;
        session.reply()?;
        let offered = session.say("EHLO laptop.invalid", "250")?;
        ensure!(offered.contains("STARTTLS"), "{offered}");
        ensure!(!offered.contains("AUTH"), "AUTH in clear:\n{offered}");
        session.say("AUTH PLAIN AGJvYgB4", "538 5.7.11")?;
        session.say("MAIL FROM:<bob@office.test>", "530 5.7.0")?;
        // From the road, over TLS, all is as in the office.
        let text = note("bob@office.test", "fred@hotmail.test", "from the road");
        let message = from_bob(trial.outside(587), &["fred@hotmail.test"], &text);
        let laptop = trial.client(stranger)?;
        let bob = trial.bob(Tls::Upgraded, "PLAIN");
        laptop.curl_send_signed_in(message, bob)?.succeeded()?;
        trial.stage.fred_has("X-Token: from the road").map(drop)
    })
}

#[test]
fn app_password_signs_in_until_it_is_taken_away() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let made = trial
            .operator
            .operate(&["user", "app-password", "add", "bob", "phone"], "")?;
        let lines = made.lines().map(str::trim);
        let password = lines.clone().find(|line| line.split('-').count() > 5);
        let password = password.with_context(|| made.clone())?;
        let phone = SignIn {
            password,
            ..trial.bob(Tls::Implicit, "PLAIN")
        };
        let text = note("bob@office.test", "alice@office.test", "from the phone");
        let message = from_bob(trial.inside(465), &["alice@office.test"], &text);
        let desk = trial.desk()?;
        desk.swaks_signed_in(message, phone, &[])?.succeeded()?;
        trial.has(trial.stage.alice(), "X-Token: from the phone")?;
        desk.curl_collect_signed_in(trial.inside(995), phone, 1)?;
        trial
            .operator
            .operate(&["user", "app-password", "remove", "bob", "1"], "")?;
        let told = desk.swaks_signed_in(message, phone, &[])?;
        was_told(&told, "535 5.7.8")
    })
}

#[test]
fn scram_is_offered_once_switched_on() -> Result<()> {
    play(Place::TwoCards, |trial| {
        let (desk, bob) = (trial.desk()?, trial.stage.bob());
        let text = note("bob@office.test", "alice@office.test", "by scram");
        let message = from_bob(trial.inside(465), &["alice@office.test"], &text);
        let sign_in = trial.bob(Tls::Implicit, "SCRAM-SHA-256");
        let told = desk.msmtp_signed_in(message, sign_in, None)?;
        ensure!(!told.ok(), "offered without being asked:\n{}", told.output);
        trial.operator.operate(
            &["user", "password", "bob", "--scram", "--password-stdin"],
            &format!("{}\n", bob.password),
        )?;
        trial
            .operator
            .change_settings("scram_offered = false", "scram_offered = true")?;
        desk.msmtp_signed_in(message, sign_in, None)?.succeeded()?;
        trial.has(trial.stage.alice(), "X-Token: by scram")?;
        let wrong = SignIn {
            password: "not-it",
            ..sign_in
        };
        let told = desk.msmtp_signed_in(message, wrong, None)?;
        was_told(&told, "535 5.7.8")
    })
}
