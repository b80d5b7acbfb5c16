//! How everything is, and the services.

use std::io;

use contracts::{CertificateReport, ServiceReport, ServiceState};
use operate::StatusReport;

use super::office::list;
use super::page::{Page, size};
use super::table::Table;
use super::time::{day, distance, with_distance};

pub(super) fn report(page: &mut Page<'_>, report: &StatusReport) -> io::Result<()> {
    match report.attention.len() {
        0 => page.line("All is well.")?,
        1 => page.line("One thing needs you:")?,
        more => page.line(format!("{more} things need you:"))?,
    }
    for sentence in &report.attention {
        page.line(format!("  - {sentence}"))?;
    }
    page.gap()?;
    page.field("gateway", report.host_name.to_unicode())?;
    page.field("version", &report.version)?;
    page.field(
        "running",
        match report.started_at {
            Some(at) => format!("since {}", with_distance(at, page.now)),
            None => "no".to_owned(),
        },
    )?;
    page.field(
        "settings",
        match report.revision {
            0 => "defaults, none saved yet".to_owned(),
            number => format!("revision {number}"),
        },
    )?;
    let queue = &report.queue;
    page.field(
        "queue",
        format!(
            "{} waiting, {} under way, {} held",
            queue.waiting, queue.leased, queue.held
        ),
    )?;
    if let Some(bytes) = report.disk_free_bytes {
        page.field("free disk", size(bytes))?;
    }
    if let Some(report) = &report.certificate {
        certificate(page, report)?;
    }
    page.gap()?;
    services(page, &report.services)
}

fn certificate(page: &mut Page<'_>, report: &CertificateReport) -> io::Result<()> {
    let maker = if report.local_authority {
        ", made by this gateway's own authority"
    } else {
        ""
    };
    let ends = day(report.not_after);
    let distance = distance(report.not_after, page.now);
    page.field("certificate", format!("ends {ends}, {distance}{maker}"))?;
    page.field("", format!("for {}", list(&report.names)))?;
    page.field("", format!("SHA-256 {}", report.fingerprint))
}

pub(super) fn services(page: &mut Page<'_>, services: &[ServiceReport]) -> io::Result<()> {
    let mut table = Table::new(&["SERVICE", "STATE", ">SESSIONS", "AT", "NOTE"]);
    for service in services {
        let (state, note) = match &service.state {
            ServiceState::Stopped => ("stopped", None),
            ServiceState::Starting => ("starting", None),
            ServiceState::Running => ("running", None),
            ServiceState::Draining => ("draining", None),
            ServiceState::Failed { why, retry_at } => {
                let again = distance(*retry_at, page.now);
                ("failed", Some(format!("{why}; tried again {again}")))
            }
        };
        let earlier = || service.last_error.as_ref().map(|e| format!("earlier: {e}"));
        table.row([
            service.name.to_string(),
            state.to_owned(),
            service.sessions.to_string(),
            list(&service.addresses),
            note.or_else(earlier).unwrap_or_default(),
        ]);
    }
    page.table(&table, "No service.")
}
