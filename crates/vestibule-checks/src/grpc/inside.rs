//! Tasks that live inside a future.
//!
//! Owns what hyper gives to an executor: it is polled along with the work that needs it, and dropped with it. So
//! a try leaves no task behind, whatever its peer does. Must never spawn.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use hyper::rt::Executor;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What was given and not polled yet.
type Given = Mutex<Vec<Task>>;

/// The tasks of one connection.
#[derive(Default)]
pub(super) struct Inside {
    given: Arc<Given>,
    running: Vec<Task>,
}

/// Where tasks are given. It does not keep them: a task holds one of these itself.
#[derive(Clone)]
pub(super) struct Giver(Weak<Given>);

impl Inside {
    pub(super) fn giver(&self) -> Giver {
        Giver(Arc::downgrade(&self.given))
    }

    /// Work, with the tasks polled along.
    pub(super) async fn along<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(output),
            Poll::Pending => {
                self.poll(context);
                Poll::Pending
            }
        })
        .await
    }

    /// Polls each once; a task that is given meanwhile has its turn at once.
    fn poll(&mut self, context: &mut Context<'_>) {
        self.running.retain_mut(|task| task.as_mut().poll(context).is_pending());
        loop {
            let given =
                std::mem::take(&mut *self.given.lock().unwrap_or_else(PoisonError::into_inner));
            if given.is_empty() {
                return;
            }
            for mut task in given {
                if task.as_mut().poll(context).is_pending() {
                    self.running.push(task);
                }
            }
        }
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Giver {
    fn execute(&self, task: F) {
        if let Some(given) = self.0.upgrade() {
            given.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(task));
        }
    }
}

#[cfg(test)]
mod tests {
    //! Breaks it with tasks that hold their giver, give others, and never end.

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn tasks_run_along_and_end_with_their_owner() {
        let mut inside = Inside::default();
        let giver = inside.giver();
        let (done, is_done) = oneshot::channel();
        let (never, is_dropped) = oneshot::channel::<()>();
        let inner = giver.clone();
        giver.execute(async move {
            inner.clone().execute(async move {
                let _held = (inner, never);
                let _ = done.send(());
                std::future::pending::<()>().await;
            });
        });
        inside.along(is_done).await.unwrap();
        drop(inside);
        assert!(is_dropped.await.is_err());
        giver.execute(async {});
        assert!(giver.0.upgrade().is_none());
    }
}
