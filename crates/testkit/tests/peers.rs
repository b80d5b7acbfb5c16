//! Each peer by itself: does it start, answer, and go away again?

use std::net::SocketAddr;
use testkit::ScriptedSmtp;
use testkit::net::{Office, Place};
use testkit::peers::{
    Account, Client, DebianRoot, DnsServer, Dovecot, Message, Postfix, PostfixSettings,
};
use testkit::scripted_smtp::{Act, Stage};

#[test]
fn another_site_receives_and_its_user_collects() {
    let root = DebianRoot::find().unwrap();
    let office = Office::build(Place::TwoCards).unwrap();
    let zone = "@ MX 10 mx\nmx A 198.51.100.25\n";
    let dns = DnsServer::start(&root, &office.dns, &[("hotmail.test", zone)], &[]).unwrap();
    let dovecot = Dovecot::start(&root, &office.hotmail, &[("fred", "secret")]).unwrap();
    let settings = PostfixSettings {
        host_name: "mx.hotmail.test",
        domains: "hotmail.test",
        addresses: &[("fred@hotmail.test", "fred@hotmail.test")],
        lmtp: dovecot.lmtp(),
        main: "",
    };
    let postfix = Postfix::start(&root, &office.hotmail, &settings).unwrap();
    let client = Client::new(&root, &office.stranger).unwrap();
    let message = Message {
        server: SocketAddr::new(office.hotmail.address, 25),
        from: "someone@elsewhere.test",
        to: &["fred@hotmail.test"],
        text: "Subject: hello\n\nfirst line\n.dotted\n",
    };
    let sent = client.swaks(message, &[]).unwrap().succeeded();
    assert!(sent.is_ok(), "{sent:?} {}", postfix.log());
    let account = Account {
        server: SocketAddr::new(office.hotmail.address, 110),
        user: "fred",
        password: "secret",
    };
    let stored = testkit::wait::until("mail", testkit::wait::PATIENCE, || {
        dovecot.messages("fred").pop()
    });
    assert!(stored.unwrap().contains("\n.dotted\n"), "{}", postfix.log());
    let got = client.poplib(account).unwrap().succeeded().unwrap();
    assert!(got.output.contains("collected 1"), "{}", got.output);
    drop(dns);
}

#[test]
fn scripted_peer_answers_inside_a_namespace() {
    let root = DebianRoot::find().unwrap();
    let office = Office::build(Place::TwoCards).unwrap();
    let address = SocketAddr::new(office.hotmail.address, 25);
    let listener = office
        .hotmail
        .namespace
        .enter(|| std::net::TcpListener::bind(address))
        .unwrap()
        .unwrap();
    let act = Act::Reply("450 4.2.1 later".to_owned());
    let peer = ScriptedSmtp::on(listener)
        .unwrap()
        .always(Stage::Recipient, "busy@", act);
    let client = Client::new(&root, &office.stranger).unwrap();
    let message = Message {
        server: address,
        from: "someone@elsewhere.test",
        to: &["busy@hotmail.test", "fred@hotmail.test"],
        text: "Subject: hello\n\nbody\n",
    };
    let sent = client.swaks(message, &[]).unwrap().succeeded().unwrap();
    assert!(sent.output.contains("450 4.2.1"), "{}", sent.output);
    let got = peer.wait_for_messages(1).unwrap();
    assert_eq!(got[0].recipients, ["<fred@hotmail.test>"]);
}
