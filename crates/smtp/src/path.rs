//! Reverse-path and forward-path as MAIL and RCPT write them.
//!
//! Promises: finds the end of a path with quotes in mind; source routes are read and dropped.
//! Does not: judge the address beyond its grammar and lengths.
//! Standards: RFC 5321 §4.1.2, §4.5.3.1.3, appendix C.

/// Why a text does not begin with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathSyntax {
    /// No path, or a bracket or quote that does not close.
    #[error("a path has the form <name@domain>")]
    Form,
    /// More than 256 octets.
    #[error("a path has at most 256 octets")]
    TooLong,
}

/// Splits `text` into the inside of the path at its beginning and what follows the path.
pub(crate) fn split_path(text: &str) -> Result<(&str, &str), PathSyntax> {
    let (inner, rest) = match text.strip_prefix('<') {
        Some(inside) => {
            let end = closing_bracket(inside).ok_or(PathSyntax::Form)?;
            let (inner, rest) = inside.split_at_checked(end).ok_or(PathSyntax::Form)?;
            let rest = rest.strip_prefix('>').ok_or(PathSyntax::Form)?;
            (without_route(inner)?, rest)
        }
        // DEVIATES RFC 5321 §4.1.2: brackets may be missing; scanners and printers leave them out.
        None => text.split_at(text.find(' ').unwrap_or(text.len())),
    };
    // RFC 5321 §4.5.3.1.3: a path is at most 256 octets with its punctuation.
    if text.len() - rest.len() > 256 {
        return Err(PathSyntax::TooLong);
    }
    if !rest.is_empty() && !rest.starts_with(' ') || inner.is_empty() && !text.starts_with('<') {
        return Err(PathSyntax::Form);
    }
    Ok((inner, rest))
}

/// Where the `>` that ends the path stands; one in a quoted local-part does not count.
fn closing_bracket(inside: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (position, byte) in inside.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(position),
            _ => {}
        }
    }
    None
}

/// What remains of `@a,@b:name@domain` after its source route.
fn without_route(inner: &str) -> Result<&str, PathSyntax> {
    if !inner.starts_with('@') {
        return Ok(inner);
    }
    // RFC 5321 §4.1.1.3: receivers must recognise source routes and should ignore them.
    let (route, mailbox) = inner.split_once(':').ok_or(PathSyntax::Form)?;
    let hop = |at_domain: &str| {
        at_domain
            .strip_prefix('@')
            .is_some_and(|domain| mail::Domain::parse(domain).is_ok())
    };
    if mailbox.is_empty() || !route.split(',').all(hop) {
        return Err(PathSyntax::Form);
    }
    Ok(mailbox)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bracket_in_quotes_does_not_end_the_path() {
        assert_eq!(
            split_path(r#"<"a> \"b"@x.test> SIZE=1"#),
            Ok((r#""a> \"b"@x.test"#, " SIZE=1"))
        );
    }

    #[test]
    fn source_routes_are_dropped() {
        assert_eq!(
            split_path("<@a.test,@b.test:u@c.test>"),
            Ok(("u@c.test", ""))
        );
        for bad in ["<@a.test>", "<@a.test:>", "<@a.test,b.test:u@c>", "<@:u@c>"] {
            assert_eq!(split_path(bad), Err(PathSyntax::Form), "{bad}");
        }
    }

    #[test]
    fn brackets_may_be_missing_but_not_half_there() {
        assert_eq!(split_path("u@c.test SIZE=1"), Ok(("u@c.test", " SIZE=1")));
        for bad in ["", " ", "<u@c.test", "<u@c.test>SIZE=1", "<\"u@c.test>"] {
            assert_eq!(split_path(bad), Err(PathSyntax::Form), "{bad}");
        }
    }

    #[test]
    fn the_null_path_is_empty_inside() {
        assert_eq!(split_path("<> BODY=7BIT"), Ok(("", " BODY=7BIT")));
    }

    #[test]
    fn a_path_of_257_octets_is_too_long() {
        let path = |octets: usize| format!("<{}@b>", "a".repeat(octets - 4));
        assert!(split_path(&path(256)).is_ok());
        assert_eq!(split_path(&path(257)), Err(PathSyntax::TooLong));
    }
}
