//! What the shell sees of a session beyond its replies.

mod shell;

use mail::Timestamp;
use shell::{Shell, facts, reply};
use smtp::server::{
    Answer, AuthOffer, Discarded, Facts, Limits, Output, Question, Session, TlsState,
};

const NOW: Timestamp = Timestamp::from_millis(0);

fn session() -> Session {
    Session::new(facts(), Limits::default(), NOW)
}

#[test]
fn an_idle_connection_costs_no_buffer() {
    let mut session = session();
    assert!(matches!(session.poll_output(), Some(Output::Reply(_))));
    assert_eq!(session.poll_output(), None);
    assert_eq!(session.buffered_bytes(), 0);
    assert!(std::mem::size_of::<Session>() < 600);
}

#[test]
fn a_question_comes_before_the_replies_gathered_ahead_of_it() {
    let mut session = session();
    session.handle_input(
        NOW,
        b"EHLO c\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n",
    );
    assert!(matches!(
        session.poll_output(),
        Some(Output::Ask(Question::Mail { .. }))
    ));
    session.answer(NOW, Answer::Reply(reply(250, 1, 0, "ok")));
    assert!(matches!(
        session.poll_output(),
        Some(Output::Ask(Question::Recipient { .. }))
    ));
    // This one has to wait: what was gathered leaves.
    let Some(Output::Reply(lines)) = session.poll_output() else {
        panic!("the replies to EHLO and MAIL")
    };
    assert!(lines.ends_with(b"250 2.1.0 ok\r\n"));
    assert_eq!(session.poll_output(), None);
    assert_eq!(session.poll_timeout(), None);
}

#[test]
fn an_answer_without_a_question_does_nothing() {
    let mut session = session();
    session.answer(NOW, Answer::Reply(reply(250, 0, 0, "what?")));
    let _ = session.poll_output();
    assert_eq!(session.poll_output(), None);
}

#[test]
fn input_is_bounded_while_a_question_is_open() {
    let mut session = session();
    session.handle_input(NOW, b"EHLO c\r\nMAIL FROM:<a@x.test>\r\n");
    let mut given = 0;
    while session.wants_input() {
        session.handle_input(NOW, &[b'N'; 1000]);
        given += 1000;
    }
    assert!(session.buffered_bytes() <= 64 * 1024 + 1000);
    assert_eq!(session.buffered_bytes(), given);
}

#[test]
fn a_flood_of_small_commands_cannot_grow_the_replies() {
    let mut session = session();
    let flood = b"HELP\r\n".repeat(10_000);
    session.handle_input(NOW, &flood);
    assert!(!session.wants_input());
    let mut lines = 0;
    let mut largest = 0;
    while let Some(output) = session.poll_output() {
        let Output::Reply(octets) = output else {
            panic!("{output:?}")
        };
        lines += octets.split(|octet| *octet == b'\n').count() - 1;
        largest = largest.max(octets.len());
    }
    assert_eq!(lines, 10_001);
    assert!(largest < 66 * 1024, "{largest}");
    assert!(session.wants_input());
}

#[test]
fn a_body_in_one_piece_of_input_is_one_chunk() {
    let mut session = session();
    session.handle_input(
        NOW,
        b"EHLO c\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n",
    );
    for _ in 0..3 {
        assert!(matches!(session.poll_output(), Some(Output::Ask(_))));
        session.answer(NOW, Answer::Reply(reply(250, 0, 0, "ok")));
    }
    while session.poll_output().is_some() {}
    let mut content = b"some text on a line\r\n..a dot\r\n".repeat(100);
    content.extend_from_slice(b".\r\n");
    session.handle_input(NOW, &content);
    assert!(
        matches!(session.poll_output(), Some(Output::BodyChunk(chunk)) if chunk.len() == 3000 - 100)
    );
    assert!(matches!(
        session.poll_output(),
        Some(Output::Ask(Question::Message {
            size_bytes: 2900,
            lines: 200,
            eight_bit: false
        }))
    ));
}

#[test]
fn speaking_before_the_greeting_is_seen() {
    let mut patient = session();
    let _ = patient.poll_output();
    patient.handle_input(NOW, b"EHLO c\r\n");
    assert!(!patient.spoke_early());
    let mut hasty = session();
    hasty.handle_input(NOW, b"EHLO c\r\n");
    assert!(hasty.spoke_early());
}

#[test]
fn facts_about_the_client_follow_the_session() {
    let open = Facts {
        tls: TlsState::Available,
        auth: AuthOffer::Now { scram: false },
        ..facts()
    };
    let mut shell = Shell::new(open.clone(), Limits::default());
    shell.settle();
    assert_eq!(
        (shell.session.protocol(), shell.session.greeting_name()),
        ("SMTP", None)
    );
    shell.input(b"EHLO c.test\r\nAUTH PLAIN AGJvYgBw\r\n");
    assert!(shell.session.signed_in());
    assert_eq!(shell.session.protocol(), "ESMTPA");
    assert_eq!(shell.session.greeting_name(), Some("c.test"));
    shell.input(b"STARTTLS\r\n");
    let active = Facts {
        tls: TlsState::Active,
        ..open
    };
    shell.session.tls_started(NOW, active);
    assert!(!shell.session.signed_in());
    assert_eq!(shell.session.greeting_name(), None);
    shell.input(b"EHLO c.test\r\nMAIL FROM:<a@x.test> SMTPUTF8\r\n");
    assert_eq!(shell.session.protocol(), "UTF8SMTPS");
    shell.input(b"RSET\r\n");
    assert_eq!(shell.session.protocol(), "ESMTPS");
    assert_eq!(shell.session.discarded(), Some(Discarded::ByClient));
}

#[test]
fn a_challenge_to_another_question_closes_the_session() {
    let mut shell = Shell::new(facts(), Limits::default());
    shell
        .session
        .handle_input(NOW, b"EHLO c\r\nMAIL FROM:<a@x.test>\r\n");
    while shell.session.poll_output().is_some() {}
    shell.session.answer(NOW, Answer::Challenge(Vec::new()));
    shell.settle();
    assert!(shell.closed && shell.text().starts_with("421 4.3.0"));
    shell.input(b"NOOP\r\n");
    assert_eq!(shell.session.buffered_bytes(), 0);
}

#[test]
fn a_session_can_move_between_threads() {
    fn is_send<T: Send + 'static>(_: &T) {}
    is_send(&session());
}
