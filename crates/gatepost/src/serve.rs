//! `gatepost serve`: privilege first, then a gateway until it is asked to stop.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use contracts::SystemClock;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::boot::Boot;
use crate::gateway::Gateway;
use crate::privilege::{self, Privilege};
use crate::supervisor::Ports;

/// Runs until SIGTERM or Ctrl-C; SIGHUP reads certificates and the boot file anew.
pub(crate) fn serve(boot: &Boot, file: Option<&Path>, ports: Ports) -> anyhow::Result<()> {
    // Before any thread exists: the helper keeps the privilege, this process gives it up.
    let privilege = if privilege::is_root() {
        let account = privilege::owner_for(&boot.data)?;
        let privilege = Privilege::start_helper()?;
        privilege::drop_to(account)?;
        privilege
    } else {
        Privilege::none()
    };
    start_log();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let served = runtime.block_on(async {
        let clock = Arc::new(SystemClock);
        let gateway = Gateway::start(&boot.data, ports, Arc::new(privilege), clock).await?;
        gateway.supervisor.settled().await;
        tracing::info!(node = boot.node, data = %boot.data.display(), "gatepost is ready");
        until_stopped(&gateway, boot, file).await?;
        tracing::info!("gatepost is stopping");
        gateway.shut_down().await;
        anyhow::Ok(())
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    served
}

fn start_log() {
    let filter = EnvFilter::builder()
        .with_default_directive(tracing::Level::INFO.into())
        .with_env_var("GATEPOST_LOG")
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A log file or the journal wants no colours.
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
}

async fn until_stopped(gateway: &Gateway, boot: &Boot, file: Option<&Path>) -> anyhow::Result<()> {
    let mut hang_up = signal(SignalKind::hangup())?;
    let stop = until_asked_to_stop();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            stopped = &mut stop => return stopped,
            _ = hang_up.recv() => {
                gateway.reload();
                reread(boot, file);
            }
        }
    }
}

/// The boot file holds nothing that can change under a running gateway; say so when it did.
fn reread(boot: &Boot, file: Option<&Path>) {
    match (file, Boot::find(None, file)) {
        (None, _) if !Path::new(crate::boot::DEFAULT_FILE).exists() => {}
        (_, Ok(fresh)) if fresh.data != boot.data => tracing::warn!(
            now = %boot.data.display(), wanted = %fresh.data.display(),
            "the boot file names another data folder; it takes effect at the next start"
        ),
        (_, Ok(_)) => {}
        (_, Err(error)) => tracing::error!("{error:#}; the gateway runs on as before"),
    }
}

/// Returns at SIGTERM or Ctrl-C.
pub(crate) async fn until_asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
