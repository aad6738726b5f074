//! Breaks the other kind of socket: clients and service on Unix sockets, where nobody has an address.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::Instant;
use vestibule_front::front::{Shared, accept};
use vestibule_front::listener::{Listen, PublicListener};
use vestibule_front::upstream::dial::Upstream;
use vestibule_front::upstream::probe::Evidence;

use super::actors::door::settings;
use super::actors::{
    PLACE_FREED_WITHIN, answer, comes_true, handshake, request, switching, text, until, watched,
};

/// A service that answers each connection's first request, or takes its handshake, and ends.
fn serve(listener: UnixListener) {
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 2_048];
            let count = stream.read(&mut head).await.unwrap();
            let words = if head[..count].windows(9).any(|at| at == b"websocket") {
                [switching("").into_bytes(), text("well")].concat()
            } else {
                answer("200 OK", "well").into_bytes()
            };
            stream.write_all(&words).await.unwrap();
        }
    });
}

#[tokio::test]
async fn unix_sockets_hold_free_and_carry_as_tcp_does() {
    watched(async {
        let dir = tempfile::tempdir().unwrap();
        let (public, behind) = (dir.path().join("public"), dir.path().join("behind"));
        let mut settings = settings();
        settings.settle = Duration::ZERO;
        let front = Shared::new(settings, Upstream::Unix(behind.clone()));
        let listener = PublicListener::bind(&Listen::Unix(public.clone())).unwrap();
        let accepting = tokio::spawn(accept(Arc::clone(&front), listener));
        let held = || front.gate.counts().held;

        for words in [
            handshake("/", ""),
            request("POST", "/", "Content-Length: 90000\r\n") + &"x".repeat(50_000),
        ] {
            let mut client = UnixStream::connect(&public).await.unwrap();
            client.write_all(words.as_bytes()).await.unwrap();
            until("it is held", || held() == 1).await;
            drop(client);
            assert!(comes_true(PLACE_FREED_WITHIN, || held() == 0).await);
        }
        let mut clients = Vec::new();
        for words in [handshake("/", ""), request("GET", "/", "Connection: close\r\n")] {
            let mut client = UnixStream::connect(&public).await.unwrap();
            client.write_all(words.as_bytes()).await.unwrap();
            clients.push(client);
        }
        until("both are held", || held() == 2).await;
        serve(UnixListener::bind(&behind).unwrap());
        front.service.found(Evidence::Connected, Instant::now());
        for (mut client, words) in clients.into_iter().zip(["101 Switching", "200 OK"]) {
            let mut all = Vec::new();
            client.read_to_end(&mut all).await.unwrap();
            let all = String::from_utf8_lossy(&all);
            assert!(all.contains(words) && all.contains("well"), "{all}");
        }
        accepting.abort();
    })
    .await;
}
