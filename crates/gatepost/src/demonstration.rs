//! `gatepost demo`: a real gateway on free ports and throwaway data, a pretend Internet beside it.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use contracts::SystemClock;
use demo::{OfficeInBox, PretendInternet, THINGS_TO_TRY, Zone};
use mail::{Address, Domain};
use operate::{Answer, Office, Operator, Request, SetUpOwnServer};
use policy::UserName;
use policy::facts::ServiceName;

use crate::gateway::Gateway;
use crate::privilege::Privilege;
use crate::serve;
use crate::supervisor::Ports;

/// Runs the demonstration; with `once` it ends after the round trip.
pub(crate) fn run(data: Option<&Path>, once: bool) -> anyhow::Result<()> {
    let folder = Folder::choose(data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(demonstrate(&folder.path, once))
}

/// The data folder; thrown away at the end unless a person named it.
struct Folder {
    path: PathBuf,
    throw_away: bool,
}

impl Folder {
    fn choose(data: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(path) = data {
            return Ok(Self {
                path: std::path::absolute(path)?,
                throw_away: false,
            });
        }
        let name = format!("gatepost-demo-{}-{}", std::process::id(), random_word()?);
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(Self {
            path,
            throw_away: true,
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.throw_away {
            // What can not be removed lies in the folder for temporary files, which is swept.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}

fn random_word() -> anyhow::Result<String> {
    let mut octets = [0; 8];
    getrandom::fill(&mut octets).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(format!("{:016x}", u64::from_be_bytes(octets)))
}

async fn demonstrate(folder: &Path, once: bool) -> anyhow::Result<()> {
    let internet = PretendInternet::start(Zone::pretend_internet())
        .await
        .context("the pretend Internet found no free port on 127.0.0.2")?;
    let clock = Arc::new(SystemClock);
    let privilege = Arc::new(Privilege::none());
    let gateway = Gateway::start(folder, Ports::Loopback { first: 0 }, privilege, clock).await?;
    let passwords = furnish(&gateway.office, &internet).await?;
    gateway.supervisor.settled().await;
    let smtp = first(&gateway, ServiceName::Smtp)?;
    let pop3 = first(&gateway, ServiceName::Pop3)?;
    internet.point_to_gateway(smtp);

    let office = Arc::clone(&gateway.office);
    let ask = |request| -> demo::Asked<'_> {
        let office = Arc::clone(&office);
        Box::pin(async move { office.operate(&operator(), request).await })
    };
    let in_box = OfficeInBox {
        smtp,
        pop3,
        password: passwords.bob.clone(),
        ask: &ask,
    };
    let told = demo::round_trip(&in_box, &mut std::io::stdout()).await;
    if told.is_ok() && !once {
        invite(&gateway, folder, &passwords)?;
        serve::until_asked_to_stop().await?;
    }
    gateway.shut_down().await;
    told.context("the round trip failed")
}

fn first(gateway: &Gateway, service: ServiceName) -> anyhow::Result<SocketAddr> {
    match gateway.supervisor.addresses(service).first() {
        Some(address) => Ok(*address),
        None => bail!("{service} does not run"),
    }
}

fn operator() -> Operator {
    Operator {
        name: "demo".to_owned(),
    }
}

struct Passwords {
    bob: String,
    alice: String,
}

/// Sets the office up as a person would, through the same requests.
async fn furnish(office: &Office, internet: &PretendInternet) -> anyhow::Result<Passwords> {
    let passwords = Passwords {
        bob: random_word()?,
        alice: random_word()?,
    };
    let alice: UserName = "alice".parse()?;
    let machine = format!(
        "[machine]\nhost_name = \"mail.office.test\"\ndns_servers = [\"{}\"]\n\
         [delivery]\nmx_port = {}\n",
        internet.dns,
        internet.smtp.port()
    );
    let requests = [
        Request::SettingsApply {
            toml: machine,
            why: "the pretend Internet".to_owned(),
            expected_revision: None,
            dry_run: false,
        },
        Request::SetUpOwnServer(SetUpOwnServer {
            domain: Domain::parse("office.test")?,
            user: "bob".parse()?,
            password: Some(passwords.bob.clone()),
            host_name: None,
            open_to_internet: true,
        }),
        Request::UserAdd {
            name: alice.clone(),
            full_name: String::new(),
            password: passwords.alice.clone(),
        },
        Request::AddressAdd {
            address: Address::parse("alice@office.test")?,
            users: vec![alice],
        },
    ];
    for request in requests {
        let _: Answer = office.operate(&operator(), request).await?;
    }
    Ok(passwords)
}

fn invite(gateway: &Gateway, folder: &Path, passwords: &Passwords) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nThe office stays open. Point a mail program at it:")?;
    writeln!(out, "   bob    password {}", passwords.bob)?;
    writeln!(out, "   alice  password {}", passwords.alice)?;
    for service in ServiceName::ALL {
        for address in gateway.supervisor.addresses(service) {
            writeln!(out, "   {:<26} {address}", service.label())?;
        }
    }
    writeln!(out, "Write to:")?;
    for (address, what) in THINGS_TO_TRY {
        writeln!(out, "   {address:<24} {what}")?;
    }
    writeln!(out, "Ask it: gatepost --data {} status", folder.display())?;
    writeln!(out, "Ctrl-C ends it.")?;
    Ok(())
}
