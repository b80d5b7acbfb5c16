//! How everything is, and what needs a person.

use std::time::Duration;

use contracts::store::{QueueFilter, QueueState};
use contracts::{CertificateReport, ServiceReport, ServiceState};

use crate::{Answer, Office, OperateError, QueueReport, StatusReport};

/// A certificate that ends sooner than this needs a person.
const CERTIFICATE_ENDS_SOON: Duration = Duration::from_hours(14 * 24);

impl Office {
    pub(crate) async fn status(&self) -> Result<Answer, OperateError> {
        let current = self.current();
        let services = self.parts.services.list();
        let certificate = self.parts.certificates.report();
        let mut attention = self.attention(&services, certificate.as_ref());
        if current.settings.domains.list.is_empty() {
            attention.push(
                "no domain is set up yet: gatepost setup own-server DOMAIN --user NAME".to_owned(),
            );
        } else if !current.settings.services.smtp_open_to_internet {
            attention.push(
                "mail from the Internet is not accepted: SMTP is not open to the Internet \
                 (services.smtp_open_to_internet)"
                    .to_owned(),
            );
        }
        let disk_free_bytes = self.parts.store.disk_free_bytes().ok();
        let least = current.settings.receiving.disk_free_bytes_min;
        if disk_free_bytes.is_some_and(|free| free < least) {
            attention.push("the disk is nearly full: no mail is taken in".to_owned());
        }
        Ok(Answer::Status(Box::new(StatusReport {
            version: self.parts.version.to_owned(),
            started_at: self.parts.started_at,
            host_name: current.settings.machine.host_name.clone(),
            revision: current.revision,
            services,
            queue: self.queue_report().await?,
            disk_free_bytes,
            certificate,
            attention,
        })))
    }

    async fn queue_report(&self) -> Result<QueueReport, OperateError> {
        let mut report = QueueReport::default();
        for entry in self.parts.store.list_queue(&QueueFilter::default()).await? {
            match entry.state {
                QueueState::Waiting => report.waiting += 1,
                QueueState::Leased => report.leased += 1,
                QueueState::Held => report.held += 1,
            }
        }
        Ok(report)
    }

    fn attention(
        &self,
        services: &[ServiceReport],
        certificate: Option<&CertificateReport>,
    ) -> Vec<String> {
        let mut attention = Vec::new();
        for service in services {
            match &service.state {
                ServiceState::Failed { why, .. } => {
                    attention.push(format!("{} does not run: {why}", service.name));
                }
                ServiceState::Stopped => attention.push(format!(
                    "{0} was stopped: gatepost service start {0}",
                    service.name
                )),
                ServiceState::Starting | ServiceState::Running | ServiceState::Draining => {}
            }
        }
        if let Some(certificate) = certificate {
            if let Some(error) = &certificate.reload_error {
                attention.push(format!("the certificate could not be reloaded: {error}"));
            }
            if certificate.not_after.since(self.parts.clock.now()) < CERTIFICATE_ENDS_SOON {
                attention.push(format!("the certificate ends at {}", certificate.not_after));
            }
        }
        attention
    }
}
