//! What is decided at RCPT: the relay table, then whether anybody has the address.
//!
//! Promises: an address that nobody has is refused here, never bounced later; a relay attempt is
//! refused for good. Does not: ask an inner server about its users (a later issue).
//! Standards: RFC 5321 §3.3, §3.6, §4.5.3.1.10.

use mail::{Address, Domain, ForwardPath, LocalPart, MailHost, Recipient};

use crate::address_book::{self, Found};
use crate::connection::sign_in_missing;
use crate::facts::{ConnectionFacts, Directory, LearntFacts, TransactionFacts, Verdict};
use crate::identity::Identity;
use crate::relay::{direction, relay};
use crate::settings::{DomainEntry, DomainKind, RelayEntry, Settings};
use crate::{Because, Decision, Direction};

/// Decides on RCPT.
pub fn recipient(
    settings: &Settings,
    directory: &Directory,
    connection: &ConnectionFacts,
    _learnt: &LearntFacts,
    transaction: &TransactionFacts,
    recipient: &Recipient,
) -> Verdict<Decision> {
    if let Some(decision) = sign_in_missing(directory, connection) {
        return Verdict::Decided(decision);
    }
    let limit = u64::from(settings.receiving.recipients_max);
    if u64::try_from(transaction.recipients.len()).unwrap_or(u64::MAX) >= limit {
        return Verdict::Decided(Decision::defer(Because::TooManyRecipients {
            setting: "receiving.recipients_max".to_owned(),
            limit,
        }));
    }
    let towards = direction(settings, &transaction.mail.reverse_path, &recipient.path);
    let line = match relay(settings, connection, towards) {
        Ok(line) => line,
        Err(because) => return Verdict::Decided(Decision::refuse(because)),
    };
    let decision = match local_target(settings, &recipient.path) {
        Some((domain, local)) => {
            let visit = Visit {
                settings,
                directory,
                connection,
                line,
            };
            visit.for_us(domain, &local)
        }
        None => for_outside(&recipient.path, line, towards),
    };
    Verdict::Decided(decision)
}

/// The domain of ours and the local-part that a path means; `None` for everything outside.
pub(crate) fn local_target<'a>(
    settings: &'a Settings,
    path: &ForwardPath,
) -> Option<(&'a DomainEntry, LocalPart)> {
    let (domain, local) = match path {
        // RFC 5321 §4.1.1.3: "Postmaster" without a domain must be accepted.
        ForwardPath::Postmaster => (
            settings.domains.list.iter().find(|d| takes_mail(d.kind))?,
            LocalPart::parse("postmaster").ok()?,
        ),
        ForwardPath::Address(address) => (
            settings.domains.find(address.domain()?)?,
            address.local.clone(),
        ),
    };
    takes_mail(domain.kind).then_some((domain, local))
}

const fn takes_mail(kind: DomainKind) -> bool {
    match kind {
        DomainKind::Hosted | DomainKind::Passed | DomainKind::Split => true,
        DomainKind::SendingOnly => false,
    }
}

/// What the steps for one recipient of ours have in common.
struct Visit<'a> {
    settings: &'a Settings,
    directory: &'a Directory,
    connection: &'a ConnectionFacts,
    line: &'a RelayEntry,
}

impl Visit<'_> {
    fn for_us(&self, domain: &DomainEntry, local: &LocalPart) -> Decision {
        if domain.kind == DomainKind::Passed {
            return self.passed(domain, local);
        }
        match address_book::find(self.settings, self.directory, domain, local) {
            Found::Users {
                address,
                users,
                via,
            } => Decision::accept(Because::AddressKnown {
                address,
                users,
                via: format!("{via}, let in by security.relay \"{}\"", self.line.name),
            }),
            Found::NoUser { address, users } => {
                Decision::refuse(Because::AddressWithoutUser { address, users })
            }
            Found::Nobody if domain.kind == DomainKind::Split => self.passed(domain, local),
            Found::Nobody => Decision::refuse(address_book::unknown(self.settings, domain, local)),
        }
    }

    /// Accepted for an inner server, unless a stranger hides another recipient in the local-part.
    ///
    /// The inner server trusts this gateway: `fred%hotmail.test@office.test` from a stranger
    /// would make the two together an open relay.
    fn passed(&self, domain: &DomainEntry, local: &LocalPart) -> Decision {
        let stranger = matches!(
            Identity::of(self.settings, self.connection),
            Identity::Stranger
        );
        if stranger && local.as_str().contains(['%', '!', '@']) {
            let host = MailHost::Domain(domain.name.clone());
            return Decision::refuse(Because::RecipientNotRoutable {
                recipient: Address::new(local.clone(), host).to_string(),
            });
        }
        Decision::accept(Because::DomainPassed {
            domain: domain.name.clone(),
            entry: self.line.name.clone(),
        })
    }
}

