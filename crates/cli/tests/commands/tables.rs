//! Domains, addresses, users, services, settings and the sheet as people read them.

use contracts::store::{AuditEntry, RevisionHead};
use contracts::{CertificateReport, ServiceReport, ServiceState};
use operate::{Answer, AppPasswordReport, QueueReport, StatusReport, UserReport};
use policy::facts::ServiceName;
use policy::settings::{
    AddressEntry, Addresses, CatchAll, Change, DomainEntry, DomainKind, Problem,
};
use policy::sheet::{ClientSheet, Protection, SheetServer};

use super::office::{at, printed};

#[test]
fn domains_say_where_their_mail_is() {
    let domain = |name: &str, kind, aliases: &[&str]| DomainEntry {
        name: name.parse().unwrap(),
        kind,
        aliases: aliases.iter().map(|alias| alias.parse().unwrap()).collect(),
    };
    let domains = vec![
        domain("office.example", DomainKind::Hosted, &["office.test"]),
        domain("branch.example", DomainKind::SendingOnly, &[]),
    ];
    assert_eq!(
        printed(&["domain", "list"], &Answer::Domains { domains }),
        "\
DOMAIN          ITS MAIL                          OTHER NAMES
office.example  has its mailboxes here            office.test
branch.example  arrives elsewhere (sending only)
"
    );
}

#[test]
fn an_empty_list_says_how_to_fill_it() {
    let domains = Vec::new();
    let text = printed(&["domain", "list"], &Answer::Domains { domains });
    assert!(text.contains("gatepost setup own-server"), "{text}");
}

#[test]
fn addresses_list_catch_all_and_postmaster_too() {
    let addresses = Addresses {
        list: vec![AddressEntry {
            address: "info@office.example".parse().unwrap(),
            users: vec!["bob".parse().unwrap(), "alice".parse().unwrap()],
        }],
        catch_all: vec![CatchAll {
            domain: "office.example".parse().unwrap(),
            users: vec!["bob".parse().unwrap()],
        }],
        plus_separator: Some('+'),
        postmaster: vec!["bob".parse().unwrap()],
    };
    assert_eq!(
        printed(&["address", "list"], &Answer::Addresses { addresses }),
        "\
ADDRESS              FOR
info@office.example  bob, alice
*@office.example     bob (names nobody has)
postmaster, abuse    bob (where not listed)
What follows a + in a name is ignored: bob+shop is bob.
"
    );
}

#[test]
fn users_show_their_app_passwords_by_number() {
    let users = vec![UserReport {
        name: "alice".parse().unwrap(),
        full_name: "Alice Ashton".to_owned(),
        enabled: false,
        scram: false,
        app_passwords: vec![AppPasswordReport {
            number: 2,
            label: "phone".to_owned(),
            created_at: at("2026-11-01"),
        }],
        addresses: vec!["alice@office.example".parse().unwrap()],
    }];
    assert_eq!(
        printed(&["user", "list"], &Answer::Users { users }),
        "\
USER   NAME          STATE     ADDRESSES             APP PASSWORDS
alice  Alice Ashton  disabled  alice@office.example  2 phone
"
    );
}

fn services() -> Vec<ServiceReport> {
    let service = |name, state, at: &[&str], sessions| ServiceReport {
        name,
        state,
        addresses: at.iter().map(|at| at.parse().unwrap()).collect(),
        sessions,
        last_error: None,
    };
    let failed = ServiceState::Failed {
        why: "port 110 is held by dovecot".to_owned(),
        retry_at: at("2026-11-24 09:16:34"),
    };
    vec![
        service(
            ServiceName::Smtp,
            ServiceState::Running,
            &["0.0.0.0:25"],
            12,
        ),
        service(ServiceName::Pop3, failed, &[], 0),
    ]
}

#[test]
fn a_service_that_failed_says_why_and_when_it_is_tried_again() {
    let services = services();
    assert_eq!(
        printed(&["service", "list"], &Answer::Services { services }),
        "\
SERVICE  STATE    SESSIONS  AT          NOTE
smtp     running        12  0.0.0.0:25
pop3     failed          0              port 110 is held by dovecot; tried again in 30 seconds
"
    );
}

#[test]
fn the_status_begins_with_what_needs_a_person() {
    let report = StatusReport {
        version: "0.1.0".to_owned(),
        started_at: Some(at("2026-11-22 09:16:04")),
        host_name: "mail.office.example".parse().unwrap(),
        revision: 4,
        services: services(),
        queue: QueueReport {
            waiting: 3,
            leased: 1,
            held: 0,
        },
        disk_free_bytes: Some(12 << 30),
        certificate: Some(CertificateReport {
            fingerprint: "AA:BB".to_owned(),
            names: vec!["mail.office.example".to_owned(), "192.168.0.100".to_owned()],
            not_after: at("2026-12-03"),
            local_authority: true,
            reload_error: None,
        }),
        attention: vec!["pop3 does not run: port 110 is held by dovecot".to_owned()],
    };
    assert_eq!(
        printed(&["status"], &Answer::Status(Box::new(report))),
        "\
One thing needs you:
  - pop3 does not run: port 110 is held by dovecot

gateway      mail.office.example
version      0.1.0
running      since 2026-11-22 09:16, 2 days ago
settings     revision 4
queue        3 waiting, 1 under way, 0 held
free disk    12.0 GiB
certificate  ends 2026-12-03, in 8 days, made by this gateway's own authority
             for mail.office.example, 192.168.0.100
             SHA-256 AA:BB

SERVICE  STATE    SESSIONS  AT          NOTE
smtp     running        12  0.0.0.0:25
pop3     failed          0              port 110 is held by dovecot; tried again in 30 seconds
"
    );
}

