//! Settings as people write them: read, checked, written again.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

use std::collections::BTreeSet;

use policy::UserName;
use policy::scenario::own_server;
use policy::settings::{
    Checked, DomainKind, Problem, RawSettings, RemoteMethod, Settings, TABS, TlsMode, Who, check,
    starter,
};
use proptest::prelude::*;

const OFFICE: &str = include_str!("office.toml");

fn users() -> BTreeSet<UserName> {
    ["bob", "alice"].map(|name| name.parse().unwrap()).into()
}

fn read(toml: &str) -> Result<Checked, Vec<Problem>> {
    check(&RawSettings::from_toml(toml)?, &users())
}

/// The problems of a file that has a host name and this.
fn problems_of(rest: &str) -> Vec<Problem> {
    let toml = format!("[machine]\nhost_name = \"mail.office.example\"\n{rest}");
    read(&toml).expect_err(rest)
}

fn warnings_of(rest: &str) -> Vec<Problem> {
    let toml = format!("[machine]\nhost_name = \"mail.office.example\"\n{rest}");
    read(&toml).expect(rest).warnings
}

fn fields(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|p| p.field.as_str()).collect()
}

#[test]
fn a_secret_that_cannot_be_kept_yet_is_warned_of_and_tls_is_the_default_with_it() {
    let toml = "[machine]\nhost_name = \"mail.office.example\"\n[delivery.smart_host]\n\
                host = \"smtp.provider.example\"\nsign_in = { user = \"a\", secret = \"b\" }\n";
    let Checked { settings, warnings } = read(toml).unwrap();
    assert_eq!(fields(&warnings), ["delivery.smart_host.sign_in"]);
    let smart_host = settings.delivery.smart_host.unwrap();
    assert_eq!((smart_host.port, smart_host.tls), (587, TlsMode::Required));
}

#[test]
fn the_example_office_passes_and_means_what_it_says() {
    let Checked { settings, warnings } = read(OFFICE).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(settings.machine.host_name.as_str(), "mail.office.example");
    assert_eq!(settings.machine.dns_servers[0].to_string(), "192.0.2.53:53");
    let kinds: Vec<DomainKind> = settings.domains.list.iter().map(|d| d.kind).collect();
    assert_eq!(
        kinds,
        [
            DomainKind::Hosted,
            DomainKind::Split,
            DomainKind::SendingOnly
        ]
    );
    assert_eq!(settings.addresses.list.len(), 3);
    assert_eq!(settings.security.relay[0].who, Who::Internal);
    assert_eq!(settings.receiving.message_bytes_max, 100 << 20);
    assert_eq!(settings.receiving.recipients_max, 1000);
    assert_eq!(settings.delivery.remote, RemoteMethod::SmartHost);
    let smart_host = settings.delivery.smart_host.unwrap();
    assert_eq!((smart_host.port, smart_host.tls), (587, TlsMode::Required));
    assert_eq!(settings.delivery.inner[0].hosts.len(), 2);
    assert!(settings.services.smtp_open_to_internet);
}

#[test]
fn what_was_written_reads_back_equal() {
    let office = read(OFFICE).unwrap().settings;
    let fresh = starter("mail.office.example".parse().unwrap());
    let domain = "office.example".parse().unwrap();
    let own = own_server(&fresh, &domain, &"bob".parse().unwrap(), true);
    for settings in [office, fresh, own] {
        let raw = RawSettings::from(&settings);
        let text = raw.to_toml();
        let again = RawSettings::from_toml(&text).expect(&text);
        assert_eq!(again, raw);
        assert_eq!(
            check(&again, &users()).unwrap().settings,
            settings,
            "{text}"
        );
        let json = serde_json_free_round_trip(&settings);
        assert_eq!(json, settings);
    }
}

/// The serde form of `Settings` itself, as the store keeps it.
fn serde_json_free_round_trip(settings: &Settings) -> Settings {
    toml::from_str(&toml::to_string(settings).unwrap()).unwrap()
}

/// A text that is right, or any other.
fn text(right: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(right).prop_map(str::to_owned),
        1 => "[\\PC\\n\\t\"\\\\]{0,12}",
    ]
}

