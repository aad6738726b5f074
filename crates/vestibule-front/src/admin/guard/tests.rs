//! Tries to be admitted from elsewhere: by name, by origin, by method, by body, without a token.

use http::Request;

use super::*;

const SECRET: &str = "0123456789abcdef";

fn loopback() -> Guard {
    Guard::new(Some([127, 0, 0, 1].into()), vec!["ops.internal".into()], None)
}

/// How this route is asked by who may.
fn method(route: Route) -> &'static str {
    if route.is_write() { "POST" } else { "GET" }
}

fn ask(
    guard: &Guard,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
) -> Result<Route, Turned> {
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    guard.admit(&request.body(()).unwrap())
}

#[test]
fn a29_only_a_host_that_nobody_can_point_at_us_is_known() {
    let known = [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1",
        "127.0.0.1:8378",
        "[::1]",
        "[::1]:8378",
        "ops.internal",
        "Ops.Internal:80",
    ];
    for host in known {
        assert_eq!(
            ask(&loopback(), "GET", "/health", &[("host", host)]),
            Ok(Route::Health),
            "{host}"
        );
    }
    let strange = [
        "evil.test",
        "localhost.evil.test",
        "evil.test:8378",
        "localhost.",
        "127.0.0.1.evil.test",
        "",
        ":1",
        "127.0.0.2",
        "10.0.0.1",
        "[::2]",
        "[127.0.0.1]",
        "::1",
        "localhost:x",
        "localhost:1:2",
        "localhost, evil.test",
        "user@localhost",
        "localhost:999999",
        "[::1",
        "2130706433",
        "0x7f.1",
    ];
    for host in strange {
        for route in Route::ALL {
            let turned = ask(&loopback(), "GET", route.path(), &[("host", host)]);
            assert_eq!(turned, Err(Turned::Host), "{host} {route:?}");
        }
    }
    assert_eq!(ask(&loopback(), "GET", "/", &[]), Err(Turned::Host));
    let twice = [("host", "localhost"), ("host", "localhost")];
    assert_eq!(ask(&loopback(), "GET", "/", &twice), Err(Turned::Host));
    let absolute = ask(&loopback(), "GET", "http://evil.test/health", &[("host", "localhost")]);
    assert_eq!(absolute, Err(Turned::Host));
}

#[test]
fn a_door_on_every_address_knows_addresses_and_no_strange_names() {
    let guard = Guard::new(Some([0, 0, 0, 0].into()), Vec::new(), None);
    for (host, is_known) in
        [("10.1.2.3:8378", true), ("[fd00::1]", true), ("localhost", true), ("evil.test", false)]
    {
        assert_eq!(ask(&guard, "GET", "/livez", &[("host", host)]).is_ok(), is_known, "{host}");
    }
}

#[test]
fn a29_a_page_of_another_origin_is_turned_away_from_every_route() {
    let same = ["http://localhost:8378", "https://localhost:8378", "http://LOCALHOST:8378"];
    let others = [
        "null",
        "http://evil.test",
        "http://localhost",
        "http://localhost:8379",
        "localhost:8378",
        "",
        "http://localhost:8378.evil.test",
        "http://localhost:8378/",
        "file://localhost:8378",
    ];
    let shown = format!("Bearer {SECRET}");
    let guard = loopback().with_startup_token(Token::new(SECRET).unwrap());
    for route in Route::ALL {
        let from = |origin| {
            let fields =
                [("host", "localhost:8378"), ("origin", origin), ("authorization", shown.as_str())];
            ask(&guard, method(route), route.path(), &fields)
        };
        for origin in same {
            assert_eq!(from(origin), Ok(route), "{origin}");
        }
        for origin in others {
            assert_eq!(from(origin), Err(Turned::Origin), "{origin}");
        }
    }
}

#[test]
fn nothing_but_reading_is_admitted_where_nothing_can_be_written() {
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        for route in Route::ALL.into_iter().filter(|route| method != "POST" || !route.is_write()) {
            let turned = ask(&loopback(), method, route.path(), &[("host", "localhost")]);
            assert_eq!(turned, Err(Turned::Method), "{method}");
        }
    }
    for body in
        [("content-length", "1"), ("transfer-encoding", "chunked"), ("content-length", "00")]
    {
        let turned = ask(&loopback(), "GET", "/", &[("host", "localhost"), body]);
        assert_eq!(turned, Err(Turned::Body), "{body:?}");
    }
    let none = [("host", "localhost"), ("content-length", "0")];
    assert_eq!(ask(&loopback(), "GET", "/", &none), Ok(Route::Index));
}

#[test]
fn a30_a_path_is_a_route_whole_or_not_at_all() {
    let odd = [
        "/metrics/",
        "//metrics",
        "/./metrics",
        "/a/../metrics",
        "/%6detrics",
        "/%2e%2e/metrics",
        "/METRICS",
        "/metrics;a",
        "/metrics%00",
        "/health/x",
        "/admin/metrics",
        "/..%2fmetrics",
    ];
    for path in odd {
        let turned = ask(&loopback(), "GET", path, &[("host", "localhost")]);
        assert_eq!(turned, Err(Turned::NoRoute), "{path}");
    }
}

