//! Set-up by scenario. Scenario 1 is here; its brothers come with their issues.

use mail::Domain;
use policy::settings::Settings;

use crate::{Answer, Office, OperateError, Operator, SetUpOwnServer};

impl Office {
    pub(crate) async fn set_up_own_server(
        &self,
        by: &Operator,
        answers: SetUpOwnServer,
    ) -> Result<Answer, OperateError> {
        let SetUpOwnServer {
            domain,
            user,
            password,
            host_name,
            open_to_internet,
        } = answers;
        let host_name = match host_name {
            Some(name) => name,
            None => {
                Domain::parse(&format!("mail.{domain}")).map_err(|error| OperateError::Refused {
                    why: error.to_string(),
                    remedy: "give --host-name".to_owned(),
                })?
            }
        };
        let change = |settings: &mut Settings| {
            settings.machine.host_name = host_name.clone();
            *settings = policy::scenario::own_server(settings, &domain, &user, open_to_internet);
        };
        // Settings that cannot be saved must not leave a user behind.
        self.rehearse(change)?;
        let exists = self.parts.store.user(&user).await?.is_some();
        match (exists, password) {
            (false, Some(password)) => {
                self.add_user(by, user.clone(), String::new(), &password)
                    .await?;
            }
            (false, None) => {
                return Err(OperateError::Refused {
                    why: format!("user {user} does not exist yet"),
                    remedy: "give a password".to_owned(),
                });
            }
            (true, Some(_)) => {
                return Err(OperateError::Refused {
                    why: format!("user {user} exists already and keeps the password"),
                    remedy: "leave the password out, or use: gatepost user password".to_owned(),
                });
            }
            (true, None) => {}
        }
        let what = format!("set up as own server for {domain}");
        self.edit(by, what, |settings| {
            change(settings);
            Ok(())
        })
        .await
    }
}