proptest! {
    #[test]
    fn whatever_passes_reads_back_equal(
        name in text(&["copier", "a \"b\" \\ c"]),
        address in text(&["bob@office.example", "\"b \\\"o\"@office.example", "\u{436}@Office.Example"]),
        domain in text(&["office.example", "b\u{fc}cher.example", "XN--BCHER-KVA.example."]),
        host in text(&["192.168.0.5", "[fd00::5]:26", "::ffff:192.168.0.5", "mail.lan", "[IPv6:fd00::5]"]),
        who in text(&["internal", "::ffff:192.168.0.0/120", "192.168.0.9", "fd00::9/64"]),
        secret in text(&["provider"]),
        separator in text(&["+", "-", "", " + "]),
        size in text(&["64 KiB", "70000", "1GiB"]),
        remote in any::<bool>(),
    ) {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let (name, address, host, secret) =
            (quoted(&name), quoted(&address), quoted(&host), quoted(&secret));
        let (domain, who, separator, size) =
            (quoted(&domain), quoted(&who), quoted(&separator), quoted(&size));
        let remote = if remote { "smart-host" } else { "direct" };
        let written = format!(
            "[machine]\nhost_name = {domain}\ncertificate = {{ chain = {name}, key = {secret} }}\n\
             [domains]\nlist = [{{ name = \"office.example\" }}, \
             {{ name = \"inner.example\", kind = \"passed\" }}]\n\
             [addresses]\nplus_separator = {separator}\n\
             list = [{{ address = {address}, users = [\"bob\"] }}]\n\
             [security]\nrelay = [{{ name = {name}, who = {who}, allows = [] }}]\n\
             devices = [{{ name = {name}, address = \"::ffff:192.168.0.9\", \
             may_send_as = [{address}] }}]\n\
             [receiving]\nmessage_bytes_max = {size}\n\
             [delivery]\nremote = \"{remote}\"\n\
             inner = [{{ domain = \"inner.example\", hosts = [{host}] }}]\n\
             smart_host = {{ host = {host}, sign_in = {{ user = {name}, secret = {secret} }} }}\n"
        );
        let raw = RawSettings::from_toml(&written).unwrap();
        prop_assert_eq!(&RawSettings::from_toml(&raw.to_toml()).unwrap(), &raw);
        if let Ok(checked) = check(&raw, &users()) {
            let again = RawSettings::from(&checked.settings).to_toml();
            let reread = RawSettings::from_toml(&again).unwrap();
            prop_assert_eq!(check(&reread, &users()), Ok(checked), "{}", again);
        }
    }
}

#[test]
fn only_the_host_name_has_no_default() {
    assert_eq!(fields(&read("").unwrap_err()), ["machine.host_name"]);
    let fresh = starter("mail.office.example".parse().unwrap());
    let named = read("[machine]\nhost_name = \"mail.office.example\"").unwrap();
    assert_eq!(named.settings, fresh);
}

#[test]
fn every_problem_is_reported_at_once_with_field_and_hint() {
    let problems = read(
        r#"
        [machine]
        hostname = "mail.office.example"
        [domains]
        list = [{ name = "office.example", kind = "hostd" }, { kind = "hosted" }]
        [addresses]
        list = [{ address = "bob@elsewhere.example", users = [] }]
        [receiving]
        recipients_max = 5
        message_bytes_max = "much"
        sender_domain_must_resolve = "yes"
        "#,
    )
    .unwrap_err();
    assert_eq!(
        fields(&problems),
        [
            "machine.host_name",
            "machine.hostname",
            "domains.list[1].kind",
            "domains.list[2].name",
            "addresses.list[1].users",
            "addresses.list[1].address",
            "receiving.message_bytes_max",
            "receiving.recipients_max",
            "receiving.sender_domain_must_resolve",
        ]
    );
    for problem in &problems {
        assert!(problem.problem.ends_with('.'), "{problem}");
        assert!(problem.hint.ends_with('.'), "{problem}");
    }
}

#[test]
fn tabs_that_do_not_exist_and_text_that_is_no_toml_are_problems() {
    let wrong = RawSettings::from_toml("[scanners]\n[mail]\n").unwrap_err();
    assert_eq!(fields(&wrong), ["mail", "scanners"]);
    let wrong = RawSettings::from_toml("machine = 1").unwrap_err();
    assert_eq!(fields(&wrong), ["machine"]);
    assert_eq!(RawSettings::from_toml("[machine").unwrap_err().len(), 1);
}

#[test]
fn an_applied_tab_is_replaced_whole_and_the_others_stay() {
    let office = RawSettings::from(&read(OFFICE).unwrap().settings);
    let one = RawSettings::from_toml("[receiving]\nrecipients_max = 200").unwrap();
    let applied = one.apply_over(&office);
    for tab in TABS {
        assert_eq!(
            applied.tab(tab) == office.tab(tab),
            tab != "receiving",
            "{tab}"
        );
    }
    let settings = check(&applied, &users()).unwrap().settings;
    assert_eq!(settings.receiving.recipients_max, 200);
    assert_eq!(settings.receiving.message_bytes_max, 50 << 20);
}