fn change(field: &str, before: Option<&str>, after: Option<&str>) -> Change {
    Change {
        field: field.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    }
}

#[test]
fn changes_say_what_stops_receiving() {
    let answer = |revision| Answer::Changes {
        revision,
        changes: vec![
            change(
                "addresses.list[eve@office.example]",
                Some("users: eve"),
                None,
            ),
            change("services.smtp_open_to_internet", Some("off"), Some("on")),
            change("domains.list[branch.example]", None, Some("kind: hosted")),
        ],
        warnings: vec![Problem::new(
            "addresses.list[1].users",
            "The user carol does not exist yet.",
            "Add them: gatepost user add carol.",
        )],
    };
    assert_eq!(
        printed(&["settings", "apply", "-", "--dry-run"], &answer(None)),
        "\
Nothing was saved. It would be 3 changes:
  - addresses.list[eve@office.example]: removed (was users: eve)
  ~ services.smtp_open_to_internet: on (was off)
  + domains.list[branch.example]: added (kind: hosted)

These would no longer receive mail here: eve@office.example

Keep an eye on:
  addresses.list[1].users: The user carol does not exist yet.
      Add them: gatepost user add carol.
"
    );
    let saved = printed(&["settings", "apply", "-"], &answer(Some(5)));
    assert!(saved.starts_with("Settings revision 5 is in force: 3 changes.\n"));
}

#[test]
fn an_export_is_the_text_and_nothing_else() {
    let toml = "[machine]\nhost_name = \"mail.office.example\"\n\n[receiving]\nhops_max = 100\n";
    let answer = Answer::Settings {
        revision: Some(RevisionHead {
            number: 4,
            operator: "root".to_owned(),
            why: "larger attachments".to_owned(),
            at: at("2026-11-24 09:12:04"),
        }),
        toml: toml.to_owned(),
    };
    assert_eq!(printed(&["settings", "export"], &answer), toml);
    assert_eq!(
        printed(&["settings", "export", "receiving"], &answer),
        "[receiving]\nhops_max = 100\n"
    );
    assert_eq!(
        printed(&["settings", "show", "receiving"], &answer),
        "\
# Revision 4, by root, 2026-11-24 09:12, 4 minutes ago: larger attachments

[receiving]
hops_max = 100
"
    );
}

#[test]
fn the_audit_is_a_table_of_who_did_what() {
    let entries = vec![AuditEntry {
        at: at("2026-11-24 09:12:04"),
        operator: "root".to_owned(),
        action: "user bob added".to_owned(),
    }];
    assert_eq!(
        printed(&["audit"], &Answer::Audit { entries }),
        "\
WHEN (UTC)        WHO   WHAT
2026-11-24 09:12  root  user bob added
"
    );
}

#[test]
fn a_new_app_password_is_shown_once_on_a_line_of_its_own() {
    let answer = Answer::AppPassword {
        number: 3,
        password: "abcd-efgh".to_owned(),
    };
    assert_eq!(
        printed(&["user", "app-password", "add", "bob", "phone"], &answer),
        "App password 3, shown this once:\n\n    abcd-efgh\n"
    );
}

#[test]
fn a_sheet_has_all_that_a_mail_program_asks_for() {
    let server = |service, port, security| SheetServer {
        service,
        host: "192.168.0.100".to_owned(),
        port,
        security,
        login: "bob".to_owned(),
        open_to_internet: false,
    };
    let sheet = ClientSheet {
        user: "bob".parse().unwrap(),
        addresses: vec!["bob@office.example".parse().unwrap()],
        incoming: vec![
            server(ServiceName::Pop3s, 995, Protection::Tls),
            server(ServiceName::Pop3, 110, Protection::StartTls),
        ],
        outgoing: vec![server(ServiceName::Submissions, 465, Protection::Tls)],
        host_name: "mail.office.example".parse().unwrap(),
        fingerprint: "AA:BB".to_owned(),
    };
    let text = printed(
        &["sheet", "bob"],
        &Answer::Sheet {
            sheet: Box::new(sheet),
        },
    );
    assert_eq!(
        text,
        "\
Mail for bob

address      bob@office.example
sign in as   bob
password     your own, or an app password

INCOMING    SERVER         PORT  SECURITY  FROM OUTSIDE
POP3 (TLS)  192.168.0.100   995  SSL/TLS   no
POP3        192.168.0.100   110  STARTTLS  no

OUTGOING          SERVER         PORT  SECURITY  FROM OUTSIDE
Submission (TLS)  192.168.0.100   465  SSL/TLS   no

Use the first line of each; the second is for programs that lack it.
Where names are looked up for the office, mail.office.example works in the place of the address.

A mail program may show this certificate and ask; it is the right one if its
SHA-256 fingerprint is:
    AA:BB
"
    );
}
