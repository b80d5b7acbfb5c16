//! Queue, history, explanations and audit.

use contracts::store::{AuditEntry, HistoryQuery, QueueAction, QueueFilter};
use mail::TransactionId;

use crate::{Answer, Office, OperateError, Operator};

impl Office {
    pub(crate) async fn list_queue(&self, filter: &QueueFilter) -> Result<Answer, OperateError> {
        Ok(Answer::Queue {
            entries: self.parts.store.list_queue(filter).await?,
        })
    }

    pub(crate) async fn change_queue(
        &self,
        by: &Operator,
        filter: &QueueFilter,
        action: QueueAction,
    ) -> Result<Answer, OperateError> {
        let now = self.parts.clock.now();
        let count = self
            .parts
            .store
            .change_queue(filter, action, &by.name, now)
            .await?;
        if let (0, Some(id)) = (count, filter.id) {
            return Err(OperateError::NotFound {
                what: format!("message {id} in the queue, in a state for this"),
            });
        }
        if matches!(action, QueueAction::Retry | QueueAction::Release) {
            (self.parts.wake_delivery)();
        }
        Ok(Answer::QueueChanged { count })
    }

    pub(crate) async fn search_history(
        &self,
        query: &HistoryQuery,
    ) -> Result<Answer, OperateError> {
        // Refusals are written in batches: what happened a moment ago must be found too.
        self.parts.intake.flush().await;
        Ok(Answer::History {
            heads: self.parts.store.search_history(query).await?,
        })
    }

    pub(crate) async fn show_story(&self, id: TransactionId) -> Result<Answer, OperateError> {
        self.parts.intake.flush().await;
        Ok(Answer::Story {
            story: Box::new(self.parts.store.story(id).await?),
        })
    }

    pub(crate) async fn explain(
        &self,
        question: &intake::Question,
    ) -> Result<Answer, OperateError> {
        let explanation = self.parts.intake.explain(question).await;
        Ok(Answer::Explanation {
            explanation: Box::new(explanation),
        })
    }

    pub(crate) async fn list_audit(&self, limit: usize) -> Result<Answer, OperateError> {
        let limit = limit.clamp(1, 10_000);
        let mut entries = self.parts.store.audit(limit).await?;
        // Settings have a history of their own; here everything stands together.
        let revisions = self.parts.store.revisions().await?;
        entries.extend(revisions.into_iter().map(|revision| AuditEntry {
            at: revision.at,
            operator: revision.operator,
            action: match revision.why.as_str() {
                "" => format!("settings revision {}", revision.number),
                why => format!("settings revision {}: {why}", revision.number),
            },
        }));
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
        entries.truncate(limit);
        Ok(Answer::Audit { entries })
    }
}
