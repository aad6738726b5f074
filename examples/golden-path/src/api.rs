//! The service's HTTP routes.
//!
//! Owns the router and what a request may look like. Must never decide anything: the rooms behind it do.

pub mod threads;

use std::sync::Arc;

use crate::auth::Auth;
use crate::bus::Bus;
use crate::chat::Chat;
use crate::settings::Settings;
use crate::socket::Sockets;
use crate::store::Store;

/// What the routes of a started service work with.
#[derive(Clone)]
pub struct App {
    /// Accounts.
    pub auth: Auth,
    /// What must last.
    pub store: Store,
    /// Who hears of what.
    pub bus: Bus,
    /// Messages and runs.
    pub chat: Chat,
    /// The sockets of this instance.
    pub sockets: Sockets,
    /// What the environment said.
    pub settings: Arc<Settings>,
}
