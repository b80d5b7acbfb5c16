//! The pretend Internet: names, an SMTP server, and Fred, who answers his mail.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use mail::{Address, ReversePath};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinHandle;

use crate::behaviour::{Behaviour, behaviour_of};
use crate::dialog::SmtpDialog;
use crate::smtp_peer::{self, Taken};
use crate::{Zone, dns_server};

/// Where it lives: loopback, but a stranger to the gateway.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const HOST_NAME: &str = "mx.hotmail.test";

/// A pretend Internet that runs until dropped.
pub struct PretendInternet {
    /// Its DNS server.
    pub dns: SocketAddr,
    /// Its SMTP server.
    pub smtp: SocketAddr,
    gateway: Arc<Mutex<Option<SocketAddr>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl PretendInternet {
    /// Starts it on free ports of 127.0.0.2.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(zone: Zone) -> io::Result<Self> {
        let dns = UdpSocket::bind((HERE, 0)).await?;
        let listener = TcpListener::bind((HERE, 0)).await?;
        let (dns_address, smtp) = (dns.local_addr()?, listener.local_addr()?);
        let gateway = Arc::new(Mutex::new(None));
        let tasks = vec![
            tokio::spawn(dns_server::serve(dns, Arc::new(zone))),
            tokio::spawn(accept(listener, Arc::clone(&gateway))),
        ];
        Ok(Self {
            dns: dns_address,
            smtp,
            gateway,
            tasks,
        })
    }

    /// Tells where mail for the office goes.
    pub fn point_to_gateway(&self, smtp: SocketAddr) {
        *self.gateway.lock().unwrap_or_else(PoisonError::into_inner) = Some(smtp);
    }
}

impl Drop for PretendInternet {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn accept(listener: TcpListener, gateway: Arc<Mutex<Option<SocketAddr>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move {
            let taken = move |message: Taken| {
                let gateway = *gateway.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(gateway) = gateway {
                    tokio::spawn(answer_mail(message, gateway));
                }
            };
            // A peer that leaves early is none of our business, as on the real one.
            drop(smtp_peer::serve(stream, HOST_NAME, &taken).await);
        });
    }
}

/// Writes back for every recipient who answers mail.
async fn answer_mail(message: Taken, gateway: SocketAddr) {
    let ReversePath::Address(writer) = &message.reverse_path else {
        return;
    };
    for recipient in message.recipients.iter().filter_map(|path| path.address()) {
        if behaviour_of(&recipient.local.folded()) == Behaviour::Answers {
            drop(answer_one(&message, writer, recipient, gateway).await);
        }
    }
}

async fn answer_one(
    message: &Taken,
    writer: &Address,
    recipient: &Address,
    gateway: SocketAddr,
) -> Result<String, crate::DialogError> {
    let text = String::from_utf8_lossy(&message.content);
    let subject = text
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| line.strip_prefix("Subject: "))
        .unwrap_or("your letter");
    let content = format!(
        "From: {recipient}\r\nTo: {writer}\r\nSubject: Re: {subject}\r\n\r\n\
         Thank you, it came through.\r\nYours, {}\r\n",
        recipient.local
    );
    let mut dialog = SmtpDialog::connect(gateway, HERE, HOST_NAME).await?;
    dialog
        .send(&recipient.to_string(), &writer.to_string(), &content)
        .await
}
