//! A session without a socket: its patience, its token, its mistakes.

use std::sync::Arc;

use tokio::time::Instant;
use uuid::Uuid;

use super::*;
use crate::event::{Event, What};

const BEAT: Duration = Duration::from_secs(10);

struct Given {
    session: Session,
    user: UserId,
    log_in: SessionId,
    now: Instant,
}

fn given() -> Given {
    let (user, log_in, now) = (Uuid::from_u128(1), Uuid::from_u128(2), Instant::now());
    let start = Start {
        user,
        session: log_in,
        until: now + Duration::from_secs(900),
        last: 0,
        heartbeat: BEAT,
        instance: "one".into(),
        correlation: "c".into(),
    };
    Given { session: Session::begin(&start, now), user, log_in, now }
}

impl Given {
    fn after(&mut self, passed: Duration) -> &mut Session {
        self.now += passed;
        self.session.tick(self.now);
        &mut self.session
    }

    fn text(&mut self, text: &str) {
        self.session.incoming(&Incoming::Text(text), self.now);
    }

    /// All that is to be written now.
    fn frames(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.session.frame())
            .map(|frame| match frame {
                Frame::Ping => "ping".into(),
                Frame::Text { text, .. } => text,
            })
            .collect()
    }

    fn answer(&mut self, events: Vec<Event>) {
        self.session.question(self.now).expect("a question");
        self.session.answered(Some(Answer { events, dead: None }), self.now);
    }
}

fn revoked(session: SessionId) -> Heard {
    Heard::Signal(Arc::new(Signal::Revoked { session }))
}

fn told(user: UserId, id: i64) -> Heard {
    let what = What::AgentThinking { text: "hm".into() };
    let event = Event { id, thread: Uuid::nil(), run: None, at_ms: 0, what };
    Heard::Signal(Arc::new(Signal::Event { user, event, correlation: "c".into() }))
}

