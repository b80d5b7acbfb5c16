//! What is decided at MAIL: size, disk, rate, and who may send as whom.
//!
//! Promises: cheap checks first; a trusted peer never waits for DNS; facts are asked for only
//! when they can still change the answer.
//! Standards: RFC 5321 §3.3, RFC 1870 §6, RFC 7505 §4.2.

use mail::{Address, Domain, MailHost, MailParameters, ReversePath};

use crate::connection::sign_in_missing;
use crate::facts::{
    ConnectionFacts, Directory, DomainStanding, FactQuery, FactValue, Learnt, LearntFacts, Verdict,
};
use crate::identity::Identity;
use crate::settings::{Device, Settings};
use crate::{Because, Decision, UserName};

/// Decides on MAIL.
pub fn sender(
    settings: &Settings,
    directory: &Directory,
    connection: &ConnectionFacts,
    learnt: &LearntFacts,
    mail: &MailParameters,
) -> Verdict<Decision> {
    if let Some(decision) = sign_in_missing(directory, connection) {
        return Verdict::Decided(decision);
    }
    // RFC 1870 §6.1: a declared size above the limit is refused at MAIL.
    if let Some(decision) = too_large(settings, mail.size_bytes.unwrap_or(0)) {
        return Verdict::Decided(decision);
    }
    let identity = Identity::of(settings, connection);
    let stranger = matches!(identity, Identity::Stranger);
    match resources(settings, connection, learnt, stranger) {
        Ok(None) => {}
        Ok(Some(decision)) => return Verdict::Decided(decision),
        Err(missing) => return Verdict::Needs(missing),
    }
    let address = match &mail.reverse_path {
        ReversePath::Null => return Verdict::Decided(null_path(settings)),
        ReversePath::Address(address) => address,
    };
    if let Some(decision) = numeric(settings, address) {
        return Verdict::Decided(decision);
    }
    match identity {
        Identity::User(user) => Verdict::Decided(by_user(settings, connection, user, address)),
        Identity::Device(device) => {
            Verdict::Decided(by_device(settings, connection, device, address))
        }
        Identity::InnerServer => accept("the peer is an inner server of delivery.inner"),
        Identity::Internal => Verdict::Decided(by_internal(settings, connection, address)),
        Identity::Stranger => by_stranger(settings, learnt, address),
    }
}

fn accept(fact: &str) -> Verdict<Decision> {
    Verdict::Decided(acceptable(fact))
}

fn acceptable(fact: &str) -> Decision {
    Decision::accept(Because::SenderAcceptable {
        fact: fact.to_owned(),
    })
}

/// The refusal of a message that is too large.
pub(crate) fn too_large(settings: &Settings, size_bytes: u64) -> Option<Decision> {
    let limit_bytes = settings.receiving.message_bytes_max;
    (size_bytes > limit_bytes).then(|| {
        Decision::refuse(Because::TooLarge {
            size_bytes,
            limit_bytes,
            setting: "receiving.message_bytes_max".to_owned(),
        })
    })
}

/// Free disk, and for strangers the rate.
///
/// # Errors
/// The facts that are missing.
fn resources(
    settings: &Settings,
    connection: &ConnectionFacts,
    learnt: &LearntFacts,
    stranger: bool,
) -> Result<Option<Decision>, Vec<FactQuery>> {
    let source = connection.peer.ip().to_canonical();
    let disk = FactQuery::DiskFree;
    let rate = FactQuery::MessagesFromSource { source };
    let mut wanted = vec![&disk];
    if stranger {
        wanted.push(&rate);
    }
    let missing: Vec<FactQuery> = wanted
        .into_iter()
        .filter(|query| !learnt.contains_key(*query))
        .cloned()
        .collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let full = learnt.get(&disk).and_then(|fact| disk_low(settings, fact));
    let counted = learnt.get(&rate).filter(|_| stranger);
    Ok(full.or_else(|| counted.and_then(|fact| too_often(settings, source, fact))))
}