#[test]
fn domains_are_listed_once_and_are_ones_that_people_own() {
    for (list, problem) in [
        ("{ name = \"co.uk\" }", "domains.list[1].name"),
        ("{ name = \"com\" }", "domains.list[1].name"),
        ("{ name = \"10.0.0.1\" }", "domains.list[1].name"),
        (
            "{ name = \"a.example\" }, { name = \"A.example\" }",
            "domains.list[2].name",
        ),
        (
            "{ name = \"a.example\", aliases = [\"a.example\"] }",
            "domains.list[1].aliases",
        ),
        (
            "{ name = \"a.example\" }, { name = \"b.example\", aliases = [\"a.example\"] }",
            "domains.list[2].aliases",
        ),
    ] {
        let problems = problems_of(&format!("[domains]\nlist = [{list}]"));
        assert_eq!(fields(&problems), [problem], "{list}");
    }
    for name in [
        "office.test",
        "office.example",
        "office.local",
        "firm.co.uk",
    ] {
        let rest = format!("[domains]\nlist = [{{ name = \"{name}\", kind = \"sending-only\" }}]");
        let warnings = warnings_of(&rest);
        assert_eq!(fields(&warnings), ["security.relay"], "{name}");
    }
}

#[test]
fn addresses_are_in_listed_domains_once_and_by_first_name() {
    const DOMAINS: &str = "[[domains.list]]\nname = \"office.example\"\n\
                           aliases = [\"office.test\"]\n[addresses]\npostmaster = [\"bob\"]\n";
    let list = |list: &str| format!("{DOMAINS}list = [{list}]");
    let twice = "{ address = \"bob@office.example\", users = [\"bob\"] }, \
                 { address = \"Bob@office.test\", users = [\"alice\"] }";
    assert_eq!(
        fields(&problems_of(&list(twice))),
        ["addresses.list[2].address"]
    );
    let elsewhere = "{ address = \"bob@else.example\", users = [\"bob\"] }";
    assert_eq!(
        fields(&problems_of(&list(elsewhere))),
        ["addresses.list[1].address"]
    );
    let literal = "{ address = \"bob@[192.0.2.1]\", users = [\"bob\"] }";
    assert_eq!(
        fields(&problems_of(&list(literal))),
        ["addresses.list[1].address"]
    );
    let toml = format!(
        "[machine]\nhost_name = \"mail.office.example\"\n{}",
        list("{ address = \"bob@office.test\", users = [\"bob\", \"bob\", \"zoe\"] }")
    );
    let checked = read(&toml).unwrap();
    let entry = &checked.settings.addresses.list[0];
    assert_eq!(entry.address.to_string(), "bob@office.example");
    assert_eq!(entry.users.len(), 2);
    assert!(fields(&checked.warnings).contains(&"addresses.list[1].users"));
}

#[test]
fn anyone_may_never_be_let_out() {
    for direction in ["local-to-outside", "outside-to-outside"] {
        let rest = format!(
            "[[security.relay]]\nname = \"all\"\nwho = \"anyone\"\nallows = [\"{direction}\"]"
        );
        assert_eq!(fields(&problems_of(&rest)), ["security.relay[1].allows"]);
    }
    let inward = "[[security.relay]]\nname = \"all\"\nwho = \"anyone\"\n\
                  allows = [\"outside-to-local\", \"local-to-local\"]";
    assert_eq!(warnings_of(inward), []);
}

#[test]
fn ranges_are_narrow_and_private_or_declared_internal() {
    let line = |who: &str| {
        format!(
            "[[security.relay]]\nname = \"range\"\nwho = \"{who}\"\nallows = [\"local-to-local\"]"
        )
    };
    for wrong in [
        "0.0.0.0/0",
        "::/0",
        "0.0.0.0/7",
        "10.0.0.0/7",
        "fd00::/31",
        "::ffff:0:0/96",
        "203.0.113.0/24",
        "172.16.0.0/11",
        "2001:db8::/48",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "0.0.0.0",
        "224.0.0.1",
        "everybody",
        "10.0.0.0/33",
    ] {
        assert_eq!(
            fields(&problems_of(&line(wrong))),
            ["security.relay[1].who"],
            "{wrong}"
        );
    }
    for fine in [
        "10.0.0.0/8",
        "192.168.0.7/24",
        "fd00::/32",
        "203.0.113.9",
        "203.0.113.9/32",
        "2001:db8::9/128",
        "127.0.0.1",
    ] {
        assert_eq!(warnings_of(&line(fine)), [], "{fine}");
    }
    let declared = format!("[security]\ninternal_public = [\"203.0.113.0/24\"]\n{}", {
        line("203.0.113.64/26")
    });
    assert_eq!(warnings_of(&declared), []);
    for wrong in ["0.0.0.0/0", "127.0.0.0/8"] {
        let rest = format!("[security]\ninternal_public = [\"{wrong}\"]");
        assert_eq!(
            fields(&problems_of(&rest)),
            ["security.internal_public"],
            "{wrong}"
        );
    }
}

