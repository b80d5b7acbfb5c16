//! Services: list, start, stop.

use policy::facts::ServiceName;

use crate::users::done;
use crate::{Answer, Office, OperateError, Operator};

impl Office {
    pub(crate) fn services(&self) -> Answer {
        Answer::Services {
            services: self.parts.services.list(),
        }
    }

    pub(crate) async fn start_service(
        &self,
        by: &Operator,
        service: ServiceName,
    ) -> Result<Answer, OperateError> {
        let what = format!("service {service} started");
        // Remembered first: a restart in between must not undo what was asked.
        let audit = self.audit(by, what.clone());
        self.parts
            .store
            .set_service_stopped(service, false, audit)
            .await?;
        self.parts.services.start(service).await?;
        done(what)
    }

    pub(crate) async fn stop_service(
        &self,
        by: &Operator,
        service: ServiceName,
    ) -> Result<Answer, OperateError> {
        let what = format!("service {service} stopped");
        let audit = self.audit(by, what.clone());
        self.parts
            .store
            .set_service_stopped(service, true, audit)
            .await?;
        self.parts.services.stop(service).await?;
        done(what)
    }
}
