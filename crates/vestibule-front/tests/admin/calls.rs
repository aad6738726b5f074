//! The health protocol of gRPC, asked by a client of another make: breaks it with strange names, a drain, a service
//! that goes, and whoever takes too much.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tower_service::Service as _;

use crate::actors::client::Client;
use crate::actors::door::Door;
use crate::actors::service::Asleep;
use crate::actors::{until, watched};
use crate::desk::Desk;

const SERVING: ServingStatus = ServingStatus::Serving;
const NOT_SERVING: ServingStatus = ServingStatus::NotServing;

async fn health(address: SocketAddr, authority: &str) -> HealthClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let endpoint = endpoint.origin(format!("http://{authority}").parse().unwrap());
    HealthClient::new(endpoint.connect().await.unwrap())
}

fn asks(service: &str) -> Request<HealthCheckRequest> {
    Request::new(HealthCheckRequest { service: service.into() })
}

async fn check(client: &mut HealthClient<Channel>, service: &str) -> Result<ServingStatus, Code> {
    let answer = client.check(asks(service)).await.map_err(|status| status.code())?;
    Ok(answer.into_inner().status())
}

async fn all(client: &mut HealthClient<Channel>) -> [ServingStatus; 4] {
    let mut said = [ServingStatus::Unknown; 4];
    for (service, said) in ["", "readiness", "liveness", "startup"].into_iter().zip(&mut said) {
        *said = check(client, service).await.unwrap();
    }
    said
}

/// As a kubelet asks: by the address that it was given.
#[tokio::test]
async fn grpc_probes_hear_what_is_so_in_every_state() {
    watched(async {
        let asleep = Asleep::new();
        // They need no token, as other probes.
        let desk = Desk::with(Door::before(asleep.port), Some("a-token-of-some-length"));
        let mut client = health(desk.address, &desk.address.to_string()).await;
        assert_eq!(all(&mut client).await, [NOT_SERVING, NOT_SERVING, SERVING, NOT_SERVING]);
        desk.door.ready();
        assert_eq!(all(&mut client).await, [SERVING; 4]);
        desk.door.front.service.lost("it went", Instant::now());
        assert_eq!(all(&mut client).await, [NOT_SERVING, NOT_SERVING, SERVING, SERVING]);
        desk.door.ready();
        desk.door.drains(Duration::ZERO);
        assert_eq!(all(&mut client).await, [NOT_SERVING, NOT_SERVING, SERVING, SERVING]);
        assert_eq!(check(&mut client, "chat").await, Err(Code::NotFound));
    })
    .await;
}

#[tokio::test]
async fn a_grpc_watch_hears_each_change_and_one_of_nothing_stays() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        let mut client = health(desk.address, "localhost").await;
        let mut readiness = client.watch(asks("")).await.unwrap().into_inner();
        let mut nothing = client.watch(asks("chat")).await.unwrap().into_inner();
        let status = |answer: Option<HealthCheckResponse>| answer.unwrap().status();
        assert_eq!(status(readiness.message().await.unwrap()), NOT_SERVING);
        assert_eq!(status(nothing.message().await.unwrap()), ServingStatus::ServiceUnknown);
        desk.door.ready();
        assert_eq!(status(readiness.message().await.unwrap()), SERVING);
        desk.door.front.service.lame_duck();
        assert_eq!(status(readiness.message().await.unwrap()), NOT_SERVING);
        let silent = tokio::time::timeout(Duration::from_millis(50), nothing.message()).await;
        assert!(silent.is_err(), "{silent:?}");
    })
    .await;
}

/// What a token guards over HTTP/1.1 is not to be had by HTTP/2, and a name that somebody else could point at us is
/// no better there.
#[tokio::test]
async fn a29_by_grpc_nobody_hears_more_and_no_strange_name_is_answered() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        for authority in ["evil.test", "evil.test:8378", "127.0.0.2", "localhost.evil.test"] {
            let mut client = health(desk.address, authority).await;
            let turned = client.check(asks("")).await.unwrap_err();
            assert!(turned.message().contains("403"), "{authority}: {turned:?}");
        }
        let mut client = health(desk.address, "localhost").await;
        let mut from_a_page = asks("");
        from_a_page.metadata_mut().insert("origin", "http://evil.test".parse().unwrap());
        let turned = client.check(from_a_page).await.unwrap_err();
        assert!(turned.message().contains("403"), "{turned:?}");
        // Every other path, that of an admin route too, is no call that is known here.
        let channel = Endpoint::from_shared(format!("http://{}", desk.address)).unwrap();
        let mut channel = channel.connect().await.unwrap();
        let paths = ["/health", "/metrics", "/startup/phase", "/grpc.health.v1.Health/List"];
        for (method, path) in paths.into_iter().flat_map(|path| [("POST", path), ("GET", path)]) {
            let request = http::Request::builder().method(method).uri(path);
            let request = request.body(tonic::body::Body::empty()).unwrap();
            std::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
            let answer = channel.call(request).await.unwrap();
            let said = answer.headers().get("grpc-status").map(|code| code.to_str().unwrap());
            let expected = if method == "POST" { (200, Some("12")) } else { (405, None) };
            assert_eq!((answer.status().as_u16(), said), expected, "{method} {path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a18_a_grpc_call_with_more_than_its_bounds_is_refused() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        let mut client = health(desk.address, "localhost").await;
        let long = check(&mut client, &"a".repeat(2_000)).await;
        assert_eq!(long, Err(Code::OutOfRange));
        let mut fields = asks("");
        fields.metadata_mut().insert("x-long", "a".repeat(9_000).parse().unwrap());
        assert!(client.check(fields).await.is_err());
        assert_eq!(check(&mut client, "liveness").await, Ok(SERVING));
    })
    .await;
}

/// Watches are open to everybody: they must not keep a probe out.
#[tokio::test]
async fn a26_grpc_watches_on_every_place_give_way_to_newcomers() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        let mut watching = Vec::new();
        for _ in 0..vestibule_front::admin::CONNECTIONS_MAX {
            let mut client = health(desk.address, "localhost").await;
            watching.push(client.watch(asks("")).await.unwrap());
        }
        let began = Instant::now();
        assert_eq!(desk.get("/livez").await.status, 200);
        assert!(began.elapsed() < Duration::from_secs(4));
    })
    .await;
}

/// Half a preface and silence: its time ends like that of half a head.
#[tokio::test]
async fn a17_half_a_preface_is_left_in_time() {
    watched(async {
        let asleep = Asleep::new();
        let desk = Desk::beside(Door::before(asleep.port));
        let mut client = Client::saying(desk.address, "PRI * HTTP/2.0\r\n\r\nSM").await;
        let began = Instant::now();
        assert!(client.is_told_nothing().await);
        assert!(began.elapsed() < Duration::from_secs(10));
        until("it is over", || desk.door.held() == 0).await;
    })
    .await;
}
