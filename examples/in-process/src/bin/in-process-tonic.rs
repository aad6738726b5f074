//! A gRPC service whose first calls come before its database does. Its one service is gRPC's own health check,
//! which says SERVING to whoever gets through.
//!
//! `cargo run -p in-process --bin in-process-tonic`

use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use vestibule::startup::Phase;
use vestibule::{Door, StartupError};

#[tokio::main]
async fn main() -> Result<(), StartupError> {
    let listener = TcpListener::bind(in_process::address()?).await?;
    in_process::announce(listener.local_addr()?)?;
    let (_reporter, health) = tonic_health::server::health_reporter();
    // The door begins here.
    let door = Door::start(async |startup| {
        startup.enter(Phase::DATABASE)?;
        in_process::connect_to_database().await?;
        Ok(())
    });
    let server = Server::builder().layer(door.layer().everything()).add_service(health);
    server.serve_with_incoming(TcpIncoming::from(listener)).await?;
    // The door ends here.
    Ok(())
}