fn disk_low(settings: &Settings, fact: &Learnt) -> Option<Decision> {
    let limit_bytes = settings.receiving.disk_free_bytes_min;
    let because = match &fact.value {
        FactValue::Bytes { bytes } if *bytes >= limit_bytes => return None,
        FactValue::Bytes { bytes } => Because::DiskLow {
            free_bytes: *bytes,
            limit_bytes,
            setting: "receiving.disk_free_bytes_min".to_owned(),
        },
        FactValue::Domain { .. } | FactValue::Count { .. } | FactValue::CouldNotBeLearnt { .. } => {
            Because::DiskNotLearnt {
                failure: failure_of(&fact.value),
            }
        }
    };
    Some(Decision::defer(because))
}

fn too_often(settings: &Settings, source: std::net::IpAddr, fact: &Learnt) -> Option<Decision> {
    let limit = u64::from(settings.receiving.messages_per_source_per_minute_max);
    let because = match &fact.value {
        FactValue::Count { count } if *count <= limit => return None,
        FactValue::Count { .. } => Because::TooManyMessagesFromSource {
            setting: "receiving.messages_per_source_per_minute_max".to_owned(),
            limit,
            source,
        },
        FactValue::Domain { .. } | FactValue::Bytes { .. } | FactValue::CouldNotBeLearnt { .. } => {
            Because::Outside {
                part: "the counter of messages from one source".to_owned(),
                failure: failure_of(&fact.value),
            }
        }
    };
    Some(Decision::defer(because))
}

/// What went wrong, when a fact is not what was asked for.
fn failure_of(value: &FactValue) -> String {
    match value {
        FactValue::CouldNotBeLearnt { failure } => failure.clone(),
        FactValue::Domain { .. } | FactValue::Bytes { .. } | FactValue::Count { .. } => {
            "the answer was of another kind".to_owned()
        }
    }
}

// RFC 5321 §4.5.5: the null reverse-path is for reports; refusing it loses them.
fn null_path(settings: &Settings) -> Decision {
    if settings.receiving.null_reverse_path_refused {
        Decision::refuse(Because::NullReversePathRefused {
            setting: "receiving.null_reverse_path_refused".to_owned(),
        })
    } else {
        acceptable("the null reverse-path is accepted, for reports")
    }
}

fn numeric(settings: &Settings, address: &Address) -> Option<Decision> {
    let is_numeric = match &address.host {
        MailHost::Address(_) => true,
        MailHost::Domain(domain) => domain.is_numeric(),
    };
    (is_numeric && settings.receiving.numeric_domains_refused).then(|| {
        Decision::refuse(Because::SenderDomainNumeric {
            sender: address.clone(),
            setting: "receiving.numeric_domains_refused".to_owned(),
        })
    })
}

const NOT_HELD: &str = "security.senders_held_to_own is off, so any sender will do";

fn by_user(
    settings: &Settings,
    connection: &ConnectionFacts,
    user: &UserName,
    address: &Address,
) -> Decision {
    let identity = Identity::User(user);
    if identity.may_send_as(settings, address) {
        Decision::accept(Because::SenderIsTheirs {
            user: user.clone(),
            sender: ReversePath::Address(address.clone()),
        })
    } else if settings.security.senders_held_to_own {
        Decision::refuse(Because::SenderNotTheirs {
            user: user.clone(),
            sender: address.clone(),
            line: identity.line_for(connection, &address.to_string()),
        })
    } else {
        acceptable(NOT_HELD)
    }
}

fn by_device(
    settings: &Settings,
    connection: &ConnectionFacts,
    device: &Device,
    address: &Address,
) -> Decision {
    let identity = Identity::Device(device);
    if identity.may_send_as(settings, address) {
        Decision::accept(Because::DeviceMaySend {
            device: device.name.clone(),
            sender: ReversePath::Address(address.clone()),
        })
    } else if settings.security.senders_held_to_own {
        Decision::refuse(Because::DeviceMayNotSendAs {
            device: device.name.clone(),
            sender: address.clone(),
            line: identity.line_for(connection, &address.to_string()),
        })
    } else {
        acceptable(NOT_HELD)
    }
}

fn by_internal(settings: &Settings, connection: &ConnectionFacts, address: &Address) -> Decision {
    if Identity::Internal.may_send_as(settings, address) {
        acceptable("the peer is internal and the sender is of a listed domain (domains.list)")
    } else if settings.security.senders_held_to_own {
        Decision::refuse(Because::SenderDomainNotListed {
            sender: address.clone(),
            line: Identity::Internal.line_for(connection, &address.to_string()),
        })
    } else {
        acceptable(NOT_HELD)
    }
}

