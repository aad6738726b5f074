//! On what we run.
//!
//! Owns the markers by which platforms are known. Must never decide the environment's name: markers decide the
//! platform, always, whatever `ENVIRONMENT` says.

use std::fmt;

/// The platform that starts, routes to, and stops the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// A Cloud Run service (Cloud Run, "Container runtime contract": `K_SERVICE`, `K_REVISION`,
    /// `K_CONFIGURATION`).
    CloudRun,
    /// A Cloud Run job (the same contract: `CLOUD_RUN_JOB`).
    CloudRunJob,
    /// App Engine (App Engine, "Runtime environment": `GAE_APPLICATION`, `GAE_ENV`, `GAE_SERVICE`).
    AppEngine,
    /// Something else with a Google Cloud project: a virtual machine, or a laptop that talks to one.
    GoogleCloud,
    /// Knative in a cluster: `K_SERVICE` beside `KUBERNETES_SERVICE_HOST`, which Cloud Run does not set
    /// (Knative Serving, "Runtime contract").
    Knative,
    /// Kubernetes (Kubernetes, "Accessing the Kubernetes API from a Pod": `KUBERNETES_SERVICE_HOST`).
    Kubernetes,
    /// No marker at all.
    LocalHost,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 7] = [
        Self::CloudRun,
        Self::CloudRunJob,
        Self::AppEngine,
        Self::GoogleCloud,
        Self::Knative,
        Self::Kubernetes,
        Self::LocalHost,
    ];

    /// The name in logs and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CloudRun => "cloud_run",
            Self::CloudRunJob => "cloud_run_job",
            Self::AppEngine => "app_engine",
            Self::GoogleCloud => "google_cloud",
            Self::Knative => "knative",
            Self::Kubernetes => "kubernetes",
            Self::LocalHost => "local",
        }
    }

    /// Whether a marker was found.
    #[must_use]
    pub const fn is_cloud(self) -> bool {
        !matches!(self, Self::LocalHost)
    }

    /// Whether this is Cloud Run, as a service or a job.
    #[must_use]
    pub const fn is_cloud_run(self) -> bool {
        matches!(self, Self::CloudRun | Self::CloudRunJob)
    }

    /// Whether the platform itself starts instances on demand and routes to them. On these a short patience is
    /// an outage, so their patience wins over an impatient `ENVIRONMENT`. A project's name alone may be set on
    /// a laptop, and clusters for development are usual.
    #[must_use]
    pub const fn is_managed(self) -> bool {
        matches!(self, Self::CloudRun | Self::CloudRunJob | Self::AppEngine | Self::Knative)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a variable that is set says of the platform; the first in the list wins.
pub(super) const MARKERS: [(&str, Platform); 8] = [
    ("K_SERVICE", Platform::CloudRun),
    ("CLOUD_RUN_JOB", Platform::CloudRunJob),
    ("GAE_APPLICATION", Platform::AppEngine),
    ("GAE_ENV", Platform::AppEngine),
    ("GAE_SERVICE", Platform::AppEngine),
    ("KUBERNETES_SERVICE_HOST", Platform::Kubernetes),
    ("GOOGLE_CLOUD_PROJECT", Platform::GoogleCloud),
    ("GCP_PROJECT_ID", Platform::GoogleCloud),
];

/// Variables that only accompany `K_SERVICE`: evidence, never a decision.
pub(super) const COMPANIONS: [&str; 2] = ["K_REVISION", "K_CONFIGURATION"];

/// The platform that these markers, in the order of [`MARKERS`], make up together.
pub(super) fn decide(found: &[(&str, Platform)]) -> Platform {
    let has = |wanted: Platform| found.iter().any(|(_, platform)| *platform == wanted);
    match found.first() {
        None => Platform::LocalHost,
        Some((_, Platform::CloudRun)) if has(Platform::Kubernetes) => Platform::Knative,
        Some((_, platform)) => *platform,
    }
}

/// Whether a marker of `said` may stand beside the decision without contradicting it.
pub(super) const fn agrees(decided: Platform, said: Platform) -> bool {
    match said {
        Platform::CloudRun => {
            matches!(decided, Platform::CloudRun | Platform::Knative)
        }
        Platform::CloudRunJob => matches!(decided, Platform::CloudRunJob),
        Platform::AppEngine => matches!(decided, Platform::AppEngine),
        Platform::Kubernetes => matches!(decided, Platform::Kubernetes | Platform::Knative),
        // A project goes with everything.
        Platform::GoogleCloud | Platform::Knative | Platform::LocalHost => true,
    }
}
