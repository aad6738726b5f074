//! Ready means ready, with the real binary before real dependencies: PostgreSQL, Redis, nats-server, gRPC.
//!
//! Breaks what clients are promised by dependencies that come late, never, go, and come back; counts at the
//! dependencies who asks while thousands wait. Each play has servers of its own and leaves nothing behind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "tests say what they expect by unwrapping; the stage and the servers are those of other plays, too"
)]

#[path = "e2e/client.rs"]
mod client;
#[path = "dependencies/counted.rs"]
mod counted;
#[path = "../../vestibule-checks/tests/servers/daemon.rs"]
mod daemon;
#[path = "dependencies/desk.rs"]
mod desk;
#[path = "e2e/door.rs"]
mod door;
#[path = "e2e/echo.rs"]
mod echo;
#[path = "dependencies/flight.rs"]
mod flight;
#[path = "../../vestibule-checks/tests/servers/grpc_server.rs"]
mod grpc_server;
#[path = "../../vestibule-checks/tests/servers/nats_server.rs"]
mod nats_server;
#[path = "../../vestibule-checks/tests/servers/postgres_server.rs"]
mod postgres_server;
#[path = "../../vestibule-checks/tests/servers/redis_server.rs"]
mod redis_server;
#[path = "dependencies/resident.rs"]
mod resident;
#[path = "dependencies/server.rs"]
mod server;
#[path = "e2e/stage.rs"]
mod stage;
#[path = "dependencies/view.rs"]
mod view;
