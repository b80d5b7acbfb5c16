//! The arguments of MAIL and RCPT.
//!
//! Promises: every parameter we announce is read whole; any other is refused by name, and so is
//! the same one twice.
//! Does not: compare SIZE with a limit, or ask whether an address exists.
//! Standards: RFC 5321 §4.1.1.2, §4.1.1.3, §4.1.1.11; RFC 1870, 3461, 4954 §5, 6152, 6531.

use mail::{Address, ReversePath};
use mail::{AddressSyntax, BodyType, ForwardPath, MailParameters, Notify, Recipient, Ret};

use crate::path::{PathSyntax, split_path};
use crate::xtext;

/// Why the argument of MAIL or RCPT is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentSyntax {
    /// `FROM:` or `TO:` is missing, or no path follows.
    #[error("a path is missing")]
    Form,
    /// The address breaks the grammar.
    #[error(transparent)]
    Address(#[from] AddressSyntax),
    /// The path has more than 256 octets.
    #[error("a path has at most 256 octets")]
    PathTooLong,
    /// A character beyond ASCII in the address, without SMTPUTF8.
    #[error("the address needs SMTPUTF8")]
    NeedsSmtpUtf8,
    /// A known parameter stands twice or has a wrong value.
    #[error("a parameter is wrong")]
    Parameter,
    /// A known parameter has a value that is not offered, such as BODY=BINARYMIME.
    #[error("the value of a parameter is not offered")]
    NotOffered,
    /// No such parameter.
    #[error("a parameter is unknown")]
    UnknownParameter,
}

impl From<PathSyntax> for ArgumentSyntax {
    fn from(problem: PathSyntax) -> Self {
        match problem {
            PathSyntax::Form => Self::Form,
            PathSyntax::TooLong => Self::PathTooLong,
        }
    }
}

/// Reads what follows `MAIL`.
///
/// # Errors
/// `ArgumentSyntax` says what is wrong first.
pub fn parse_mail(argument: &str) -> Result<MailParameters, ArgumentSyntax> {
    let (path, rest) = split_path(after_keyword(argument, "FROM:")?)?;
    let mut parameters = MailParameters::plain(ReversePath::Null);
    let mut seen = Vec::new();
    for parameter in rest.split(' ').filter(|text| !text.is_empty()) {
        let (keyword, value) = split_parameter(parameter, &mut seen)?;
        mail_parameter(&mut parameters, &keyword, value)?;
    }
    if !parameters.smtputf8 && !path.is_ascii() {
        return Err(ArgumentSyntax::NeedsSmtpUtf8);
    }
    if !path.is_empty() {
        parameters.reverse_path = ReversePath::Address(Address::parse(path)?);
    }
    Ok(parameters)
}

fn mail_parameter(
    parameters: &mut MailParameters,
    keyword: &str,
    value: Option<&str>,
) -> Result<(), ArgumentSyntax> {
    let wrong = ArgumentSyntax::Parameter;
    match (keyword, value) {
        ("SIZE", Some(value)) => parameters.size_bytes = Some(size(value).ok_or(wrong)?),
        ("BODY", Some(value)) => {
            parameters.body = match value.to_ascii_uppercase().as_str() {
                "7BIT" => BodyType::SevenBit,
                "8BITMIME" => BodyType::EightBitMime,
                // RFC 3030 §3: BINARYMIME is for servers that announce it; we do not.
                _ => return Err(ArgumentSyntax::NotOffered),
            }
        }
        ("SMTPUTF8", None) => parameters.smtputf8 = true,
        ("RET", Some(value)) => {
            parameters.ret = Some(match value.to_ascii_uppercase().as_str() {
                "FULL" => Ret::Full,
                "HDRS" => Ret::Headers,
                _ => return Err(wrong),
            });
        }
        // RFC 3461 §4.4: ENVID is xtext of at most 100 characters.
        ("ENVID", Some(value)) if value.len() <= 100 && xtext::is_xtext(value, false) => {
            parameters.envid = Some(value.to_owned());
        }
        // RFC 4954 §5: a server may ignore whom AUTH= names; we believe only our own sign-ins.
        ("AUTH", Some(value)) if value == "<>" || xtext::is_xtext(value, true) => {}
        ("SIZE" | "BODY" | "SMTPUTF8" | "RET" | "ENVID" | "AUTH", _) => return Err(wrong),
        _ => return Err(ArgumentSyntax::UnknownParameter),
    }
    Ok(())
}

