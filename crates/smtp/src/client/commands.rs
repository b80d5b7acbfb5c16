//! The command lines of a transaction.
//!
//! Promises: one line each, whatever addresses and parameters hold; a parameter stands only where
//! its extension was announced.
//! Standards: RFC 5321 §4.1.1, RFC 1870 §6, RFC 3461 §4, RFC 6152 §3, RFC 6531 §3.4.

use std::fmt::Write as _;

use mail::{BodyType, Notify, Recipient, Ret};

use super::{Extensions, Transaction};
use crate::xtext;

/// `MAIL FROM:<…>` with its parameters and CRLF.
pub(super) fn mail(transaction: &Transaction, extensions: &Extensions, utf8: bool) -> String {
    let parameters = &transaction.mail;
    let mut line = format!("MAIL FROM:<{}>", parameters.reverse_path);
    if extensions.size.is_some() {
        // Writing to a String cannot fail.
        let _ = write!(line, " SIZE={}", transaction.size_bytes);
    }
    let eight_bit = transaction.eight_bit || parameters.body == BodyType::EightBitMime || utf8;
    // RFC 6531 §3.6: a message sent with SMTPUTF8 may be 8-bit, and says so.
    if extensions.eight_bit_mime && eight_bit {
        line.push_str(" BODY=8BITMIME");
    }
    if utf8 {
        line.push_str(" SMTPUTF8");
    }
    if extensions.dsn {
        match parameters.ret {
            Some(Ret::Full) => line.push_str(" RET=FULL"),
            Some(Ret::Headers) => line.push_str(" RET=HDRS"),
            None => {}
        }
        if let Some(envid) = parameters.envid.as_deref().filter(|id| is_parameter(id)) {
            let _ = write!(line, " ENVID={envid}");
        }
    }
    line.push_str("\r\n");
    line
}

/// `RCPT TO:<…>` with its parameters and CRLF.
pub(super) fn recipient(recipient: &Recipient, extensions: &Extensions, utf8: bool) -> String {
    let mut line = format!("RCPT TO:<{}>", recipient.path);
    if extensions.dsn {
        if let Some(notify) = recipient.notify {
            let _ = write!(line, " NOTIFY={}", notify_words(notify));
        }
        let fits = |orcpt: &&str| is_parameter(orcpt) && (utf8 || orcpt.is_ascii());
        if let Some(orcpt) = recipient.orcpt.as_deref().filter(fits) {
            let _ = write!(line, " ORCPT={orcpt}");
        }
    }
    line.push_str("\r\n");
    line
}

fn notify_words(notify: Notify) -> String {
    let words: Vec<&str> = [
        (notify.success, "SUCCESS"),
        (notify.failure, "FAILURE"),
        (notify.delay, "DELAY"),
    ]
    .into_iter()
    .filter_map(|(wanted, word)| wanted.then_some(word))
    .collect();
    if words.is_empty() {
        // RFC 3461 §4.1: NEVER stands alone.
        "NEVER".to_owned()
    } else {
        words.join(",")
    }
}

/// Whether a stored value can stand in a command line: it was checked when it came, and is again.
fn is_parameter(value: &str) -> bool {
    let xtext = value.split_once(';').map_or(value, |(_, rest)| rest);
    !value.is_empty()
        && !value.contains(|c: char| c == ' ' || c.is_control())
        && xtext::is_xtext(xtext, true)
}

#[cfg(test)]
mod tests {
    use mail::{Address, ForwardPath, MailParameters, ReversePath};

    use super::*;

    fn transaction() -> Transaction {
        let mut mail = MailParameters::plain(ReversePath::Null);
        mail.ret = Some(Ret::Full);
        mail.envid = Some("QQ314159".to_owned());
        mail.body = BodyType::EightBitMime;
        Transaction {
            mail,
            recipients: Vec::new(),
            size_bytes: 42,
            eight_bit: false,
            utf8_header: false,
        }
    }

    const ALL: Extensions = Extensions {
        pipelining: true,
        size: Some(0),
        eight_bit_mime: true,
        smtputf8: true,
        dsn: true,
        starttls: false,
        auth_plain: false,
        auth_login: false,
        recipients_max: None,
    };

    #[test]
    fn parameters_stand_only_where_they_were_announced() {
        assert_eq!(
            mail(&transaction(), &ALL, true),
            "MAIL FROM:<> SIZE=42 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=QQ314159\r\n"
        );
        assert_eq!(
            mail(&transaction(), &Extensions::default(), false),
            "MAIL FROM:<>\r\n"
        );
    }

    #[test]
    fn a_stored_parameter_cannot_break_the_line() {
        let mut one = Recipient::plain(ForwardPath::Postmaster);
        one.orcpt = Some("rfc822;a\r\nRCPT".to_owned());
        one.notify = Some(Notify {
            success: false,
            failure: false,
            delay: false,
        });
        assert_eq!(
            recipient(&one, &ALL, false),
            "RCPT TO:<postmaster> NOTIFY=NEVER\r\n"
        );
    }

    #[test]
    fn original_recipient_and_wishes_are_passed_on() {
        let address = Address::parse("fred@hotmail.test").ok();
        let mut one =
            Recipient::plain(address.map_or(ForwardPath::Postmaster, ForwardPath::Address));
        one.orcpt = Some("rfc822;fred+2Bx@hotmail.test".to_owned());
        one.notify = Some(Notify {
            success: true,
            failure: true,
            delay: false,
        });
        assert_eq!(
            recipient(&one, &ALL, false),
            "RCPT TO:<fred@hotmail.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;fred+2Bx@hotmail.test\r\n"
        );
    }
}
