//! Arguments of the admin address.
//!
//! Owns their names, help and spelling. Must never decide what a missing one means.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args as ClapArgs;
use vestibule_front::listener::{Listen, ListenSyntax};

/// What operators, probes and scrapers ask, and who may.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct AdminArgs {
    /// Where health, metrics and events are shown: HOST:PORT, unix:PATH or off
    /// [default: 127.0.0.1:8378, and none if that is taken]
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin: Option<AdminAddress>,

    /// The admin address may be one that other machines reach; needs a token
    #[arg(long)]
    pub(crate) admin_allow_remote: bool,

    /// A file whose content must be shown as bearer token, but by probes [default:
    /// $VESTIBULE_ADMIN_TOKEN, else none]
    #[arg(long, value_name = "PATH")]
    pub(crate) admin_token_file: Option<PathBuf>,

    /// A further name by which the admin address may be called; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(crate) admin_host: Vec<String>,
}

/// Where the admin address is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AdminAddress {
    /// Nowhere.
    Off,
    /// Here.
    At(Listen),
}

impl FromStr for AdminAddress {
    type Err = ListenSyntax;

    fn from_str(text: &str) -> Result<Self, ListenSyntax> {
        if text == "off" { Ok(Self::Off) } else { text.parse().map(Self::At) }
    }
}