/// Reads what follows `RCPT`; `smtputf8` is what MAIL of this transaction said.
///
/// # Errors
/// `ArgumentSyntax` says what is wrong first.
pub fn parse_rcpt(argument: &str, smtputf8: bool) -> Result<Recipient, ArgumentSyntax> {
    let (path, rest) = split_path(after_keyword(argument, "TO:")?)?;
    if !smtputf8 && !path.is_ascii() {
        return Err(ArgumentSyntax::NeedsSmtpUtf8);
    }
    let mut recipient = Recipient::plain(path.parse::<ForwardPath>()?);
    let mut seen = Vec::new();
    for parameter in rest.split(' ').filter(|text| !text.is_empty()) {
        let (keyword, value) = split_parameter(parameter, &mut seen)?;
        match (keyword.as_str(), value) {
            ("NOTIFY", Some(value)) => {
                recipient.notify = Some(notify(value).ok_or(ArgumentSyntax::Parameter)?);
            }
            ("ORCPT", Some(value)) if is_orcpt(value, smtputf8) => {
                recipient.orcpt = Some(value.to_owned());
            }
            ("NOTIFY" | "ORCPT", _) => return Err(ArgumentSyntax::Parameter),
            _ => return Err(ArgumentSyntax::UnknownParameter),
        }
    }
    Ok(recipient)
}

/// What follows `keyword`, in any case, and spaces.
fn after_keyword<'a>(argument: &'a str, keyword: &str) -> Result<&'a str, ArgumentSyntax> {
    argument
        .split_at_checked(keyword.len())
        .filter(|(word, _)| word.eq_ignore_ascii_case(keyword))
        // DEVIATES RFC 5321 §3.3: a space after the colon is borne; many devices write one.
        .map(|(_, rest)| rest.trim_start_matches(' '))
        .ok_or(ArgumentSyntax::Form)
}

/// Keyword in upper case and value of one parameter; refuses a keyword that was `seen`.
fn split_parameter<'a>(
    parameter: &'a str,
    seen: &mut Vec<String>,
) -> Result<(String, Option<&'a str>), ArgumentSyntax> {
    let (keyword, value) = match parameter.split_once('=') {
        Some((keyword, value)) => (keyword, Some(value)),
        None => (parameter, None),
    };
    // RFC 5321 §4.1.2: esmtp-keyword is letters, digits and hyphens; esmtp-value has no space,
    // control character or equals sign, and at least one character.
    let keyword_is_good = !keyword.is_empty()
        && !keyword.starts_with('-')
        && keyword
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let value_is_good = value.is_none_or(|value| {
        !value.is_empty() && !value.contains(|c: char| c == '=' || c.is_control())
    });
    let keyword = keyword.to_ascii_uppercase();
    if !keyword_is_good || !value_is_good || seen.contains(&keyword) {
        return Err(ArgumentSyntax::Parameter);
    }
    seen.push(keyword.clone());
    Ok((keyword, value))
}

/// RFC 1870 §3: one to twenty digits; what no counter can hold is as good as the largest.
fn size(value: &str) -> Option<u64> {
    let digits = (1..=20).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| value.parse().unwrap_or(u64::MAX))
}

/// RFC 3461 §4.1: NEVER alone, or a list of SUCCESS, FAILURE and DELAY.
fn notify(value: &str) -> Option<Notify> {
    let mut notify = Notify {
        success: false,
        failure: false,
        delay: false,
    };
    if value.eq_ignore_ascii_case("NEVER") {
        return Some(notify);
    }
    for word in value.split(',') {
        match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => notify.success = true,
            "FAILURE" => notify.failure = true,
            "DELAY" => notify.delay = true,
            _ => return None,
        }
    }
    Some(notify)
}

