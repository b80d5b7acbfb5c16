//! The replies that a session makes by itself: syntax, order, greeting, farewell.
//!
//! Promises: fixed sentences; nothing from settings but our host name, nothing from the client.
//! Does not: say anything about users, relaying or storage; the shell's answers do.
//! Standards: RFC 5321 §4.2, RFC 3463, RFC 5248.

use super::{Discarded, Limits};
use crate::{ArgumentSyntax, CommandSyntax, Reply, ReplyCode};

fn reply(code: ReplyCode, subject: u16, detail: u16, text: impl Into<String>) -> Reply {
    Reply::new(code, Some((subject, detail)), text)
}

pub(super) fn greeting(host_name: &str) -> Reply {
    // RFC 5321 §4.2: the host name comes first; RFC 2034 §4: no enhanced code here.
    Reply::new(ReplyCode::READY, None, format!("{host_name} ESMTP ready"))
}

pub(super) fn ok() -> Reply {
    reply(ReplyCode::OK, 0, 0, "OK")
}

pub(super) fn chunk_taken(octets: u64) -> Reply {
    reply(ReplyCode::OK, 0, 0, format!("{octets} octets received"))
}

pub(super) fn help() -> Reply {
    reply(
        ReplyCode::HELP,
        0,
        0,
        "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT STARTTLS AUTH",
    )
}

pub(super) fn cannot_verify() -> Reply {
    // RFC 5321 §3.5.3: 252 says nothing about whether the user exists.
    reply(
        ReplyCode::CANNOT_VERIFY,
        0,
        0,
        "not verified; send mail and see",
    )
}

pub(super) fn not_offered() -> Reply {
    reply(ReplyCode::NOT_IMPLEMENTED, 5, 1, "not offered here")
}

pub(super) fn unknown_command() -> Reply {
    reply(ReplyCode::SYNTAX_ERROR, 5, 2, "no such command")
}

pub(super) fn bad_line(problem: CommandSyntax) -> Reply {
    let text = match problem {
        CommandSyntax::TooLong => "line too long",
        CommandSyntax::Octets => "bare CR, bare LF, NUL or broken UTF-8 in a command",
    };
    reply(ReplyCode::SYNTAX_ERROR, 5, 2, text)
}

pub(super) fn exchange_line_too_long() -> Reply {
    // RFC 4954 §6: 500 5.5.6.
    reply(ReplyCode::SYNTAX_ERROR, 5, 6, "line too long")
}

pub(super) fn bad_argument(text: &'static str) -> Reply {
    reply(ReplyCode::ARGUMENT_ERROR, 5, 4, text)
}

pub(super) fn bad_mail(problem: ArgumentSyntax) -> Reply {
    bad_path_argument(problem, "syntax: MAIL FROM:<address>", 7)
}

pub(super) fn bad_rcpt(problem: ArgumentSyntax) -> Reply {
    bad_path_argument(problem, "syntax: RCPT TO:<address>", 3)
}

/// `detail` of X.1.detail: 7 is a sender's, 3 a recipient's address (RFC 3463 §3.2).
fn bad_path_argument(problem: ArgumentSyntax, form: &'static str, detail: u16) -> Reply {
    match problem {
        ArgumentSyntax::Form => bad_argument(form),
        ArgumentSyntax::Address(_) => reply(
            ReplyCode::ARGUMENT_ERROR,
            1,
            detail,
            "the address is not well formed",
        ),
        ArgumentSyntax::PathTooLong => {
            reply(ReplyCode::ARGUMENT_ERROR, 1, detail, "the path is too long")
        }
        // RFC 6531 §3.5: 553 5.6.7 for an address that needs SMTPUTF8.
        ArgumentSyntax::NeedsSmtpUtf8 => reply(
            ReplyCode::MAILBOX_NAME_NOT_ALLOWED,
            6,
            7,
            "the address needs SMTPUTF8",
        ),
        ArgumentSyntax::Parameter => bad_argument("a parameter is wrong"),
        ArgumentSyntax::NotOffered => reply(
            ReplyCode::PARAMETER_NOT_IMPLEMENTED,
            5,
            4,
            "the value of a parameter is not offered here",
        ),
        ArgumentSyntax::UnknownParameter => reply(
            ReplyCode::PARAMETERS_NOT_RECOGNIZED,
            5,
            4,
            "a parameter is unknown",
        ),
    }
}

