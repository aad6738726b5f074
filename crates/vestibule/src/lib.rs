//! Readiness, gate and patience for services that take WebSockets before they are ready.
//!
//! Owns the rules: where we run, how patient to be, what readiness means, who may pass; and, for a Rust service,
//! their join in its own process. Must never listen, print or spawn processes; only `layer` and what serves
//! through it know HTTP.
//!
//! # The incident
//!
//! A chat service runs on Cloud Run. The platform sends users to an instance as soon as its port opens; its
//! database, cache and chat pipeline come up seconds later. A new user's WebSocket is accepted in that window
//! and closed with 1011: the first thing they see of the product is a failure. Four things were wrong, and each
//! has its room here.
//!
//! **The environment was read from one variable**, and Cloud Run was taken for somebody's laptop.
//! [`environment`] asks every variable that can know, keeps the evidence, and names what contradicts:
//!
//! ```
//! use std::collections::HashMap;
//! use vestibule::environment::{self, Name, Platform};
//!
//! let variables = HashMap::from([("ENVIRONMENT", "development"), ("K_SERVICE", "chat")]);
//! let found = environment::detect(&variables);
//! assert_eq!((found.name, found.platform), (Name::Development, Platform::CloudRun));
//! assert_eq!(
//!     found.conflicts[0].to_string(),
//!     "ENVIRONMENT says development, but this is cloud_run: its patience is kept",
//! );
//! ```
//!
//! **A development timeout of 1.2 s ran in the cloud.** [`timeouts`] derives each number from where we run, and
//! says where it comes from:
//!
//! ```
//! # use vestibule::environment::{Name, Platform};
//! use std::time::Duration;
//! use vestibule::timeouts::{Budgets, Factors};
//!
//! let (name, platform) = (Name::Development, Platform::CloudRun);
//! let second = Duration::from_secs(1);
//! let check = Factors::derive(name, platform).check_timeout(second, 8 * second);
//! assert_eq!(check.value, Duration::from_millis(1_800));
//! assert!(check.source.starts_with("1s × 1.5 (1 in production, whose patience cloud_run keeps × 1.5"));
//! assert_eq!(Budgets::derive(name, platform).hold.value, 60 * second);
//! ```
//!
//! **Waiting for a startup phase looped without end.** In [`startup`] phases only go forward, a failure latches
//! with its phase and reason, silence is failure, and a wait is an await with a deadline:
//!
//! ```
//! use std::time::Duration;
//! use tokio::time::Instant;
//! use vestibule::startup::{self, Phase, Phases};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let (start, mut watch) = startup::channel("the start of chat", Phases::default());
//! start.enter(Phase::DATABASE).unwrap();
//! drop(start);
//! let deadline = Instant::now() + Duration::from_secs(8);
//! let answer = watch.wait_for(Phase::COMPLETE, deadline).await;
//! assert_eq!(
//!     answer.unwrap_err().to_string(),
//!     "the start has failed in database: the start of chat was dropped without deciding",
//! );
//! # }
//! ```
//!
//! **Sockets were accepted before the service was ready.** The [`gate`] holds them, each until its own deadline,
//! and admits them in order of arrival once the service is ready:
//!
//! ```
//! # use std::time::Duration;
//! use vestibule::{Door, startup::Phase};
//!
//! # #[derive(Clone)] struct App;
//! # async fn connect_to_database() -> Result<(), vestibule::StartupError> { Ok(()) }
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let door = Door::start(async |startup| {
//!     startup.enter(Phase::DATABASE)?;
//!     connect_to_database().await?;
//!     Ok(())
//! });
//! // A `tower` layer: for axum, tonic, and whatever else is made of services.
//! let app = tower_layer::Layer::layer(&door.layer(), App);
//! # let _ = app;
//! # let soon = tokio::time::Instant::now() + Duration::from_secs(1);
//! # door.readiness().wait_ready(soon).await.unwrap();
//! # }
//! ```
//!
//! **Nobody had asked whether the database was there.** A [`check`] sees it or does not, and [`validation`] never
//! calls a check passed that was not seen to pass. With checks a door admits nobody before the critical ones have
//! passed, and names those that were missing when it gives up:
//!
//! ```
//! # #[cfg(feature = "tower")] {
//! use vestibule::check::{self, Checked, Reason, Spec, Trouble};
//! use vestibule::environment::Process;
//! use vestibule::{Door, Settings};
//!
//! # async fn ping() -> Result<&'static str, Trouble> { Err(Trouble::new(Reason::StartingUp, "57P03")) }
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let database = Checked::new(Spec::new("database"), check::from_fn(ping));
//! let mail = check::from_fn(async || Ok::<_, Trouble>("220 ready"));
//! let mail = Checked::new(Spec::new("mail").degradable(), mail);
//! let settings = Settings { checks: vec![database, mail], ..Settings::detect(&Process) };
//! let door = Door::start_with(settings, async |_startup| Ok(()));
//! # let later = tokio::time::Instant::now() + std::time::Duration::from_secs(600);
//! let failed = door.readiness().wait_ready(later).await.unwrap_err().to_string();
//! assert!(failed.contains("without check database (starting_up"), "{failed}");
//! # }
//! # main();
//! # }
//! ```
//!
//! # Features
//!
//! - `tower` (on by default): `Door`, `layer` and `connection`.
//! - `axum`: serving with `axum::serve`, so that a client that leaves its hold is noticed at once.
#![forbid(unsafe_code)]

#[cfg(feature = "axum")]
pub mod axum;
pub mod backoff;
pub mod breaker;
pub mod check;
#[cfg(feature = "tower")]
pub mod connection;
#[cfg(feature = "tower")]
mod door;
pub mod environment;
mod follow;
pub mod gate;
pub mod health;
#[cfg(feature = "tower")]
pub mod layer;
pub mod readiness;
pub mod startup;
pub mod timeouts;
pub mod validation;

#[cfg(feature = "tower")]
pub use self::door::{Door, NothingFailed, Settings, Startup, StartupError};