/// RFC 3461 §4.2: address type, semicolon, xtext; at most 500 characters.
fn is_orcpt(value: &str, smtputf8: bool) -> bool {
    value.len() <= 500
        && value.split_once(';').is_some_and(|(kind, address)| {
            !kind.is_empty()
                && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !address.is_empty()
                && xtext::is_xtext(address, smtputf8)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_reads_every_parameter_we_announce() {
        let read = parse_mail(
            "FROM:<\u{436}@office.test> SIZE=12 body=8bitmime SMTPUTF8 RET=HDRS ENVID=a+2Bb AUTH=<>",
        );
        let expected = MailParameters {
            reverse_path: Address::parse("\u{436}@office.test")
                .map_or(ReversePath::Null, ReversePath::Address),
            size_bytes: Some(12),
            body: BodyType::EightBitMime,
            smtputf8: true,
            ret: Some(Ret::Headers),
            envid: Some("a+2Bb".to_owned()),
        };
        assert_eq!(read, Ok(expected));
    }

    #[test]
    fn mail_refuses_what_it_does_not_know() {
        for (argument, problem) in [
            ("", ArgumentSyntax::Form),
            ("TO:<>", ArgumentSyntax::Form),
            ("FROM:", ArgumentSyntax::Form),
            ("FROM:<> SIZE", ArgumentSyntax::Parameter),
            ("FROM:<> SIZE=", ArgumentSyntax::Parameter),
            ("FROM:<> SIZE=-1", ArgumentSyntax::Parameter),
            ("FROM:<> SIZE=1 SIZE=2", ArgumentSyntax::Parameter),
            ("FROM:<> SMTPUTF8=1", ArgumentSyntax::Parameter),
            ("FROM:<> RET=SOME", ArgumentSyntax::Parameter),
            ("FROM:<> ENVID=a=b", ArgumentSyntax::Parameter),
            ("FROM:<> BODY=BINARYMIME", ArgumentSyntax::NotOffered),
            ("FROM:<> MT-PRIORITY=3", ArgumentSyntax::UnknownParameter),
            ("FROM:<\u{436}@a.test>", ArgumentSyntax::NeedsSmtpUtf8),
        ] {
            assert_eq!(parse_mail(argument), Err(problem), "{argument}");
        }
    }

    #[test]
    fn a_size_beyond_all_counters_is_read_as_the_largest() {
        let read = parse_mail("FROM:<> SIZE=99999999999999999999");
        assert_eq!(read.map(|p| p.size_bytes), Ok(Some(u64::MAX)));
    }

    #[test]
    fn rcpt_reads_notify_and_orcpt() {
        let read = parse_rcpt(
            "TO:<fred@hotmail.test> NOTIFY=SUCCESS,delay ORCPT=rfc822;fred+2Bx@hotmail.test",
            false,
        );
        let notify = read.as_ref().map(|r| r.notify);
        assert_eq!(
            notify,
            Ok(Some(Notify {
                success: true,
                failure: false,
                delay: true
            }))
        );
        assert_eq!(
            read.map(|r| r.orcpt),
            Ok(Some("rfc822;fred+2Bx@hotmail.test".to_owned()))
        );
    }

    #[test]
    fn rcpt_takes_the_bare_postmaster_and_no_null_path() {
        let read = parse_rcpt("TO:<PostMaster>", false);
        assert_eq!(read.map(|r| r.path), Ok(ForwardPath::Postmaster));
        assert!(parse_rcpt("TO:<>", false).is_err());
        assert!(parse_rcpt("TO:<bob>", false).is_err());
    }

    #[test]
    fn rcpt_refuses_wrong_parameters() {
        for argument in [
            "TO:<a@b.test> NOTIFY=NEVER,DELAY",
            "TO:<a@b.test> NOTIFY=",
            "TO:<a@b.test> ORCPT=fred",
            "TO:<a@b.test> ORCPT=rfc822;",
            "TO:<a@b.test> ORCPT=rfc822;\u{e9}",
        ] {
            assert_eq!(
                parse_rcpt(argument, false),
                Err(ArgumentSyntax::Parameter),
                "{argument}"
            );
        }
    }
}
