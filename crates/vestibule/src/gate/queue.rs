//! The gate's pure core: who waits, who goes next, who must leave.
//!
//! Owns the bounds and every decision of the gate. Takes `now` and tokens `W` by which its shell wakes a
//! waiter; must never read a clock, sleep, draw a random number, or wake anybody itself. What others must hear
//! is collected in [`Effects`], which the shell delivers after it has let go of the lock.

mod limits;

use tokio::time::Instant;

use super::budget::RetryBudget;
use super::counts::Counts;
use super::grant::{Entrant, Grant, Seat};
use super::outcome::{Effects, Entered, Retried};
use super::places::Places;
use super::refusal::Refusal;
use super::release::Releasing;
use super::scouts::Scouts;
use super::waiting::{Held, Place, Waiting};
use super::{Arrival, GiveUp, Kind, Limits, Stance};

/// Everybody who is held, everybody who holds a grant, and the rules between them.
#[derive(Debug)]
pub(super) struct Queue<W> {
    limits: Limits,
    stance: Stance,
    /// Grows with every change of stance, so that what an old hand-over proves is not taken for today's news.
    era: u64,
    /// The next arrival or turn: both come from one count, so that turns can be compared with arrivals.
    next: u64,
    waiting: Waiting<W>,
    /// Taken by those that wait and by the scouts that are out.
    places: Places,
    scouts: Scouts,
    budget: RetryBudget,
    releasing: Option<Releasing>,
    /// `held` and `held_bytes` are filled in when a picture is taken.
    totals: Counts,
    effects: Effects<W>,
}

impl<W> Queue<W> {
    /// An empty queue that holds. A limit of 0 hand-overs, scouts or tries would hold for ever and counts as 1.
    pub(super) fn new(limits: Limits) -> Self {
        let limits = limits::sound(limits);
        Self {
            places: Places::new(&limits),
            scouts: Scouts::new(&limits),
            budget: RetryBudget::new(&limits),
            limits,
            stance: Stance::Hold,
            era: 0,
            next: 0,
            waiting: Waiting::default(),
            releasing: None,
            totals: Counts::default(),
            effects: Effects::default(),
        }
    }

    pub(super) const fn stance(&self) -> &Stance {
        &self.stance
    }

    pub(super) fn counts(&self) -> Counts {
        Counts { held: self.waiting.len(), held_bytes: self.waiting.bytes(), ..self.totals.clone() }
    }

    /// What has to be delivered since the last call.
    pub(super) fn take_effects(&mut self) -> Effects<W> {
        std::mem::take(&mut self.effects)
    }

    /// Changes what the gate does with newcomers and with those that it holds.
    pub(super) fn take_stance(&mut self, stance: Stance, now: Instant) {
        if self.stance != stance {
            self.turn_to(stance, now);
            self.pump(now);
        }
    }

    /// A newcomer. `waiter` is called only if it has to be held.
    pub(super) fn enter(
        &mut self,
        arrival: Arrival,
        now: Instant,
        waiter: impl FnOnce() -> W,
    ) -> Entered {
        let id = self.count_up();
        if let Stance::Refuse(refusal) = &self.stance {
            let refusal = refusal.clone();
            return Entered::Refused(self.refused(refusal));
        }
        if arrival.deadline <= now {
            return Entered::Refused(self.refused(Refusal::Deadline));
        }
        let seat = self.free_seat(arrival.kind);
        // A scout too: if it comes back, it must find its place.
        if seat.is_none_or(Seat::keeps_place)
            && let Err(refusal) = self.places.room_for(arrival.client, arrival.bytes)
        {
            return Entered::Refused(self.refused(refusal));
        }
        let entrant = Entrant::new(id, arrival, now);
        if let Some(seat) = seat {
            return Entered::Admitted(self.seat(entrant, seat));
        }
        let place = match arrival.kind {
            Kind::Handshake { .. } => Place::InLine { turn: id },
            Kind::Plain => Place::Plain,
        };
        self.hold(entrant, place, waiter());
        Entered::Held(id)
    }

    /// A held client left. False if it has had its answer.
    pub(super) fn leave(&mut self, id: u64, now: Instant) -> bool {
        let was_held = self.let_go(id).is_some();
        if was_held {
            self.totals.left_total += 1;
            self.note_release(now);
        }
        was_held
    }

    /// A held client's deadline came. False if it has had its answer.
    pub(super) fn expire(&mut self, id: u64, now: Instant) -> bool {
        let was_held = self.let_go(id).is_some();
        if was_held {
            self.refused(Refusal::Deadline);
            self.note_release(now);
        }
        was_held
    }

