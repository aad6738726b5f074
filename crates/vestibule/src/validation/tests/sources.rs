//! Breaks what dependencies say by themselves with one that never rests and one that panics.

use super::*;

/// Says without end that it changed, or panics instead.
struct Wild {
    asked: AtomicU32,
    panics: bool,
}

impl Check for Wild {
    fn try_once<'a>(&'a self, _: &'a Stage) -> CheckFuture<'a, Result<Saw, Trouble>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Ok(Saw::new("pong")) })
    }

    fn changed(&self) -> CheckFuture<'_, ()> {
        Box::pin(async {
            if self.panics {
                panics();
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_says_that_it_changed_is_asked_at_once_and_alone() {
    let (speaks, other) = (Scripted::new(ms(10), Act::Passes), Scripted::now(Act::Passes));
    let validation = validation([(Spec::new("grpc"), &speaks), (Spec::new("db"), &other)]);
    let speech = async {
        tokio::time::sleep(ms(1_000)).await;
        validation.ready();
        speaks.becomes(Act::Fails(Reason::NotServing));
        speaks.says.notify_one();
        tokio::time::sleep(ms(500)).await;
    };
    tokio::select! {
        () = validation.keep() => unreachable!(),
        () = speech => {}
    }
    assert_eq!(outcomes(&validation), ["not_serving", "passed"]);
    assert_eq!(other.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_during_a_pass_is_heard_behind_it() {
    let speaks = Scripted::new(ms(300), Act::Passes);
    let validation = validation([(Spec::new("grpc"), &speaks)]);
    let speech = async {
        tokio::time::sleep(ms(100)).await;
        speaks.says.notify_one();
        tokio::time::sleep(ms(1_000)).await;
    };
    tokio::select! {
        () = validation.keep() => unreachable!(),
        () = speech => {}
    }
    assert_eq!(speaks.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn invariant_6_a_source_gone_wild_causes_ten_passes_a_second_at_most() {
    for panics in [false, true] {
        let wild = Arc::new(Wild { asked: AtomicU32::new(0), panics });
        let checked = Checked::new(Spec::new("wild"), Arc::<Wild>::clone(&wild));
        let validation = Validation::new(vec![checked], factors());
        keep_for(&validation, 10.0).await;
        let asked = wild.asked.load(Ordering::SeqCst);
        if panics {
            assert!(asked <= 2, "{asked}");
        } else {
            assert!((90..=102).contains(&asked), "{asked}");
        }
    }
}