fn by_stranger(settings: &Settings, learnt: &LearntFacts, address: &Address) -> Verdict<Decision> {
    let Some(domain) = address.domain() else {
        return accept("the sender's address literal needs no look-up");
    };
    if settings.domains.find(domain).is_some() {
        if settings.receiving.own_domain_spoofing_refused {
            return Verdict::Decided(Decision::refuse(Because::OwnDomainSpoofed {
                domain: domain.clone(),
                setting: "receiving.own_domain_spoofing_refused".to_owned(),
            }));
        }
        return accept("receiving.own_domain_spoofing_refused is off, so a listed domain will do");
    }
    if settings.receiving.sender_domain_must_resolve {
        resolves(learnt, domain)
    } else {
        accept("receiving.sender_domain_must_resolve is off")
    }
}

fn resolves(learnt: &LearntFacts, domain: &Domain) -> Verdict<Decision> {
    let query = FactQuery::SenderDomain {
        domain: domain.clone(),
    };
    let Some(fact) = learnt.get(&query) else {
        return Verdict::Needs(vec![query]);
    };
    let setting = "receiving.sender_domain_must_resolve".to_owned();
    let domain = domain.clone();
    Verdict::Decided(match &fact.value {
        FactValue::Domain { standing } => match standing {
            DomainStanding::Exists => acceptable("the sender's domain exists in DNS"),
            DomainStanding::Unknown => {
                Decision::refuse(Because::SenderDomainUnknown { domain, setting })
            }
            DomainStanding::NullMx => Decision::refuse(Because::SenderDomainNullMx { domain }),
        },
        FactValue::Bytes { .. } | FactValue::Count { .. } | FactValue::CouldNotBeLearnt { .. } => {
            Decision::defer(Because::SenderDomainNotLearnt {
                domain,
                setting,
                failure: failure_of(&fact.value),
            })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::ServiceName;
    use crate::office::{
        LAN, STRANGER, address, code, connection, decided, directory, from, learnt, settings,
        signed_in, user,
    };
    use crate::settings::SendAs;

    fn ask(settings: &Settings, peer: &ConnectionFacts, path: &str) -> Decision {
        let facts = learnt(&peer.peer.ip().to_string(), &["out.example"]);
        decided(sender(settings, &directory(), peer, &facts, &from(path)))
    }

    fn code_of(peer: &ConnectionFacts, path: &str) -> String {
        code(&ask(&settings(), peer, path))
    }

    #[test]
    fn a_signed_in_user_sends_only_as_theirs() {
        let bob = signed_in("bob");
        for own in [
            "bob@office.example",
            "BOB@Office.Example",
            "bob+shop@office.example",
            "bob@office.test",
            "sales@office.example",
            "bob@brand.example",
            "postmaster@office.example",
            "<>",
        ] {
            assert_eq!(code_of(&bob, own), "250 2.1.0", "{own}");
        }
        for other in [
            "alice@office.example",
            "alice+bob@office.example",
            "bobby@office.example",
            "alice@brand.example",
            "bob@out.example",
        ] {
            assert_eq!(code_of(&bob, other), "550 5.7.1", "{other}");
        }
    }

    #[test]
    fn the_refusal_holds_the_line_to_add_and_the_line_helps() {
        let mut settings = settings();
        let bob = signed_in("bob");
        let refused = ask(&settings, &bob, "boss@office.example")
            .because
            .to_string();
        let line = "{ user = \"bob\", address = \"boss@office.example\" }";
        assert!(refused.contains(line), "{refused}");
        settings.security.may_send_as.push(SendAs {
            user: user("bob"),
            address: Some(address("boss@office.example")),
            domain: None,
        });
        assert!(ask(&settings, &bob, "boss+x@office.test").is_accept());
        assert!(!ask(&settings, &signed_in("alice"), "boss@office.example").is_accept());
    }

    #[test]
    fn a_line_for_a_domain_covers_all_its_addresses() {
        let mut settings = settings();
        settings.security.may_send_as.push(SendAs {
            user: user("alice"),
            address: None,
            domain: Some("office.test".parse().unwrap()),
        });
        let alice = signed_in("alice");
        assert!(ask(&settings, &alice, "any@office.example").is_accept());
        assert!(!ask(&settings, &alice, "any@brand.example").is_accept());
    }

    #[test]
    fn an_internal_peer_sends_only_from_a_listed_domain() {
        let lan = connection(LAN);
        for listed in [
            "bob@office.example",
            "new@office.test",
            "x@brand.example",
            "<>",
        ] {
            assert_eq!(code_of(&lan, listed), "250 2.1.0", "{listed}");
        }
        let refused = ask(&settings(), &lan, "scan@copier.invalid");
        assert_eq!(code(&refused), "550 5.7.1");
        assert!(
            refused
                .because
                .to_string()
                .contains("address = \"192.168.0.23\"")
        );
    }

    #[test]
    fn a_device_sends_as_listed_and_nothing_else() {
        let mut settings = settings();
        settings.security.devices.push(Device {
            name: "copier".to_owned(),
            address: LAN.parse().unwrap(),
            may_send_as: vec![address("scan@copier.invalid")],
            bare_lf_allowed: false,
        });
        let lan = connection(LAN);
        assert!(ask(&settings, &lan, "scan@copier.invalid").is_accept());
        assert!(!ask(&settings, &lan, "bob@office.example").is_accept());
        settings.security.devices[0].may_send_as.clear();
        assert!(ask(&settings, &lan, "bob@office.example").is_accept());
        assert!(!ask(&settings, &lan, "scan@copier.invalid").is_accept());
    }

    #[test]
    fn a_tag_makes_nobody_somebody_else() {
        let mut settings = settings();
        settings.addresses.plus_separator = Some('-');
        settings.addresses.list[1].address = address("bob-luc@office.example");
        settings.security.devices.push(Device {
            name: "copier".to_owned(),
            address: LAN.parse().unwrap(),
            may_send_as: vec![address("bob@office.example")],
            bare_lf_allowed: false,
        });
        for peer in [signed_in("bob"), connection(LAN)] {
            assert!(ask(&settings, &peer, "bob-shop@office.test").is_accept());
            assert!(!ask(&settings, &peer, "bob-luc@office.example").is_accept());
            assert!(!ask(&settings, &peer, "bob-luc-shop@office.example").is_accept());
        }
    }

    #[test]
    fn only_the_inner_server_of_a_domain_that_is_passed_on_is_free_of_the_rule() {
        let mut settings = settings();
        settings.delivery.inner.push(crate::settings::InnerServer {
            domain: "office.example".parse().unwrap(),
            hosts: vec![crate::settings::InnerHost {
                host: format!("[{LAN}]").parse().unwrap(),
                port: 25,
            }],
            tls: crate::settings::TlsMode::None,
        });
        let lan = connection(LAN);
        assert!(!ask(&settings, &lan, "x@anywhere.invalid").is_accept());
        settings.domains.list[0].kind = crate::settings::DomainKind::Passed;
        assert!(ask(&settings, &lan, "x@anywhere.invalid").is_accept());
    }

    #[test]
    fn with_the_rule_off_any_sender_will_do_inside() {
        let mut settings = settings();
        settings.security.senders_held_to_own = false;
        assert!(ask(&settings, &signed_in("bob"), "x@anywhere.invalid").is_accept());
        assert!(ask(&settings, &connection(LAN), "x@anywhere.invalid").is_accept());
    }

    #[test]
    fn an_outsider_may_not_send_as_our_domains() {
        let stranger = connection(STRANGER);
        for ours in ["bob@office.example", "x@office.test", "x@brand.example"] {
            assert_eq!(code_of(&stranger, ours), "550 5.7.1", "{ours}");
        }
        assert_eq!(code_of(&stranger, "fred@out.example"), "250 2.1.0");
    }

    #[test]
    fn an_untrusted_senders_domain_is_looked_up_and_judged() {
        let (settings, directory) = (settings(), directory());
        let stranger = connection(STRANGER);
        let mail = from("fred@new.example");
        let mut facts = learnt(STRANGER, &[]);
        let query = FactQuery::SenderDomain {
            domain: "new.example".parse().unwrap(),
        };
        let asked = sender(&settings, &directory, &stranger, &facts, &mail);
        assert_eq!(asked, Verdict::Needs(vec![query.clone()]));
        for (value, expected) in [
            (DomainStanding::Exists, "250 2.1.0"),
            (DomainStanding::Unknown, "550 5.1.8"),
            (DomainStanding::NullMx, "550 5.7.27"),
        ] {
            let at = mail::Timestamp::from_millis(0);
            let value = FactValue::Domain { standing: value };
            facts.insert(query.clone(), Learnt { value, at });
            let decision = decided(sender(&settings, &directory, &stranger, &facts, &mail));
            assert_eq!(code(&decision), expected);
        }
        if let Some(fact) = facts.get_mut(&query) {
            fact.value = FactValue::CouldNotBeLearnt {
                failure: "timeout".to_owned(),
            };
        }
        let decision = decided(sender(&settings, &directory, &stranger, &facts, &mail));
        assert_eq!(code(&decision), "451 4.4.3");
    }

    #[test]
    fn trusted_peers_never_wait_for_dns() {
        let settings = settings();
        for peer in [connection(LAN), signed_in("bob")] {
            let facts = learnt(&peer.peer.ip().to_string(), &[]);
            for path in ["bob@office.example", "x@unheard-of.invalid", "<>"] {
                let verdict = sender(&settings, &directory(), &peer, &facts, &from(path));
                assert!(matches!(verdict, Verdict::Decided(_)));
            }
        }
    }

    #[test]
    fn a_declared_size_above_the_limit_is_refused_before_any_fact_is_asked_for() {
        let mut mail = from("bob@office.example");
        mail.size_bytes = Some((50 << 20) + 1);
        let facts = LearntFacts::new();
        let verdict = sender(&settings(), &directory(), &connection(LAN), &facts, &mail);
        assert_eq!(code(&decided(verdict)), "552 5.3.4");
    }

    #[test]
    fn low_disk_and_unknown_disk_put_mail_off() {
        let low = FactValue::Bytes { bytes: 1 };
        let unknown = FactValue::CouldNotBeLearnt {
            failure: "EIO".to_owned(),
        };
        for (value, expected) in [(low, "452 4.3.1"), (unknown, "451 4.3.0")] {
            let mut facts = learnt(LAN, &[]);
            if let Some(fact) = facts.get_mut(&FactQuery::DiskFree) {
                fact.value = value;
            }
            let mail = from("bob@office.example");
            let verdict = sender(&settings(), &directory(), &connection(LAN), &facts, &mail);
            assert_eq!(code(&decided(verdict)), expected);
        }
    }

    #[test]
    fn the_rate_of_an_external_source_is_counted_and_that_of_others_is_not() {
        let nothing = LearntFacts::new();
        let mail = from("<>");
        let needs =
            |peer: &ConnectionFacts| match sender(&settings(), &directory(), peer, &nothing, &mail)
            {
                Verdict::Needs(facts) => facts.len(),
                Verdict::Decided(_) => 0,
            };
        assert_eq!(needs(&connection(STRANGER)), 2);
        assert_eq!(needs(&connection(LAN)), 1);
        assert_eq!(needs(&signed_in("bob")), 1);
        for (count, expected) in [(120, "250 2.1.0"), (121, "450 4.7.1")] {
            let mut facts = learnt(STRANGER, &[]);
            let source = STRANGER.parse().unwrap();
            if let Some(fact) = facts.get_mut(&FactQuery::MessagesFromSource { source }) {
                fact.value = FactValue::Count { count };
            }
            let peer = connection(STRANGER);
            let verdict = sender(&settings(), &directory(), &peer, &facts, &mail);
            assert_eq!(code(&decided(verdict)), expected);
        }
    }

    #[test]
    fn numeric_domains_and_the_null_path_are_refused_by_choice() {
        let mut settings = settings();
        let stranger = connection(STRANGER);
        for numeric in ["bob@[192.0.2.1]", "bob@192.0.2.1"] {
            assert_eq!(code_of(&stranger, numeric), "550 5.1.7", "{numeric}");
        }
        assert!(ask(&settings, &stranger, "<>").is_accept());
        settings.receiving.null_reverse_path_refused = true;
        settings.receiving.numeric_domains_refused = false;
        assert_eq!(code(&ask(&settings, &stranger, "<>")), "550 5.7.1");
        assert!(ask(&settings, &stranger, "bob@[192.0.2.1]").is_accept());
    }

    #[test]
    fn submission_without_sign_in_is_530() {
        let peer = ConnectionFacts {
            service: ServiceName::Submission,
            ..connection(LAN)
        };
        assert_eq!(code_of(&peer, "bob@office.example"), "530 5.7.0");
    }
}