/// Breaks if the greeting is not first, or if a stranger's events are told.
#[test]
fn the_greeting_is_first_and_strangers_are_not_told() {
    let mut given = given();
    given.session.heard(&told(given.user, 1));
    given.session.heard(&told(Uuid::from_u128(99), 2));
    let frames = given.frames();
    assert!(frames[0].starts_with(r#"{"type":"hello","last_event_id":0,"#), "{}", frames[0]);
    assert!(frames[1].starts_with(r#"{"id":1,"#), "{}", frames[1]);
    assert_eq!(frames.len(), 2);
}

/// Breaks if a socket counts as open before what it missed is written, or more than once.
#[test]
fn it_is_open_once_what_was_missed_is_written() {
    let mut given = given();
    given.frames();
    assert!(!given.session.has_caught_up(), "the store was not asked");
    given.answer(Vec::new());
    assert!(given.session.has_caught_up());
    assert!(!given.session.has_caught_up());
}

/// Breaks if one heartbeat passes without pings in both forms and a look at the store and at the session.
#[test]
fn each_heartbeat_pings_and_looks_for_what_the_bus_lost() {
    let mut given = given();
    given.frames();
    given.answer(Vec::new());
    given.after(BEAT);
    assert_eq!(given.frames(), ["ping", r#"{"type":"ping"}"#]);
    let question = given.session.question(given.now).expect("the safety net");
    assert_eq!(question, Question { after: 0, limit: PAGE, session: Some(given.log_in) });
}

/// Breaks if a client that is gone is kept, or one that says anything at all is not.
#[test]
fn who_is_silent_for_two_and_a_half_heartbeats_is_closed() {
    let mut given = given();
    for _ in 0..10 {
        given.after(BEAT * 2);
        given.session.incoming(&Incoming::Sign, given.now);
        given.frames();
    }
    assert_eq!(given.after(BEAT * 2).goodbye(), None);
    assert_eq!(given.after(BEAT / 2).goodbye(), Some(Goodbye::Silent));
}

/// Breaks if heartbeats pile up in front of a reader that does not read.
#[test]
fn pings_do_not_pile_up() {
    let mut given = given();
    for _ in 0..100 {
        given.after(BEAT);
        given.session.incoming(&Incoming::Sign, given.now);
    }
    assert_eq!(given.frames().len(), 3, "the greeting and one ping in both forms");
}

/// Breaks if a token's end passes, or if a newer one does not prolong, or if an older one shortens.
#[test]
fn a_token_ends_the_socket_unless_a_newer_one_prolongs_it() {
    let mut given = given();
    let renewed = |given: &mut Given, seconds| {
        given.text(r#"{"type":"token","access":"a"}"#);
        assert!(matches!(given.session.order(), Some(Order::Renew { .. })));
        let until = given.now + Duration::from_secs(seconds);
        given.session.done(Done::Renewed { user: given.user, session: given.log_in, until });
    };
    renewed(&mut given, 1800);
    renewed(&mut given, 60);
    given.frames();
    let alive = |given: &mut Given, seconds| {
        given.session.incoming(&Incoming::Sign, given.now + Duration::from_secs(seconds));
        given.after(Duration::from_secs(seconds)).goodbye()
    };
    assert_eq!(alive(&mut given, 1799), None);
    assert_eq!(alive(&mut given, 1), Some(Goodbye::Expired));
}

/// Breaks if another user's token prolongs a socket.
#[test]
fn a_token_of_another_user_is_refused() {
    let mut given = given();
    given.frames();
    given.text(r#"{"type":"token","access":"a"}"#);
    given.session.order().expect("an order");
    let (user, until) = (Uuid::from_u128(99), given.now + Duration::from_secs(9999));
    given.session.done(Done::Renewed { user, session: given.log_in, until });
    assert!(given.frames()[0].contains(r#""what":"token""#));
    assert_eq!(given.session.until, given.now + Duration::from_secs(900));
}

/// Breaks if a session that ends while its token is looked at gets a socket by it.
#[test]
fn a_session_revoked_while_its_token_is_looked_at_prolongs_nothing() {
    let mut given = given();
    given.frames();
    given.text(r#"{"type":"token","access":"a"}"#);
    given.session.order().expect("an order");
    let (other, until) = (Uuid::from_u128(3), given.now + Duration::from_secs(9999));
    given.session.heard(&revoked(other));
    given.session.done(Done::Renewed { user: given.user, session: other, until });
    assert_eq!(given.session.session, given.log_in);
    assert_eq!(given.frames().len(), 1);
}

/// Breaks if a revocation does not end the socket at once, told by the bus or found in the store.
#[test]
fn a_revoked_session_ends_at_once() {
    let mut given = given();
    given.session.heard(&revoked(Uuid::from_u128(77)));
    assert_eq!(given.session.goodbye(), None);
    given.session.heard(&revoked(given.log_in));
    assert_eq!(given.session.goodbye(), Some(Goodbye::Revoked));

    let mut unheard = self::given();
    unheard.session.heard(&Heard::Gap);
    let question = unheard.session.question(unheard.now).expect("a question");
    let answer = Answer { events: Vec::new(), dead: question.session };
    unheard.session.answered(Some(answer), unheard.now);
    assert_eq!(unheard.session.goodbye(), Some(Goodbye::Revoked));
}

/// Breaks if a store that is away is asked in a circle, or ends the socket, or is forgotten.
#[test]
fn a_store_that_is_away_is_asked_again_more_and_more_slowly() {
    let mut given = given();
    let mut rests = Vec::new();
    for _ in 0..8 {
        given.session.question(given.now).expect("a question");
        given.session.answered(None, given.now);
        assert_eq!(given.session.question(given.now), None);
        rests.push(given.session.read_at - given.now);
        given.now = given.session.read_at;
    }
    assert_eq!((rests[0], rests[7]), (REST, REST_MAX));
    assert_eq!(given.session.goodbye(), None);
    assert!(given.session.wake_at() <= given.now);
}

/// Breaks if unknown frames end a socket too early or are answered for ever, or if an answer repeats one.
#[test]
fn ten_frames_that_cannot_be_read_are_answered_and_the_next_ends_it() {
    let wrong = ["", "{", "[]", "null", r#"{"type":"secret"}"#, r#"{"type":"message"}"#];
    let mut given = given();
    given.frames();
    for text in wrong.iter().cycle().take(10) {
        given.text(text);
        let frames = given.frames();
        assert!(frames[0].contains(r#""what":"frame""#) && !frames[0].contains("secret"));
    }
    assert_eq!(given.session.goodbye(), None);
    given.text("{");
    assert_eq!(given.session.goodbye(), Some(Goodbye::Mistakes));
}

/// Breaks if a client that is not answered yet can make us keep more and more.
#[test]
fn whose_orders_or_answers_wait_is_not_read() {
    let mut given = given();
    while given.session.listens() {
        given.text(r#"{"type":"ping"}"#);
    }
    assert_eq!(given.frames().len(), ANSWERS_MAX);
    let id = Uuid::nil();
    while given.session.listens() {
        given.text(&format!(r#"{{"type":"cancel","run":"{id}"}}"#));
    }
    assert_eq!(given.session.orders.len(), ORDERS_MAX);
    assert_eq!(given.after(BEAT * 9).goodbye(), None, "whom we don't read is not silent");
}

/// Breaks if a text's length is counted in bytes, or if one that is too long waits in line.
#[test]
fn a_text_has_one_to_eight_thousand_characters() {
    let id = Uuid::nil();
    let message = |text: &str| {
        format!(r#"{{"type":"message","thread":"{id}","message":"{id}","text":"{text}"}}"#)
    };
    let mut given = given();
    given.frames();
    given.text(&message(&"é".repeat(TEXT_MAX)));
    assert!(matches!(given.session.order(), Some(Order::Say { .. })));
    given.session.done(Done::Well);
    for unfit in [String::new(), "é".repeat(TEXT_MAX + 1)] {
        given.text(&message(&unfit));
        assert!(given.session.order().is_none());
        assert!(given.frames()[0].contains(r#""what":"message""#));
    }
}