fn for_outside(path: &ForwardPath, line: &RelayEntry, direction: Direction) -> Decision {
    match unroutable(path) {
        Some(because) => Decision::refuse(because),
        None => Decision::accept(Because::RelayAllowed {
            entry: line.name.clone(),
            direction,
        }),
    }
}

/// Why no mail can be sent to an outside path, if so.
pub(crate) fn unroutable(path: &ForwardPath) -> Option<Because> {
    let routable = match path {
        ForwardPath::Postmaster => false,
        ForwardPath::Address(address) => match &address.host {
            MailHost::Domain(domain) => !Domain::is_numeric(domain),
            MailHost::Address(ip) => {
                let ip = ip.to_canonical();
                !(ip.is_loopback() || ip.is_unspecified() || ip.is_multicast())
            }
        },
    };
    (!routable).then(|| Because::RecipientNotRoutable {
        recipient: path.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserName;
    use crate::office::{
        LAN, STRANGER, code, connection, decided, directory, learnt, settings, signed_in, to,
        transaction, user,
    };
    use crate::settings::CatchAll;

    fn ask(settings: &Settings, peer: &ConnectionFacts, from: &str, path: &str) -> Decision {
        decided(recipient(
            settings,
            &directory(),
            peer,
            &learnt(STRANGER, &[]),
            &transaction(from),
            &to(path),
        ))
    }

    fn from_outside(settings: &Settings, path: &str) -> Decision {
        ask(settings, &connection(STRANGER), "fred@out.example", path)
    }

    fn users_of(decision: &Decision) -> Vec<UserName> {
        if let Because::AddressKnown { users, .. } = &decision.because {
            users.clone()
        } else {
            panic!("{}", decision.because)
        }
    }

    #[test]
    fn addresses_reach_their_users_in_every_spelling() {
        let settings = settings();
        for (path, users) in [
            ("bob@office.example", &["bob"][..]),
            ("BOB@OFFICE.example", &["bob"]),
            ("bob+shop@office.example", &["bob"]),
            ("Bob+a+b@office.test", &["bob"]),
            ("sales@office.example", &["bob", "alice"]),
            ("Postmaster", &["bob"]),
            ("postMaster@office.test", &["bob"]),
            ("abuse@office.example", &["bob"]),
        ] {
            let decision = from_outside(&settings, path);
            let users: Vec<UserName> = users.iter().map(|name| user(name)).collect();
            assert_eq!(users_of(&decision), users, "{path}");
        }
    }

    #[test]
    fn an_unknown_address_is_refused_and_the_nearest_is_shown_to_operators_only() {
        let refused = from_outside(&settings(), "bbo@office.example");
        assert_eq!(code(&refused), "550 5.1.1");
        assert_eq!(
            refused.because.to_string(),
            "Addresses has no bbo and no catch-all for office.example; nearest is \
             bob@office.example."
        );
        let far = from_outside(&settings(), "zacharias@office.example");
        assert!(matches!(
            far.because,
            Because::AddressUnknown { nearest: None, .. }
        ));
    }

    #[test]
    fn an_address_whose_users_are_not_here_is_refused_like_an_unknown_one() {
        let mut settings = settings();
        let refused = from_outside(&settings, "old@office.example");
        assert!(matches!(
            refused.because,
            Because::AddressWithoutUser { .. }
        ));
        assert_eq!(code(&refused), "550 5.1.1");
        settings.addresses.list[3].users.push(user("alice"));
        let accepted = from_outside(&settings, "old@office.example");
        assert_eq!(users_of(&accepted), [user("alice")]);
    }

    #[test]
    fn a_catch_all_takes_what_is_not_listed_and_nothing_that_is() {
        let mut settings = settings();
        settings.addresses.catch_all.push(CatchAll {
            domain: "office.example".parse().unwrap(),
            users: vec![user("alice")],
        });
        let any = from_outside(&settings, "anything@office.test");
        assert_eq!(users_of(&any), [user("alice")]);
        let listed = from_outside(&settings, "old@office.example");
        assert!(!listed.is_accept());
        let postmaster = from_outside(&settings, "postmaster@office.example");
        assert_eq!(users_of(&postmaster), [user("bob")]);
    }

    #[test]
    fn without_a_separator_tags_are_part_of_the_name() {
        let mut settings = settings();
        settings.addresses.plus_separator = None;
        assert!(!from_outside(&settings, "bob+shop@office.example").is_accept());
    }

    #[test]
    fn a_name_that_holds_the_separator_is_found_before_its_tag() {
        let mut settings = settings();
        settings.addresses.plus_separator = Some('-');
        settings.addresses.list[1].address = "jean-luc@office.example".parse().unwrap();
        for path in ["jean-luc@office.example", "Jean-Luc-shop-x@office.example"] {
            assert_eq!(users_of(&from_outside(&settings, path)), [user("alice")]);
        }
        assert_eq!(
            users_of(&from_outside(&settings, "bob-luc@office.example")),
            [user("bob")]
        );
        assert!(!from_outside(&settings, "jean-shop@office.example").is_accept());
    }

    #[test]
    fn postmaster_is_reached_where_it_was_given_to_somebody_who_is_gone() {
        let mut settings = settings();
        for name in ["postmaster@office.example", "abuse@office.example"] {
            settings.addresses.list[3].address = name.parse().unwrap();
            let path = name.replace('@', "+x@");
            assert_eq!(users_of(&from_outside(&settings, &path)), [user("bob")]);
            settings.addresses.list[3].users.push(user("alice"));
            assert_eq!(users_of(&from_outside(&settings, &path)), [user("alice")]);
            settings.addresses.list[3].users.pop();
        }
    }

    #[test]
    fn postmaster_is_reached_even_where_nobody_is_named() {
        let mut settings = settings();
        settings.addresses.postmaster = vec![user("carol")];
        let decision = from_outside(&settings, "postmaster@office.example");
        assert_eq!(users_of(&decision), [user("bob")]);
    }

    #[test]
    fn relaying_is_refused_for_good_to_strangers_and_allowed_inside() {
        let settings = settings();
        for from in ["bob@office.example", "fred@out.example", "<>"] {
            let refused = ask(&settings, &connection(STRANGER), from, "x@else.example");
            assert_eq!(code(&refused), "550 5.7.1");
            for peer in [connection(LAN), signed_in("bob")] {
                let accepted = ask(&settings, &peer, from, "x@else.example");
                assert_eq!(code(&accepted), "250 2.1.5");
            }
        }
    }

    #[test]
    fn no_switch_about_senders_opens_the_way_out_for_strangers() {
        let mut settings = settings();
        settings.security.senders_held_to_own = false;
        settings.receiving.own_domain_spoofing_refused = false;
        settings.receiving.sender_domain_must_resolve = false;
        for from in ["bob@office.example", "fred@out.example", "<>"] {
            let stranger = connection(STRANGER);
            let out = ask(&settings, &stranger, from, "x@else.example");
            assert_eq!(code(&out), "550 5.7.1", "{from}");
            // What is for us comes in, whoever they say they are: another switch refuses that.
            let inward = ask(&settings, &stranger, from, "alice@office.example");
            assert!(inward.is_accept(), "{from}");
        }
    }

    #[test]
    fn a_domain_that_is_only_sent_as_counts_as_outside() {
        let refused = from_outside(&settings(), "bob@brand.example");
        assert_eq!(code(&refused), "550 5.7.1");
        let lan = connection(LAN);
        let accepted = ask(&settings(), &lan, "bob@office.example", "bob@brand.example");
        assert!(matches!(accepted.because, Because::RelayAllowed { .. }));
    }

    #[test]
    fn passed_domains_are_accepted_and_split_ones_where_nothing_is_listed() {
        let mut settings = settings();
        settings.domains.list[0].kind = DomainKind::Split;
        let known = from_outside(&settings, "alice@office.example");
        assert_eq!(users_of(&known), [user("alice")]);
        let passed = from_outside(&settings, "other@office.example");
        assert!(matches!(passed.because, Because::DomainPassed { .. }));
        settings.domains.list[0].kind = DomainKind::Passed;
        let passed = from_outside(&settings, "alice@office.example");
        assert!(matches!(passed.because, Because::DomainPassed { .. }));
    }

    #[test]
    fn a_stranger_cannot_hide_an_outside_recipient_in_the_local_part_of_a_passed_domain() {
        let mut settings = settings();
        settings.domains.list[0].kind = DomainKind::Passed;
        for path in [
            "fred%else.example@office.example",
            "else.example!fred@office.example",
            "\"fred@else.example\"@office.example",
        ] {
            assert!(!from_outside(&settings, path).is_accept(), "{path}");
        }
    }

    #[test]
    fn the_limit_of_recipients_puts_the_rest_off() {
        let mut settings = settings();
        settings.receiving.recipients_max = 100;
        let mut facts = transaction("fred@out.example");
        facts.recipients = vec![to("bob@office.example"); 99];
        let ask = |facts: &TransactionFacts| {
            let learnt = LearntFacts::new();
            let peer = connection(STRANGER);
            let next = to("alice@office.example");
            decided(recipient(
                &settings,
                &directory(),
                &peer,
                &learnt,
                facts,
                &next,
            ))
        };
        assert!(ask(&facts).is_accept());
        facts.recipients.push(to("bob@office.example"));
        assert_eq!(code(&ask(&facts)), "452 4.5.3");
    }

    #[test]
    fn addresses_that_lead_nowhere_are_refused_even_to_our_own_people() {
        let lan = connection(LAN);
        for path in ["x@[127.0.0.1]", "x@[0.0.0.0]", "x@10.0.0.1", "x@[IPv6:::1]"] {
            let refused = ask(&settings(), &lan, "bob@office.example", path);
            assert_eq!(code(&refused), "550 5.1.3", "{path}");
        }
        let literal = ask(&settings(), &lan, "bob@office.example", "x@[192.0.2.1]");
        assert!(literal.is_accept());
    }
}
