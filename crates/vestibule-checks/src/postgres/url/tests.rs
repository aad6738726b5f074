//! Breaks the reading of addresses by what drivers accept, and looks for secrets in whatever is shown.

use super::*;

fn read(url: &str) -> Declared {
    Declared::parse(url).unwrap_or_else(|message| panic!("{url}: {message}"))
}

fn shown(url: &str) -> String {
    read(url).places.iter().map(Place::to_string).collect::<Vec<_>>().join(",")
}

fn password(url: &str) -> String {
    String::from_utf8(read(url).config.get_password().unwrap().to_vec()).unwrap()
}

#[test]
fn places_are_read_as_drivers_write_them() {
    let table = [
        ("postgres://db", "db:5432"),
        ("postgresql://db:6000/app", "db:6000"),
        ("POSTGRESQL+psycopg2://u:p@db/app", "db:5432"),
        ("postgresql+asyncpg://u:p@[2001:db8::7]:6000/app", "[2001:db8::7]:6000"),
        ("postgres://u@a,b:6000,c/app", "a:5432,b:6000,c:5432"),
        ("postgres://u@a:1,b:2/app?target_session_attrs=read-write", "a:1,b:2"),
        ("postgres://u:p@/app?host=/cloudsql/p:r:i", "/cloudsql/p:r:i/.s.PGSQL.5432"),
        ("postgres:///app?host=/run/postgresql&port=6000", "/run/postgresql/.s.PGSQL.6000"),
        ("postgres://u@%2Frun%2Fpostgresql/app", "/run/postgresql/.s.PGSQL.5432"),
        ("postgresql+psycopg://u@/app?host=a:1&host=b:2", "a:1,b:2"),
        ("postgres://u@/app?host=a,b&port=1,2", "a:1,b:2"),
        ("postgres://u@/app?hostaddr=10.0.0.7", "10.0.0.7:5432"),
        ("postgres://u@db/app?pool_size=5&schema=x&connect_timeout=3", "db:5432"),
    ];
    for (url, places) in table {
        assert_eq!(shown(url), places, "{url}");
    }
    let by_address = read("postgres://u@db/app?hostaddr=10.0.0.7");
    let wanted = Place::Tcp { name: "db".into(), address: "10.0.0.7".into(), port: 5432 };
    assert_eq!(by_address.places, [wanted]);
}

#[test]
fn who_logs_in_is_decoded_and_defaults_are_the_librarys() {
    let declared = read("postgres://some%40one:p%2Fw%23%3F@db/my%20app?options=-c%20x%3D1+2");
    assert_eq!(declared.config.get_user(), Some("some@one"));
    assert_eq!(declared.config.get_dbname(), Some("my app"));
    assert_eq!(declared.config.get_options(), Some("-c x=1+2"));
    assert_eq!(declared.config.get_application_name(), Some("vestibule"));
    assert_eq!(password("postgres://u:p%2Fw%23%3F@db/app"), "p/w#?");
    // As libpq and SQLAlchemy read it: to the last @.
    assert_eq!(password("postgres://u:p@w@db/app"), "p@w");
    assert_eq!(shown("postgres://u:p@w@db/app"), "db:5432");
    assert_eq!(password("postgres://u@db/app?password=a+b%20c"), "a+b c");
    let bare = read("postgres://db");
    assert_eq!((bare.config.get_user(), bare.config.get_dbname()), (None, None));
}

#[test]
fn each_way_of_tls_has_its_words() {
    let table = [
        ("", Way::Prefer),
        ("sslmode=disable", Way::Plain),
        ("sslmode=allow", Way::Prefer),
        ("sslmode=prefer", Way::Prefer),
        ("sslmode=require", Way::Require),
        ("ssl=true", Way::Require),
        ("ssl=verify-full", Way::VerifyFull),
        ("sslmode=verify-ca&sslrootcert=/ca.pem", Way::VerifyCa),
        ("sslmode=verify-full&sslrootcert=system", Way::VerifyFull),
    ];
    for (query, way) in table {
        let declared = read(&format!("postgres://db/app?{query}"));
        assert_eq!(declared.way, way, "{query}");
        assert_eq!(declared.ca_file.is_some(), query.contains("/ca.pem"), "{query}");
    }
}

#[test]
fn a32_no_mistake_repeats_a_secret_and_no_secret_becomes_a_place() {
    let table = [
        "canary",
        "mysql://canary:canary@db/app",
        "postgres://canary:canary/canary@db/app",
        "postgres://canary:12/canary@db/app",
        "postgres://canary:12?canary@db/app",
        "postgres://canary:12#canary@db/app",
        "postgres://canary:canary@db:canary/app",
        "postgres://canary:canary@[canary/app",
        "postgres://canary:canary@/app",
        "postgres://canary:canary@db/app?sslmode=canary",
        "postgres://canary:canary@db/app?port=canary",
        "postgres://canary:canary@db/app?sslcert=canary",
    ];
    for url in table {
        let message = Declared::parse(url).err().unwrap_or_else(|| panic!("{url} is accepted"));
        assert!(!message.contains("canary"), "{url}: {message}");
    }
    for url in ["postgres://u:canary@canary@db/app", "postgres://u@db/app?password=canary"] {
        assert_eq!(shown(url), "db:5432");
    }
}
