//! How far the upstream's evidence and the checks have come together, for whoever supervises.
//!
//! Owns the word and the waiting for it. Must never judge either of the two.

use tokio::sync::watch;

/// How far they have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The upstream is to be found.
    Sought,
    /// It was found; checks are missing.
    Found,
    /// Ready.
    Ready,
    /// The service itself said that its start failed.
    Broken,
    /// We are leaving.
    Leaving,
}

/// Where it is told.
#[derive(Debug)]
pub(super) struct Stages(watch::Sender<Stage>);

impl Default for Stages {
    fn default() -> Self {
        Self(watch::Sender::new(Stage::Sought))
    }
}

impl Stages {
    pub(super) fn tell(&self, stage: Stage) {
        self.0.send_if_modified(|known| std::mem::replace(known, stage) != stage);
    }

    pub(super) fn now(&self) -> Stage {
        *self.0.borrow()
    }

    /// Resolves with the first stage, from now on, that is another one than `past`.
    pub(super) async fn beyond(&self, past: Stage) -> Stage {
        let mut seen = self.0.subscribe();
        let stage = seen.wait_for(|stage| *stage != past).await.map(|stage| *stage);
        // It ends with us.
        stage.unwrap_or(past)
    }
}
