//! Pages of other origins, and requests that did not come over HTTPS.

use serde_json::json;

use crate::house::{House, JSON, PASSWORD, account};

/// What looks like `https://chat.example` and is not.
const LOOKALIKES: [&str; 19] = [
    "https://chat.example.evil.test",
    "https://evil-chat.example",
    "https://evil.chat.example",
    "https://chat.examples",
    "https://chat.exampl",
    "http://chat.example",
    "https://chat.example:8443",
    "https://chat.example:80",
    "https://chat.example.",
    "https://chat.example/",
    "https://chat.example:",
    "https://chat.example@evil.test",
    "https://evil.test@chat.example",
    "https://evil.test#chat.example",
    "https://evil.test?https://chat.example",
    "https://CHAT.example",
    "https://chat.example https://evil.test",
    "null",
    "*",
];

#[tokio::test]
async fn pages_of_other_origins_are_refused_whatever_they_look_like() {
    let house =
        House::open(&[("ORIGINS", "https://chat.example,https://other.example:8443")]).await;
    let body = account("ann", PASSWORD).to_string();
    for origin in LOOKALIKES {
        for line in ["POST /api/signup", "GET /api/me", "GET /", "GET /.well-known/jwks.json"] {
            let answer = house.ask(line, &[("origin", origin), JSON], &body).await;
            answer.is_problem(403);
            assert_eq!(answer.field("access-control-allow-origin"), None, "{origin}");
            assert!(!answer.body.contains("chat.example"), "{answer:?}");
        }
    }
    let two = [("origin", "https://chat.example"), ("origin", "https://evil.test"), JSON];
    house.ask("POST /api/signup", &two, &body).await.is_problem(403);
    assert!(house.app.store.user_by_name("ann").await.unwrap().is_none(), "none of it was done");

    for origin in ["https://chat.example", "https://chat.example:443", "https://other.example:8443"]
    {
        let answer = house.ask("GET /.well-known/jwks.json", &[("origin", origin)], "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.field("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.field("access-control-allow-credentials"), Some("true"));
        assert!(answer.field("vary").is_some_and(|vary| vary.contains("origin")), "{answer:?}");
    }
}

/// Breaks if a browser is told that another page may ask.
#[tokio::test]
async fn only_listed_pages_may_ask_from_elsewhere() {
    let house = House::open(&[("ORIGINS", "https://chat.example")]).await;
    let preflight = async |origin: &str| {
        let fields = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        house.ask("OPTIONS /api/login", &fields, "").await
    };
    let answer = preflight("https://chat.example").await;
    assert_eq!(answer.field("access-control-allow-origin"), Some("https://chat.example"));
    assert_eq!(answer.field("access-control-allow-credentials"), Some("true"));
    let fields = answer.field("access-control-allow-headers").expect("fields");
    assert!(fields.contains("authorization") && fields.contains("content-type"), "{fields}");
    for origin in LOOKALIKES {
        let answer = preflight(origin).await;
        assert_eq!(answer.field("access-control-allow-origin"), None, "{origin}: {answer:?}");
    }
}

/// Breaks if our own page is refused where nothing is listed, or another is taken for it.
#[tokio::test]
async fn without_a_list_our_own_page_is_the_only_one() {
    let house = House::open(&[]).await;
    let status = async |host: &str, origin: &str, more: &[(&str, &str)]| {
        let mut fields = vec![("host", host), ("origin", origin)];
        fields.extend(more);
        house.ask("GET /.well-known/jwks.json", &fields, "").await.status
    };
    let https = [("x-forwarded-proto", "https")];
    let http = [("x-forwarded-proto", "http")];
    assert_eq!(status("chat.example", "https://chat.example", &https).await, 200);
    assert_eq!(status("chat.example:443", "https://chat.example", &https).await, 200);
    assert_eq!(status("localhost:8080", "http://localhost:8080", &http).await, 200);
    assert_eq!(status("localhost:8080", "http://localhost:8080", &[]).await, 200);
    assert_eq!(status("chat.example", "http://chat.example", &https).await, 403);
    assert_eq!(status("chat.example", "https://chat.example", &http).await, 403);
    assert_eq!(status("localhost:8080", "http://localhost:8081", &[]).await, 403);
    for origin in LOOKALIKES {
        assert_eq!(status("chat.example", origin, &https).await, 403, "{origin}");
    }
    for host in ["evil.test/https://chat.example", "a@chat.example", "", "chat.example, evil.test"]
    {
        let status = status(host, "https://chat.example", &https).await;
        assert!(matches!(status, 400 | 403), "{host}: {status}");
    }
}

/// Breaks if a password or a token is taken in clear where that is forbidden, or if a client can say that it was not.
#[tokio::test]
async fn where_nothing_but_https_is_served_nothing_else_is() {
    let house = House::open(&[("HTTPS_ONLY", "1")]).await;
    let (host, body) = (("host", "chat.example"), account("ann", PASSWORD).to_string());
    for proto in ["http", "", "HTTPS/1", "https, http", "xhttps"] {
        let fields = [host, JSON, ("x-forwarded-proto", proto)];
        let answer = house.ask("POST /api/signup", &fields, &body).await;
        answer.is_problem(403);
        assert_eq!(answer.field("strict-transport-security"), None, "{answer:?}");
    }
    house.ask("POST /api/signup", &[host, JSON], &body).await.is_problem(403);
    let answer = house.ask("GET /?next=x", &[host], "").await;
    assert_eq!(answer.status, 308, "{answer:?}");
    assert_eq!(answer.field("location"), Some("https://chat.example/"));
    for host in ["evil.test/path", "a@evil.test", "evil.test#"] {
        let answer = house.ask("GET /", &[("host", host)], "").await;
        assert_ne!(answer.status, 308, "{answer:?}");
    }
    let https = ("x-forwarded-proto", "https");
    assert_eq!(house.ask("POST /api/signup", &[host, JSON, https], &body).await.status, 201);
    let mut with_cookie = account("ann", PASSWORD);
    with_cookie["keep"] = json!("cookie");
    let answer = house.ask("POST /api/login", &[host, JSON, https], &with_cookie.to_string()).await;
    assert_eq!(answer.field("strict-transport-security"), Some("max-age=31536000"));
    let cookie = answer.field("set-cookie").expect("a cookie");
    assert!(cookie.ends_with("; Secure"), "{cookie}");
}
