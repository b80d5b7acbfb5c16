//! An office whose services listen on loopback.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use contracts::SystemClock;
use policy::facts::ServiceName;
use policy::settings::Settings;
use server::{ServerLimits, Service};

use crate::client::Client;
use crate::premises::{Choices, Premises, office_settings, patient_limits};

pub(crate) struct Office {
    pub(crate) premises: Premises,
}

impl Office {
    /// Port 25 is open to the Internet, all else is not.
    pub(crate) async fn open() -> Self {
        Self::with(office_settings(true), patient_limits()).await
    }

    pub(crate) async fn with(settings: Settings, limits: ServerLimits) -> Self {
        let premises = Premises::build(Choices {
            settings,
            limits,
            clock: Arc::new(SystemClock),
        })
        .await;
        Self { premises }
    }

    pub(crate) fn start(&self, name: ServiceName) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Service::start(name, vec![listener], Arc::clone(&self.premises.shared)).unwrap()
    }

    pub(crate) fn authority(&self) -> Vec<u8> {
        std::fs::read(self.premises.folder.path().join("tls/authority.pem")).unwrap()
    }

    /// A client that begins with TLS.
    pub(crate) async fn secure_client(&self, last: u8, to: SocketAddr) -> Client {
        let client = Client::from(last, to).await;
        client.secured(&self.authority(), &[]).await.unwrap()
    }
}

pub(crate) fn address(service: &Service) -> SocketAddr {
    *service.addresses().first().unwrap()
}