pub(super) fn out_of_order(text: &'static str) -> Reply {
    reply(ReplyCode::BAD_SEQUENCE, 5, 1, text)
}

pub(super) fn no_recipients(some_refused: bool) -> Reply {
    // RFC 5321 §3.3: 503 or 554 when no recipient was accepted.
    if some_refused {
        reply(ReplyCode::TRANSACTION_FAILED, 5, 1, "no valid recipients")
    } else {
        out_of_order("RCPT first")
    }
}

pub(super) fn too_many_recipients() -> Reply {
    // RFC 5321 §4.5.3.1.10: 452, so that the client sends to the others in another transaction.
    reply(
        ReplyCode::INSUFFICIENT_STORAGE,
        5,
        3,
        "too many recipients, send to the others separately",
    )
}

pub(super) fn too_large(limits: &Limits) -> Reply {
    reply(
        ReplyCode::EXCEEDED_STORAGE,
        3,
        4,
        format!("larger than {} octets", limits.size_bytes_max),
    )
}

pub(super) fn bad_content() -> Reply {
    reply(
        ReplyCode::MAILBOX_UNAVAILABLE,
        6,
        0,
        "bare CR, bare LF, NUL or an endless line in the message",
    )
}

pub(super) fn refused_content(fault: Discarded, limits: &Limits) -> Reply {
    match fault {
        Discarded::TooLarge => too_large(limits),
        Discarded::BadContent
        | Discarded::ByClient
        | Discarded::Refused
        | Discarded::TimedOut
        | Discarded::Ended => bad_content(),
    }
}

pub(super) fn start_mail_input() -> Reply {
    Reply::new(
        ReplyCode::START_MAIL_INPUT,
        None,
        "send the message, end with a dot on a line of its own",
    )
}

pub(super) fn goodbye(host_name: &str) -> Reply {
    reply(ReplyCode::CLOSING, 0, 0, format!("{host_name} goodbye"))
}

pub(super) fn too_many_errors(host_name: &str) -> Reply {
    closing(host_name, 7, 0, "too many errors")
}

pub(super) fn timed_out(host_name: &str) -> Reply {
    closing(host_name, 4, 2, "waited too long")
}

pub(super) fn shutting_down(host_name: &str) -> Reply {
    closing(host_name, 3, 2, "service is stopping")
}

pub(super) fn wrong_protocol(host_name: &str) -> Reply {
    closing(host_name, 7, 0, "this is SMTP")
}

pub(super) fn internal(host_name: &str) -> Reply {
    closing(host_name, 3, 0, "internal error")
}

fn closing(host_name: &str, subject: u16, detail: u16, why: &str) -> Reply {
    // RFC 5321 §4.2.2: 421 begins with our name.
    reply(
        ReplyCode::SERVICE_NOT_AVAILABLE,
        subject,
        detail,
        format!("{host_name} {why}, closing"),
    )
}

pub(super) fn sign_in_first() -> Reply {
    // RFC 4954 §6.
    reply(ReplyCode::SIGN_IN_REQUIRED, 7, 0, "sign in first")
}

pub(super) fn start_tls_first() -> Reply {
    // RFC 3207 §4.
    reply(ReplyCode::SIGN_IN_REQUIRED, 7, 0, "STARTTLS first")
}

pub(super) fn encryption_required() -> Reply {
    reply(
        ReplyCode::ENCRYPTION_REQUIRED,
        7,
        11,
        "no sign-in without TLS",
    )
}

pub(super) fn ready_for_tls() -> Reply {
    reply(ReplyCode::READY, 0, 0, "go ahead")
}

pub(super) fn unknown_mechanism() -> Reply {
    reply(
        ReplyCode::PARAMETER_NOT_IMPLEMENTED,
        5,
        4,
        "no such mechanism",
    )
}

pub(super) fn cancelled() -> Reply {
    // RFC 4954 §4: 501 to a cancelled exchange.
    reply(ReplyCode::ARGUMENT_ERROR, 7, 0, "sign-in cancelled")
}

pub(super) fn bad_base64() -> Reply {
    // RFC 4954 §4: 501 to what is not base64, or not the mechanism's message.
    reply(ReplyCode::ARGUMENT_ERROR, 5, 2, "cannot decode that")
}

pub(super) fn challenge(base64: String) -> Reply {
    Reply::new(ReplyCode::CHALLENGE, None, base64)
}
