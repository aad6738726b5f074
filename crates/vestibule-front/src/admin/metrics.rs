//! A scrape.
//!
//! Owns the registry, and the metrics that are read when somebody asks from those who keep them: the
//! gate, the places, the state. Must never have a label that is neither a word of an enum nor a name that the
//! user declared: of a phase, of a check.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;
use tokio::time::Instant;
use vestibule::readiness::State;

use crate::shared::Shared;
use crate::upstream::dial::Dial;
use crate::upstream::requests::Kind;

use super::{Facts, checks};

/// What every name begins with.
const PREFIX: &str = "vestibule";

/// Every metric there is.
#[derive(Debug)]
pub struct Metrics(Registry);

impl Metrics {
    /// Those of one front.
    pub fn of<D: Dial>(front: Arc<Shared<D>>, facts: Facts) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        front.journal.meters.register(&mut registry);
        registry.register_collector(Box::new(Now { front, facts }));
        Self(registry)
    }

    /// All of them as OpenMetrics text.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(32 * 1024);
        // Writing to a string does not fail; a metric that can't be written is left out.
        let _ = encode(&mut text, &self.0);
        text
    }
}

/// What others keep, read at each scrape.
struct Now<D: Dial> {
    front: Arc<Shared<D>>,
    facts: Facts,
}

impl<D: Dial> fmt::Debug for Now<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Now")
    }
}

impl<D: Dial> Collector for Now<D> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let front = &self.front;
        let (counts, full) = (front.gate.counts(), front.places.occupancy());
        let mut gauge = |name, help, value: usize| {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("held", "Clients that are held", counts.held)?;
        gauge("held_bytes", "Bytes which those held declared", counts.held_bytes)?;
        gauge("hand_overs", "Hand-overs in flight", counts.handing_over)?;
        gauge("tunnels", "Open tunnels", front.service.tunnels())?;
        gauge("connections_open", "Open public connections", full.open)?;
        gauge("connections_limit", "How many may be open", full.limit)?;
        let tasks = Handle::try_current().map_or(0, |runtime| runtime.metrics().num_alive_tasks());
        gauge("tasks", "Tasks of the runtime", tasks)?;
        gauge("draining", "1 from SIGTERM on", usize::from(self.state() == State::Draining))?;
        gauge("drain_pending", "What a drain waits, or would wait, for", front.drain.open())?;
        let mut counter = |name, help, value: u64| {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
        };
        counter(
            "admitted",
            "Clients that got a permit; a retry counts no second time",
            counts.admitted_total,
        )?;
        counter("settled", "Hand-overs that survived their settle window", counts.settled_total)?;
        counter("retries", "Hand-overs that went back to try again", counts.retries_total)?;
        counter("left", "Clients that left while they were held", counts.left_total)?;
        let dropped = self.facts.log_lines_dropped.load(Ordering::Relaxed);
        counter("log_lines_dropped", "Log lines that nobody read in time", dropped)?;
        self.encode_pauses(&mut encoder)?;
        self.encode_requests(&mut encoder)?;
        self.encode_state(&mut encoder)?;
        self.encode_phases(&mut encoder)?;
        checks::encode(&self.front.validation.board(), &mut encoder)?;
        self.encode_info(&mut encoder)
    }
}

impl<D: Dial> Now<D> {
    fn state(&self) -> State {
        self.front.readiness.state()
    }

    fn encode_pauses(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Times that accepting paused, by what was short";
        let mut reasons =
            encoder.encode_descriptor("accept_pauses", help, None, MetricType::Counter)?;
        let full = self.front.places.occupancy().pauses_total;
        for (word, count) in [("exhausted", self.front.journal.exhausted_total()), ("full", full)] {
            let labels = [("reason", word)];
            reasons.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        Ok(())
    }

    fn encode_requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests sent to the service, counted before their first byte";
        let name = "upstream_requests";
        let mut kinds = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for kind in Kind::ALL {
            let sent = self.front.upstream_requests.shown(kind);
            let labels = [("kind", kind.as_str())];
            kinds.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&sent, None)?;
        }
        Ok(())
    }

    /// One series for each state, of which one is 1.
    fn encode_state(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "1 for the state that it is, 0 for the others";
        let mut states = encoder.encode_descriptor("state", help, None, MetricType::Gauge)?;
        let now = self.state();
        for word in State::WORDS {
            let value = i64::from(word == now.as_str());
            states.encode_family(&[("state", word)])?.encode_gauge(&value)?;
        }
        Ok(())
    }

    /// The seconds of each phase of this start, so far for the present one.
    fn encode_phases(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Seconds that each phase of this start took, or has taken so far";
        let mut phases =
            encoder.encode_descriptor("phase_seconds", help, None, MetricType::Gauge)?;
        let now = Instant::now();
        for report in self.front.service.picture(now).startup.report(now) {
            let seconds = report.duration.map_or(0.0, |duration| duration.as_secs_f64());
            phases.encode_family(&[("phase", report.phase.as_str())])?.encode_gauge(&seconds)?;
        }
        Ok(())
    }

    fn encode_info(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Facts { version, environment, platform, .. } = self.facts;
        let info =
            Info::new([("environment", environment), ("platform", platform), ("version", version)]);
        let help = "Where it runs, and which version";
        info.encode(encoder.encode_descriptor("environment", help, None, info.metric_type())?)
    }
}
