//! One client's connection through the platform.
//!
//! Owns reading its head, its wait, and moving its bytes to the instance and back, each bounded in time. One
//! request for each connection. Must never decide where it goes.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::TcpStream,
    sync::oneshot,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    head,
    router::{Answer, Shared},
};

/// Bytes of a head ("Quotas and limits" of Google's load balancers: 64 KB).
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long a head may take. A bound of ours.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may go on to speak after the instance has said its last. A bound of ours.
const LINGER: Duration = Duration::from_secs(1);

/// Serves one connection to its end.
pub(super) async fn serve(
    mut client: TcpStream,
    address: IpAddr,
    shared: Arc<Shared>,
) -> io::Result<()> {
    let _ = client.set_nodelay(true);
    let (head, rest) = timeout(HEAD_TIMEOUT, read_head(&mut client)).await??;
    let deadline = Instant::now() + shared.service().request_timeout;
    let Some(head) = head::forwarded(&head, address) else {
        return refuse(&mut client, 400).await;
    };
    let answer = tokio::select! {
        answer = timeout_at(deadline, shared.ask()) => answer,
        () = left(&client) => return Ok(()),
    };
    let slot = match answer {
        Err(_) => return refuse(&mut client, 504).await,
        Ok(Err(oneshot::error::RecvError { .. })) => return refuse(&mut client, 503).await,
        Ok(Ok(Answer::Refused(status))) => return refuse(&mut client, status).await,
        Ok(Ok(Answer::Routed(slot))) => slot,
    };
    let Ok(mut instance) = TcpStream::connect(shared.instance()).await else {
        slot.met_nobody();
        return refuse(&mut client, 503).await;
    };
    let _ = instance.set_nodelay(true);
    instance.write_all(&head).await?;
    instance.write_all(&rest).await?;
    let answered = timeout_at(deadline, relay(&mut client, &mut instance)).await;
    match answered {
        Ok(Ok(true)) => Ok(()),
        Ok(_) => {
            slot.met_nobody();
            refuse(&mut client, 503).await
        }
        // An open socket is cut: its stream has no place for a status any more.
        Err(_) => Ok(()),
    }
}

/// A whole head, and what was read behind it.
async fn read_head(client: &mut TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        if let Some(end) = head::end(&bytes) {
            let rest = bytes.split_off(end);
            return Ok((bytes, rest));
        }
        if bytes.len() >= HEAD_BYTES_MAX || client.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Resolves when the client leaves; never if it speaks on.
async fn left(client: &TcpStream) {
    if let Ok(1..) = client.peek(&mut [0]).await {
        std::future::pending::<()>().await;
    }
}

/// Moves bytes both ways until the instance is done. Says whether it answered at all.
async fn relay(client: &mut TcpStream, instance: &mut TcpStream) -> io::Result<bool> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_instance, mut to_instance) = instance.split();
    let up = async {
        let _ = copy(&mut from_client, &mut to_instance).await;
        let _ = to_instance.shutdown().await;
    };
    let down = async {
        let mut first = [0; 4096];
        let read = from_instance.read(&mut first).await.unwrap_or(0);
        if read == 0 {
            return Ok(false);
        }
        to_client.write_all(&first[..read]).await?;
        let _ = copy(&mut from_instance, &mut to_client).await;
        let _ = to_client.shutdown().await;
        Ok(true)
    };
    tokio::pin!(up, down);
    let answered = tokio::select! {
        answered = &mut down => answered,
        () = &mut up => return down.await,
    };
    if let Ok(true) = answered {
        // The client's reply to a Close is still on its way.
        let () = tokio::select! { () = up => (), () = sleep(LINGER) => () };
    }
    answered
}

/// Answers in the platform's place.
async fn refuse(client: &mut TcpStream, status: u16) -> io::Result<()> {
    let reason = match status {
        400 => "Bad Request",
        429 => "Too Many Requests",
        504 => "Gateway Timeout",
        _ => "Service Unavailable",
    };
    let answer =
        format!("HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await?;
    // Closing with unread bytes would reset the answer away.
    let _ = timeout(LINGER, copy(client, &mut tokio::io::sink())).await;
    Ok(())
}
