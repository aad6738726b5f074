//! Breaks the single flight with thousands who want the same, and with leaders who leave.

use super::*;

#[tokio::test(start_paused = true)]
async fn one_pass_serves_five_thousand() {
    let check = Scripted::new(ms(200), Act::Passes);
    let validation = validation([(Spec::new("db"), &check)]);
    let since = Instant::now();
    let waits = (0..5_000).map(|_| {
        let validation = validation.clone();
        tokio::spawn(async move { validation.validated_since(since).await })
    });
    let waits: Vec<_> = waits.collect();
    for wait in waits {
        assert!(wait.await.unwrap().is_ready());
    }
    assert_eq!((check.asked(), validation.board().passes()), (1, 1));
    assert_eq!(since.elapsed(), ms(200));
}

#[tokio::test(start_paused = true)]
async fn whoever_leads_may_leave_and_the_pass_is_not_lost() {
    let check = Scripted::new(ms(200), Act::Passes);
    let validation = validation([(Spec::new("db"), &check)]);
    let since = Instant::now();
    let leader = validation.validated_since(since);
    assert!(tokio::time::timeout(ms(150), leader).await.is_err());
    assert!(validation.validated_since(since).await.is_ready());
    assert_eq!((check.asked(), since.elapsed()), (1, ms(200)));
}

#[tokio::test(start_paused = true)]
async fn a_time_to_come_counts_as_now() {
    let check = Scripted::now(Act::Passes);
    let validation = validation([(Spec::new("db"), &check)]);
    validation.validated_since(Instant::now() + Duration::from_secs(3_600)).await;
    assert_eq!(check.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_of_arrivals_causes_one_refresh_and_wakes_nobody_without_end() {
    let check = Scripted::new(ms(50), Act::Passes);
    let spec = Spec { interval: Duration::from_secs(600), ..Spec::new("db").gating_always() };
    let validation = validation([(spec, &check)]);
    keep_for(&validation, 1.0).await;
    validation.ready();
    assert_eq!(check.asked(), 1);
    let arrivals = async {
        tokio::time::sleep(Duration::from_secs(40)).await;
        let mut seen = validation.watch();
        seen.mark_unchanged();
        let (mut wakes, now) = (0, Instant::now());
        for _ in 0..5_000 {
            validation.arrival(now);
            wakes += u32::from(seen.has_changed().unwrap());
            seen.mark_unchanged();
        }
        assert_eq!(wakes, 1);
        // Up to three times the age admits meanwhile.
        assert!(validation.opinion(now).is_ready());
        tokio::time::sleep(ms(60)).await;
        validation.arrival(Instant::now());
        tokio::time::sleep(Duration::from_secs(20)).await;
    };
    tokio::select! {
        () = validation.keep() => unreachable!(),
        () = arrivals => {}
    }
    assert_eq!(check.asked(), 2);
}
