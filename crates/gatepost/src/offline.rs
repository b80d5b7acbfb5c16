//! Commands when no gateway runs: `setup` opens the folder itself, under the same lock.

use std::path::Path;
use std::sync::Arc;

use contracts::{
    CertificateReport, Certificates, Clock, ServiceReport, Services, ServicesError, SystemClock,
};
use operate::control::AskError;
use operate::{Answer, OperateError, Operator, Request};
use policy::facts::ServiceName;

use crate::gateway::Rooms;
use crate::services::Wake;

/// Asks the gateway that runs for `folder`; where none runs and the office is being set up,
/// carries the request out here. `operator` is who began, whatever rights were given up since.
pub(crate) fn ask(
    folder: &Path,
    setting_up: bool,
    operator: &Operator,
    request: &Request,
) -> Result<Result<Answer, OperateError>, AskError> {
    match operate::control::ask(folder, request) {
        Err(AskError::NotRunning { .. }) if setting_up => {
            carry_out(folder, operator, request.clone()).map_err(|error| AskError::Broken {
                failure: format!("{error:#}"),
            })
        }
        asked => asked,
    }
}

fn carry_out(
    folder: &Path,
    operator: &Operator,
    request: Request,
) -> anyhow::Result<Result<Answer, OperateError>> {
    if crate::privilege::is_root() {
        let account = crate::privilege::owner_for(folder)?;
        crate::privilege::drop_to(account)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let rooms = Rooms::open(folder, clock, Arc::new(Wake::default())).await?;
        let office = rooms.office(Arc::new(NotRunning), Arc::new(NotRunning), None);
        let answer = office.operate(operator, request).await;
        rooms.close().await;
        Ok(answer)
    })
}

/// The services of a gateway that does not run.
struct NotRunning;

#[async_trait::async_trait]
impl Services for NotRunning {
    fn list(&self) -> Vec<ServiceReport> {
        Vec::new()
    }

    async fn start(&self, _service: ServiceName) -> Result<(), ServicesError> {
        Ok(())
    }

    async fn stop(&self, _service: ServiceName) -> Result<(), ServicesError> {
        Ok(())
    }
}

impl Certificates for NotRunning {
    fn report(&self) -> Option<CertificateReport> {
        None
    }
}