    /// The hand-over survived: the first to do so while the upstream is young releases the queue.
    /// Answers whether it was this one.
    pub(super) fn settle(&mut self, grant: &Grant, now: Instant) -> bool {
        self.unseat(grant);
        if grant.seat != Seat::Plain {
            self.totals.settled_total += 1;
        }
        let releases = grant.seat == Seat::Scout && grant.era == self.era;
        if releases {
            self.turn_to(Stance::Admit, now);
        }
        self.pump(now);
        releases
    }

    /// The hand-over ended and proved nothing.
    pub(super) fn give_back(&mut self, grant: &Grant, now: Instant) {
        self.unseat(grant);
        self.pump(now);
    }

    /// The upstream has this one in silence: the next in line gets its slot. While the upstream is young, a
    /// scout keeps its slot and makes room for another scout. False if it is to be asked again.
    pub(super) fn give_way(&mut self, grant: &mut Grant, now: Instant) -> bool {
        match (&self.stance, grant.seat) {
            (Stance::Scout, Seat::Scout) => {
                if self.scouts.fall_silent(grant.entrant.id, grant.era == self.era) {
                    self.pump(now);
                }
                false
            }
            (Stance::Scout | Stance::Admit, seat) => {
                if seat.takes_slot() {
                    self.unseat(grant);
                    grant.seat = Seat::Slow;
                    self.pump(now);
                }
                true
            }
            (Stance::Hold | Stance::Refuse(_), _) => false,
        }
    }

    /// The try did not settle. `waiter` is called only if another one may follow.
    pub(super) fn retry(
        &mut self,
        grant: Grant,
        now: Instant,
        waiter: impl FnOnce() -> W,
    ) -> Retried {
        if let (Seat::Scout, Kind::Handshake { route }) = (grant.seat, grant.entrant.kind) {
            self.scouts.note_tried(grant.entrant.id, route);
        }
        self.unseat(&grant);
        let retried = match self.may_retry(&grant, now) {
            Err(GiveUp::Refused(refusal)) => {
                Retried::GivenUp(GiveUp::Refused(self.refused(refusal)))
            }
            Err(GiveUp::LastAnswer) => Retried::GivenUp(GiveUp::LastAnswer),
            Ok(()) => {
                let entrant = grant.entrant;
                let (id, attempt) = (entrant.id, entrant.tries.saturating_sub(1));
                self.totals.retries_total += 1;
                self.hold(entrant, Place::Resting, waiter());
                Retried::Rests { id, attempt }
            }
        };
        self.pump(now);
        retried
    }

    /// A rest is over: back in line, or admitted at once.
    pub(super) fn rise(&mut self, id: u64, now: Instant) {
        let back = self.count_up();
        let Some(entrant) = self.waiting.resting(id) else { return };
        let lost_nothing = self.stance == Stance::Admit && entrant.tries_in(self.era) == 0;
        let place = match entrant.kind {
            Kind::Plain => Place::Plain,
            // It failed only before others survived: it goes by its arrival.
            Kind::Handshake { .. } if lost_nothing => Place::InLine { turn: id },
            Kind::Handshake { .. } => Place::InLine { turn: back },
        };
        self.waiting.shift(id, place);
        self.pump(now);
    }

    fn may_retry(&mut self, grant: &Grant, now: Instant) -> Result<(), GiveUp> {
        let entrant = &grant.entrant;
        let admits = self.stance == Stance::Admit;
        if let Stance::Refuse(refusal) = &self.stance {
            return Err(GiveUp::Refused(refusal.clone()));
        }
        if entrant.deadline <= now {
            return Err(GiveUp::Refused(Refusal::Deadline));
        }
        // What the upstream was before it was lost does not count against anybody.
        let counts = admits || grant.seat == Seat::Plain;
        if counts && entrant.tries_in(self.era) >= self.limits.tries_max {
            return Err(GiveUp::LastAnswer);
        }
        match self.places.room_for(entrant.client, entrant.bytes) {
            Err(_) if admits => return Err(GiveUp::LastAnswer),
            Err(refusal) => return Err(GiveUp::Refused(refusal)),
            Ok(()) => {}
        }
        if admits && matches!(grant.seat, Seat::HandOver | Seat::Slow) && !self.budget.take() {
            return Err(GiveUp::LastAnswer);
        }
        Ok(())
    }

    fn turn_to(&mut self, stance: Stance, now: Instant) {
        self.era += 1;
        self.releasing = None;
        match &stance {
            Stance::Hold => {}
            Stance::Scout => self.scouts.forget_tried(),
            Stance::Admit => self.begin_release(now),
            Stance::Refuse(refusal) => self.refuse_all(refusal),
        }
        self.stance = stance;
    }

