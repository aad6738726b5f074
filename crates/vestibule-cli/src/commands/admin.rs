//! The admin address, from settings to a task beside the front.
//!
//! Owns when it is bound: before the door if the user asked for it, behind it if not. Must never keep
//! the door from listening because a default is taken.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::task::JoinHandle;
use vestibule_front::admin::guard::Token;
use vestibule_front::admin::route::Route;
use vestibule_front::admin::{Facts, serve};
use vestibule_front::descriptors::admin_connections_within;
use vestibule_front::front::Shared;
use vestibule_front::listener::PublicListener;
use vestibule_front::process::limits::raise_descriptor_limit;
use vestibule_front::supervise::launch::Reports;
use vestibule_front::upstream::dial::Dial;

use crate::error::Error;
use crate::log;
use crate::settings::Door;
use crate::settings::admin::Admin;

/// The admin address on its way.
#[derive(Debug)]
pub(crate) struct Desk {
    admin: Option<Admin>,
    bound: Option<PublicListener>,
    facts: Facts,
    /// What a child of ours shows with its reports.
    startup: Option<Token>,
}

/// A running admin address.
#[derive(Debug, Default)]
pub(crate) struct Running {
    serving: Option<JoinHandle<()>>,
    reports: Option<Reports>,
}

impl Desk {
    /// Takes the settings out of the door's, and binds if the user asked for it.
    ///
    /// # Errors
    /// It was asked for, and can't be had.
    pub(crate) fn new(door: &mut Door, log: &log::Running) -> Result<Self, Error> {
        let admin = door.admin.take();
        let environment = &door.environment;
        let facts = Facts {
            version: env!("CARGO_PKG_VERSION"),
            environment: environment.name.as_str(),
            platform: environment.platform.as_str(),
            log_lines_dropped: log.dropped(),
        };
        let bound = match &admin {
            Some(admin) if admin.is_asked_for => Some(bind(admin)?),
            _ => None,
        };
        Ok(Self { admin, bound, facts, startup: None })
    }

    /// Takes the reports of a child, too, who shows a token of its own.
    pub(crate) fn for_a_child(self) -> Self {
        let startup = match Token::random() {
            Ok(token) => Some(token),
            Err(error) => {
                tracing::warn!(%error, "no random bytes: the command can't report by HTTP");
                None
            }
        };
        Self { startup, ..self }
    }

    /// Begins to answer. Called once the door listens.
    pub(crate) fn open<D: Dial>(self, front: &Arc<Shared<D>>) -> Running {
        let Some(admin) = self.admin else { return Running::default() };
        let listener = match self.bound.map_or_else(|| PublicListener::bind(&admin.listen), Ok) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::warn!(
                    address = %admin.listen,
                    %error,
                    "no admin address: going on without; choose one with --admin, or say \
                     --admin off",
                );
                return Running::default();
            }
        };
        tracing::info!(address = listener.local(), "admin");
        let front = Arc::clone(front);
        let (descriptors, _) = raise_descriptor_limit();
        let connections_max = admin_connections_within(descriptors);
        let guard = match self.startup.clone() {
            Some(token) => admin.guard.with_startup_token(token),
            None => admin.guard,
        };
        let url = listener.tcp_address().map(reports_to);
        let reports = url.zip(self.startup).map(|(url, token)| Reports { url, token });
        let serving = serve(front, listener, guard, self.facts, connections_max);
        Running { serving: Some(tokio::spawn(serving)), reports }
    }
}

impl Running {
    /// Where a child may report, and what it shows there.
    pub(crate) fn reports(&self) -> Option<Reports> {
        self.reports.clone()
    }

    /// Ends it, and waits until its socket is gone.
    pub(crate) async fn close(self) {
        if let Some(serving) = self.serving {
            serving.abort();
            // It says that it was ended, which we know.
            let _ = serving.await;
        }
    }
}

/// The address that a child on this machine uses: of all of them the loopback one.
fn reports_to(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    format!("http://{address}{}", Route::StartupPhase.path())
}

fn bind(admin: &Admin) -> Result<PublicListener, Error> {
    PublicListener::bind(&admin.listen).map_err(|error| {
        Error::system(format!("failed to listen on {} for --admin: {error}", admin.listen))
            .hint("choose another address with --admin, or say --admin off")
    })
}
