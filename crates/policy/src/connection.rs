//! Whether a connection is served at all: S4.11 and the limits on open connections.
//!
//! Promises: an internal peer is always served within the total; an outside one only where a
//! person opened that service, port by port. Standards: RFC 5321 §3.8.

use crate::facts::{ConnectionFacts, Directory};
use crate::settings::Settings;
use crate::{Because, Decision};

/// Decides on a new connection; the counts are of connections open before this one.
pub fn connection(
    settings: &Settings,
    connection: &ConnectionFacts,
    open_total: u64,
    open_from_source: u64,
) -> Decision {
    let setting = match admission(settings, connection) {
        Ok(setting) => setting,
        Err(because) => return Decision::defer(because),
    };
    let limit = u64::from(settings.receiving.connections_max);
    if open_total >= limit {
        return Decision::defer(Because::TooManyConnections {
            setting: "receiving.connections_max".to_owned(),
            limit,
        });
    }
    let limit = u64::from(settings.receiving.connections_per_source_max);
    if !connection.standing.internal && open_from_source >= limit {
        return Decision::defer(Because::TooManyConnectionsFromSource {
            setting: "receiving.connections_per_source_max".to_owned(),
            limit,
            source: connection.peer.ip().to_canonical(),
        });
    }
    Decision::accept(Because::ServiceOpen {
        service: connection.service.as_str().to_owned(),
        setting,
    })
}

/// What lets the peer reach the service at all, or why nothing does.
fn admission(settings: &Settings, connection: &ConnectionFacts) -> Result<String, Because> {
    let service = connection.service;
    if connection.standing.internal {
        return Ok(connection.standing.fact.clone());
    }
    match service.open_setting() {
        Some(setting) if settings.services.is_open(service) => Ok(setting.to_owned()),
        Some(setting) => Err(Because::NotOpenToInternet {
            service: service.as_str().to_owned(),
            setting: setting.to_owned(),
        }),
        None => Err(Because::NotOpenToInternet {
            service: service.as_str().to_owned(),
            setting: "services: this port is never opened".to_owned(),
        }),
    }
}

/// The refusal of a peer that must sign in first and has not (587 and 465, the LAN included).
// RFC 6409 §4.3: without authentication a submission server answers 530.
pub(crate) fn sign_in_missing(
    directory: &Directory,
    connection: &ConnectionFacts,
) -> Option<Decision> {
    // A session may outlive the user who opened it.
    if let Some(user) = &connection.user
        && !directory.enabled.contains(user)
    {
        let user = user.clone();
        return Some(Decision::refuse(Because::UserNotEnabled { user }));
    }
    let missing = connection.service.requires_sign_in() && connection.user.is_none();
    missing.then(|| {
        Decision::refuse(Because::SignInRequired {
            service: connection.service.as_str().to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ServiceName;
    use crate::office::{LAN, STRANGER, code, directory, settings, signed_in};

    fn on(service: ServiceName, peer: &str) -> ConnectionFacts {
        ConnectionFacts {
            service,
            ..crate::office::connection(peer)
        }
    }

    #[test]
    fn outside_peers_reach_only_what_was_opened() {
        let settings = settings();
        let open = connection(&settings, &on(ServiceName::Smtp, STRANGER), 0, 0);
        assert_eq!(
            open.because.to_string(),
            "The service smtp answers this peer: services.smtp_open_to_internet."
        );
        for service in [
            ServiceName::Submission,
            ServiceName::Pop3,
            ServiceName::Pop3s,
        ] {
            let closed = connection(&settings, &on(service, STRANGER), 0, 0);
            assert_eq!(code(&closed), "421 4.3.2", "{service}");
        }
    }

    #[test]
    fn internal_peers_reach_every_service() {
        for service in ServiceName::ALL {
            assert!(connection(&settings(), &on(service, LAN), 0, 19).is_accept());
        }
    }

    #[test]
    fn limits_hold_for_all_and_for_one_external_source() {
        let settings = settings();
        let smtp = |peer| on(ServiceName::Smtp, peer);
        assert!(connection(&settings, &smtp(STRANGER), 1999, 19).is_accept());
        let per_source = connection(&settings, &smtp(STRANGER), 20, 20);
        assert_eq!(code(&per_source), "421 4.7.0");
        assert!(connection(&settings, &smtp(LAN), 20, 20).is_accept());
        let total = connection(&settings, &smtp(LAN), 2000, 0);
        assert_eq!(code(&total), "421 4.3.2");
    }

    #[test]
    fn submission_wants_sign_in_even_on_the_lan() {
        let directory = directory();
        let refusal = sign_in_missing(&directory, &on(ServiceName::Submission, LAN));
        assert_eq!(refusal.map(|d| code(&d)).as_deref(), Some("530 5.7.0"));
        assert_eq!(sign_in_missing(&directory, &signed_in("bob")), None);
        let stranger = on(ServiceName::Smtp, STRANGER);
        assert_eq!(sign_in_missing(&directory, &stranger), None);
    }

    #[test]
    fn who_was_disabled_or_removed_sends_nothing_more_in_an_open_session() {
        for name in ["carol", "dave"] {
            let refusal = sign_in_missing(&directory(), &signed_in(name));
            assert_eq!(refusal.map(|d| code(&d)).as_deref(), Some("530 5.7.0"));
        }
    }
}
