//! Where an account's callbacks may come from. An address is no proof; it keeps out who has seen a URL and posts to it
//! from somewhere else.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;
use malipo_core::ProviderId;

/// What happens to a callback that comes from somewhere else. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceMode {
    /// Nothing: addresses are not looked at.
    Off,
    /// It is taken, with a warning and a count. The way to find out whether a list is right.
    Report,
    /// It is nobody's: an empty 404, as for what was posted to no URL of ours. So is what comes from where nobody knows.
    Enforce,
}

/// The addresses that one account's callbacks are expected from, and what happens to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    mode: SourceMode,
    networks: Vec<IpNet>,
}

/// Why a list of sources cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSources {
    /// This is no network.
    #[error(
        "`{0}` is neither an address, such as 192.0.2.7 or 2001:db8::7, nor a network, such as 192.0.2.0/24"
    )]
    Network(String),
    /// The list is empty.
    #[error("a list of sources without an address would fit nobody: name some, or use `SourceMode::Off`")]
    Empty,
    /// The receiver's payments have no such account.
    #[error("there is no account `{0}` whose callbacks could be held against a list")]
    NoSuchAccount(ProviderId),
}

impl Sources {
    /// These addresses (`192.0.2.7`, `2001:db8::7`) and networks (`192.0.2.0/24`). An IPv4 address is only ever in a
    /// network of IPv4, however it is written.
    ///
    /// # Errors
    ///
    /// [`InvalidSources::Network`], and [`InvalidSources::Empty`] unless the mode is [`SourceMode::Off`].
    pub fn new<'a>(
        mode: SourceMode,
        networks: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidSources> {
        let networks: Vec<_> = networks.into_iter().map(network).collect::<Result<_, _>>()?;
        if networks.is_empty() && mode != SourceMode::Off {
            return Err(InvalidSources::Empty);
        }
        Ok(Self { mode, networks })
    }

    pub(crate) const fn mode(&self) -> SourceMode {
        self.mode
    }

    /// Whether nothing is to be said of a callback from there; `None` is nobody knows where.
    pub(crate) fn expects(&self, from: Option<IpAddr>) -> bool {
        let listed = |from| self.networks.iter().any(|network| network.contains(&from));
        self.mode == SourceMode::Off || from.is_some_and(listed)
    }
}

fn network(text: &str) -> Result<IpNet, InvalidSources> {
    let told = text.trim();
    let one = |address: IpAddr| IpNet::from(address.to_canonical());
    let parsed = told.parse().map(one).ok().or_else(|| told.parse().ok());
    // A network of mapped addresses would fit nobody: what comes from there is IPv4 to us. And one with a part of a host
    // is a slip of the pen, in one of two directions.
    let is_mapped =
        |network: &IpNet| matches!(network.addr(), IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    let is_plain = |network: &IpNet| !is_mapped(network) && *network == network.trunc();
    parsed.filter(is_plain).ok_or_else(|| InvalidSources::Network(text.to_owned()))
}

/// Where a request came from: from the other end of its connection, or from where the outermost of so many proxies of ours
/// says. Each of them writes down behind the others whom it was called by, so that they are counted from the right: what
/// stands left of them is what the sender wrote himself.
pub(crate) fn source(headers: &HeaderMap, peer: Option<SocketAddr>, proxies: usize) -> Option<IpAddr> {
    let Some(further) = proxies.checked_sub(1) else { return peer.map(|peer| peer.ip().to_canonical()) };
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let mut entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    address(str::from_utf8(entries.nth(further)?).ok()?.trim())
}

/// `192.0.2.7`, `192.0.2.7:80`, `2001:db8::7`, `[2001:db8::7]` or `[2001:db8::7]:80`.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let alone = match bare {
        Some(inner) => inner.parse().ok().map(IpAddr::V6),
        None => entry.parse().ok(),
    };
    let address = alone.or_else(|| entry.parse().ok().map(|with_port: SocketAddr| with_port.ip()))?;
    Some(address.to_canonical())
}
