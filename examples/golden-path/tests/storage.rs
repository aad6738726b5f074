//! What must outlive an instance, on SQLite and on PostgreSQL: one set of promises for both.
//!
//! Breaks them by saying things twice, by asking with another user's ids by crowds on two stores of one database, by
//! random walks beside a model, and by a database that is killed, hangs, or loses an answer. The tests share one real
//! PostgreSQL, each with a database of its own; who breaks a server has one for itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests say what they expect by unwrapping; the servers are those of other tests, too"
)]

/// Each of these promises as a test on either database.
macro_rules! on_both {
    ($($promise:ident,)*) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    super::$promise(&crate::ground::Ground::sqlite()).await;
                }
            )*
        }
        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    super::$promise(&crate::ground::Ground::postgres().await).await;
                }
            )*
        }
    };
}

/// Says it again as long as the database does not answer, as callers do.
macro_rules! persist {
    ($say:expr) => {{
        let mut tries = 1;
        loop {
            match $say {
                Err(golden_path::store::StoreError::Unavailable(_))
                    if tries < crate::ground::TRIES =>
                {
                    tries += 1;
                }
                answer => break answer.unwrap(),
            }
        }
    }};
}

#[path = "storage/accounts.rs"]
mod accounts;
#[path = "storage/crowd.rs"]
mod crowd;
#[path = "../../../crates/vestibule-checks/tests/servers/daemon.rs"]
mod daemon;
#[path = "storage/ground.rs"]
mod ground;
#[path = "storage/messages.rs"]
mod messages;
#[path = "storage/model.rs"]
mod model;
#[path = "storage/outages.rs"]
mod outages;
#[path = "../../../crates/vestibule-checks/tests/servers/postgres_server.rs"]
mod postgres_server;
#[path = "../../../crates/vestibule-checks/tests/servers/relay.rs"]
mod relay;
#[path = "storage/runs.rs"]
mod runs;
