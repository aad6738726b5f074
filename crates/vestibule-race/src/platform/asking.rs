//! One attempt of a startup probe, on a real socket.
//!
//! Owns its bound in time. Must never judge: the model does.

use std::net::SocketAddr;

use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{
    CONNECT_AGAIN,
    probe::{Ask, Probe},
};
use crate::evidence::probe_once;

/// Whether the attempt succeeded within its timeout.
pub(super) async fn attempt(probe: &Probe, instance: SocketAddr) -> bool {
    let asked = async {
        match &probe.ask {
            Ask::Tcp => {
                while TcpStream::connect(instance).await.is_err() {
                    sleep(CONNECT_AGAIN).await;
                }
                true
            }
            Ask::Http(path) => probe_once(&[instance], path).await.unwrap_or(false),
        }
    };
    timeout(probe.timeout, asked).await.unwrap_or(false)
}
