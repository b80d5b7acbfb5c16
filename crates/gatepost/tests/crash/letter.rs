//! Messages that can be told apart, and checked to the last octet, by their number alone.

/// One message of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Letter(pub(crate) u64);

/// The users of the office.
pub(crate) const USERS: [&str; 2] = ["bob", "alice"];
/// The recipient outside.
pub(crate) const OUTSIDE: &str = "fred@far.test";

impl Letter {
    /// Whom it is for: one colleague, both, somebody outside, or a colleague and somebody outside.
    pub(crate) fn recipients(self) -> Vec<String> {
        let [bob, alice] = USERS.map(|user| format!("{user}@office.test"));
        match self.0 % 6 {
            0 | 1 => vec![bob],
            2 => vec![alice],
            3 => vec![bob, alice],
            4 => vec![OUTSIDE.to_owned()],
            _ => vec![alice, OUTSIDE.to_owned()],
        }
    }

    /// Whether its sender gives up in the middle: such a message must never appear.
    pub(crate) const fn is_abandoned(self) -> bool {
        self.0 % 29 == 7
    }

    /// Octets of its text, about: every ninth is large enough to be a file of its own.
    const fn size(self) -> usize {
        if self.0 % 9 == 4 {
            300_000
        } else {
            400 + (self.0 % 16) as usize * 500
        }
    }

    /// The message as it is sent; no line needs stuffing.
    pub(crate) fn text(self) -> Vec<u8> {
        let number = self.0;
        let mut text = format!(
            "From: bob@office.test\r\nMessage-ID: <load-{number}@client.test>\r\n\
             Subject: letter {number}\r\n\r\n"
        )
        .into_bytes();
        let mut word = number;
        let mut line = 0_u32;
        while text.len() < self.size() {
            // Every line differs from every other, so that no piece passes for another.
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.extend_from_slice(format!("{number} {line} {word:016x}\r\n").as_bytes());
            line += 1;
        }
        text.extend_from_slice(b"the end\r\n");
        text
    }

    /// Which letter a copy is of, judged by its Message-ID.
    pub(crate) fn of(copy: &[u8]) -> Option<Self> {
        let head = head(copy);
        let number = head.split("\r\nMessage-ID: <load-").nth(1)?;
        number.split('@').next()?.parse().ok().map(Self)
    }

    /// Whether a copy is this letter, whole, behind the fields that were put before it.
    pub(crate) fn is_whole(self, copy: &[u8]) -> bool {
        copy.ends_with(&self.text())
    }
}

fn head(copy: &[u8]) -> String {
    let end = copy.windows(4).position(|window| window == b"\r\n\r\n");
    String::from_utf8_lossy(&copy[..end.unwrap_or(copy.len())]).into_owned()
}

/// The id in the Received field that the gateway put first.
pub(crate) fn queue_id(copy: &[u8]) -> Option<String> {
    let head = head(copy);
    let received = head.split("Received: ").nth(1)?;
    let id = received.split("\tid ").nth(1)?;
    let id = id.split([';', '\r', ' ']).next()?;
    Some(id.to_owned())
}

#[test]
fn a_copy_that_lacks_a_line_is_not_whole() {
    let letter = Letter(4);
    let mut copy = b"Received: from x by y with ESMTP\r\n\tid 01J8; date\r\n".to_vec();
    copy.extend(letter.text());
    assert_eq!(Letter::of(&copy), Some(letter));
    assert_eq!(queue_id(&copy).as_deref(), Some("01J8"));
    assert!(letter.is_whole(&copy));
    copy.drain(1000..1040);
    assert!(!letter.is_whole(&copy));
    assert!(!Letter(13).is_whole(&copy));
}
