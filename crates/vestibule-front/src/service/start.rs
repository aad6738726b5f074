//! How far the service's start has come: by its own reports, and else by what we see.
//!
//! Owns whose word counts: our own steps are a guess, which the service's first report of a start replaces; from then
//! on they enter no phase but the end. Pure: takes `now`. Must never go back on a report, nor behind the end.

use tokio::time::Instant;
use vestibule::startup::{Phase, Phases, Timeline};

use super::report::NotTaken;

/// As many mistaken reports of one start are said in the log.
const SAID_MAX: usize = 8;

/// One start after the other.
#[derive(Debug)]
pub(super) struct Start {
    phases: Phases,
    timeline: Timeline,
    /// The same start without our guesses: in its first phase, since it began.
    begun: Timeline,
    /// The service was started, or is probed.
    has_begun: bool,
    /// The service has reported a phase of this start.
    is_reported: bool,
    /// The mistaken reports that were said.
    said: Vec<String>,
}

impl Start {
    pub(super) fn new(phases: Phases, now: Instant) -> Self {
        let timeline = Timeline::new(phases.clone(), now);
        let begun = timeline.clone();
        Self { phases, timeline, begun, has_begun: false, is_reported: false, said: Vec::new() }
    }

    pub(super) const fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The service was started, or is about to be probed.
    pub(super) const fn begins(&mut self) {
        self.has_begun = true;
    }

    /// We see that the service has come so far. A phase that lies behind, or is not in the list, says nothing new.
    pub(super) fn comes_to(&mut self, phase: Phase, now: Instant) {
        let is_ours = !self.is_reported || phase == Phase::COMPLETE;
        if self.has_begun && is_ours {
            self.goes_on(now);
            let _ = self.timeline.enter(phase, now);
        }
    }

    /// The service reports this phase. Answers whether it is another one than before.
    pub(super) fn is_told(&mut self, name: &str, now: Instant) -> Result<bool, NotTaken> {
        let phase = self.phases.iter().find(|phase| phase.as_str() == name);
        let phase = phase.ok_or(NotTaken::Unknown)?;
        self.goes_on(now);
        let is_guessed = !self.is_reported && !self.timeline.is_complete();
        let known = if is_guessed { &self.begun } else { &self.timeline };
        let mut timeline = known.clone();
        timeline.enter(phase, now).map_err(|_error| NotTaken::Behind)?;
        let is_another = timeline.current() != self.timeline.current();
        (self.timeline, self.is_reported) = (timeline, true);
        Ok(is_another)
    }

    /// Whether this is the phase in which every start begins.
    pub(super) fn is_first(&self, name: &str) -> bool {
        self.phases.iter().next().is_some_and(|first| first.as_str() == name)
    }

    /// Whether a mistaken report is to be said: each once, and not too many.
    pub(super) fn is_news(&mut self, report: &str) -> bool {
        let is_news = self.said.len() < SAID_MAX && !self.said.iter().any(|said| said == report);
        if is_news {
            self.said.push(report.to_owned());
        }
        is_news
    }

    /// It failed. What was complete stays so: then it is the service that failed, not its start.
    pub(super) fn fails(&mut self, reason: &str, now: Instant) {
        let _ = self.timeline.fail(reason, now);
    }

    /// The service starts anew.
    pub(super) fn anew(&mut self, now: Instant) {
        self.begin_again(now);
        (self.has_begun, self.is_reported) = (false, false);
        self.said.clear();
    }

    /// A start that failed and is seen to go on has recovered, which is another one.
    fn goes_on(&mut self, now: Instant) {
        if self.timeline.failure().is_some() {
            self.begin_again(now);
        }
    }

    fn begin_again(&mut self, now: Instant) {
        self.timeline.restart(now);
        self.begun = self.timeline.clone();
    }
}

#[cfg(test)]
mod tests {
    //! Breaks a start with reports that come late, twice, or of nothing, and with our own steps in between.

    use std::time::Duration;

    use vestibule::startup::PhaseState;

    use super::*;

    fn start() -> (Start, Instant) {
        let now = Instant::now();
        let mut start = Start::new(Phases::default(), now);
        start.begins();
        (start, now)
    }

    fn at(start: &Start) -> &'static str {
        start.timeline().current().as_str()
    }

    #[tokio::test(start_paused = true)]
    async fn our_own_steps_count_where_the_service_reports_nothing() {
        let (mut start, now) = start();
        start.comes_to(Phase::SERVICES, now + Duration::from_secs(1));
        start.comes_to(Phase::DEPENDENCIES, now + Duration::from_secs(2));
        assert_eq!(at(&start), "services");
        let report = start.timeline().report(now + Duration::from_secs(3));
        assert_eq!(report[0].state, PhaseState::Done);
        assert!(report[1..4].iter().all(|phase| phase.state == PhaseState::Skipped));
        start.comes_to(Phase::COMPLETE, now);
        assert_eq!(start.is_told("database", now), Err(NotTaken::Behind));
        assert_eq!(at(&start), "complete");
    }

    /// We have guessed `services` long before the service comes to its database.
    #[tokio::test(start_paused = true)]
    async fn the_first_report_replaces_what_was_guessed_and_leaves_us_only_the_end() {
        let (mut start, now) = start();
        start.comes_to(Phase::SERVICES, now);
        let later = now + Duration::from_secs(2);
        assert_eq!(start.is_told("database", later), Ok(true));
        let report = start.timeline().report(later);
        assert_eq!(report[0].duration, Some(Duration::from_secs(2)));
        assert_eq!(report[4].state, PhaseState::Pending);
        start.comes_to(Phase::FINALIZE, later);
        assert_eq!(at(&start), "database");
        start.comes_to(Phase::COMPLETE, later);
        assert_eq!((at(&start), start.timeline().run()), ("complete", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn reports_of_nothing_and_of_what_lies_behind_are_not_obeyed_and_said_once() {
        let (mut start, now) = start();
        assert_eq!(start.is_told("database", now), Ok(true));
        assert_eq!(start.is_told("database", now), Ok(false));
        assert_eq!(start.is_told("dependencies", now), Err(NotTaken::Behind));
        assert_eq!(start.is_told("databse", now), Err(NotTaken::Unknown));
        assert_eq!(at(&start), "database");
        assert!(start.is_news("databse") && !start.is_news("databse"));
        let many = (0..100).filter(|nth| start.is_news(&nth.to_string())).count();
        assert_eq!(many, SAID_MAX - 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_start_that_goes_on_is_another_one() {
        let (mut start, now) = start();
        start.fails("it took too long", now);
        assert_eq!(start.is_told("cache", now), Ok(true));
        assert_eq!((start.timeline().run(), at(&start)), (2, "cache"));
        start.anew(now);
        start.comes_to(Phase::SERVICES, now);
        assert_eq!(at(&start), "init", "nobody has started it yet");
    }
}
