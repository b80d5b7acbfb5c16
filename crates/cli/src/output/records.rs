//! DNS records: what should be there, and what is.

use std::io;

use operate::RecordReport;
use policy::RecordState;

use super::page::Page;
use super::table::Table;

pub(super) fn list(page: &mut Page<'_>, records: &[RecordReport]) -> io::Result<()> {
    let mut table = Table::new(&["NAME", "TYPE", "VALUE", "STATE"]);
    for RecordReport { wanted, state } in records {
        let state = match state {
            RecordState::Right => "there".to_owned(),
            RecordState::Missing => format!("missing: {}", wanted.why),
            RecordState::Different { found } => format!("other value: {}", found.join(", ")),
            RecordState::NotLearnt { failure } => format!("not learnt: {failure}"),
        };
        table.row([
            wanted.name.clone(),
            wanted.kind.to_string(),
            wanted.value.clone(),
            state,
        ]);
    }
    page.table(
        &table,
        "No domain yet. Make the first one: gatepost setup own-server DOMAIN --user NAME",
    )
}
