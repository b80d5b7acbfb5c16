//! The settings and users in force now.
//!
//! Promises: a reader gets one consistent snapshot without waiting; sessions keep the one they
//! began with; whoever watches hears of every change.

use std::sync::Arc;

use arc_swap::ArcSwap;
use policy::facts::Directory;
use policy::settings::Settings;
use tokio::sync::watch;

/// One snapshot.
#[derive(Clone, Debug)]
pub struct Current {
    /// Number of the settings revision; 0 before the first was saved.
    pub revision: u64,
    /// The settings.
    pub settings: Arc<Settings>,
    /// The users.
    pub directory: Arc<Directory>,
}

/// Holds the snapshot in force.
#[derive(Debug)]
pub struct Live {
    current: ArcSwap<Current>,
    changes: watch::Sender<u64>,
}

impl Live {
    /// Begins with `current`.
    pub fn new(current: Current) -> Arc<Self> {
        let (changes, _) = watch::channel(0);
        Arc::new(Self {
            current: ArcSwap::from_pointee(current),
            changes,
        })
    }

    /// The snapshot in force.
    pub fn current(&self) -> Arc<Current> {
        self.current.load_full()
    }

    /// Puts another snapshot in force and tells everybody who watches.
    pub fn replace(&self, current: Current) {
        self.current.store(Arc::new(current));
        self.changes.send_modify(|count| *count += 1);
    }

    /// A receiver that sees a new number after each change.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