#[test]
fn a_token_is_needed_everywhere_but_for_probes() {
    let guard = Guard::new(None, Vec::new(), Some(Token::new(&format!(" {SECRET}\n")).unwrap()));
    let host = ("host", "localhost");
    let good = [format!("Bearer {SECRET}"), format!("bearer  {SECRET}")];
    let bad = [
        String::new(),
        SECRET.into(),
        "Bearer".into(),
        "Bearer ".into(),
        format!("Basic {SECRET}"),
        format!("Bearer {SECRET}0"),
        format!("Bearer {}", &SECRET[1..]),
        format!("Bearer {}", SECRET.to_uppercase()),
    ];
    for route in Route::ALL {
        let shows = |words: &str| {
            ask(&guard, method(route), route.path(), &[host, ("authorization", words)])
        };
        assert!(good.iter().all(|words| shows(words) == Ok(route)));
        let turned = if route.is_open() { Ok(route) } else { Err(Turned::Token) };
        assert_eq!(ask(&guard, method(route), route.path(), &[host]), turned);
        for words in &bad {
            assert_eq!(shows(words), turned, "{words}");
        }
    }
    // Nor does a stranger learn which paths there are.
    assert_eq!(ask(&guard, "GET", "/nowhere", &[host]), Err(Turned::Token));
    let twice = [("authorization", good[0].as_str()); 2];
    let turned = ask(&guard, "GET", "/health", &[host, twice[0], twice[1]]);
    assert_eq!(turned, Err(Turned::Token));
}

/// A page can send a POST without asking first, but not with this field; and a loopback address is anybody's who
/// has a process on this machine.
#[test]
fn a29_what_changes_something_is_post_with_a_token_on_loopback_too() {
    let write = Route::StartupPhase.path();
    let host = ("host", "localhost");
    let shown = format!("Bearer {SECRET}");
    let token = ("authorization", shown.as_str());
    assert_eq!(ask(&loopback(), "POST", write, &[host]), Err(Turned::Token));
    assert_eq!(ask(&loopback(), "POST", write, &[host, token]), Err(Turned::Token));
    let guard = loopback().with_startup_token(Token::new(SECRET).unwrap());
    assert_eq!(ask(&guard, "POST", write, &[host, token]), Ok(Route::StartupPhase));
    assert_eq!(ask(&guard, "POST", write, &[host]), Err(Turned::Token));
    assert_eq!(ask(&guard, "POST", write, &[token]), Err(Turned::Host));
    let evil = [("host", "evil.test"), token];
    assert_eq!(ask(&guard, "POST", write, &evil), Err(Turned::Host));
    let page = [host, token, ("sec-fetch-site", "cross-site")];
    assert_eq!(ask(&guard, "POST", write, &page), Err(Turned::Origin));
    for method in ["GET", "HEAD"] {
        assert_eq!(ask(&guard, method, write, &[host, token]), Err(Turned::NotPost));
    }
    for method in ["PUT", "DELETE", "OPTIONS"] {
        assert_eq!(ask(&guard, method, write, &[host, token]), Err(Turned::Method));
    }
}

#[test]
fn the_services_token_is_good_for_its_reports_and_for_nothing_else() {
    let own = "the-services-own-token";
    let guard = Guard::new(None, Vec::new(), Some(Token::new(SECRET).unwrap()))
        .with_startup_token(Token::new(own).unwrap());
    for route in Route::ALL {
        let asks = |token: &str| {
            let shown = format!("Bearer {token}");
            let fields = [("host", "localhost"), ("authorization", shown.as_str())];
            ask(&guard, method(route), route.path(), &fields)
        };
        assert_eq!(asks(SECRET), Ok(route));
        let turned =
            if route.is_open() || route.is_write() { Ok(route) } else { Err(Turned::Token) };
        assert_eq!(asks(own), turned);
    }
}

#[test]
fn a29_a_call_is_post_by_a_name_of_ours_and_by_no_page() {
    let call = |method: &str, target: &str, fields: &[(&str, &str)]| {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        loopback().admit_call(&request.body(()).unwrap())
    };
    let path = "/grpc.health.v1.Health/Check";
    let at = |host: &str| format!("http://{host}{path}");
    assert_eq!(call("POST", &at("127.0.0.1:8378"), &[]), Ok(()));
    assert_eq!(call("POST", &at("localhost"), &[("host", "localhost")]), Ok(()));
    assert_eq!(call("GET", &at("localhost"), &[]), Err(Turned::NotPost));
    for host in ["evil.test", "10.0.0.1", "localhost.evil.test:8378"] {
        assert_eq!(call("POST", &at(host), &[]), Err(Turned::Host), "{host}");
    }
    assert_eq!(call("POST", path, &[("host", "localhost")]), Err(Turned::Host));
    assert_eq!(call("POST", &at("localhost"), &[("host", "evil.test")]), Err(Turned::Host));
    let page = [("origin", "http://evil.test")];
    assert_eq!(call("POST", &at("localhost"), &page), Err(Turned::Origin));
    let page = [("sec-fetch-site", "same-site")];
    assert_eq!(call("POST", &at("localhost"), &page), Err(Turned::Origin));
}

#[test]
fn a32_a_token_is_not_shown_and_not_short() {
    assert_eq!(format!("{:?}", Token::new(SECRET).unwrap()), "Token(…)");
    let random = Token::of_random(std::array::from_fn(|nth| nth as u8 * 8));
    assert_eq!(Token::new(random.secret()), Ok(random));
    for text in ["", "short", "0123456789abcde", "0123456789 abcdef", "0123456789abcdéf"] {
        assert_eq!(Token::new(text), Err(TokenSyntax), "{text}");
    }
}