    /// Scouts went to the back to let others try; now everybody goes by arrival.
    fn begin_release(&mut self, now: Instant) {
        self.waiting.order_by_arrival();
        self.budget.refill();
        self.releasing = Some(Releasing::new(self.next, now));
    }

    fn refuse_all(&mut self, refusal: &Refusal) {
        for held in self.waiting.remove_all() {
            self.places.free(&held.entrant);
            self.totals.refused_total.add(refusal);
            self.effects.answers.push((held.waiter, Err(refusal.clone())));
        }
    }

    /// Gives every free seat to the next in line. Afterwards nobody waits whom the stance would admit.
    fn pump(&mut self, now: Instant) {
        if matches!(self.stance, Stance::Scout | Stance::Admit) {
            while let Some(id) = self.waiting.first_plain() {
                self.grant(id, Seat::Plain, now);
            }
        }
        while let Some(seat) = self.open_seat() {
            let next =
                self.next_turn(seat).and_then(|turn| Some((turn, self.waiting.at_turn(turn)?)));
            let Some((turn, id)) = next else { break };
            let was_admitted = self.grant(id, seat, now);
            if let Some(releasing) = self.releasing.as_mut().filter(|_| was_admitted) {
                releasing.note_admitted(turn);
            }
        }
        self.note_release(now);
    }

    fn next_turn(&self, seat: Seat) -> Option<u64> {
        if seat == Seat::Scout {
            self.scouts.pick(self.waiting.turns())
        } else {
            self.waiting.first_turn()
        }
    }

    /// Admits one that is held, or refuses it if its deadline has passed unseen.
    fn grant(&mut self, id: u64, seat: Seat, now: Instant) -> bool {
        let Some(held) = self.let_go(id) else { return false };
        let in_time = held.entrant.deadline > now;
        let answer = if in_time {
            Ok(self.seat(held.entrant, seat))
        } else {
            Err(self.refused(Refusal::Deadline))
        };
        self.effects.answers.push((held.waiter, answer));
        in_time
    }

    /// The seat that a newcomer may take at once. Nobody is overtaken that could have it: while a seat is free,
    /// nobody is in line but, while the upstream is young, routes that are known to be silent.
    fn free_seat(&self, kind: Kind) -> Option<Seat> {
        match (kind, &self.stance) {
            (Kind::Plain, Stance::Scout | Stance::Admit) => Some(Seat::Plain),
            (Kind::Handshake { route }, _) => self
                .open_seat()
                .filter(|seat| *seat != Seat::Scout || self.scouts.has_room_for(route)),
            (Kind::Plain, _) => None,
        }
    }

    /// The seat that a handshake could take now.
    fn open_seat(&self) -> Option<Seat> {
        if self.totals.handing_over >= self.limits.handovers_max {
            return None;
        }
        match self.stance {
            Stance::Scout if self.scouts.has_room() => Some(Seat::Scout),
            Stance::Admit => Some(Seat::HandOver),
            _ => None,
        }
    }

    fn seat(&mut self, entrant: Entrant, seat: Seat) -> Grant {
        let is_first = entrant.tries == 0;
        if is_first {
            self.totals.admitted_total += 1;
        }
        if seat.takes_slot() {
            self.totals.handing_over += 1;
            if is_first {
                self.budget.deposit();
            }
        }
        if let (Seat::Scout, Kind::Handshake { route }) = (seat, entrant.kind) {
            self.places.take(&entrant);
            self.scouts.send(entrant.id, route);
        }
        entrant.seated(seat, self.era)
    }

    fn unseat(&mut self, grant: &Grant) {
        if grant.seat.takes_slot() {
            self.totals.handing_over -= 1;
        }
        if grant.seat.keeps_place() {
            self.places.free(&grant.entrant);
            self.scouts.welcome(grant.entrant.id);
        }
    }

    fn hold(&mut self, entrant: Entrant, place: Place, waiter: W) {
        self.places.take(&entrant);
        self.waiting.hold(entrant, place, waiter);
    }

    fn let_go(&mut self, id: u64) -> Option<Held<W>> {
        let held = self.waiting.remove(id)?;
        self.places.free(&held.entrant);
        Some(held)
    }

    /// Ends the release once the last one that waited for it is gone from the line.
    fn note_release(&mut self, now: Instant) {
        let first_turn = self.waiting.first_turn();
        if let Some(over) = self.releasing.take_if(|releasing| releasing.is_over(first_turn)) {
            self.effects.release = Some(over.report(now));
        }
    }

    fn refused(&mut self, refusal: Refusal) -> Refusal {
        self.totals.refused_total.add(&refusal);
        refusal
    }

    const fn count_up(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }
}

#[cfg(test)]
mod tests;
