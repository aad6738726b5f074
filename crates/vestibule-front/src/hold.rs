//! What a client declares to the gate before it is held.
//!
//! Owns what a hold costs in memory, and whose share of places it takes. Must never ask the gate.

use std::net::IpAddr;

use tokio::time::Instant;
use vestibule::gate::{Arrival, ClientKey, Kind};

use crate::head::forwarded::Trust;
use crate::head::{Handshake, Plain};
use crate::shared::Shared;
use crate::stream::Peer;
use crate::upstream::dial::Dial;

/// What every held client costs beside what it sent, in bytes: its task, its socket's registration, its place in
/// the queue. `bench/run` measures 3.05 KiB with a head of 0.6 KiB.
pub const WEIGHT: usize = 2_560;
/// What one field of a held plain request takes beside its name and value: an entry of the map and of its index.
const FIELD_WEIGHT: usize = 128;

/// When and from where a request came.
#[derive(Clone, Copy, Debug)]
pub struct Came {
    /// When its head was whole.
    pub at: Instant,
    /// Whose connection it came over.
    pub over: Peer,
}

/// The hold of a handshake.
pub fn of_handshake<D: Dial>(front: &Shared<D>, handshake: &Handshake, came: Came) -> Arrival {
    Arrival {
        kind: Kind::Handshake { route: handshake.route() },
        bytes: WEIGHT + handshake.outbound().len(),
        client: client_key(handshake.client(), came.over, &front.settings().trust),
        deadline: front.hold_deadline(came.at, handshake.client_clock()),
    }
}

/// The hold of a plain request. Its body stays in the kernel and costs us nothing.
pub fn of_plain<D: Dial>(front: &Shared<D>, plain: &Plain, came: Came) -> Arrival {
    let fields = plain.fields.iter();
    let fields = fields.map(|(name, value)| FIELD_WEIGHT + name.as_str().len() + value.len());
    let target = plain.target.as_str().len();
    Arrival {
        kind: Kind::Plain,
        bytes: WEIGHT + target + fields.sum::<usize>(),
        client: client_key(plain.client, came.over, &front.settings().trust),
        deadline: front.hold_deadline(came.at, None),
    }
}

/// Whose share a hold takes. A peer that is believed and names no client is a proxy that speaks for many: it has
/// no share, or all behind it would share one.
fn client_key(client: Option<IpAddr>, peer: Peer, trust: &Trust) -> Option<ClientKey> {
    let names_nobody = client == peer && trust.trusts(peer);
    client.filter(|_| !names_nobody).map(ClientKey::from)
}

#[cfg(test)]
mod tests {
    //! Breaks whose share is taken: proxies that name their clients, name nobody, or are not believed.

    use super::*;

    #[test]
    fn a_share_is_the_clients_and_never_that_of_a_proxy_that_names_nobody() {
        let ip = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let (proxy, client) = (ip("10.0.0.1"), ip("192.0.2.7"));
        let proxies = Trust::Proxies(vec!["10.0.0.0/8".parse().unwrap()]);
        let rows = [
            (client, proxy, &proxies, client),
            (proxy, proxy, &proxies, None),
            (client, client, &proxies, client),
            (client, proxy, &Trust::Platform, client),
            (proxy, proxy, &Trust::Platform, None),
            (proxy, proxy, &Trust::Nobody, proxy),
            (ip("127.0.0.1"), ip("127.0.0.1"), &Trust::Nobody, ip("127.0.0.1")),
            // A Unix socket.
            (None, None, &Trust::Platform, None),
        ];
        for (client, peer, trust, wanted) in rows {
            let key = client_key(client, peer, trust);
            assert_eq!(key, wanted.map(ClientKey::from), "{client:?} over {peer:?}");
        }
    }
}