#[test]
fn lines_devices_and_further_addresses_are_told_apart() {
    let problems = problems_of(
        r#"
        [security]
        relay = [
          { name = "a", who = "internal", allows = ["local-to-local"] },
          { name = "a", who = "internal", allows = ["local-to-local"] },
        ]
        devices = [
          { name = "copier", address = "192.168.0.9" },
          { name = "copier", address = "192.168.0.9" },
        ]
        may_send_as = [
          { user = "bob" },
          { user = "bob", address = "x@else.example", domain = "else.example" },
          { user = "bob", domain = "else.example" },
          { user = "bob", address = "x@else.example" },
        ]
        "#,
    );
    assert_eq!(
        fields(&problems),
        [
            "security.relay[2].name",
            "security.may_send_as[1].address",
            "security.may_send_as[2].address",
            "security.may_send_as[2].domain",
            "security.may_send_as[3].domain",
            "security.devices[2].name",
            "security.devices[2].address",
        ]
    );
}

#[test]
fn a_password_never_crosses_the_network_in_clear_text() {
    for tls in ["none", "opportunistic"] {
        let rest = format!(
            "[delivery.smart_host]\nhost = \"smtp.provider.example\"\ntls = \"{tls}\"\n\
             sign_in = {{ user = \"office\", secret = \"provider\" }}"
        );
        assert_eq!(
            fields(&problems_of(&rest)),
            ["delivery.smart_host.tls"],
            "{tls}"
        );
    }
}

#[test]
fn what_names_nothing_cannot_be_saved() {
    for (rest, field) in [
        ("dns_servers = [\"192.0.2.53:0\"]", "machine.dns_servers[1]"),
        (
            "certificate = { chain = \"\", key = \"/etc/key.pem\" }",
            "machine.certificate.chain",
        ),
        (
            "[delivery.smart_host]\nhost = \"smtp.provider.example\"\n\
             sign_in = { user = \" \", secret = \"provider\" }",
            "delivery.smart_host.sign_in.user",
        ),
    ] {
        assert_eq!(fields(&problems_of(rest)), [field], "{rest}");
    }
}

#[test]
fn what_is_passed_on_needs_somewhere_to_go() {
    let smart_host = "[delivery]\nremote = \"smart-host\"";
    assert_eq!(fields(&problems_of(smart_host)), ["delivery.smart_host"]);
    let passed = "[[domains.list]]\nname = \"office.example\"\nkind = \"passed\"";
    assert_eq!(fields(&problems_of(passed)), ["delivery.inner"]);
    let wrong = format!(
        "{passed}\n[[delivery.inner]]\ndomain = \"office.example\"\nhosts = [\"300.1.2.3\"]"
    );
    assert_eq!(
        fields(&problems_of(&wrong)),
        ["delivery.inner[1].hosts[1]", "delivery.inner[1].hosts"]
    );
}

#[test]
fn retry_times_fit_each_other() {
    let rest = "[delivery.retry]\nfirst_secs = 600\nlongest_secs = 300";
    assert_eq!(fields(&problems_of(rest)), ["delivery.retry.longest_secs"]);
    let short = "[delivery.retry]\nexpire_secs = 3600";
    assert_eq!(fields(&warnings_of(short)), ["delivery.retry.expire_secs"]);
}

/// The reference page, held to the code: every field is on it with the default that holds.
const PAGE: &str = include_str!("../../../docs/settings.md");

#[test]
fn the_reference_page_has_every_field_with_its_default() {
    let raw = RawSettings::from(&starter("mail.office.example".parse().unwrap()));
    for tab in TABS {
        let section = PAGE
            .split("\n## `")
            .find(|section| section.trim_start_matches('[').starts_with(tab))
            .expect(tab);
        let mut fields = Vec::new();
        flatten("", raw.tab(tab).unwrap(), &mut fields);
        for (field, default) in fields {
            if matches!(
                (tab, field.as_str()),
                ("domains", "list") | ("machine", "host_name")
            ) {
                continue;
            }
            let row = format!("| `{field}` |");
            let line = section.lines().find(|line| line.starts_with(&row));
            let line = line.unwrap_or_else(|| panic!("[{tab}] {field} is not on the page"));
            assert!(
                line.ends_with(&format!("| `{default}` |")),
                "[{tab}] {line}"
            );
        }
    }
}

fn flatten(front: &str, table: &toml::Table, fields: &mut Vec<(String, String)>) {
    for (name, value) in table {
        match value.as_table() {
            Some(inner) => flatten(&format!("{front}{name}."), inner, fields),
            None => fields.push((format!("{front}{name}"), value.to_string())),
        }
    }
}
