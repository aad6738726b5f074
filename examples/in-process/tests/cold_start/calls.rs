//! gRPC clients of the tonic example.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::service::{COLD_START, Service, WATCHDOG};

const PROGRAM: &str = env!("CARGO_BIN_EXE_in-process-tonic");

/// One call with a deadline of its own: what it heard, and after how long.
async fn call(address: String, deadline: Duration) -> (Result<i32, Status>, Duration) {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = HealthClient::new(endpoint.connect().await.unwrap());
    let mut request = Request::new(HealthCheckRequest { service: String::new() });
    request.set_timeout(deadline);
    let began = Instant::now();
    let answer = timeout(WATCHDOG, client.check(request)).await.unwrap();
    (answer.map(|answer| answer.into_inner().status), began.elapsed())
}

#[tokio::test]
async fn calls_that_come_before_readiness_are_all_served_by_tonic() {
    let service = Service::start(PROGRAM, COLD_START, "up").await;
    let calls: Vec<_> =
        (0..20).map(|_| tokio::spawn(call(service.address.clone(), WATCHDOG))).collect();
    let mut longest = Duration::ZERO;
    for one in calls {
        let (answer, waited) = one.await.unwrap();
        assert_eq!(answer.unwrap(), ServingStatus::Serving as i32);
        longest = longest.max(waited);
    }
    assert!(longest > COLD_START / 2, "{longest:?}");
}

#[tokio::test]
async fn a_call_is_refused_as_unavailable_before_its_own_deadline() {
    let service = Service::start(PROGRAM, WATCHDOG, "up").await;
    let deadline = Duration::from_millis(1_500);
    let (answer, waited) = call(service.address.clone(), deadline).await;
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.message(), "the hold ended at its deadline");
    assert!(waited < deadline, "{waited:?}");
    assert!(status.metadata().get("grpc-retry-pushback-ms").is_some());
}

#[tokio::test]
async fn a_failed_startup_refuses_calls_as_unavailable() {
    let service = Service::start(PROGRAM, Duration::from_millis(200), "down").await;
    for _ in 0..2 {
        let (answer, _) = call(service.address.clone(), WATCHDOG).await;
        let status = answer.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::Unavailable, "the service failed to start")
        );
    }
}
