//! The service's HTTP routes.
//!
//! Owns the router and what a request may look like. Must never decide anything: the rooms behind it do.

use std::sync::Arc;

use crate::auth::Auth;
use crate::bus::Bus;
use crate::chat::Chat;
use crate::settings::Settings;
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
    /// What the environment said.
    pub settings: Arc<Settings>,
}
