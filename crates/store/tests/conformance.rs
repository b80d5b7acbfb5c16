//! The Store contract's conformance suite on `SQLite`, and again with restarts by force.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::sync::Arc;

use contracts::Store;
use contracts::conformance::Subject;
use store::sqlite::{Options, SqliteStore};
use tempfile::TempDir;

struct OnDisk {
    folder: TempDir,
    options: Options,
    store: Option<Arc<SqliteStore>>,
}

impl OnDisk {
    fn new(change: impl FnOnce(&mut Options)) -> Self {
        let folder = TempDir::new().unwrap();
        let mut options = Options::new(folder.path().join("data"));
        change(&mut options);
        let store = SqliteStore::open(options.clone()).unwrap();
        Self {
            folder,
            options,
            store: Some(store),
        }
    }
}

#[async_trait::async_trait]
impl Subject for OnDisk {
    fn store(&self) -> Arc<dyn Store> {
        assert!(self.folder.path().exists());
        self.store.clone().unwrap()
    }

    async fn restart(&mut self) {
        self.store.take().unwrap().close().await;
        self.store = Some(SqliteStore::open(self.options.clone()).unwrap());
    }
}

mod usual {
    use super::OnDisk;

    #[expect(clippy::unused_async, reason = "what the suite asks for")]
    async fn fresh() -> OnDisk {
        OnDisk::new(|_| {})
    }

    contracts::store_conformance!(fresh);
}

/// No memory for bodies at all: every one of them becomes a file.
mod short_of_memory {
    use super::OnDisk;

    #[expect(clippy::unused_async, reason = "what the suite asks for")]
    async fn fresh() -> OnDisk {
        OnDisk::new(|options| options.body_memory_bytes = 0)
    }

    contracts::store_conformance!(fresh);
}
