//! What is fixed about each System Service: its port, its name on pages, its tick of S4.11.

use crate::facts::ServiceName;
use crate::settings::Services;

impl ServiceName {
    /// The standard port; `None` for sending out, which listens nowhere.
    pub const fn port(self) -> Option<u16> {
        match self {
            Self::Smtp => Some(25),
            Self::Submission => Some(587),
            Self::Submissions => Some(465),
            Self::Pop3 => Some(110),
            Self::Pop3s => Some(995),
            Self::Delivery => None,
        }
    }

    /// The port that `--high-ports` uses, for people without root.
    pub const fn high_port(self) -> Option<u16> {
        match self {
            Self::Smtp => Some(2525),
            Self::Submission => Some(5587),
            Self::Submissions => Some(5465),
            Self::Pop3 => Some(1110),
            Self::Pop3s => Some(1995),
            Self::Delivery => None,
        }
    }

    /// The name that pages show.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Smtp => "SMTP",
            Self::Submission => "Submission (STARTTLS)",
            Self::Submissions => "Submission (TLS)",
            Self::Pop3 => "POP3",
            Self::Pop3s => "POP3 (TLS)",
            Self::Delivery => "Delivery",
        }
    }

    /// Whether only signed-in users may send here.
    // RFC 6409 §4.3: a submission server requires authentication.
    pub const fn requires_sign_in(self) -> bool {
        matches!(self, Self::Submission | Self::Submissions)
    }

    /// Path of the setting that opens it to the Internet; `None` where nothing can.
    pub const fn open_setting(self) -> Option<&'static str> {
        match self {
            Self::Smtp => Some("services.smtp_open_to_internet"),
            Self::Submission => Some("services.submission_open_to_internet"),
            Self::Submissions => Some("services.submissions_open_to_internet"),
            Self::Pop3s => Some("services.pop3s_open_to_internet"),
            Self::Pop3 | Self::Delivery => None,
        }
    }
}

impl Services {
    /// Whether the Internet may reach `service`.
    pub const fn is_open(&self, service: ServiceName) -> bool {
        match service {
            ServiceName::Smtp => self.smtp_open_to_internet,
            ServiceName::Submission => self.submission_open_to_internet,
            ServiceName::Submissions => self.submissions_open_to_internet,
            ServiceName::Pop3s => self.pop3s_open_to_internet,
            // S4.11: 110 is never opened.
            ServiceName::Pop3 | ServiceName::Delivery => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_pop3_is_never_open_to_the_internet() {
        let all = Services {
            smtp_open_to_internet: true,
            submission_open_to_internet: true,
            submissions_open_to_internet: true,
            pop3s_open_to_internet: true,
        };
        for service in ServiceName::ALL {
            assert_eq!(all.is_open(service), service.open_setting().is_some());
        }
        assert!(!all.is_open(ServiceName::Pop3));
    }

    #[test]
    fn high_ports_need_no_privilege() {
        for port in ServiceName::ALL.iter().filter_map(|s| s.high_port()) {
            assert!(port >= 1024);
        }
    }
}
