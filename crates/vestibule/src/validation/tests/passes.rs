//! Breaks one pass, and the first ready.

use super::*;
use crate::check::Group;

#[tokio::test(start_paused = true)]
async fn a_pass_ends_within_its_budget_and_never_calls_a_hanging_check_passed() {
    let (hangs, passes) = (Scripted::now(Act::Hangs), Scripted::now(Act::Passes));
    let (panics, fails) = (Scripted::now(Act::Panics), Scripted::now(Act::Fails(Reason::Refused)));
    let validation = validation([
        (Spec::new("db").within(Duration::from_secs(3), 5), &hangs),
        (Spec::new("cache"), &passes),
        (Spec::new("broken").degradable(), &panics),
        (Spec::new("bus"), &fails),
    ]);
    let began = Instant::now();
    assert_eq!(validation.pass(Mode::Gate).await, Opinion::Waiting { passed: None });
    assert!(began.elapsed() <= ms(8_050));
    assert_eq!(outcomes(&validation), ["silent", "passed", "panicked", "refused"]);
    let board = validation.board();
    assert_eq!(board.standings()[3].tries.len(), 3);
    assert_eq!(board.standings()[0].last.as_ref().unwrap().outcome.reason(), Some("silent"));
    assert_eq!(board.last_pass().unwrap().verdict, "waiting");
    assert_eq!(board.missing().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn groups_are_asked_in_order_and_a_survey_asks_all() {
    let (fails, passes) = (Scripted::now(Act::Fails(Reason::Refused)), Scripted::now(Act::Passes));
    let checks = || {
        [
            (Spec::new("whole").in_group(Group::Integration), &passes),
            (Spec::new("db"), &fails),
            (Spec::new("cache").degradable(), &passes),
        ]
    };
    let gate = validation(checks());
    gate.pass(Mode::Gate).await;
    assert_eq!(outcomes(&gate), ["earlier_group", "refused", "passed"]);
    let survey = validation(checks());
    survey.pass(Mode::Survey).await;
    assert_eq!(outcomes(&survey), ["passed", "refused", "passed"]);
}

#[tokio::test(start_paused = true)]
async fn what_only_degrades_and_hangs_delays_neither_the_first_ready_nor_another_group() {
    let (hangs, passes) = (Scripted::now(Act::Hangs), Scripted::new(ms(20), Act::Passes));
    let validation = validation([
        (Spec::new("mail").degradable(), &hangs),
        (Spec::new("db"), &passes),
        (Spec::new("self").in_group(Group::Services), &passes),
    ]);
    keep_for(&validation, 0.05).await;
    let Opinion::Ready { degraded } = validation.opinion(Instant::now()) else { panic!() };
    assert_eq!(degraded, ["mail".into()]);
    assert_eq!(validation.board().last_pass().unwrap().took, ms(40));
}

#[tokio::test(start_paused = true)]
async fn what_only_degrades_and_hangs_does_not_delay_the_next_pass_either() {
    let (hangs, fails) = (Scripted::now(Act::Hangs), Scripted::now(Act::Fails(Reason::Refused)));
    let validation = validation([
        (Spec::new("mail").degradable(), &hangs),
        (Spec::new("db").within(ms(500), 1), &fails),
    ]);
    let becomes = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        fails.becomes(Act::Passes);
        Instant::now()
    };
    let mut seen = validation.watch();
    let ready = async {
        seen.wait_for(|board| !board.is_waiting(Instant::now())).await.map(|_| Instant::now())
    };
    let (became, ready) = tokio::select! {
        () = validation.keep() => unreachable!(),
        both = async { tokio::join!(becomes, ready) } => both,
    };
    // A twentieth of five seconds, since a pass may just have begun.
    let lag = ready.unwrap() - became;
    assert!(lag <= ms(260), "{lag:?}");
    // One try after another, never two beside each other.
    assert!(hangs.asked() <= 3, "{}", hangs.asked());
}

#[tokio::test(start_paused = true)]
async fn the_longer_a_start_takes_the_longer_are_the_waits_up_to_two_seconds() {
    let fails = Scripted::now(Act::Fails(Reason::WrongCredentials));
    let validation = validation([(Spec::new("db"), &fails)]);
    keep_for(&validation, 1.0).await;
    let first = fails.asked();
    keep_for(&validation, 119.0).await;
    let before = fails.asked();
    keep_for(&validation, 20.0).await;
    assert!((6..=60).contains(&first), "{first} in the first second");
    assert!((9..=60).contains(&(fails.asked() - before)), "{} in 20 s", fails.asked() - before);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_when_it_is_dropped_has_panicked_and_the_rest_goes_on() {
    let (drops, made, passes) = (
        Scripted::now(Act::PanicsWhenDropped),
        Scripted::now(Act::PanicsWhenMade),
        Scripted::now(Act::Passes),
    );
    let spec = |name: &str| Spec::new(name).within(ms(100), 2);
    let checks = [(spec("a"), &drops), (spec("b"), &made), (spec("c"), &passes)];
    let validation = validation(checks);
    validation.pass(Mode::Gate).await;
    assert_eq!(outcomes(&validation), ["panicked", "panicked", "passed"]);
    keep_for(&validation, 30.0).await;
    drops.becomes(Act::Passes);
    made.becomes(Act::Passes);
    keep_for(&validation, 5.0).await;
    assert_eq!(outcomes(&validation), ["passed"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_begins_again_believes_nothing_of_the_one_before() {
    let slow = Scripted::new(Duration::from_secs(1), Act::Passes);
    let validation = validation([(Spec::new("self"), &slow)]);
    keep_for(&validation, 2.0).await;
    assert!(validation.opinion(Instant::now()).is_ready());
    let again = async {
        validation.refresh_in_background(ms(100)).await;
        validation.begin_again();
        assert!(!validation.opinion(Instant::now()).is_ready());
        // What was asked of the start before would answer now.
        tokio::time::sleep(ms(950)).await;
        assert_eq!(outcomes(&validation), ["none"]);
        tokio::time::sleep(ms(100)).await;
        assert_eq!(outcomes(&validation), ["passed"]);
    };
    tokio::select! {
        () = validation.keep() => unreachable!(),
        () = again => {}
    }
}

impl Validation {
    /// Somebody wants it fresh, and leaves after this time.
    async fn refresh_in_background(&self, leaves_after: Duration) {
        let _ = tokio::time::timeout(leaves_after, self.refresh()).await;
    }
}
